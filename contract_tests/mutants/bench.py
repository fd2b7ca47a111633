"""What a mutant is, the registry of all mutants, and the bench that builds them.

Declare more mutants in a file of your own and pass it to `alta-mock score --mutants FILE`:

```python
from contract_tests.mutants.bench import Bench, mutant

@mutant("openapi.yaml#/components/schemas/ProspectRecord")
def job_title_is_required(bench: Bench) -> None:
    \"\"\"A prospect without jobTitle is refused.\"\"\"
    bench.refuse_record(lambda record: "jobTitle" not in record)
```
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any, TypeVar

from contract_tests.provider.response_rules import IDENTIFIERS
from contract_tests.provider.wire import InProcess, Request, Response
from contract_tests.sources import ERRORS
from mock_server import AltaMock, Clock
from mock_server.contract.contract import Contract
from mock_server.contract.limits import SECOND
from mock_server.handlers import SAMPLE
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.messages.call import Call
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.json_text import read_json
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle, Hooks
from mock_server.pipeline.ratelimit import Spend, spend

if TYPE_CHECKING:
    Answer = Callable[[Request, Request | None], Request | Response | None]
    Message = TypeVar("Message", ApiRequest, ApiReply)

RECORD = "openapi.yaml#/components/schemas/ProspectRecord"
REQUEST = "openapi.yaml#/components/schemas/AddProspectsToCampaignRequest"
ERROR = "openapi.yaml#/components/schemas/Error"
SERVERS = "seen in servers"
"""The source of mutants that break no sentence of the vendor's, but what every user takes for granted."""
ROBUST = f"{ERRORS}; {SERVERS}"

JSON = "application/json"
START = 1_767_225_600 * SECOND


@dataclass(frozen=True, slots=True)
class Mutant:
    """A provider that differs from the fake in one point.

    Attributes:
        statement: The difference, in one sentence.
        source: What it breaks; for an equivalent mutant, what the contract leaves open.
        equivalent: Whether it keeps the contract, so that every rule must pass.
        build: Applies the difference to a bench.
        operations: Those to verify; an equivalent mutant is verified by all.
        derived: Whether it is made of the contract, like hundreds of others.
    """

    name: str
    statement: str
    source: str
    equivalent: bool
    build: Callable[[Bench], object]
    operations: frozenset[str] = frozenset([SAMPLE.operation])
    derived: bool = False


MUTANTS: dict[str, Mutant] = {}
"""All mutants that are registered; `catalogue` registers those of this package."""


def register(  # noqa: PLR0913 - a mutant has these parts
    source: str,
    build: Callable[..., object],
    name: str,
    statement: str,
    *arguments: Any,
    equivalent: bool = False,
    operation: str = SAMPLE.operation,
    derived: bool = False,
) -> None:
    """Register a mutant that `build` makes of a bench and arguments.

    Raises:
        ValueError: The name is used twice.
    """
    if name in MUTANTS:
        raise ValueError(f"the name {name} is used twice; rename one of the mutants")
    about = frozenset([operation])
    MUTANTS[name] = Mutant(name, statement, source, equivalent, lambda bench: build(bench, *arguments), about, derived)


def mutant(source: str, *, equivalent: bool = False) -> Callable[[Any], Any]:
    """Register a function over a bench as a mutant, named after it, with its docstring as the statement."""

    def decorate(build: Callable[[Bench], object]) -> Callable[[Bench], object]:
        if not build.__doc__:
            raise ValueError(f"{build.__name__} has no docstring; write one whose first line says what differs")
        name = build.__name__.strip("_").replace("_", "-")
        register(source, build, name, build.__doc__.splitlines()[0], equivalent=equivalent)
        return build

    return decorate


