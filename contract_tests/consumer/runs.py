"""What a run of a consumer needs: its environment, a script of injected responses, a transport."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate

from mock_server import AltaMock
from mock_server.messages.injected import Injected
from mock_server.store.base import Transaction


@dataclass(frozen=True, slots=True)
class Environment:
    """What a consumer of this process gets: where to send records, and the clock."""

    base_url: str  # ends in the version
    token: str
    campaign_id: str
    sleep: Callable[[float], None]  # advances the clock by a number of seconds
    clock: Callable[[], float]  # returns seconds since the epoch


Step = Callable[[], Injected | None] | Injected | None
"""What is injected into a request, perhaps made at that moment; None for the normal response."""


class Script:
    """A hook that injects responses step by step, then those of the queue."""

    def __init__(self) -> None:
        self._steps: Iterator[Step] = iter(())

    def begin(self, steps: Iterable[Step]) -> None:
        """Replace the steps: one for each request that passes the quota."""
        self._steps = iter(tuple(steps))

    def __call__(self, transaction: Transaction, operation: str) -> Injected | None:
        """Return the next step."""
        step = next(self._steps, lambda: transaction.take_injected(operation))
        return step() if callable(step) else step


def until(mock: AltaMock, seconds: float) -> Step:
    """Return the step of a 429 whose Retry-After is a date, some seconds after the response."""
    return lambda: Injected(status=429, retry_after=formatdate(mock.clock.time() + seconds, usegmt=True))


@contextlib.contextmanager
def transport_of(mock: AltaMock, transport: str) -> Iterator[str]:
    """Open the transport `responses` or `socket` of a fake, and yield its base URL."""
    if transport == "responses":
        with mock.responses():
            yield mock.base_url
    else:
        with mock.serve() as server:
            yield server.url
