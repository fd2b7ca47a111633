"""The socket transport: uvicorn's HTTP protocol, bounded in size and time, with the road answered from ASGI.

Why uvicorn, and why without Flask on this road: docs/decisions/0001-server.md.

Law 1: a request is answered only when it is whole; until then it costs memory within bounds, and no thread.
Law 2: the road never waits, so it is called in the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import socket
import struct
import sys
import time
import traceback
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from mock_server.control.api import is_control, is_loopback
from mock_server.messages.errors import MockError
from mock_server.messages.http import MAX_BODY, ApiReply, ApiRequest
from mock_server.web import Pages

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mock_server.control.api import Control
    from mock_server.journal.access_log import Log
    from mock_server.mock import AltaMock

    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]

MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers."""

READ_SECONDS = 4.0
"""Seconds in which a request that has begun must be whole; with a look every `LOOK_SECONDS`, below 5 s."""

IDLE_SECONDS = 75
"""Seconds that a connection may stay open without a request."""

GRACE_SECONDS = 5.0
"""Seconds that requests in flight have to finish when the server stops."""

LOOK_SECONDS = 0.5

_TURNS_TO_CONNECT = 3
"""Turns of the event loop from an accepted socket to its protocol: the task, the transport, `connection_made`."""

_UPGRADE = re.compile(rb"\n(?i:upgrade):")
_UPGRADE_BEGUN = re.compile(rb"\n(?i:u(?:p(?:g(?:r(?:a(?:d(?:e)?)?)?)?)?)?)\Z")
"""We upgrade to nothing, so the header means nothing (RFC 9110, 7.8); the parser would leave the body unread for it.
Java's HttpClient offers HTTP/2 this way with every first request."""

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


class _Whole:
    """A transport to which the head and the body of an answer go as one: half the system calls, a tenth of the time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._head and data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100"):
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with what it lacks: a bound on the size of the head, and on the time to send a request."""

    def __init__(self, config: Config, state: ServerState, log: Log | None) -> None:
        super().__init__(config, state, {})
        self.logger = _logger
        self._log = log
        self._head = 0
        self._since = self.loop.time()
        self._held, self._line_begins = b"", False
        self._waiting_for: Literal["request", "head", "body"] = "request"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Send each answer at once, or its body waits 40 ms for the client to acknowledge its head."""
        with contextlib.suppress(OSError):  # the client may be gone again
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        if self._waiting_for == "head":
            self._head += len(data)
        if self._waiting_for != "body":
            data = self._without_upgrade(data)
        super().data_received(data)
        if self._waiting_for == "head" and self._head > MAX_HEAD:
            self._refuse_head()

    def _without_upgrade(self, data: bytes) -> bytes:
        """Rename the header Upgrade, to a name of the same length, also where it is split over several reads."""
        data = self._held + data
        begun = _UPGRADE_BEGUN.search(data, max(len(data) - 8, 0))
        self._held = data[begun.start() + 1 :] if begun else b""
        data = data[: len(data) - len(self._held)]
        renamed = _UPGRADE.sub(b"\nIgnored:", b"\n" + data if self._line_begins else data)
        renamed = renamed[1:] if self._line_begins else renamed
        self._line_begins = data.endswith(b"\n") if data else self._line_begins
        return renamed

    def on_message_begin(self) -> None:
        """Begin to count the bytes and the time of a request."""
        self._waiting_for, self._since, self._head = "head", self.loop.time(), 0
        super().on_message_begin()
        self.scope["extensions"] = {"alta_mock": {"transport": self.transport}}

    def on_headers_complete(self) -> None:
        """Take a whole head; the parser has seen it, so its size is known to the byte."""
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD:
            self._refuse_head()
            return
        self._waiting_for = "body"
        super().on_headers_complete()
        if self.scope["method"] != "HEAD":  # whose answer is a head alone
            self.cycle.transport = _Whole(self.cycle.transport)  # type: ignore[assignment]  # it does what one does

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Take the end of a request; what follows in the same bytes is the next one."""
        self._waiting_for = "request"
        if not self.transport.is_closing():
            super().on_message_complete()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio allows it, uvicorn's annotation does not
        """Keep the connection for the answer when a client has sent all and closed its half."""
        due = self._answering() and self._waiting_for == "request"
        if due:
            self.cycle.keep_alive = False
        return due

    def close_if_stalled(self, now: float) -> None:
        """Close the connection of a client that takes too long to send, or has nothing to send."""
        allowed = IDLE_SECONDS if self._waiting_for == "request" else READ_SECONDS
        if not self._answering() and now - self._since > allowed:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Begin to count the time to the next request."""
        if self._waiting_for == "request":
            self._since = self.loop.time()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP."""
        if self._log:
            self._log.note(400, "not HTTP; does the client speak https to a server of http?")
        super().send_400_response(msg)

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle  # None until the first request, whatever uvicorn declares
        return cycle is not None and not cycle.more_body and not cycle.response_complete

    def _refuse_head(self) -> None:
        trouble = f"the request line and headers are larger than {MAX_HEAD} bytes"
        if self._log:
            self._log.note(431, trouble)
        text = trouble.encode()
        self.transport.write(
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(text), text)
        )
        self.transport.close()


