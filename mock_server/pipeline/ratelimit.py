"""The vendor's rate limits as arithmetic: windows per account, opened by their first counted request.

Rule 1: time is whole nanoseconds, so that 60 s are exactly 60 s.
Rule 2: a counted request stays counted, whatever its response; a refused one neither prolongs nor reopens a window.
Other readings of the documentation are the choices of `WINDOW`, `COUNTED`, `NESTED`, `SHOWN` and `RETRY_AFTER`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from itertools import takewhile

from mock_server.contract.assumptions import Question
from mock_server.contract.limits import SECOND, Limit
from mock_server.messages.call import Caller
from mock_server.messages.errors import BadRequest
from mock_server.messages.http import Headers
from mock_server.store.base import Transaction, Window


@dataclass(slots=True)  # not frozen: made twice a request, in half the time
class Decision:
    """What a limit says of one request: how many remain after it, and the seconds to the end of the window."""

    limit: Limit
    allowed: bool
    remaining: int
    reset: int

    def headers(self) -> Headers:
        """Return the vendor's headers, in the form of draft-ietf-httpapi-ratelimit-headers-06.

        https://docs.altahq.com/api-reference/rate-limiting names them; the form of the policy is the draft's.
        """
        return (
            ("RateLimit-Limit", str(self.limit.requests)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", str(self.reset)),
            ("RateLimit-Policy", f"{self.limit.requests};w={self.limit.seconds}"),
        )


Limits = Sequence[tuple[str, Limit]]
"""Nested limits, widest first, each with the name of its window."""

Spend = Callable[[Transaction, Caller, Limits, int], Decision | None]
"""Counts one request; see `spend`."""


def hit(limit: Limit, window: Window | None, now: int) -> tuple[Window, Decision]:
    """Count one request; return the window after it, and the decision."""
    length = limit.seconds * SECOND
    opened, used = (now, 0) if window is None or now - window.opened >= length else window
    allowed = used < limit.requests
    used += allowed
    return Window(opened, used), Decision(limit, allowed, limit.requests - used, -((now - opened - length) // SECOND))


class FixedWindow:
    """A window that opens with its first request."""

    def current(self, transaction: Transaction, name: str, _limit: Limit, _now: int) -> Window | None:
        """Return the window of a limit; None, or one that is over, if none is open."""
        return transaction.window(name)

    def put(self, transaction: Transaction, name: str, _limit: Limit, window: Window, _now: int) -> None:
        """Replace the window by one that counts one request more."""
        transaction.set_window(name, window)

    def take_back(self, transaction: Transaction, name: str, _limit: Limit) -> None:
        """Uncount the last request."""
        opened, used = transaction.window(name) or Window(0, 1)
        transaction.set_window(name, Window(opened, used - 1))


class AlignedWindow(FixedWindow):
    """A window that opens at each multiple of its length, in seconds since the epoch."""

    def current(self, transaction: Transaction, name: str, limit: Limit, now: int) -> Window:
        """Return the window of this moment."""
        opened = now - now % (limit.seconds * SECOND)
        window = transaction.window(name)
        return window if window and window.opened == opened else Window(opened, 0)


class SlidingWindow(FixedWindow):
    """The requests of the time that has just passed: each keeps one of as many slots as the limit allows requests."""

    def current(self, transaction: Transaction, name: str, limit: Limit, now: int) -> Window | None:
        """Return the window that opened with the oldest request that still counts."""
        total = (transaction.window(f"{name} total") or Window(0, 0)).used
        since = now - limit.seconds * SECOND

        def opened(back: int) -> int:
            slot = transaction.window(_slot(name, limit, total - back))
            return slot.opened if slot else 0

        # Slots are older the further back they are, so those that still count are found in a few steps.
        counted = bisect_left(range(1, min(total, limit.requests) + 1), True, key=lambda back: opened(back) <= since)  # noqa: FBT003 - what is looked for
        return Window(opened(counted), counted) if counted else None

    def put(self, transaction: Transaction, name: str, limit: Limit, _window: Window, now: int) -> None:
        """Give the request the slot of the one that stopped to count."""
        total = transaction.window(f"{name} total") or Window(0, 0)
        transaction.set_window(_slot(name, limit, total.used), Window(now, 1))
        transaction.set_window(f"{name} total", Window(now, total.used + 1))

    def take_back(self, transaction: Transaction, name: str, limit: Limit) -> None:
        """Free the slot of the last request."""
        super().take_back(transaction, f"{name} total", limit)
        total = transaction.window(f"{name} total") or Window(0, 0)
        transaction.set_window(_slot(name, limit, total.used), Window(0, 0))


def _slot(name: str, limit: Limit, number: int) -> str:
    return f"{name} {number % limit.requests}"


FIXED = FixedWindow()
WINDOW = Question("window", {"fixed": FIXED, "sliding": SlidingWindow(), "aligned": AlignedWindow()})

NESTED: Question[Callable[[Limits], Limits]] = Question(
    "nested-limits", {"both": lambda limits: limits, "narrower": lambda limits: limits[-1:]}
)

COUNTED: Question[Callable[[int], bool]] = Question(
    "counted-requests", {"all": lambda _: True, "accepted": lambda status: status < BadRequest.status}
)
"""Whether a request counts, by the status of its response."""

SHOWN: Question[Callable[[Decision], bool]] = Question(
    "limit-headers",
    {
        "always": lambda _: True,
        "near-limit": lambda quota: 3 * quota.remaining <= quota.limit.requests,
        "beyond-limit": lambda quota: not quota.allowed,
    },
)

RETRY_AFTER: Question[Callable[[int, int], str]] = Question(
    "retry-after",
    {"seconds": lambda wait, _: str(wait), "date": lambda wait, now: formatdate(-(-now // SECOND) + wait, usegmt=True)},
)
"""The value of Retry-After, of seconds to wait and the time."""


def spend(
    transaction: Transaction, _caller: Caller, limits: Limits, now: int, windows: FixedWindow = FIXED
) -> Decision | None:
    """Count one request of the transaction's account against nested limits until one refuses it.

    The decision is of the limit that refused, else of the last, the narrowest; None without limits.
    """
    decision = None
    for name, limit in limits:
        window, decision = hit(limit, windows.current(transaction, name, limit, now), now)
        if not decision.allowed:
            break
        windows.put(transaction, name, limit, window, now)
    return decision


def uncounted(transaction: Transaction, limits: Limits, quota: Decision, windows: FixedWindow = FIXED) -> Decision:
    """Uncount a request wherever it was counted, and return its decision as if it had not been."""
    counted = limits if quota.allowed else takewhile(lambda pair: pair[1] is not quota.limit, limits)
    for name, limit in counted:
        windows.take_back(transaction, name, limit)
    return replace(quota, remaining=quota.remaining + 1) if quota.allowed else quota


def look(transaction: Transaction, name: str, limit: Limit, now: int, windows: FixedWindow = FIXED) -> tuple[int, int]:
    """Return the requests left in a window, and the whole seconds until it ends; 0 if none is open."""
    window = windows.current(transaction, name, limit, now)
    if window is None or not window.used or now - window.opened >= limit.seconds * SECOND:
        return limit.requests, 0
    return limit.requests - window.used, -((now - window.opened - limit.seconds * SECOND) // SECOND)
