"""The command `alta-add`: adds the prospects of a file."""
