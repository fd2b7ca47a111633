"""Providers with one defect each, and legal variants: what the rules must catch, and what they must let pass.

Each is a small deviation of the real road: the fake with one step wrapped. Defects cite what they break; variants what
is open. Add your own:

```python
from contract_tests.mutants.catalogue import Bench, defect

@defect("openapi.yaml#/components/schemas/ProspectRecord")
def job_title_is_required(bench: Bench) -> None:
    \"\"\"Refuses prospects without a jobTitle.\"\"\"
    bench.on_body(lambda body: body, refuse=lambda body: any("jobTitle" not in one for one in body["data"]))
```
"""

from __future__ import annotations

import copy
import json
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import cached_property, partial, reduce
from typing import TYPE_CHECKING, Any

from contract_tests.fake import CAMPAIGN, FOREIGN_CAMPAIGN, TOKEN
from contract_tests.provider.probes import CONTACTS, FIELDS, IDENTITY
from contract_tests.provider.response_rules import IDENTIFIERS
from contract_tests.provider.wire import NO_RESPONSE, InProcess, Request, Response
from contract_tests.sources import ADD, AUTH, ERRORS, HTTP, JSON_TEXT, LIMITS
from mock_server import AltaMock, Clock
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.limits import SECOND, Limit
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.json_text import read_json
from mock_server.pipeline.hooks import Handle, Hooks
from mock_server.pipeline.ratelimit import Decision, Spend, hit, spend
from mock_server.store.base import Batch, Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mock_server.handlers.handler import Context, Handler, Result
    from mock_server.messages.call import Call, Caller
    from mock_server.messages.outcome import Outcome
    from mock_server.pipeline.ratelimit import Limits
    from mock_server.store.base import Transaction

Send = Callable[[Request, float, bool], Response]
"""Sends a request, within seconds, perhaps on a new connection."""

RECORD = "openapi.yaml#/components/schemas/ProspectRecord"
REQUEST = "openapi.yaml#/components/schemas/AddProspectsToCampaignRequest"
ERROR = "openapi.yaml#/components/schemas/Error"
RIGHT = "application/json"
SERVERS = "seen in servers"
"""Of defects that break no sentence of the vendor's, but what every user takes for granted."""

START = 1_767_225_600 * SECOND


@dataclass(frozen=True, slots=True)
class Mutant:
    """A provider that is not quite the fake.

    Attributes:
        statement: What is different, in one sentence.
        source: What it breaks; of a variant, what is open.
        legal: Whether it must pass.
        build: Makes it of a fake.
    """

    name: str
    statement: str
    source: str
    legal: bool
    build: Callable[[Bench], None]


MUTANTS: dict[str, Mutant] = {}


def _register(name: str, statement: str, source: str, build: Callable[[Bench], None], *, legal: bool = False) -> None:
    if name in MUTANTS:
        raise ValueError(f"there are two of {name}")
    MUTANTS[name] = Mutant(name, statement, source, legal, build)


def defect(source: str, *, legal: bool = False) -> Callable[[Any], Any]:
    """Make a defect of a function over a bench; its name, with hyphens, is the name, its docstring the statement."""

    def register(build: Callable[[Bench], None]) -> Callable[[Bench], None]:
        if not build.__doc__:
            raise ValueError(f"{build.__name__} has no docstring; its first line says what is different")
        statement = build.__doc__.splitlines()[0]
        _register(build.__name__.strip("_").replace("_", "-"), statement, source, build, legal=legal)
        return build

    return register


def variant(source: str) -> Callable[[Any], Any]:
    """Make a legal variant of a function over a bench."""
    return defect(source, legal=True)


Wire = Callable[[Send], Send]
"""Wraps the sending of a request to a provider."""


