"""The one road of every request, read top to bottom; all transports lead here.

Law 1: the order is route, authenticate, spend quota, injected response, validate, find, behave.
Law 2: nothing is stored unless everything is right.
Law 3: an answer that breaks the contract is our bug, and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mock_server.contract.contract import JSON, to_json
from mock_server.contract.schemas import violations
from mock_server.messages.errors import ApiError, BadRequest, Bug, NotImplementedByMock, RateLimited, Unauthorized
from mock_server.messages.http import ApiReply, Violation
from mock_server.pipeline.auth import authenticate
from mock_server.pipeline.decoding import decode
from mock_server.pipeline.injection import BEFORE, ERRORS, bound_answer, phrase, preferred_answer
from mock_server.pipeline.ratelimit import SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mock_server.contract.contract import Contract, Operation
    from mock_server.handlers import Handler
    from mock_server.messages.http import ApiRequest, Call, Fault
    from mock_server.messages.redaction import Redactor
    from mock_server.pipeline.auth import Caller
    from mock_server.pipeline.injection import Injected, Queue
    from mock_server.pipeline.ratelimit import Decision, Limit, RateLimiter
    from mock_server.store import Store
    from mock_server.store.seed import Token

WHY = "X-Alta-Mock-Why"
"""The header that says why a request was refused; no client can come to depend on it, the vendor has none."""

WHY_LENGTH = 300
"""Characters of its value at most."""

WITHOUT_CONTENT = {204, 205, 304}
"""Statuses whose answers have no body (RFC 9110)."""

HTML_STATUS = 502
HTML = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"
"""What a proxy answers whose server is away; no text of the vendor's."""

INJECTED_RETRY_AFTER = 60
"""Seconds that a 429 tells to wait where no limit is in force; the figure of the documented text."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the road is made of.

    Attributes:
        limits: The nested limits of each operation, widest first, each with the name of its window.
        bound: The campaigns that are bound to an answer: account and id to status.
        queue: The answers and faults that somebody asked for.
        recorded: The body of the 200 of operations whose behaviour leaves it open, by `operationId`.
        why: Whether refusals carry `X-Alta-Mock-Why`.
    """

    contract: Contract
    tokens: Mapping[str, Token]
    limiter: RateLimiter
    limits: Mapping[str, Sequence[tuple[str, Limit]]]
    bound: Mapping[tuple[str, str], int]
    queue: Queue
    store: Store
    handlers: Mapping[str, Handler]
    recorded: Mapping[str, bytes]
    redact: Redactor
    why: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and what is known of how it came about, as far as the road went.

    Attributes:
        violations: Why the request was refused, empty if it was not.
        injected: What the request was answered with because somebody asked for it.
        at: When, in nanoseconds since the epoch.
    """

    reply: ApiReply
    operation: Operation | None
    caller: Caller | None
    violations: Sequence[Violation]
    injected: Injected | None
    at: int


def answer(request: ApiRequest, parts: Parts, at: int) -> Outcome:
    """Answer one request, that came in at a time in nanoseconds since the epoch, as the vendor would.

    Raises:
        Bug: The answer would break the contract.
    """
    operation = caller = quota = injected = None
    why: Sequence[Violation] = ()
    try:
        operation, path = parts.contract.route(request.method, request.path)
        caller = authenticate(request, parts.tokens) if operation.secured else None
        quota = spend(caller, operation, parts, at)
        refuse_if_spent(quota)
        injected = injected_for(request, operation, caller, path, parts)
        if injected and comes_before(injected):
            reply = force(injected, operation, quota, parts)
        else:
            call = decode(request, operation, path, caller)
            reply = behave(call, operation, parts)
    except ApiError as error:
        why = [parts.redact.violation(violation) for violation in error.violations]
        reply = refusal(error, why, operation, parts)
    if injected and injected.fault:
        reply = spoil(reply, injected.fault)
    return Outcome(finish(reply, quota, at), operation, caller, why, injected, at)


def spend(caller: Caller | None, operation: Operation, parts: Parts, at: int) -> Decision | None:
    """Count the request against the quota of the caller's account; without an account or a limit, None."""
    return parts.limiter.spend(caller.account, parts.limits[operation.id], at) if caller else None


def refuse_if_spent(quota: Decision | None) -> None:
    """Let nobody pass whose quota is used up."""
    if quota and not quota.allowed:
        limit = quota.limit
        got = f"request {limit.requests + 1} or later within {limit.seconds} s"
        raise RateLimited(
            Violation("rate-limit", "header", "/authorization", got, f"at most {limit}; retry in {quota.reset} s")
        )


