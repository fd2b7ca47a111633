"""Differences between a value and a schema of the contract, each with its rule and where the contract states it.

Rule: "valid" is an empty list.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeGuard
from urllib.parse import quote

import jsonschema_rs

from mock_server.messages.names import nearest
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
    around = at(document, error.schema_path[:-1])
    parent: dict[str, Any] = around if isinstance(around, dict) else {}
    keyword, named = error.kind.name, parent.get(RULE_KEYWORD)
    value: Any = error.instance
    wanted: Any = parent.get(keyword)
    if named is not None:
        known = [name for way in parent.get("anyOf", ()) for name in way.get("required", ())]
        got, wanted_text = _members("only ", value, known) or _kind(value), str(parent.get("description", named))
    elif keyword == "required":
        missing = getattr(error.kind, "property", "")
        got, wanted_text = f"no {missing}", str(missing)
    elif keyword == "additionalProperties" and parent.get("properties"):
        declared = list(parent["properties"])
        unknown = {name: value[name] for name in getattr(error.kind, "unexpected", ())}
        got, wanted_text = _members("", unknown, declared) or "an unknown name", f"only {', '.join(declared)}"
    elif keyword == "oneOf" and all("title" in choice for choice in wanted):
        got, wanted_text = _members("", value) or _kind(value), "; or ".join(choice["title"] for choice in wanted)
    elif keyword == "enum":
        meant = nearest(value, filter(_is_text, wanted)) if _is_text(value) and len(value) <= _SHORT else None
        choices = ", ".join(json.dumps(choice, default=str) for choice in wanted)
        got, wanted_text = _kind(value), f"one of {choices}{_did_you_mean(meant)}"
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


_SHORT = 62
"""Characters of a list of names; each is shown whole or not at all, since half of a token is still secret."""


def _members(before: str, value: Any, known: Collection[str] = ()) -> str:
    """List the names in an object, each with what keeps it from being one of the known; empty if that is too long."""
    size = 0
    listed: list[str] = []
    for name in value if isinstance(value, dict) else ():
        size += len(name) + len(", ")
        if size > _SHORT:
            listed += ["and others"] if listed else []
            break
        listed.append(name + _note(name, value[name], known))
    return before + ", ".join(listed) if listed else ""


def _note(name: str, value: Any, known: Collection[str]) -> str:
    if name not in known:
        return _did_you_mean(nearest(name, known))
    if isinstance(value, str):
        return "" if value.strip() else " (white space)" if value else " (empty)"
    return " (null)" if value is None else ""


def _did_you_mean(name: str | None) -> str:
    return f" (did you mean {name}?)" if name else ""


def _is_text(value: Any) -> TypeGuard[str]:
    return isinstance(value, str)


def _bound(keyword: str, bound: Any) -> str:
    return f"at {'least' if keyword.startswith('min') else 'most'} {bound}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clip(text: str, length: int = 60) -> str:
    return text if len(text) <= length else text[: length - 3] + "..."