class Bench:
    """Collects the differences of a mutant, and makes the fake with them; its clock does not move by itself.

    Attributes:
        settings: The settings of the fake.
        spend: The rate limiter of the fake; None for its own.
    """

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.spend: Spend | None = None
        self._arounds: list[Callable[[Handle], Handle]] = []
        self._documents: list[Callable[[dict[str, Any]], object]] = []
        self._answers: list[Answer] = []
        self._functions: dict[str, Callable[[Call, Context], Result]] = {}
        self._stored: list[Callable[[list[Any]], list[Any]]] = []

    @cached_property
    def mock(self) -> AltaMock:
        """The fake with all differences."""
        hooks = Hooks(
            contract=self._contract,
            handlers=self._handlers,
            spend=self.spend,
            around=lambda handle: reduce(lambda inner, wrap: wrap(inner), self._arounds, handle),
        )
        return AltaMock(clock=Clock(lambda: 0, epoch=START), hooks=hooks, **self.settings)

    @cached_property
    def provider(self) -> Connected:
        """The connection to the fake."""
        return Connected(self.mock, self._answers)

    def _contract(self, contract: Contract) -> Contract:
        if not self._documents:
            return contract
        value = copy.deepcopy(contract.document)
        for change in self._documents:
            change(value)
        for path in value["paths"].values():
            for operation in path.values():
                body = operation.get("requestBody", {"content": {JSON: {}}})
                body["content"][JSON].pop("examples", None)  # they may break the changed schema
        published = contract.published
        return Contract.of(replace(published, value=value))

    def _handlers(self, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        found = {**handlers, **{name: replace(handlers[name], function=it) for name, it in self._functions.items()}}
        if self._stored:
            handler = found[SAMPLE.operation]
            found[SAMPLE.operation] = replace(handler, function=partial(self._handle, handler.function))
        return found

    def _handle(self, function: Callable[[Call, Context], Result], call: Call, context: Context) -> Result:
        records = reduce(lambda found, change: change(found), self._stored, read_json(call.raw)["data"])
        raw = json.dumps({"data": records}, default=str).encode()
        return function(replace(call, body={"data": records}, raw=raw), context)

    def around(self, handled: Callable[[Handle, ApiRequest, str], Outcome]) -> None:
        """Wrap the handling of every request, which is the first argument; the others are its own."""
        self._arounds.append(lambda handle: partial(handled, handle))

    def on_wire(self, answer: Answer) -> None:
        """Replace a request, or answer it, by the request itself and the one before it on its connection."""
        self._answers.append(answer)

    def on_request(self, change: Callable[[ApiRequest], ApiRequest | ApiReply]) -> None:
        """Change requests before they are handled, or answer them."""

        def handle_changed(handle: Handle, request: ApiRequest, transport: str) -> Outcome:
            changed = change(request)
            if isinstance(changed, ApiRequest):
                return handle(changed, transport)
            return Outcome(changed, None, None, (), None, self.mock.clock.time_ns())

        self.around(handle_changed)

    def on_reply(self, change: Callable[[ApiRequest, ApiReply], ApiReply]) -> None:
        """Change responses after their requests are handled."""

        def change_outcome(handle: Handle, request: ApiRequest, transport: str) -> Outcome:
            outcome = handle(request, transport)
            return replace(outcome, reply=change(request, outcome.reply))

        self.around(change_outcome)

    def change_if(
        self, matches: Callable[[ApiRequest, ApiReply], bool], change: Callable[[ApiRequest, ApiReply], ApiReply]
    ) -> None:
        """Change the responses that match."""
        self.on_reply(lambda request, reply: change(request, reply) if matches(request, reply) else reply)

    def replace_if(self, reply: ApiReply, matches: Callable[[ApiRequest, ApiReply], bool]) -> None:
        """Replace the responses that match."""
        self.change_if(matches, lambda *_: reply)

    def on_status(self, status: int, change: Callable[[ApiReply], ApiReply]) -> None:
        """Change the responses with a status."""
        self.on_reply(lambda _, reply: change(reply) if reply.status == status else reply)

    def set_header(self, status: int, name: str, value: str | None) -> None:
        """Set a header of the responses with a status, or remove it."""
        self.on_status(status, lambda reply: with_header(reply, name, value))

    def refuse_if(self, status: int, refuses: Callable[[ApiRequest], bool]) -> None:
        """Answer matching requests with an error before they are handled."""
        self.on_request(lambda request: error(status) if refuses(request) else request)

    def fail_if(self, fails: Callable[[ApiRequest], bool]) -> None:
        """Answer matching requests with a server error if they are authorized."""
        self.refuse_if(500, lambda request: bearer(request) in self.mock.seed.tokens and fails(request))

    def fail_on_text(self, fails: Callable[[bytes], bool]) -> None:
        """Answer authorized requests whose body matches with a server error; a body over the bound counts as 5 MB."""
        self.fail_if(lambda request: fails(b"x" * 5_000_000 if request.body is None else request.body))

    def on_text(self, change: Callable[[bytes], bytes]) -> None:
        """Change bodies as bytes."""
        self.on_request(lambda r: r if r.body is None else replace(r, body=change(r.body)))

    def on_body(self, change: Callable[[Any], Any]) -> None:
        """Change bodies as JSON before they are validated."""

        def changed(request: ApiRequest) -> ApiRequest:
            try:
                return replace(request, body=json.dumps(change(json.loads(request.body or b""))).encode())
            except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
                return request

        self.on_request(changed)

    def on_record(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change each record before it is validated."""

        def changed(body: Any) -> Any:
            return {**body, "data": [change(one) if isinstance(one, dict) else one for one in body["data"]]}

        self.on_body(changed)

    def on_call(self, operation: str, function: Callable[[Call, Context], Result]) -> None:
        """Replace what an operation does with a valid call."""
        self._functions[operation] = function

    def on_stored(self, change: Callable[[list[Any]], list[Any]]) -> None:
        """Change the records that are stored."""
        self._stored.append(change)

    def refuse_body(self, refuses: Callable[[Any], bool]) -> None:
        """Refuse authorized requests whose body, as JSON, matches."""

        def matches(request: ApiRequest) -> bool:
            try:
                return bearer(request) in self.mock.seed.tokens and refuses(json.loads(request.body or b""))
            except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
                return False

        self.refuse_if(400, matches)

    def refuse_record(self, refuses: Callable[[dict[str, Any]], bool]) -> None:
        """Refuse bodies in which a record matches."""
        self.refuse_body(lambda body: any(refuses(record) for record in body["data"]))

    def schema(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the schemas that requests are validated by."""
        self.document(lambda value: change(value["components"]["schemas"]))

    def document(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the effective contract."""
        self._documents.append(change)

    def limit(self, requests: int) -> None:
        """Set the limit on adding prospects."""
        self.settings["rate_limit"] = f"{requests}/60s"

    def limit_by(self, key: Callable[[ApiRequest], object]) -> None:
        """Give requests with different keys quotas of their own."""
        current: list[object] = [None]

        def choose(request: ApiRequest) -> ApiRequest:
            current[0] = key(request)
            return request

        self.on_request(choose)
        self.spend = lambda transaction, caller, limits, now: spend(
            transaction, caller, [(f"{name} {current[0]}", limit) for name, limit in limits], now
        )


class Connected(InProcess):
    """A fake in this process with connections, as a server has them."""

    sockets = True

    def __init__(self, mock: AltaMock, answers: list[Answer]) -> None:
        super().__init__(mock)
        self._answers = answers
        self._last: Request | None = None

    def send(self, request: Request, *, seconds: float, fresh: bool = False) -> Response:
        """Answer a request; refuse a body with a wrong Content-Length, as a server does."""
        before, self._last = None if fresh else self._last, request
        for answer in self._answers:
            found = answer(request, before)
            if isinstance(found, Response):
                return replace(found, at=self.time())
            request = found or request
        if request.framing in {"short", "long"}:
            return Response(400, (("connection", "close"),), b"", self.time())
        return super().send(request, seconds=seconds, fresh=fresh)


def authorization(request: ApiRequest) -> str:
    """Return the value of Authorization; empty without one."""
    return next(iter(request.all("authorization")), "")


def bearer(request: ApiRequest) -> str:
    """Return the token of a request; empty without one."""
    values = request.all("authorization")
    return values[0].partition(" ")[2].strip() if len(values) == 1 else ""


def error(status: int) -> ApiReply:
    """Return an error response of the vendor."""
    value = {"error": IDENTIFIERS.get(status, "InternalServerError"), "message": "Something"}
    return ApiReply(status, (("Content-Type", JSON),), json.dumps(value).encode())


def with_header(message: Message, name: str, value: str | None) -> Message:
    """Return a request or response with another value of one header, or without it."""
    headers = [pair for pair in message.headers if pair[0].lower() != name.lower()]
    if value is not None:
        headers.append((name, value))
    return replace(message, headers=tuple(headers))


def with_body(reply: ApiReply, kind: str, body: bytes) -> ApiReply:
    """Return a response with another body of a content type."""
    return replace(with_header(reply, "Content-Type", kind), body=body)


def with_members(reply: ApiReply, **members: Any) -> ApiReply:
    """Return a response with other members of its JSON object."""
    return replace(reply, body=json.dumps({**json.loads(reply.body), **members}).encode())