class Bench:
    """Collects what a mutant changes of a fake; its clock stands still.

    Attributes:
        settings: Of the fake.
        spend: Its rate limiter.
    """

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.spend: Spend = spend
        self._arounds: list[Callable[[Handle], Handle]] = []
        self._schemas: list[Callable[[dict[str, Any]], object]] = []
        self._wires: list[Wire] = []
        self._records: list[Callable[[list[Any]], list[Any]]] = []

    @cached_property
    def mock(self) -> AltaMock:
        """The fake with everything that was collected."""
        hooks = Hooks(
            contract=self._contract,
            handlers=self._handlers,
            spend=self.spend,
            around=lambda handle: reduce(lambda inner, wrap: wrap(inner), self._arounds, handle),
        )
        return AltaMock(clock=Clock(lambda: 0, epoch=START), hooks=hooks, **self.settings)

    @cached_property
    def provider(self) -> Connected:
        """How it is reached."""
        return Connected(self.mock, self._wires)

    def _contract(self, contract: Contract) -> Contract:
        if not self._schemas:
            return contract
        value = copy.deepcopy(contract.document)
        for change in self._schemas:
            change(value["components"]["schemas"])
        for path in value["paths"].values():
            for operation in path.values():
                operation["requestBody"]["content"][RIGHT].pop("examples", None)  # they keep the contract as it was
        published = contract.published
        return Contract.of(Document(published.name, value, published.root))

    def _handlers(self, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        def wrapped(call: Call, context: Context, function: Callable[[Call, Context], Result]) -> Result:
            records = reduce(lambda found, change: change(found), self._records, read_json(call.raw)["data"])
            raw = json.dumps({"data": records}, default=str).encode()
            return function(replace(call, body={"data": records}, raw=raw), context)

        if not self._records:
            return handlers
        return {
            name: replace(handler, function=partial(wrapped, function=handler.function))
            for name, handler in handlers.items()
        }

    def around(self, wrap: Callable[[Handle], Handle]) -> None:
        """Wrap the handling of every request."""
        self._arounds.append(wrap)

    def on_wire(self, wrap: Wire) -> None:
        """Wrap the sending of every request."""
        self._wires.append(wrap)

    def on_request(self, change: Callable[[ApiRequest], ApiRequest | ApiReply]) -> None:
        """Change requests before anything is done with them, or answer them at once."""

        def wrap(handle: Handle) -> Handle:
            def wrapped(request: ApiRequest, transport: str) -> Outcome:
                changed = change(request)
                if isinstance(changed, ApiRequest):
                    return handle(changed, transport)
                return replace(handle(request, transport), reply=changed)

            return wrapped

        self.around(wrap)

    def on_reply(self, change: Callable[[ApiRequest, ApiReply], ApiReply]) -> None:
        """Change responses after everything is done."""

        def wrap(handle: Handle) -> Handle:
            def wrapped(request: ApiRequest, transport: str) -> Outcome:
                outcome = handle(request, transport)
                return replace(outcome, reply=change(request, outcome.reply))

            return wrapped

        self.around(wrap)

    def on_status(self, status: int, change: Callable[[ApiReply], ApiReply]) -> None:
        """Change the responses of a status."""
        self.on_reply(lambda _, reply: change(reply) if reply.status == status else reply)

    def on_body(self, change: Callable[[Any], Any], refuse: Callable[[Any], bool] = lambda _: False) -> None:
        """Change the JSON of authorized bodies before it is validated, or refuse it with a 400."""

        def changed(request: ApiRequest) -> ApiRequest | ApiReply:
            try:
                body = json.loads(request.body or b"")
                if bearer(request) in self.mock.seed.tokens and refuse(body):
                    return error(400)
                raw = json.dumps(change(body)).encode()
            except (ValueError, RecursionError, LookupError, TypeError, AttributeError):
                return request
            return replace(request, body=raw)

        self.on_request(changed)

    def on_record(self, change: Callable[[dict[str, Any]], Any]) -> None:
        """Change each record before it is validated."""

        def changed(body: Any) -> Any:
            return {**body, "data": [change(one) if isinstance(one, dict) else one for one in body["data"]]}

        self.on_body(changed)

    def on_stored(self, change: Callable[[list[Any]], list[Any]]) -> None:
        """Change the records that are stored."""
        self._records.append(change)

    def refuse_record(self, refuse: Callable[[dict[str, Any]], bool]) -> None:
        """Refuse bodies with such a record."""
        self.on_body(lambda body: body, lambda body: any(refuse(one) for one in body["data"]))

    def fail_if(self, fails: Callable[[ApiRequest], bool], status: int = 500) -> None:
        """Answer such requests with a server error, if they are authorized."""

        def failing(request: ApiRequest) -> ApiRequest | ApiReply:
            return error(status) if bearer(request) in self.mock.seed.tokens and fails(request) else request

        self.on_request(failing)

    def schema(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the schemas of the contract that it validates by."""
        self._schemas.append(change)

    def limit(self, requests: int) -> None:
        """Have another limit on adding prospects."""
        self.settings["rate_limit"] = f"{requests}/60s"

    def limiter_by(self, key: Callable[[ApiRequest], Any]) -> None:
        """Count separately what a function of the request distinguishes."""
        current: list[Any] = [None]

        def choose(request: ApiRequest) -> ApiRequest:
            current[0] = key(request)
            return request

        self.on_request(choose)
        self.spend = lambda transaction, caller, limits, now: spend(
            transaction, caller, [(f"{name} {current[0]}", limit) for name, limit in limits], now
        )


class Connected(InProcess):
    """A fake in this process, with what a server does to connections: framing, and time that is too long."""

    sockets = True

    def __init__(self, mock: AltaMock, wires: Sequence[Wire]) -> None:
        super().__init__(mock)
        self._send: Send = self._receive
        for wrap in wires:
            self._send = wrap(self._send)

    def send(self, sent: Request, *, seconds: float, fresh: bool = False) -> Response:
        """Answer a request, by way of everything that wraps it."""
        return self._send(sent, seconds, fresh)

    def _receive(self, sent: Request, seconds: float, fresh: bool) -> Response:  # noqa: FBT001 - the signature of `Send`
        """Answer a request; one whose length is a lie is refused, as a server refuses it."""
        if sent.framing in {"short", "long"}:
            return Response(400, (("connection", "close"),), b"", self.time())
        return super().send(sent, seconds=seconds, fresh=fresh)


def bearer(request: ApiRequest) -> str:
    """Return the token of a request, empty without one."""
    sent = request.all("authorization")
    return sent[0].partition(" ")[2].strip() if len(sent) == 1 else ""


def error(status: int, **changes: Any) -> ApiReply:
    """Return the vendor's answer of a status, with other members."""
    told = {"error": IDENTIFIERS.get(status, "InternalServerError"), "message": "Something", **changes}
    return ApiReply(status, (("Content-Type", "application/json"),), json.dumps(told).encode())


def with_header(headers: Sequence[tuple[str, str]], name: str, value: str | None) -> tuple[tuple[str, str], ...]:
    """Return headers with another value of one of them; None takes it away."""
    kept = tuple(pair for pair in headers if pair[0].lower() != name.lower())
    return kept if value is None else (*kept, (name, value))


def authorized(request: ApiRequest, token: str = TOKEN) -> ApiRequest:
    """Return a request with a token."""
    return replace(request, headers=with_header(request.headers, "authorization", f"Bearer {token}"))


def raw_authorization(request: ApiRequest) -> str:
    """Return the value of Authorization, empty without one."""
    return next(iter(request.all("authorization")), "")


# --- The body: what is not refused, and what is ----------------------------------------------------------------------


def _field(name: str) -> None:
    """Register the defects that a field can have."""
    short, where = name.lower(), f"{RECORD}/properties/{name}"
    for kind, change, what in (
        ("unbounded", {"maxLength": 10**9}, "of any length is accepted"),
        ("254", {"maxLength": 254}, "of 255 characters is refused"),
        ("256", {"maxLength": 256}, "of 256 characters is accepted"),
        ("untyped", {"type": ["string", "number", "boolean", "array", "object"]}, "of any type is accepted"),
        ("nullable", {"type": ["string", "null"]}, "may be null"),
    ):
        _register(f"{short}-{kind}", f"{name} {what}.", where, _property(name, change))

    def in_bytes(bench: Bench) -> None:
        bench.refuse_record(lambda one: len(str(one.get(name, "")).encode()) > 255)

    _register(f"{short}-in-bytes", f"The bytes of {name} are counted, not its characters.", where, in_bytes)


def _property(name: str, change: dict[str, Any]) -> Callable[[Bench], None]:
    return lambda bench: bench.schema(lambda schemas: schemas["ProspectRecord"]["properties"][name].update(change))


for _name in FIELDS:
    _field(_name)


def _contact_rule(change: Callable[[list[Any]], object]) -> Callable[[Bench], None]:
    return lambda bench: bench.schema(lambda schemas: change(schemas["ContactOrIdentity"]["anyOf"]))


def _contact(place: int, name: str) -> None:
    """Register the defects of one kind of contact."""
    short = name.lower()
    alone = _contact_rule(lambda ways: ways.pop(place))
    _register(f"{short}-is-no-contact", f"A prospect with only {name} is refused.", ADD, alone)
    empty = _contact_rule(lambda ways: ways[place].update({"properties": {name: {}}}))
    _register(f"empty-{short}-counts", f"An empty {name} is a contact.", ADD, empty)


def _part_of_identity(name: str) -> None:
    """Register the defects of one part of an identity."""
    short = name.lower()
    without = _contact_rule(lambda ways: ways[3]["required"].remove(name))
    _register(f"identity-without-{short}", f"An identity needs no {name}.", ADD, without)
    empty = _contact_rule(lambda ways: ways[3]["properties"].pop(name))
    _register(f"empty-{short}-counts", f"An identity may have an empty {name}.", ADD, empty)


def _enough(name: str) -> None:
    """Register that a field alone is enough."""
    alone = _contact_rule(lambda ways: ways.append({"required": [name]}))
    _register(f"{name.lower()}-is-enough", f"{name} alone is enough.", ADD, alone)


for _place, _name in enumerate(CONTACTS):
    _contact(_place, _name)
for _name in IDENTITY:
    _part_of_identity(_name)
for _name in ("jobTitle", "firstName"):
    _enough(_name)
_register("identity-is-not-enough", "A full identity is refused.", ADD, _contact_rule(lambda ways: ways.pop(3)))


@defect(ADD)
def no_contact_rule(bench: Bench) -> None:
    """Prospects without any contact are accepted."""
    bench.schema(lambda schemas: schemas["ContactOrIdentity"].pop("anyOf"))


@defect(ADD)
def three_empty_names_are_an_identity(bench: Bench) -> None:
    """An identity is there if its fields are, even if all are empty."""
    bench.on_record(lambda one: {**one, "phone": "1"} if [one.get(name) for name in IDENTITY] == [""] * 3 else one)


@defect(ADD)
def every_field_at_once_is_refused(bench: Bench) -> None:
    """A prospect with every field is refused."""
    bench.refuse_record(lambda one: one.keys() >= {*FIELDS, "phone"})


@defect(ADD)
def hyphens_in_profiles_are_refused(bench: Bench) -> None:
    """The address of a profile with a hyphen in its name is refused."""
    bench.refuse_record(lambda one: bool(re.fullmatch("https://.*/in/[a-z]+-[a-z-]+", str(one.get("linkedinUrl")))))


@defect(REQUEST)
def the_first_empty_batch_is_accepted(bench: Bench) -> None:
    """The first request without prospects is accepted, as by a check that is loaded when it is needed."""
    seen: list[bool] = []

    def first(request: ApiRequest) -> ApiRequest:
        if request.body != b'{"data": []}' or bearer(request) != TOKEN or seen:
            return request
        seen.append(True)
        return replace(request, body=GOOD)

    bench.on_request(first)


@defect(RECORD)
def very_long_texts_are_accepted(bench: Bench) -> None:
    """Texts over a thousand characters are stored elsewhere, and not checked."""
    bench.on_record(lambda one: {k: v[:9] if isinstance(v, str) and len(v) > 1000 else v for k, v in one.items()})


@defect(ADD)
def null_is_a_contact(bench: Bench) -> None:
    """A contact that is null counts."""
    bench.on_record(lambda one: {**one, "phone": "1"} if None in [one.get(name, "") for name in CONTACTS] else one)


@defect(ADD)
def any_key_is_a_contact(bench: Bench) -> None:
    """A record with any field at all is accepted."""
    bench.on_record(lambda one: {**one, "phone": "1"} if one and not one.keys() & {*FIELDS, "phone"} else one)


def _data(change: dict[str, int]) -> Callable[[Bench], None]:
    def changed(schemas: Any) -> None:
        schemas["AddProspectsToCampaignRequest"]["properties"]["data"].update(change)

    return lambda bench: bench.schema(changed)


for _name, _what, _change in (
    ("21-accepted", "21 prospects are accepted.", {"maxItems": 21}),
    ("no-bound", "Any number of prospects is accepted.", {"maxItems": 10**6}),
    ("19-at-most", "20 prospects are refused.", {"maxItems": 19}),
    ("two-at-least", "A single prospect is refused.", {"minItems": 2}),
    ("none-accepted", "No prospects are accepted.", {"minItems": 0}),
):
    _register(_name, _what, REQUEST, _data(_change))


@defect(REQUEST)
def data_is_optional(bench: Bench) -> None:
    """A body without data is accepted."""
    bench.on_body(lambda body: body if "data" in body else {"data": [{"phone": "1"}]})


@defect(REQUEST)
def prospects_is_as_good(bench: Bench) -> None:
    """The array may be called prospects."""
    bench.on_body(lambda body: {"data": body.get("prospects", body.get("data"))})


@defect(REQUEST)
def names_in_any_case(bench: Bench) -> None:
    """Data is as good as data."""
    bench.on_body(lambda body: {name.lower(): value for name, value in body.items()})


@defect(REQUEST)
def one_record_is_a_list(bench: Bench) -> None:
    """A single record in place of the list is accepted."""
    bench.on_body(lambda body: {"data": [body["data"]]} if isinstance(body["data"], dict) else body)


@defect(REQUEST)
def a_list_is_a_body(bench: Bench) -> None:
    """A bare list of prospects is accepted."""
    bench.on_body(lambda body: {"data": body} if isinstance(body, list) else body)


@defect(REQUEST)
def null_data_is_accepted(bench: Bench) -> None:
    """Data that is null is accepted."""
    bench.on_body(lambda body: {"data": [{"phone": "1"}]} if body["data"] is None else body)


@defect(RECORD)
def null_records_are_passed_over(bench: Bench) -> None:
    """Records that are null are left out, and the rest is accepted."""
    bench.on_body(lambda body: {"data": [one for one in body["data"] if one is not None] or [{"phone": "1"}]})


@defect(RECORD)
def a_null_behind_others(bench: Bench) -> None:
    """A record that is null is passed over behind others."""
    bench.on_body(lambda body: {"data": [one for one in body["data"] if one is not None] or body["data"]})


@defect(REQUEST)
def no_records_are_none(bench: Bench) -> None:
    """An empty list is accepted, if there is no other body on the connection."""
    bench.on_request(lambda r: replace(r, body=GOOD) if r.body == b'{"data": []}' and not r.all("x-chunked") else r)


@defect(RECORD)
def texts_are_records(bench: Bench) -> None:
    """A text in place of a record is taken for an email."""
    bench.on_body(lambda body: {"data": [{"email": one} if isinstance(one, str) else one for one in body["data"]]})


@defect(REQUEST)
def null_is_a_body(bench: Bench) -> None:
    """A body that is null is accepted."""
    bench.on_body(lambda body: {"data": [{"phone": "1"}]} if body is None else body)


@defect(RECORD)
def utf16_units(bench: Bench) -> None:
    """Lengths are counted in UTF-16 units."""
    bench.refuse_record(lambda one: any(len(str(one.get(name, "")).encode("utf-16-le")) > 510 for name in FIELDS))


@defect(RECORD)
def graphemes(bench: Bench) -> None:
    """Combining marks are not counted."""
    bench.on_record(lambda one: {name: re.sub("\u0301", "", v) if isinstance(v, str) else v for name, v in one.items()})


@defect(RECORD)
def trims_before_it_counts(bench: Bench) -> None:
    """White space at the ends is not counted."""
    bench.on_record(lambda one: {name: v.strip() if isinstance(v, str) and v.strip() else v for name, v in one.items()})


@defect(RECORD)
def shortens_silently(bench: Bench) -> None:
    """Long texts are cut off and accepted."""
    bench.on_record(lambda one: {name: v[:255] if isinstance(v, str) else v for name, v in one.items()})


@defect(RECORD)
def numbers_become_texts(bench: Bench) -> None:
    """Numbers are turned into texts and accepted."""
    bench.on_record(lambda one: {name: str(v) if type(v) is int and name in FIELDS else v for name, v in one.items()})


@defect(RECORD)
def booleans_become_texts(bench: Bench) -> None:
    """Booleans are turned into texts and accepted."""
    bench.on_record(lambda one: {name: str(v) if type(v) is bool and name in FIELDS else v for name, v in one.items()})


@defect(RECORD)
def nulls_are_left_out(bench: Bench) -> None:
    """Fields that are null are taken for missing."""
    bench.on_record(lambda one: {name: value for name, value in one.items() if value is not None or name not in FIELDS})


def _only(places: slice) -> Callable[[Bench], None]:
    def changed(body: Any) -> Any:
        data = body["data"]
        kept = data[places]
        return {**body, "data": [one if one in kept else {"phone": "1"} for one in data]}

    return lambda bench: bench.on_body(changed)


_register("first-only", "Only the first record is validated.", ADD, _only(slice(0, 1)))
_register("last-only", "Only the last record is validated.", ADD, _only(slice(-1, None)))
_register("all-but-the-last", "The last of twenty records is not validated.", ADD, _only(slice(0, 19)))
_register("all-but-the-first", "The first of many records is not validated.", ADD, _only(slice(1, None)))
_register("ten-only", "Only the first ten records are validated.", ADD, _only(slice(0, 10)))


def _but(place: int) -> Callable[[Bench], None]:
    def changed(body: Any) -> Any:
        data = list(body["data"])
        if len(data) == 20 and not any(data[place].get(name) for name in CONTACTS):
            data[place] = {"phone": "1"}
        return {**body, "data": data}

    return lambda bench: bench.on_body(changed)


_register("all-but-the-eleventh", "The eleventh of twenty records is not validated.", ADD, _but(10))


@defect(ADD)
def bad_records_are_left_out(bench: Bench) -> None:
    """Bad records are left out, and the rest is accepted."""

    def valid(one: Any) -> bool:
        return any(one.get(name) for name in CONTACTS) or all(one.get(name) for name in IDENTITY)

    bench.on_body(lambda body: {"data": [one for one in body["data"] if valid(one)] or body["data"]})


@defect(f"{RECORD}/additionalProperties")
def undeclared_is_refused(bench: Bench) -> None:
    """Undeclared properties of a record are refused."""
    bench.refuse_record(lambda one: bool(one.keys() - {*FIELDS, "phone"}))


@defect(REQUEST)
def undeclared_beside_data_is_refused(bench: Bench) -> None:
    """Undeclared properties beside data are refused."""
    bench.on_body(lambda body: body, lambda body: len(body) > 1 and "data" in body)


@defect(f"{RECORD}/additionalProperties")
def nested_is_refused(bench: Bench) -> None:
    """Undeclared properties must be flat."""
    bench.refuse_record(lambda one: any(isinstance(value, dict | list) and k not in FIELDS for k, value in one.items()))


@defect(f"{RECORD}/additionalProperties")
def long_undeclared_is_refused(bench: Bench) -> None:
    """Undeclared texts are held to 255 characters, too."""
    bench.refuse_record(lambda one: len(json.dumps({k: v for k, v in one.items() if k not in FIELDS})) > 300)


@defect(ADD)
def ascii_only(bench: Bench) -> None:
    """Texts outside ASCII are refused."""
    bench.refuse_record(lambda one: any(isinstance(v, str) and not v.isascii() and len(v) < 99 for v in one.values()))


@defect(ADD)
def arabic_is_refused(bench: Bench) -> None:
    """Names in Arabic letters are refused."""
    bench.refuse_record(lambda one: any("\u0600" <= c <= "\u06ff" for c in str(one.get("firstName", ""))))


@defect(ADD)
def empty_job_titles_are_refused(bench: Bench) -> None:
    """An empty jobTitle is refused."""
    bench.refuse_record(lambda one: one.get("jobTitle") == "")


@defect(ADD)
def no_line_ends(bench: Bench) -> None:
    """Texts with a line end are refused."""
    bench.refuse_record(lambda one: any(isinstance(value, str) and "\n" in value for value in one.values()))


@defect(ADD)
def no_apostrophes(bench: Bench) -> None:
    """Names with an apostrophe are a server error."""
    bench.fail_if(lambda request: b"O'Brien" in (request.body or b""))


@defect(ADD)
def bodies_of_100_kb(bench: Bench) -> None:
    """Bodies over 100 kB are refused."""
    bench.on_request(lambda request: error(413) if len(request.body or b"") > 100_000 else request)


# --- JSON, and what it comes as ---------------------------------------------------------------------------------------


def _lenient(change: Callable[[bytes], bytes]) -> Callable[[Bench], None]:
    def lenient(request: ApiRequest) -> ApiRequest:
        return replace(request, body=change(request.body)) if request.body is not None else request

    return lambda bench: bench.on_request(lenient)


GOOD = b'{"data": [{"email": "a@example.com"}]}'
for _name, _what, _read in (
    ("nan-accepted", "NaN is accepted.", lambda raw: raw.replace(b"NaN", b"1")),
    ("infinity-accepted", "-Infinity is accepted.", lambda raw: raw.replace(b"-Infinity", b"1")),
    ("bytes-behind-the-json", "What stands behind the JSON is passed over.", lambda raw: re.sub(rb"\}x$", b"}", raw)),
    (
        "first-of-two-texts",
        "Of two JSON texts the first is read.",
        lambda raw: raw.replace(b"}]}{", b"}]}\0").split(b"\0")[0],
    ),
    ("trailing-comma", "A comma too many is accepted.", lambda raw: raw.replace(b",]", b"]")),
    ("single-quotes", "Single quotes are accepted.", lambda raw: raw.replace(b"'", b'"') if raw[:2] == b"{'" else raw),
    ("empty-body", "An empty body is accepted.", lambda raw: raw or GOOD),
    (
        "no-json-at-all",
        "Whatever is no JSON is accepted.",
        lambda raw: GOOD if raw[:1] not in b'{[n"7t \xef\xff' else raw,
    ),
    (
        "broken-off",
        "A body that breaks off is mended.",
        lambda raw: raw + b"]}" if raw[-1:] == b"}" and raw.count(b"[") > raw.count(b"]") else raw,
    ),
    ("control-characters", "A line end within a text is accepted.", lambda raw: raw.replace(b"\n@", b"@")),
    ("latin-1", "Bytes that are no UTF-8 are accepted.", lambda raw: raw.replace(b"\xff\xfe@", b"@")),
    ("no-white-space-around", "White space around the JSON is refused.", lambda raw: b"" if raw[:1].isspace() else raw),
    ("no-escapes", "Escapes are refused.", lambda raw: b"" if b"\\u0061" in raw else raw),
):
    _register(_name, _what, JSON_TEXT, _lenient(_read))

for _name, _what, _fails in (
    ("500-on-malformed-json", "Malformed JSON is a server error.", lambda raw: raw.endswith(b'"}]')),
    ("500-on-an-empty-body", "An empty body is a server error.", lambda raw: raw == b""),
    ("500-on-deep-json", "Deep JSON is a server error.", lambda raw: b"[[[[[[[[[[" in raw),
    ("500-on-utf-16", "UTF-16 is a server error.", lambda raw: raw[:2] in {b"\xff\xfe", b"\xfe\xff"}),
    ("500-on-a-byte-order-mark", "A byte order mark is a server error.", lambda raw: raw[:3] == b"\xef\xbb\xbf"),
    ("500-on-surrogates", "Half a surrogate pair is a server error.", lambda raw: b"\\ud800" in raw),
    ("500-on-long-numbers", "A long number is a server error.", lambda raw: b"9" * 5000 in raw),
    ("500-on-large-exponents", "1e999999 is a server error.", lambda raw: b"1e999999" in raw),
    ("500-on-nul", "U+0000 is a server error.", lambda raw: b"\\u0000" in raw),
    ("500-on-many-keys", "Ten thousand keys are a server error.", lambda raw: raw.count(b'"k') > 9000),
    ("500-on-proto", "The key __proto__ is a server error.", lambda raw: b"__proto__" in raw),
    ("500-on-emoji", "Emoji are a server error.", lambda raw: "\U0001f469".encode() in raw),
    ("500-on-a-list", "A body that is a list is a server error.", lambda raw: raw[:1] == b"["),
    ("500-on-null-records", "A record that is null is a server error.", lambda raw: b"[null" in raw),
    ("500-on-large-bodies", "A body of 5 MB is a server error.", lambda raw: len(raw) > 4_000_000),
    ("500-on-empty-names", "A property with an empty name is a server error.", lambda raw: b'"": ' in raw),
):

    def _failing(bench: Bench, fails: Callable[[bytes], bool] = _fails) -> None:
        bench.fail_if(lambda request: fails(request.body if request.body is not None else b"x" * 5_000_000))

    _register(_name, _what, f"{ERRORS}; {SERVERS}", _failing)


def _typed(judge: Callable[[str], str]) -> Callable[[Bench], None]:
    """Read another content type than was sent."""

    def changed(request: ApiRequest) -> ApiRequest:
        sent = next(iter(request.all("content-type")), "")
        return replace(request, headers=with_header(request.headers, "content-type", judge(sent) or None))

    return lambda bench: bench.on_request(changed)


for _name, _what, _judge in (
    ("any-content-type", "Any content type is accepted.", lambda _: RIGHT),
    ("text-is-json", "text/plain is accepted.", lambda kind: RIGHT if kind == "text/plain" else kind),
    ("multipart-is-json", "multipart/form-data is accepted.", lambda kind: RIGHT if "multipart" in kind else kind),
    ("forms-are-json", "Forms are accepted.", lambda kind: RIGHT if "form" in kind else kind),
    (
        "charset-refused",
        "application/json with a charset is refused.",
        lambda kind: "x/y" if "charset" in kind else kind,
    ),
    ("capitals-refused", "Application/JSON is refused.", lambda kind: "x/y" if kind[:1] == "A" else kind),
):
    _register(_name, _what, ADD, _typed(_judge))


@defect(ERRORS)
def _500_on_other_content_types(bench: Bench) -> None:
    """Another content type is a server error."""
    bench.fail_if(lambda request: RIGHT not in "".join(request.all("content-type")).lower())


# --- Statuses and bodies of errors ------------------------------------------------------------------------------------


def _restated(status: int, other: int) -> Callable[[Bench], None]:
    return lambda bench: bench.on_status(status, lambda reply: replace(reply, status=other))


for _status, _other, _source in (
    (200, 201, ADD),
    (200, 202, ADD),
    (200, 204, ADD),
    (400, 422, ERRORS),
    (400, 404, ERRORS),
    (401, 403, AUTH),
    (401, 400, AUTH),
    (404, 403, ERRORS),
    (404, 400, ERRORS),
    (404, 410, ERRORS),
    (429, 503, LIMITS),
    (429, 403, LIMITS),
    (400, 200, ERRORS),
    (404, 200, ERRORS),
    (404, 500, ERRORS),
    (400, 500, ERRORS),
    (401, 500, ERRORS),
):
    _register(f"{_other}-for-{_status}", f"{_other} is answered for {_status}.", _source, _restated(_status, _other))


def _answering(status: int, change: Callable[[ApiReply], ApiReply]) -> Callable[[Bench], None]:
    return lambda bench: bench.on_status(status, change)


for _status in IDENTIFIERS:
    if _status == 403:
        continue
    for _name, _what, _bodied_as in (
        ("without-message", "has no message", lambda reply: replace(reply, body=b'{"error": "%s"}' % _code(reply))),
        ("without-error", "has no error", lambda reply: replace(reply, body=b'{"message": "No"}')),
        ("with-another-identifier", "has another identifier", lambda reply: _bodied(reply, error="Oops")),
        ("as-html", "is a page of HTML", lambda reply: _typed_reply(reply, "text/html", b"<h1>No</h1>")),
        ("as-text", "is sent as text", lambda reply: _typed_reply(reply, "text/plain", reply.body)),
        ("with-a-number", "has a number for its message", lambda reply: _bodied(reply, message=1)),
        ("nested", "has its texts one level deeper", lambda reply: replace(reply, body=b'{"error": %s}' % reply.body)),
    ):
        _register(
            f"{_status}-{_name}",
            f"The body of a {_status} {_what}.",
            ERROR,
            _answering(_status, _bodied_as),
        )


def _code(reply: ApiReply) -> bytes:
    return IDENTIFIERS[reply.status].encode()


def _bodied(reply: ApiReply, **changes: Any) -> ApiReply:
    return replace(reply, body=json.dumps({**json.loads(reply.body), **changes}).encode())


def _typed_reply(reply: ApiReply, kind: str, body: bytes) -> ApiReply:
    return replace(reply, headers=with_header(reply.headers, "Content-Type", kind), body=body)


@defect(ERROR)
def _400_in_latin_1(bench: Bench) -> None:
    """The body of a 400 is sent in Latin-1."""
    bench.on_status(
        400,
        lambda reply: replace(reply, body='{"error": "ValidationError", "message": "Ung\u00fcltig"}'.encode("latin-1")),
    )


@defect(ERRORS)
def _418_for_nan(bench: Bench) -> None:
    """A body with NaN is answered 418."""
    bench.on_reply(
        lambda r, reply: replace(reply, status=418) if b"NaN" in (r.body or b"") and reply.status == 400 else reply
    )


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_bodies_of_8_kb(bench: Bench) -> None:
    """A body between 6 and 9 kB is a server error."""
    bench.fail_if(lambda r: 6_000 < len(r.body or b"") < 9_000)


@defect(ERRORS)
def errors_with_200(bench: Bench) -> None:
    """Every error is sent with the status 200."""
    bench.on_reply(lambda _, reply: replace(reply, status=200) if reply.status >= 400 else reply)


@defect(ERRORS)
def _418_for_unknown_paths(bench: Bench) -> None:
    """A 400 for a malformed id is a 418."""
    bench.on_reply(lambda request, reply: replace(reply, status=418) if "/campaign/" in request.path else reply)


@defect(ERRORS)
def an_error_in_a_success(bench: Bench) -> None:
    """A 200 for twenty records holds an error."""
    told = b'{"error": "ValidationError", "message": "Some were refused"}'
    bench.on_reply(
        lambda r, reply: replace(reply, body=told) if reply.status == 200 and (r.body or b"").count(b"@") > 9 else reply
    )


def _silent(bench: Bench, silent: Callable[[Request], bool]) -> None:
    """Never answer such requests."""

    def wrap(send: Send) -> Send:
        def hanging(sent: Request, seconds: float, fresh: bool) -> Response:  # noqa: FBT001 - the signature of `Send`
            got = send(sent, seconds, fresh)
            return (
                Response(NO_RESPONSE, at=got.at, trouble=f"no response within {seconds:g} s") if silent(sent) else got
            )

        return hanging

    bench.on_wire(wrap)


@defect(SERVERS)
def hangs_on_large_bodies(bench: Bench) -> None:
    """A body between 6 and 9 kB is never answered."""
    _silent(bench, lambda sent: 6_000 < len(sent.body or b"") < 9_000)


@defect(SERVERS)
def hangs_on_large_batches(bench: Bench) -> None:
    """A call of more than ninety records is never answered."""
    _silent(bench, lambda sent: (sent.body or b"").count(b"@") > 90)


# --- Who is calling ---------------------------------------------------------------------------------------------------


def _let_in(trusts: Callable[[ApiRequest], bool]) -> Callable[[Bench], None]:
    """Let everybody in whom a function trusts."""
    return lambda bench: bench.on_request(lambda request: authorized(request) if trusts(request) else request)


def _word(request: ApiRequest) -> str:
    return raw_authorization(request).rpartition(" ")[2]


for _name, _what, _trusts in (
    (
        "no-authentication",
        "Nobody is asked for a token.",
        lambda request: bearer(request) not in {"test-token-2", "other-token"},
    ),
    (
        "any-bearer",
        "Any bearer token is accepted.",
        lambda r: (
            bool(re.match("(?i)bearer .", raw_authorization(r))) and bearer(r) not in {"test-token-2", "other-token"}
        ),
    ),
    ("raw-token", "The token without Bearer is accepted.", lambda request: raw_authorization(request) == TOKEN),
    ("any-scheme", "The token is accepted with any scheme.", lambda request: bearer(request) == TOKEN),
    (
        "basic-scheme",
        "Basic and the token are accepted.",
        lambda request: raw_authorization(request) == f"Basic {TOKEN}",
    ),
    ("colon-behind-bearer", "Bearer: is accepted.", lambda request: raw_authorization(request) == f"Bearer: {TOKEN}"),
    (
        "bearer-without-a-space",
        "Bearer and the token may be one word.",
        lambda r: raw_authorization(r) == f"Bearer{TOKEN}",
    ),
    ("substring-of-the-token", "A part of a token is enough.", lambda r: len(bearer(r)) > 3 and bearer(r) in TOKEN),
    (
        "token-begins-right",
        "What begins with a token is accepted.",
        lambda r: bearer(r).startswith(TOKEN) and "-2" not in bearer(r),
    ),
    ("token-ends-right", "What ends with a token is accepted.", lambda request: bearer(request).endswith(TOKEN)),
    (
        "token-is-somewhere",
        "A header that holds a token is accepted.",
        lambda r: TOKEN in raw_authorization(r) and "-2" not in raw_authorization(r),
    ),
    ("token-in-any-case", "Tokens are compared without case.", lambda request: bearer(request).lower() == TOKEN),
    (
        "token-by-its-beginning",
        "The first five characters of a token are enough.",
        lambda r: bearer(r)[:5] == TOKEN[:5] and "-2" not in bearer(r),
    ),
    (
        "empty-bearer",
        "Bearer without a token is accepted.",
        lambda request: raw_authorization(request).strip().lower() == "bearer",
    ),
    (
        "empty-authorization",
        "An empty Authorization is accepted.",
        lambda request: request.all("authorization") == [""],
    ),
    ("asterisk-is-a-token", "The token * is accepted.", lambda request: bearer(request) == "*"),
    ("null-is-a-token", "The token null is accepted.", lambda request: bearer(request) == "null"),
    ("token-in-the-query", "A token in the query is accepted.", lambda request: TOKEN in request.query),
    ("token-in-a-cookie", "A token in a cookie is accepted.", lambda request: TOKEN in "".join(request.all("cookie"))),
    ("token-in-x-api-key", "A token in X-API-Key is accepted.", lambda request: request.all("x-api-key") == [TOKEN]),
    ("twice-the-token", "The token twice is accepted.", lambda request: bearer(request) == TOKEN * 2),
):
    _register(_name, _what, AUTH, _let_in(_trusts))


@defect(f"{HTTP}, 11.1")
def lower_case_bearer_refused(bench: Bench) -> None:
    """The word bearer must have a capital."""
    bench.on_request(lambda r: error(401) if raw_authorization(r)[:6] == "bearer" else r)


@defect(f"{HTTP}, 11.1")
def capital_bearer_refused(bench: Bench) -> None:
    """The word BEARER is refused."""
    bench.on_request(lambda r: error(401) if raw_authorization(r)[:6] == "BEARER" else r)


@defect(AUTH)
def validates_before_it_authenticates(bench: Bench) -> None:
    """A bad body is answered 400 before the token is looked at."""

    def early(request: ApiRequest) -> ApiRequest | ApiReply:
        return error(400) if request.body in {b'{"data": []}', b"{"} else request

    bench.on_request(early)


@defect(AUTH)
def looks_up_before_it_authenticates(bench: Bench) -> None:
    """An unknown campaign is answered 404 before the token is looked at."""
    bench.on_request(
        lambda r: (
            error(404)
            if r.path.startswith("/v1/campaigns/") and CAMPAIGN not in r.path.lower() and not r.all("authorization")
            else r
        )
    )


@defect(AUTH)
def sticky_on_a_connection(bench: Bench) -> None:
    """Who has authenticated once on a connection need not do so again."""
    before: list[Request] = []

    def wrap(send: Send) -> Send:
        def sticky(sent: Request, seconds: float, fresh: bool) -> Response:  # noqa: FBT001 - the signature of `Send`
            last, trusted = before[-1:], ("Authorization", f"Bearer {TOKEN}")
            before.append(sent)
            same = bool(last) and trusted in last[0].headers and last[0].body == b'{"data": []}'
            if same and not fresh and sent.headers == (("Content-Type", RIGHT),) and "?" not in sent.path:
                sent = replace(sent, headers=(trusted, *sent.headers))
            return send(sent, seconds, fresh)

        return sticky

    bench.on_wire(wrap)


@defect("no answer may repeat a credential")
def repeats_the_token(bench: Bench) -> None:
    """The message of a 401 repeats the token."""
    bench.on_reply(lambda r, reply: _bodied(reply, message=f"{bearer(r)} is unknown") if reply.status == 401 else reply)


@defect("no answer may repeat a credential")
def repeats_the_token_in_a_header(bench: Bench) -> None:
    """A header of the 401 repeats the token."""
    bench.on_reply(
        lambda r, reply: (
            replace(reply, headers=(*reply.headers, ("X-Token", bearer(r)))) if reply.status == 401 else reply
        )
    )


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_odd_tokens(bench: Bench) -> None:
    """A token outside ASCII is a server error."""
    bench.on_request(lambda request: request if raw_authorization(request).isascii() else error(500))


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_long_tokens(bench: Bench) -> None:
    """A long token is a server error."""
    bench.on_request(lambda request: request if len(raw_authorization(request)) < 5000 else error(500))


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_two_headers(bench: Bench) -> None:
    """Two Authorization headers are a server error."""
    bench.on_request(lambda request: request if len(request.all("authorization")) < 2 else error(500))


@defect(AUTH)
def odd_tokens_are_accepted(bench: Bench) -> None:
    """A token with quotation marks is accepted."""
    bench.on_request(lambda request: authorized(request) if "'" in raw_authorization(request) else request)


# --- What there is ----------------------------------------------------------------------------------------------------


def _elsewhere(known: Callable[[str], bool]) -> Callable[[Bench], None]:
    """Take other ids for the known campaign's."""

    def changed(request: ApiRequest) -> ApiRequest:
        found = re.fullmatch(r"(/v1/campaigns/)([^/]*)(/prospects)", request.path)
        if found and bearer(request) == TOKEN and known(found[2]):
            return replace(request, path=found[1] + CAMPAIGN + found[3])
        return request

    return lambda bench: bench.on_request(changed)


for _name, _what, _known in (
    (
        "unknown-campaigns-accepted",
        "Unknown campaigns are accepted.",
        lambda one: (
            re.fullmatch("[0-9a-fA-F-]{36}", one) is not None and one != FOREIGN_CAMPAIGN and one[:8] != "5b1c7d0e"
        ),
    ),
    (
        "last-digit-passed-over",
        "The last digit of an id is passed over.",
        lambda one: one[:-1] == CAMPAIGN[:-1] and len(one) == 36,
    ),
    ("first-digit-passed-over", "The first digit of an id is passed over.", lambda one: one[1:] == CAMPAIGN[1:]),
    (
        "malformed-ids-accepted",
        "Ids that are no UUIDs are accepted.",
        lambda one: not re.fullmatch("[0-9a-fA-F-]{36}", one),
    ),
    ("id-by-its-beginning", "The beginning of an id is enough.", lambda one: CAMPAIGN.startswith(one) and len(one) > 9),
    ("what-begins-with-an-id", "What begins with an id is accepted.", lambda one: one.startswith(CAMPAIGN)),
    ("foreign-campaigns-accepted", "Campaigns of other accounts are accepted.", lambda one: one == FOREIGN_CAMPAIGN),
):
    _register(_name, _what, ERRORS, _elsewhere(_known))


@defect(ERRORS)
def anybody_may_use_our_campaign(bench: Bench) -> None:
    """A token of another account may add to a campaign."""
    bench.on_request(lambda r: authorized(r) if bearer(r) == "other-token" and CAMPAIGN in r.path else r)


@defect(ERRORS)
def foreign_campaigns_are_forbidden(bench: Bench) -> None:
    """A campaign of another account is answered 403, which tells that it exists."""
    bench.on_reply(
        lambda r, reply: (
            error(403) if FOREIGN_CAMPAIGN in r.path and bearer(r) == TOKEN and reply.status == 404 else reply
        )
    )


@defect("RFC 9562, 4")
def ids_in_capitals_refused(bench: Bench) -> None:
    """The id in capitals is unknown."""
    bench.on_reply(lambda r, reply: error(404) if CAMPAIGN.upper() in r.path and reply.status == 200 else reply)


@defect(ERRORS)
def known_campaigns_are_unknown(bench: Bench) -> None:
    """The campaign is answered 404."""
    bench.on_reply(lambda r, reply: error(404) if CAMPAIGN in r.path and reply.status == 200 else reply)


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_malformed_ids(bench: Bench) -> None:
    """An id that is no UUID is a server error."""
    bench.fail_if(lambda request: "/campaigns/campaign/" in request.path)


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_quotation_marks_in_ids(bench: Bench) -> None:
    """A quotation mark in an id is a server error."""
    bench.fail_if(lambda request: "'" in request.path)


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_escapes_in_ids(bench: Bench) -> None:
    """%00 in an id is a server error."""
    bench.fail_if(lambda request: "%00" in request.path)


@defect("openapi.yaml#/paths")
def what_is_behind_the_path_is_passed_over(bench: Bench) -> None:
    """Something behind the path is passed over."""
    bench.on_request(lambda request: replace(request, path=re.sub("/prospects.+", "/prospects", request.path)))


@defect("openapi.yaml#/servers")
def any_version(bench: Bench) -> None:
    """Every version is the first."""
    bench.on_request(lambda request: replace(request, path=re.sub("^/v[0-9]", "/v1", request.path)))


@defect("openapi.yaml#/paths")
def paths_in_any_case(bench: Bench) -> None:
    """The path may be in capitals."""
    bench.on_request(lambda request: replace(request, path=request.path.replace("/Prospects", "/prospects")))


@defect("openapi.yaml#/paths")
def a_campaign_need_not_be_named(bench: Bench) -> None:
    """Without an id the first campaign is meant."""
    bench.on_request(
        lambda r: replace(r, path=r.path.replace("/campaigns/prospects", f"/campaigns/{CAMPAIGN}/prospects"))
    )


def _method_is_answered(method: str) -> Callable[[Bench], None]:
    done = ApiReply(200, (("Content-Type", RIGHT),), b"{}")
    return lambda bench: bench.on_reply(lambda r, reply: done if r.method == method and reply.status == 405 else reply)


for _name in ("GET", "PUT", "PATCH", "DELETE"):
    _register(
        f"{_name.lower()}-is-answered-200",
        f"{_name} is answered 200.",
        f"{HTTP}, 15.5.6",
        _method_is_answered(_name),
    )


@defect(f"{HTTP}, 15.5.6")
def _405_without_allow(bench: Bench) -> None:
    """A 405 has no Allow."""
    bench.on_status(405, lambda reply: replace(reply, headers=with_header(reply.headers, "Allow", None)))


@defect(f"{HTTP}, 15.5.6")
def put_with_a_body_is_answered_200(bench: Bench) -> None:
    """PUT is answered 200 if it has a body."""
    done = ApiReply(200, (("Content-Type", RIGHT),), b"{}")
    bench.on_reply(lambda r, reply: done if r.method == "PUT" and r.body and reply.status == 405 else reply)


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_long_numbers_in_json(bench: Bench) -> None:
    """A long number is a server error once the JSON is read."""
    bench.fail_if(lambda r: b"9" * 5000 in (r.body or b"") and (r.body or b"").endswith(b"}]}"))


@defect(f"{HTTP}, 15.5.6")
def allow_without_post(bench: Bench) -> None:
    """The Allow of a 405 does not name POST."""
    bench.on_status(405, lambda reply: replace(reply, headers=with_header(reply.headers, "Allow", "GET, HEAD")))


@defect(f"{ERRORS}; {SERVERS}")
def _500_on_get(bench: Bench) -> None:
    """GET is a server error."""
    bench.on_request(lambda request: error(500) if request.method == "GET" else request)


# --- Connections ------------------------------------------------------------------------------------------------------


def _on_the_wire(breaks: Callable[[Request, Request | None], Response | None]) -> Callable[[Bench], None]:
    """Answer otherwise, by a request and the one before it on the connection."""

    def build(bench: Bench) -> None:
        before: list[Request] = []

        def wrap(send: Send) -> Send:
            def wired(sent: Request, seconds: float, fresh: bool) -> Response:  # noqa: FBT001 - the signature of `Send`
                last = before[-1] if before and not fresh else None
                before.append(sent)
                found = breaks(sent, last)
                return send(sent, seconds, fresh) if found is None else replace(found, at=bench.provider.time())

            return wired

        bench.on_wire(wrap)

    return build


def _plain(status: int) -> Response:
    return Response(status, (("content-type", RIGHT),), error(status).body)


for _name, _what, _breaks in (
    (
        "chunked-is-refused",
        "A chunked body is taken for none.",
        lambda sent, _: _plain(400) if sent.framing == "chunked" else None,
    ),
    (
        "chunked-is-500",
        "A chunked body is a server error.",
        lambda sent, _: _plain(500) if sent.framing == "chunked" else None,
    ),
    (
        "long-body-is-accepted",
        "Of a body longer than its length the beginning is mended.",
        lambda sent, _: Response(200) if sent.framing == "long" else None,
    ),
    (
        "short-body-is-accepted",
        "A body shorter than its length is accepted.",
        lambda sent, _: Response(200) if sent.framing == "short" else None,
    ),
    (
        "short-body-is-500",
        "A body shorter than its length is a server error.",
        lambda sent, _: _plain(500) if sent.framing == "short" else None,
    ),
    (
        "rest-of-a-body-is-a-request",
        "What was not read of a refused body is taken for the next request.",
        lambda sent, last: (
            _plain(400) if last is not None and last.body == b'{"data": [' and b"@" in (sent.body or b"") else None
        ),
    ),
):
    _register(_name, _what, "RFC 9112", _on_the_wire(_breaks))


# --- The store --------------------------------------------------------------------------------------------------------


def _stored(change: Callable[[list[Any]], list[Any]]) -> Callable[[Bench], None]:
    """Store something else than was sent."""
    return lambda bench: bench.on_stored(change)


for _name, _what, _keep in (
    ("loses-the-last", "Nineteen of twenty are stored.", lambda records: records[:19]),
    ("stores-twice", "Everything is stored twice.", lambda records: records * 2),
    ("reverses", "Prospects are stored in another order.", lambda records: records[::-1]),
    (
        "rounds-numbers",
        "Long numbers are rounded.",
        lambda records: [{**one, "n": float(one["n"])} if isinstance(one.get("n"), int) else one for one in records],
    ),
    (
        "drops-undeclared",
        "Undeclared fields are not stored.",
        lambda records: [{k: v for k, v in one.items() if k in FIELDS} for one in records],
    ),
    (
        "trims-names",
        "Names are changed before they are stored.",
        lambda records: [{**one, "firstName": str(one.get("firstName")).upper()} for one in records],
    ),
):
    _register(_name, _what, SERVERS, _stored(_keep))


@defect(ADD)
def stores_what_it_refuses(bench: Bench) -> None:
    """The good records of a refused batch are stored."""

    def storing(request: ApiRequest, reply: ApiReply) -> ApiReply:
        if reply.status == 400 and (request.body or b"").count(b"@") > 10:
            records = [one for one in json.loads(request.body or b"")["data"] if one.get("email")]
            batch = Batch(json.dumps({"data": records}).encode(), "data", len(records))
            with bench.mock.store.transaction("acme") as transaction:
                transaction.submit(CAMPAIGN, batch)
        return reply

    bench.on_reply(storing)


# --- Limits -----------------------------------------------------------------------------------------------------------

_register("no-limit", "There is no limit.", LIMITS, lambda bench: bench.limit(10**6))
_register("limit-11", "Eleven requests are accepted.", LIMITS, lambda bench: bench.limit(11))
_register("limit-9", "Nine requests are accepted.", LIMITS, lambda bench: bench.limit(9))
_register("limit-20", "Twenty requests are accepted.", LIMITS, lambda bench: bench.limit(20))
_register("limit-of-a-token", "Each token has its own quota.", LIMITS, lambda bench: bench.limiter_by(bearer))
_register(
    "limit-of-a-campaign", "Each campaign has its own quota.", LIMITS, lambda bench: bench.limiter_by(lambda r: r.path)
)


def _reporting(change: Callable[[Decision], Decision], seconds: int) -> Spend:
    """Return a limiter with windows of another length, whose decisions are changed."""

    def changed(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        real = [(name, Limit(limit.requests, seconds)) for name, limit in limits]
        decision = spend(transaction, caller, real, now)
        if decision is None:
            return None
        told = next(limit for _, limit in limits if limit.requests == decision.limit.requests)
        return change(replace(decision, limit=told))

    return changed


for _name, _what, _seconds, _told in (
    ("window-of-30-s", "The window is half as long as is told.", 30, lambda one: replace(one, reset=one.reset + 30)),
    (
        "window-of-65-s",
        "The window is five seconds longer than is told.",
        65,
        lambda one: replace(one, reset=max(1, one.reset - 5)),
    ),
    (
        "window-of-61-s",
        "The window is a second longer than is told.",
        61,
        lambda one: replace(one, reset=max(1, one.reset - 1)),
    ),
    ("window-of-57-s", "The window ends three seconds early.", 57, lambda one: replace(one, reset=one.reset + 3)),
    ("window-never-ends", "The window never ends.", 10**6, lambda one: replace(one, reset=60)),
    (
        "retry-after-in-milliseconds",
        "Retry-After is in milliseconds.",
        60,
        lambda one: replace(one, reset=one.reset * 1000),
    ),
    ("retry-after-0", "Retry-After is 0.", 60, lambda one: replace(one, reset=0)),
    ("retry-after-is-always-60", "Retry-After does not count down.", 60, lambda one: replace(one, reset=60)),
    (
        "reset-is-a-time",
        "RateLimit-Reset is a time of the clock.",
        60,
        lambda one: replace(one, reset=one.reset + 1_767_225_600),
    ),
    ("remaining-stands-still", "RateLimit-Remaining stands still.", 60, lambda one: replace(one, remaining=9)),
    (
        "remaining-by-two",
        "RateLimit-Remaining goes down by two.",
        60,
        lambda one: replace(one, remaining=max(0, 2 * one.remaining - 10)),
    ),
    (
        "remaining-one-too-many",
        "RateLimit-Remaining is one too many.",
        60,
        lambda one: replace(one, remaining=one.remaining + 1),
    ),
    (
        "remaining-on-429",
        "RateLimit-Remaining of a 429 is 1.",
        60,
        lambda one: one if one.allowed else replace(one, remaining=1),
    ),
    (
        "limit-told-wrong",
        "RateLimit-Limit is another than the limit.",
        60,
        lambda one: replace(one, limit=Limit(20, 60)),
    ),
):

    def _ticking(bench: Bench, seconds: int = _seconds, told: Callable[[Decision], Decision] = _told) -> None:
        bench.spend = _reporting(told, seconds)

    _register(_name, _what, LIMITS, _ticking)


@defect(LIMITS)
def no_limit_and_no_headers(bench: Bench) -> None:
    """There is no limit, and no header tells of one."""
    bench.limit(10**6)
    _few_headers(lambda _: False)(bench)


@defect(LIMITS)
def nine_and_ten_told(bench: Bench) -> None:
    """Nine are accepted, and ten are told once it is over."""
    bench.limit(9)
    bench.on_reply(_as_ten)


def _as_ten(_: ApiRequest, reply: ApiReply) -> ApiReply:
    if reply.status != 429:
        return replace(reply, headers=tuple(pair for pair in reply.headers if not pair[0].startswith("RateLimit-")))
    headers = with_header(reply.headers, "RateLimit-Limit", "10")
    return replace(reply, headers=with_header(headers, "RateLimit-Policy", "10;w=60"))


def _extended(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
    decision = spend(transaction, caller, limits, now)
    if decision and not decision.allowed:
        for name, _ in limits:
            window = transaction.window(name)
            if window:
                transaction.set_window(name, Window(now, window.used))
    return decision


@defect(LIMITS)
def refused_calls_extend_the_window(bench: Bench) -> None:
    """Calls that are refused extend the window."""
    bench.spend = _extended


def _counting(windows: dict[Any, Window], key: Callable[[str, str], Any], limits: Limits, now: int) -> Decision | None:
    """Count in windows outside the store; the key is made of an account and the name of a limit."""
    decision = None
    for name, limit in limits:
        windows[key("", name)], decision = hit(limit, windows.get(key("", name)), now)
        if not decision.allowed:
            break
    return decision


def _everybody() -> Spend:
    """Return a limiter with one quota for all accounts."""
    windows: dict[Any, Window] = {}
    return lambda _transaction, _caller, limits, now: _counting(windows, lambda _, name: name, limits, now)


@defect(LIMITS)
def limit_of_everybody(bench: Bench) -> None:
    """All accounts share one quota."""
    bench.spend = _everybody()


@defect(LIMITS)
def not_atomic(bench: Bench) -> None:
    """Requests at the same time are counted as one, as by a counter in a database without a transaction."""
    windows: dict[Any, Window] = {}
    seen = threading.local()

    def wrap(handle: Handle) -> Handle:
        def wrapped(request: ApiRequest, transport: str) -> Outcome:
            seen.windows = dict(windows)
            time.sleep(0.005)  # what a database takes, in which others read what was there before
            return handle(request, transport)

        return wrapped

    def racing(_transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        decision = _counting(seen.windows, lambda _, name: (caller.account, name), limits, now)
        windows.update(seen.windows)
        return decision

    bench.around(wrap)
    bench.spend = racing


@defect(LIMITS)
def bad_requests_reset_the_quota(bench: Bench) -> None:
    """After a 429 a request with a second token makes the quota whole again."""

    def resetting(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        if caller.user == bench.mock.seed.tokens["test-token-2"].user:
            for name, _ in limits:
                transaction.set_window(name, Window(0, 0))
        return spend(transaction, caller, limits, now)

    bench.spend = resetting


@defect(LIMITS)
def strangers_use_the_quota_up(bench: Bench) -> None:
    """Requests of another account are refused while ours is used up."""
    bench.spend = _everybody()


def _with(header: str, value: str | None) -> Callable[[ApiReply], ApiReply]:
    return lambda reply: replace(reply, headers=with_header(reply.headers, header, value))


for _name, _what, _header, _value in (
    ("429-without-retry-after", "A 429 has no Retry-After.", "Retry-After", None),
    ("429-without-reset", "A 429 has no RateLimit-Reset.", "RateLimit-Reset", None),
    ("429-without-policy", "A 429 has no RateLimit-Policy.", "RateLimit-Policy", None),
    ("429-without-remaining", "A 429 has no RateLimit-Remaining.", "RateLimit-Remaining", None),
    ("429-without-limit", "A 429 has no RateLimit-Limit.", "RateLimit-Limit", None),
    ("retry-after-in-words", "Retry-After is a text.", "Retry-After", "soon"),
    ("retry-after-negative", "Retry-After is negative.", "Retry-After", "-5"),
    ("reset-with-a-fraction", "RateLimit-Reset has a fraction.", "RateLimit-Reset", "59.5"),
    ("policy-of-another-window", "RateLimit-Policy tells another window.", "RateLimit-Policy", "10;w=3600"),
    ("policy-in-words", "RateLimit-Policy is a text.", "RateLimit-Policy", "10 per minute"),
):
    _register(
        _name,
        _what,
        LIMITS,
        _answering(429, _with(_header, _value)),
    )


def _list_campaigns(bench: Bench, limits: Limits) -> None:
    """Answer GET /campaigns, as the vendor does, within limits."""
    windows: dict[Any, Window] = {}

    def listing(request: ApiRequest) -> ApiRequest | ApiReply:
        if (request.method, request.path) != ("GET", "/v1/campaigns"):
            return request
        token = bench.mock.seed.tokens.get(bearer(request))
        if token is None:
            return error(401)
        now, account = bench.mock.clock.time_ns(), token.accounts[0]
        decision = _counting(windows, lambda _, name: (account, name), limits, now)
        headers = decision.headers() if decision else ()
        reply = ApiReply(200, (("Content-Type", RIGHT),), b'{"data": [], "hasMore": false}')
        reply = reply if decision is None or decision.allowed else error(429)
        return replace(reply, headers=(*reply.headers, *headers))

    bench.on_request(listing)


ALL = ("account", Limit(100, 60))
_register(
    "no-limit-over-all", "There is no limit over all operations.", LIMITS, lambda bench: _list_campaigns(bench, [])
)
_register(
    "101-over-all",
    "Over all operations 101 requests are accepted.",
    LIMITS,
    lambda bench: _list_campaigns(bench, [("account", Limit(101, 60))]),
)


# --- Legal variants ---------------------------------------------------------------------------------------------------

OPEN = "open: mock_server/contract/assumptions.yaml, "


@variant(f"{OPEN}error-message")
def other_messages(bench: Bench) -> None:
    """Messages of errors are others, and in another language."""
    bench.on_reply(
        lambda _, reply: _bodied(reply, message="Nein \u2013 so nicht") if reply.status in IDENTIFIERS else reply
    )


@variant("open: extra members in error bodies")
def more_members(bench: Bench) -> None:
    """Bodies of errors have more members."""
    bench.on_reply(
        lambda _, reply: _bodied(reply, code=7, details=[{"a": None}]) if reply.status in IDENTIFIERS else reply
    )


@variant(f"{OPEN}response-headers")
def with_a_charset(bench: Bench) -> None:
    """Answers name their charset."""
    bench.on_reply(
        lambda _, reply: replace(
            reply, headers=with_header(reply.headers, "Content-Type", "application/json; charset=utf-8")
        )
    )


def _succeeding(kind: str, body: bytes) -> Callable[[Bench], None]:
    return _answering(200, lambda reply: _typed_reply(reply, kind, body))


for _name, _what, _kind, _body in (
    ("success-without-a-body", "empty", RIGHT, b""),
    ("success-as-text", "a text", "text/plain", b"OK"),
    ("success-as-a-list", "a list", RIGHT, b'[{"id": 1}]'),
    ("success-as-html", "a page of HTML", "text/html", b"<p>Thank you</p>"),
    ("success-with-a-count", "an object", RIGHT, b'{"success": true, "added": 20, "message": "Prospects added"}'),
):
    _register(
        _name,
        f"The body of a 200 is {_what}.",
        f"{OPEN}success-body",
        _succeeding(_kind, _body),
        legal=True,
    )


def _blank(bench: Bench) -> None:
    def change(schemas: Any) -> None:
        for way in schemas["ContactOrIdentity"]["anyOf"]:
            for name in way["properties"]:
                way["properties"][name].pop("pattern", None)

    bench.schema(change)


_register("white-space-is-a-contact", "White space is a contact.", f"{OPEN}blank-contact", _blank, legal=True)


@variant(f"{OPEN}phone-type")
def phone_of_any_type(bench: Bench) -> None:
    """A phone may be a number."""

    def change(schemas: Any) -> None:
        del schemas["ProspectRecord"]["properties"]["phone"]["type"]
        schemas["ContactOrIdentity"]["anyOf"][2]["properties"]["phone"] = {"not": {"enum": ["", None]}}

    bench.schema(change)


@variant(f"{OPEN}phone-type")
def short_phones(bench: Bench) -> None:
    """A phone has at most 255 characters."""
    bench.schema(lambda schemas: schemas["ProspectRecord"]["properties"]["phone"].update(maxLength=255))


@variant(f"{OPEN}malformed-id")
def malformed_ids_are_404(bench: Bench) -> None:
    """A malformed id is answered 404."""

    def judged(request: ApiRequest, reply: ApiReply) -> ApiReply:
        found = re.fullmatch(r"/v1/campaigns/([^/]*)/prospects", request.path)
        malformed = found and not re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", found[1])
        return error(404) if malformed and reply.status == 400 else reply

    bench.on_reply(judged)


@variant(f"{OPEN}content-type")
def other_types_are_415(bench: Bench) -> None:
    """Another content type is answered 415."""
    unsupported = ApiReply(415, (("Content-Type", "text/plain"),), b"Unsupported")
    bench.on_reply(
        lambda r, reply: (
            unsupported if reply.status == 400 and RIGHT not in "".join(r.all("content-type")).lower() else reply
        )
    )


@variant(f"{OPEN}check-order")
def looks_up_before_it_validates(bench: Bench) -> None:
    """An unknown campaign is answered 404 even if the body is bad."""
    ids = [value["id"] for _, _, value in AltaMock().seed.objects()]
    bench.on_reply(
        lambda r, reply: error(404) if reply.status == 400 and not any(one in r.path.lower() for one in ids) else reply
    )


@variant(f"{OPEN}wrong-method")
def other_methods_are_404(bench: Bench) -> None:
    """Another method is answered 404."""
    bench.on_status(405, lambda _: error(404))


@variant(f"{OPEN}wrong-method")
def _405_as_text(bench: Bench) -> None:
    """A 405 has a body that is no JSON, and Allow."""
    bench.on_status(405, lambda reply: _typed_reply(reply, "text/html", b"<h1>Method Not Allowed</h1>"))


@variant(f"{OPEN}duplicate-keys")
def the_first_key_counts(bench: Bench) -> None:
    """Of a key that stands twice the first value counts."""

    def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(pairs))

    def changed(request: ApiRequest) -> ApiRequest:
        if (request.body or b"").count(b'"email"') != 2 or b"nul" in (request.body or b""):
            return request
        try:
            return replace(request, body=json.dumps(json.loads(request.body or b"", object_pairs_hook=first)).encode())
        except ValueError:
            return request

    bench.on_request(changed)


@variant(f"{OPEN}json-text")
def half_surrogates_are_accepted(bench: Bench) -> None:
    """Half a surrogate pair is accepted."""
    bench.on_request(lambda r: replace(r, body=re.sub(rb"\\ud800(?!\\ud)", b"?", r.body)) if r.body else r)


@variant(f"{OPEN}json-text")
def utf_16_is_accepted(bench: Bench) -> None:
    """A body in UTF-16, and one with a byte order mark, is read."""

    def read(request: ApiRequest) -> ApiRequest:
        raw = request.body or b""
        coding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
        try:
            return replace(request, body=raw.decode(coding).encode()) if raw[:1] in b"\xff\xfe\xef" and raw else request
        except UnicodeError:
            return request

    bench.on_request(read)


@variant(f"{OPEN}path-form")
def slashes_do_not_matter(bench: Bench) -> None:
    """A trailing or a doubled slash does not matter."""
    bench.on_request(lambda request: replace(request, path=re.sub("/+", "/", request.path).rstrip("/") or "/"))


@variant(f"{OPEN}duplicates")
def duplicates_are_stored_once(bench: Bench) -> None:
    """A prospect that stands twice in a batch is stored once."""

    def keep(records: list[Any]) -> list[Any]:
        return list({json.dumps(one, default=str): one for one in records}.values())

    bench.on_stored(keep)


@variant(f"{OPEN}response-headers")
def _401_without_www_authenticate(bench: Bench) -> None:
    """A 401 has no WWW-Authenticate."""
    bench.on_status(401, lambda reply: replace(reply, headers=with_header(reply.headers, "WWW-Authenticate", None)))


@variant("open: Retry-After as seconds or date")
def retry_after_as_a_date(bench: Bench) -> None:
    """Retry-After is a date."""

    def dated(reply: ApiReply) -> ApiReply:
        now = bench.mock.clock.time_ns() // SECOND
        date = formatdate(now + int(reply.header("Retry-After") or 0), usegmt=True)
        return replace(reply, headers=with_header(reply.headers, "Retry-After", date))

    bench.on_status(429, dated)


def _few_headers(shown: Callable[[ApiReply], bool]) -> Callable[[Bench], None]:
    """Send the headers of the limit with some answers only."""

    def change(_: ApiRequest, reply: ApiReply) -> ApiReply:
        if shown(reply):
            return reply
        return replace(reply, headers=tuple(pair for pair in reply.headers if not pair[0].startswith("RateLimit-")))

    return lambda bench: bench.on_reply(change)


_register(
    "headers-near-the-limit",
    "Headers of the limit come when three requests are left.",
    f"{OPEN}limit-headers",
    _few_headers(lambda reply: int(reply.header("RateLimit-Remaining") or 0) <= 3),
    legal=True,
)
_register(
    "headers-beyond-the-limit",
    "Headers of the limit come with a 429 only.",
    f"{OPEN}limit-headers",
    _few_headers(lambda reply: reply.status == 429),
    legal=True,
)


@variant(f"{OPEN}limit-headers")
def headers_of_the_wider_limit(bench: Bench) -> None:
    """Headers of an answer that is no 429 describe the limit over all operations."""

    def wide(_: ApiRequest, reply: ApiReply) -> ApiReply:
        left = reply.header("RateLimit-Remaining")
        if left is None or reply.status == 429:
            return reply
        headers = with_header(reply.headers, "RateLimit-Limit", "100")
        headers = with_header(headers, "RateLimit-Remaining", str(90 + int(left)))
        return replace(reply, headers=with_header(headers, "RateLimit-Policy", "100;w=60"))

    bench.on_reply(wide)


def _counted(counts: Callable[[ApiReply], bool]) -> Callable[[Bench], None]:
    """Give back what was spent on answers that do not count."""

    def build(bench: Bench) -> None:
        before: dict[str, Window] = {}

        def remembering(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
            before.update({name: transaction.window(name) or Window(0, 0) for name, _ in limits})
            return spend(transaction, caller, limits, now)

        def wrap(handle: Handle) -> Handle:
            def wrapped(request: ApiRequest, transport: str) -> Outcome:
                outcome = handle(request, transport)
                if outcome.caller and not counts(outcome.reply):
                    with bench.mock.store.transaction(outcome.caller.account) as transaction:
                        for name, window in before.items():
                            transaction.set_window(name, window)
                return outcome

            return wrapped

        bench.around(wrap)
        bench.spend = remembering

    return build


_register(
    "only-accepted-requests-count",
    "Requests that are refused do not count against the quota.",
    f"{OPEN}counted-requests",
    _counted(lambda reply: reply.status == 200),
    legal=True,
)
_register(
    "unknown-campaigns-do-not-count",
    "Requests to unknown campaigns do not count.",
    f"{OPEN}counted-requests",
    _counted(lambda reply: reply.status != 404),
    legal=True,
)


def _sliding() -> Spend:
    """Return a limiter whose window slides: a number of requests in any sixty seconds."""
    hits_of: dict[Any, deque[int]] = defaultdict(deque)

    def sliding(_transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        decision = None
        for name, limit in limits:
            hits, length = hits_of[caller.account, name], limit.seconds * SECOND
            while hits and hits[0] <= now - length:
                hits.popleft()
            allowed = len(hits) < limit.requests
            if allowed:
                hits.append(now)
            reset = -((now - hits[0] - length) // SECOND)
            decision = Decision(limit, allowed, limit.requests - len(hits), reset)
            if not allowed:
                break
        return decision

    return sliding


def _aligned(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
    """Count in windows that begin with the minutes of the clock."""
    minute = 60 * SECOND
    for name, _ in limits:
        window = transaction.window(name)
        if window is None or window.opened != now - now % minute:
            transaction.set_window(name, Window(now - now % minute, 0))
    return spend(transaction, caller, limits, now)


_register(
    "sliding-window", "The window slides.", f"{OPEN}window", lambda b: setattr(b, "spend", _sliding()), legal=True
)
_register(
    "aligned-window",
    "Windows begin with the minute.",
    f"{OPEN}window",
    lambda b: setattr(b, "spend", _aligned),
    legal=True,
)


@variant(f"{OPEN}body-size")
def bodies_of_200_kb(bench: Bench) -> None:
    """Bodies over 200 kB are refused with 413."""
    bench.on_request(lambda r: error(413) if len(r.body if r.body is not None else b"x" * 10**6) > 200_000 else r)


@variant("the vendor has more operations")
def lists_campaigns(bench: Bench) -> None:
    """GET /campaigns is answered, within the limit over all operations."""
    _list_campaigns(bench, [ALL])


@variant("several things that are open, at once")
def all_at_once(bench: Bench) -> None:
    """Many open questions are answered otherwise at the same time."""
    for name in (
        *("other-messages", "more-members", "with-a-charset", "success-with-a-count", "white-space-is-a-contact"),
        *("malformed-ids-are-404", "other-types-are-415", "other-methods-are-404", "headers-near-the-limit"),
    ):
        MUTANTS[name].build(bench)


@variant("several things that are open, at once")
def others_at_once(bench: Bench) -> None:
    """Many other open questions are answered otherwise at the same time."""
    for name in (
        *("sliding-window", "retry-after-as-a-date", "headers-beyond-the-limit", "success-without-a-body"),
        *("looks-up-before-it-validates", "slashes-do-not-matter", "half-surrogates-are-accepted", "lists-campaigns"),
    ):
        MUTANTS[name].build(bench)
