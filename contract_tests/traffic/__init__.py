"""`alta-mock check`: recorded traffic against the contract, and what it says about the open questions."""
