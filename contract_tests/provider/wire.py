"""Requests to a provider as they stand on the wire, and its answers: over a socket, or to a fake in this process.

`requests` and its like repair what they send; here a header may stand twice, a path be as raw as it likes, and a
length be a lie.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from alta_terminal import visible
from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError
from mock_server.messages.http import MAX_BODY, ApiRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server import AltaMock

MOST_BYTES = 1024 * 1024
"""Bytes of an answer that are read."""

NO_ANSWER = 0
"""In place of a status: the connection was closed, or nothing came in time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request.

    Attributes:
        path: The raw path, from the root of the server.
        headers: In this order; `Host` and the length of the body are added.
        body: Bytes; None for a request without.
        framing: `length`, `chunked`, `short` (more is announced than comes) or `long` (less is announced).
    """

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    framing: str = "length"


@dataclass(frozen=True)
class Got:
    """One answer.

    Attributes:
        status: `NO_ANSWER` if there was none; `trouble` says why.
        headers: Names in lower case.
        at: When it was there, in seconds of the provider's time.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    at: float = 0.0
    trouble: str = ""

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def __str__(self) -> str:
        """Tell status and, of an error, its body, in a line."""
        if self.status == NO_ANSWER:
            return self.trouble
        text = " ".join(self.body.decode(errors="replace").split())
        shown = visible(text[:2000])
        return f"{self.status} {shown}".rstrip()

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Unusable(MockError):
    """A target that nothing can be said of: it cannot be reached, or lets nobody in."""


