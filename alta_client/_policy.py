"""When a request is sent, waits, and is sent again: the same for every operation and for both clients.

Nothing here opens a connection or sleeps: a generator yields the steps, and a client takes them.

Rule 1: a 429 is waited out as long as it says; without a usable Retry-After for 1, 2, 4, ..., 60 seconds.
Rule 2: a read is also sent again after a 5xx, a lost connection or an invalid body; a write never is.
Rule 3: what the server does not say is jittered, so that clients which fail together do not return together.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from alta_client._errors import InvalidResponse, OutcomeUnknown, RateLimited, RequestError, ServerError, error_of
from alta_client._messages import Listing, Request, Response, Steps, Wait
from alta_client._pacing import backoff, retry_after, until_reset

MOST_REFUSALS = 10
"""429s in a row after which a request is given up, however short the waits."""

MOST_FAILURES = 4
"""Failures after which a read is given up."""

JITTER = 0.25
"""How much longer a wait is at most that the server does not ask for."""

Report = Callable[..., object]
"""Is called with `sending` before a request, and with `waiting` and seconds before a wait."""


class Policy:
    """The waits of a client: until there is quota, after a 429, and before another try.

    Args:
        max_wait: Seconds to wait in total for one request, not counting pauses for quota.
        clock: Returns seconds since the epoch.
        jitter: Returns a number from 0 to 1.
    """

    def __init__(
        self,
        max_wait: float,
        clock: Callable[[], float],
        jitter: Callable[[], float],
    ) -> None:
        self._max_wait, self._clock, self._jitter = max_wait, clock, jitter
        self._pauses: dict[bool, tuple[float, float]] = {}  # by `narrow`: when quota was used up, seconds until more

    def result(self, request: Request) -> Steps[Any]:
        """Send a request, and return the object that its response carries; None if none is documented."""
        return (yield from self.exchange(request, lambda response: response.decoded() if request.returns else None))

    def exchange(
        self, request: Request, read: Callable[[Response], Any] = lambda _: None, report: Report = lambda *_: None
    ) -> Generator[Request | Wait, Response, Any]:
        """Send a request until it succeeds or is given up, and return what `read` makes of the response."""
        if pause := self._pause(request):
            yield from self._wait(request, pause, report)
        refusals, failures, waited = 0, 0, 0.0
        while True:
            report("sending")
            error: RequestError
            wait: float | None = None
            try:
                response = yield request
                wait = self._noted(request, response)
                if 200 <= response.native.status_code < 300:  # noqa: PLR2004 - the successes
                    return read(response)
                error = error_of(response.native)
            except OutcomeUnknown as lost:
                error = lost
            if isinstance(error, RateLimited):
                error.retry_after, refusals, tries = wait, refusals + 1, refusals + 1
            elif request.reads and _passes(error):
                failures, tries = failures + 1, failures + 1
            else:
                raise error
            wait = backoff(tries) * (1 + JITTER * self._jitter()) if wait is None else wait
            if refusals >= MOST_REFUSALS or failures >= MOST_FAILURES or waited + wait > self._max_wait:
                raise error
            waited += wait
            yield from self._wait(request, wait, report)

    def _noted(self, request: Request, response: Response) -> float | None:
        """Remember the quota that a response reports, and return the seconds of its Retry-After."""
        now = self._clock()
        self._pauses[request.narrow] = now, until_reset(response.values)
        return retry_after(response.values, now)

    def _pause(self, request: Request) -> float:
        """Return the seconds until there is quota: a narrow limit holds up its operation, the other one all."""
        now = self._clock()
        known = [pause for narrow, pause in self._pauses.items() if request.narrow or not narrow]
        longest = max((min(seconds, seconds - (now - at)) for at, seconds in known), default=0.0)
        return longest if 0 < longest <= self._max_wait else 0.0

    def _wait(self, request: Request, seconds: float, report: Report) -> Generator[Wait, Response, None]:
        report("waiting", seconds)
        yield Wait(seconds)
        for narrow in {False, request.narrow}:
            self._pauses.pop(narrow, None)

    def page(self, rest: Listing[Any]) -> Steps[Any]:
        """Read the next page of a list."""

        def read(response: Response) -> Any:
            page = response.decoded()
            if problem := rest.problem(page):
                raise InvalidResponse(response.native, problem)
            return page

        return (yield from self.exchange(rest.request, read))


def _passes(error: RequestError) -> bool:
    """Return whether an error of a read may be gone at the next try."""
    return isinstance(error, ServerError | InvalidResponse) or error.response is None
