"""The vendor's rate limits as arithmetic: fixed windows per account, opened by their first counted request.

Rule 1: time is whole nanoseconds, so that 60 s are exactly 60 s.
Rule 2: a counted request stays counted, whatever its response; a refused one neither prolongs nor reopens a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mock_server.contract.limits import SECOND, Limit
from mock_server.messages.call import Caller
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
        reset = str(self.reset)
        headers = (
            ("RateLimit-Limit", str(self.limit.requests)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", reset),
            ("RateLimit-Policy", f"{self.limit.requests};w={self.limit.seconds}"),
        )
        return headers if self.allowed else (*headers, ("Retry-After", reset))


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


def spend(transaction: Transaction, _caller: Caller, limits: Limits, now: int) -> Decision | None:
    """Count one request of the transaction's account against nested limits until one refuses it.

    The decision is of the limit that refused, else of the last, the narrowest; None without limits.
    """
    decision = None
    for name, limit in limits:
        window, decision = hit(limit, transaction.window(name), now)
        transaction.set_window(name, window)
        if not decision.allowed:
            break
    return decision


def look(transaction: Transaction, name: str, limit: Limit, now: int) -> tuple[int, int]:
    """Return the requests left in a window, and the whole seconds until it ends; 0 if none is open."""
    window = transaction.window(name)
    if window is None or now - window.opened >= limit.seconds * SECOND:
        return limit.requests, 0
    return limit.requests - window.used, -((now - window.opened - limit.seconds * SECOND) // SECOND)
