"""The body's schema, compiled with jsonschema: a different library than the one that the fake validates with."""

from __future__ import annotations

from typing import Any

import jsonschema

OPERATION = "addProspectsToCampaign"


def body_validator(document: Any) -> jsonschema.Draft202012Validator:
    """Return a validator of the body of the operation that adds prospects, by an OpenAPI document."""
    operations = [one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)]
    (operation,) = [one for one in operations if one.get("operationId") == OPERATION]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    checker = jsonschema.FormatChecker()
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]}, format_checker=checker)
