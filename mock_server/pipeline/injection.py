"""Responses and faults that somebody asked for, whatever the request says.

They are requested by the request itself (`Prefer: code=429`), by the object it names (bound to a status in the seed),
or by the queue that a test fills; in this order, and the first takes nothing from the next.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

from mock_server.contract.contract import Contract
from mock_server.contract.operation import Operation
from mock_server.messages.call import Caller
from mock_server.messages.errors import BadRequest, MockError, Unauthorized, api_errors
from mock_server.messages.http import JSON, ApiReply, ApiRequest, Fault, Headers, phrase
from mock_server.messages.injected import FAULTS, OVERHEAD, Injected
from mock_server.messages.json_text import to_json
from mock_server.messages.violations import Violation
from mock_server.pipeline.clock import seconds_of

ERRORS = {error.status: error for error in api_errors()}
"""The errors of the API, by status."""

MOST_TIMES = 1_000_000
MOST_SECONDS = 3600
MOST_WAIT = 10**9
FRAMING = ("connection", "content-length", "transfer-encoding")
"""Headers that say where a response ends, which the server sets."""

WITHOUT_CONTENT = {204, 205, 304}
"""Statuses of responses without a body (RFC 9110)."""

DEFAULT_RETRY_AFTER = 60
"""Seconds in an injected 429 where no limit is in force; the number of the documented message."""

HTML_502 = ApiReply(
    502,
    (("Content-Type", "text/html"),),
    b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n",
)
"""The response of a proxy whose server does not answer; the text is not the vendor's."""

_HEADER_NAME = re.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_PREFER = re.compile(r"(?:^|[,;])\s*code\s*=\s*\"?([^\",;\s]*)\"?", re.IGNORECASE)
_HEADER_TEXT = re.compile("[!-~](?:[ -~]{0,62}[!-~])?")


