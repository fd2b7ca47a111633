"""Tests of `alta-mock verify`."""
