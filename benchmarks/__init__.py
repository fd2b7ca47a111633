"""Measurements of whole processes, side by side with a peer; never part of the test suite."""
