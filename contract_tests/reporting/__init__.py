"""Reports of the kit, and the page of all rules."""
