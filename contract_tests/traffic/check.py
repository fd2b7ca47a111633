"""Holds recorded traffic against the documented contract, request by request.

The rules are those of the kit: what a request breaks is found by the decoding of the fake, what a sequence of requests
shows by the rules of the journal, and a response is judged by the rules of `verify` about every response. Rule: what is
not recorded, or what other clients of the account may have caused, is no mistake.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from functools import lru_cache
from typing import Any, NamedTuple

from contract_tests.provider.documented import Routed, documented, methods_of
from contract_tests.provider.limit_rules import HEADERS, wrong_headers, wrong_retry_after
from contract_tests.provider.limit_rules import RULES as LIMIT_RULES
from contract_tests.provider.rule import Rule
from contract_tests.provider.rules import RULES as PROVIDER_RULES
from contract_tests.provider.wire import TOO_MANY, Request, Response
from contract_tests.traffic.captured import NO_RESPONSE, Captured, shown_time
from contract_tests.traffic.evidence import Observers, Seen
from contract_tests.traffic.order import Placed
from contract_tests.traffic.results import CONSUMER, LONGEST, PROVIDER, Mistake, Result, Where
from contract_tests.traffic.scope import Scope
from contract_tests.traffic.secrets import UNKNOWN, Secrets
from mock_server.contract.contract import Contract
from mock_server.contract.limits import SECOND, Limit
from mock_server.contract.operation import Operation
from mock_server.contract.schemas import first_violation
from mock_server.handlers import ROLES
from mock_server.journal import rules as _all_rules  # noqa: F401 - registers them
from mock_server.journal.entries import Entry, Known
from mock_server.journal.rule import RULES as TRAFFIC_RULES
from mock_server.journal.rule import Breach, Look
from mock_server.journal.rule import Rule as TrafficRule
from mock_server.journal.traffic import seconds_named
from mock_server.messages.call import Caller
from mock_server.messages.errors import ApiError, MethodNotAllowed
from mock_server.messages.http import JSON, ApiReply, ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.messages.pointers import Place, parts_of
from mock_server.messages.violations import Violation
from mock_server.pipeline.decoding import decode
from mock_server.store.base import JOURNAL_BYTES, JOURNAL_ENTRIES

ALONE = ("bearer-header", "clean-path")
"""Rules of the journal that hold for each request; no findings, since the fake refuses what breaks them."""

NEEDS_BODY = {"success-schema", "error-body", "error-identifier", "success-is-no-error"}
NEEDS_HEADERS = {"success-schema", "error-content-type", "allow-names-the-methods"}
"""Rules about every response that need what a tool may have left out."""

OF_HEAD = {"no-server-error"}
"""The rules that judge the response to a HEAD, which has no body."""

NOT_JUDGED = {304: "not-modified", 101: "switched", **dict.fromkeys((301, 302, 303, 307, 308), "redirected")}
"""Statuses that are not the API's, and the note about them."""

REPEATED = 2
"""Windows that may meet within one: of a fixed window, the end of one and the beginning of the next."""

PARTS = {"body": "requestBody", "header": "requestBody", "query": "parameters"}
"""The member of an operation that is about a part of a request."""

OTHER_LIMITS = "if the server has other limits, name them with --rate-limit and --account-rate-limit"

UNAUTHORIZED = 401


