"""Time that a test can move: real time, plus whatever it was advanced by."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mock_server.messages.errors import MockError
from mock_server.pipeline.ratelimit import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable

_LONGEST = 10 * 365 * 24 * 3600
_FARTHEST = 10 * _LONGEST


class Clock:
    """Nanoseconds since the epoch, never going back, that may be advanced at any time from any thread.

    Args:
        source: Nanoseconds of a monotonic time; the default is the machine's. `lambda: 0` stands still, so that
            only `advance` moves the clock.
        epoch: What the clock shows at the start, in nanoseconds since 1970; the default is the machine's time.
    """

    def __init__(self, source: Callable[[], int] = time.monotonic_ns, *, epoch: int | None = None) -> None:
        self._source = source
        self._start = (time.time_ns() if epoch is None else epoch) - source()
        self._moved = 0
        self._lock = threading.Lock()

    @property
    def advanced(self) -> float:
        """Seconds that the clock was moved on by hand."""
        return self._moved / SECOND

    def time_ns(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        return self._source() + self._start + self._moved

    def time(self) -> float:
        """Return the time in seconds since the epoch, like `time.time`."""
        return self.time_ns() / SECOND

    def advance(self, seconds: float) -> None:
        """Move the clock forward by so many seconds.

        Raises:
            MockError: Not a number from 0 to ten years, since time does not go back; or more than a century in all.
        """
        if type(seconds) not in {int, float} or not 0 <= seconds <= _LONGEST:  # also refuses NaN
            raise MockError(f"cannot advance the clock by {seconds!r} seconds; give 0 to {_LONGEST}")
        with self._lock:
            moved = self._moved + round(seconds * SECOND)
            if moved > _FARTHEST * SECOND:
                raise MockError(f"cannot advance the clock by {seconds!r} seconds more; it is a century ahead")
            self._moved = moved

    sleep = advance
    """For code that takes a sleep function: returns at once, and the clock has moved on."""
