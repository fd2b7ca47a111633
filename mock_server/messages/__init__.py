"""Values that the other packages exchange: requests, responses, violations, errors, JSON text."""
