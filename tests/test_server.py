"""The socket: whole requests, hostile ones, slow ones, and how it stops."""

from __future__ import annotations

import gc
import json
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
import requests

from mock_server import AltaMock, MockError
from mock_server.messages.errors import Bug
from mock_server.pipeline.hooks import Hooks
from mock_server.transports import protocol, server
from tests.conftest import CAMPAIGN, ONE, prospects_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.messages.http import ApiRequest
    from mock_server.messages.outcome import Outcome
    from mock_server.pipeline.hooks import Handle
    from mock_server.transports.live_server import LiveServer

BODY = json.dumps(ONE).encode()
HEAD = (
    f"POST {prospects_path()} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\n"
    "Content-Type: application/json\r\n"
).encode()
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


@pytest.fixture
def live(unlimited: AltaMock) -> Iterator[LiveServer]:
    """A fake without limits on a socket."""
    with unlimited.serve() as running:
        yield running


def connect(live: LiveServer) -> socket.socket:
    """Open a connection that gives up after ten seconds."""
    host, port = live.origin.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def talk(live: LiveServer, *parts: bytes, half_close: bool = False) -> bytes:
    """Send bytes, and return everything received until the server closes."""
    with closing(connect(live)) as connection:
        for part in parts:
            connection.sendall(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            pass
        return received


def receive(connection: socket.socket) -> bytes:
    """Read one response, whose body is `{}`, from a connection that stays open."""
    received = b""
    while not received.endswith(b"\r\n\r\n{}"):
        received += connection.recv(65536) or pytest.fail(f"closed after {received!r}")
    return received


def last(raw: bytes) -> bytes:
    """Make a request the last of its connection."""
    return raw.replace(b"Host: x\r\n", b"Host: x\r\nConnection: close\r\n", 1)


def status(raw: bytes) -> int:
    """Return the status of the first response."""
    return int(raw.split(b" ", 2)[1])


def test_url_ends_in_the_base_path(live: LiveServer) -> None:
    """Ready for a client's base URL."""
    assert live.url.startswith("http://127.0.0.1:")
    assert live.url.endswith("/v1")


def test_two_requests_in_one_connection(live: LiveServer) -> None:
    """Keep-alive, and pipelined: both are answered, in order."""
    answers = talk(live, WHOLE + last(WHOLE.replace(BODY, b"!" * len(BODY))))

    assert answers.count(b"HTTP/1.1 ") == 2
    assert answers.index(b"200 OK") < answers.index(b"400 Bad Request")


def test_a_body_in_pieces(live: LiveServer, unlimited: AltaMock) -> None:
    """By TCP segment and by HTTP chunk."""
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n"

    assert status(talk(live, *(last(WHOLE)[at : at + 7] for at in range(0, len(last(WHOLE)), 7)))) == 200
    assert status(talk(live, last(HEAD) + b"Transfer-Encoding: chunked\r\n\r\n", chunks)) == 200
    assert unlimited.prospects(CAMPAIGN) == ONE["data"] * 2


def test_a_client_that_closes_its_half_gets_its_answer(live: LiveServer) -> None:
    """It may do so once it has sent the request."""
    assert status(talk(live, WHOLE, half_close=True)) == 200


def test_expect_100_continue(live: LiveServer) -> None:
    """The server asks for the body, unless it is too large."""
    expecting = last(HEAD) + b"Expect: 100-continue\r\n"
    answer = talk(live, expecting + b"Content-Length: %d\r\n\r\n" % len(BODY), BODY)
    refused = talk(live, expecting + b"Content-Length: 1048577\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert status(refused) == 413


@pytest.mark.parametrize("chunked", [False, True])
def test_more_than_a_mebibyte(live: LiveServer, unlimited: AltaMock, *, chunked: bool) -> None:
    """413, however it is sent, and the connection is closed (assumption body-size)."""
    body = b" " * (1024 * 1024 + 1)
    raw = (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        if chunked
        else HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    )

    assert status(talk(live, raw)) == 413
    assert unlimited.prospects(CAMPAIGN) == []


@pytest.mark.parametrize(
    "raw",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 100,
        b"hello\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        HEAD + b"Content-Length: -1\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
        HEAD + b"No colon\r\n\r\n",
        HEAD + b"X: a\0b\r\n\r\n",
        b"POST /v1/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=lambda raw: repr(raw[-40:]),
)
def test_bytes_that_are_not_http_get_a_4xx(live: LiveServer, raw: bytes) -> None:
    """The server closes the connection at once; the next client is served."""
    answer = talk(live, raw)

    assert 400 <= status(answer) < 500
    assert status(talk(live, last(WHOLE))) == 200


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        (b"GET /v1/campaigns HTTP/1.1\r\n", 400),
        (b"GET /v1/campaigns HTTP/1.1\r\nHost: x\r\nHost: x\r\n", 400),
        (b"GET /v1/campaigns HTTP/1.0\r\nHost: x\r\nHost: y\r\n", 400),
        (b"GET /v1/campaigns HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n", 400),
        (b"GET /v1/campaigns HTTP/1.1\r\nHost:\r\n", 401),
        (b"GET /v1/campaigns HTTP/1.0\r\n", 401),
    ],
)
def test_one_host_header(live: LiveServer, unlimited: AltaMock, head: bytes, wanted: int) -> None:
    """HTTP/1.1 wants one, which may be empty; a refused request never reaches the API."""
    assert status(talk(live, head + b"\r\n", half_close=True)) == wanted
    assert len(unlimited.requests) == (wanted == 401)


