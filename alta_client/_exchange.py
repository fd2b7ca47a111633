"""One request and its answer: what is sent, by what connection, and what a lost one means."""

from __future__ import annotations

import contextlib
import ssl
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, HTTPError, MaxRetryError, SSLError
from urllib3.util import Retry

from alta_client._errors import InvalidInput, NotSent, OutcomeUnknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MOST_BYTES = 64 * 1024
"""Bytes of an answer's body that are read; the status alone decides."""

CONNECTING_ONLY = Retry(connect=2, read=False, redirect=False, status=False, other=False, backoff_factor=0.1)
"""What urllib3 may try again: to connect, when nothing has been sent."""


def own_session() -> requests.Session:
    """Return a session that sends nothing twice."""
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=CONNECTING_ONLY))
    return session


def refuse_repeating(session: requests.Session, url: str) -> None:
    """Refuse a session that would send a POST again by itself.

    Raises:
        InvalidInput: Its adapter for the address does so.
    """
    retries = getattr(session.get_adapter(url), "max_retries", None)
    if not isinstance(retries, Retry) or (not retries.total and retries.total is not None):
        return
    posts = not retries.allowed_methods or "POST" in retries.allowed_methods
    if posts and (retries.read is None or retries.read or retries.status is None or retries.status):
        raise InvalidInput("the session would send a batch twice when an answer is lost; give its adapter read=False")


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
            NotSent: There was no connection.
            OutcomeUnknown: It was lost later on, or no answer came in time.
        """
        asked = requests.Request("POST", url, data=body, headers=self._headers, auth=self._auth)
        request = self._session.prepare_request(asked)
        settings = self._session.merge_environment_settings(request.url, {}, True, None, None)  # noqa: FBT003 - stream
        try:
            response = self._session.send(request, timeout=self._timeout, allow_redirects=False, **settings)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            host = urlsplit(url).netloc
            if _was_not_sent(error):
                raise NotSent(request, None, f"cannot reach {host}: {_cause(error)}") from error
            raise OutcomeUnknown(request, None, f"the connection to {host} was lost: {_cause(error)}") from error
        finally:
            request.headers["Authorization"] = "Bearer ***"  # whoever reports an error may report its request
        _read(response, until=self._clock() + self._timeout, clock=self._clock)
        return response


def _read(response: requests.Response, until: float, clock: Callable[[], float]) -> None:
    """Read the body as far as it comes; one that breaks off, is huge or never ends changes nothing."""
    body = b""
    with contextlib.suppress(requests.RequestException, HTTPError, OSError):
        for part in response.iter_content(8192):
            body += part
            if len(body) > MOST_BYTES or clock() > until:
                response.close()
                break
    response._content = body  # noqa: SLF001 - else whoever looks at it later would find it consumed


def _was_not_sent(error: Exception) -> bool:
    """Tell whether it is certain that the connection failed before the request was sent."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else None
    if isinstance(reason, SSLError):
        told = reason.args[0] if reason.args else None
        return isinstance(told, ssl.SSLCertVerificationError) or "WRONG_VERSION_NUMBER" in str(told)
    return isinstance(reason, ConnectTimeoutError)


def _cause(error: BaseException) -> str:
    """Return the innermost reason in a few words."""
    while True:
        inner = [getattr(error, "reason", None), *reversed(error.args), error.__cause__, error.__context__]
        found = next((one for one in inner if isinstance(one, BaseException)), None)
        if found is None:
            break
        error = found
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:200] or type(error).__name__
