"""How each choice of an open question shows in an exchange, or in a few that follow one another.

Rule: an observer says nothing unless the documentation and the question leave no other cause for what it sees. Other
clients of the same account may still have a part in the headers of a limit and in the state of objects; what they
disturb shows as evidence that conflicts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote

from contract_tests.provider.documented import documented_and
from contract_tests.provider.limit_rules import HEADERS
from contract_tests.traffic.evidence import Seen, Weak, observer
from contract_tests.traffic.memory import Campaign, Memory, OptOut, Quota, Wide
from mock_server.contract.assumptions import overlay_of, switches
from mock_server.contract.limits import SECOND
from mock_server.contract.schemas import Schema
from mock_server.handlers import ROLES
from mock_server.journal.traffic import TOO_MANY, seconds_named
from mock_server.messages.errors import ApiError, RateLimited, api_errors
from mock_server.messages.http import JSON

Allowed = frozenset[str] | None

BAD, UNAUTHORIZED, FORBIDDEN, MISSING, NOT_ALLOWED, TOO_LARGE, UNSUPPORTED = 400, 401, 403, 404, 405, 413, 415
SERVER_ERROR = 500

FRESH = 300 * SECOND
"""Nanoseconds for which the status of a campaign that was read is taken for its status."""

AT_ONCE = 2 * SECOND
"""Nanoseconds within which hardly anything else happens."""

ROUNDING = 2
"""Seconds by which two times of whole seconds may differ."""

TWICE = 2

PUBLISHED, MINUTE = RateLimited.message, 60
"""The published text of a 429, and its number."""

LARGE, SMALL = 1024 * 1024, 200_000
"""The bounds of the choices of `body-size`, in bytes."""

LONG_CURSOR = 1000
"""Characters from which on a cursor is long."""

CREATE, PAUSE, RESUME, READ_CAMPAIGN = "createCampaign", "pauseCampaign", "resumeCampaign", "getCampaign"
ACTIVE = "active"


def of(*choices: str) -> frozenset[str]:
    """Return choices that an exchange allows."""
    return frozenset(choices)


NONE = of()
"""An exchange that no choice allows."""


def either(condition: object, yes: str, no: str) -> frozenset[str]:
    """Return the one choice or the other."""
    return of(yes if condition else no)


def by_status(seen: Seen, *statuses: int) -> Allowed:
    """Return the choice that is named by the status of a response; None for any other status."""
    return of(str(seen.status)) if seen.status in statuses else None


# The forms of responses


@observer("success-body")
def success_body(seen: Seen, _: Memory) -> Allowed:
    """A success for which no content is documented has a body, or none."""
    undocumented = seen.operation and seen.status in seen.operation.responses
    if not undocumented or not seen.operation or seen.operation.responses[seen.status] or not seen.ok:
        return None
    if seen.one.reply_body is None or seen.one.method == "HEAD":
        return None
    if not seen.one.reply_body:
        return of("empty")
    value = seen.response.json
    return NONE if not isinstance(value, dict) else either(value, "object", "empty-object")


@observer("error-members")
def error_members(seen: Seen, _: Memory) -> Allowed:
    """An error has more members than the documented two, or not."""
    if seen.status < BAD or not {"error", "message"} <= seen.object.keys():
        return None
    return of("more") if len(seen.object) > TWICE else Weak(of("documented"))


@observer("error-message")
def error_message(seen: Seen, memory: Memory) -> Allowed:
    """The text is the published one, tells errors apart, or is the same for all."""
    text = seen.object.get("message")
    error = _errors().get(seen.status)
    if error is None or not isinstance(text, str):
        return None
    published = seen.entry.known.contract.error_body(error, seen.operation)
    if f'"{text}"'.encode() in published:
        return of("published")
    before = dict(memory.messages)
    memory.messages.setdefault(seen.status, text)
    if before.get(seen.status, text) != text:
        return of("specific")
    if text in {other for status, other in before.items() if status != seen.status}:
        return of("other")
    return of("specific", "other")


@observer("charset")
def charset(seen: Seen, _: Memory) -> Allowed:
    """The Content-Type of JSON has a parameter, or none."""
    kind, _semicolon, parameters = (seen.response.header("content-type") or "").lower().partition(";")
    return either("charset" in parameters, "present", "absent") if kind.strip() == JSON else None


@observer("response-headers")
def response_headers(seen: Seen, _: Memory) -> Allowed:
    """A 401 has WWW-Authenticate, or not."""
    if seen.status != UNAUTHORIZED or not seen.one.reply_headers:
        return None
    return either(seen.response.header("www-authenticate") is not None, "recommended", "minimal")


@observer("header-case")
def header_case(seen: Seen, _: Memory) -> Allowed:
    """Names of headers have capitals; or none, where the tool keeps the case of names."""
    names = [name for name, _ in seen.one.reply_headers or ()]
    if any(name != name.lower() for name in names):
        return of("documented")
    return of("lower") if names and seen.one.keeps_case else None


@observer("time-form")
def time_form(seen: Seen, _: Memory) -> Allowed:
    """Times have whole seconds, a fraction, or an offset."""
    texts = {str(one[name]) for one in seen.objects for name in ("createdAt", "updatedAt") if name in one}
    return _all(map(_form, texts))


def _form(text: str) -> frozenset[str]:
    if not text.upper().endswith("Z"):
        return of("offset") if "." not in text else NONE
    return either("." in text, "milliseconds", "seconds")


@observer("empty-members")
def empty_members(seen: Seen, _: Memory) -> Allowed:
    """Optional members are null; one that is left out may have been forgotten when its object was made."""
    kinds = seen.entry.known.contract.objects
    for one in seen.objects:
        kind = kinds.get(str(one["objectType"]))
        if kind and any(value is None and name not in kind.required for name, value in one.items()):
            return of("null")
    return None


@observer("more-members")
def more_members(seen: Seen, _: Memory) -> Allowed:
    """Objects have members that are not documented, or not."""
    kinds = seen.entry.known.contract.objects
    known = [(one, kinds[str(one["objectType"])]) for one in seen.objects if str(one["objectType"]) in kinds]
    if not known:
        return None
    return of("more") if any(one.keys() - kind.members.keys() for one, kind in known) else Weak(of("documented"))


# What is refused, and how


@observer("malformed-id")
def malformed_id(seen: Seen, _: Memory) -> Allowed:
    """The response to an id that is not a UUID."""
    return (
        by_status(seen, BAD, MISSING)
        if any(one.place == "path" and one.pointer for one in seen.entry.violations)
        else None
    )


@observer("content-type")
def content_type(seen: Seen, _: Memory) -> Allowed:
    """The response to a body with another content type, or with a content encoding."""
    wrong = seen.rules and seen.rules <= {"content-type", "content-encoding"}
    return by_status(seen, BAD, UNSUPPORTED) if wrong else None


@observer("body-size")
def body_size(seen: Seen, _: Memory) -> Allowed:
    """A body between the bounds is refused as too large, or not."""
    size, refused = len(seen.one.body or b""), seen.status == TOO_LARGE
    if seen.operation is None or seen.operation.body is None or seen.status in {UNAUTHORIZED, TOO_MANY}:
        return None
    if size <= SMALL or size > LARGE:
        return NONE if refused == (size <= SMALL) else None
    return either(refused, "200-kB", "1-MiB")


@observer("wrong-method")
def wrong_method(seen: Seen, _: Memory) -> Allowed:
    """The response to a known path with another method."""
    return by_status(seen, NOT_ALLOWED, MISSING) if "method-unknown" in seen.rules else None


@observer("path-form")
def path_form(seen: Seen, _: Memory) -> Allowed:
    """A path with an empty segment is known, or not."""
    if "path-unknown" not in seen.rules or seen.status in {UNAUTHORIZED, TOO_MANY} or seen.status >= SERVER_ERROR:
        return None
    plain = re.sub("/+(?=/|$)", "", seen.one.path)
    try:
        operation, names = seen.entry.known.contract.route(seen.one.method, plain)
    except ApiError:
        return None
    if seen.status != MISSING:
        return of("slashes-ignored")
    return None if names or operation is None else of("exact")


@observer("check-order")
def check_order(seen: Seen, _: Memory) -> Allowed:
    """A request with a wrong body is refused for something else: its object, or the permission."""
    places = {one.place for one in seen.entry.violations}
    if not seen.operation or "path" not in seen.operation.parameters or not places or not places <= {"body", "query"}:
        return None
    return {MISSING: of("existence-first"), FORBIDDEN: of("existence-first", "permission-first")}.get(seen.status)


@observer("authorization-twice")
def authorization_twice(seen: Seen, memory: Memory) -> Allowed:
    """Of two Authorization headers the first, which is known to be right, counts, or not."""
    sent = [value for name, value in seen.one.headers or () if name == "authorization"]
    if len(sent) == 1 and seen.status != UNAUTHORIZED:
        memory.tokens.put(sent[0], value=True)
    if len(sent) < TWICE or seen.entry.operation is None or not memory.tokens.get(sent[0]):
        return None
    return either(seen.status == UNAUTHORIZED, "refused", "first")


@observer("unknown-parameter")
def unknown_parameter(seen: Seen, _: Memory) -> Allowed:
    """A read with an undeclared parameter is refused, or not."""
    names = {name for name, _ in parse_qsl(seen.one.query, keep_blank_values=True)}
    if not seen.valid or seen.operation is None or seen.one.method != "GET" or "cursor" in names:
        return None
    if names <= seen.query_names:
        return None
    return of("ignored") if seen.ok else of("refused") if seen.status == BAD else None


@cache
def _schemas(question: str) -> Mapping[str, Schema]:
    """Return the schema of the body of the question's operation, under each choice, and under no other assumption."""
    one = switches()[question]
    found = {}
    for choice in one.choices:
        contract = documented_and(question, overlay_of({question: choice.id}))
        body = next(operation.body for operation in contract.operations if operation.id == one.operation)
        assert body  # noqa: S101 - the question is about it
        found[choice.id] = body
    return found


