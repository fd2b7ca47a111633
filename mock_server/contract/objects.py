"""The kinds of objects of a contract: each schema whose `objectType` allows one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mock_server.contract.schemas import Schema


@dataclass(frozen=True, slots=True)
class ObjectSchema:
    """One kind of object.

    Attributes:
        kind: Its `objectType`.
        schema: What every object of the kind is held against.
        members: The schema of each declared member, `allOf` and references resolved.
    """

    kind: str
    schema: Schema
    members: Mapping[str, Any]
    required: frozenset[str]

    def shown(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """Return an object with its declared members only; a fake keeps others, such as whether a message was read."""
        return {name: member for name, member in value.items() if name in self.members}
