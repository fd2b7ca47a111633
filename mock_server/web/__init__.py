"""The live page at `/` and the API reference at `/docs`."""
