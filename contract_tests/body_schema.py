"""jsonschema as the kit's own judge of bodies; the fake is judged by another library than it judges with."""

from __future__ import annotations

from typing import Any

import jsonschema

OPERATION = "addProspectsToCampaign"


def body_validator(document: Any) -> jsonschema.Draft202012Validator:
    """Return a validator of the body that an OpenAPI document asks of the operation that adds prospects."""
    operations = [one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)]
    (operation,) = [one for one in operations if one.get("operationId") == OPERATION]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    checker = jsonschema.FormatChecker()
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]}, format_checker=checker)
