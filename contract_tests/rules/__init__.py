"""The rules of the contract, each a function with an id, a statement and a source: of a consumer, and of a provider."""