BY_SCHEMA = ("blank-contact", "phone-type")


def _accepting(seen: Seen, question: str) -> frozenset[str]:
    return of(*(name for name, schema in _schemas(question).items() if schema.allows(seen.sent)))


def _is_plain(seen: Seen, *but: str) -> bool:
    """Return whether the choices of the questions about bodies agree about what was sent."""
    return all(len(_accepting(seen, name)) in {0, len(_schemas(name))} for name in BY_SCHEMA if name not in but)


def _by_schema(question: str) -> None:
    @observer(question)
    def observe(seen: Seen, memory: Memory) -> Allowed:
        if not (seen.recorded and seen.entry.adds_prospects) or (not seen.ok and seen.status != BAD):
            return None
        allowing = _accepting(seen, question)  # also where a reading allows what the documented rule refuses
        if seen.ok or not allowing:
            return allowing or None
        known = memory.adding.get(seen.one.path.lower()) and _is_plain(seen, question) and not seen.one.query
        return of(*_schemas(question)) - allowing if known and len(allowing) < len(_schemas(question)) else None


for _question in BY_SCHEMA:
    _by_schema(_question)


# Campaigns


def _campaign(seen: Seen, memory: Memory) -> Campaign | None:
    """Return the campaign that the path names, as it was read shortly before."""
    found = memory.campaigns.get(_id(seen))
    return found if found and (seen.one.began or 0) - found.at < FRESH else None


