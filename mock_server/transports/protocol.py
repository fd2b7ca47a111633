"""HTTP over one connection: the parser is httptools, and a request is answered when it is complete.

Until then it takes a bounded amount of memory, and no thread. Why our own: docs/decisions/0001-server.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections import deque
from dataclasses import replace
from functools import lru_cache, partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser, parse_url

from mock_server.messages.http import MAX_BODY, ApiReply, ApiRequest, Headers, phrase

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server.transports.dispatch import Dispatcher

MAX_HEAD = 64 * 1024
"""Bytes of a request line and headers; also of trailers, which are ignored."""

READ_SECONDS = 4.0
"""Seconds from the first byte of a request to its last; with a check every `server.CHECK_SECONDS`, below 5 s."""

IDLE_SECONDS = 75
"""Seconds that a connection may stay open without a request."""

MAX_THROWN_AWAY = 4 * 1024 * 1024
"""Bytes that a client may go on sending after a refusal, before the connection is reset."""

SHORT = 200
"""Bytes of a header's value below which equal headers of many requests are one object in the journal."""

Field = tuple[bytes, bytes]
"""The name and value of a header as received."""


class Protocol(asyncio.Protocol):
    """One connection. Its requests are answered one after the other; what a client sends meanwhile waits.

    The header `Upgrade` has no effect, as RFC 9110, 7.8 allows. Java's HttpClient sends it with every first request.
    """

    _transport: asyncio.Transport

    def __init__(self, dispatcher: Dispatcher, connections: set[Protocol]) -> None:
        self._dispatcher, self._connections = dispatcher, connections
        self._loop = asyncio.get_running_loop()
        self._since, self._peer = self._loop.time(), ""
        self._parser: Any = HttpRequestParser(self)
        self._waiting_for: Literal["request", "head", "body"] = "request"
        self._url, self._fields, self._body, self._headers = b"", list[Field](), list[bytes](), Headers()
        self._fields_with_upgrade: list[Field] = []
        self._head = self._trailers = self._size = self._thrown_away = 0
        self._turns: deque[ApiRequest | bytes] = deque()  # requests that wait for an answer, and refusals
        self._answering = False  # a thread, or a delay, has a request
        self._full = False  # the client does not read
        self._paused = False  # we do not read
        self._ended = False  # no further request is accepted: what is still received is thrown away
        self._stopping = False
        self._late: tuple[asyncio.TimerHandle, Callable[[], None]] | None = None  # a response that is delayed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send each response at once, or it waits 40 ms for the client to acknowledge the one before."""
        self._transport = cast("asyncio.Transport", transport)
        with contextlib.suppress(OSError):  # the client may have disconnected
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer = (transport.get_extra_info("peername") or [""])[0]
        self._connections.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        """Forget what was not answered."""
        self._ended = True
        self._turns.clear()
        if self._late:
            self._late[0].cancel()
        self._connections.discard(self)

    def data_received(self, data: bytes) -> None:
        """Receive bytes from the client."""
        if self._ended:
            self._thrown_away += len(data)
            if self._thrown_away > MAX_THROWN_AWAY:
                self._transport.abort()
            return
        if self._waiting_for == "head":
            self._head += len(data)
        elif self._waiting_for == "body":
            self._trailers += len(data)
        try:
            while data and not self._ended:
                data = self._parse(data)
        except HttpParserError:
            self._refuse(HTTPStatus.BAD_REQUEST, "not HTTP; does the client speak https to a server of http?")
        if self._waiting_for == "head" and self._head > MAX_HEAD:
            self._refuse_size("the request line and headers are")
        elif self._waiting_for == "body" and self._trailers > MAX_HEAD:
            self._refuse_size("what follows the body is")
        if self._turns and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> bool:
        """Keep the connection for the responses when a client has sent its requests and closed its half."""
        self._ended = True
        return bool(self._turns or self._answering)

    def pause_writing(self) -> None:
        """Answer nothing more until the client has read what was sent."""
        self._full = True

    def resume_writing(self) -> None:
        """Go on with the requests that wait."""
        self._full = False
        self._answer()

    def close_if_stalled(self, now: float) -> None:
        """Close the connection of a client that sends too slowly, or nothing, or that goes on after a refusal."""
        allowed = IDLE_SECONDS if self._waiting_for == "request" and not self._ended else READ_SECONDS
        if not self._busy() and now - self._since > allowed:
            self._transport.abort()

    def stop(self) -> None:
        """Close the connection when what the client has begun is answered; a delayed response goes out now."""
        self._stopping = True
        if self._late:
            self._late[0].cancel()
            self._late[1]()
        if self._waiting_for == "request":
            self._ended = True
            if not self._busy():
                self._transport.close()

    def abort(self) -> None:
        """Close the connection at once."""
        self._transport.abort()

    def on_message_begin(self) -> None:
        """Start to count the bytes and the time of a request."""
        if not self._fields_with_upgrade:
            self._since = self._loop.time()
        self._waiting_for, self._url, self._fields, self._body = "head", b"", [], []
        self._head = self._trailers = self._size = 0

    def on_url(self, url: bytes) -> None:
        """Accept a part of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Accept a header; trailers are no headers of the request."""
        if self._waiting_for == "head":
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """Accept a complete head, unless it is too large, or says that the body is."""
        if self._stops_at_upgrade():
            self._fields_with_upgrade = self._fields
            return
        if self._fields_with_upgrade:
            self._fields, self._fields_with_upgrade = self._fields_with_upgrade, []
        self._waiting_for = "body"
        if len(self._url) + sum([len(name) + len(value) + 4 for name, value in self._fields]) > MAX_HEAD:
            self._refuse_size("the request line and headers are")
            return
        self._accept_head()

    def on_body(self, body: bytes) -> None:
        """Accept a part of the body, or refuse it when it becomes too large."""
        self._trailers = 0
        self._size += len(body)
        if self._size <= MAX_BODY:
            self._body.append(body)
        else:
            self._accept(None)

    def on_message_complete(self) -> None:
        """Accept the end of a request; the bytes that follow are the next one."""
        if not self._stops_at_upgrade():
            self._accept(self._body[0] if len(self._body) == 1 else b"".join(self._body))

    def _parse(self, data: bytes) -> bytes:
        """Parse bytes, and return those that are still to be parsed.

        The parser stops after a head with `Upgrade`, and expects a new request: the same head without that header.
        """
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            return self._head_without_upgrade() + rest if self._fields_with_upgrade else rest
        return b""

    def _head_without_upgrade(self) -> bytes:
        lines = [b"%b %b HTTP/%b" % (self._parser.get_method(), self._url, self._parser.get_http_version().encode())]
        lines += [b"%b: %b" % pair for pair in self._fields_with_upgrade if pair[0].lower() != b"upgrade"]
        return b"\r\n".join([*lines, b"\r\n"])

    def _stops_at_upgrade(self) -> bool:
        return bool(self._parser.should_upgrade()) and self._parser.get_method() != b"CONNECT"

    def _accept_head(self) -> None:
        self._headers = tuple([_shared(*one) if len(one[1]) < SHORT else _decoded(*one) for one in self._fields])
        hosts, length, expects = 0, 0, False
        for name, value in self._headers:
            if name == "host":
                hosts += 1
            elif name == "content-length":
                length = int(value)
            elif name == "expect":
                expects = value.lower() == "100-continue"
        if hosts > 1 or (hosts == 0 and self._parser.get_http_version() == "1.1"):
            self._refuse(HTTPStatus.BAD_REQUEST, f"{hosts} Host headers; a request has one (RFC 9112, 3.2)")
        elif length > MAX_BODY:
            self._accept(None)
        elif expects and not self._busy():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _accept(self, body: bytes | None) -> None:
        """Accept a request, whose body is None if it is too large, and answer it when it is its turn."""
        if self._ended:
            return
        self._waiting_for = "request"
        self._ended = body is None or self._stopping or not self._parser.should_keep_alive()
        target = parse_url(self._url)  # what is no URL is an HttpParserError
        path, query = (part.decode("latin-1") if part else "" for part in (target.path, target.query))
        self._turns.append(ApiRequest(self._parser.get_method().decode(), path, query, self._headers, body))
        self._answer()

    def _refuse_size(self, what: str) -> None:
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"{what} larger than {MAX_HEAD} bytes")

    def _refuse(self, status: HTTPStatus, problem: str) -> None:
        """Answer what is no request, after the requests before it."""
        if self._ended:
            return
        self._ended = True
        self._dispatcher.note(status, problem)
        head = (("content-type", "text/plain; charset=utf-8"), ("connection", "close"))
        self._turns.append(_bytes_of(ApiReply(status, head, problem.encode())))
        self._answer()

    def _busy(self) -> bool:
        return self._answering or bool(self._turns)

    def _answer(self) -> None:
        """Answer the requests whose turn it is: at once, or in a thread if that may wait."""
        while self._turns and not self._answering and not self._full:
            turn = self._turns.popleft()
            if isinstance(turn, bytes):
                self._write(turn)
                return
            part = self._dispatcher.part(turn)
            self._answering = True
            if part.quick:
                self._finish(turn, part.answer(turn, self._peer))
            else:
                answer = self._loop.run_in_executor(None, part.answer, turn, self._peer)
                answer.add_done_callback(partial(self._finish_later, turn))
        if self._paused and not self._turns:
            self._paused = False
            if not self._transport.is_closing():
                self._transport.resume_reading()

    def _finish_later(self, request: ApiRequest, answer: asyncio.Future[ApiReply]) -> None:
        if not answer.cancelled():
            self._finish(request, answer.result())
            self._answer()

    def _finish(self, request: ApiRequest, reply: ApiReply) -> None:
        """Send a response, with the fault that is to be applied to it."""
        if reply.fault and reply.fault.name == "delay":
            send = partial(self._send_late, request, replace(reply, fault=None))
            self._late = self._loop.call_later(reply.fault.seconds, send), send
        else:
            self._send(request, reply)

    def _send_late(self, request: ApiRequest, reply: ApiReply) -> None:
        self._late = None
        self._send(request, reply)
        self._answer()

    def _send(self, request: ApiRequest, reply: ApiReply) -> None:
        self._answering = False
        self._since = self._loop.time()
        if self._transport.is_closing():
            return
        if reply.fault:
            self._ended = True
            if reply.fault.name == "truncate":
                self._transport.write(_bytes_of(reply)[: -len(reply.body) // 2])
                self._transport.close()
            else:
                no_linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # so that closing sends a reset
                self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
                self._transport.abort()
            return
        if self._ended and not self._turns:
            reply = replace(reply, headers=(*reply.headers, ("connection", "close")))
        self._write(_bytes_of(reply, with_body=request.method != "HEAD"))

    def _write(self, response: bytes) -> None:
        """Write a response; after the last one, close our half, and the connection when the client closes its own.

        A connection that is closed while a client still sends is reset, and the client may never see the response.
        """
        self._transport.write(response)
        if self._ended and not self._turns:
            if self._waiting_for == "request" or not self._transport.can_write_eof():
                self._transport.close()
            else:
                self._transport.write_eof()


def _bytes_of(reply: ApiReply, *, with_body: bool = True) -> bytes:
    head = _status_line(reply.status) + "".join([f"{name}: {value}\r\n" for name, value in reply.headers])
    if reply.status not in {204, 304}:  # these have no length (RFC 9110, 8.6)
        name = "content-length" if reply.headers and reply.headers[0][0].islower() else "Content-Length"
        head = f"{head}{name}: {len(reply.body)}\r\n\r\n"
    else:
        head += "\r\n"
    return head.encode("latin-1") + reply.body if with_body else head.encode("latin-1")


@lru_cache(maxsize=64)
def _status_line(status: int) -> str:
    return f"HTTP/1.1 {status} {phrase(status)}\r\n"


def _decoded(name: bytes, value: bytes) -> tuple[str, str]:
    return name.decode("latin-1").lower(), value.decode("latin-1")


_shared = lru_cache(maxsize=1024)(_decoded)
