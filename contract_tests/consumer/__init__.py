"""Check a consumer: scenarios, runs and the rules they are judged by."""