def injected_for(
    request: ApiRequest, operation: Operation, caller: Caller | None, path: Mapping[str, str], parts: Parts
) -> Injected | None:
    """Return what a request is to be answered with: by itself, by its campaign, or by the queue; mostly None."""
    return (
        preferred_answer(request, operation)
        or (bound_answer(caller, path, parts.bound) if caller else None)
        or parts.queue.take()
    )


def comes_before(injected: Injected) -> bool:
    """Tell whether the request is not even looked at."""
    return injected.fault is None or injected.fault.name in BEFORE


def force(injected: Injected, operation: Operation, quota: Decision | None, parts: Parts) -> ApiReply:
    """Answer what was asked for: the contract's body of the status, unless another was given."""
    status = injected.status or HTML_STATUS
    headers: list[tuple[str, str]] = [("Content-Type", JSON)]
    if injected.source == "prefer":
        headers.append(("Preference-Applied", f"code={status}"))
    wait = injected.retry_after
    if wait is None and status == RateLimited.status:
        wait = str(quota.reset if quota else INJECTED_RETRY_AFTER)
    if wait is not None:
        headers.append(("Retry-After", wait))
    if status == Unauthorized.status:
        headers.append(("WWW-Authenticate", "Bearer"))
    if parts.why and status >= BadRequest.status:
        headers.append((WHY, f"injected {status}: asked for by {injected.source}"))
    given = {name.lower() for name, _ in injected.headers}
    kept = [(name, value) for name, value in headers if name.lower() not in given]
    headers = [*kept, *((name, value) for name, value in injected.headers if value)]
    if status in WITHOUT_CONTENT:
        return ApiReply(status, tuple(pair for pair in headers if pair[0].lower() != "content-type"))
    return ApiReply(status, tuple(headers), injected_body(injected, status, operation, parts))


def injected_body(injected: Injected, status: int, operation: Operation, parts: Parts) -> bytes:
    """Return the body of a injected response."""
    if injected.body is not None:
        types = [value for name, value in injected.headers if name.lower() == "content-type"]
        as_it_is = isinstance(injected.body, str) and types and JSON not in types[0].lower()
        return str(injected.body).encode(errors="replace") if as_it_is else to_json(injected.body)
    if status in operation.examples:
        return operation.examples[status]
    if status in ERRORS:
        return parts.contract.error_body(ERRORS[status], operation)
    if status < BadRequest.status:
        return parts.recorded[operation.id]
    return to_json({"error": phrase(status).replace(" ", ""), "message": phrase(status)})


def spoil(reply: ApiReply, fault: Fault) -> ApiReply:
    """Make of an answer what a fault makes of it; what a transport must do stands in `ApiReply.fault`."""
    if fault.name == "html_502":
        return ApiReply(HTML_STATUS, (("Content-Type", "text/html"),), HTML)
    if fault.name == "malformed_json":
        return ApiReply(reply.status, reply.headers, b'{"data": [')
    return replace(reply, fault=fault)


def behave(call: Call, operation: Operation, parts: Parts) -> ApiReply:
    """Do what the operation does, and answer."""
    behaviour = parts.handlers.get(operation.id)
    if behaviour is None:
        got = f"the operation {operation.id}"
        raise NotImplementedByMock(Violation("not-implemented", "path", "", got, "one that alta-mock implements"))
    value = behaviour(call, parts.store)
    body = parts.recorded[operation.id] if value is None else faithful(operation, value)
    return ApiReply(200, (("Content-Type", JSON),), body)


def faithful(operation: Operation, value: Any) -> bytes:
    """Return the body of a 200 that a behaviour made, if the contract agrees with it."""
    schema = operation.responses[200]
    wrong = violations(schema, value) if schema else []
    if wrong:
        raise Bug(f"the 200 of {operation.id} breaks the contract: {wrong[0]}")
    return to_json(value)


def refusal(error: ApiError, why: Sequence[Violation], operation: Operation | None, parts: Parts) -> ApiReply:
    """Make the vendor's answer of a refusal, to the letter, and say why where no client can depend on it."""
    headers = [("Content-Type", JSON), *error.headers]
    if parts.why and why:
        headers.append((WHY, _why(why)))
    return ApiReply(error.status, tuple(headers), parts.contract.error_body(type(error), operation))


def finish(reply: ApiReply, quota: Decision | None, at: int) -> ApiReply:
    """Add what every answer carries: the date of the fake's clock, and the quota if the request was counted."""
    limits = quota.headers() if quota else ()
    return replace(reply, headers=(("Date", _date(at // SECOND)), *limits, *reply.headers))


def _why(found: Sequence[Violation]) -> str:
    more = f" (+{len(found) - 1} more)" if len(found) > 1 else ""
    text = str(found[0]).encode("unicode_escape").decode("ascii")  # one line of ASCII, whatever was sent
    room = WHY_LENGTH - len(more)
    return (text if len(text) <= room else text[: room - 3] + "...") + more


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
