"""The command `alta-mock`: one module a command."""