def _id(seen: Seen) -> str:
    return seen.one.path.lower().split("/campaigns/")[-1].partition("/")[0]


@observer("campaign-status")
def campaign_status(seen: Seen, memory: Memory) -> Allowed:
    """A campaign that is archived, or not active, accepts prospects, or not."""
    if not (seen.valid and seen.entry.adds_prospects):
        return None
    campaign, path = _campaign(seen, memory), seen.one.path.lower()
    if seen.ok:
        memory.adding.put(path, value=True)
    if campaign is None or (seen.status == BAD and (not _is_plain(seen) or seen.one.query)):
        return None
    if not seen.ok and seen.status != BAD:
        return None
    if campaign.archived:
        return of("accepted") if seen.ok else of("not-archived", "only-active")
    if campaign.status != ACTIVE:
        return of("accepted", "not-archived") if seen.ok else of("only-active")
    return None if seen.ok else NONE


@observer("new-campaign")
def new_campaign(seen: Seen, _: Memory) -> Allowed:
    """The status of a campaign in the response that creates it."""
    if seen.entry.operation != CREATE or not seen.ok or "status" not in seen.object:
        return None
    state = seen.object["status"], "launchedAt" in seen.object
    return {("draft", False): of("draft"), (ACTIVE, True): of(ACTIVE)}.get(state, NONE)


