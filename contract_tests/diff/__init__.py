"""`alta-mock diff`: what a new document of an API means for its consumers and its providers."""
