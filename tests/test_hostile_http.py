"""Clients that misbehave on the wire, each while one that behaves is served in time; afterwards nothing is left over.

The times allowed are shortened; that the real ones keep to what the documentation says is held by test_server.py.
"""

from __future__ import annotations

import gc
import os
import select
import socket
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from mock_server.transports import protocol, server
from tests.conftest import CAMPAIGN, FIELDS
from tests.fuzz import fuzz
from tests.test_server import BODY, HEAD, WHOLE, connect, last, receive, status, talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server import AltaMock
    from mock_server.transports.live_server import LiveServer

ALLOWED = 0.3
"""Seconds for a whole request, in these tests."""

IN_TIME = 2.0
"""Seconds in which a client that behaves must have its answer; a hundredth of it is usual."""


@pytest.fixture(autouse=True)
def _short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten waits to tenths of seconds."""
    monkeypatch.setattr(protocol, "READ_SECONDS", ALLOWED)
    monkeypatch.setattr(server, "CHECK_SECONDS", 0.02)


def left_over() -> tuple[int, int]:
    """Count the threads of this process and its open files, sockets among them."""
    folder = Path("/proc/self/fd")
    return threading.active_count(), len(list(folder.iterdir())) if folder.is_dir() else 0


@pytest.fixture
def hostile(unlimited: AltaMock) -> Iterator[LiveServer]:
    """A fake on a socket; nothing is left open when it has stopped."""
    with unlimited.serve():
        pass  # start what is created once and kept
    gc.freeze()  # what other tests have left takes half a second to collect, and is not counted in this one
    before = left_over()
    with unlimited.serve() as live:
        yield live
    gc.collect()
    after = left_over()
    gc.unfreeze()
    assert after == before


def served_in_time(live: LiveServer) -> bool:
    """Send a valid request, and return whether the response arrives soon."""
    begun = time.monotonic()
    return status(talk(live, last(WHOLE))) == 200 and time.monotonic() - begun < IN_TIME


def drip(connection: socket.socket, data: bytes) -> bool:
    """Send byte by byte, a hundred a second; return whether the server closed before the end."""
    for byte in data:
        readable, _, _ = select.select([connection], [], [], 0.01)
        try:
            if readable and not connection.recv(65536):
                return True
            connection.sendall(bytes([byte]))
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        (b"", b"POST /" + b"a" * 1000),
        (HEAD, b"X-Slow: " + b"a" * 1000),
        (HEAD + b"Content-Length: 1000\r\n\r\n", b" " * 1000),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 200),
    ],
    ids=["line", "header", "body", "chunks"],
)
def test_a_client_that_drips(hostile: LiveServer, begun: bytes, rest: bytes) -> None:
    """The request must be complete in time; single bytes do not extend it."""
    with closing(connect(hostile)) as connection:
        connection.sendall(begun)
        started = time.monotonic()
        assert served_in_time(hostile)
        assert drip(connection, rest)
        assert time.monotonic() - started < ALLOWED + IN_TIME


def test_a_slow_client_that_is_in_time_is_served(hostile: LiveServer) -> None:
    """The bound is on the request, not on its pieces."""
    with closing(connect(hostile)) as connection:
        connection.sendall(last(WHOLE)[:-10])
        assert served_in_time(hostile)
        assert not drip(connection, last(WHOLE)[-10:])
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")


def test_a_hundred_pipelined_requests(hostile: LiveServer, unlimited: AltaMock) -> None:
    """All are answered in order, also the malformed one among them, and each valid one is stored once."""
    good = WHOLE
    bad = WHOLE.replace(BODY, b"!" * len(BODY))
    answers = talk(hostile, good * 50 + bad + good * 48 + last(good))

    statuses = [int(part[:3]) for part in answers.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200] * 50 + [400] + [200] * 49
    assert len(unlimited.prospects(CAMPAIGN)) == 99
    assert served_in_time(hostile)


def test_a_client_that_never_reads(hostile: LiveServer) -> None:
    """It sends thousands of requests and reads no response; others are not affected."""
    with closing(connect(hostile)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.setblocking(False)  # noqa: FBT003 - the only form it has
        pending = memoryview(WHOLE * 5000)
        while pending:
            _, writable, _ = select.select([], [connection], [], 0.2)
            if not writable:
                break
            pending = pending[connection.send(pending) :]
        assert served_in_time(hostile)


@pytest.mark.parametrize("sent", [b"", b"POST /", HEAD, HEAD + b"Content-Length: 90\r\n\r\n{"])
def test_a_client_that_closes_its_half_too_early(hostile: LiveServer, unlimited: AltaMock, sent: bytes) -> None:
    """An incomplete request is dropped, and nothing is stored."""
    answer = talk(hostile, sent, half_close=True)

    assert answer == b"" or 400 <= status(answer) < 500
    assert unlimited.prospects(CAMPAIGN) == []
    assert served_in_time(hostile)


@pytest.mark.parametrize("sent", [b"", b"POST /", HEAD + b"Content-Length: 90\r\n\r\n{", WHOLE])
def test_a_client_that_vanishes(hostile: LiveServer, sent: bytes) -> None:
    """With a reset."""
    for _ in range(20):
        with closing(connect(hostile)) as connection:
            connection.sendall(sent)
            linger_none = (1).to_bytes(4, sys.byteorder) + (0).to_bytes(4, sys.byteorder)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_none)
    assert served_in_time(hostile)


@pytest.mark.timeout(120)
def test_two_thousand_idle_connections(hostile: LiveServer, files_for_thousands: None) -> None:  # noqa: ARG001 - a setting
    """They cost a file each, and no time; each can still send a request."""
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(connect(hostile))) for _ in range(2000)]
        assert served_in_time(hostile)
        for connection in (idle[0], idle[1999]):
            connection.sendall(WHOLE)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK")
        assert served_in_time(hostile)


@pytest.fixture
def files_for_thousands() -> Iterator[None]:
    """Allow this process the files of 2,000 connections, both ends of which are its own."""
    if os.name == "nt":
        yield  # Windows has no such limit on sockets
        return
    import resource  # noqa: PLC0415 - not there on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = 4096 + 512
    if soft < enough:
        resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


BODIES: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 400),
    "unparsable": (b'{"data":[', 400),
    "truncated": (BODY[:-1], 400),
    "not utf-8": (b'{"data":[{"email":"\xff"}]}', 400),
    "byte order mark": (b"\xef\xbb\xbf" + BODY, 400),
    "utf-16": (BODY.decode().encode("utf-16"), 400),
    "gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\x03\xabVJI,I\x04", 400),
    "nan": (b'{"data":[{"email":"a","x":NaN}]}', 400),
    "infinity": (b'{"data":[{"email":"a","x":Infinity}]}', 400),
    "5,000 digits": (b'{"data":[{"email":"a","x":' + b"1" * 5000 + b"}]}", 400),
    "25 digits": (b'{"data":[{"email":"a","x":' + b"1" * 25 + b"}]}", 200),
    "huge exponent": (b'{"data":[{"email":"a","x":1e999999999999}]}', 200),
    "100,000 deep": (b"[" * 100_000 + b"]" * 100_000, 400),
    "100,000 deep and open": (b'{"a":' * 100_000, 400),
    "lone surrogate": (b'{"data":[{"email":"\\ud800"}]}', 400),
    "nul": (b'{"data":[{"email":"\\u0000"}]}', 200),
    "raw nul": (b'{"data":[{"email":"\0"}]}', 400),
    "duplicate keys": (b'{"data":[],"data":[{"email":"","email":"a"}]}', 200),
    "an array": (b"[" + BODY + b"]", 400),
    "a number": (b"1", 400),
    "one mebibyte": (BODY.ljust(1024 * 1024), 200),
    "one mebibyte and one": (BODY.ljust(1024 * 1024 + 1), 413),
    "300,000 bad records": (b'{"data":[' + b"{}," * 300_000 + b"{}]}", 400),
    "20 bad records with every fault": (
        b'{"data":[' + b",".join([b"{" + b",".join(b'"%b":1' % name.encode() for name in FIELDS) + b"}"] * 20) + b"]}",
        400,
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies_over_the_wire(hostile: LiveServer, name: str) -> None:
    """Each has its status, soon, and the next client is served."""
    body, expected = BODIES[name]
    begun = time.monotonic()
    answer = talk(hostile, last(HEAD) + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    assert status(answer) == expected
    assert time.monotonic() - begun < IN_TIME
    assert served_in_time(hostile)


@pytest.mark.parametrize(
    ("length", "expected"),
    [(len(BODY) - 1, {400}), (0, {400}), (len(BODY) + 1, {None}), (10**6, {None}), (10**30, {400, None})],
)
def test_a_wrong_content_length(
    hostile: LiveServer, unlimited: AltaMock, length: int, expected: set[int | None]
) -> None:
    """Too short: a 400, and what follows is no request. Too long: the rest never comes, and it is cut off."""
    answer = talk(hostile, HEAD + b"Content-Length: %d\r\n\r\n" % length + BODY)

    assert (status(answer) if answer else None) in expected
    assert unlimited.prospects(CAMPAIGN) == []
    assert served_in_time(hostile)


LINES: dict[str, tuple[bytes, int]] = {
    "no content type": (b"", 400),
    "two tokens": (b"Authorization: Bearer test-token\r\n", 401),
    "folded header": (b"X: a\r\n b\r\n", 400),
    "header of 60 kB": (b"X: " + b"a" * 60_000 + b"\r\n", 200),
    "header of 70 kB": (b"X: " + b"a" * 70_000 + b"\r\n", 431),
    "a thousand headers": (b"".join(b"X-%d: a\r\n" % number for number in range(1000)), 200),
    "upgrade": (b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n", 200),
    "websocket": (b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\n", 200),
    "latin-1 header": (b"X: \xe9\r\n", 200),
}


UPGRADE = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"


@pytest.mark.parametrize("body", [b"U", b"upg", b"{}\nup", b"\nUpgrade: x", b'{"a":\nupgrade:', b"\r\nupgrade"])
@pytest.mark.parametrize("extra", [b"", UPGRADE])
def test_a_body_that_looks_like_the_header_upgrade_is_left_alone(
    hostile: LiveServer, unlimited: AltaMock, body: bytes, extra: bytes
) -> None:
    """It is answered at once, and the bytes are those that were sent."""
    begun = time.monotonic()
    with closing(connect(hostile)) as connection:
        connection.sendall(HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        assert status(connection.recv(65536)) == 400

    assert time.monotonic() - begun < ALLOWED
    assert unlimited.requests[0].request.body == body


def test_an_upgrade_in_two_pieces(hostile: LiveServer, unlimited: AltaMock) -> None:
    """Wherever a request with the header is split, the request is served as if the header were not there."""
    raw = WHOLE.replace(b"Host: x\r\n", b"Host: x\r\n" + UPGRADE)
    with closing(connect(hostile)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for cut in range(1, len(raw)):
            connection.sendall(raw[:cut])
            select.select([connection], [], [], 0.001)  # let the server read the first piece alone
            connection.sendall(raw[cut:])
            assert receive(connection).startswith(b"HTTP/1.1 200 OK")

    assert len(unlimited.prospects(CAMPAIGN)) == len(raw) - 1
    assert ("upgrade", "h2c") in unlimited.requests[-1].request.headers


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize("line", [b"X-Trailer: a\r\n" * 100, b"a" * 1000], ids=["many", "one without end"])
def test_trailers_are_bounded(hostile: LiveServer, line: bytes) -> None:
    """More than 64 KiB behind the body are refused with 431, and the rest is not read."""
    sent = 0
    with closing(connect(hostile)) as connection:
        connection.sendall(CHUNKED + b"X: ")
        while sent < 50_000_000 and not select.select([connection], [], [], 0)[0]:
            with suppress(ConnectionError):
                sent += connection.send(line * 100)
        with suppress(ConnectionError):
            assert status(connection.recv(65536)) == 431

    assert sent < 10_000_000
    assert served_in_time(hostile)


def test_trailers_are_no_headers(hostile: LiveServer, unlimited: AltaMock) -> None:
    """A token behind the body authenticates nobody, and is not in the journal."""
    anonymous = CHUNKED.replace(b"Authorization: Bearer test-token\r\n", b"")
    with closing(connect(hostile)) as connection:
        connection.sendall(anonymous + b"Authorization: Bearer test-token\r\n\r\n")
        assert status(connection.recv(65536)) == 401
        connection.sendall(CHUNKED + b"X-Trailer: a\r\n\r\n")
        assert receive(connection).startswith(b"HTTP/1.1 200 OK")

    assert not any(name == "x-trailer" for name, _ in unlimited.requests[-1].request.headers)


@pytest.mark.parametrize("seed", range(5))
def test_a_random_pipeline_of_requests(hostile: LiveServer, unlimited: AltaMock, seed: int) -> None:
    """With and without Upgrade, by length or in chunks, cut anywhere: each body arrives as it was sent, in order."""
    random = Random(seed)
    bodies = [bytes(random.choices(b"\r\nuUpPgrade: {}0", k=random.randrange(40))) for _ in range(60)]
    raw = b""
    for body in bodies:
        head = HEAD + (UPGRADE if random.random() < 0.5 else b"")
        by_length = b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        raw += head + (by_length if random.random() < 0.5 else b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    raw += b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    parts = []
    while raw:
        size = random.randrange(1, 400)
        parts.append(raw[:size])
        raw = raw[size:]
    answers = talk(hostile, *parts)

    assert answers.count(b"HTTP/1.1 400") == len(bodies)
    assert [entry.request.body for entry in unlimited.requests] == bodies


@pytest.mark.parametrize("name", LINES)
def test_heads_over_the_wire(hostile: LiveServer, name: str) -> None:
    """Each has its status, and the next client is served."""
    extra, expected = LINES[name]
    head = HEAD.replace(b"Content-Type: application/json\r\n", b"") if name == "no content type" else HEAD
    body = b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY

    answer = talk(hostile, (head if b"Upgrade" in extra else last(head)) + extra + body, half_close=b"Upgrade" in extra)

    assert status(answer) == expected
    assert served_in_time(hostile)


TARGETS: dict[str, tuple[bytes, int]] = {
    "encoded slash": (b"/v1/campaigns/a%2Fb/prospects", 400),
    "dots": (b"/v1/campaigns/../campaigns/x/prospects", 404),
    "encoded dots": (b"/v1/campaigns/%2e%2e/prospects", 400),
    "encoded nul": (b"/v1/campaigns/%00/prospects", 400),
    "encoded non-utf-8": (b"/v1/campaigns/%ff/prospects", 400),
    "trailing slash": (b"/v1/campaigns/x/prospects/", 404),
    "doubled slash": (b"//v1/campaigns/x/prospects", 404),
    "absolute": (b"http://127.0.0.1/v1/campaigns/x/prospects", 400),
    "asterisk": (b"*", 404),
    "no slash": (b"v1", 400),
    "fragment": (b"/v1/campaigns/x/prospects#a", 400),
    "60 kB": (b"/v1/" + b"a" * 60_000, 404),
    "70 kB": (b"/v1/" + b"a" * 70_000, 431),
}


@pytest.mark.parametrize("name", TARGETS)
def test_targets_over_the_wire(hostile: LiveServer, name: str) -> None:
    """Each has its status, and the next client is served."""
    target, expected = TARGETS[name]
    raw = last(WHOLE).replace(WHOLE.split(b" ")[1], target, 1)

    assert status(talk(hostile, raw)) == expected
    assert served_in_time(hostile)


def test_mutated_requests() -> None:
    """A few hundred; `make fuzz` sends 100,000. Statuses of all kinds come back, so the mutations reach far."""
    seen = fuzz(400, seed=1)

    assert {200, 400, 401, 404} <= seen.keys()
