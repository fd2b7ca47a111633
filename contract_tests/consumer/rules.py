"""What a consumer must do, as rules over one run: what it sent, when, what it was answered, and what it reported.

A rule is a function of a `Run` that returns the breaches it finds, or None if the run did not exercise it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

from contract_tests.body_schema import OPERATION, body_validator
from contract_tests.sources import ADD, AUTH, ERRORS, LIMITS
from mock_server.contract.limits import SECOND
from mock_server.journal.rules import seconds_told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from contract_tests.consumer.runs import Run
    from mock_server.journal.entries import Entry

MOST_PROSPECTS = 20

SLACK = 0.05
"""Seconds that a wait may seem too short: timers of some runtimes wake up a little early."""

MOST_EXTRA = 90.0
"""Seconds that a wait may be longer than told before it is absurd; a fixed minute is no fault."""

MOST_REFUSALS = 20
"""429s in a row after which a consumer should have given up."""

MOST_TRIES = 3
"""Times that a batch may be sent again after a 5xx."""

BAD_REQUEST, TOO_MANY, SERVER_ERROR = 400, 429, 500
FOR_GOOD = {400, 401, 403, 404}
"""Statuses after which the same request cannot succeed."""

DOCUMENTED, PRACTICE = "documented", "good practice"


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that a consumer did wrong.

    Attributes:
        text: What it did and what to change, in one sentence.
        requests: The numbers of the journal's entries that show it.
    """

    text: str
    requests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Its name on the command line and in reports.
        statement: What a consumer must do, in one sentence.
        source: The page of the vendor that says so, or why it is good practice.
        basis: `documented` or `good practice`.
        severity: `error`, or `warning` for what is unwise but works.
        judge: Finds the breaches of a run; None if it did not get to where the rule applies.
    """

    id: str
    statement: str
    source: str
    basis: str
    severity: str
    judge: Callable[[Run], list[Breach] | None]


RULES: dict[str, Rule] = {}


def rule(source: str, basis: str = DOCUMENTED, severity: str = "error") -> Callable[[Any], Any]:
    """Make a rule of a function; its name becomes the id, the first line of its docstring the statement."""

    def register(judge: Callable[[Run], list[Breach] | None]) -> Callable[[Run], list[Breach] | None]:
        name = judge.__name__.replace("_", "-")
        statement = (judge.__doc__ or "").splitlines()[0]
        RULES[name] = Rule(name, statement, source, basis, severity, judge)
        return judge

    return register


def broken(run: Run) -> dict[str, list[Breach]]:
    """Return the rules that a run breaks, each with its breaches."""
    found = {name: one.judge(run) for name, one in RULES.items()}
    return {name: breaches for name, breaches in found.items() if breaches}


# --- What is sent ---------------------------------------------------------------------------------------------------


@rule(ADD)
def valid_body(run: Run) -> list[Breach] | None:
    """Every body keeps the contract: its types, its bounds, and a contact or an identity for each prospect."""
    adding = _adding(run)
    validator = body_validator(adding[0].known.contract.document) if adding else None
    return _each(adding, lambda entry: _wrong_with_body(entry, validator))


@rule(ADD)
def sends_at_most_20(run: Run) -> list[Breach] | None:
    """No request has more than 20 prospects, and none has no prospect."""

    def wrong(entry: Entry) -> str | None:
        size = len(records(entry))
        if 1 <= size <= MOST_PROSPECTS or not _has_records(entry):
            return None
        return f"sent {size} prospects in one request; send 1 to {MOST_PROSPECTS}"

    return _each(_adding(run), wrong)


@rule(ADD)
def sends_json(run: Run) -> list[Breach] | None:
    """Bodies are sent as application/json, in UTF-8."""

    def wrong(entry: Entry) -> str | None:
        sent = entry.request.all("content-type")
        if len(sent) != 1 or not re.fullmatch(r"application/json\s*(;.*)?", sent[0], re.IGNORECASE):
            return f"sent Content-Type {', '.join(sent) or '(none)'}; send application/json"
        try:
            (entry.request.body or b"").decode()
        except UnicodeDecodeError:
            return "sent a body that is no UTF-8"
        return None

    return _each(_adding(run), wrong)


@rule(AUTH)
def bearer_header(run: Run) -> list[Breach] | None:
    """The token is sent as one Authorization header, with the word Bearer, and nowhere else."""

    def wrong(entry: Entry) -> str | None:
        sent = entry.request.all("authorization")
        redact = entry.known.redact
        if len(sent) != 1 or not re.fullmatch(r"(?i:bearer) +\S+", sent[0]):
            return "the token is not in one header Authorization: Bearer <token>"
        scheme, token = sent[0].split()
        del scheme
        if not redact.knows(token):
            return "the token is not the one that the consumer was given in ALTA_API_TOKEN"
        everywhere = [entry.request.path, entry.request.query, (entry.request.body or b"").decode(errors="replace")]
        everywhere += [value for name, value in entry.request.headers if name != "authorization"]
        if any(token in text for text in everywhere):
            return "the token is in the address, in the body or in another header, too, where logs keep it"
        return None

    return _each(run.entries, wrong)


@rule(ADD)
def clean_path(run: Run) -> list[Breach] | None:
    """Requests go to POST /v1/campaigns/{campaignId}/prospects, without a query or a stray slash."""

    def wrong(entry: Entry) -> str | None:
        if entry.operation is None:
            return f"sent {entry.method} {entry.path[:100]}, which the API does not have; join base URL and path once"
        return "sent a query, which the operation does not have" if entry.request.query else None

    return _each(run.entries, wrong)


# --- Limits ---------------------------------------------------------------------------------------------------------


@rule(LIMITS)
def waits_as_told(run: Run) -> list[Breach] | None:
    """After a 429 nothing is sent before the time that Retry-After tells, in seconds or as a date."""
    return _waits(
        (before, after, f"came {waited:.1f} s after a 429 that told {told:.1f} s; wait as long as Retry-After says")
        if waited < told - SLACK
        else None
        for before, after, waited, told in _told_waits(run)
    )


@rule("the documentation advises exponential backoff", PRACTICE, "warning")
def pauses_untold(run: Run) -> list[Breach] | None:
    """After a 429 without a usable Retry-After there is a pause of a second at least."""
    return _waits(
        (before, after, f"came {waited:.1f} s after a 429 that told no time; pause, and longer each time")
        if waited < 1 - SLACK
        else None
        for before, after, waited, told in _retries(run)
        if told is None
    )


@rule("a program that sleeps for hours looks like one that hangs", PRACTICE, "warning")
def waits_no_longer_than_sensible(run: Run) -> list[Breach] | None:
    """After a 429 the next request comes at most a minute and a half after the time that Retry-After tells."""
    return _waits(
        (before, after, f"came {waited:.0f} s after a 429 that told {told:.0f} s; read Retry-After as what it is")
        if waited > told + MOST_EXTRA
        else None
        for before, after, waited, told in _told_waits(run)
    )


@rule("a program that is refused without end must end by itself", PRACTICE)
def gives_up(run: Run) -> list[Breach] | None:
    """Refused with a 429 again and again, a consumer ends by itself, after 20 requests at most."""
    streak = most = 0
    for entry in run.entries:
        streak = streak + 1 if entry.status == TOO_MANY else 0
        most = max(most, streak)
    if most > MOST_REFUSALS:
        text = f"was refused {most} times in a row with a 429 and went on; give up after some tries, and say so"
        return [Breach(text, tuple(entry.number for entry in run.entries[-3:]))]
    return [] if streak else None


@rule("a program that hangs holds everything up that waits for it", PRACTICE)
def ends_by_itself(run: Run) -> list[Breach] | None:
    """A consumer ends by itself, and does not ask on and on."""
    if run.ended or (run.entries and all(entry.status == TOO_MANY for entry in run.entries[-MOST_REFUSALS:])):
        return [] if run.entries else None  # refused without end, which another rule judges
    text = f"did not end after {len(run.entries)} requests, and was stopped; give up, and say so"
    return [Breach(text, tuple(entry.number for entry in run.entries[-1:]))]


@rule(LIMITS)
def resumes_with_the_refused_batch(run: Run) -> list[Breach] | None:
    """After a 429 the batch that was refused is sent again, before any other."""
    return _waits(
        (before, after, "went on with other prospects after a 429; the refused batch was not added, so send it again")
        if records(after) != records(before)
        else None
        for before, after, _, _ in _retries(run)
    )


# --- Refusals and trouble -------------------------------------------------------------------------------------------


@rule(ERRORS)
def does_not_repeat_what_was_refused(run: Run) -> list[Breach] | None:
    """A request that was refused with 400, 401, 403 or 404 is not sent again."""
    refused: dict[Any, Entry] = {}
    found = []
    for entry in run.entries:
        key = (entry.request.path, entry.request.body or b"", _who(entry))
        if key in refused:
            text = f"sent the same request again after a {refused[key].status}; it cannot succeed, so report it"
            found.append(Breach(text, (refused[key].number, entry.number)))
        if entry.status in FOR_GOOD:
            refused[key] = entry
    return found if refused else None


@rule(ERRORS)
def stops_when_nothing_can_succeed(run: Run) -> list[Breach] | None:
    """After a 401, 403 or 404 no other prospects are sent there: token or campaign are wrong for all of them."""
    for index, entry in enumerate(run.entries):
        if entry.status in FOR_GOOD - {BAD_REQUEST}:
            for later in run.entries[index + 1 :]:
                same = (later.request.path, _who(later)) == (entry.request.path, _who(entry))
                if same and later.request.body != entry.request.body:
                    text = f"went on with other prospects after a {entry.status}, which they would get as well; stop"
                    return [Breach(text, (entry.number, later.number))]
            return []
    return None


@rule("no idempotency key is documented, so a batch that is sent again may be added twice", PRACTICE)
def sends_nothing_twice(run: Run) -> list[Breach] | None:
    """What was added, or may have been since its answer was lost, is not sent again."""
    sent: list[tuple[Entry, list[str]]] = []
    wanted = Counter(map(_key, run.expected or ()))
    for entry in _adding(run):
        keys = [_key(record) for record in records(entry)]
        for before, known in sent:
            shared = set(known) & set(keys)
            if before.path.lower() != entry.path.lower() or not shared:
                continue
            if run.expected is None:
                again = 2 * len(shared) >= min(len(keys), len(known))  # a few may stand twice in the input
            else:
                here = [pair for pair in sent if pair[0].path.lower() == entry.path.lower()]
                again = any(_too_often(key, here, wanted) for key in shared)
            if again:
                lost = "its answer was lost, so look before you send it again"
                how = lost if fate_of(before) is Fate.UNKNOWN else "it had been added"
                return [
                    Breach(f"sent prospects of request {before.number} again; {how}", (before.number, entry.number))
                ]
        if _may_be_added(entry):
            sent.append((entry, keys))
    return [] if sent else None


@rule("a 5xx says that something went wrong, not that nothing was stored", PRACTICE, "warning")
def careful_with_5xx(run: Run) -> list[Breach] | None:
    """After a 5xx the same batch is not sent again within a second, nor more than three times."""
    found = []
    tries: Counter[str] = Counter()
    last: dict[str, Entry] = {}
    for entry in _adding(run):
        key = _key(records(entry))
        if key in last:
            tries[key] += 1
            waited = (entry.outcome.at - last[key].outcome.at) / SECOND
            if waited < 1 - SLACK or tries[key] > MOST_TRIES:
                text = (
                    f"sent a batch again {waited:.1f} s after a {last[key].status}, time {tries[key]}; pause, and end"
                )
                found.append(Breach(f"{text} after some", (last[key].number, entry.number)))
        if _is_5xx(entry):
            last[key] = entry
        elif entry.status != TOO_MANY:
            last.pop(key, None)
    return found if any(map(_is_5xx, _adding(run))) else None


@rule("a request that follows a redirect takes its token to whoever the redirect names", PRACTICE)
def follows_no_redirect(run: Run) -> list[Breach] | None:
    """A redirect is not followed."""
    found, exercised = [], False
    for index, entry in enumerate(run.entries):
        location = entry.outcome.reply.header("Location") if 300 <= entry.status < BAD_REQUEST else None  # noqa: PLR2004 - a status of HTTP
        exercised = exercised or location is not None
        target = unquote(urlsplit(urljoin(f"http://fake{entry.request.path}", location or "")).path)
        for later in run.entries[index + 1 :] if location else ():
            if unquote(later.request.path) == target != unquote(entry.request.path):
                text = "followed a redirect, which takes the token along; turn redirects off"
                found.append(Breach(text, (entry.number, later.number)))
    return found if exercised else None


# --- The whole ------------------------------------------------------------------------------------------------------


@rule("what is added is what the user meant to add", PRACTICE)
def records_untouched(run: Run) -> list[Breach] | None:
    """Prospects are sent whole and unchanged, in order, none left out, and no other."""
    if run.expected is None or not _adding(run):
        return None
    expected = [_key(record) for record in run.expected]
    breaches = [_out_of_place(run, expected, path) for path in dict.fromkeys(one.path.lower() for one in _adding(run))]
    return next(filter(None, breaches), [])


def _out_of_place(run: Run, expected: list[str], path: str) -> list[Breach]:
    """Find what a run has sent to one campaign that is not as expected."""
    tried: set[str] = set()  # sent, and not added: those may be left out, or come later
    position = 0
    adding = [entry for entry in _adding(run) if entry.path.lower() == path]
    for entry in adding:
        keys = [_key(record) for record in records(entry)]
        if any(key not in expected for key in keys):
            return [Breach("sent a prospect that was not to be sent, or changed one", (entry.number,))]
        if fate_of(entry) not in {Fate.ADDED, Fate.EITHER}:
            tried |= set(keys)
            continue
        for key in keys:
            at = expected.index(key, position) if key in expected[position:] else -1
            left_out = [one for one in expected[position:at] if one not in tried]
            if at >= 0 and not left_out:
                position = at + 1
            elif key not in tried:
                text = f"left {len(left_out)} prospects out" if at >= 0 else "sent one twice"
                return [Breach(f"{text}, or sent prospects out of order", (entry.number,))]
    undisturbed = all(fate_of(entry) is Fate.ADDED or entry.status == TOO_MANY for entry in _adding(run))
    if undisturbed and run.succeeded is not False and run.ended and position < len(expected):
        return [Breach(f"left the last {len(expected) - position} prospects out", (run.entries[-1].number,))]
    return []


@rule(ADD)
def takes_any_success(run: Run) -> list[Breach] | None:
    """A 200 is a success whatever its body, of which nothing is documented: the consumer goes on, and ends well."""
    adding = _adding(run)
    undisturbed = all(fate_of(entry) is Fate.ADDED or entry.status == TOO_MANY for entry in adding)
    known = run.expected is not None or run.usual is not None  # else it may have failed for reasons of its own
    if run.succeeded is None or not known or not adding or not undisturbed or adding[-1].status == TOO_MANY:
        return None
    if not run.succeeded:
        how = run.ending or "reported failure"
        text = f"{how} right after a success; do not read what the body of a 200 does not promise"
        return [Breach(text, (adding[-1].number,))]
    return []


@rule("who started it must learn what is missing", PRACTICE)
def reports_the_truth(run: Run) -> list[Breach] | None:
    """Whatever is refused, lost or left out is reported as a failure."""
    adding = _adding(run)
    if run.succeeded is None or not (adding or run.expected):
        return None
    if not run.succeeded:
        return []
    possible = {
        _key(record) for entry in adding if fate_of(entry) in {Fate.ADDED, Fate.EITHER} for record in records(entry)
    }
    for entry in adding:
        missing = [record for record in records(entry) if _key(record) not in possible]
        if fate_of(entry) in {Fate.REFUSED, Fate.UNKNOWN} and (missing or not records(entry)):
            what = "lost an answer" if _lost(entry) else f"was answered {entry.status}"
            return [Breach(f"{what}, and reported success (exit code 0); report failure", (entry.number,))]
    added = sum(len(records(entry)) for entry in adding if fate_of(entry) in {Fate.ADDED, Fate.EITHER})
    short = run.expected is not None and not possible.issuperset(map(_key, run.expected))
    if short or (run.expected is None and added < (run.usual or 0)):
        return [Breach("left prospects out, and reported success", tuple(entry.number for entry in adding[-1:]))]
    return []


# --- What the rules are made of ---------------------------------------------------------------------------------------


class Fate(Enum):
    """What a consumer can know of what became of a batch."""

    ADDED = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    EITHER = auto()
    """It was added, and a consumer that did not see so is not to blame: the answer broke off, or came late."""


def records(entry: Entry) -> list[Any]:
    """Return the prospects of a request, empty if it has none in their place."""
    return list(entry.body["data"]) if _has_records(entry) else []


def _has_records(entry: Entry) -> bool:
    return isinstance(entry.body, dict) and isinstance(entry.body.get("data"), list)


def _adding(run: Run) -> list[Entry]:
    return [entry for entry in run.entries if entry.operation == OPERATION]


def fate_of(entry: Entry) -> Fate:
    """Return what a consumer can know of what became of the prospects of a request."""
    fault = entry.outcome.reply.fault
    if fault:
        return Fate.EITHER if fault.name in {"truncate", "delay"} else Fate.UNKNOWN
    if entry.status >= SERVER_ERROR:
        return Fate.UNKNOWN
    return Fate.ADDED if entry.status < 300 else Fate.REFUSED  # noqa: PLR2004 - the successes


def _lost(entry: Entry) -> bool:
    return fate_of(entry) is Fate.UNKNOWN and entry.outcome.reply.fault is not None


def _is_5xx(entry: Entry) -> bool:
    return fate_of(entry) is Fate.UNKNOWN and not _lost(entry)


def _may_be_added(entry: Entry) -> bool:
    return fate_of(entry) in {Fate.ADDED, Fate.EITHER} or _lost(entry)


def _key(record: Any) -> str:
    return json.dumps(record, sort_keys=True)


def _who(entry: Entry) -> tuple[str, ...]:
    """Return who a request says it is from: whoever says something else may have better luck."""
    return (*entry.request.all("authorization"), *entry.request.all("x-account-id"))


def _too_often(key: str, sent: Sequence[tuple[Entry, list[str]]], wanted: Counter[str]) -> bool:
    """Tell whether a prospect that is to be sent so many times has been already."""
    return sum(keys.count(key) for _, keys in sent) >= max(wanted[key], 1)


def _each(entries: Iterable[Entry], wrong: Callable[[Entry], str | None]) -> list[Breach] | None:
    """Judge each request by itself."""
    told = [(entry, wrong(entry)) for entry in entries]
    return [Breach(text, (entry.number,)) for entry, text in told if text] if told else None


def _retries(run: Run) -> Iterator[tuple[Entry, Entry, float, float | None]]:
    """Yield each 429 and the request behind it, the seconds between, and those that were told."""
    for before, after in pairwise(_adding(run)):
        if before.status == TOO_MANY:
            wait = before.outcome.reply.header("Retry-After")
            told = seconds_told(wait, before.outcome.at) if wait else None
            yield before, after, (after.outcome.at - before.outcome.at) / SECOND, told


def _told_waits(run: Run) -> Iterator[tuple[Entry, Entry, float, float]]:
    for before, after, waited, told in _retries(run):
        if told is not None:
            yield before, after, waited, told


def _waits(judged: Iterable[tuple[Entry, Entry, str] | None]) -> list[Breach] | None:
    """Make breaches of those retries that were judged to be wrong; None if there was no retry."""
    found = list(judged)
    breaches = [Breach(one[2], (one[0].number, one[1].number)) for one in found if one]
    return breaches if found else None


def _wrong_with_body(entry: Entry, validator: Any) -> str | None:
    """Let jsonschema judge a body by the effective contract."""
    if not isinstance(entry.body, dict):
        return "sent a body that is no JSON object; serialise it with a JSON library"
    for error in validator.iter_errors(entry.body):
        if list(error.absolute_path) != ["data"] or error.validator not in {"minItems", "maxItems"}:
            where = "/".join(map(str, ("", *error.absolute_path)))
            return f"sent a body that breaks the rule {error.validator} at {where or 'its root'}"
    return None
