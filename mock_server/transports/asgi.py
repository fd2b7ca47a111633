"""The socket transport: uvicorn's HTTP protocol and an ASGI application.

With the store in memory the API never waits, so it is called in the event loop; with another store, as the control API
and the pages always, it is called in one of a few threads.
Why uvicorn, and why without Flask: docs/decisions/0001-server.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from typing import Any, Self

from uvicorn import Config
from uvicorn.server import ServerState

from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError
from mock_server.messages.http import MAX_BODY, ApiReply, ApiRequest
from mock_server.transports.dispatch import Dispatcher
from mock_server.transports.protocol import IDLE_SECONDS, Protocol

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

GRACE_SECONDS = 5.0
"""Seconds that requests in flight have to finish when the server stops."""

THREADS = 8
"""Threads of what waits; each may use a connection to a database."""

CHECK_SECONDS = 0.5
"""Seconds between two checks for stalled connections."""


class Server:
    """Serves one listening socket, which it closes, in the event loop of the caller."""

    def __init__(self, dispatcher: Dispatcher, listening: socket.socket) -> None:
        self._dispatcher, self._listening = dispatcher, listening
        self._state, self._stop = ServerState(), asyncio.Event()
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
        """Serve until `stop` is set; then requests in flight have `GRACE_SECONDS` to finish."""
        self._stop = stop
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, "alta-mock"))
        new_protocol = partial(Protocol, self._config, self._state, self._dispatcher.log)
        server = await loop.create_server(new_protocol, sock=self._listening, backlog=2048)
        started()
        checks = loop.create_task(self._check_connections())
        try:
            await stop.wait()
        finally:
            checks.cancel()
            with contextlib.suppress(NotImplementedError):  # the event loop of Windows, whose accepts end with `close`
                loop.remove_reader(self._listening)
            for _ in range(3):  # turns from accept to `connection_made`, or asyncio would leave accepted sockets open
                await asyncio.sleep(0)
            server.close()
            await self._drain(loop.time() + GRACE_SECONDS)

    async def _check_connections(self) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(CHECK_SECONDS)
        await asyncio.to_thread(self._dispatcher.pages.prepare)
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            for connection in self._connections():
                connection.close_if_stalled(loop.time())

    async def _drain(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while self._state.connections and loop.time() < deadline:
            for connection in self._connections():
                connection.shutdown()
            await asyncio.sleep(0.002)  # uvicorn sets no event to wait for
        for connection in self._connections():
            connection.transport.abort()
        await asyncio.sleep(0)

    def _connections(self) -> list[Protocol]:
        return [connection for connection in self._state.connections if isinstance(connection, Protocol)]

    async def _asgi(self, scope: Any, receive: Receive, send: Send) -> None:
        try:
            body = await _read(scope, receive)
        except ConnectionAbortedError:
            return
        request = _request(scope, body)
        peer = scope["client"][0] if scope["client"] else ""
        part = self._dispatcher.part(request)
        reply = part.answer(request, peer) if part.quick else await asyncio.to_thread(part.answer, request, peer)
        headers = [(_name(name), value.encode("latin-1")) for name, value in reply.headers]
        if reply.status not in {204, 304}:  # these have no length (RFC 9110, 8.6)
            headers.append((b"content-length", b"%d" % len(reply.body)))
        if body is None:
            headers.append((b"connection", b"close"))
        start = {"type": "http.response.start", "status": reply.status, "headers": headers}
        if reply.fault and reply.fault.name != "delay":
            await _break_off(reply, start, scope["extensions"]["alta_mock"]["transport"], send)
            while (await receive())["type"] != "http.disconnect":  # before it, uvicorn would log an error
                pass
            return
        if reply.fault:
            with contextlib.suppress(TimeoutError):  # a server that stops does not wait
                await asyncio.wait_for(self._stop.wait(), reply.fault.seconds)
        await send(start)
        await send({"type": "http.response.body", "body": reply.body})


class _AsWritten(bytes):
    """The name of a header that uvicorn does not put into lower case."""

    def lower(self) -> Self:
        """Return the name itself."""
        return self


@lru_cache(maxsize=256)
def _name(name: str) -> bytes:
    return _AsWritten(name.encode())


async def _break_off(reply: ApiReply, start: Any, transport: asyncio.Transport, send: Send) -> None:
    """Close the connection after half of the response, or reset it without any."""
    if reply.fault and reply.fault.name == "truncate":
        await send(start)
        await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
        transport.close()
        return
    no_linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # so that closing sends a reset
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
    transport.abort()


async def _read(scope: Any, receive: Receive) -> bytes | None:
    """Read at most `MAX_BODY`; None if the body is larger; raise ConnectionAbortedError if the client disconnects."""
    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > MAX_BODY:
            return None
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
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
        headers=tuple([_shared(*pair) if len(pair[1]) < _SHORT else _decoded(*pair) for pair in scope["headers"]]),
        body=body,
    )


def _decoded(name: bytes, value: bytes) -> tuple[str, str]:
    return name.decode("latin-1"), value.decode("latin-1")


_SHORT = 200
_shared = lru_cache(maxsize=1024)(_decoded)
"""For values below 200 bytes: equal headers of many requests are one object in the journal."""


def listen(host: str, port: int, control_token: str | None) -> socket.socket:
    """Return a listening socket; port 0 is any free one.

    Raises MockError if the port is taken, for example, or if other machines would reach a control API without a token.
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
        problem = os.strerror(number).lower() if number and number > 0 else str(error)
        raise MockError(f"cannot listen on {shown}: {problem}; choose another address with --bind host:port") from error


def origin_of(listening: socket.socket) -> str:
    """Return the scheme, host and port at which a listening socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
