"""`AsyncAltaClient`: the same operations over httpx; needs the extra `async`."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self, TypeVar

from alta_client import _inputs as inputs
from alta_client._errors import AltaError, InvalidInput, NotSent, OutcomeUnknown
from alta_client._exchange import CONNECTS, MOST_BYTES, cause
from alta_client._messages import Listing, Request, Response, Steps, Wait
from alta_client._operations import Operations
from alta_client._policy import Policy

try:
    import httpx
except ImportError as missing:
    raise ImportError("AsyncAltaClient needs httpx; install alta-mock[async]") from missing

T = TypeVar("T")

IDLE_SECONDS = 0.5
"""Seconds after which an idle connection is not used again: a server may close it just as a request is sent."""

NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)
"""Errors of httpx that prove that no request was sent."""


class AsyncAltaClient(Operations):
    """The operations of the API, each a coroutine, lists as asynchronous iterators.

    Args:
        base_url: Ends in the version: `https://api.altahq.com/v1`.
        token: The API token, without the word Bearer.
        account_id: The account, for users with several.
        client: Provides proxies, certificates and hooks; its transport must not repeat a write by itself.
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
        client: httpx.AsyncClient | None = None,
        timeout: float = 30.0,
        max_wait: float = 300.0,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.base_url = inputs.base_url(base_url)
        self._headers = {**inputs.headers(token, account_id), "Authorization": f"Bearer {token}"}
        self._policy = Policy(inputs.seconds("max_wait", max_wait), clock, jitter)
        self._timeout, self._sleep, self._clock = inputs.seconds("timeout", timeout), sleep, clock
        self._client = own_client() if client is None else client

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Close the connections."""
        await self.close()

    def __repr__(self) -> str:
        """Show the address, but not the token."""
        return f"AsyncAltaClient({self.base_url!r})"

    async def close(self) -> None:
        """Close the connections, for good."""
        await self._client.aclose()

    async def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation, and return its result."""
        try:
            step = next(steps)
            while True:
                if isinstance(step, Wait):
                    await self._sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    response = await self._send(step)
                except AltaError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(response)
        except StopIteration as done:
            return done.value  # type: ignore[no-any-return]  # it is the result

    async def iterate(self, rest: Listing[T]) -> AsyncIterator[T]:
        """Yield the objects of a list, reading each page when it is needed."""
        left: Listing[T] | None = rest
        while left is not None:
            page = await self.take(self._policy.page(left))
            for one in page["data"]:
                yield one
            left = left.after(page)

    async def _send(self, request: Request) -> Response:
        """Send a request, and return the response, whose body may be incomplete."""
        url = self.base_url + request.path
        headers = request.headers(self._headers)
        try:
            sent = self._client.build_request(
                request.method, url, content=request.body, headers=headers, timeout=self._timeout
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise InvalidInput(f"nothing can be sent to {url}: {cause(error)}") from error
        try:
            response = await self._client.send(sent, auth=None, follow_redirects=False, stream=True)
        except (httpx.HTTPError, OSError, ValueError) as error:
            if isinstance(error, NEVER_SENT):
                raise NotSent(sent, None, f"cannot reach {sent.url.netloc.decode()}: {cause(error)}") from error
            what = f"the connection to {sent.url.netloc.decode()} was lost: {cause(error)}"
            raise OutcomeUnknown(sent, None, what) from error
        finally:
            sent.headers["Authorization"] = "Bearer ***"  # a report of an error may contain its request
        body, complete = await self._read(response, MOST_BYTES[request.returns])
        headers = {name: value for name, value in response.headers.items() if name not in DECODED}
        whole = httpx.Response(response.status_code, headers=headers, content=body, request=sent)
        return Response(whole, response.headers.get_list, complete)

    async def _read(self, response: httpx.Response, most: int) -> tuple[bytes, bool]:
        """Read a body as far as possible, and return whether that is all: it may break off, be huge, or never end."""
        body, until = bytearray(), self._clock() + self._timeout
        try:
            async for part in response.aiter_bytes():
                body += part
                if len(body) > most or self._clock() > until:
                    return bytes(body), False
        except (httpx.HTTPError, OSError, ValueError):
            return bytes(body), False
        finally:
            await response.aclose()
        return bytes(body), True


DECODED = {"content-encoding", "content-length", "transfer-encoding"}
"""Headers that are no longer true of a body that was read."""


def own_client() -> httpx.AsyncClient:
    """Return a client of httpx that sends nothing twice."""
    limits = httpx.Limits(keepalive_expiry=IDLE_SECONDS)
    return httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(retries=CONNECTS, limits=limits))
