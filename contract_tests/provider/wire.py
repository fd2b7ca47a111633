"""Raw HTTP to a provider, over a socket or to a fake in this process.

Libraries such as `requests` repair what they send. Here a header may be sent twice, a path may have any form, and a
Content-Length may be wrong.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import select
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from alta_terminal import escaped
from mock_server import AltaMock
from mock_server.contract.limits import SECOND
from mock_server.control.guard import is_loopback
from mock_server.journal.traffic import seconds_named
from mock_server.messages.errors import MockError
from mock_server.messages.http import MAX_BODY, ApiRequest

MOST_BYTES = 1024 * 1024  # bytes of a response that are read
NO_RESPONSE = 0  # in place of a status: the connection was closed, or nothing arrived in time
ACCEPTED = 200
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # methods that change nothing
NOT_FOUND = 404
TOO_MANY = 429
_LATE = "no response within"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, by its raw path and ordered headers; `Host` and the length of the body are added."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    framing: str = "length"  # or `chunked`, `short` (body shorter than its Content-Length), `long` (longer than it)

    @property
    def records(self) -> int:
        """The number of prospects in the body."""
        try:
            data = json.loads(self.body or b"")["data"]
            return len(data) if isinstance(data, list) else 0
        except (ValueError, LookupError, TypeError, RecursionError):
            return 0


@dataclass(frozen=True)
class Response:
    """One response, or what stands for a missing one."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()  # names in lower case
    body: bytes = b""
    at: float = 0.0  # when it arrived, in seconds of the provider's clock
    trouble: str = ""  # why there is no response

    @property
    def accepted(self) -> bool:
        """Whether the request was accepted."""
        return self.status == ACCEPTED

    @property
    def succeeded(self) -> bool:
        """Whether the status is a success, documented or not."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the successes of HTTP

    @property
    def timed_out(self) -> bool:
        """Whether no response arrived in time."""
        return self.status == NO_RESPONSE and self.trouble.startswith(_LATE)

    @property
    def error(self) -> str | None:
        """The text `error` of the body; None without one."""
        error = self.json.get("error") if isinstance(self.json, dict) else None
        return error if isinstance(error, str) else None

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by its lower-case name, or None."""
        return next((value for key, value in self.headers if key == name), None)

    def seconds(self, name: str) -> float | None:
        """Return the seconds in a header, given as a number or as a date; None if it is missing or malformed."""
        value = self.header(name)
        if value is None:
            return None
        if re.fullmatch("[0-9]{1,9}", value, re.ASCII):
            return float(value)
        sent_at = seconds_named(self.header("date") or "", 0)
        return None if sent_at is None else seconds_named(value, int(sent_at * SECOND))

    def __str__(self) -> str:
        """Return the status and the beginning of the body in one line."""
        if self.status == NO_RESPONSE:
            return self.trouble
        text = " ".join(self.body.decode(errors="replace").split())
        return f"{self.status} {escaped(text[:2000])}".rstrip()

    @property
    def in_utf_8(self) -> bool:
        """Whether the body is valid UTF-8."""
        try:
            self.body.decode()
        except UnicodeDecodeError:
            return False
        return True

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is invalid."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def timeout(seconds: float, at: float) -> Response:
    """Return what stands for a response that did not arrive in time."""
    return Response(NO_RESPONSE, at=at, trouble=f"{_LATE} {seconds:g} s")


class Unusable(MockError):
    """A target that cannot be verified: it is unreachable, or it refuses the credentials."""


