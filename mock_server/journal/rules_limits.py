"""Rules about limits: waiting, giving up, and what follows a 429."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from functools import wraps
from math import ceil
from typing import NamedTuple

from mock_server.contract.limits import SECOND, Limit
from mock_server.journal.entries import Entry
from mock_server.journal.rule import LIMITS, PRACTICE, Breach, Look, rule
from mock_server.journal.traffic import (
    SLACK,
    TOO_MANY,
    carried_out,
    exhausted,
    records_of,
    seconds_between,
    seconds_named,
)
from mock_server.store.base import JOURNAL_ENTRIES

MOST_EXTRA = 90.0
"""Seconds by which a wait may be too long: a fixed minute is no fault."""

MOST_REFUSALS = 20
"""429s in a row after which a consumer should have given up."""

SHORTEST_PAUSE = 1
"""Seconds between a 429 without a usable Retry-After and the next request."""


LONGEST_TARGET = 100
"""Characters of a path and query that are shown."""

READING = {"GET", "HEAD"}


class Retry(NamedTuple):
    """A 429 and the next request of the same account for the same operation.

    Attributes:
        waited: Seconds between them.
        named: Seconds that Retry-After names; None without a usable one.
    """

    before: Entry
    after: Entry
    waited: float
    named: float | None

    def __str__(self) -> str:
        """Return what is measured."""
        wait = "without a usable Retry-After" if self.named is None else f"with a Retry-After of {self.named:.1f} s"
        return f"came {self.waited:.1f} s after a 429 {wait}"


def _on_retry(wrong: Callable[[Retry], str | None]) -> Callable[[], Look]:
    """Make a rule of a function that returns what is wrong with a retry, and None where the rule does not apply."""

    @wraps(wrong)
    def start() -> Look:
        last: dict[tuple[str | None, str], Entry] = {}

        def look(entry: Entry) -> list[Breach] | None:
            if entry.operation is None:
                return None
            key = (entry.account, entry.operation)
            before, last[key] = last.get(key), entry
            if before is None or before.status != TOO_MANY:
                return None
            wait = before.outcome.reply.header("Retry-After")
            named = seconds_named(wait, before.outcome.at) if wait else None
            text = wrong(Retry(before, entry, seconds_between(before, entry), named))
            return text if text is None else [Breach(text, (before.number, entry.number))] * bool(text)

        return look

    return start


@rule(LIMITS, of="traffic", finding=True, timed=True)
@_on_retry
def waits_for_retry_after(retry: Retry) -> str | None:
    """After a 429 nothing is sent before the time in Retry-After, in seconds or as a date."""
    if retry.named is None:
        return None
    return "" if retry.waited >= retry.named - SLACK else f"{retry}; wait as long as Retry-After says"


@rule(LIMITS, severity="warning", of="traffic", finding=True, timed=True)
def waits_with_every_operation() -> Look:
    """While the limit across all operations is reached, no other operation is called before the time in Retry-After."""
    refused: dict[str | None, Entry] = {}

    def look(entry: Entry) -> list[Breach] | None:
        before = refused.pop(entry.account, None)
        if exhausted(entry) and entry.batch is None:  # a batch may have reached the limit of its own operation
            refused[entry.account] = entry
        if before is None or entry.operation in {None, before.operation}:
            return None
        named = seconds_named(before.outcome.reply.header("Retry-After") or "-", before.outcome.at)
        waited = seconds_between(before, entry)
        if named is None or waited >= named - SLACK:
            return None if named is None else []
        text = f"called {entry.operation} {waited:.1f} s after a 429 for {before.operation}"
        wait = f"all operations share the limit of {exhausted(before)}, so wait {named:.1f} s with each of them"
        return [Breach(f"{text}; {wait}", (before.number, entry.number))]

    return look


@rule("the documentation advises exponential backoff", PRACTICE, "warning", of="traffic", finding=True, timed=True)
@_on_retry
def pauses_untold(retry: Retry) -> str | None:
    """After a 429 without a usable Retry-After there is a pause of at least a second."""
    if retry.named is not None:
        return None
    return "" if retry.waited >= SHORTEST_PAUSE - SLACK else f"{retry}; pause, and longer each time"


@rule("a program that sleeps for hours looks like one that hangs", PRACTICE, "warning", of="traffic")
@_on_retry
def waits_no_longer_than_sensible(retry: Retry) -> str | None:
    """After a 429 the next request comes at most a minute and a half after the time in Retry-After."""
    if retry.named is None:
        return None
    return "" if retry.waited <= retry.named + MOST_EXTRA else f"{retry}; read it as seconds or as a date"


@rule("a program that is refused without end must end by itself", PRACTICE, of="traffic", finding=True)
def gives_up() -> Look:
    """Refused with a 429 again and again, a consumer ends by itself, after 20 requests at most."""
    streaks: defaultdict[str | None, deque[int]] = defaultdict(lambda: deque(maxlen=MOST_REFUSALS + 2))

    def look(entry: Entry) -> list[Breach] | None:
        streak = streaks[entry.account]
        if entry.status != TOO_MANY:
            streak.clear()
            return None
        streak.append(entry.number)
        if len(streak) != MOST_REFUSALS + 1:
            return []
        text = f"was refused more than {MOST_REFUSALS} times in a row with a 429; give up after some tries, and say so"
        return [Breach(text, tuple(streak)[-3:])]

    return look


@rule(LIMITS, of="traffic")
@_on_retry
def resumes_with_the_refused_batch(retry: Retry) -> str | None:
    """After a 429 the batch that was refused is sent again, before any other."""
    if retry.after.batch is None:
        return None
    same = records_of(retry.after) == records_of(retry.before)
    return "" if same else "went on with other records after a 429; the refused batch was not added, so send it again"


class Counted(NamedTuple):
    """A request that counted against the limits: the records it added, and, if it reads, its path and query."""

    number: int
    at: int
    operation: str | None
    records: int
    read: str


def _on_exhausted(wrong: Callable[[Entry, Limit, Sequence[Counted]], list[Breach] | None]) -> Callable[[], Look]:
    """Make a rule of a function that judges a 429 by its limit and by what counted within the seconds of that limit."""

    @wraps(wrong)
    def start() -> Look:
        counted: defaultdict[str | None, deque[Counted]] = defaultdict(lambda: deque(maxlen=JOURNAL_ENTRIES))

        def look(entry: Entry) -> list[Breach] | None:
            limit, here, request = exhausted(entry), counted[entry.account], entry.unredacted
            if limit is None:
                records = len(records_of(entry)) if carried_out(entry) else 0
                read = f"{request.path}?{request.query}".rstrip("?") if request.method in READING else ""
                here.append(Counted(entry.number, entry.outcome.at, entry.operation, records, read))
                return None
            since = entry.outcome.at - limit.seconds * SECOND
            found = wrong(entry, limit, [one for one in here if one.at > since])
            if found:
                here.clear()
            return found

        return look

    return start


@rule("the limit counts requests, not records", PRACTICE, "hint", of="traffic", finding=True)
@_on_exhausted
def half_empty_batches(entry: Entry, limit: Limit, counted: Sequence[Counted]) -> list[Breach] | None:
    """The limit is not reached by batches that would have fit into half as many requests."""
    if entry.batch is None or entry.batch.maximum is None:
        return None
    batches = [one for one in counted if one.operation == entry.operation and one.records]
    total = sum(one.records for one in batches)
    needed = -(-total // entry.batch.maximum)
    if len(batches) < max(2 * needed, limit.requests / 2):
        return []
    text = f"{total} records took {len(batches)} requests and reached the limit; {needed} would do"
    return [Breach(text, (*(one.number for one in batches), entry.number))]


@rule("the limit is for all requests of the account", PRACTICE, "hint", of="traffic", finding=True)
@_on_exhausted
def polls_within_the_limit(entry: Entry, limit: Limit, counted: Sequence[Counted]) -> list[Breach] | None:
    """The limit is not reached by reading the same page or object again and again."""
    reads = Counter(one.read for one in counted if one.read)
    if entry.method not in READING or not reads:
        return None
    ((target, times),) = reads.most_common(1)
    if times < limit.requests / 2:
        return []
    text = f"read {target[:LONGEST_TARGET]} {times} times in {limit.seconds} s and reached the limit of {limit}"
    first = next(one.number for one in counted if one.read == target)
    pause = ceil(2 * limit.seconds / limit.requests)
    return [Breach(f"{text}; poll every {pause} s or less often", (first, entry.number))]


@rule("the limit is for all requests of the account", PRACTICE, "hint", of="traffic", finding=True)
@_on_exhausted
def reads_leave_room_for_writes(entry: Entry, limit: Limit, counted: Sequence[Counted]) -> list[Breach] | None:
    """No write is refused because reads have used up the limit."""
    own = sum(one.operation == entry.operation for one in counted)
    if entry.method in READING or own >= limit.requests:  # then it is the operation's own limit
        return None
    reads = [one.number for one in counted if one.read]
    if len(reads) < limit.requests / 2:
        return []
    text = f"{len(reads)} reads in {limit.seconds} s used up the limit of {limit}, so a write was refused"
    return [Breach(f"{text}; read larger pages, or spread the reads", (reads[0], entry.number))]
