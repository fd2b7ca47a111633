"""How long to wait according to a response.

https://docs.altahq.com/api-reference/rate-limiting - `Retry-After` and `RateLimit-Reset` are seconds from now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

Values = Callable[[str], Sequence[str]]
"""Returns the values of a header, one for each time it was sent."""

LONGEST_BACKOFF = 60.0
"""Seconds: the window of the documented limits."""

_SECONDS = re.compile(r"([0-9]{1,15}(?:[.][0-9]*)?)(?![0-9a-zA-Z.])", re.ASCII)


def retry_after(values: Values, now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, at most if it was sent twice; None without a valid one.

    An HTTP date is relative to the `Date` of the response, so that only the server's clock matters; to `now`, in
    seconds since the epoch, without one.
    """
    sent = next((date for date in map(_date, values("Date")) if date is not None), now)
    found: list[float] = []
    for value in values("Retry-After"):
        until = _date(value)
        found += _numbers(value) if until is None else [max(0.0, until - sent)]
    return max(found, default=None)


def until_reset(values: Values) -> float:
    """Return the seconds until there is quota again: 0 unless the response says that none is left."""
    remaining, reset = (_numbers(",".join(values(f"RateLimit-{name}"))) for name in ("Remaining", "Reset"))
    return max(reset, default=0.0) if remaining and min(remaining) == 0 else 0.0


def backoff(times: int) -> float:
    """Return the seconds to wait after a number of refusals, from 1, that do not say how long: 1, 2, 4, ..., 60."""
    return min(LONGEST_BACKOFF, 2.0 ** (times - 1))


def _numbers(value: str) -> list[float]:
    """Read the numbers in a header: several, separated by commas, if a proxy has joined it."""
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
