"""Injected responses and faults: by the queue, by `Prefer`, by bound campaigns; over every transport."""

from __future__ import annotations

import io
import json
import time
from datetime import timedelta
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from mock_server import AltaMock, MockError, fake
from mock_server.journal.access_log import Log
from mock_server.messages.http import MAX_BODY
from mock_server.messages.injected import FAULTS
from tests.conftest import CAMPAIGN, ONE, ROOT, error_of, prospects_path, request_of, why

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server import Clock
    from mock_server.messages.http import ApiReply

    Send = Callable[..., ApiReply]

JSON = ("content-type", "application/json")
HEADERS = {"Authorization": "Bearer test-token"}
PATH = f"/campaigns/{CAMPAIGN}/prospects"
BOUND = "00000000-0000-4000-8000-000000000404"


def prefer(text: str) -> tuple[tuple[str, str], ...]:
    """Return headers with a preference."""
    return (JSON, ("prefer", text))


def test_twice_429_then_normal_is_one_call(mock: AltaMock, send: Send) -> None:
    """The responses have the contract's body and the time left in the real window; nothing is stored."""
    mock.next(429, times=2)
    first, second, third = send(), send(), send()

    assert [reply.status for reply in (first, second, third)] == [429, 429, 200]
    assert first.body == b'{"error":"TooManyRequests","message":"Rate limit exceeded. Please retry after 60 seconds."}'
    assert (first.header("Retry-After"), first.header("RateLimit-Remaining")) == ("60", "9")
    assert why(first) == "injected 429: requested by queue"
    assert len(mock.prospects(CAMPAIGN)) == 1


def test_the_queue_is_first_in_first_out(mock: AltaMock, send: Send) -> None:
    """Responses and faults share one queue."""
    mock.next(500)
    mock.fault("html_502", times=2)
    mock.next(404)

    assert [send().status for _ in range(5)] == [500, 502, 502, 404, 200]


def test_a_wait_and_a_body_may_be_given(mock: AltaMock, send: Send) -> None:
    """The wait is in seconds or an HTTP date; the body is any JSON."""
    mock.next(429, retry_after=3, body={"odd": [1]})
    mock.next(429, retry_after="Thu, 01 Jan 2026 00:01:00 GMT")
    first, second = send(), send()

    assert (first.header("Retry-After"), first.body) == ("3", b'{"odd":[1]}')
    assert second.header("Retry-After") == "Thu, 01 Jan 2026 00:01:00 GMT"


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 413, 429, 500])
def test_every_documented_status_can_be_injected(mock: AltaMock, send: Send, status: int) -> None:
    """An injected success stores nothing."""
    mock.next(status)
    reply = send({"data": "nonsense"})

    assert reply.status == status
    assert (reply.header("WWW-Authenticate") is not None) == (status == 401)
    assert mock.prospects(CAMPAIGN) == []


def test_another_status_must_be_allowed(mock: AltaMock, send: Send) -> None:
    """The message lists the documented statuses."""
    with pytest.raises(MockError, match=r"503 is not documented; choose one of 200, 400, 401, 403, 404, 413, 429, 500"):
        mock.next(503)
    mock.next(503, allow_undocumented=True)
    mock.next(599, allow_undocumented=True)
    reply = send()

    assert (reply.status, error_of(reply)) == (503, "ServiceUnavailable")
    assert (send().status, send().status) == (599, 200)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda mock: mock.next(429, times=0), "times=0 is out of bounds; choose 1 to"),
        (lambda mock: mock.next(429, times=-1), "times=-1"),
        (lambda mock: mock.next(429, times=1.5), r"times=1\.5"),
        (lambda mock: mock.next(429, times=True), "times=True"),
        (lambda mock: mock.next(429, retry_after=-1), "retry_after=-1 is not valid; use whole seconds"),
        (lambda mock: mock.next(429, retry_after=0.5), "retry_after=0.5"),
        (lambda mock: mock.next(429, retry_after=float("nan")), "retry_after=nan"),
        (lambda mock: mock.next(429, retry_after=""), "retry_after=''"),
        (lambda mock: mock.next(429, retry_after="a\r\nb: c"), "retry_after="),
        (lambda mock: mock.next(429, retry_after="\u20ac"), "retry_after="),
        (lambda mock: mock.next(429, retry_after=[1]), "retry_after="),
        (lambda mock: mock.next(429, body=object()), "is not a JSON value"),
        (lambda mock: mock.next(429, body=float("nan")), "is not a JSON value"),
        (lambda mock: mock.fault(["connection_reset"]), "unknown fault"),
        (lambda mock: mock.fault("delay", seconds="x"), "out of bounds; choose 0 to 3600"),
        (lambda mock: mock.next(99, allow_undocumented=True), "99 is not a valid status; choose 200 to 599"),
        (lambda mock: mock.next("429", allow_undocumented=True), "is not a valid status"),
        (lambda mock: mock.fault("explode"), "unknown fault 'explode'; choose one of delay, connection_reset"),
        (lambda mock: mock.fault("connection_reset", times=0), "times=0"),
        (lambda mock: mock.fault("delay", seconds=-1), "out of bounds; choose 0 to 3600"),
        (lambda mock: mock.fault("delay", seconds=float("nan")), "out of bounds"),
    ],
)
def test_invalid_arguments(mock: AltaMock, ask: Callable[[AltaMock], None], message: str) -> None:
    """They are refused in one line, and nothing is queued."""
    with pytest.raises(MockError, match=message):
        ask(mock)

    assert mock.injected() == []


