"""Generators of clients."""