@observer("other-states")
def other_states(seen: Seen, memory: Memory) -> Allowed:
    """Pausing a campaign that is not active, or resuming one that is, is refused, or not."""
    operation, campaign = seen.entry.operation, _campaign(seen, memory)
    found: Allowed = None
    if operation in {PAUSE, RESUME} and seen.valid and campaign:
        usual = campaign.status == ACTIVE if operation == PAUSE else campaign.status in {"paused", "completed"}
        if not usual and not campaign.archived and (seen.ok or seen.status == BAD):
            found = either(seen.ok, "accepted", "refused")
    if operation in {PAUSE, RESUME}:
        memory.campaigns.drop(_id(seen))
    for one in seen.objects:
        if one["objectType"] == "campaign":
            known = Campaign(str(one.get("status")), bool(one.get("isArchived")), seen.one.began or 0)
            memory.campaigns.put(str(one.get("id")).lower(), known)
    return found


# Lists


@observer("list-order")
def list_order(seen: Seen, _: Memory) -> Allowed:
    """The times of creation of the objects of a page rise, or fall."""
    times = [str(one.get("createdAt")) for one in seen.objects] if seen.page is not None else []
    if len(set(times)) < TWICE:
        return None
    return {True: of("oldest-first")}.get(times == sorted(times)) or (
        of("newest-first") if times == sorted(times, reverse=True) else NONE
    )


@observer("cursor-form")
def cursor_form(seen: Seen, _: Memory) -> Allowed:
    """A cursor is short and can be sent as it is, or neither."""
    text = seen.object.get("next") if seen.page is not None else None
    if not isinstance(text, str):
        return None
    simple = quote(text, safe="") == text
    if len(text) < LONG_CURSOR:
        return of("short") if simple else NONE
    return NONE if simple else of("long")


@observer("previous")
def previous(seen: Seen, memory: Memory) -> Allowed:
    """A page that another one led to has the cursor back, or not."""
    cursor = dict(parse_qsl(seen.one.query)).get("cursor")
    follows = cursor is not None and memory.nexts.get(hash(cursor))
    if seen.page is None:
        return None
    if isinstance(seen.object.get("next"), str):
        memory.nexts.put(hash(seen.object["next"]), value=True)
    if cursor and "previous" in seen.object:
        return of("present")
    return of("absent") if follows else None


@observer("page-size")
def page_size(seen: Seen, _: Memory) -> Allowed:
    """A page that is not the last is full, or not."""
    if seen.page is None or seen.object.get("hasMore") is not True or seen.operation is None:
        return None
    query = dict(parse_qsl(seen.one.query))
    declared = next((one for one in seen.operation.parameters["query"] if one.name == "limit"), None)
    text = query.get("limit") or ("" if "cursor" in query else str(declared.default if declared else ""))
    if not text.isdecimal() or int(text) < TWICE:
        return None
    return either(len(seen.page) >= int(text), "full", "short")


