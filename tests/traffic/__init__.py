"""`alta-mock check`."""
