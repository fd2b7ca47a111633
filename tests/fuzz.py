"""Mutated requests over raw sockets: none gets a 5xx, hangs, or is answered otherwise than through WSGI.

`python -m tests.fuzz 100000` sends as many; `test_hostile_http.py` sends a few hundred. The seed is fixed.
"""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.test import Client, EnvironBuilder

from contract_tests.fake import TOKEN, pinned
from contract_tests.provider.derived import sample
from mock_server import AltaMock, Clock

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 5
"""Seconds within which a connection is answered or closed."""

NOTHING = 0
"""Stands for no response."""

HEAD_SHARE = 0.3
"""Share of the requests whose head is mutated, too; the body of the others has its right length."""

PIECES = (
    *(
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xc3\x28",
        b"\xef\xbb\xbf",
        b":",
        b" ",
        b"%",
        b"%00",
        b"%ff",
        b"?",
        b"#",
        b";",
    ),
    *(b"Upgrade: h2c\r\n", b"Connection: Upgrade\r\n", b"Connection: close\r\n", b"Expect: 100-continue\r\n"),
    *(
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 3\r\n",
        b"Host: y\r\n",
        b"Upgrade",
        b"HTTP/1.0",
        b"HTTP/1.1",
    ),
    *(b"{", b"}", b"[", b"]", b'"', b",", b"null", b"true", b"NaN", b"1e999", b"-0", b"9" * 40, b"\\ud800", b"\\u0000"),
    *(b'"data":', b'"email":', b"[[[[[[[[", b"GET ", b"HEAD ", b"OPTIONS ", b"x" * 300, b"\r\n\r\n"),
)


@dataclass(frozen=True)
class Raw:
    """A request as bytes; with `whole`, its head is intact, and names the length of the body."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    head: bytes
    whole: bool


def originals(mock: AltaMock) -> list[tuple[bytes, bytes, bytes]]:
    """Return a valid request of each operation: method, target and body."""
    ids = pinned(mock)
    found = []
    for one in mock.contract.operations:
        path = one.path
        for name, known in ids.items():
            path = path.replace(f"{{{name}}}", known)
        body = b""
        if one.body:
            schema = mock.contract.document["paths"][one.path][one.method.lower()]["requestBody"]["content"]
            value: Any = sample(mock.contract.document, schema["application/json"]["schema"])
            body = json.dumps(value).encode()
        query = "?limit=2" if "query" in one.parameters else ""
        found.append((one.method.encode(), (mock.contract.base_path + path + query).encode(), body))
    return found


def mutated(data: bytes, random: Random) -> bytes:
    """Return bytes with one to four changes."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(changed) + 1)
        end = at + random.randrange(1, 12)
        match random.randrange(4):
            case 0:
                changed[at:at] = random.choice(PIECES)
            case 1:
                del changed[at:end]
            case 2:
                changed[at:at] = changed[at:end]
            case _:
                changed[at : at + 1] = bytes([random.randrange(256)])
    return bytes(changed)


def requests_of(mock: AltaMock, number: int, seed: int) -> Iterator[Raw]:
    """Yield mutated requests."""
    random, valid = Random(seed), originals(mock)
    for _ in range(number):
        method, target, body = random.choice(valid)
        body = mutated(body, random)
        headers = (
            (b"Host", b"127.0.0.1"),
            (b"Authorization", b"Bearer " + TOKEN.encode()),
            (b"Content-Type", b"application/json"),
            (b"Content-Length", b"%d" % len(body)),
        )
        head = b"%b %b HTTP/1.1\r\n" % (method, target) + b"".join(b"%b: %b\r\n" % one for one in headers) + b"\r\n"
        whole = random.random() >= HEAD_SHARE
        yield Raw(method, target, headers, body, head if whole else mutated(head, random), whole)


def statuses(address: tuple[str, int], raw: Raw) -> list[int]:
    """Send a request, and return the final statuses of the responses until the server closes the connection."""
    with socket.create_connection(address, timeout=SECONDS) as connection:
        received = b""
        try:
            connection.sendall(raw.head + raw.body)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    heads = [part for part in received.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]
    return [int(part[:3]) for part in heads if part[:3] != b"100"]


def status_of_wsgi(client: Client, raw: Raw) -> int:
    """Send a request through WSGI, and return the status of the response."""
    target = raw.target.decode()
    builder = EnvironBuilder(
        path=urlsplit(target).path,
        query_string=urlsplit(target).query,
        method=raw.method.decode(),
        headers=[(name.decode(), value.decode()) for name, value in raw.headers],
        data=raw.body,
        environ_overrides={"REQUEST_URI": target},
    )
    return client.open(builder).status_code


def fuzz(number: int, seed: int) -> Counter[int]:
    """Send mutated requests; return how often each status came, 0 for no response to a broken head.

    Raises:
        AssertionError: A request got a 5xx, no response or several although its head is intact, or another status
            through WSGI.
    """
    settings: Any = {"rate_limit": "off", "account_rate_limit": "off"}
    epoch = Clock(lambda: 0, epoch=1_767_225_600 * 10**9)
    client = Client(AltaMock(clock=epoch, **settings).app)
    seen: Counter[int] = Counter()
    mock = AltaMock(clock=epoch, **settings)
    with mock.serve() as live:
        parts = urlsplit(live.origin)
        address = (str(parts.hostname), int(parts.port or 0))
        for place, raw in enumerate(requests_of(mock, number, seed)):
            got = statuses(address, raw)
            seen.update(got or [NOTHING])
            about = f"request {place} of seed {seed}: {raw.head + raw.body!r}"
            assert all(status < 500 for status in got), f"{got}: {about}"
            if raw.whole:
                assert got == [status_of_wsgi(client, raw)], f"{got}: {about}"
    return seen


if __name__ == "__main__":
    sys.stdout.write(f"{sorted(fuzz(int(sys.argv[1]), seed=0).items())}\n")
