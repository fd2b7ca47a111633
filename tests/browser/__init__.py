"""The page and the API reference, in a real browser."""
