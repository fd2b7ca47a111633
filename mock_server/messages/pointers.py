"""JSON Pointers (RFC 6901) and the places in a JSON value that they name, as keys and indices."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Place = tuple[str | int, ...]
"""Keys and indices from the root of a value to a part of it."""


def pointer(*place: str | int) -> str:
    """Return the JSON Pointer of a place."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)


def place(text: str, value: Any) -> Place:
    """Return the place in a value that a JSON Pointer names; raise LookupError if it has none."""
    return _walk(parts_of(text), value)[0]


def parts_of(text: str) -> list[str]:
    """Return the keys and indices of a JSON Pointer, as texts."""
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def at(value: Any, parts: Iterable[str | int]) -> Any:
    """Return the part of a value at a place, or raise LookupError; indices may be texts, and keys may be numbers."""
    return _walk(parts, value)[1]


def _walk(parts: Iterable[str | int], value: Any) -> tuple[Place, Any]:
    walked: list[str | int] = []
    for part in parts:
        key: str | int = str(part)
        if isinstance(value, list):
            if not str(part).isdecimal():
                raise LookupError(part)
            key = int(part)
        elif not isinstance(value, dict):
            raise LookupError(part)  # noqa: TRY004 - no such place, whatever stands there instead
        value = value[key]
        walked.append(key)
    return tuple(walked), value
