"""No value of a parameter, header or body makes the API, the control API or a page answer with a 5xx."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from mock_server import AltaMock
from mock_server.messages.http import METHODS, ApiRequest
from mock_server.transports.dispatch import Dispatcher
from tests.conftest import ONE, prospects_path, request_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCAL = (("host", "localhost"), ("authorization", "Bearer test-token"), ("content-type", "application/json"))
DIGITS = ("0", "-0", "1", "1.0", "-1", "1.5", "1e3", "1e400", "-1e-400", "9" * 30, "9" * 308, "9" * 309, "9" * 5000)
WORDS = ("", " ", "+1", "0x1", "1_0", "٣", "NaN", "Infinity", "true", "null", "\0", "\x7f", "é", "a,b", "x" * 9000)
RAW = ("%FF", "%", "%zz", "%00", "%2F", "a/b", ";", "?", "#")
HEADERS = (
    *("host", "origin", "sec-fetch-site", "authorization", "content-type", "content-encoding", "content-length"),
    *("x-account-id", "prefer", "accept", "cookie", "range", "if-none-match", "x-alta-mock-sample", "x-forwarded-host"),
)
VALUES = ("", " ", "\xff" * 9, "\0", "9" * 5000, 'a,b;c="d', "Bearer", "Bearer \xff", "[::1", "code=" + "9" * 20)
BODIES = (
    *(b"", b"null", b"[]", b"{}", b"\xff", b"\xef\xbb\xbf{}", b"[" * 150 + b"]" * 150, b"[" * 5000, b'"\\ud800"'),
    *(b"NaN", b"9" * 5000, b'{"data":[' + b"9" * 4000 + b"]}", b'{"data":[{"n":1e999999999}]}', b"{" + b'"":0,' * 99),
)
"""Bodies of which none is what any operation expects."""


@pytest.fixture
def mock() -> AltaMock:
    """A fake without limits, with a request of each kind in its journal."""
    mock = AltaMock(rate_limit="off", account_rate_limit="off")
    mock.answer(request_of(ONE))
    mock.answer(request_of({"data": []}))
    return mock


def too_bad(mock: AltaMock, requests: Iterator[ApiRequest]) -> list[tuple[int, ApiRequest]]:
    """Return the requests that get a 5xx from the part that every transport calls."""
    dispatcher = Dispatcher(mock, "socket", "control-token")
    replies = [(dispatcher.part(one).answer(one, "127.0.0.1").status, one) for one in requests]
    assert len(replies) > 100
    return [(status, request) for status, request in replies if status >= 500]


def operations(mock: AltaMock) -> Iterator[tuple[str, str, Any]]:
    """Yield the method, the path and the operation of the API and of the control API."""
    for contract in (mock.contract, Dispatcher(mock, "socket", None).control.contract):
        for operation in contract.operations:
            yield operation.method, contract.base_path + operation.path, operation


def paths(mock: AltaMock) -> list[tuple[str, str]]:
    """Return the method and a path with valid parameters of every operation and page."""
    filled = [(method, path.replace("{number}", "1")) for method, path, _ in operations(mock)]
    known = [(method, path.replace("{campaignId}", prospects_path().split("/")[3])) for method, path in filled]
    return [*known, *(("GET", path) for path in Dispatcher(mock, "socket", None).pages.paths)]


@pytest.mark.slow
def test_every_parameter(mock: AltaMock) -> None:
    """In the path and in the query, integers among them, alone and twice."""
    values = [*map(quote, (*DIGITS, *WORDS)), *RAW]

    def requests() -> Iterator[ApiRequest]:
        for method, path, operation in operations(mock):
            for place, parameters in operation.parameters.items():
                for name in (one.name for one in parameters):
                    for value in values:
                        filled = path.replace(f"{{{name}}}", value).replace("{campaignId}", "x")
                        for query in (f"{name}={value}", f"{name}={value}&{name}=1") if place == "query" else ("",):
                            yield ApiRequest(method, filled, query, LOCAL, b"")

    assert too_bad(mock, requests()) == []


@pytest.mark.slow
def test_every_query_of_what_has_no_parameters(mock: AltaMock) -> None:
    """Pages and operations alike."""
    queries = [*RAW, *map(quote, WORDS), "request=" + "9" * 400, "after=-1", "&&==", "a" * 9000]

    assert too_bad(mock, (ApiRequest(*one, query, LOCAL) for one in paths(mock) for query in queries)) == []


@pytest.mark.parametrize("header", HEADERS)
def test_every_header(mock: AltaMock, header: str) -> None:
    """With every value, missing, and twice; of operations and of pages."""
    others = tuple(pair for pair in LOCAL if pair[0] != header)
    variants = [others, *((*others, (header, value)) for value in VALUES), (*others, (header, "a"), (header, "b"))]

    assert too_bad(mock, (ApiRequest(*one, "", sent, b"{}") for one in paths(mock) for sent in variants)) == []


def test_every_method(mock: AltaMock) -> None:
    """Also unknown ones."""
    methods = [*METHODS, "BREW", "get", ""]

    assert too_bad(mock, (ApiRequest(method, path, "", LOCAL) for method in methods for _, path in paths(mock))) == []


def test_every_body(mock: AltaMock) -> None:
    """Unreadable ones, and values of any type and size for each member of a body that is written to the control API."""
    members: dict[str, dict[str, Any]] = {
        "/_mock/next": {"status": 429, "times": 1, "retryAfter": "1", "body": 1, "headers": {}},
        "/_mock/clock/advance": {"seconds": 1},
        prospects_path(): {"data": [{"email": "a"}]},
    }
    literals = [*DIGITS, "null", "true", "[]", "{}", '""', json.dumps("x" * 99_999), '{"a":"\\u0000"}', '{"a\\n":""}']

    def requests() -> Iterator[ApiRequest]:
        for method, path in paths(mock):
            yield from (ApiRequest(method, path, "", LOCAL, body) for body in (*BODIES, None))
        for path, body in members.items():
            for variant in (body, {"fault": "delay", "seconds": 1, "times": 1} if path.endswith("next") else {}):
                for name in variant:
                    for literal in literals:
                        text = json.dumps({**variant, name: "*"}).replace('"*"', literal)
                        yield ApiRequest("POST", path, "", LOCAL, text.encode())

    assert too_bad(mock, requests()) == []


def test_every_request_of_the_journal_is_shown(mock: AltaMock) -> None:
    """Whatever was sent to the API: as a list, in detail, as HAR, with its findings, and in the log."""
    for header in ((name, value) for name in HEADERS for value in VALUES):
        mock.answer(ApiRequest("POST", prospects_path(), "", (*LOCAL, header), b'{"data":[]}'))
    for body in (*BODIES, None):
        mock.answer(ApiRequest("POST", prospects_path(), "", LOCAL, body))
    for text in (*map(quote, WORDS), *RAW):
        mock.answer(ApiRequest("POST", f"/v1/{text}", f"{text}={text}", LOCAL, b""))
    paths = ["requests", "requests.har", *(f"requests/{entry.number}" for entry in mock.requests)]

    assert too_bad(mock, (ApiRequest("GET", f"/_mock/{path}", "", LOCAL[:1]) for path in paths)) == []