# Opt-outs


@observer("opt-out-label")
def opt_out_label(seen: Seen, memory: Memory) -> Allowed:
    """The name that an opt-out was sent with is its label, or is not shown."""
    found = []
    for key, listed in _opt_outs(seen):
        known = memory.opt_outs.get(key)
        if known and known.name and known.since and _seconds(listed.get("createdAt")) >= known.since - ROUNDING:
            label = listed.get("label")
            found.append(of("label") if label == known.name else of("dropped") if label is None else NONE)
    return _all(found)


@observer("opt-out-again")
def opt_out_again(seen: Seen, memory: Memory) -> Allowed:
    """An opt-out that is sent again stays, or is replaced by another."""
    found = []
    for key, listed in _opt_outs(seen):
        known = memory.opt_outs.get(key) or OptOut()
        if known.again and known.id:
            found.append(either(listed.get("id") == known.id, "keep", "replace"))
        memory.opt_outs.put(key, OptOut(known.name, known.since, str(listed.get("id"))))
    if seen.ok and seen.entry.operation == ROLES.opts_out:
        for one in seen.sent.get("identifiers", ()) if isinstance(seen.sent, dict) else ():
            key = one.get("identifierType"), one.get("identifier")
            there = memory.opt_outs.get(key)
            name = one.get("name") if there is None else None  # of one that was there before, the label is another
            since = seconds_named(seen.response.header("date") or "", 0)
            memory.opt_outs.put(key, OptOut(name, since, there.id if there else None, again=there is not None))
    if seen.ok and seen.entry.operation == ROLES.opts_in and isinstance(seen.sent, dict):
        memory.opt_outs.drop((seen.sent.get("identifierType"), seen.sent.get("identifier")))
    return _all(found)