class Wire:
    """A provider behind a base URL, in real time."""

    sockets = True  # there are connections, which can break
    most_bytes: int | None = MOST_BYTES

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self._connection: http.client.HTTPConnection | None = None

    def time(self) -> float:
        """Return its time, in seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait until its clock has advanced."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connection."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def send(self, request: Request, *, seconds: float, fresh: bool = False) -> Response:
        """Send a request, on its own connection if `fresh`, and return its response, complete within some seconds.

        Raises:
            Unusable: There is no connection.
        """
        if fresh:
            with contextlib.closing(self._connect(seconds)) as connection:
                return self._exchange(connection, request, seconds)
        if self._connection is not None and _is_closed(self._connection):
            self.close()
        self._connection = self._connection or self._connect(seconds)
        response = self._exchange(self._connection, request, seconds)
        if response.status == NO_RESPONSE or (response.header("connection") or "").lower() == "close":
            self.close()
        return response

    def _connect(self, seconds: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.parts.hostname or "", self.parts.port, timeout=seconds)
        try:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except ssl.SSLError as error:
            raise Unusable(f"{self.parts.netloc}: TLS fails: {error.reason or error}; check the scheme") from error
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or error
            raise Unusable(f"cannot reach {self.parts.netloc}: {why}; is it running?") from error
        return connection

    def _exchange(self, connection: http.client.HTTPConnection, request: Request, seconds: float) -> Response:
        late = threading.Event()

        def cut_off() -> None:
            late.set()
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(seconds, cut_off)
        timer.daemon = True
        timer.start()  # limits the whole exchange, even if bytes keep arriving
        response = self._exchanged(connection, request, seconds)
        timer.cancel()
        return timeout(seconds, self.time()) if late.is_set() else response

    def _exchanged(self, connection: http.client.HTTPConnection, request: Request, seconds: float) -> Response:
        try:
            if connection.sock is not None:
                connection.sock.settimeout(seconds)
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", self.parts.netloc.rpartition("@")[2])
            connection.putheader("Accept-Encoding", "identity")
            for name, value in request.headers:
                connection.putheader(name, value.encode("latin-1"))
            self._send_body(connection, request)
            reply = connection.getresponse()
            headers = tuple((name.lower(), value) for name, value in reply.getheaders())
            body = reply.read(self.most_bytes)
            if not reply.isclosed():
                reply.close()
                connection.close()
            return Response(reply.status, headers, body, self.time())
        except TimeoutError:
            return timeout(seconds, self.time())
        except (http.client.RemoteDisconnected, ConnectionError):
            trouble = "the connection was closed without a response"
        except (http.client.HTTPException, OSError) as error:
            trouble = f"invalid HTTP: {type(error).__name__} {error}".rstrip()
        return Response(NO_RESPONSE, at=self.time(), trouble=trouble)

    def _send_body(self, connection: http.client.HTTPConnection, request: Request) -> None:
        body = request.body or b""
        if request.framing == "chunked":
            connection.putheader("Transfer-Encoding", "chunked")
            connection.endheaders()
            half = len(body) // 2 or 1
            parts = [part for part in (body[:half], body[half:]) if part]
            connection.send(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n")
            return
        announced = {"short": len(body) + 100, "long": len(body) // 2}.get(request.framing, len(body))
        if request.body is not None:
            connection.putheader("Content-Length", str(announced))
        try:
            connection.endheaders(body or None)
            if request.framing == "short":
                connection.sock.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            if len(body) <= MAX_BODY:
                raise  # a larger body may be refused before it is read; then the response is there


class FakeWire(Wire):
    """alta-mock behind a URL: its clock is advanced instead of waiting, and it shows its prospects."""

    most_bytes = None  # it may have any number of prospects
    _ahead = 0.0

    def time(self) -> float:
        """Return its time, in seconds."""
        return super().time() + self._ahead

    def wait(self, seconds: float) -> None:
        """Advance its clock."""
        self._control("POST", "/_mock/clock/advance", {"seconds": seconds})
        self._ahead += seconds

    def stored(self, campaign: str) -> list[Any]:
        """Return the prospects of a campaign."""
        found: list[Any] = self._control("GET", f"/_mock/campaigns/{campaign}/prospects")["data"]
        return found

    def _control(self, method: str, path: str, body: Any = None) -> Any:
        raw = None if body is None else json.dumps(body).encode()
        request = Request(method, path, (("Content-Type", "application/json"),), raw)
        response = self.send(request, seconds=10, fresh=True)
        if not response.accepted:
            raise Unusable(f"the control API of {self.parts.netloc} failed: {response}")
        return response.json


def provider_at(url: str) -> Wire:
    """Return the provider behind a base URL; with control of its clock if it is alta-mock."""
    wire = Wire(url)
    if is_loopback(wire.parts.hostname or ""):
        response = wire.send(Request("GET", "/_mock/health"), seconds=10, fresh=True)
        if response.accepted and response.json == {"status": "ok"}:
            return FakeWire(url)
    return wire


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Return whether the server has closed an idle connection: it is readable, and its end is all there is to read."""
    return connection.sock is None or bool(select.select([connection.sock], [], [], 0)[0])


class InProcess:
    """A fake in this process, whose clock is advanced instead of waiting."""

    sockets = False

    def __init__(self, mock: AltaMock) -> None:
        self.mock = mock

    def stored(self, campaign: str) -> list[Any]:
        """Return the prospects of a campaign."""
        return self.mock.prospects(campaign)

    def time(self) -> float:
        """Return its time, in seconds."""
        return self.mock.clock.time()

    def wait(self, seconds: float) -> None:
        """Advance its clock."""
        self.mock.clock.advance(seconds)

    def send(self, request: Request, *, seconds: float, fresh: bool = False) -> Response:  # noqa: ARG002 - there is no connection
        """Return the response of the fake."""
        path, _, query = request.path.partition("?")
        headers = tuple((name.lower(), value) for name, value in request.headers)
        body = request.body or b""
        received = ApiRequest(request.method, path, query, headers, body if len(body) <= MAX_BODY else None)
        reply = self.mock.handle(received).reply
        names = tuple((name.lower(), value) for name, value in reply.headers)
        return Response(reply.status, names, reply.body, self.time())


Provider = Wire | InProcess
