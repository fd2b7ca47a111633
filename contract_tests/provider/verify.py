"""Examine a provider: plan the requests, send them at the pace it allows, judge the answers, come to a verdict.

The order: can it be used at all, the limit (by requests that are sent anyway), then one request of each rule, and what
is left, and Schemathesis. Whatever stops it early, what was found so far is reported.
"""

from __future__ import annotations

import json
import random
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import TYPE_CHECKING

from contract_tests.provider import limits
from contract_tests.provider.limits import TOO_MANY
from contract_tests.provider.results import Breach, Report, Result
from contract_tests.provider.rules import (
    ANSWERS,
    IDENTIFIERS,
    OK,
    RULES,
    TAG,
    Asking,
    NotExercised,
    Probe,
    Rule,
    good,
)
from contract_tests.provider.wire import NO_ANSWER, Got, Sent, Unusable
from mock_server.messages.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from contract_tests.provider.rules import Given
    from contract_tests.provider.wire import Provider

REQUEST_SECONDS = 10.0
"""Seconds that an answer may take."""

SHORTEST_SECRET = 6
"""Characters of a part of a token from which on it is taken out of texts."""

LONGEST_SHOWN = 160
"""Characters of an answer that are shown."""

MOST_SILENT = 3
"""Requests in a row without an answer after which nothing more is sent."""

MOST_BREACHES = 3
"""Breaches of a rule after which no more of its requests are sent."""

MOST_LIMITED = 3
"""Times that a request is sent again which a 429 has refused."""

FIRST = (
    *("contact-or-identity", "at-most-20", "longest-text", "token-is-required", "token-must-be-known"),
    *("unknown-campaign", "data-is-a-list", "texts-are-texts", "empty-is-no-contact", "null-is-refused"),
    *("every-record-counts", "malformed-json-is-refused", "at-least-1", "foreign-campaign", "scheme-is-bearer"),
    *("counts-characters", "json-content-type", "token-comes-first", "malformed-id", "records-are-objects"),
)
"""The rules whose first requests tell most, if there may not be many."""


@dataclass(frozen=True, slots=True)
class Step:
    """How far an examination has come.

    Attributes:
        doing: The rule that is put to the test, and what is waited for.
        requests: How many were sent.
        planned: How many there will be, about; Schemathesis, whose number nobody knows before, is left out.
        wait: Seconds that are left of a wait; 0 if it is none, or costs nothing.
    """

    doing: str
    requests: int
    planned: int
    wait: float = 0.0


@dataclass(frozen=True, slots=True)
class Options:
    """How an examination is to go.

    Attributes:
        only: Ids of the rules to examine; empty for all.
        skip: Ids of rules to leave out.
        max_requests: Requests at most; None for as many as there are.
        seed: Of what is chosen at random.
        patient: Whether time is real, so that waiting costs something.
        tell: Hears of progress, before each request and, once a second, while time goes by.
    """

    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    max_requests: int | None = None
    seed: int = 0
    patient: bool = True
    tell: Callable[[Step], object] = lambda _: None

    def wants(self, rule: str) -> bool:
        """Tell whether a rule is to be examined."""
        return (not self.only or rule in self.only) and rule not in self.skip


class Enough(Exception):
    """As many requests were sent as are allowed, or the provider does not answer any more."""


def examine(given: Given, provider: Provider, options: Options) -> Report:
    """Examine a provider, and report; never raises for what a provider does."""
    examiner = Examiner(given, provider, options)
    begun = time.monotonic()
    try:
        examiner.run()
    except Unusable as error:
        examiner.report.unusable = examiner.redact(str(error))
        for result in examiner.report.results.values():
            result.breaches.clear()  # what one answer broke says nothing of a target that is none
    except Enough as error:
        examiner.report.stopped = examiner.redact(str(error))
    except KeyboardInterrupt:
        examiner.report.interrupted = True
    examiner.conclude()
    examiner.report.seconds = time.monotonic() - begun
    return examiner.report


