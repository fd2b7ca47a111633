"""Check a consumer: scenarios, runs, and the report; the rules are in `mock_server.journal`."""
