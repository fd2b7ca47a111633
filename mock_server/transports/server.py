"""The socket transport: connections of HTTP in an event loop, and how they end.

With the store in memory the API never waits, so it is called in the event loop; with another store, as the control API
and the pages always, it is called in one of a few threads. Why without Flask: docs/decisions/0001-server.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError
from mock_server.transports.dispatch import Dispatcher
from mock_server.transports.protocol import Protocol

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
        self._connections: set[Protocol] = set()

    async def run(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Serve until `stop` is set; then requests in flight have `GRACE_SECONDS` to finish."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(THREADS, "alta-mock"))
        new_protocol = partial(Protocol, self._dispatcher, self._connections)
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
            for connection in list(self._connections):
                connection.close_if_stalled(loop.time())

    async def _drain(self, deadline: float) -> None:
        loop = asyncio.get_running_loop()
        while self._connections and loop.time() < deadline:
            for connection in list(self._connections):
                connection.stop()
            await asyncio.sleep(0.002)  # a connection has no event to wait for
        for connection in list(self._connections):
            connection.abort()
        await asyncio.sleep(0)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine in an event loop of its own: that of uvloop where it exists, a fifth quicker."""
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None
    with contextlib.suppress(ImportError):  # there is none for Windows
        from uvloop import new_event_loop as loop  # noqa: PLC0415 - see above
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(main)


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
