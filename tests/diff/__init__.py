"""Tests of `alta-mock diff`."""
