"""What happens to every request, from top to bottom; every transport calls `answer`.

Rule 1: the order is route, authenticate, spend quota, inject, validate, find, check the permission, handle.
Rule 2: a refused request changes nothing but its quota; a handler that raises changes nothing.
Rule 3: a response that breaks the contract is a bug of the fake, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import unquote

from mock_server.contract.assumptions import Choices, Question
from mock_server.contract.contract import Contract
from mock_server.contract.operation import Operation
from mock_server.contract.schemas import violations
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.messages.call import ANYBODY, Caller
from mock_server.messages.errors import (
    ApiError,
    BadRequest,
    Bug,
    Forbidden,
    MethodNotAllowed,
    NotFound,
    NotImplementedByMock,
    RateLimited,
)
from mock_server.messages.http import JSON, ApiReply, ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import to_json
from mock_server.messages.outcome import Outcome
from mock_server.messages.redaction import Redactor
from mock_server.messages.violations import Violation
from mock_server.pipeline.auth import authenticate
from mock_server.pipeline.clock import Clock
from mock_server.pipeline.decoding import decode
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import DEFAULT_RETRY_AFTER, apply_fault, injected_reply, requested
from mock_server.pipeline.ratelimit import (
    COUNTED,
    NESTED,
    RETRY_AFTER,
    WINDOW,
    Decision,
    Limits,
    spend,
    uncounted,
)
from mock_server.pipeline.replies import explanation, finished, refusal
from mock_server.store.base import NO_ACCOUNT, Store, Transaction
from mock_server.store.seed import Seed

UNDOCUMENTED = b"{}"
"""The body of a success whose content is not documented, unless the user recorded another."""

SUCCESS_BODY = Question(
    "success-body", {"empty-object": None, "empty": b"", "object": b'{"success":true,"requestId":"7c0f2a"}'}
)

CHECK_ORDER: Question[Sequence[type[ApiError]]] = Question(
    "check-order",
    {
        "validation-first": (BadRequest, NotFound, Forbidden),
        "existence-first": (NotFound, Forbidden, BadRequest),
        "permission-first": (Forbidden, BadRequest, NotFound),
    },
)

WRONG_METHOD = Question("wrong-method", {"405": False, "404": True})
"""Whether a known path with another method is unknown."""

PATH_FORM = Question("path-form", {"exact": False, "slashes-ignored": True})
"""Whether a trailing slash and empty segments are ignored."""

_EMPTY_SEGMENT = re.compile("/+(?=/|$)")


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
    choices: Choices
    visible_after: int = 0

    def context(self, caller: Caller, now: int, transaction: Transaction) -> Context:
        """Return what a handler gets."""
        return Context(caller, now, transaction, self.contract.objects, self.choices, self.visible_after)


@dataclass(slots=True)
class Identified:
    """Which operation a request is for and who sent it, as far as that is known; `error` if the request is refused."""

    operation: Operation | None = None
    path: Mapping[str, str] | None = None
    caller: Caller | None = None
    error: ApiError | None = None


def answer(request: ApiRequest, current: Callable[[], Engine], clock: Clock, transport: str) -> Outcome:
    """Answer one request as the vendor would, with the current parts, and record it.

    Raises Bug if the response would break the contract.
    """
    while True:
        engine = current()
        identified = identify(request, engine)
        account = identified.caller.account if identified.caller else NO_ACCOUNT
        with engine.store.transaction(account) as transaction:
            if engine.store.waits and current() is not engine:  # another process has changed what is assumed
                continue
            now = clock.time_within(transaction)
            if transaction.behind() and catch_up(identified, transaction, engine, now):
                continue
            outcome = process(request, identified, transaction, engine, now)
            transaction.record(transport, request, outcome)
            return outcome


def catch_up(identified: Identified, transaction: Transaction, engine: Engine, now: int) -> bool:
    """Bring the objects up to date by a part, if the request needs them; return whether it does.

    Each part is a transaction of its own, so other requests of the account have their turn.
    """
    operation, caller = identified.operation, identified.caller
    handler = engine.handlers.get(operation.id) if operation and caller else None
    if not (caller and handler and handler.prepare):
        return False
    handler.prepare(engine.context(caller, now, transaction))
    return True


def identify(request: ApiRequest, engine: Engine) -> Identified:
    """Route and authenticate a request."""
    operation = path = None
    try:
        operation, path = route(request, engine)
        caller = authenticate(request, engine.seed.tokens, engine.choices) if operation.secured else ANYBODY
    except ApiError as error:
        return Identified(operation, path, error=error)
    return Identified(operation, path, caller)


def route(request: ApiRequest, engine: Engine) -> tuple[Operation, Mapping[str, str]]:
    """Return the operation of a request, and the raw values of its path parameters, or raise an ApiError."""
    try:
        return engine.contract.route(request.method, request.path)
    except NotFound:
        plain = _EMPTY_SEGMENT.sub("", request.path)
        if plain != request.path and engine.choices[PATH_FORM]:
            return engine.contract.route(request.method, plain)
        raise
    except MethodNotAllowed as error:
        if engine.choices[WRONG_METHOD]:
            raise NotFound(*error.violations) from None
        raise


def process(request: ApiRequest, identified: Identified, transaction: Transaction, engine: Engine, now: int) -> Outcome:
    """Take a request through the stages that follow, up to its response."""
    operation, path, caller = identified.operation, identified.path, identified.caller
    quota = injected = None
    violated: tuple[Violation, ...] = ()
    limits: Limits = ()
    try:
        if identified.error or not (operation and path is not None and caller):
            raise identified.error or NotFound
        limits = limits_of(operation, engine)
        quota = counted(transaction, caller, limits, now, engine)
        require_quota(quota)
        injected = requested(request, operation, caller, path, engine.seed.bound) or engine.hooks.inject(
            transaction, operation.id
        )
        if injected and injected.comes_first:
            reply = inject(injected, operation, quota, now, engine)
        else:
            reply = handle(request, operation, path, engine.context(caller, now, transaction), engine)
    except ApiError as error:
        violated = tuple(engine.redact.violation(violation) for violation in error.violations)
        reply = refuse(error, violated, operation, quota, engine)
    if injected and injected.fault:
        reply = apply_fault(reply, injected.fault)
    if quota and not engine.choices[COUNTED](reply.status):
        quota = uncounted(transaction, limits, quota, engine.choices[WINDOW])
    reply = finished(reply, quota, now, injected, engine.choices)
    return Outcome(reply, operation.id if operation else None, caller, violated, injected, now)


def limits_of(operation: Operation, engine: Engine) -> Limits:
    """Return the limits that a request for an operation counts against."""
    limits = engine.limits[operation.id] if operation.secured else ()
    return engine.choices[NESTED](limits) if len(limits) > 1 else limits


def counted(transaction: Transaction, caller: Caller, limits: Limits, now: int, engine: Engine) -> Decision | None:
    """Count a request against its limits."""
    if engine.hooks.spend:
        return engine.hooks.spend(transaction, caller, limits, now)
    return spend(transaction, caller, limits, now, engine.choices[WINDOW]) if limits else None


def require_quota(quota: Decision | None) -> None:
    """Raise RateLimited if the quota is exhausted."""
    if quota and not quota.allowed:
        limit = quota.limit
        got = f"request {limit.requests + 1} or later within {limit.seconds} s"
        wanted = f"at most {limit}; retry in {quota.reset} s"
        raise RateLimited(Violation("rate-limit", "header", "/authorization", got, wanted))


def inject(injected: Injected, operation: Operation, quota: Decision | None, now: int, engine: Engine) -> ApiReply:
    """Return an injected response, with the reason in a header if it is an error."""
    if injected.status == RateLimited.status and injected.retry_after is None:
        wait = quota.reset if quota else DEFAULT_RETRY_AFTER
        injected = replace(injected, retry_after=engine.choices[RETRY_AFTER](wait, now))
    reply = injected_reply(injected, operation, engine.contract, engine.recorded[operation.id])
    if reply.status < BadRequest.status or not engine.why:
        return reply
    why = explanation([f"injected {reply.status}: requested by {injected.source}"])
    return replace(reply, headers=(*reply.headers, *why))


def refuse(
    error: ApiError,
    violated: Sequence[Violation],
    operation: Operation | None,
    quota: Decision | None,
    engine: Engine,
) -> ApiReply:
    """Return the vendor's response for an error, with the reason in a header."""
    contract_body = engine.contract.error_body(type(error), operation)
    headers, body = refusal(error, violated, contract_body, quota, engine.choices)
    why = explanation([str(one) for one in violated]) if violated and engine.why else ()
    return ApiReply(error.status, (*headers, *why), body)


