"""A mock on a real socket, in a thread of this process."""

from __future__ import annotations

import asyncio
import threading
from typing import Self

from mock_server.fake import Fake
from mock_server.transports.dispatch import Dispatcher
from mock_server.transports.server import Server, listen, origin_of, run


class LiveServer:
    """Serves a mock from `__enter__` to `__exit__` at `origin`; `url` is that with the base path (`/v1`)."""

    origin: str
    url: str
    _loop: asyncio.AbstractEventLoop
    _stop: asyncio.Event
    _thread: threading.Thread

    def __init__(self, mock: Fake, host: str, port: int, control_token: str | None) -> None:
        self._mock, self._address, self._control_token = mock, (host, port), control_token
        mock.redact.hide(*filter(None, [control_token]))

    def __enter__(self) -> Self:
        """Start; return when the socket answers; raise MockError if the address cannot be used."""
        dispatcher = Dispatcher(self._mock, "socket", self._control_token)
        listening = listen(*self._address, self._control_token)
        self.origin = origin_of(listening)
        self.url = self.origin + self._mock.contract.base_path
        server = Server(dispatcher, listening)
        ready = threading.Event()

        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await server.run(self._stop, ready.set)

        self._thread = threading.Thread(target=lambda: run(serve()), name="alta-mock", daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop: requests in flight finish, everything is closed."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
