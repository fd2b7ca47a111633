"""The control API below `/_mock`."""
