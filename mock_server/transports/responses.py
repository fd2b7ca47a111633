"""The transport for `requests` in this process, without a socket, by the library `responses`."""

from __future__ import annotations

import errno
import re
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from mock_server.messages.extras import missing
from mock_server.messages.http import MAX_BODY, ApiReply, ApiRequest
from mock_server.messages.injected import RESETS

try:
    import requests
    import responses
    from requests.adapters import HTTPAdapter
    from urllib3 import Timeout
    from urllib3.exceptions import IncompleteRead, ProtocolError
except ImportError as error:
    raise missing("mock.responses()", error, "pytest") from error

from collections.abc import Iterator, Sequence

from mock_server.fake import Fake

Answer = tuple[int, dict[str, str], bytes]


class _Fake(responses.CallbackResponse):
    """Answers what no response of the user does, of the URLs that match a pattern."""

    def __init__(self, mock: Fake, among: responses.RequestsMock, pattern: str, hosts: Sequence[str]) -> None:
        unique = f"any method, for {id(self)}"  # `remove` removes what has the same method and URL
        super().__init__(unique, re.compile(pattern), partial(_answer, mock, hosts), content_type=None)
        self._among, self._pattern = among, re.compile(pattern)

    def matches(self, request: requests.PreparedRequest) -> tuple[bool, str]:
        """Return whether to answer a request, and the reason if not."""
        url, registered = str(request.url), self._among.registered()
        prefixes = [re.escape(one) if isinstance(one, str) else one for one in self._among.passthru_prefixes]
        if not self._pattern.match(url) or any(re.match(prefix, url) for prefix in prefixes):
            return False, "it is another host, or passes through"
        if [one for one in registered if isinstance(one, _Fake)][-1] is not self:
            return False, "the innermost fake answers"
        users = (one for one in registered if not isinstance(one, _Fake))
        return not any(one.matches(request)[0] for one in users), "a response of yours answers"

    @property
    def call_count(self) -> int:
        """At least 1: a fake need not be used."""
        return max(1, super().call_count)


@contextmanager
def patched(mock: Fake, *hosts: str) -> Iterator[responses.RequestsMock]:
    """Answer what `requests` sends, until the end of the context; hosts but the vendor's and `hosts` are refused.

    Where the library itself is active around or inside the context, its responses answer other hosts.
    """
    ours = urlsplit(mock.base_url)
    origin, *others = (re.escape(f"{ours.scheme}://{host}/") for host in (ours.netloc, *hosts))
    around = HTTPAdapter.send
    with responses.RequestsMock(assert_all_requests_are_fired=False, real_adapter_send=around) as patch:
        if around.__module__ != HTTPAdapter.__module__:
            patch.add_passthru(re.compile(f"(?!{'|'.join([origin, *others])})"))
        patch.add(_Fake(mock, patch, "", hosts))
        inside = responses.add(_Fake(mock, responses.mock, origin, ()))
        try:
            yield patch
        finally:
            responses.remove(inside)


def _answer(mock: Fake, hosts: Sequence[str], sent: requests.PreparedRequest) -> Answer | Exception:
    ours, theirs = urlsplit(mock.base_url), urlsplit(str(sent.url))
    if theirs.scheme != ours.scheme or theirs.netloc not in {ours.netloc, *hosts}:
        origin = f"{theirs.scheme}://{theirs.netloc}"
        return requests.ConnectionError(
            f"{origin} is not answered while AltaMock.responses() is active; did you mean {mock.base_url}"
            f" (mock.base_url)? For other hosts add a passthrough to the object that responses() returns.",
            request=sent,
        )
    body = _body(sent)
    request = ApiRequest(
        method=str(sent.method),
        path=theirs.path,
        query=theirs.query,
        headers=(
            ("host", theirs.netloc),
            *((_text(name).lower(), _text(value)) for name, value in sent.headers.items() if name.lower() != "host"),
        ),
        body=body if len(body) <= MAX_BODY else None,
    )
    reply = mock.handle(request, "responses").reply
    failure = _failure(mock, reply, sent) if reply.fault else None
    return failure or (reply.status, dict(reply.headers), reply.body)


def _failure(mock: Fake, reply: ApiReply, sent: requests.PreparedRequest) -> Exception | None:
    """Apply a fault: return what `requests` raises, or None if the response arrives all the same."""
    name = reply.fault.name if reply.fault else ""
    if name in RESETS:
        lost = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
        return requests.ConnectionError(ProtocolError("Connection aborted.", lost), request=sent)
    if name == "truncate":
        half = len(reply.body) // 2
        broken = IncompleteRead(half, len(reply.body) - half)
        error = ProtocolError(f"Connection broken: {broken!r}", broken)
        return requests.exceptions.ChunkedEncodingError(error, request=sent)
    seconds = reply.fault.seconds if reply.fault else 0.0
    allowed = _read_timeout(sent)
    mock.clock.sleep(seconds if allowed is None else min(seconds, allowed))
    if allowed is not None and seconds >= allowed:
        return requests.ReadTimeout(f"Read timed out. (read timeout={allowed})", request=sent)
    return None


def _read_timeout(sent: requests.PreparedRequest) -> float | None:
    timeout: Any = getattr(sent, "req_kwargs", {}).get("timeout")
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    elif isinstance(timeout, Timeout):
        started = timeout.clone()
        started.start_connect()  # a total timeout has a read timeout only while its timer runs
        timeout = started.read_timeout
    return float(timeout) if isinstance(timeout, int | float) else None


def _body(sent: requests.PreparedRequest) -> bytes:
    """Return the body of a prepared request, which may be text, bytes, a file or an iterator of bytes."""
    body: Any = sent.body
    if isinstance(body, str | bytes | None):
        parts = [body or b""]
    else:
        parts = [body.read()] if hasattr(body, "read") else list(body)
    return b"".join(part.encode() if isinstance(part, str) else part for part in parts)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
