"""Equivalent mutants: providers that differ from the fake only in what the contract leaves open."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import Any

from contract_tests.mutants.bench import (
    JSON,
    MUTANTS,
    Bench,
    authorization,
    equivalent,
    error,
    register,
    with_body,
    with_header,
    with_members,
)
from contract_tests.mutants.limits import show_limit_if, with_limit
from contract_tests.mutants.paths import on_path
from contract_tests.provider.response_rules import IDENTIFIERS
from mock_server.contract.limits import SECOND
from mock_server.messages.call import Caller
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle
from mock_server.pipeline.ratelimit import Decision, Limits, spend
from mock_server.store.base import Transaction, Window

OPEN = "open: "
FILE = "mock_server/contract/assumptions.yaml, "


def _open(question: str, build: Callable[..., object]) -> Callable[..., None]:
    """Return a function that registers mutants which differ in one open question."""
    return partial(register, f"{OPEN}{question}", build, equivalent=True)


def _with_error_members(bench: Bench, members: dict[str, Any]) -> None:
    bench.on_reply(lambda _, reply: with_members(reply, **members) if reply.status in IDENTIFIERS else reply)


add = _open(f"{FILE}error-message", _with_error_members)
add("other-messages", "Error messages are in another language.", {"message": "Nein \u2013 so nicht"})
add = _open("extra members in error bodies", _with_error_members)
add("more-members", "Error bodies have more members.", {"code": 7, "details": [{"a": None}]})
add = _open(
    f"{FILE}success-body", lambda bench, kind, body: bench.on_status(200, lambda reply: with_body(reply, kind, body))
)
add("success-without-a-body", "The body of a 200 is empty.", JSON, b"")
add("success-as-text", "The body of a 200 is text.", "text/plain", b"OK")
add("success-as-a-list", "The body of a 200 is a list.", JSON, b'[{"id": 1}]')
add("success-as-html", "The body of a 200 is HTML.", "text/html", b"<p>Thank you</p>")
add("success-with-a-count", "The body of a 200 is an object.", JSON, b'{"success": true, "added": 20}')
add = _open(f"{FILE}limit-text", Bench.on_status)
add(
    "the-text-names-the-wait",
    "The text of a 429 has the seconds of Retry-After.",
    429,
    lambda reply: with_members(reply, message=f"Please retry after {reply.header('Retry-After')} seconds."),
)
add = _open(f"{FILE}response-headers", Bench.set_header)
CHARSET = ("Content-Type", "application/json; charset=utf-8")
add("401-without-www-authenticate", "A 401 has no WWW-Authenticate.", 401, "WWW-Authenticate", None)
add = _open(f"{FILE}response-headers", Bench.on_reply)
add("with-a-charset", "Responses name their charset.", lambda _, reply: with_header(reply, *CHARSET))


def _is_malformed_id(request: ApiRequest) -> bool:
    found = re.fullmatch(r"/v1/campaigns/([^/]*)/prospects", request.path)
    return found is not None and not re.fullmatch("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", found[1])


UNSUPPORTED = ApiReply(415, (("Content-Type", "text/plain"),), b"Unsupported")
add = _open(f"{FILE}malformed-id", Bench.replace_if)
add(
    "malformed-ids-are-404",
    "A malformed id is answered 404.",
    error(404),
    lambda request, reply: reply.status == 400 and _is_malformed_id(request),
)
add = _open(f"{FILE}content-type", Bench.replace_if)
add(
    "other-types-are-415",
    "Another content type is answered 415.",
    UNSUPPORTED,
    lambda request, reply: reply.status == 400 and JSON not in "".join(request.all("content-type")).lower(),
)
add = _open(f"{FILE}wrong-method", Bench.replace_if)
add("other-methods-are-404", "Another method is answered 404.", error(404), lambda _, reply: reply.status == 405)
NOT_ALLOWED = ApiReply(405, (("Allow", "GET"), ("Content-Type", "text/plain")), b"")
add = _open("the vendor has more operations", Bench.replace_if)
add(
    "other-paths-are-405",
    "An unknown path is answered 405, since it is that of another operation.",
    NOT_ALLOWED,
    lambda r, reply: (r.method, reply.status) == ("POST", 404) and not re.search("/[^/]{36}/prospects$", r.path),
)
add = _open(f"{FILE}wrong-method", Bench.on_status)
add("405-as-text", "The body of a 405 is HTML.", 405, lambda reply: with_body(reply, "text/html", b"<h1>No</h1>"))


@equivalent(f"{OPEN}{FILE}check-order")
def looks_up_before_it_validates(bench: Bench) -> None:
    """An unknown campaign is answered 404 even if the body is invalid."""

    def matches(request: ApiRequest, reply: ApiReply) -> bool:
        ids = [value["id"] for _, _, value in bench.mock.seed.objects()]
        return reply.status == 400 and not any(one in request.path.lower() for one in ids)

    bench.replace_if(error(404), matches)


@equivalent(f"{OPEN}{FILE}body-size")
def bodies_of_200_kb(bench: Bench) -> None:
    """Bodies over 200 kB are answered 413."""
    bench.refuse_if(413, lambda request: request.body is None or len(request.body) > 200_000)


def _accept_blank(schemas: Any) -> None:
    for way in schemas["ProspectRecord"]["then"]["anyOf"]:
        for value in way["properties"].values():
            value.pop("pattern", None)


def _accept_any_phone(schemas: Any) -> None:
    del schemas["ProspectRecord"]["properties"]["phone"]["type"]
    schemas["ProspectRecord"]["then"]["anyOf"][2]["properties"]["phone"] = {"not": {"enum": ["", None]}}


def _bound_phone(schemas: Any) -> None:
    schemas["ProspectRecord"]["properties"]["phone"]["maxLength"] = 255


add = _open(f"{FILE}blank-contact", Bench.schema)
add("white-space-is-a-contact", "White space is a contact.", _accept_blank)
add = _open(f"{FILE}phone-type", Bench.schema)
add("phone-of-any-type", "A phone may be a number.", _accept_any_phone)
add("short-phones", "A phone has at most 255 characters.", _bound_phone)


def _first_key(raw: bytes) -> bytes:
    if raw.count(b'"email"') != 2 or b"nul" in raw:
        return raw
    try:
        return json.dumps(json.loads(raw, object_pairs_hook=lambda pairs: dict(reversed(pairs)))).encode()
    except ValueError:
        return raw


def _utf_16(raw: bytes) -> bytes:
    coding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return raw.decode(coding).encode() if raw[:1] in b"\xff\xfe\xef" and raw else raw
    except UnicodeError:
        return raw


add = _open(f"{FILE}duplicate-keys", Bench.on_text)
add("the-first-key-counts", "The first of two equal keys counts.", _first_key)
add = _open(f"{FILE}json-text", Bench.on_text)
add("half-surrogates-are-accepted", "Half a surrogate is accepted.", lambda raw: re.sub(rb"\\ud800(?!\\ud)", b"?", raw))
add("utf-16-is-accepted", "A body in UTF-16 or with a byte order mark is accepted.", _utf_16)
add = _open(f"{FILE}json-limits", Bench.on_text)
add("deep-json-is-accepted", "JSON may be nested to any depth.", lambda raw: re.sub(rb"\[{300,}\]{300,}", b"[]", raw))
add("long-numbers-are-accepted", "A number may have any length.", lambda raw: re.sub(b"9{4301,}", b"9", raw))
add = _open(f"{FILE}path-form", on_path)
add("slashes-do-not-matter", "A trailing or a double slash is ignored.", r"/+(?=/)|(?<=.)/+$", "")
add = _open(f"{FILE}duplicates", Bench.on_stored)
add(
    "duplicates-are-stored-once",
    "A prospect that is twice in a batch is stored once.",
    lambda records: list({json.dumps(record, default=str): record for record in records}.values()),
)


@equivalent("open: Retry-After as seconds or date")
def retry_after_as_a_date(bench: Bench) -> None:
    """Retry-After is a date."""

    def dated(reply: ApiReply) -> ApiReply:
        now = bench.mock.clock.time_ns() // SECOND
        return with_header(reply, "Retry-After", formatdate(now + int(reply.header("Retry-After") or 0), usegmt=True))

    bench.on_status(429, dated)


add = _open(f"{FILE}limit-headers", show_limit_if)
add(
    "headers-near-the-limit",
    "Headers of the limit are sent when at most three requests are left.",
    lambda reply: int(reply.header("RateLimit-Remaining") or 0) <= 3,
)
add("headers-beyond-the-limit", "Headers of the limit are sent with a 429 only.", lambda reply: reply.status == 429)
add = _open(f"{FILE}limit-headers", Bench.change_if)
add(
    "headers-of-the-wider-limit",
    "Headers describe the limit across all operations, except for a 429.",
    lambda _, reply: reply.status != 429 and reply.header("RateLimit-Remaining") is not None,
    lambda _, reply: with_limit(
        with_header(reply, "RateLimit-Remaining", str(90 + int(reply.header("RateLimit-Remaining") or 0))), 100
    ),
)


def _counting(bench: Bench, counts: Callable[[ApiReply], bool]) -> None:
    """Count only the requests whose responses match."""
    before: dict[str, Window] = {}

    def remembering(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        before.update({name: transaction.window(name) or Window(0, 0) for name, _ in limits})
        return spend(transaction, caller, limits, now)

    def restoring(handle: Handle, request: ApiRequest, transport: str) -> Outcome:
        outcome = handle(request, transport)
        if outcome.caller and not counts(outcome.reply):
            with bench.mock.store.transaction(outcome.caller.account) as transaction:
                for name, window in before.items():
                    transaction.set_window(name, window)
        return outcome

    bench.around(restoring)
    bench.spend = remembering


add = _open(f"{FILE}counted-requests", _counting)
add("only-accepted-requests-count", "Refused requests do not count.", lambda reply: reply.status == 200)
add("unknown-campaigns-do-not-count", "Requests to unknown campaigns do not count.", lambda reply: reply.status != 404)


@equivalent(f"{OPEN}{FILE}window")
def sliding_window(bench: Bench) -> None:
    """The window slides: the limit holds for any sixty seconds."""
    hits_of: dict[tuple[str, str], deque[int]] = defaultdict(deque)

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

    bench.spend = sliding


@equivalent(f"{OPEN}{FILE}window")
def aligned_window(bench: Bench) -> None:
    """Windows begin with the minutes of the clock."""

    def aligned(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        minute = now - now % (60 * SECOND)
        for name, _ in limits:
            window = transaction.window(name)
            if window is None or window.opened != minute:
                transaction.set_window(name, Window(minute, 0))
        return spend(transaction, caller, limits, now)

    bench.spend = aligned


@equivalent(f"{OPEN}{FILE}nested-limits")
def limits_do_not_nest(bench: Bench) -> None:
    """A request to add prospects counts against the narrower limit only."""
    bench.spend = lambda transaction, caller, limits, now: spend(transaction, caller, limits[-1:], now)


@equivalent(f"{OPEN}{FILE}authorization-twice")
def the_first_authorization_counts(bench: Bench) -> None:
    """Of two Authorization headers the first counts."""
    bench.on_request(lambda r: with_header(r, "authorization", authorization(r)) if r.all("authorization") else r)


def _combined(bench: Bench, *names: str) -> None:
    for name in names:
        MUTANTS[name].build(bench)


add = _open("several questions at once", _combined)
add(
    "all-at-once",
    "Many open questions are answered differently at the same time.",
    *("other-messages", "more-members", "with-a-charset", "success-with-a-count", "white-space-is-a-contact"),
    *("malformed-ids-are-404", "other-types-are-415", "other-methods-are-404", "headers-near-the-limit"),
)
add(
    "others-at-once",
    "Many other open questions are answered differently at the same time.",
    *("sliding-window", "retry-after-as-a-date", "headers-beyond-the-limit", "success-without-a-body"),
    *("looks-up-before-it-validates", "slashes-do-not-matter", "half-surrogates-are-accepted"),
)
