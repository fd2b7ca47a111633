"""What a run of a consumer needs: its environment, a script of injected responses, a transport."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import urlsplit

from mock_server import AltaMock
from mock_server.messages.http import ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle
from mock_server.store.base import Transaction


@dataclass(frozen=True, slots=True)
class Environment:
    """What a consumer of this process gets: where to send records, and the clock."""

    base_url: str  # ends in the version
    token: str
    campaign_id: str
    sleep: Callable[[float], None]  # advances the clock by a number of seconds
    clock: Callable[[], float]  # returns seconds since the epoch


Step = Callable[[ApiRequest], Injected | None] | Injected | None
"""What is injected into a request, perhaps made for it at that moment; None for the normal response."""


class Script:
    """A hook that injects responses step by step, then those of the queue."""

    def __init__(self) -> None:
        self._steps: Iterator[Step] = iter(())
        self._request = ApiRequest("", "", "", (), None)

    def around(self, handle: Handle) -> Handle:
        """Wrap the handling of requests, to know each before its step."""

        def remembering(request: ApiRequest, transport: str) -> Outcome:
            self._request = request
            return handle(request, transport)

        return remembering

    def begin(self, steps: Iterable[Step]) -> None:
        """Replace the steps: one for each request that passes the quota."""
        self._steps = iter(tuple(steps))

    def __call__(self, transaction: Transaction, operation: str) -> Injected | None:
        """Return the next step."""
        step = next(self._steps, lambda _: transaction.take_injected(operation))
        return step(self._request) if callable(step) else step


def until(mock: AltaMock, seconds: float) -> Step:
    """Return the step of a 429 whose Retry-After is a date, some seconds after the response."""
    return lambda _: Injected(status=429, retry_after=formatdate(mock.clock.time() + seconds, usegmt=True))


def other_host(host: str) -> str:
    """Return another name of a host that a fake answers as."""
    address, colon, port = host.partition(":")
    return f"localhost{colon}{port}" if address == "127.0.0.1" else f"elsewhere.{host}"


@contextlib.contextmanager
def transport_of(mock: AltaMock, transport: str) -> Iterator[str]:
    """Open the transport `responses` or `socket` of a fake, and yield its base URL."""
    if transport == "responses":
        from mock_server.transports.responses import patched  # noqa: PLC0415 - only those who use it need the library

        with patched(mock, other_host(urlsplit(mock.base_url).netloc)):
            yield mock.base_url
    else:
        with mock.serve() as server:
            yield server.url
