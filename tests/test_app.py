"""The transports: a request gets the same response through each of them."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mock_server import AltaMock, Clock
from mock_server.messages.http import ApiRequest
from tests.conftest import CAMPAIGN, ONE, UNKNOWN_CAMPAIGN, prospects_path

if TYPE_CHECKING:
    from collections.abc import Iterator

Headers = dict[str, str]
GOOD = {"Authorization": "Bearer test-token", "Content-Type": "application/json"}


def _headers(pairs: Any) -> Headers:
    """Headers in lower case, without those that belong to the transport."""
    found = {name.lower(): value for name, value in pairs}
    return {name: value for name, value in found.items() if name not in {"content-length", "connection"}}


def _core(mock: AltaMock) -> Any:
    def send(method: str, path: str, body: bytes, headers: Headers) -> Any:
        raw, _, query = path.partition("?")
        pairs = tuple((name.lower(), value) for name, value in headers.items())
        reply = mock.answer(ApiRequest(method, raw, query, pairs, body))
        return reply.status, b"" if method == "HEAD" else reply.body, _headers(reply.headers)

    return send


def _werkzeug(mock: AltaMock) -> Any:
    def send(method: str, path: str, body: bytes, headers: Headers) -> Any:
        reply = mock.app.test_client().open(path, method=method, data=body, headers=headers)
        return reply.status_code, reply.data, _headers(reply.headers)

    return send


def _httpx(transport: httpx.BaseTransport, origin: str) -> Any:
    def send(method: str, path: str, body: bytes, headers: Headers) -> Any:
        with httpx.Client(transport=transport) as client:
            reply = client.request(method, origin + path, content=body, headers=headers)
        return reply.status_code, reply.content, _headers(reply.headers.items())

    return send


@pytest.fixture
def transports() -> Iterator[list[Any]]:
    """One fake for each transport, with clocks that show the same fixed time."""
    mocks = [AltaMock(clock=Clock(lambda: 0, epoch=10**18)) for _ in range(4)]
    with mocks[3].serve() as server:
        yield [
            _core(mocks[0]),
            _werkzeug(mocks[1]),
            _httpx(httpx.WSGITransport(app=mocks[2].app), "http://mock"),
            _httpx(httpx.HTTPTransport(), server.origin),
        ]


REQUESTS: dict[str, tuple[str, str, bytes, Headers]] = {
    "accepted": ("POST", prospects_path(), json.dumps(ONE).encode(), GOOD),
    "accepted upper case": ("POST", prospects_path(CAMPAIGN.upper()), json.dumps(ONE).encode(), GOOD),
    "refused": ("POST", prospects_path(), b'{"data":[{}]}', GOOD),
    "not json": ("POST", prospects_path(), b"{", GOOD),
    "empty": ("POST", prospects_path(), b"", GOOD),
    "too large": ("POST", prospects_path(), b" " * (1024 * 1024 + 1), GOOD),
    "just not too large": ("POST", prospects_path(), json.dumps(ONE).encode().ljust(1024 * 1024), GOOD),
    "no token": ("POST", prospects_path(), b"{}", {"Content-Type": "application/json"}),
    "read-only": (
        "POST",
        prospects_path(),
        json.dumps(ONE).encode(),
        GOOD | {"Authorization": "Bearer test-token-readonly"},
    ),
    "unknown campaign": ("POST", prospects_path(UNKNOWN_CAMPAIGN), json.dumps(ONE).encode(), GOOD),
    "slash in the id": ("POST", prospects_path(f"{CAMPAIGN}%2F"), b"{}", GOOD),
    "not utf-8 in the id": ("POST", prospects_path("%ff"), b"{}", GOOD),
    "line breaks in the id": ("POST", prospects_path("O%27Brien%0A%22x%22%0D"), b"{}", GOOD),
    "nul in the id": ("POST", prospects_path("%00"), b"{}", GOOD),
    "query": ("POST", prospects_path() + "?a=1&token=x", json.dumps(ONE).encode(), GOOD),
    "trailing slash": ("POST", prospects_path() + "/", b"{}", GOOD),
    "doubled slash": ("POST", "/v1//campaigns/x/prospects", b"{}", GOOD),
    "unknown path": ("GET", "/v1/nowhere", b"", {}),
    "root": ("GET", "/v1", b"", {}),
    "get": ("GET", prospects_path(), b"", GOOD),
    "head": ("HEAD", prospects_path(), b"", GOOD),
    "options": ("OPTIONS", prospects_path(), b"", GOOD),
    "trace": ("TRACE", prospects_path(), b"", GOOD),
}


DECODED = {"slash in the id", "not utf-8 in the id"}
"""What httpx.WSGITransport decodes before we see it: it hands over no raw target."""


@pytest.mark.parametrize("name", REQUESTS)
def test_every_transport_gives_the_same_response(transports: list[Any], name: str) -> None:
    """Status, body and every header."""
    if name in DECODED:
        del transports[2]
    core, *others = [transport(*REQUESTS[name]) for transport in transports]

    assert 200 <= core[0] < 500
    for other in others:
        assert other == core


def test_a_wsgi_server_that_hands_over_no_raw_target_is_served(mock: AltaMock) -> None:
    """The path is encoded again; an absolute target is read as its path."""
    statuses: list[str] = []
    for environ in (
        {"PATH_INFO": prospects_path()},
        {"PATH_INFO": "/", "REQUEST_URI": f"http://host{prospects_path()}?x=1"},
        {"PATH_INFO": "/", "RAW_URI": prospects_path()},
    ):
        body = json.dumps(ONE).encode()
        list(
            mock.app(
                {
                    **environ,
                    "REQUEST_METHOD": "POST",
                    "SERVER_NAME": "mock",
                    "SERVER_PORT": "80",
                    "wsgi.url_scheme": "http",
                    "wsgi.input": io.BytesIO(body),
                    "CONTENT_LENGTH": str(len(body)),
                    "CONTENT_TYPE": "application/json",
                    "HTTP_AUTHORIZATION": "Bearer test-token",
                },
                lambda status, _headers: statuses.append(status),  # type: ignore[arg-type]  # all that is called of it
            )
        )
    assert statuses == ["200 OK"] * 3


@pytest.mark.parametrize("method", ["PROPFIND", "FOO", "CONNECT"])
def test_the_pipeline_refuses_a_method_that_no_router_knows(mock: AltaMock, method: str) -> None:
    """The vendor's form, not the framework's page."""
    reply = mock.app.test_client().open(prospects_path(), method=method)

    assert (reply.status_code, reply.json) == (405, {"error": "MethodNotAllowed", "message": "Method not allowed"})
