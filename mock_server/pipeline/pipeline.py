"""What happens to every request, from top to bottom; every transport calls `answer`.

Rule 1: the order is route, authenticate, spend quota, inject, validate, find, check the permission, handle.
Rule 2: a refused request changes nothing but its quota; a handler that raises changes nothing.
Rule 3: a response that breaks the contract is a bug of the fake, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from mock_server.contract.contract import Contract
from mock_server.contract.limits import SECOND
from mock_server.contract.operation import Operation
from mock_server.contract.schemas import violations
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.messages.call import ANYBODY, Call, Caller
from mock_server.messages.errors import (
    ApiError,
    BadRequest,
    Bug,
    Forbidden,
    NotFound,
    NotImplementedByMock,
    RateLimited,
)
from mock_server.messages.http import JSON, ApiReply, ApiRequest, Headers
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import to_json
from mock_server.messages.outcome import Outcome
from mock_server.messages.redaction import Redactor
from mock_server.messages.violations import Violation
from mock_server.pipeline.auth import authenticate
from mock_server.pipeline.decoding import decode
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import apply_fault, injected_reply, requested
from mock_server.pipeline.ratelimit import Decision, Limits
from mock_server.store.base import NO_ACCOUNT, Store, Transaction
from mock_server.store.seed import Seed

WHY = "X-Alta-Mock-Why"
"""The header that says why a request was refused; the vendor has no such header, so no client depends on it."""

WHY_LENGTH = 300
"""Maximum number of characters of its value."""


@dataclass(frozen=True, slots=True)
class Engine:
    """The parts of the pipeline, some of them by `operationId`; with `why`, refusals carry `X-Alta-Mock-Why`.

    `recorded` is the body of a success whose content is not documented; `visible_after`, in nanoseconds, is the time
    until an added prospect is in lists.
    """

    contract: Contract
    seed: Seed
    store: Store
    handlers: Mapping[str, Handler]
    limits: Mapping[str, Limits]
    recorded: Mapping[str, bytes]
    redact: Redactor
    why: bool
    hooks: Hooks
    visible_after: int = 0

    def context(self, caller: Caller, now: int, transaction: Transaction) -> Context:
        """Return what a handler gets."""
        return Context(caller, now, transaction, self.contract.objects, self.visible_after)


@dataclass(slots=True)
class Identified:
    """Which operation a request is for and who sent it, as far as that is known; `error` if the request is refused."""

    operation: Operation | None = None
    path: Mapping[str, str] | None = None
    caller: Caller | None = None
    error: ApiError | None = None


def answer(request: ApiRequest, engine: Engine, now: int, transport: str) -> Outcome:
    """Answer one request, received at a time in nanoseconds since the epoch, as the vendor would, and record it.

    Raises Bug if the response would break the contract.
    """
    identified = identify(request, engine)
    account = identified.caller.account if identified.caller else NO_ACCOUNT
    with engine.store.transaction(account) as transaction:
        outcome = process(request, identified, transaction, engine, now)
        transaction.record(transport, request, outcome)
    return outcome


def identify(request: ApiRequest, engine: Engine) -> Identified:
    """Route and authenticate a request."""
    operation = path = None
    try:
        operation, path = engine.contract.route(request.method, request.path)
        caller = authenticate(request, engine.seed.tokens) if operation.secured else ANYBODY
    except ApiError as error:
        return Identified(operation, path, error=error)
    return Identified(operation, path, caller)


def process(request: ApiRequest, identified: Identified, transaction: Transaction, engine: Engine, now: int) -> Outcome:
    """Take a request through the stages that follow, up to its response."""
    operation, path, caller = identified.operation, identified.path, identified.caller
    quota = injected = None
    violated: tuple[Violation, ...] = ()
    try:
        if identified.error or not (operation and path is not None and caller):
            raise identified.error or NotFound
        quota = engine.hooks.spend(transaction, caller, engine.limits[operation.id], now) if operation.secured else None
        require_quota(quota)
        injected = requested(request, operation, caller, path, engine.seed.bound) or engine.hooks.inject(
            transaction, operation.id
        )
        if injected and injected.comes_first:
            reply = inject(injected, operation, quota, engine)
        else:
            call = decode(request, operation, path)
            reply = handle(call, operation, engine.context(caller, now, transaction), engine)
    except ApiError as error:
        violated = tuple(engine.redact.violation(violation) for violation in error.violations)
        reply = refusal(error, violated, operation, engine)
    if injected and injected.fault:
        reply = apply_fault(reply, injected.fault)
    reply = finished(reply, quota, now, injected)
    return Outcome(reply, operation.id if operation else None, caller, violated, injected, now)


def require_quota(quota: Decision | None) -> None:
    """Raise RateLimited if the quota is exhausted."""
    if quota and not quota.allowed:
        limit = quota.limit
        got = f"request {limit.requests + 1} or later within {limit.seconds} s"
        wanted = f"at most {limit}; retry in {quota.reset} s"
        raise RateLimited(Violation("rate-limit", "header", "/authorization", got, wanted))


def inject(injected: Injected, operation: Operation, quota: Decision | None, engine: Engine) -> ApiReply:
    """Return an injected response, with the reason in a header if it is an error."""
    reply = injected_reply(injected, operation, quota, engine.contract, engine.recorded[operation.id])
    if reply.status < BadRequest.status:
        return reply
    why = explanation(f"injected {reply.status}: requested by {injected.source}", engine)
    return replace(reply, headers=(*reply.headers, *why))


def handle(call: Call, operation: Operation, context: Context, engine: Engine) -> ApiReply:
    """Find the object that the path names, check the permission, and call the handler."""
    handler = engine.handlers.get(operation.id)
    if handler is None:
        got = f"the operation {operation.id}"
        raise NotImplementedByMock(Violation("not-implemented", "path", "", got, "one that alta-mock implements"))
    if handler.prepare:
        handler.prepare(context)
    if handler.finds:
        context.found = find(handler.finds, call, context.transaction)
    if handler.permission and handler.permission not in context.caller.permissions:
        got = "a user without this permission"
        raise Forbidden(Violation("permission", "header", "/authorization", got, handler.permission))
    with context.transaction.savepoint():
        return checked(handler.function(call, context), operation, engine.recorded[operation.id])


def find(kind: str, call: Call, transaction: Transaction) -> Mapping[str, Any]:
    """Return the object that the last path parameter names, or raise NotFound; case does not matter (RFC 9562)."""
    name, value = next(reversed(call.path.items()))
    found = transaction.get(kind, value.lower())
    if found is None:
        noun = kind.replace("_", " ")
        got = f"an id that no {noun} of the account has"
        raise NotFound(Violation("object-unknown", "path", f"/{name}", got, f"the id of a {noun}"))
    return found


def checked(result: Result, operation: Operation, recorded: bytes) -> ApiReply:
    """Return the response of a handler; raise Bug if it breaks the contract."""
    status = operation.success if result.status is None else result.status
    if isinstance(result.body, bytes) or result.body is None:
        return ApiReply(status, (("Content-Type", JSON),), recorded if result.body is None else result.body)
    schema = operation.responses.get(status)
    if schema and (wrong := violations(schema, result.body)):
        raise Bug(f"the {status} of {operation.id} breaks the contract: {wrong[0]}")
    return ApiReply(status, (("Content-Type", JSON),), to_json(result.body))


def refusal(error: ApiError, why: Sequence[Violation], operation: Operation | None, engine: Engine) -> ApiReply:
    """Return the vendor's response for an error."""
    more = f" (+{len(why) - 1} more)" if len(why) > 1 else ""
    explained = explanation(str(why[0]), engine, more) if why else ()
    headers = (("Content-Type", JSON), *error.headers, *explained)
    return ApiReply(error.status, headers, engine.contract.error_body(type(error), operation))


def explanation(why: str, engine: Engine, more: str = "") -> Headers:
    """Return the header that says why a request was refused, unless it is turned off."""
    text = why.encode("unicode_escape").decode("ascii")  # one line of ASCII, whatever was sent
    room = WHY_LENGTH - len(more)
    text = text if len(text) <= room else text[: room - 3] + "..."
    return ((WHY, text + more),) if engine.why else ()


def finished(reply: ApiReply, quota: Decision | None, now: int, injected: Injected | None) -> ApiReply:
    """Add the date, and the quota if the request was counted; injected headers of the same names replace them."""
    usual = (("Date", _date(now // SECOND)), *(quota.headers() if quota else ()))
    if injected and injected.headers:
        own = {name.lower() for name, _ in injected.headers}
        usual = tuple(one for one in usual if one[0].lower() not in own)
    return ApiReply(reply.status, (*usual, *reply.headers), reply.body, reply.fault)


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
