"""Requests and responses as recorded: entries, rules about traffic, HAR, snippets, the access log."""
