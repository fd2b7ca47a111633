"""The clock that a test can advance."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mock_server import Clock, MockError


def test_a_clock_advances_exactly() -> None:
    """It advances by the given time in nanoseconds, by either name of the method."""
    clock = Clock(lambda: 0, epoch=0)
    clock.advance(60)
    clock.sleep(0.1)

    clock.sleep(timedelta(minutes=1))

    assert clock.time_ns() == 120_100_000_000
    assert clock.time() == 120.1


def test_real_time_continues() -> None:
    """An offset is added to a source that advances by itself."""
    ticks = iter(range(0, 100, 7))
    clock = Clock(lambda: next(ticks), epoch=1000)
    first = clock.time_ns()
    clock.advance(1)

    assert clock.time_ns() - first == 7 + 10**9


def test_it_cannot_leave_the_calendar() -> None:
    """The sum of many steps has the same bound as one step."""
    clock = Clock(lambda: 0, epoch=0)
    for _ in range(10):
        clock.advance(10 * 365 * 24 * 3600)
    with pytest.raises(MockError, match="a century ahead"):
        clock.advance(1)


@pytest.mark.parametrize(
    "seconds", ["1", None, True, -1, 10**400, Decimal("1e999"), -0.001, float("nan"), float("inf"), 1e12]
)
def test_an_invalid_step_is_refused(seconds: Any) -> None:
    """Negative and too large steps are refused and change nothing."""
    clock = Clock(lambda: 0, epoch=0)
    with pytest.raises(MockError, match="cannot advance the clock by"):
        clock.advance(seconds)

    assert clock.time_ns() == 0