@pytest.mark.parametrize("size", [65_000, 66_000, 300_000])
def test_the_head_is_bounded(live: LiveServer, size: int) -> None:
    """Up to 64 KiB of request line and headers; more is a 431."""
    raw = last(WHOLE).replace(b"Host: x\r\n", b"Host: x\r\nX-Long: %b\r\n" % (b"a" * (size - 200)))

    assert status(talk(live, raw)) == (200 if size <= 65_536 else 431)


def test_a_head_that_never_ends_is_cut_off(live: LiveServer) -> None:
    """Memory stays bounded, whatever is sent."""
    endless = b"GET / HTTP/1.1\r\n" + (b"X: " + b"a" * 10_000 + b"\r\n") * 2000
    with closing(connect(live)) as connection, pytest.raises(ConnectionError):
        connection.sendall(endless)


@pytest.mark.parametrize(
    "raw",
    [b"P", b"POST / HTTP/1.1\r\nHost: x\r\n", HEAD + b"Content-Length: 50\r\n\r\n{", WHOLE + b"POST /"],
    ids=["line", "head", "body", "next"],
)
def test_a_client_that_stops_half_way_is_cut_off(
    unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch, raw: bytes
) -> None:
    """Within the time allowed, here shortened; others are served meanwhile, and nothing is stored."""
    monkeypatch.setattr(protocol, "READ_SECONDS", 0.15)
    monkeypatch.setattr(server, "CHECK_SECONDS", 0.02)
    with unlimited.serve() as live, closing(connect(live)) as stalled:
        stalled.sendall(raw)
        assert status(talk(live, last(WHOLE))) == 200
        begun = time.monotonic()
        while stalled.recv(65536):
            pass
        assert time.monotonic() - begun < 5
        assert len(unlimited.prospects(CAMPAIGN)) == 1 + raw.startswith(WHOLE)


def test_the_time_allowed_is_below_five_seconds() -> None:
    """As documented: the limit plus the longest wait for the next check."""
    assert protocol.READ_SECONDS + server.CHECK_SECONDS < 5


def test_stalled_bodies_do_not_delay_others(live: LiveServer) -> None:
    """A hundred clients that have sent half a request do not slow down another."""
    stalled = [connect(live) for _ in range(100)]
    for connection in stalled:
        connection.sendall(HEAD + b"Content-Length: 1000\r\n\r\n{")
    begun = time.monotonic()
    answers = [status(talk(live, last(WHOLE))) for _ in range(20)]
    took = time.monotonic() - begun
    for connection in stalled:
        connection.close()

    assert answers == [200] * 20
    assert took < 2


def test_repeated_headers_are_not_joined(live: LiveServer) -> None:
    """The pipeline sees both values (assumption account-header)."""
    doubled = last(WHOLE).replace(b"Host: x\r\n", b"Host: x\r\nx-account-id: acme\r\nx-account-id: acme\r\n")
    tokens = last(WHOLE).replace(b"Host: x\r\n", b"Host: x\r\nAuthorization: Bearer test-token\r\n")

    assert b"account-doubled" in talk(live, doubled)
    assert b"token-doubled" in talk(live, tokens)


