"""One run of a consumer against a fake that answers by a script, and what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import TYPE_CHECKING

from mock_server.messages.injected import Injected

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mock_server import AltaMock
    from mock_server.store.base import Transaction


@dataclass(frozen=True, slots=True)
class Environment:
    """What a consumer in this process is given: where to send prospects, and the time it lives by.

    Attributes:
        base_url: It ends in the version.
        sleep: Waits a number of seconds, at once.
        clock: Returns seconds since the epoch.
    """

    base_url: str
    token: str
    campaign_id: str
    sleep: Callable[[float], None]
    clock: Callable[[], float]


Step = Callable[[], Injected | None] | Injected | None
"""What a request is answered with: as asked for, perhaps made at the last moment; None for the fake's own answer."""


class Script:
    """A hook that injects responses step by step; when its steps are used up, those that were asked for follow."""

    def __init__(self) -> None:
        self._steps: Iterator[Step] = iter(())

    def begin(self, steps: Iterable[Step]) -> None:
        """Replace the steps: one for each request that passes the quota."""
        self._steps = iter(tuple(steps))

    def __call__(self, transaction: Transaction) -> Injected | None:
        """Return the next step."""
        step = next(self._steps, transaction.take_injected)
        return step() if callable(step) else step


def until(mock: AltaMock, seconds: float) -> Step:
    """Return the step of a 429 that tells to wait by a date, so many seconds from when it is answered."""
    return lambda: Injected(status=429, retry_after=formatdate(mock.clock.time() + seconds, usegmt=True))


@contextlib.contextmanager
def transport_of(mock: AltaMock, transport: str) -> Iterator[str]:
    """Open a transport of a fake, `responses` or `socket`, and yield its base URL."""
    if transport == "responses":
        with mock.responses():
            yield mock.base_url
    else:
        with mock.serve() as server:
            yield server.url