def handle(
    request: ApiRequest, operation: Operation, path: Mapping[str, str], context: Context, engine: Engine
) -> ApiReply:
    """Validate a request, find the object that its path names, check the permission, and call the handler."""
    handler = engine.handlers.get(operation.id) or Handler(partial(not_implemented, operation))
    if handler.prepare:
        handler.prepare(context)
    try:
        call = decode(request, operation, path, engine.choices)
        find(handler, path, context)
    except (BadRequest, NotFound) as error:
        raise first_due(error, handler, path, context) from None
    permit(handler, context)
    with context.transaction.savepoint():
        return checked(handler.function(call, context), operation, engine)


def not_implemented(operation: Operation, *_: object) -> Result:
    """Raise NotImplementedByMock: the handler of an operation that has none."""
    got = f"the operation {operation.id}"
    raise NotImplementedByMock(Violation("not-implemented", "path", "", got, "one that alta-mock implements"))


def find(handler: Handler, path: Mapping[str, str], context: Context) -> None:
    """Find the object that the last path parameter names, or raise NotFound; case does not matter (RFC 9562)."""
    if handler.finds is None:
        return
    name, value = list(path.items())[-1]
    found = context.transaction.get(handler.finds, unquote(value).lower())
    if found is None:
        noun = handler.finds.replace("_", " ")
        got = f"an id that no {noun} of the account has"
        raise NotFound(Violation("object-unknown", "path", f"/{name}", got, f"the id of a {noun}"))
    context.found = found