def test_only_requests_within_the_quota_take_injected_responses(mock: AltaMock, send: Send) -> None:
    """Requests without a token or over the quota get their usual response and leave the queue unchanged."""
    mock.next(500)
    assert send(token="wrong").status == 401
    assert send(path="/v1/nowhere").status == 404
    assert send().status == 500
    for _ in range(9):
        send()
    mock.next(500)

    assert send().status == 429
    assert len(mock.injected()) == 1


def test_reset_clears_the_queue(mock: AltaMock, send: Send) -> None:
    """Nothing that a test injected is left."""
    mock.next(500, times=5)
    mock.reset()

    assert send().status == 200


@pytest.mark.parametrize(
    "text", ["code=429", "Code = 429", 'code="429"', "return=minimal, code=429", "wait=1; code=429"]
)
def test_prefer_selects_the_response(mock: AltaMock, send: Send, text: str) -> None:
    """It works in all forms of RFC 7240; the response confirms the preference, and the queue is unchanged."""
    mock.next(500)
    reply = send(headers=prefer(text))

    assert (reply.status, reply.header("Preference-Applied")) == (429, "code=429")
    assert send().status == 500


@pytest.mark.parametrize("text", ["return=minimal", "respond-async, wait=10", "", "barcode=429"])
def test_other_preferences_are_ignored(send: Send, text: str) -> None:
    """RFC 7240 requires this."""
    assert send(headers=prefer(text)).status == 200


@pytest.mark.parametrize(
    "text",
    ["code=503", "code=abc", "code=", "code=42", "code=999999999999999999999", "code=02000", "code=0200", "code=²"],
)
def test_a_code_that_the_contract_lacks_is_a_mistake(send: Send, text: str) -> None:
    """It would be ignored silently otherwise."""
    reply = send(headers=prefer(text))

    assert reply.status == 400
    assert why(reply).startswith("prefer header/prefer: got a status that is not documented; wanted code=200 or 400")


def post(client: Any, base: str, **options: Any) -> Any:
    """Send one valid batch."""
    return client.post(base + PATH, json=ONE, headers=HEADERS, **options)


def test_faults_over_the_socket(unlimited: AltaMock) -> None:
    """`requests` raises the same exceptions as for a real server, and the same records are stored."""
    with unlimited.serve() as server, requests.Session() as session:
        for name, error, stored in (
            ("connection_reset", requests.ConnectionError, 0),
            ("drop_after_commit", requests.ConnectionError, 1),
            ("truncate", requests.exceptions.ChunkedEncodingError, 1),
            ("delay", requests.ReadTimeout, 1),
        ):
            unlimited.reset()
            unlimited.fault(name, seconds=0.4)
            with pytest.raises(error):
                post(session, server.url, timeout=0.2)
            assert len(unlimited.prospects(CAMPAIGN)) == stored, name
        unlimited.reset()
        unlimited.fault("malformed_json")
        unlimited.fault("html_502")
        malformed, html = post(session, server.url, timeout=5), post(session, server.url, timeout=5)

        assert (malformed.status_code, html.status_code, html.headers["Content-Type"]) == (200, 502, "text/html")
        with pytest.raises(requests.JSONDecodeError):
            malformed.json()
        assert len(unlimited.prospects(CAMPAIGN)) == 1
        assert post(session, server.url, timeout=5).status_code == 200


