"""Answers and faults that somebody asked for, whatever the request says.

A request is injected by itself (`Prefer: code=429`), by its campaign (bound to an answer in the seed), or by the queue
that a test fills; in this order, and a request that is injected otherwise takes nothing from the queue.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from mock_server.messages.errors import BadRequest, MockError, api_errors
from mock_server.messages.http import Fault, Violation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mock_server.contract.contract import Operation
    from mock_server.messages.http import ApiRequest, Headers
    from mock_server.pipeline.auth import Caller

ERRORS = {error.status: error for error in api_errors()}
"""The refusals there are, by status."""

FAULTS = {
    "delay": "the answer comes late, after `seconds`",
    "reset": "the connection is reset, and nothing was done",
    "truncate": "the request is carried out, and its answer breaks off half way",
    "malformed_json": "the request is carried out, and the body of its answer is no JSON",
    "html_502": "a 502 with a page of HTML, as from a proxy, and nothing was done",
    "drop_after_commit": "the request is carried out, and the connection is reset instead of an answer",
}
"""Faults below HTTP, by name."""

BEFORE = {"reset", "html_502"}
"""The faults that strike before the request is carried out."""

MOST_TIMES = 1_000_000
MOST_SECONDS = 3600
MOST_WAIT = 10**9

FRAMING = ("connection", "content-length", "transfer-encoding")
"""Headers that say where an answer ends, which is the server's business."""

_HEADER_NAME = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_PREFER = re.compile(r"(?:^|[,;])\s*code\s*=\s*\"?([^\",;\s]*)\"?", re.IGNORECASE)
_HEADER_TEXT = re.compile("[!-~](?:[ -~]{0,62}[!-~])?")


@dataclass(frozen=True, slots=True)
class Injected:
    """An answer, or a fault, for the next requests that get as far.

    Attributes:
        status: The status to answer; None for a fault.
        fault: The fault to suffer; None for a status.
        times: How many requests more.
        retry_after: What a 429 or 503 tells to wait, in seconds or as an HTTP date; None for the window's own.
        body: The JSON value to answer in place of the contract's example; None for that.
        headers: Headers of the answer, in place of its own of the same names; an empty text is for none. With a
            Content-Type that is not JSON a body that is a text is sent as it is.
        source: Who asked for it: `queue`, `prefer` or `campaign`.
    """

    status: int | None = None
    fault: Fault | None = None
    times: int = 1
    retry_after: str | None = None
    body: Any = None
    headers: Headers = ()
    source: str = "queue"

    def __str__(self) -> str:
        """Name it as it was asked for."""
        return self.fault.name if self.fault else str(self.status)


class Queue:
    """What was asked for and has not come yet, first in, first out; safe to use from many threads."""

    def __init__(self) -> None:
        self._waiting: list[Injected] = []
        self._lock = threading.Lock()

    def put(self, injected: Injected) -> None:
        """Add an answer or a fault behind those that wait."""
        with self._lock:
            self._waiting.append(injected)

    def take(self) -> Injected | None:
        """Take what is due now, None if nothing waits."""
        if not self._waiting:
            return None
        with self._lock:
            if not self._waiting:
                return None
            first = self._waiting[0]
            if first.times > 1:
                self._waiting[0] = replace(first, times=first.times - 1)
            else:
                del self._waiting[0]
            return first

    def waiting(self) -> list[Injected]:
        """Return what waits, first to come first."""
        with self._lock:
            return list(self._waiting)

    def clear(self) -> None:
        """Forget what waits."""
        with self._lock:
            self._waiting.clear()


def injected_response(  # noqa: PLR0913 - the first two say what, the others how
    status: int,
    documented: Sequence[int],
    *,
    times: int = 1,
    retry_after: float | str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    allow_undocumented: bool = False,
) -> Injected:
    """Make a injected response.

    Raises:
        MockError: The status is not documented and that was not allowed, is no status, or a number is out of bounds.
    """
    if not allow_undocumented and status not in documented:
        listed = ", ".join(map(str, documented))
        raise MockError(f"{status} is not documented; choose one of {listed}, or allow_undocumented")
    if type(status) is not int or not 200 <= status <= 599:  # noqa: PLR2004 - HTTP's own bounds
        raise MockError(f"{status!r} is no status; give 200 to 599")
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise MockError(f"the body {body!r} is no JSON: {error}") from error
    return Injected(
        status=status, times=_times(times), retry_after=_wait(retry_after), body=body, headers=_headers(headers or {})
    )


def _headers(headers: Mapping[str, str]) -> Headers:
    """Return headers as pairs, if an answer can have them."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(str(name)) or name.lower() in FRAMING:
            raise MockError(f"the header {name!r} is not possible; give a name that is not one of {', '.join(FRAMING)}")
        if type(value) is not str or not re.fullmatch("[ -~]*", value):
            raise MockError(f"the value {value!r} of the header {name} is not possible; give printable ASCII")
    return tuple(headers.items())


def _wait(retry_after: float | str | None) -> str | None:
    """Return the value of Retry-After: whole seconds, or a text, which may be anything that a header can hold."""
    if retry_after is None or (isinstance(retry_after, str) and _HEADER_TEXT.fullmatch(retry_after)):
        return retry_after
    if isinstance(retry_after, int | float) and 0 <= retry_after < MOST_WAIT and float(retry_after).is_integer():
        return str(int(retry_after))
    raise MockError(f"retry_after={retry_after!r} is not possible; give whole seconds from 0, or an HTTP date")


def injected_fault(name: str, *, times: int = 1, seconds: float = 1.0) -> Injected:
    """Make a injected fault; `seconds` are those of a delay.

    Raises:
        MockError: There is no such fault, or a number is out of bounds.
    """
    if type(name) is not str or name not in FAULTS:
        raise MockError(f"there is no fault {name!r}; there are {', '.join(FAULTS)}")
    if type(seconds) not in {int, float} or not 0 <= seconds <= MOST_SECONDS:
        raise MockError(f"a delay of {seconds!r} seconds is not possible; give 0 to {MOST_SECONDS}")
    return Injected(fault=Fault(name, seconds if name == "delay" else 0.0), times=_times(times))


def _times(times: int) -> int:
    if type(times) is not int or not 1 <= times <= MOST_TIMES:
        raise MockError(f"times={times!r} is not possible; give 1 to {MOST_TIMES}")
    return times


def preferred_answer(request: ApiRequest, operation: Operation) -> Injected | None:
    """Return the answer that a request prefers by `Prefer: code=…` (RFC 7240), None if it prefers none.

    Raises:
        BadRequest: It prefers a code that the contract does not have.
    """
    codes = [code for value in request.all("prefer") for code in _PREFER.findall(value)]
    return _preferred(codes[0], operation) if codes else None


def bound_answer(caller: Caller, path: Mapping[str, str], bound: Mapping[tuple[str, str], int]) -> Injected | None:
    """Return the answer that the seed binds the request's resource to, None if it is an ordinary one."""
    for value in path.values():
        status = bound.get((caller.account, value.lower()))
        if status:
            return Injected(status=status, source="campaign")
    return None


def _preferred(code: str, operation: Operation) -> Injected:
    if code not in map(str, operation.responses):
        wish = "code=" + " or ".join(map(str, operation.responses))
        raise BadRequest(Violation("prefer", "header", "/prefer", "a code that is not documented", wish))
    return Injected(status=int(code), source="prefer")


def phrase(status: int) -> str:
    """Return the reason phrase of a status, `Unknown` for one without."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
