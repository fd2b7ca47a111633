"""The vendor's rate limits as arithmetic: fixed windows per account, opened by their first counted request.

Law of this module: time comes in as whole nanoseconds, so that 60 s are exactly 60 s. A request that is counted
stays counted, whatever it is answered, and a refused one neither prolongs nor reopens a window.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server.messages.http import Headers

SECOND = 1_000_000_000
"""Nanoseconds of a second."""

_FORM = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,6})s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in a window of so many seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Limit | None:
        """Read `10/60s`, ten requests in sixty seconds, or `off`, which is None.

        Raises:
            MockError: It has another form.
        """
        if text == "off":
            return None
        found = _FORM.fullmatch(text)
        if not found:
            raise MockError(f"{text!r} is no rate limit; write requests and seconds like 10/60s, or off for none")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Give the form that `parse` reads."""
        return f"{self.requests}/{self.seconds}s"


@dataclass(frozen=True, slots=True)
class Window:
    """What is counted for one account under one limit since `opened`, in nanoseconds."""

    opened: int
    used: int


@dataclass(frozen=True, slots=True)
class Decision:
    """What a limit says of one request.

    Attributes:
        limit: The limit that was asked.
        allowed: False if the quota was used up before this request.
        remaining: Requests left in the window after this one.
        reset: Whole seconds until the window ends, rounded up.
    """

    limit: Limit
    allowed: bool
    remaining: int
    reset: int

    def headers(self) -> Headers:
        """Return the vendor's headers, in the form of draft-ietf-httpapi-ratelimit-headers-06.

        https://docs.altahq.com/api-reference/rate-limiting names them; the policy's form is the draft's.
        """
        reset = str(self.reset)
        headers = (
            ("RateLimit-Limit", str(self.limit.requests)),
            ("RateLimit-Remaining", str(self.remaining)),
            ("RateLimit-Reset", reset),
            ("RateLimit-Policy", f"{self.limit.requests};w={self.limit.seconds}"),
        )
        return headers if self.allowed else (*headers, ("Retry-After", reset))


def hit(limit: Limit, window: Window | None, at: int) -> tuple[Window, Decision]:
    """Count one request at a time in nanoseconds; return the window after it, and what the limit says."""
    length = limit.seconds * SECOND
    if window is None or at - window.opened >= length:
        window = Window(at, 0)
    allowed = window.used < limit.requests
    if allowed:
        window = Window(window.opened, window.used + 1)
    reset = -((at - window.opened - length) // SECOND)
    return window, Decision(limit, allowed, limit.requests - window.used, reset)


class RateLimiter:
    """The windows of all accounts; safe to use from many threads."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}
        self._lock = threading.Lock()

    def spend(self, account: str, limits: Sequence[tuple[str, Limit]], at: int) -> Decision | None:
        """Count one request against nested limits, widest first, until one refuses it.

        Args:
            account: Whose quota it is.
            limits: Pairs of a name, which tells windows of equal limits apart, and a limit.
            at: The time, in nanoseconds.

        Returns:
            The decision of the limit that refused, else of the last, the narrowest; None without limits.
        """
        decision = None
        with self._lock:
            for name, limit in limits:
                key = (account, name)
                self._windows[key], decision = hit(limit, self._windows.get(key), at)
                if not decision.allowed:
                    break
        return decision

    def look(self, account: str, name: str, limit: Limit, at: int) -> tuple[int, int]:
        """Return what a limit has left at a time, and the seconds until its window ends; 0 if none is open."""
        window = self._windows.get((account, name))
        if window is None or at - window.opened >= limit.seconds * SECOND:
            return limit.requests, 0
        return limit.requests - window.used, -((at - window.opened - limit.seconds * SECOND) // SECOND)

    def clear(self) -> None:
        """Forget every window: all quotas are whole again."""
        with self._lock:
            self._windows.clear()