class Server:
    """One mock on one listening socket, in the event loop of whoever runs it.

    Args:
        mock: Answers.
        listening: Bound and listening; closed by this class.
        control: Answers below `/_mock`.
        log: Gets a line for each request.
    """

    def __init__(self, mock: AltaMock, listening: socket.socket, control: Control, log: Log | None = None) -> None:
        self._mock = mock
        self._listening = listening
        self._control = control
        self._pages = Pages(mock)
        self._log = log
        self._state = ServerState()
        self._stop = asyncio.Event()
        self._config = Config(
            self._asgi,
            http=Protocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=IDLE_SECONDS,
        )
        self._config.load()

    async def run(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Serve until told to stop; then let requests in flight finish, for `GRACE_SECONDS` at most."""
        self._stop = stop
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._protocol, sock=self._listening, backlog=2048)
        started()
        look = loop.create_task(self._look_after_connections())
        try:
            await stop.wait()
        finally:
            look.cancel()
            with contextlib.suppress(NotImplementedError):  # the event loop of Windows, whose accepts end with `close`
                loop.remove_reader(self._listening)
            for _ in range(_TURNS_TO_CONNECT):  # or asyncio would lose what it has accepted, and leave it open
                await asyncio.sleep(0)
            server.close()
            await self._drain(loop.time() + GRACE_SECONDS)

    def _protocol(self) -> Protocol:
        return Protocol(self._config, self._state, self._log)

    async def _look_after_connections(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(LOOK_SECONDS)
        await asyncio.to_thread(self._pages.prepare)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for connection in list(self._state.connections):
                if isinstance(connection, Protocol):
                    connection.close_if_stalled(loop.time())

    async def _drain(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while self._state.connections and loop.time() < deadline:
            for connection in list(self._state.connections):
                connection.shutdown()
            await asyncio.sleep(0.002)  # uvicorn sets no event to wait for
        for connection in list(self._state.connections):
            if isinstance(connection, Protocol):
                connection.transport.abort()
        await asyncio.sleep(0)

    async def _asgi(self, scope: Any, receive: Receive, send: Send) -> None:
        body = await _read(scope, receive)
        if body is _GONE:
            return
        request, whole = _request(scope, body), body is not None
        if is_control(request):
            reply = await asyncio.to_thread(self._answer_control, request, scope["client"])
        elif self._pages.serves(request):
            reply = await asyncio.to_thread(self._pages.answer, request)
        else:
            reply = self._answer(request)
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in reply.headers]
        if reply.status not in {204, 304}:  # which have no length (RFC 9110, 8.6)
            headers.append((b"content-length", b"%d" % len(reply.body)))
        if not whole:
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        if reply.fault:
            await self._spoil(reply, start, scope["extensions"]["alta_mock"]["transport"], send)
            if reply.fault.name != "delay":
                return
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})

    async def _spoil(self, reply: ApiReply, start: Any, transport: asyncio.Transport, send: Send) -> None:
        """Make a fault: wait, or end the connection, with half of an answer or without any."""
        fault = reply.fault
        if fault and fault.name == "delay":
            with contextlib.suppress(TimeoutError):  # a server that stops keeps nobody waiting
                await asyncio.wait_for(self._stop.wait(), fault.seconds)
            return
        if fault and fault.name == "truncate":
            await send(start)
            await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
            transport.close()
            return
        never_linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # so that closing sends a reset
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, never_linger)
        transport.abort()

    def _answer_control(self, request: ApiRequest, client: tuple[str, int] | None) -> ApiReply:
        try:
            return self._control.answer(request, client[0] if client else "")
        except Exception as error:  # noqa: BLE001 - as in _answer
            return _our_bug(error)

    def _answer(self, request: ApiRequest) -> ApiReply:
        begun = time.perf_counter()
        try:
            outcome = self._mock.handle(request, "socket")
        except Exception as error:  # noqa: BLE001 - the server goes on, and says whose fault it was
            return _our_bug(error)
        if self._log:
            self._log.request(request, outcome, (time.perf_counter() - begun) * 1000)
        return outcome.reply


_GONE = b"\0gone"
"""Stands for the body of a client that went away; no body is this very object."""


async def _read(scope: Any, receive: Receive) -> bytes | None:
    """Read the body; None for one that is larger than `MAX_BODY`, of which no more is read than that."""
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > MAX_BODY:
            return None
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return _GONE
        parts.append(message["body"])
        size += len(message["body"])
        if size > MAX_BODY:
            return None
        if not message["more_body"]:
            return parts[0] if len(parts) == 1 else b"".join(parts)


def _request(scope: Any, body: bytes | None) -> ApiRequest:
    return ApiRequest(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple([_pair(*pair) if len(pair[1]) < _SHORT else _decoded(*pair) for pair in scope["headers"]]),
        body=body,
    )


def _decoded(name: bytes, value: bytes) -> tuple[str, str]:
    return name.decode("latin-1"), value.decode("latin-1")


_SHORT = 200
"""Bytes of a header's value below which equal headers of many requests are one object in the journal."""

_pair = lru_cache(maxsize=1024)(_decoded)


def _our_bug(error: Exception) -> ApiReply:
    traceback.print_exception(error, file=sys.stderr)
    text = f"This is a bug in alta-mock, not an answer of the vendor: {type(error).__name__}. See its log.\n"
    return ApiReply(500, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())


def listen(host: str, port: int, control_token: str | None) -> socket.socket:
    """Return a listening socket; port 0 is any free one.

    Raises:
        MockError: The address cannot be used, for example because the port is taken, or because other machines would
            reach a control API without a token.
    """
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if not control_token and not is_loopback(host):
        raise MockError(
            f"{shown} can be reached by other machines; give a --control-token (or ALTA_MOCK_CONTROL_TOKEN) that they"
            " need to control the mock, or bind to 127.0.0.1"
        )
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        number = getattr(error, "errno", None)
        trouble = os.strerror(number).lower() if number and number > 0 else str(error)
        raise MockError(f"cannot listen on {shown}: {trouble}; choose another address with --bind host:port") from error
