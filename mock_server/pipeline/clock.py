"""Time that a test can move: real time, plus what it was advanced by."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from mock_server.contract.limits import SECOND
from mock_server.messages.errors import MockError
from mock_server.store.base import Store, Transaction
from mock_server.store.memory import MemoryStore

_LONGEST = 10 * 365 * 24 * 3600
_FARTHEST = 10 * _LONGEST


def seconds_of(value: object) -> float | None:
    """Return seconds that are given as a number or as a timedelta; None for anything else, a bool too."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return None
    try:
        return float(value)
    except OverflowError:  # an int that is too large for a float
        return math.inf


class Clock:
    """Nanoseconds since the epoch, going back only at a reset, that any thread may advance at any time.

    Args:
        source: Nanoseconds of a monotonic time; the default is the machine's. `lambda: 0` stands still, so that
            only `advance` moves the clock.
        epoch: The time at the start, in nanoseconds since 1970; the default is the machine's time.
    """

    def __init__(self, source: Callable[[], int] = time.monotonic_ns, *, epoch: int | None = None) -> None:
        self._source = source
        self._start = (time.time_ns() if epoch is None else epoch) - source()
        self._store: Store = MemoryStore()

    def keep_offset_in(self, store: Store) -> None:
        """Move what the clock was advanced by into a store, so that all who share the store share the time."""
        store.advance_clock(self._store.clock_offset(), _FARTHEST * SECOND)
        self._store = store

    @property
    def advanced(self) -> float:
        """Seconds that the clock was advanced by."""
        return self._store.clock_offset() / SECOND

    def time_ns(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        return self._source() + self._start + self._store.clock_offset()

    def time_within(self, transaction: Transaction) -> int:
        """Return the time within a transaction of the store, which knows the offset without another query."""
        offset = transaction.clock_offset() if self._store.waits else self._store.clock_offset()
        return self._source() + self._start + offset

    def time(self) -> float:
        """Return the time in seconds since the epoch, like `time.time`."""
        return self.time_ns() / SECOND

    def advance(self, seconds: float | timedelta) -> None:
        """Move the clock forward by a number of seconds, or by a timedelta.

        Raises:
            MockError: Not a number from 0 to ten years, since time does not go back; or more than a century in all.
        """
        number = seconds_of(seconds)
        if number is None or not 0 <= number <= _LONGEST:  # also refuses NaN
            raise MockError(f"cannot advance the clock by {seconds!r} seconds; choose 0 to {_LONGEST}")
        if not self._store.advance_clock(round(number * SECOND), _FARTHEST * SECOND):
            raise MockError(f"cannot advance the clock by {seconds!r} more seconds; it is a century ahead")

    sleep = advance
    """For code that takes a sleep function: returns at once, with the clock advanced."""
