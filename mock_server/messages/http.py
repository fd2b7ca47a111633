"""What goes in and comes out of the road: one request, one reply, and why a request was refused.

Law of this module: values only. No socket, no framework, no clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_server.messages.pointers import Place

MAX_BODY = 1024 * 1024
"""Bytes of a request body that are read; our assumption `body-size`."""

METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
"""The methods of HTTP that an OpenAPI document can describe, in its order."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request as it came in, nothing decoded.

    Attributes:
        method: As sent, upper case by convention of HTTP.
        path: The raw path of the request target: still percent-encoded, without the query.
        query: The raw query without its question mark, empty if there is none.
        headers: Pairs in the order sent, names in lower case, values read as Latin-1.
        body: The bytes as sent; None for more than `MAX_BODY`, which a transport need not read.
    """

    method: str
    path: str
    query: str = ""
    headers: Headers = ()
    body: bytes | None = b""

    def all(self, name: str) -> list[str]:
        """Return every value of a header, by its lower-case name."""
        return [value for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class Fault:
    """Trouble below HTTP that a transport is to make: see `injected.FAULTS`.

    Attributes:
        seconds: How late the answer comes; of a delay only.
    """

    name: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiReply:
    """One answer: status, headers in the order to send, the bytes of the body, and what is to go wrong with it."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    fault: Fault | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever the case of its name, or None."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), None)


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference between a request and the contract: what was got, what was wanted, where.

    Attributes:
        rule: The JSON Schema keyword, or the name of a rule that has none.
        place: The part of the request: `path`, `query`, `header` or `body`.
        pointer: RFC 6901, into that part; for the others than `body`, `/` and the name.
        got: A short account of what was sent, safe to show: no long text, no token.
        wanted: What would have been right.
        source: Where in the effective contract the rule stands, empty if it is not from there.
    """

    rule: str
    place: str
    pointer: str
    got: str
    wanted: str
    source: Place = field(default=(), compare=False)

    def __str__(self) -> str:
        """Say it in one line, the form of the log and of `X-Alta-Mock-Why`."""
        where = self.pointer if self.pointer and self.place == "body" else self.place + self.pointer
        return f"{self.rule} {where}: got {self.got}; wanted {self.wanted}"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that keeps the contract, decoded: what a behaviour acts on.

    Attributes:
        account: The id of the caller's account, empty if the operation needs no token.
        permissions: What the caller's user may do.
        path: The path parameters.
        query: The query parameters that the contract names.
        body: The parsed JSON of the body, None without one.
        raw: The bytes of the body.
    """

    account: str
    permissions: frozenset[str]
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    body: Any
    raw: bytes