class Examiner:
    """Carries out one examination."""

    def __init__(self, given: Given, provider: Provider, options: Options) -> None:
        self.given, self.options = given, options
        self._provider = provider
        self._ask = Asking(given, random.Random(options.seed))  # noqa: S311 - ids that nobody has are no secret
        self.report = Report({name: Result(rule) for name, rule in RULES.items() if options.wants(name)})
        self._together: list[tuple[str, Probe]] = []
        self._alone: dict[str, list[Probe]] = {}
        self._spare: deque[tuple[str, Probe]] = deque()
        self._lent: dict[int, tuple[str, Probe]] = {}
        self._counted: deque[float] = deque()
        self._silent = 0
        self._elsewhere = False
        self._planned = 0
        self._now = ""
        self.redact = redactor_of(given)

    # --- The plan -----------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Send everything, in the order of what tells most."""
        self._plan()
        self._preflight()
        if self.given.writes:
            self._perform(limits.measure, *limits.MEASURED)
            self._accept_together()
        for rule, probe in _in_turns(self._turns()):
            self._put(rule, probe)
        if self.given.writes:
            self._store()
            self._perform(limits.burst, "limit-under-a-burst")
            self._perform(limits.measure_all_operations, "limit-of-all-operations")
        if "schemathesis" in self.report.results:
            from contract_tests.provider.schemathesis_rule import explore  # noqa: PLC0415 - it takes a second to import

            self._perform(lambda _: explore(self), "schemathesis")

    def _plan(self) -> None:
        """Ask every rule for its probes, and count the requests that they come to."""
        for name, rule in RULES.items():
            if rule.probes is None or name not in self.report.results:
                continue
            if rule.raw and not self._provider.sockets:
                self.report.results[name].missing = "needs a socket"
                continue
            try:
                for probe in rule.probes(self._ask):
                    self._file(name, probe)
            except NotExercised as missing:
                self.report.results[name].missing = str(missing)
        alone = sum(1 if probe.after is None else 2 for probes in self._alone.values() for probe in probes)
        most = self.given.rate_limit[0] if self.given.rate_limit and self.given.writes else 0
        planned = 1 + -(-len(self._together) // 20) + len(self._spare) + alone + 2 * most
        self._planned = min(planned, self.options.max_requests or planned)

    def _file(self, rule: str, probe: Probe) -> None:
        """Put a probe where it belongs: with others, among those that measure the limit, or by itself."""
        if probe.wanted & OK and not self.given.writes:
            self.report.results[rule].missing = "needs --write, or a provider on this machine"
        elif probe.records and probe.wanted == OK:
            self._together.append((rule, probe))
        elif probe.wanted == OK and not probe.after and not probe.fresh:
            self._spare.append((rule, probe))
        else:
            self._alone.setdefault(rule, []).append(probe)

    def _turns(self) -> list[list[tuple[str, Probe]]]:
        """Return what each rule has left to ask, the most telling rules first."""
        for rule, probe in [*self._lent.values(), *self._spare]:
            self._alone.setdefault(rule, []).append(probe)
        names = [*(name for name in FIRST if name in self._alone), *(name for name in self._alone if name not in FIRST)]
        return [[(name, probe) for probe in self._alone[name]] for name in names]

    def _preflight(self) -> None:
        """Find out whether the provider can be used.

        Raises:
            Unusable: It redirects, or lets nobody in.
        """
        self._now = "can it be used"
        sent = self._ask.sent() if self.given.writes else self._ask.sent({"data": []})
        got = self.send_patiently(sent)
        if 300 <= got.status < 400:  # noqa: PLR2004 - the redirects
            raise Unusable(f"{self.given.url} redirects to {got.header('location')}; give the address that it leads to")
        if got.status == 401:  # noqa: PLR2004 - unauthorized
            raise Unusable("the token was refused with 401; check --token, and that it is not expired")
        if got.status == 403:  # noqa: PLR2004 - forbidden
            raise Unusable("the token may not add prospects to the campaign (403); give one that may")
        if got.status == 404:  # noqa: PLR2004 - not found
            raise Unusable("the campaign was not found (404); check --campaign-id, --token, and the path of --url")
        if got.status == NO_ANSWER:
            raise Unusable(f"{self.given.url} does not answer: {got.trouble}")
        if got.status == TOO_MANY:
            raise Unusable("every request is refused with 429; wait, or say --rate-limit off if it is another limit")

    def _accept_together(self) -> None:
        """Send prospects that must be accepted, 20 in a request; one by one where that is refused."""
        waiting, self._together = self._together, []
        while waiting:
            group, waiting = waiting[:20], waiting[20:]
            self._now = "what must be accepted"
            records = [record for _, probe in group for record in probe.records]
            if self.send_patiently(self._ask.sent({"data": records})).status in OK:
                for rule, _ in group:
                    self.report.results[rule].requests += 1
            else:
                for rule, probe in group:
                    self._put(rule, probe)

    def _perform(self, procedure: Callable[[limits.Examiner], None], *rules: str) -> None:
        """Carry out a procedure that judges some rules, unless none of them is wanted."""
        wanted = [rule for rule in rules if rule in self.report.results]
        if not wanted:
            return
        self._now = wanted[0]
        try:
            procedure(self)
        except NotExercised as missing:
            for rule in wanted:
                self.report.results[rule].missing = str(missing)

    def _store(self) -> None:
        """Where the provider shows what it has stored, see that it is what was sent and accepted."""
        stored = getattr(self._provider, "stored", None)
        if stored is None or "stores-what-was-sent" not in self.report.results:
            return
        self._now = "stores-what-was-sent"
        before = stored(self.given.campaign_id)
        batch = [good(firstName=f"No. {number}", n=10**25 + number) for number in range(20)]
        sent = self._ask.sent({"data": batch})
        bad = self._ask.sent({"data": [*batch[:19], {"jobTitle": TAG}]})
        for what, one, wanted in (("20 records", sent, batch), ("a batch whose last record is bad", bad, [])):
            got = self.send_patiently(one)
            after = stored(self.given.campaign_id)
            if after[len(before) :] != wanted:
                told = f"{got.status}, and {len(after) - len(before)} records stored, in another form or order"
                self.break_rule("stores-what-was-sent", what, one, replace(got, trouble=told), f"{len(wanted)} stored")
            else:
                self.keep_rule("stores-what-was-sent")
            before = after

    # --- One request --------------------------------------------------------------------------------------------------

    def _put(self, rule: str, probe: Probe) -> None:
        """Put a rule to the test by one probe."""
        result = self.report.results[rule]
        if len(result.breaches) >= MOST_BREACHES:
            return
        self._now = rule
        if probe.after is not None:
            self.send_patiently(probe.after)
        with self.judged_elsewhere():
            got = self.send_patiently(probe.sent, fresh=probe.fresh, silent_is_fine=NO_ANSWER in probe.wanted)
        if got.status == TOO_MANY:
            result.missing = "refused by a limit"
            return
        result.requests += 1
        if got.status not in probe.wanted:
            self.break_rule(rule, probe.what, probe.sent, got, _wanted(probe.wanted))
        elif probe.echo and probe.echo.encode() in got.body + repr(got.headers).encode():
            self.break_rule(rule, f"{probe.what}, repeated by the answer", probe.sent, got, "no part of a token")

    @contextmanager
    def judged_elsewhere(self) -> Iterator[None]:
        """Leave server errors to the rule that is put to the test by what is sent meanwhile."""
        self._elsewhere = True
        try:
            yield
        finally:
            self._elsewhere = False

    def send_patiently(self, sent: Sent, *, fresh: bool = False, silent_is_fine: bool = False) -> Got:
        """Send a request when the limit lets it pass, again if it is refused all the same."""
        times = 0
        while True:
            self._pace(sent)
            got = self.send(sent, fresh=fresh, silent_is_fine=silent_is_fine)
            if got.status != TOO_MANY or self.given.rate_limit is None or times == MOST_LIMITED:
                return got
            times += 1
            _, window = self.given.rate_limit
            told = limits.seconds_of(got, "retry-after")
            self.wait(min(told or window, window) + limits.LATE, "as a 429 tells")

    def _pace(self, sent: Sent) -> None:
        """Wait until the limit lets a request pass, by our own count of those before."""
        if self.given.rate_limit is None or not self._counts(sent):
            return
        most, window = self.given.rate_limit
        while self._counted and self._counted[0] <= self.time() - window:
            self._counted.popleft()
        if len(self._counted) >= most:
            self.wait(self._counted[-most] + window + limits.LATE - self.time(), "for quota")

    def _counts(self, sent: Sent) -> bool:
        """Tell whether a request is one of the account that is examined."""
        ours = [f"bearer {token}".lower() for token in (self.given.token, self.given.second_token) if token]
        return any(name == "Authorization" and value.lower() in ours for name, value in sent.headers)

    def send(self, sent: Sent, *, fresh: bool = False, silent_is_fine: bool = False) -> Got:
        """Send a request now, and judge its answer by the rules about every answer.

        Raises:
            Enough: No more requests are allowed, or the provider is silent.
        """
        self._allow(1)
        self._tell(self._now)
        try:
            got = self._provider.send(sent, seconds=REQUEST_SECONDS, fresh=fresh)
        except Unusable as error:
            if not self.report.requests:
                raise
            got = Got(NO_ANSWER, at=self.time(), trouble=f"no connection any more: {error}")
        self._judge(sent, got)
        self._silent = self._silent + 1 if got.status == NO_ANSWER and not silent_is_fine else 0
        if self._silent >= MOST_SILENT:
            raise Enough(f"{MOST_SILENT} requests in a row had no answer: {got.trouble}")
        return got

    def _allow(self, more: int) -> None:
        """Let so many more requests be sent, or none."""
        if self.options.max_requests is not None and self.report.requests + more > self.options.max_requests:
            raise Enough(f"--max-requests {self.options.max_requests}")

    def _judge(self, sent: Sent, got: Got) -> None:
        self.report.requests += 1
        if self._counts(sent):
            self._counted.append(got.at)
        if got.status != NO_ANSWER:
            self.report.statuses[got.status] += 1
        if got.status in OK:
            self.report.accepted += 1
            self.report.records += _records(sent)
            lent = self._lent.pop(id(sent), None)
            if lent:
                self.report.results[lent[0]].requests += 1
        for name, (_, judge) in ANSWERS.items():
            if name not in self.report.results or (name == "no-server-error" and self._elsewhere):
                continue
            if sent.framing in {"short", "long"} and name != "no-server-error":
                continue  # what is no HTTP may be answered by the server itself, which knows nothing of the API
            wrong = judge(sent, got)
            if wrong and not any(one.got.startswith(str(got.status)) for one in self.report.results[name].breaches):
                told, _, wanted = wrong.partition("; wanted ")
                self.note(name, Breach(self._now, sent, wanted, self._shown(told)))
            self.report.results[name].requests += 1

    # --- What limits.py asks for --------------------------------------------------------------------------------------

    def accepted_at_first(self) -> int:
        """Return how many requests had been accepted before the measurement."""
        return self.report.accepted

    def spare(self) -> Sent:
        """Return a right request, if possible one that is to be sent anyway."""
        if not self._spare:
            return self._ask.sent()
        rule, probe = self._spare.popleft()
        self._lent[id(probe.sent)] = (rule, probe)
        return probe.sent

    def right(self, *, token: str | None = "", campaign: str | None = None) -> Sent:
        """Return a right request of somebody, to a campaign."""
        return self._ask.sent(token=token, path=self._ask.path(campaign))

    def get_campaigns(self) -> Sent:
        """Return a request for the list of campaigns."""
        return replace(
            self._ask.sent(method="GET", path=self._ask.path().rsplit("/", 2)[0], content_type=None), body=None
        )

    def at_once(self, sent: Sequence[Sent]) -> list[Got]:
        """Send requests at the same time, each on a connection of its own.

        Raises:
            Enough: So many are not allowed.
        """
        self._allow(len(sent))
        with ThreadPoolExecutor(len(sent)) as pool:
            found = list(pool.map(lambda one: self._provider.send(one, seconds=REQUEST_SECONDS, fresh=True), sent))
        for one, got in zip(sent, found, strict=True):
            self._judge(one, got)
        return found

    def time(self) -> float:
        """Return the provider's time."""
        return self._provider.time()

    def wait(self, seconds: float, why: str) -> None:
        """Let time go by, and say so: beforehand, and each second if it costs any."""
        doing, left = f"{self._now}: waiting {why}", seconds
        while left > 0:
            self._tell(doing, left if self.options.patient else 0.0)
            passing = min(left, 1.0) if self.options.patient else left
            self._provider.wait(passing)
            left -= passing

    def _tell(self, doing: str, wait: float = 0.0) -> None:
        self.options.tell(Step(doing, self.report.requests, self._planned, wait))

    def break_rule(self, rule: str, what: str, sent: Sent, got: Got, wanted: str) -> None:
        """Write down that a rule is broken."""
        if rule in self.report.results:
            self.note(rule, Breach(what, sent, wanted, self._shown(got.trouble or str(got))))

    def keep_rule(self, rule: str) -> None:
        """Write down that a rule was put to the test."""
        if rule in self.report.results:
            self.report.results[rule].requests += 1

    def note(self, rule: str, breach: Breach) -> None:
        """Write a breach of a rule down, unless there are enough of them."""
        result = self.report.results[rule]
        result.requests = max(result.requests, 1)
        if len(result.breaches) < MOST_BREACHES:
            result.breaches.append(breach)

    def _shown(self, text: str) -> str:
        """Return a text without tokens and parts of them, and then no longer than need be."""
        shown = self.redact(text)
        return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."

    # --- The verdict --------------------------------------------------------------------------------------------------

    def conclude(self) -> None:
        """Say what is not proven."""
        report = self.report
        for result in report.results.values():
            if not result.requests and not result.missing:
                result.missing = report.unusable or report.stopped or self._unasked(result.rule.id)
        if report.unusable or report.interrupted or report.broken:
            return
        if self.options.only:
            idle = [name for name, result in report.results.items() if not result.requests]
            report.unproven += [f"{name} was not exercised: {report.results[name].missing}" for name in idle]
            return
        if self.given.writes and not report.accepted:
            report.unproven.append("no valid request was accepted")
        expected = set(IDENTIFIERS) | {200}
        expected.discard(403)
        if self.given.rate_limit is None or not self.given.writes:
            expected.discard(TOO_MANY)
        if not self.given.writes:
            expected.discard(200)
        report.unproven += [
            f"the documented status {status} was never seen"
            for status in sorted(expected)
            if not report.statuses[status]
        ]

    def _unasked(self, rule: str) -> str:
        needs = {
            "limit-of-the-account": "needs --second-token",
            "limit-of-all-campaigns": "needs --second-campaign-id",
            "limit-leaves-other-accounts": "needs --other-account-token and --foreign-campaign-id",
            "stores-what-was-sent": "needs a provider that shows what it has stored, as alta-mock does",
        }
        if not self.given.writes and (rule.startswith("limit") or rule == "stores-what-was-sent"):
            return "needs --write, or a provider on this machine"
        return needs.get(rule, "nothing put it to the test")


RULES["stores-what-was-sent"] = Rule(
    "stores-what-was-sent",
    "What is accepted is stored whole, in order and to the last digit; of what is refused, nothing.",
    "the user's own expectation; judged where a provider shows what it has",
)
RULES["schemathesis"] = Rule(
    "schemathesis",
    "Whatever Schemathesis makes of the document is answered as it says.",
    "openapi.yaml, and what the overlay adds of documented prose",
)


def redactor_of(given: Given) -> Redactor:
    """Return what takes tokens out of texts, and those that were made of them to be refused."""
    made = [
        other
        for token in given.tokens
        for other in (token, token[:-1], token[1:], token[: len(token) // 2], token.swapcase())
        if len(other) >= SHORTEST_SECRET
    ]
    return Redactor([*made, *given.tokens])


def _in_turns(lists: Sequence[Sequence[tuple[str, Probe]]]) -> Iterator[tuple[str, Probe]]:
    """Yield the first of each, then the second of each, and so on."""
    for row in zip_longest(*lists):
        yield from (one for one in row if one is not None)


def _records(sent: Sent) -> int:
    """Return how many prospects a request has."""
    try:
        return len(json.loads(sent.body or b"")["data"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return 0


def _wanted(statuses: frozenset[int]) -> str:
    """Say which statuses would have been right."""
    if len(statuses) > 20:  # noqa: PLR2004 - a class of them
        return "no 5xx" if 200 in statuses else "a refusal (4xx)"  # noqa: PLR2004 - accepted
    return " or ".join(map(str, sorted(status for status in statuses if status)))


def planned_records(given: Given) -> int:
    """Return how many prospects an examination adds to a provider that keeps the contract, roughly and at most."""
    ask = Asking(given, random.Random(0))  # noqa: S311 - see above
    probes = [probe for rule in RULES.values() if rule.probes for probe in _asked(rule.probes, ask)]
    most = given.rate_limit[0] if given.rate_limit else 0
    return sum(_records(probe.sent) for probe in probes if probe.wanted == OK) + 4 * most + 10


def _asked(probes: Callable[[Asking], Iterator[Probe]], ask: Asking) -> list[Probe]:
    try:
        return list(probes(ask))
    except NotExercised:
        return []
