"""What happens to a request, from its route to its response."""
