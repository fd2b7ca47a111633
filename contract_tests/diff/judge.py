"""Judges values by the keywords of parts of a schema, without those of members and items."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import jsonschema_rs

from contract_tests.diff.schema import Part
from contract_tests.diff.wording import family

Fault = tuple[str, str]
"""What is wrong with a value: the keyword, and the name of a missing member."""


class Judge:
    """Judges values, or texts, such as those in a query."""

    def __init__(self, parts: Sequence[Part], *, text: bool = False) -> None:
        self._parts, self._text = parts, text

    def faults(self, value: Any) -> Mapping[Fault, Part]:
        """Return what is wrong with a value, each with the part that says so; empty if it is allowed."""
        found = []
        for one in _readings(value) if self._text else [value]:
            if self._validator.is_valid(one):
                return {}
            found.append(dict(map(self._fault, self._validator.iter_errors(one))))
        return min(found, key=lambda faults: (("type", "") in faults, len(faults)))

    @cached_property
    def _validator(self) -> jsonschema_rs.Draft202012Validator:
        schema: dict[str, Any] = {"allOf": [part.shallow() for part in self._parts] or [True]}
        for part in self._parts:
            schema |= part.late()
        if self._parts:
            schema["$defs"] = self._parts[0].spec.definitions([schema])
        try:
            return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as wrong:
            part = self._parts[0]
            text = str(wrong).splitlines()[0]
            raise part.spec.error(part.place, f"this schema cannot be used: {text}") from wrong

    def _fault(self, error: jsonschema_rs.ValidationError) -> tuple[Fault, Part]:
        path = [*error.schema_path, "", ""]
        inside = path[0] == "allOf"
        keyword = str(path[2] if inside else path[0])
        name = str(getattr(error.kind, "property", "")) if keyword == "required" else ""
        return (family(keyword), name), self._parts[int(path[1]) if inside else 0]


def _readings(value: Any) -> list[Any]:
    """Return what a text of a parameter may mean: itself, a number, or a truth value."""
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        parsed = json.loads(text)
    except ValueError:
        return [text]
    return [text, parsed] if isinstance(parsed, bool | int | float) else [text]
