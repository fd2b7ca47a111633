"""`AltaClient`: the operations over requests, one after the other, at the pace that the server sets."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Self, TypeVar

from alta_client import _inputs as inputs
from alta_client._errors import AltaError
from alta_client._exchange import Exchange, own_session, refuse_repeating
from alta_client._messages import Listing, Steps, Wait
from alta_client._operations import Operations
from alta_client._policy import Policy

if TYPE_CHECKING:
    import requests

T = TypeVar("T")


class AltaClient(Operations):
    """The operations of the API. One client for one thread.

    Args:
        base_url: Ends in the version: `https://api.altahq.com/v1`.
        token: The API token, without the word Bearer.
        account_id: The account, for users with several.
        session: Provides proxies, certificates and hooks; must not repeat a write by itself.
        timeout: Seconds to connect, and between two bytes of a response.
        max_wait: Seconds to wait in total for one request that is refused with a 429 or fails, not counting pauses.
        sleep: Waits a number of seconds.
        clock: Returns seconds since the epoch.
        jitter: Returns a number from 0 to 1, by which waits that the server does not ask for are longer.

    Raises:
        InvalidInput: An argument cannot be used; the message does not contain the token.
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults
        self,
        base_url: str,
        token: str,
        *,
        account_id: str | None = None,
        session: requests.Session | None = None,
        timeout: float = 30.0,
        max_wait: float = 300.0,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.base_url = inputs.base_url(base_url)
        session = own_session() if session is None else session
        refuse_repeating(session, self.base_url)
        headers = inputs.headers(token, account_id)
        self._exchange = Exchange(session, self.base_url, token, headers, inputs.seconds("timeout", timeout), clock)
        self._policy = Policy(inputs.seconds("max_wait", max_wait), clock, jitter)
        self._sleep = sleep

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connections."""
        self.close()

    def __repr__(self) -> str:
        """Show the address, but not the token."""
        return f"AltaClient({self.base_url!r})"

    def close(self) -> None:
        """Close the connections; the client can be used again."""
        self._exchange.close()

    def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation, and return its result."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    self._sleep(step.seconds)
                    self._exchange.close()  # the server may close an idle connection just as a request is sent
                    step = next(steps)
                    continue
                try:
                    response = self._exchange.send(step)
                except AltaError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # it is the result

    def iterate(self, rest: Listing[T]) -> Iterator[T]:
        """Yield the objects of a list, reading each page when it is needed."""
        left: Listing[T] | None = rest
        while left is not None:
            page = self.take(self._policy.page(left))
            yield from page["data"]
            left = left.after(page)
