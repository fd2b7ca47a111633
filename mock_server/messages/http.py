"""Requests and responses as values, nothing decoded."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

JSON = "application/json"
MAX_BODY = 1024 * 1024
"""Bytes of a request body that are read; our assumption `body-size`."""

METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
"""The HTTP methods that an OpenAPI document can describe, in its order."""

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request as received.

    Attributes:
        path: Still percent-encoded, as is the query, which has no question mark.
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
    """A fault that a transport applies to the response: a key of `injected.FAULTS`; only `delay` has seconds."""

    name: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ApiReply:
    """One response: status, headers in the order to send, the bytes of the body, and the fault to apply to it."""

    status: int
    headers: Headers = ()
    body: bytes = b""
    fault: Fault | None = None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, whatever the case of its name, or None."""
        name = name.lower()
        return next((value for key, value in self.headers if key.lower() == name), None)


def phrase(status: int) -> str:
    """Return the reason phrase of a status; `Unknown` without one."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