def injected_response(  # noqa: PLR0913 - the first two say what, the others how
    status: int,
    documented: Collection[int],
    *,
    times: int = 1,
    retry_after: float | timedelta | str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    allow_undocumented: bool = False,
) -> Injected:
    """Return a response to inject; raise MockError if a value, or a status that is not documented, is not allowed."""
    number = _whole(status)
    if not allow_undocumented and number not in documented:
        listed = ", ".join(map(str, sorted(documented)))
        raise MockError(
            f"{status if number is None else number} is not documented; choose one of {listed}, or allow_undocumented"
        )
    if number is None or not 200 <= number <= 599:  # noqa: PLR2004 - HTTP's own bounds
        raise MockError(f"{status!r} is not a valid status; choose 200 to 599")
    try:
        size = len(json.dumps(body, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise MockError(f"the body {body!r} is not a JSON value: {error}") from error
    pairs = _headers(headers or {})
    return Injected(
        status=number,
        times=_times(times),
        retry_after=_wait(retry_after),
        body=body,
        headers=pairs,
        size=OVERHEAD + size + sum(map(len, chain.from_iterable(pairs))),
    )


def injected_fault(name: str, *, times: int = 1, seconds: float | timedelta = 1.0) -> Injected:
    """Return a fault to inject, with the seconds of a delay; raise MockError if a value is not allowed."""
    if str(name) not in FAULTS:
        raise MockError(f"unknown fault {name!r}; choose one of {', '.join(FAULTS)}")
    delay = seconds_of(seconds)
    if delay is None or not 0 <= delay <= MOST_SECONDS:
        raise MockError(f"seconds={seconds!r} is out of bounds; choose 0 to {MOST_SECONDS}")
    return Injected(fault=Fault(str(name), delay if name == "delay" else 0.0), times=_times(times))


def requested(
    request: ApiRequest,
    operation: Operation,
    caller: Caller,
    path: Mapping[str, str],
    bound: Mapping[tuple[str, str], int],
) -> Injected | None:
    """Return what a request asks for by `Prefer: code=…` (RFC 7240), or by the object it names; mostly None.

    Raises BadRequest if it prefers a status that the contract does not document.
    """
    codes = [code for value in request.all("prefer") for code in _PREFER.findall(value)]
    if codes:
        if codes[0] not in map(str, operation.responses):
            wanted = "code=" + " or ".join(map(str, operation.responses))
            raise BadRequest(Violation("prefer", "header", "/prefer", "a status that is not documented", wanted))
        return Injected(status=int(codes[0]), source="prefer")
    statuses = (bound.get((caller.account, value.lower())) for value in path.values())
    return next((Injected(status=status, source="seed") for status in statuses if status), None)


def injected_reply(injected: Injected, operation: Operation, contract: Contract, recorded: bytes) -> ApiReply:
    """Return an injected response: the contract's body of the status, unless another was given."""
    if injected.status is None:
        return HTML_502
    status, wait = injected.status, injected.retry_after
    headers: list[tuple[str, str]] = [] if status in WITHOUT_CONTENT else [("Content-Type", JSON)]
    if injected.source == "prefer":
        headers.append(("Preference-Applied", f"code={status}"))
    if wait is not None:
        headers.append(("Retry-After", wait))
    if status == Unauthorized.status:
        headers.append(("WWW-Authenticate", "Bearer"))
    replaced = {name.lower() for name, _ in injected.headers}
    headers = [pair for pair in headers if pair[0].lower() not in replaced]
    headers += [(name, value) for name, value in injected.headers if value]
    body = b"" if status in WITHOUT_CONTENT else _body(injected, status, operation, contract, recorded)
    return ApiReply(status, tuple(headers), body)


def apply_fault(reply: ApiReply, fault: Fault) -> ApiReply:
    """Apply a fault to the response; what only a transport can do is left to it, in `ApiReply.fault`."""
    if fault.name == "html_502":
        return HTML_502
    if fault.name == "malformed_json":
        return ApiReply(reply.status, reply.headers, b'{"data": [')
    return replace(reply, fault=fault)


def _body(injected: Injected, status: int, operation: Operation, contract: Contract, recorded: bytes) -> bytes:
    if injected.body is not None:
        types = [value for name, value in injected.headers if name.lower() == "content-type"]
        as_it_is = isinstance(injected.body, str) and types and JSON not in types[0].lower()
        return str(injected.body).encode(errors="replace") if as_it_is else to_json(injected.body)
    if status == operation.success:
        return recorded
    if status in operation.examples:
        return operation.examples[status]
    if status in ERRORS:
        return contract.error_body(ERRORS[status], operation)
    if status < BadRequest.status:
        return recorded
    return to_json({"error": phrase(status).replace(" ", ""), "message": phrase(status)})


def _headers(headers: Mapping[str, Any]) -> Headers:
    """Return headers as pairs, if a response can have them."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(str(name)) or name.lower() in FRAMING:
            raise MockError(f"{name!r} is not a valid header name; choose one that is not {', '.join(FRAMING)}")
        if not isinstance(value, str) or not re.fullmatch("[ -~]*", value):
            raise MockError(f"{value!r} is not a valid value of the header {name}; use printable ASCII")
    return tuple(headers.items())


def _wait(retry_after: float | timedelta | str | None) -> str | None:
    """Return the value of Retry-After: whole seconds, or any text that a header can hold."""
    if retry_after is None:
        return None
    if isinstance(retry_after, str) and _HEADER_TEXT.fullmatch(retry_after):
        return str(retry_after)
    seconds = seconds_of(retry_after)
    if seconds is not None and 0 <= seconds < MOST_WAIT and seconds.is_integer():
        return str(int(seconds))
    raise MockError(f"retry_after={retry_after!r} is not valid; use whole seconds from 0, or an HTTP date")


def _times(times: int) -> int:
    number = _whole(times)
    if number is None or not 1 <= number <= MOST_TIMES:
        raise MockError(f"times={times!r} is out of bounds; choose 1 to {MOST_TIMES}")
    return number


def _whole(value: object) -> int | None:
    """Return a whole number as an int, also an HTTPStatus or 401.0; None for anything else, a bool too."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None
