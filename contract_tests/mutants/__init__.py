"""Providers and clients with one known defect each, and the score of the rules against them."""
