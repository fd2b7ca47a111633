"""Differences between a value and a schema of the contract, each with its rule and where the contract states it.

Rule: "valid" is an empty list.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import jsonschema_rs

from mock_server.messages.pointers import Place, at, pointer
from mock_server.messages.violations import Violation

RULE_KEYWORD = "x-alta-rule"
"""Names, in a schema of the overlay, the rule that its keywords express together."""

_URN = "urn:alta-mock:contract"


@dataclass(frozen=True, slots=True)
class Schema:
    """One compiled schema, with its document for the names of its rules."""

    validator: jsonschema_rs.Draft202012Validator
    document: Any

    def allows(self, value: Any) -> bool:
        """Return whether a value has no violations; in less time than they take to list."""
        return self.validator.is_valid(value)


class Schemas:
    """The schemas of one document, compiled on demand, `$ref` resolved within the document."""

    def __init__(self, document: Any) -> None:
        self._document = document
        self._registry = jsonschema_rs.Registry([(_URN, document)])

    def at(self, *parts: str | int) -> Schema:
        """Compile the schema at these keys and indices of the document.

        Raises:
            ValueError: It is not a JSON Schema of draft 2020-12, or a reference cannot be resolved.
        """
        reference = {"$ref": f"{_URN}#{quote(pointer(*parts), safe='/~')}"}
        try:
            validator = jsonschema_rs.Draft202012Validator(reference, registry=self._registry, validate_formats=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            raise ValueError(str(error).splitlines()[0]) from error
        return Schema(validator, self._document)


def violations(schema: Schema, value: Any, place: str = "body", within: Place = ()) -> list[Violation]:
    """Return every difference between a value and a schema; the time grows with their number.

    Args:
        schema: The schema.
        value: Parsed JSON, without lone surrogates.
        place: The part of the request that the value is from.
        within: Its place in that part.
    """
    return [_violation(schema.document, error, place, within) for error in schema.validator.iter_errors(value)]


def first_violation(schema: Schema, value: Any) -> list[Violation]:
    """Return at most one difference between a body and a schema, in a time that does not grow with their number."""
    try:
        schema.validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return [_violation(schema.document, error, "body", ())]
    return []


def _violation(document: Any, error: jsonschema_rs.ValidationError, place: str, within: Place) -> Violation:
    keyword = error.kind.name
    parent = at(document, error.schema_path[:-1])
    named = parent.get(RULE_KEYWORD) if isinstance(parent, dict) else None
    wanted = parent.get(keyword) if isinstance(parent, dict) else None
    value: Any = error.instance
    if named is not None:
        got, wanted_text = _keys(value), str(parent.get("description", named))
    elif keyword == "required":
        missing = getattr(error.kind, "property", "")
        got, wanted_text = f"no {missing}", str(missing)
    elif keyword in {"minLength", "maxLength"}:
        got, wanted_text = _count(len(value), "character"), _bound(keyword, wanted)
    elif keyword in {"minItems", "maxItems"}:
        got, wanted_text = _count(len(value), "item"), _bound(keyword, wanted)
    elif keyword == "type":
        got, wanted_text = _kind(value), " or ".join(wanted) if isinstance(wanted, list) else str(wanted)
    elif keyword == "falseSchema":
        got, wanted_text = _kind(value), "nothing"
    else:
        got, wanted_text = _kind(value), f"{keyword} {_clip(json.dumps(wanted, default=str))}"
    where = pointer(*within, *error.instance_path)
    return Violation(named or keyword, place, where, got, wanted_text, tuple(error.schema_path))


def _kind(value: Any) -> str:
    """Describe a value without repeating a text, which may be private or long."""
    match value:
        case None | bool():
            return json.dumps(value)
        case str():
            return f"a string of {_count(len(value), 'character')}"
        case list():
            return f"an array of {_count(len(value), 'item')}"
        case dict():
            return f"an object of {_count(len(value), 'member')}"
    return f"the number {_clip(str(value))}"


_SHORT = 60
"""Characters of a list of names; each is shown whole or not at all, since half of a token is still secret."""


def _keys(value: Any) -> str:
    if not isinstance(value, dict) or not value:
        return _kind(value)
    shown: list[str] = []
    for name in map(str, value):
        if len(", ".join([*shown, name])) > _SHORT:
            return f"only {', '.join([*shown, 'and others'])}" if shown else _kind(value)
        shown.append(name)
    return f"only {', '.join(shown)}"


def _bound(keyword: str, bound: Any) -> str:
    return f"at {'least' if keyword.startswith('min') else 'most'} {bound}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clip(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