@pytest.mark.parametrize("fault", ["connection_reset", "drop_after_commit", "truncate"])
def test_a_lost_response_is_not_an_error_of_the_server(
    unlimited: AltaMock, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """Nothing is logged, whether the body of the request is read or too large to be."""
    unlimited.fault(fault, times=2)
    with unlimited.serve() as server:
        for body in (b"{}", b"x" * (MAX_BODY + 1)):
            with pytest.raises(requests.RequestException):
                requests.post(server.url + PATH, data=body, headers=HEADERS, timeout=5)

    assert [entry.outcome.lost for entry in unlimited.requests] == [True, True]
    assert caplog.records == []


@pytest.mark.parametrize(
    ("inject", "path", "why", "lost"),
    [
        (lambda mock: mock.next(429), PATH, "injected 429: requested by queue", False),
        (lambda mock: mock.fault("html_502"), PATH, "injected html_502: requested by queue", False),
        (lambda mock: mock.fault("delay", seconds=0), PATH, "injected delay: requested by queue", False),
        (lambda mock: mock.fault("connection_reset"), PATH, "response lost: connection_reset", True),
        (lambda mock: mock.fault("truncate"), PATH, "response lost: truncate", True),
        (lambda mock: mock.fault("drop_after_commit"), PATH, "response lost: drop_after_commit", True),
        (
            lambda mock: mock.fault("truncate"),
            PATH.replace(CAMPAIGN, "x"),
            'format path/campaignId: got a string of 1 character; wanted format "uuid"; response lost: truncate',
            True,
        ),
        (lambda _: None, PATH.replace(CAMPAIGN, BOUND), "injected 404: requested by seed", False),
        (lambda _: None, PATH, None, False),
    ],
)
def test_the_log_has_the_reason(mock: AltaMock, inject: Any, path: str, why: str | None, *, lost: bool) -> None:
    """As text and as JSON: of an injected response and of a lost one, after the violation if there is one."""
    inject(mock)
    request = request_of(path=f"/v1{path}")
    outcome = mock.handle(request)
    text, lines = io.StringIO(), io.StringIO()
    Log(text, "text", mock.redact).request(request, outcome, 1.0)
    Log(lines, "json", mock.redact).request(request, outcome, 1.0)
    line = json.loads(lines.getvalue())

    assert text.getvalue().endswith(f" 1.0 ms{f'  {why}' if why else ''}\n")
    assert (line["why"], line["injected"], line["lost"]) == (why, mock.requests[0].injected, lost)
    assert mock.requests[0].summary()["lost"] is lost


def test_a_delay_does_not_affect_others(unlimited: AltaMock) -> None:
    """Other requests are answered meanwhile, and stopping the server does not wait for the delay."""
    unlimited.fault("delay", seconds=30)
    with unlimited.serve() as server:
        begun = time.monotonic()
        with httpx.Client(timeout=5) as one, httpx.Client(timeout=0.05) as hurried:
            with pytest.raises(httpx.ReadTimeout):
                post(hurried, server.url)
            assert post(one, server.url).status_code == 200
            assert post(one, server.url).status_code == 200
    assert time.monotonic() - begun < 4


def test_faults_through_wsgi(unlimited: AltaMock, clock: Clock) -> None:
    """A lost connection is an exception, a delay advances the clock."""
    base = "http://mock/v1"
    with httpx.Client(transport=httpx.WSGITransport(app=unlimited.app)) as client:
        for name in ("connection_reset", "drop_after_commit"):
            unlimited.fault(name)
            with pytest.raises(ConnectionResetError):
                post(client, base)
        unlimited.fault("delay", seconds=7)
        before = clock.time()
        assert post(client, base).status_code == 200
        assert clock.time() - before == 7
        unlimited.fault("truncate")
        cut = post(client, base)
        unlimited.fault("malformed_json")
        malformed = post(client, base)

    assert (cut.content, cut.headers["Content-Length"]) == (b"{", "2")
    with pytest.raises(json.JSONDecodeError):
        malformed.json()
    assert len(unlimited.prospects(CAMPAIGN)) == 4


def test_every_fault_is_documented() -> None:
    """The table of docs/control.md has every name with its description."""
    page = (ROOT / "docs/control.md").read_text(encoding="utf-8")

    assert [name for name, text in FAULTS.items() if f"| `{name}` | {text} |" not in page] == []


def test_injected_responses_are_marked_in_the_journal(mock: AltaMock) -> None:
    """A report can distinguish them from the fake's own."""
    mock.next(429)
    mock.fault("drop_after_commit")
    for path in (prospects_path(), prospects_path(), prospects_path("00000000-0000-4000-8000-000000000500")):
        mock.answer(request_of(path=path))
    mock.answer(request_of())

    assert [entry.injected for entry in mock.requests] == ["429", "drop_after_commit", "500", None]


def test_a_whole_number_may_have_a_fraction(mock: AltaMock, send: Send) -> None:
    """401.0 is the integer 401 in JSON; so a request of the control API is understood."""
    number: Any = float
    mock.next(number(401), times=number(2))

    assert [send().status for _ in range(3)] == [401, 401, 200]
    with pytest.raises(MockError, match=r"^503 is not documented"):
        mock.next(number(503))


@pytest.mark.parametrize(
    ("more", "most"), [({"body": "x" * 4000}, 2), ({"headers": {"X-Note": "x" * 4000}}, 2), ({}, 49)], ids=str
)
def test_what_waits_is_bounded(
    mock: AltaMock, send: Send, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any], most: int
) -> None:
    """In bytes of bodies and headers, and by the number of small ones; what a request takes makes room."""
    monkeypatch.setattr(fake, "MOST_INJECTED", 10_000)
    for _ in range(most):
        mock.next(429, **more)

    with pytest.raises(MockError, match="would occupy more than 10000 bytes; let requests take some"):
        mock.next(429, **more)
    assert len(mock.injected()) == most
    send()
    mock.next(429, **more)


