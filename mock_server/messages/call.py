"""A valid request, decoded, and who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Caller:
    """A user in one of the accounts they can access."""

    user: str
    account: str
    permissions: frozenset[str]


ANYBODY = Caller("", "", frozenset())
"""The caller of an operation that needs no token."""


@dataclass(frozen=True, slots=True)
class Call:
    """What a handler acts on: declared parameters, defaults applied; the parsed body, None without one; its bytes.

    `defaults` names the query parameters that were not sent.
    """

    path: dict[str, Any]
    query: Mapping[str, Any]
    body: Any
    raw: bytes
    defaults: frozenset[str] = frozenset()