class Provider(Protocol):
    """A provider to be examined, and its time.

    Attributes:
        sockets: Whether there are connections, which can break.
    """

    sockets: bool

    def send(self, sent: Sent, *, seconds: float, fresh: bool = False) -> Got:
        """Send a request and wait for its answer, at most so long; on a connection of its own if it is to be fresh."""
        ...

    def time(self) -> float:
        """Return its time, in seconds."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        ...


class Wire:
    """A provider behind a URL.

    Args:
        url: Its base URL.
        wait: How time goes by; real time unless given.
        moved: Returns how many seconds `wait` has moved the provider's clock ahead of ours.
    """

    sockets = True

    def __init__(
        self, url: str, wait: Callable[[float], None] = time.sleep, moved: Callable[[], float] = lambda: 0.0
    ) -> None:
        self.parts = urlsplit(url)
        self.wait = wait
        self._moved = moved
        self._connection: http.client.HTTPConnection | None = None

    def time(self) -> float:
        """Return its time."""
        return time.monotonic() + self._moved()

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def send(self, sent: Sent, *, seconds: float, fresh: bool = False) -> Got:
        """Send a request, on a new connection if the server has closed the old one meanwhile."""
        if fresh:
            connection = self._connect(seconds)
            try:
                return self._exchange(connection, sent, seconds)
            finally:
                connection.close()
        if self._connection is not None and _is_closed(self._connection):
            self.close()
        self._connection = self._connection or self._connect(seconds)
        got = self._exchange(self._connection, sent, seconds)
        if got.status == NO_ANSWER or (got.header("connection") or "").lower() == "close":
            self.close()
        return got

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        host, port = self.parts.hostname or "", self.parts.port
        connection: http.client.HTTPConnection
        if self.parts.scheme == "https":
            connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=ssl.create_default_context())
        else:
            connection = http.client.HTTPConnection(host, port, timeout=seconds)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except ssl.SSLError as error:
            raise Unusable(f"{self.parts.netloc}: TLS fails: {error.reason or error}; check the scheme") from error
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise Unusable(f"cannot reach {self.parts.netloc}: {why}; is it running?") from error
        return connection

    def _exchange(self, connection: http.client.HTTPConnection, sent: Sent, seconds: float) -> Got:
        late = threading.Event()
        timer = threading.Timer(seconds, _cut_off, (connection, late))
        timer.daemon = True
        timer.start()  # the whole exchange has this time, however slowly it drips
        got = self._exchanged(connection, sent, seconds)
        timer.cancel()
        if late.is_set():
            return Got(NO_ANSWER, at=self.time(), trouble=f"no answer within {seconds:g} s")
        return got

    def _exchanged(self, connection: http.client.HTTPConnection, sent: Sent, seconds: float) -> Got:
        try:
            if connection.sock is not None:
                connection.sock.settimeout(seconds)
            connection.putrequest(sent.method, sent.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self.parts.netloc.rpartition("@")[2])
            connection.putheader("Accept-Encoding", "identity")
            for name, value in sent.headers:
                connection.putheader(name, value.encode("latin-1"))
            self._send_body(connection, sent)
            response = connection.getresponse()
            headers = tuple((name.lower(), value) for name, value in response.getheaders())
            body = response.read(MOST_BYTES)
            if not response.isclosed():
                response.close()
                connection.close()
            return Got(response.status, headers, body, self.time())
        except TimeoutError:
            return Got(NO_ANSWER, at=self.time(), trouble=f"no answer within {seconds:g} s")
        except http.client.RemoteDisconnected:
            return Got(NO_ANSWER, at=self.time(), trouble=_CLOSED)
        except (ConnectionError, BrokenPipeError):
            return Got(NO_ANSWER, at=self.time(), trouble=_CLOSED)
        except (http.client.HTTPException, OSError) as error:
            return Got(NO_ANSWER, at=self.time(), trouble=f"no HTTP: {type(error).__name__} {error}".rstrip())

    def _send_body(self, connection: http.client.HTTPConnection, sent: Sent) -> None:
        body = sent.body or b""
        if sent.framing == "chunked":
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            half = len(body) // 2 or 1
            parts = [part for part in (body[:half], body[half:]) if part]
            connection.send(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n")
            return
        announced = {"short": len(body) + 100, "long": len(body) // 2}.get(sent.framing, len(body))
        if sent.body is not None:
            connection.putheader("Content-Length", str(announced))
        try:
            connection.endheaders(body or None)
            if sent.framing == "short":
                connection.sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            if len(body) <= MAX_BODY:
                raise  # else it was refused before it was read whole, and the answer is there


class FakeWire(Wire):
    """alta-mock behind a URL: its clock is moved instead of waiting, and it shows what it has stored."""

    def __init__(self, url: str) -> None:
        super().__init__(url, self._advance, lambda: self._ahead)
        self._ahead = 0.0

    def _advance(self, seconds: float) -> None:
        self._control("POST", "/_mock/clock/advance", {"seconds": seconds})
        self._ahead += seconds

    def stored(self, campaign: str) -> list[Any]:
        """Return the prospects of a campaign."""
        found: list[Any] = self._control("GET", f"/_mock/campaigns/{campaign}/prospects")["data"]
        return found

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        headers = (("Content-Type", "application/json"),)
        raw = None if body is None else json.dumps(body).encode()
        got = super().send(Sent(method, path, headers, raw), seconds=10, fresh=True)
        if got.status != 200:  # noqa: PLR2004 - done
            raise Unusable(f"the control API of {self.parts.netloc} answers {got}")
        return got.json


def provider_at(url: str) -> Wire:
    """Return the provider behind a base URL; alta-mock, if it is one, with its clock."""
    wire = Wire(url)
    if is_loopback(wire.parts.hostname or ""):
        got = wire.send(Sent("GET", "/_mock/health"), seconds=10, fresh=True)
        if got.status == 200 and got.json == {"status": "ok"}:  # noqa: PLR2004 - it is there
            return FakeWire(url)
    return wire


def _cut_off(connection: http.client.HTTPConnection, late: threading.Event) -> None:
    """End an exchange that takes too long."""
    late.set()
    with contextlib.suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Tell whether the server has closed a connection that is not in use: it has something to say, which is its end."""
    if connection.sock is None:
        return True
    readable, _, _ = select.select([connection.sock], [], [], 0)
    return bool(readable)


_CLOSED = "the connection was closed without an answer"


class InProcess:
    """A fake in this process, whose clock is moved instead of waiting."""

    sockets = False

    def __init__(self, mock: AltaMock) -> None:
        self.mock = mock

    def stored(self, campaign: str) -> list[Any]:
        """Return the prospects of a campaign."""
        return self.mock.prospects(campaign)

    def time(self) -> float:
        """Return its time."""
        return self.mock.clock.time()

    def wait(self, seconds: float) -> None:
        """Move its clock."""
        self.mock.clock.advance(seconds)

    def send(self, sent: Sent, *, seconds: float, fresh: bool = False) -> Got:  # noqa: ARG002 - there is no connection
        """Answer a request as the fake does."""
        path, _, query = sent.path.partition("?")
        headers = tuple((name.lower(), value) for name, value in sent.headers)
        body = sent.body or b""
        request = ApiRequest(sent.method, path, query, headers, body if len(body) <= MAX_BODY else None)
        reply = self.mock.handle(request).reply
        names = tuple((name.lower(), value) for name, value in reply.headers)
        return Got(reply.status, names, reply.body, self.time())
