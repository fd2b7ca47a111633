"""Rules about limits: waiting, giving up, and what follows a 429."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

from mock_server.journal.entries import Entry
from mock_server.journal.rule import LIMITS, PRACTICE, Breach, Look, rule
from mock_server.journal.traffic import SLACK, TOO_MANY, carried_out, records_of, seconds_between, seconds_named

MOST_EXTRA = 90.0
"""Seconds by which a wait may be too long: a fixed minute is no fault."""

MOST_REFUSALS = 20
"""429s in a row after which a consumer should have given up."""

SHORTEST_PAUSE = 1
"""Seconds between a 429 without a usable Retry-After and the next request."""


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


@rule("the limit counts requests, not records", PRACTICE, "hint", of="traffic", finding=True)
def half_empty_batches() -> Look:
    """The limit is not reached by batches that would have fit into half as many requests."""
    sizes: defaultdict[tuple[str | None, str | None], list[tuple[int, int]]] = defaultdict(list)

    def look(entry: Entry) -> list[Breach] | None:
        if entry.batch is None or entry.batch.maximum is None:
            return None
        batches = sizes[entry.account, entry.operation]
        if carried_out(entry):
            batches.append((entry.number, len(records_of(entry))))
        if entry.status != TOO_MANY or entry.injected:
            return []
        total = sum(size for _, size in batches)
        needed, numbers = -(-total // entry.batch.maximum), [number for number, _ in batches]
        batches.clear()
        if len(numbers) < 2 * max(needed, 1):
            return []
        text = f"{total} records took {len(numbers)} requests and reached the limit; {needed} would do"
        return [Breach(text, (*numbers, entry.number))]

    return look
