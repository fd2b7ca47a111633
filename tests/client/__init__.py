"""Tests of the thin client and of alta-add."""
