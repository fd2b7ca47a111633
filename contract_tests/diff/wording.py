"""What two documents say about a value, in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from contract_tests.diff.schema import FALSE, UNIONS, Part

FAMILIES = {
    **dict.fromkeys(UNIONS, "alternatives"),
    **dict.fromkeys(("then", "else"), "if"),
    **dict.fromkeys(("minContains", "maxContains"), "contains"),
    "exclusiveMinimum": "minimum",
    "exclusiveMaximum": "maximum",
    "falseSchema": "not",
    "const": "enum",
    "unevaluatedProperties": "additionalProperties",
}
"""Keywords that are about the same as another one."""

_WHOLE = {
    "alternatives": "the alternatives (anyOf, oneOf)",
    "if": "the condition (if, then, else)",
    **{name: name for name in ("not", "contains", "propertyNames", "patternProperties", "dependentRequired")},
    **{name: name for name in ("dependentSchemas", "unevaluatedItems")},
}
"""Keywords whose values are too long to show."""

SHOWN = 8
"""Choices of an enumeration that are shown."""

Statements = Sequence[tuple[str, Any]]
"""Keywords of a family, with their values."""


def family(keyword: str) -> str:
    """Return the keyword that stands for those that are about the same."""
    return FAMILIES.get(keyword, keyword)


def statements(parts: Sequence[Part], keyword: str, name: str = "") -> Statements:
    """Return what parts say by a keyword, in any of its forms, or whether they require a member."""
    if keyword == "required":
        return [("required", name) for part in parts if name in part.keywords.get("required", ())]
    return [(word, value) for part in parts for word, value in part.keywords.items() if family(word) == keyword]


def said(keyword: str, name: str, old: Statements, new: Statements) -> str:
    """Return what changed."""
    if keyword == "required":
        return f"{name} is now {'required' if new else 'optional'}"
    if keyword == "enum":
        return _enumerations(old, new)
    if keyword == "additionalProperties":
        return f"undeclared members are now {'refused' if any(value == FALSE for _, value in new) else 'allowed'}"
    if keyword == "schema":
        return "the schema is now empty" if old and not new else "the schema was empty"
    if keyword in _WHOLE:
        return f"{_WHOLE[keyword]} {'changed' if old and new else 'is new' if new else 'is gone'}"
    return changed(keyword, *(" and ".join(dict.fromkeys(_term(*one) for one in side)) for side in (old, new)))


def changed(what: str, old: str | None, new: str | None) -> str:
    """Return that something has another value, is new, or is gone."""
    if old and new:
        return f"{what} {old} → {new}"
    return f"{what} {old or new} is {'new' if new else 'gone'}"


def _enumerations(old: Statements, new: Statements) -> str:
    before, after = ([one for _, value in side for one in value] for side in (old, new))
    if not before or not after:
        return f"enum {_listed(before or after)} is {'new' if after else 'gone'}"
    lost, gained = [one for one in before if one not in after], [one for one in after if one not in before]
    return "enum " + " and ".join(
        f"{verb} {_listed(some)}" for verb, some in (("loses", lost), ("gains", gained)) if some
    )


def _listed(values: Sequence[Any]) -> str:
    more = len(values) - SHOWN
    return ", ".join(json.dumps(one) for one in values[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _term(word: str, value: Any) -> str:
    if isinstance(value, list):
        return " or ".join(map(str, value))
    text = value if isinstance(value, str) else json.dumps(value)
    return f"{text} (exclusive)" if word.startswith("exclusive") else text