def test_a_bug_of_ours_is_a_500_that_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Not disguised as the vendor's, with the traceback on standard error, and the server goes on."""

    def broken_once(handle: Handle) -> Handle:
        def handle_or_fail(request: ApiRequest, transport: str) -> Outcome:
            if request.all("x-break"):
                raise Bug("the contract would be broken")
            return handle(request, transport)

        return handle_or_fail

    breaking = last(WHOLE).replace(b"Host: x\r\n", b"Host: x\r\nX-Break: 1\r\n")
    with AltaMock(hooks=Hooks(around=broken_once)).serve() as live:
        answer = talk(live, breaking)
        assert status(talk(live, last(WHOLE))) == 200

    assert status(answer) == 500
    assert b"bug in alta-mock, not a response of the vendor" in answer
    assert "Bug: the contract would be broken" in capsys.readouterr().err


def test_stop_lets_a_request_in_flight_finish(unlimited: AltaMock) -> None:
    """The second half of a body arrives while the server stops, and is answered."""
    live = unlimited.serve()
    live.__enter__()
    connection = connect(live)
    connection.sendall(WHOLE[:-10])
    assert status(talk(live, last(WHOLE))) == 200  # the server has read the half request, too
    stopping = threading.Thread(target=live.__exit__)
    stopping.start()
    connection.sendall(WHOLE[-10:])
    answer = receive(connection)
    stopping.join()
    connection.close()

    assert status(answer) == 200


def test_the_page_is_prepared_before_anybody_opens_it() -> None:
    """An idle server soon loads the template engine, for which the first page would wait."""
    code = """if True:
        import sys, threading
        from mock_server import AltaMock
        with AltaMock().serve():
            before = "jinja2" in sys.modules
            for _ in range(1000):
                if "jinja2.lexer" in sys.modules:
                    break
                threading.Event().wait(0.01)
        print(before, "jinja2.lexer" in sys.modules)"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "True"]


def test_stop_closes_idle_connections_at_once(unlimited: AltaMock) -> None:
    """Fifty open connections do not delay it; afterwards no thread is left, and nothing listens."""
    threads = threading.active_count()
    with unlimited.serve() as live:
        idle = [connect(live) for _ in range(50)]
        for connection in idle:
            connection.sendall(WHOLE)
            assert b"200 OK" in receive(connection)
        begun = time.monotonic()
    took = time.monotonic() - begun
    closed = [connection.recv(1) for connection in idle]
    for connection in idle:
        connection.close()

    assert closed == [b""] * 50
    assert took < 1
    assert threading.active_count() == threads
    with pytest.raises(OSError, match="refused"):
        connect(live)


def test_stop_leaves_no_connection_open_that_has_just_come(
    unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those accepted in the very moment of stopping are closed as well: nothing is left for the collector to find."""
    left: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: left.append(found.exc_value))
    for _ in range(20):
        with unlimited.serve() as running:
            connections = [connect(running) for _ in range(3)]
        for connection in connections:
            connection.close()
    gc.collect()

    assert left == []


def test_sixty_four_clients_get_exactly_ten_successes(mock: AltaMock) -> None:
    """The limit is exact for requests at the same time."""
    with mock.serve() as live, ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(lambda _: status(talk(live, last(WHOLE))), range(1000)))

    assert (answers.count(200), answers.count(429)) == (10, 990)
    assert len(mock.prospects(CAMPAIGN)) == 10


def test_a_port_that_is_taken(live: LiveServer) -> None:
    """One line names the address and the remedy."""
    port = int(live.origin.rpartition(":")[2])
    with pytest.raises(MockError, match=rf"cannot listen on 127\.0\.0\.1:{port}: address already in use; choose"):
        AltaMock().serve(port=port).__enter__()


def test_ipv6(unlimited: AltaMock) -> None:
    """The URL has the brackets it needs."""
    with unlimited.serve("::1") as live:
        assert live.url.startswith("http://[::1]:")
        assert requests.get(live.url, timeout=5).status_code == 404


def test_what_comes_by_socket_is_seen_in_the_process(mock: AltaMock) -> None:
    """The requests, the prospects and the clock are the same."""
    with mock.serve() as live:
        headers = {"Authorization": "Bearer test-token"}
        url = f"{live.url}/campaigns/{CAMPAIGN}/prospects"
        statuses = [requests.post(url, json=ONE, headers=headers, timeout=5).status_code for _ in range(11)]
        mock.clock.advance(60)
        statuses.append(requests.post(url, json=ONE, headers=headers, timeout=5).status_code)

    assert statuses == [200] * 10 + [429, 200]
    assert len(mock.prospects(CAMPAIGN)) == 11
    assert [entry.transport for entry in mock.requests] == ["socket"] * 12
