"""The effective contract: the documents, the overlay, the schemas, and what of OpenAPI is supported."""