class Recorded(Response):
    """A recorded response, whose text does not show its body, which may contain anything."""

    def __str__(self) -> str:
        """Return the status and what the body is."""
        if not self.body:
            return f"{self.status} without a body"
        if self.json is None:
            return f"{self.status} with a body that is not JSON"
        return f"{self.status} with {type(self.json).__name__} as its body".replace("dict", "an object")


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits to judge by; None for one that is not judged."""

    own: Limit | None
    account: Limit | None

    def of(self, operation: Operation | None) -> list[Limit]:
        """Return the limits of an operation, the narrower first."""
        own = self.own if operation is None or operation.limit else None
        return [limit for limit in (own, self.account) if limit]


class _Recent(NamedTuple):
    """A request of the present sequence, without its headers and bodies."""

    source: str
    number: int
    time: int | None
    ended: int | None
    method: str
    path: str
    status: int


class Check:
    """Judges records in the order of their time; the memory that it needs does not grow with their number."""

    def __init__(self, scope: Scope, limits: Limits, result: Result, observers: Observers | None = None) -> None:
        self._scope, self._limits, self.result, self._observers = scope, limits, result, observers
        self._contract = documented()
        self._secrets = Secrets()
        self._known = Known(self._contract, self._secrets, {}, {}, ROLES, {})
        self._alone = [(TRAFFIC_RULES[name], TRAFFIC_RULES[name].looking()) for name in ALONE]
        self._number = 0
        self._begin()
        self._accepted: defaultdict[tuple[str, Limit], deque[tuple[int, int]]] = defaultdict(deque)
        self._credentials = False  # whether any request has recorded ones
        self._without = Result(())  # mistakes of requests whose credentials a tool may have left out

    def _begin(self) -> None:
        """Forget the sequence so far, so that memory is bounded: what spans this moment is not found."""
        self._looks: list[tuple[TrafficRule, Look]] = [
            (one, one.looking()) for one in TRAFFIC_RULES.values() if one.finding
        ]
        self._recent: dict[int, _Recent] = {}
        self._size = 0

    def run(self, records: Iterable[Placed]) -> Result:
        """Judge all records, and return the result."""
        for placed in records:
            self.look(placed)
        return self.end()

    def end(self) -> Result:
        """Return the result, once all records were looked at."""
        if self._credentials:
            self.result.take(self._without)
        self.result.origins = self._scope.origins
        self.result.evidence = self._observers.evidence() if self._observers else ()
        return self.result

    def look(self, placed: Placed) -> None:
        """Judge one record."""
        one, notes = placed.one, self.result.notes
        if one.left_out:
            notes[one.left_out] += 1
            return
        path, elsewhere = self._scope.path_of(one)
        if elsewhere:
            notes[elsewhere] += 1
            return
        self._number += 1
        self.result.requests += 1
        self.result.statuses[one.status] += 1
        one = self._secrets.taken_out(replace(one, path=path))
        missing = {"request-headers": one.headers is None, "time": one.began is None, "late": placed.late}
        missing["request-body"] = one.body is None
        notes.update(name for name, really in missing.items() if really)
        entry, operation, routed = self._entry(placed.at, one)
        self._judge_request(entry, one)
        self._judge_sequence(entry, one, placed)
        response = self._response(one)
        if response is None:
            return
        self.result.judged += 1
        self._judge_response(entry, one, response, routed)
        self._judge_limits(entry, one, response, operation)
        if self._observers:
            self._observers.look(Seen(entry, operation, one, response))

    def _entry(self, at: int, one: Captured) -> tuple[Entry, Operation | None, Routed]:
        """Return a record as an entry of a journal whose fake knows only what the vendor documents."""
        request = ApiRequest(one.method, one.path, one.query, one.headers or (), one.body or b"")
        operation, routed = None, Routed()
        violations: tuple[Violation, ...] = ()
        try:
            operation, raw = self._contract.route(one.method, one.path)
            routed = Routed(operation, methods_of(operation.path))
            self._decode(request, one, operation, raw)
        except ApiError as error:
            violations = tuple(self._shown(one, error.violations))
            if isinstance(error, MethodNotAllowed):
                routed = Routed(methods=frozenset(dict(error.headers)["Allow"].split(", ")))
        token = next((value for name, value in one.headers or () if name == "authorization"), "")
        named = next((value for name, value in one.headers or () if name == "x-account-id"), "")
        account = one.account or ("" if not token or UNKNOWN in token else f"{token} {named}")
        reply = ApiReply(one.status, _plain_wait(one), one.reply_body or b"")
        outcome = Outcome(
            reply, operation.id if operation else None, Caller("", account, frozenset()), violations, None, at
        )
        return Entry(self._number, "recorded", request, outcome, self._known), operation, routed

    def _decode(self, request: ApiRequest, one: Captured, operation: Operation, raw: dict[str, str]) -> None:
        if one.headers is None or one.body is None:  # what is not recorded is assumed to be right, and not reported
            request = replace(request, headers=(("content-type", JSON), *(request.headers if one.body is None else ())))
        decode(request, operation, raw)

    def _shown(self, one: Captured, found: Sequence[Violation]) -> Iterator[Violation]:
        """Yield the violations of what is recorded, and not of an assumption."""
        for violation in found:
            of_body = violation.place == "body" or violation.rule in {"content-type", "content-encoding"}
            unknown = (one.body is None and of_body) or (one.headers is None and violation.place == "header")
            if not unknown and violation.rule != "body-size":
                yield self._secrets.violation(violation)

    def _judge_request(self, entry: Entry, one: Captured) -> None:
        self.result.exercised[CONSUMER, "contract"] += 1
        first: dict[str, dict[str, Any]] = {}
        for shown in entry.explained if entry.violations else ():
            first.setdefault(shown["rule"], shown)
        for name, shown in first.items():
            place = shown["pointer"] if shown["place"] == "body" else shown["place"] + shown["pointer"]
            got, wanted, fix = (self._secrets(str(shown[key])) for key in ("got", "wanted", "fix"))
            line = shown["line"] or self._line(entry.contract, PARTS.get(shown["place"], ""))
            mistake = Mistake(CONSUMER, name, "error", "", entry.operation or "", place, got, wanted, line, fix)
            self.result.add(mistake, [self._where(one)])
        sent = any(name == "authorization" for name, _ in one.headers or ())
        self._credentials |= sent
        for rule, look in self._alone:
            if rule.id == "clean-path" and entry.contract is None:
                continue  # a violation says so
            if rule.id == "bearer-header" and not sent and (one.headers is None or one.status != UNAUTHORIZED):
                if one.headers is not None:
                    self.result.notes["credentials"] += 1
                continue  # a tool has left it out, since the response is not a 401
            for breach in look(entry) or ():
                mistake = self._mistake(rule, breach, entry)
                result = self._without if rule.id == "bearer-header" and not sent else self.result
                result.add(mistake, [self._where(one)])
            self.result.exercised[CONSUMER, rule.id] += 1

    def _judge_sequence(self, entry: Entry, one: Captured, placed: Placed) -> None:
        """Judge a request by those before it, as the findings of a journal do."""
        if entry.sample is not None or placed.late:
            return
        if len(self._recent) >= JOURNAL_ENTRIES or self._size > JOURNAL_BYTES:
            self._begin()
        self._recent[entry.number] = _Recent(
            one.source, one.number, one.began, one.ended, one.method, one.path, one.status
        )
        self._size += one.size
        for rule, look in self._looks:
            if rule.timed and one.began is None:
                continue
            found = look(entry)
            if found is not None:
                self.result.exercised[CONSUMER, rule.id] += 1
            for breach in found or ():
                entries = [self._recent[number] for number in breach.requests if number in self._recent]
                if not self._overlap(rule, entries):
                    self.result.add(self._mistake(rule, breach, entry), [self._where(one) for one in entries])

    def _overlap(self, rule: TrafficRule, entries: Sequence[_Recent]) -> bool:
        """Return whether the last of requests was sent before the response to one before it, which it cannot heed."""
        if rule.severity == "hint" or len(entries) < 2:  # noqa: PLR2004 - a pair
            return False
        *_, before, last = entries
        return None not in {before.ended, last.time} and (last.time or 0) < (before.ended or 0)

    def _mistake(self, rule: TrafficRule, breach: Breach, entry: Entry) -> Mistake:
        text, operation = self._secrets(breach.text), entry.operation or ""
        return Mistake(CONSUMER, rule.id, rule.severity, rule.statement, operation, "", text, "", None, "")

    def _response(self, one: Captured) -> Recorded | None:
        """Return the response to judge, None without one, and note what is missing."""
        notes = self.result.notes
        reason = "injected" if one.injected else "aborted" if one.status == NO_RESPONSE else NOT_JUDGED.get(one.status)
        if reason:
            notes[reason] += 1
            return None
        missing = {"response-body": one.reply_body is None and one.method != "HEAD"}
        missing["response-headers"] = one.reply_headers is None
        notes.update(name for name, really in missing.items() if really)
        headers = tuple((name.lower(), value) for name, value in one.reply_headers or ())
        if one.ended is not None and not any(name == "date" for name, _ in headers):
            headers = (*headers, ("date", formatdate(one.ended / SECOND, usegmt=True)))
        return Recorded(one.status, headers, one.reply_body or b"", (one.ended or 0) / SECOND)

    def _judge_response(self, entry: Entry, one: Captured, response: Recorded, routed: Routed) -> None:
        request = Request(one.method, one.path, one.headers or (), one.body)
        for rule in _response_rules():
            if (rule.id in NEEDS_BODY and one.reply_body is None) or (
                rule.id in NEEDS_HEADERS and not one.reply_headers
            ):
                continue
            if one.method == "HEAD" and rule.id not in OF_HEAD:
                continue
            self.result.exercised[PROVIDER, rule.id] += 1
            fault = rule.judge(request, response, routed) if rule.judge else None
            if fault:
                pointer, line = "", self._line(routed.operation, "responses", one.status)
                schema = routed.operation.responses.get(one.status) if routed.operation else None
                if rule.id == "success-schema" and schema and response.json is not None:
                    for violation in first_violation(schema, response.json):
                        pointer = violation.pointer
                        fault = (violation.got, f"{violation.wanted} ({violation.rule})")
                        line = _line_at(self._contract, violation.source)
                self._add_fault(rule, entry, one, fault, pointer, line)

    def _judge_limits(self, entry: Entry, one: Captured, response: Recorded, operation: Operation | None) -> None:
        """Judge the headers about limits, and whether more was accepted than any window allows."""
        limits = self._limits.of(operation)
        if not limits or entry.contract is None or not entry.contract.secured:
            return
        line = self._line(operation, "responses", TOO_MANY)
        if one.reply_headers and (one.status == TOO_MANY or any(response.header(name) for name in HEADERS)):
            self.result.exercised[PROVIDER, "limit-headers"] += 1
            if wrong := wrong_headers(response, limits):
                wanted = " or ".join(f"{limit.requests};w={limit.seconds}" for limit in limits)
                self._add_fault(_limit_rule("limit-headers"), entry, one, (wrong, wanted), "", line)
        if one.reply_headers and one.status == TOO_MANY:
            self.result.exercised[PROVIDER, "limit-has-retry-after"] += 1
            if fault := wrong_retry_after(response, max(limit.seconds for limit in limits)):
                self._add_fault(_limit_rule("limit-has-retry-after"), entry, one, fault, "", line)
        if response.succeeded and entry.account and one.began is not None:
            for limit in limits:
                self._count(limit, entry, one, line)

    def _count(self, limit: Limit, entry: Entry, one: Captured, line: str | None) -> None:
        """Count an accepted request; only more than two windows allow, within one, prove that a limit is not kept."""
        name = entry.operation if limit is not self._limits.account else ""
        if len(self._accepted) > JOURNAL_ENTRIES:
            self._accepted.clear()
        here = self._accepted[f"{entry.account} {name}", limit]
        began, ended = one.began or 0, one.ended or one.began or 0
        here.append((began, ended))
        most, span = REPEATED * limit.requests, limit.seconds * SECOND
        while here and ended - here[0][0] >= span:
            here.popleft()
        self.result.exercised[PROVIDER, "limit-is-kept"] += 1
        if len(here) > most:
            got = f"{len(here)} requests accepted within {limit.seconds} s"
            wanted = f"at most {limit.requests} in a window, so at most {most} in any {limit.seconds} s"
            self._add_fault(_limit_rule("limit-is-kept"), entry, one, (got, wanted), "", line)
            here.clear()

    def _add_fault(  # noqa: PLR0913, PLR0917 - a mistake has these parts
        self, rule: Rule, entry: Entry, one: Captured, fault: tuple[str, str], pointer: str, line: str | None
    ) -> None:
        got, wanted = (self._secrets(text) for text in fault)
        got = got if len(got) <= LONGEST else f"{got[: LONGEST - 3]}..."
        operation = entry.operation or ""
        fix = OTHER_LIMITS if rule.id in {"limit-headers", "limit-is-kept"} else ""
        mistake = Mistake(PROVIDER, rule.id, "error", rule.statement, operation, pointer, got, wanted, line, fix)
        self.result.add(mistake, [self._where(one)])

    def _where(self, one: Captured | _Recent) -> Where:
        """Return where a record is, without secrets."""
        began = one.began if isinstance(one, Captured) else one.time
        method, path = self._secrets(one.method)[:20], self._secrets(one.path)[:LONGEST]
        return Where(one.source, one.number, shown_time(began), method, path, one.status)

    def _line(self, operation: Operation | None, *part: str | int) -> str | None:
        """Return the line of an operation in the contract, or of a part of it; that of what is there of it."""
        return _line_at(self._contract, (*parts_of(operation.source), *map(str, part))) if operation else None


@lru_cache(maxsize=4096)
def _line_at(contract: Contract, place: Place) -> str:
    name, line = contract.origin(place)
    return f"{name.replace(chr(92), '/').rpartition('/')[2]}:{line}"


@lru_cache(maxsize=1)
def _response_rules() -> list[Rule]:
    return [one for one in PROVIDER_RULES.values() if one.judge and one.id != "answers-in-time"]


def _limit_rule(name: str) -> Rule:
    return next(one for one in LIMIT_RULES if one.id == name)


def _plain_wait(one: Captured) -> Any:
    """Return the headers of a response with Retry-After in seconds, since the server's clock may not be the tool's."""
    headers = one.reply_headers or ()
    dates = [value for name, value in headers if name.lower() == "date"]
    sent = seconds_named(dates[0], 0) if dates else None
    if one.status != TOO_MANY or sent is None:
        return headers
    waits = ((name, value, seconds_named(value, int(sent * SECOND))) for name, value in headers)
    return tuple(
        (name, str(round(wait)) if name.lower() == "retry-after" and wait is not None else value)
        for name, value, wait in waits
    )
