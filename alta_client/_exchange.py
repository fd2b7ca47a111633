"""One request and its response: how it is sent, and whether it reached the server if the connection fails."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError
from urllib3.util import Retry

from alta_client._errors import InvalidInput, NotSent, OutcomeUnknown
from alta_client._messages import Request, Response
from alta_client._pacing import Values

MOST_BYTES = {False: 64 * 1024, True: 64 * 1024 * 1024}
"""Maximum number of bytes that are read of a body, by whether more than the status matters."""

CONNECTS = 2
"""Tries to connect after the first one has failed."""

CONNECTING_ONLY = Retry(
    connect=CONNECTS,
    read=False,
    redirect=False,
    status=False,
    other=False,
    backoff_factor=0.1,
    respect_retry_after_header=False,  # or urllib3 would wait for it, and send again
)
"""What urllib3 may retry: connecting, before anything is sent."""


class WatchedAdapter(HTTPAdapter):
    """Sends nothing twice, and knows how far a request got.

    For each request, `tried` says whether it tried to connect, and `wrote` whether it wrote to a ready connection.
    """

    def __init__(self) -> None:
        self.tried = self.wrote = False
        super().__init__(max_retries=CONNECTING_ONLY)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Watch the connections."""
        super().init_poolmanager(*args, **options)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Watch the connections to proxies."""
        return self._watch(super().proxy_manager_for(*args, **options))

    def _watch(self, manager: Any) -> Any:
        pools = manager.pool_classes_by_scheme
        if not any(pool.__name__.startswith("Watched") for pool in pools.values()):
            manager.pool_classes_by_scheme = {scheme: _pool_of(pool, self) for scheme, pool in pools.items()}
        return manager


def _pool_of(pool: Any, adapter: WatchedAdapter) -> Any:
    """Return a class of pools whose connections report writes to an adapter, once connected through TLS or proxy."""

    class Watched(pool.ConnectionCls):  # type: ignore[misc]  # the class is known at run time
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


def refuse_repeating(session: requests.Session, url: str, method: str = "POST") -> None:
    """Raise InvalidInput if a session would repeat a write to an address by itself, or cannot send to it.

    urllib3 retries `other` errors regardless of the method, for example TLS that fails while a response is read.
    """
    try:
        retries = getattr(session.get_adapter(url), "max_retries", None)
    except requests.exceptions.InvalidSchema as error:
        raise InvalidInput(f"the session cannot send to {url}: {error}") from error
    if not isinstance(retries, Retry) or (not retries.total and retries.total is not None):
        return
    repeats = not retries.allowed_methods or method in retries.allowed_methods
    counts = [retries.other, *([retries.read, retries.status] if repeats else [])]
    if any(count is None or count for count in counts):
        raise InvalidInput("the session would send a write twice if its response is lost; use max_retries=0")


def _bearer(token: str) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    """Return what adds the token to a request; as an auth callable it takes precedence over ~/.netrc."""

    def authorize(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorize


class Exchange:
    """Sends requests with a session, each once; `timeout` also limits the time to read the body of a response."""

    def __init__(  # noqa: PLR0913, PLR0917 - the settings of the client
        self,
        session: requests.Session,
        base_url: str,
        token: str,
        headers: dict[str, str],
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._session, self._base_url, self._auth, self._headers = session, base_url, _bearer(token), headers
        self._timeout, self._clock = timeout, clock

    def close(self) -> None:
        """Close the connections; the next request opens a new one."""
        self._session.close()

    def send(self, request: Request) -> Response:
        """Send a request, and return the response, whose body may be incomplete.

        Raises:
            InvalidInput: Nothing can be sent to the address.
            NotSent: There was no connection.
            OutcomeUnknown: The connection was lost later, or no response came in time.
        """
        url = self._base_url + request.path
        if not request.reads:
            refuse_repeating(self._session, self._base_url, request.method)
        try:
            headers = request.headers(self._headers)
            unprepared = requests.Request(request.method, url, data=request.body, headers=headers, auth=self._auth)
            unprepared.hooks = {"response": [_hide_location]}
            prepared = self._session.prepare_request(unprepared)
            settings = self._session.merge_environment_settings(prepared.url, {}, True, None, None)  # noqa: FBT003 - stream
        except (requests.RequestException, HTTPError, ValueError) as error:
            raise InvalidInput(f"nothing can be sent to {url}: {cause(error)}") from error
        adapter = self._session.get_adapter(url)
        if isinstance(adapter, WatchedAdapter):
            adapter.tried = adapter.wrote = False
        try:
            response = self._session.send(prepared, timeout=self._timeout, allow_redirects=False, **settings)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            answered: requests.Response | None = getattr(error, "response", None)
            if answered is None:
                raise _lost(error, prepared, adapter) from error
            response = answered  # a hook of the session has raised
        finally:
            prepared.headers["Authorization"] = "Bearer ***"  # a report of an error may contain its request
        if _HIDDEN in response.headers:
            response.headers["Location"] = response.headers.pop(_HIDDEN)
        until = self._clock() + self._timeout
        complete = _read(response, MOST_BYTES[request.returns], until=until, clock=self._clock)
        return Response(response, _values(response), complete)


def _values(response: requests.Response) -> Values:
    """Return a function that returns all values of a header."""
    values: Values | None = getattr(getattr(response.raw, "headers", None), "getlist", None)
    return values or (lambda name: [response.headers[name]] if name in response.headers else [])


def _lost(error: Exception, request: requests.PreparedRequest, adapter: Any) -> NotSent | OutcomeUnknown:
    """Return the error for a failed exchange: NotSent only if that is certain."""
    host = urlsplit(str(request.url)).netloc
    watched = isinstance(adapter, WatchedAdapter) and adapter.tried
    if not adapter.wrote if watched else _never_connected(error):
        return NotSent(request, None, f"cannot reach {host}: {cause(error)}")
    return OutcomeUnknown(request, None, f"the connection to {host} was lost: {cause(error)}")


def _never_connected(error: Exception) -> bool:
    """Return whether an error alone proves that there was no connection, for adapters that are not watched."""
    kinds = requests.exceptions.ConnectTimeout | requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema
    if isinstance(error, kinds) or type(error) is OSError:  # a plain OSError is about a file of certificates
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    return isinstance(getattr(reason, "original_error", reason), ConnectTimeoutError)


_HIDDEN = "X-Hidden-Location"


def _hide_location(response: requests.Response, **_: object) -> None:
    """Keep `requests` from preparing the next request: it would read the whole body and copy the token."""
    if "Location" in response.headers:
        response.headers[_HIDDEN] = response.headers.pop("Location")


def _read(response: requests.Response, most: int, until: float, clock: Callable[[], float]) -> bool:
    """Read a body as far as possible, and return whether that is all: it may break off, be huge, or never end."""
    body, complete = bytearray(), False
    with contextlib.suppress(Exception):
        while len(body) <= most and clock() <= until:
            if not (part := response.raw.read1(65536, decode_content=True)):
                complete = True
                break
            body += part
        else:
            response.close()
    response.raw = _ReadBody(bytes(body), getattr(response.raw, "headers", None))
    return complete


class _ReadBody(io.BytesIO):
    """A body that was read, with the headers of its response."""

    def __init__(self, body: bytes, headers: object) -> None:
        super().__init__(body)
        self.headers = headers


def cause(error: BaseException) -> str:
    """Return the innermost reason of an error."""
    inner = (getattr(error, "reason", None), *reversed(error.args), error.__cause__, error.__context__)
    for found in inner:
        if isinstance(found, BaseException):
            return cause(found)
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200] or type(error).__name__
