"""What entries say together: what became of a batch, who sent it, how long a client was to wait."""

from __future__ import annotations

import json
import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

from mock_server.contract.limits import SECOND, Limit
from mock_server.journal.entries import Entry
from mock_server.messages.injected import RESETS

SLACK = 0.05
"""Seconds by which a wait may be too short: timers of some runtimes fire a little early."""

TOO_MANY = 429

FOR_GOOD = {400, 401, 403, 404, 413}
"""Statuses after which the same request cannot succeed."""


class Fate(Enum):
    """What a consumer can know of what became of a batch."""

    ADDED = auto()
    REFUSED = auto()
    UNKNOWN = auto()
    EITHER = auto()
    """Added, but the response was cut off or late, so a consumer may take it for lost."""


def fate_of(entry: Entry) -> Fate:
    """Return what a consumer can know of what became of a batch."""
    if entry.outcome.reply.fault:
        return Fate.UNKNOWN if is_lost(entry) else Fate.EITHER
    return {2: Fate.ADDED, 5: Fate.UNKNOWN}.get(entry.status // 100, Fate.REFUSED)


def is_lost(entry: Entry) -> bool:
    """Return whether nothing of the response arrived."""
    fault = entry.outcome.reply.fault
    return fault is not None and fault.name in RESETS


def carried_out(entry: Entry) -> bool:
    """Return whether the fake did what the request asks for, whatever became of the response."""
    injected = entry.outcome.injected
    return not entry.violations and entry.status // 100 == 2 and not (injected and injected.fault is None)  # noqa: PLR2004 - the successes of HTTP


def records_of(entry: Entry) -> list[Any]:
    """Return the records of the batch; empty without one."""
    return entry.unredacted_body.records or []


def exhausted(entry: Entry) -> Limit | None:
    """Return the limit that refused a request; None if none did, or if the 429 was injected."""
    policy = re.fullmatch("([0-9]+);w=([0-9]+)", entry.outcome.reply.header("RateLimit-Policy") or "", re.ASCII)
    if not policy or entry.injected or entry.status != TOO_MANY:
        return None
    return Limit(int(policy[1]), int(policy[2]))


def key_of(value: Any) -> str:
    """Return a text that is equal for equal JSON values."""
    return json.dumps(value, sort_keys=True)


def seconds_between(before: Entry, after: Entry) -> float:
    """Return the seconds from one request to another."""
    return (after.outcome.at - before.outcome.at) / SECOND


def seconds_named(wait: str, at: int) -> float | None:
    """Read Retry-After, seconds or an HTTP date, as seconds from a time in nanoseconds; None if it is neither.

    The longest counts if the header was sent several times.
    """
    parts = [part.strip() for part in wait.split(",")]
    if all(re.fullmatch("[0-9]{1,15}(?:[.][0-9]*)?", part, re.ASCII) for part in parts):
        return max(map(float, parts))
    try:
        return parsedate_to_datetime(wait).replace(tzinfo=UTC).timestamp() - at / SECOND
    except ValueError:
        return None
