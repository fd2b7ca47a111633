"""Verify a provider: rules, probes, the verification and its results."""