def _seconds(text: object) -> float:
    """Return a time of an object in seconds since the epoch; 0 if it is none."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return 0.0


def _opt_outs(seen: Seen) -> list[tuple[tuple[Any, Any], Mapping[str, Any]]]:
    listed = [one for one in seen.objects if one["objectType"] == "communication-opt-out"]
    return [((one.get("identifierType"), one.get("identifier")), one) for one in listed]


# Limits


@observer("retry-after")
def retry_after(seen: Seen, _: Memory) -> Allowed:
    """Retry-After is a number, or a date."""
    text = seen.response.header("retry-after") if seen.status == TOO_MANY else None
    if text is None:
        return None
    if text.strip().isdecimal():
        return of("seconds")
    return NONE if seconds_named(text, 0) is None else of("date")


@observer("limit-text")
def limit_text(seen: Seen, _: Memory) -> Allowed:
    """The number in the published text is that of Retry-After, or always 60; `error-message` is about other texts."""
    wait = seen.response.seconds("retry-after") if seen.status == TOO_MANY else None
    number = re.fullmatch(PUBLISHED.replace(str(MINUTE), "([0-9]{1,9})"), str(seen.object.get("message", "")))
    if wait is None or not number or abs(wait - MINUTE) <= ROUNDING:
        return None
    if int(number[1]) == MINUTE:
        return of("documented")
    return of("actual") if abs(wait - int(number[1])) <= ROUNDING else NONE


@observer("limit-headers")
def limit_headers(seen: Seen, memory: Memory) -> Allowed:
    """A success has headers of a limit with much left, with little left, or without them before a 429."""
    if seen.operation is None or not seen.operation.secured or not seen.one.reply_headers:
        return None
    key = seen.entry.account, seen.entry.operation
    bare = memory.bare.get(key)
    memory.bare.drop(key)
    if seen.status == TOO_MANY:
        soon = bare is not None and seen.one.began is not None and 0 <= seen.one.began - bare < AT_ONCE
        return of("beyond-limit") if soon else None
    if not seen.ok:
        return None
    if not any(seen.response.header(name) for name in HEADERS):
        if seen.one.ended is not None:
            memory.bare.put(key, seen.one.ended)
        return of("near-limit", "beyond-limit")
    quota = seen.quota
    much = quota is not None and 3 * quota.remaining > quota.limit
    return of("always") if much else of("always", "near-limit")


@observer("counted-requests")
def counted_requests(seen: Seen, memory: Memory) -> Allowed:
    """A refused request right after another one has used the quota, or not."""
    if seen.operation is None:
        return None
    now, before = seen.quota, memory.last.get(seen.entry.account)
    memory.last.put(seen.entry.account, now)
    refused = seen.status in {BAD, FORBIDDEN, MISSING}
    if not (now and before and refused and _same_window(before, now)) or before.remaining == 0:
        return None
    used = before.remaining - now.remaining
    return {0: of("accepted"), 1: of("all")}.get(used)


@observer("nested-limits")
def nested_limits(seen: Seen, memory: Memory) -> Allowed:
    """Between two reads, requests to add prospects have used the quota across all operations, or not."""
    if seen.operation is None or not seen.operation.secured:
        return None
    account, known = seen.entry.account, memory.wide.get(seen.entry.account)
    if seen.operation.limit and seen.ok:
        if known:
            known.added += 1
        return None
    quota, widest = seen.quota, seen.entry.known.contract.limit
    memory.wide.drop(account)
    if quota is None or not seen.ok or seen.operation.limit or (widest and quota.seconds < widest.seconds):
        return None
    memory.wide.put(account, Wide(quota))
    if known is None or not known.added or not _same_window(known.quota, quota):
        return None
    used = known.quota.remaining - quota.remaining
    return {1: of("narrower"), 1 + known.added: of("both")}.get(used)


@observer("window")
def window(seen: Seen, memory: Memory) -> Allowed:
    """When windows end, by the headers and the Date of successes."""
    quota = seen.quota if seen.ok and seen.response.header("date") else None
    if quota is None:
        return None
    key, length, end = (seen.entry.account, quota.narrow, quota.limit), quota.seconds, quota.end
    before, counted = memory.ends.get(key), memory.counted.get(key) or []
    counted = [at for at in counted if at > quota.at - length + ROUNDING][-quota.limit :]
    memory.ends.put(key, quota)
    memory.counted.put(key, [*counted, quota.at])
    allowed = of("fixed", "sliding", "aligned")
    if ROUNDING < end % length < length - ROUNDING:
        allowed -= {"aligned"}
    elif before and quota.at > before.end + ROUNDING and end + ROUNDING < quota.at + length:
        if not any(abs(at + length - end) <= ROUNDING for at in counted):
            memory.aligned += 1  # neither this request nor an earlier one explains it, but another client's might
        if memory.aligned >= TWICE:
            allowed &= {"aligned"}
    if counted and end > counted[0] + length + ROUNDING:
        allowed -= {"sliding"}
    if before and ROUNDING < end - before.end < length - ROUNDING:
        allowed &= {"sliding"}
    return allowed


def _same_window(before: Quota, now: Quota) -> bool:
    """Return whether two requests that followed one another met the same window of a limit."""
    apart = now.began >= before.ended and now.at < before.end
    return apart and (now.narrow, now.limit) == (before.narrow, before.limit) and abs(now.end - before.end) <= 1


@cache
def _errors() -> Mapping[int, type[ApiError]]:
    """Return the documented errors whose text is not about a limit, by status."""
    return {one.status: one for one in api_errors() if one.status in {BAD, UNAUTHORIZED, FORBIDDEN, MISSING}}


def _all(found: Iterable[frozenset[str]]) -> Allowed:
    """Return the choices that several parts of an exchange allow together."""
    parts = list(found)
    return frozenset.intersection(*parts) if parts else None
