"""New objects: their ids and times, and what they must be."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from mock_server.contract.limits import SECOND
from mock_server.contract.objects import ObjectSchema
from mock_server.contract.schemas import violations
from mock_server.messages.pointers import pointer
from mock_server.messages.violations import Violation

TEXTS = {"from": "+1 202 555 0100", "to": "+1 202 555 0142"}
"""Texts of required members where none is given; that of another member is its name."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

_SPREAD = 0x5DEECE66D
"""An odd number: its multiples spread over all numbers of 48 bits, each reached once."""


def numbered_id(space: str, number: int) -> str:
    """Return the UUID of a running number in a space of names; equal arguments give equal ids."""
    digits = f"{_prefix(space):020x}{number * _SPREAD % 2**48:012x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


@lru_cache(maxsize=256)
def _prefix(space: str) -> int:
    return int.from_bytes(blake2b(space.encode(), digest_size=10).digest(), "big")


def timestamp(now: int) -> str:
    """Return a time, in nanoseconds since the epoch, as the vendor writes it: `2026-01-12T14:00:00Z`."""
    return _timestamp(now // SECOND)


@lru_cache(maxsize=256)
def _timestamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def identified(kind: str, object_id: str, now: int, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the members that all have: id, kind, and the times of its creation and last change."""
    time = timestamp(now)
    return {"id": object_id, "objectType": kind, "createdAt": time, "updatedAt": time, **members}


def comparable(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with its ids in lower case, in which ids are compared."""
    return {name: _comparable(name, member) for name, member in value.items()}


def _comparable(name: str, value: Any) -> Any:
    is_uuid = name.endswith(("id", "Id")) and isinstance(value, str) and _UUID.fullmatch(value)
    return value.lower() if is_uuid else value


def completed(schema: ObjectSchema, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the required members that it lacks: the first value of an enum, its own time, its name.

    An id is left out: nobody can guess which object is meant.
    """
    missing = {
        name: _sample(node, name, str(value["createdAt"]))
        for name, node in schema.members.items()
        if name in schema.required and name not in value and node.get("format") != "uuid"
    }
    return {**value, **missing}


def problems(schema: ObjectSchema, value: Mapping[str, Any], extra: Collection[str]) -> list[Violation]:
    """Return what is wrong with an object of a kind, which may also have some extra members."""
    known = dict.fromkeys((*schema.members, *extra))
    unknown = [name for name in value if name not in known]
    wanted = f"one of {', '.join(known)}"
    return [
        *(Violation("unknown-member", "body", pointer(name), f"the member {name!r}", wanted) for name in unknown),
        *violations(schema.schema, value),
    ]


def _sample(node: Mapping[str, Any], name: str, time: str) -> Any:
    if "enum" in node:
        return node["enum"][0]
    match node.get("type"):
        case "object":
            members = node.get("properties", {})
            return {one: _sample(members.get(one, {}), one, time) for one in node.get("required", ())}
        case "array":
            return []
        case "boolean":
            return False
        case "number" | "integer":
            return 0
    return time if node.get("format") == "date-time" else TEXTS.get(name, name)
