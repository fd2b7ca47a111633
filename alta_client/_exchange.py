"""One request and its answer: what is sent, by what connection, and what a lost one means."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError
from urllib3.util import Retry

from alta_client._errors import InvalidInput, NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_BYTES = 64 * 1024
"""Bytes of an answer's body that are read; the status alone decides."""

CONNECTING_ONLY = Retry(connect=2, read=False, redirect=False, status=False, other=False, backoff_factor=0.1)
"""What urllib3 may try again: to connect, when nothing has been sent."""


class WatchedAdapter(HTTPAdapter):
    """Sends nothing twice, and knows how far a request has come.

    Attributes:
        tried: Whether a connection was tried, since somebody last said that none was.
        wrote: Whether anything was written to one that was ready.
    """

    def __init__(self) -> None:
        self.tried = self.wrote = False
        super().__init__(max_retries=CONNECTING_ONLY)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make connections that are watched."""
        super().init_poolmanager(*args, **options)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Make connections to proxies that are watched."""
        return self._watch(super().proxy_manager_for(*args, **options))

    def _watch(self, manager: Any) -> Any:
        pools = manager.pool_classes_by_scheme
        if not any(pool.__name__.startswith("Watched") for pool in pools.values()):
            manager.pool_classes_by_scheme = {scheme: _pool_of(pool, self) for scheme, pool in pools.items()}
        return manager


def _pool_of(pool: Any, adapter: WatchedAdapter) -> Any:
    """Return a pool of connections that tell an adapter when they write, once connected: TLS and proxy are not it."""

    class Watched(pool.ConnectionCls):  # type: ignore[misc]  # a class is known when a pool is
        ready = False

        def connect(self) -> None:
            adapter.tried, self.ready = True, False
            super().connect()
            self.ready = True

        def send(self, data: Any) -> None:
            if self.sock is None:
                self.connect()
            adapter.wrote = adapter.wrote or self.ready
            super().send(data)

    return type(f"Watched{pool.__name__}", (pool,), {"ConnectionCls": Watched})


def own_session() -> requests.Session:
    """Return a session that sends nothing twice."""
    session, adapter = requests.Session(), WatchedAdapter()
    for scheme in ("http://", "https://"):
        session.mount(scheme, adapter)
    return session


def refuse_repeating(session: requests.Session, url: str) -> None:
    """Refuse a session that would send a POST again by itself.

    urllib3 repeats what it calls other errors whatever the method, for example TLS that fails while an answer is read.

    Raises:
        InvalidInput: Its adapter for the address does so, or there is none.
    """
    try:
        retries = getattr(session.get_adapter(url), "max_retries", None)
    except requests.exceptions.InvalidSchema as error:
        raise InvalidInput(f"the session cannot send to {url}: {error}") from error
    if not isinstance(retries, Retry) or (not retries.total and retries.total is not None):
        return
    posts = not retries.allowed_methods or "POST" in retries.allowed_methods
    counts = [retries.other, *([retries.read, retries.status] if posts else [])]
    if any(count is None or count for count in counts):
        raise InvalidInput(
            "the session would send a batch twice when an answer is lost; give its adapter max_retries=0"
        )


class Bearer(requests.auth.AuthBase):
    """Puts the token into the request; as an auth callable it holds against ~/.netrc."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Set the header."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Exchange:
    """Sends bodies by one session, each once.

    Args:
        session: One that repeats nothing.
        token: What the bearer header has.
        headers: What is sent besides.
        timeout: Seconds to connect, between two bytes of an answer, and to read its body.
        clock: Returns seconds.
    """

    def __init__(
        self,
        session: requests.Session,
        token: str,
        headers: Mapping[str, str],
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._session, self._auth, self._timeout, self._clock = session, Bearer(token), timeout, clock
        self._headers = {"Content-Type": "application/json", "Accept": "application/json", **headers}

    def close(self) -> None:
        """Close the connections; the next request opens a new one."""
        self._session.close()

    def post(self, url: str, body: bytes) -> requests.Response:
        """Send a body of JSON, and return the answer, its own body read as far as it came.

        Raises:
            InvalidInput: Nothing can be sent to the address.
            NotSent: There was no connection.
            OutcomeUnknown: It was lost later on, or no answer came in time.
        """
        refuse_repeating(self._session, url)
        try:
            asked = requests.Request("POST", url, data=body, headers=self._headers, auth=self._auth)
            asked.hooks = {"response": [_hide_location]}
            request = self._session.prepare_request(asked)
            settings = self._session.merge_environment_settings(request.url, {}, True, None, None)  # noqa: FBT003 - stream
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise InvalidInput(f"nothing can be sent to {url}: {_cause(error)}") from error
        adapter = self._session.get_adapter(url)
        if isinstance(adapter, WatchedAdapter):
            adapter.tried = adapter.wrote = False
        try:
            response = self._session.send(request, timeout=self._timeout, allow_redirects=False, **settings)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            answered = getattr(error, "response", None)
            if answered is None:
                raise _lost(error, request, adapter) from error
            response = answered  # a hook of the session raised on its status
        finally:
            request.headers["Authorization"] = "Bearer ***"  # whoever reports an error may report its request
        if _HIDDEN in response.headers:
            response.headers["Location"] = response.headers.pop(_HIDDEN)
        _read(response, until=self._clock() + self._timeout, clock=self._clock)
        return response


def _lost(error: Exception, request: requests.PreparedRequest, adapter: Any) -> NotSent | OutcomeUnknown:
    """Return what a failed exchange is called: not sent only if that is certain."""
    host = urlsplit(str(request.url)).netloc
    watched = isinstance(adapter, WatchedAdapter) and adapter.tried
    if not adapter.wrote if watched else _never_connected(error):
        return NotSent(request, None, f"cannot reach {host}: {_cause(error)}")
    return OutcomeUnknown(request, None, f"the connection to {host} was lost: {_cause(error)}")


def _never_connected(error: Exception) -> bool:
    """Tell by an error alone, where no connection of ours was tried, whether it is certain that there was none."""
    addresses = (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)
    if isinstance(error, requests.exceptions.ConnectTimeout | addresses[0] | addresses[1]) or type(error) is OSError:
        return True  # a plain OSError is about a file of certificates
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    return isinstance(getattr(reason, "original_error", reason), ConnectTimeoutError)


_HIDDEN = "X-Hidden-Location"


def _hide_location(response: requests.Response, **_: object) -> None:
    """Keep `requests` from following a redirect in thought: it would read its body whole and copy the token."""
    if "Location" in response.headers:
        response.headers[_HIDDEN] = response.headers.pop("Location")


def _read(response: requests.Response, until: float, clock: Callable[[], float]) -> None:
    """Read the body as far as it comes; one that breaks off, is huge, or never ends changes nothing."""
    body = b""
    with contextlib.suppress(Exception):  # whatever a body is, the status is known
        while len(body) <= MOST_BYTES and clock() <= until:
            part = response.raw.read1(8192, decode_content=True)
            if not part:
                break
            body += part
        else:
            response.close()
    response._content = body  # noqa: SLF001 - else whoever looks at it later would find it consumed


def _cause(error: BaseException) -> str:
    """Return the innermost reason in a few words."""
    while True:
        inner = [getattr(error, "reason", None), *reversed(error.args), error.__cause__, error.__context__]
        found = next((one for one in inner if isinstance(one, BaseException)), None)
        if found is None:
            break
        error = found
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200] or type(error).__name__
