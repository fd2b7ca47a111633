"""How long to wait, by what an answer says; arithmetic only.

https://docs.altahq.com/api-reference/rate-limiting - `Retry-After` and `RateLimit-Reset` are seconds from now.
"""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_BACKOFF = 60.0
"""Seconds; the window of the documented limits."""

_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]+)?", re.ASCII)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, None if it is missing or unreadable.

    An HTTP date is counted from the answer's own `Date`, so that no clock but the server's matters; from `now`,
    seconds since the epoch, only if there is none.
    """
    value = headers.get("Retry-After", "").strip()
    seconds = _seconds(value)
    if seconds is not None:
        return seconds
    until, sent = _date(value), _date(headers.get("Date", ""))
    if until is None:
        return None
    return max(0.0, until - (now if sent is None else sent))


def until_reset(headers: Mapping[str, str]) -> float:
    """Return the seconds until there is quota again: 0 unless an answer says that none is left."""
    if _seconds(headers.get("RateLimit-Remaining", "")) != 0:
        return 0.0
    return _seconds(headers.get("RateLimit-Reset", "")) or 0.0


def backoff(times: int) -> float:
    """Return the seconds to wait after being refused a number of times, from 1, without being told: 1, 2, 4, to 60."""
    return min(LONGEST_BACKOFF, 2.0 ** (times - 1))


def _seconds(value: str) -> float | None:
    """Read a number of seconds; the largest of a header that was sent several times."""
    parts = [part.strip() for part in value.split(",")]
    return max(map(float, parts)) if all(map(_SECONDS.fullmatch, parts)) else None


def _date(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
