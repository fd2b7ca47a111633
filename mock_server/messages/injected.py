"""Responses and faults that a test, the page or a request asks for in place of the fake's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mock_server.messages.http import Fault, Headers

FAULTS = {
    "delay": "the response is sent late, after `seconds`",
    "connection_reset": "the connection is reset before the request is carried out",
    "truncate": "the request is carried out, and its response is cut off half way",
    "malformed_json": "the request is carried out, and the body of its response is invalid JSON",
    "html_502": "a 502 with an HTML page, as from a proxy; the request is not carried out",
    "drop_after_commit": "the request is carried out, and the connection is reset before the response",
}
"""Faults below HTTP, by name."""

BEFORE = {"connection_reset", "html_502"}
"""The faults that are applied before the request is carried out."""

RESETS = {"connection_reset", "drop_after_commit"}
"""The faults that reset the connection in place of the response."""

LOSES = RESETS | {"truncate"}
"""The faults after which no complete response arrives."""


OVERHEAD = 200
"""Bytes that an injected response occupies beside its body and headers, roughly."""


@dataclass(frozen=True, slots=True)
class Injected:
    """A response or a fault for the next requests that reach this stage.

    Attributes:
        status: None for a fault.
        retry_after: Value of Retry-After: seconds or an HTTP date; None for the time left in the window.
        body: JSON value in place of the contract's example; None for the example.
        headers: Headers of the response, in place of those with the same names; an empty value removes one. With a
            Content-Type other than JSON, a text body is sent as it is.
        operation: The `operationId` of the requests that it is for; None for any.
        size: Bytes that it occupies, roughly.
        source: Who asked for it: `queue`, `prefer` or `seed`.
    """

    status: int | None = None
    fault: Fault | None = None
    times: int = 1
    retry_after: str | None = None
    body: Any = None
    headers: Headers = ()
    operation: str | None = None
    size: int = OVERHEAD
    source: str = "queue"

    def __str__(self) -> str:
        """Return the status or the name of the fault."""
        return self.fault.name if self.fault else str(self.status)

    @property
    def comes_first(self) -> bool:
        """Whether the request is not validated or carried out."""
        return self.fault is None or self.fault.name in BEFORE
