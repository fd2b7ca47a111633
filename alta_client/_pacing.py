"""How long to wait, by what an answer says; arithmetic only.

https://docs.altahq.com/api-reference/rate-limiting - `Retry-After` and `RateLimit-Reset` are seconds from now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

Values = Callable[[str], Sequence[str]]
"""Returns the values of a header, one for each time that it was sent."""

LONGEST_BACKOFF = 60.0
"""Seconds; the window of the documented limits."""

_SECONDS = re.compile(r"([0-9]{1,15}(?:[.][0-9]*)?)(?![0-9a-zA-Z.])", re.ASCII)


def retry_after(values: Values, now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, None if it is missing or unreadable.

    An HTTP date is counted from the answer's own `Date`, so that no clock but the server's matters; from `now`,
    seconds since the epoch, only if there is none. Of several values the longest counts.
    """
    sent = next((date for date in map(_date, values("Date")) if date is not None), now)
    found = []
    for value in values("Retry-After"):
        until = _date(value)
        found += _numbers(value) if until is None else [max(0.0, until - sent)]
    return max(found, default=None)


def until_reset(values: Values) -> float:
    """Return the seconds until there is quota again: 0 unless an answer says that none is left."""
    remaining = [number for value in values("RateLimit-Remaining") for number in _numbers(value)]
    reset = [number for value in values("RateLimit-Reset") for number in _numbers(value)]
    return max(reset, default=0.0) if remaining and min(remaining) == 0 else 0.0


def backoff(times: int) -> float:
    """Return the seconds to wait after being refused a number of times, from 1, without being told: 1, 2, 4, to 60."""
    return min(LONGEST_BACKOFF, 2.0 ** (times - 1))


def _numbers(value: str) -> list[float]:
    """Read the numbers that a header begins with: one, or several if it was sent several times."""
    found = [_SECONDS.match(part.strip()) for part in value.split(",")]
    return [float(one[1]) for one in found if one]


def _date(value: str) -> float | None:
    """Read an HTTP date in any of its forms, which are all in UTC, as seconds since the epoch."""
    if not re.search("[a-zA-Z]{3}", value):
        return None
    try:
        return parsedate_to_datetime(value).replace(tzinfo=UTC).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
