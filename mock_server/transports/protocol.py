"""HTTP over one connection: uvicorn's protocol with bounds on size and time.

A request is answered only when it is complete; until then it takes a bounded amount of memory, and no thread.
Why uvicorn: docs/decisions/0001-server.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server.journal.access_log import Log

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers; also of trailers, which are ignored."""

READ_SECONDS = 4.0
"""Seconds from the first byte of a request to its last; with a check every `asgi.CHECK_SECONDS`, below 5 s."""

IDLE_SECONDS = 75
"""Seconds that a connection may stay open without a request."""

_logger = logging.getLogger(__name__)
_logger.addHandler(logging.NullHandler())


class _JoinedWrites:
    """A transport that sends the head and the body of a response together: half the system calls, 10 % of the time."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport, self._head = transport, b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._head and data.startswith(b"HTTP/1.1 ") and not data.startswith(b"HTTP/1.1 100"):
            self._head = data
        else:
            self._transport.write(self._head + data)
            self._head = b""


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, with a bound on the size of the head and on the time to send a request.

    The header `Upgrade` has no effect, as RFC 9110, 7.8 allows. Java's HttpClient sends it with every first request.
    """

    def __init__(self, config: Config, state: ServerState, log: Log | None) -> None:
        super().__init__(config, state, {})
        self.logger, self._log = _logger, log
        self._head = self._trailers = 0
        self._since = self.loop.time()
        self._headers_with_upgrade: list[tuple[bytes, bytes]] = []
        self._waiting_for: Literal["request", "head", "body"] = "request"

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Send each response at once, or its body waits 40 ms for the client to acknowledge its head."""
        with contextlib.suppress(OSError):  # the client may have disconnected
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Receive bytes from the client."""
        self._unset_keepalive_if_required()
        if self._waiting_for == "head":
            self._head += len(data)
        elif self._waiting_for == "body":
            self._trailers += len(data)
        try:
            while data:
                data = self._parse(data)
        except HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        if self._waiting_for == "head" and self._head > MAX_HEAD:
            self._refuse_size("the request line and headers are")
        elif self._waiting_for == "body" and self._trailers > MAX_HEAD:
            self._refuse_size("what follows the body is")

    def _parse(self, data: bytes) -> bytes:
        """Parse bytes, and return those that are still to be parsed.

        The parser stops after a head with `Upgrade`, and expects a new request: the same head without that header.
        """
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            return self._head_without_upgrade() + rest if self._headers_with_upgrade else rest
        return b""

    def _head_without_upgrade(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)]
        lines += [b"%b: %b" % pair for pair in self._headers_with_upgrade if pair[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"\r\n"])

    def _stops_at_upgrade(self) -> bool:
        return self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"

    def on_message_begin(self) -> None:
        """Start to count the bytes and the time of a request."""
        if not self._headers_with_upgrade:
            self._since = self.loop.time()
        self._waiting_for, self._head, self._trailers = "head", 0, 0
        super().on_message_begin()
        self.scope["extensions"] = {"alta_mock": {"transport": self.transport}}

    def on_headers_complete(self) -> None:
        """Accept a complete head, unless it is too large."""
        if self._stops_at_upgrade():
            self._headers_with_upgrade = self.headers
            return
        if self._headers_with_upgrade:
            self.headers[:] = self._headers_with_upgrade
            self._headers_with_upgrade = []
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEAD:
            self._refuse_size("the request line and headers are")
            return
        hosts = sum(name == b"host" for name, _ in self.headers)
        if hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1"):
            self._refuse(HTTPStatus.BAD_REQUEST, f"{hosts} Host headers; a request has one (RFC 9112, 3.2)")
            return
        self._waiting_for = "body"
        super().on_headers_complete()
        self.headers = []  # for trailers, which are no headers of the request
        if self.scope["method"] != "HEAD":  # its response is a head alone
            self.cycle.transport = _JoinedWrites(self.cycle.transport)  # type: ignore[assignment]  # acts as one

    def on_body(self, body: bytes) -> None:
        """Accept a part of the body."""
        self._trailers = 0
        if not self.transport.is_closing():
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Accept the end of a request; the bytes that follow are the next one."""
        if self._stops_at_upgrade():
            return
        self._waiting_for = "request"
        if not self.transport.is_closing():
            super().on_message_complete()

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio allows it, uvicorn's annotation does not
        """Keep the connection for the response when a client has sent its request and closed its half."""
        if due := self._answering() and self._waiting_for == "request":
            self.cycle.keep_alive = False
        return due

    def close_if_stalled(self, now: float) -> None:
        """Close the connection of a client that sends too slowly, or nothing."""
        allowed = IDLE_SECONDS if self._waiting_for == "request" else READ_SECONDS
        if not self._answering() and now - self._since > allowed:
            self.transport.abort()

    def on_response_complete(self) -> None:
        """Start to count the time to the next request."""
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

    def _refuse_size(self, what: str) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"{what} larger than {MAX_HEAD} bytes")

    def _refuse(self, status: HTTPStatus, problem: str) -> None:
        if self._log:
            self._log.note(status, problem)
        text = problem.encode()
        self.transport.write(
            b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (status, status.phrase.encode(), len(text), text)
        )
        self.transport.close()