def permit(handler: Handler, context: Context) -> None:
    """Raise Forbidden if the caller lacks the permission."""
    if handler.permission and handler.permission not in context.caller.permissions:
        got = "a user without this permission"
        raise Forbidden(Violation("permission", "header", "/authorization", got, handler.permission))


def first_due(error: ApiError, handler: Handler, path: Mapping[str, str], context: Context) -> ApiError:
    """Return the error that is reported of a refused request, which may deserve several."""
    errors = [error]
    malformed = any(violation.place == "path" for violation in error.violations)
    finding = [] if malformed else [partial(find, handler, path, context)]
    for check in (*finding, partial(permit, handler, context)):
        try:
            check()
        except ApiError as another:
            if type(another) is not type(error):
                errors.append(another.with_traceback(None))  # which refers to this list
    if len(errors) == 1:
        return error
    order = context.choices[CHECK_ORDER]
    return min(errors, key=lambda one: order.index(type(one)) if type(one) in order else -1)


def checked(result: Result, operation: Operation, engine: Engine) -> ApiReply:
    """Return the response of a handler; raise Bug if it breaks the contract."""
    status = operation.success if result.status is None else result.status
    if result.body is None:
        recorded = engine.recorded[operation.id]
        if recorded == UNDOCUMENTED and (body := engine.choices[SUCCESS_BODY]) is not None:
            return ApiReply(status, (("Content-Type", JSON),) if body else (), body)
        return ApiReply(status, (("Content-Type", JSON),), recorded)
    if isinstance(result.body, bytes):
        return ApiReply(status, (("Content-Type", JSON),), result.body)
    schema = operation.responses.get(status)
    if schema and (wrong := violations(schema, result.body)):
        raise Bug(f"the {status} of {operation.id} breaks the contract: {wrong[0]}")
    return ApiReply(status, (("Content-Type", JSON),), to_json(result.body))