def test_a_long_wait_is_written_in_full(mock: AltaMock, send: Send) -> None:
    """The header has no exponent."""
    mock.next(429, retry_after=1_234_567)
    mock.next(429, retry_after=5.0)

    assert [send().header("Retry-After") for _ in range(2)] == ["1234567", "5"]


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_response_without_content_has_no_body(unlimited: AltaMock, status: int) -> None:
    """204 and 304 have no length either, and the connection stays open."""
    unlimited.next(status, allow_undocumented=True)
    with unlimited.serve() as server, requests.Session() as session:
        answers = [post(session, server.url, timeout=5) for _ in range(2)]

    assert [(answer.status_code, answer.content) for answer in answers] == [(status, b""), (200, b"{}")]
    assert ("Content-Length" in answers[0].headers) == (status == 205)


def test_headers_of_an_injected_response(unlimited: AltaMock, judge: Send) -> None:
    """The given headers replace the default ones; names are case-insensitive."""
    unlimited.next(200, headers={"CONTENT-TYPE": "text/plain"}, body="x\ud800")
    reply = judge()
    assert [name for name, _ in reply.headers if name.lower() == "content-type"] == ["CONTENT-TYPE"]
    assert (reply.body, reply.header("X-Alta-Mock-Why")) == (b"x?", None)

    unlimited.next(200, headers={"content-type": "Application/JSON"}, body="x")
    assert judge().body == b'"x"'
    unlimited.next(204, allow_undocumented=True)
    assert judge().header("Content-Type") is None
    unlimited.next(401)
    assert judge().header("WWW-Authenticate") == "Bearer"
    unlimited.next(429, headers={"date": "x", "ratelimit-limit": "5"})
    once = [(name, value) for name, value in judge().headers if name.lower() in {"date", "ratelimit-limit"}]
    assert once == [("date", "x"), ("ratelimit-limit", "5")]
    unlimited.next(429, headers={"Retry-After": ""})
    assert judge().header("Retry-After") is None


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({"Content-Length": "5"}, "'Content-Length' is not a valid header name"),
        ({"a b": "x"}, "'a b' is not a valid header name"),
        ({"X-A": "a\r\nb: c"}, "is not a valid value of the header X-A"),
        ({"X-A": 1}, "1 is not a valid value of the header X-A"),
    ],
)
def test_headers_that_no_response_can_have(mock: AltaMock, headers: Any, says: str) -> None:
    """The message names them."""
    with pytest.raises(MockError, match=says):
        mock.next(429, headers=headers)


def test_an_injected_error_has_no_reason_without_why(clock: Clock) -> None:
    """It has no X-Alta-Mock-Why, like any other error."""
    mock = AltaMock(clock=clock, why=False)
    mock.next(500)

    assert mock.answer(request_of()).header("X-Alta-Mock-Why") is None


class Fault(StrEnum):
    """A consumer's own names for faults."""

    LATE = "delay"


def test_values_may_be_of_subclasses(mock: AltaMock, send: Send) -> None:
    """HTTPStatus, StrEnum and timedelta are accepted."""
    mock.next(HTTPStatus.TOO_MANY_REQUESTS, retry_after=timedelta(minutes=2))
    mock.fault(Fault.LATE, seconds=timedelta(seconds=1.5))
    refused, late = send(), send()

    assert (refused.status, refused.header("Retry-After")) == (429, "120")
    assert repr(late.fault) == "Fault(name='delay', seconds=1.5)"
