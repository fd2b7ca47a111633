"""The client's own: what it refuses to be given, what it sends, what a lost connection means."""

from __future__ import annotations

import copy
import pickle
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import ChainMap
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from alta_client import (
    AltaClient,
    AltaError,
    InvalidInput,
    InvalidProspect,
    NotSent,
    OutcomeUnknown,
    Progress,
    RateLimited,
    Refused,
    ServerError,
)
from alta_client._exchange import own_session
from tests.conftest import CAMPAIGN, UNKNOWN_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mock_server import AltaMock

ADA = {"email": "ada@example.com"}


@pytest.fixture
def client(mock: AltaMock) -> Iterator[AltaClient]:
    """A client of a fake, whose waits move the fake's clock."""
    with mock.responses():
        clock = mock.clock
        yield AltaClient(mock.base_url, "test-token", sleep=clock.sleep, clock=clock.time, jitter=lambda: 0.0)


@contextmanager
def serving(talk: Callable[[socket.socket], object]) -> Iterator[str]:
    """Let a function talk to whoever connects, one after the other, and yield the base URL."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                talk(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


def answering(answer: bytes) -> Callable[[socket.socket], object]:
    """Read a request, and send some bytes."""

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)

    return talk


# --- What it is given -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "says"),
    [
        ("http://127.0.0.1:8080", "lacks the version; did you mean http://127.0.0.1:8080/v1"),
        ("https://api.altahq.com/v2/", "did you mean https://api.altahq.com/v2/v1"),
        ("api.altahq.com/v1", "malformed"),
        ("ftp://api.altahq.com/v1", "malformed"),
        ("http:///v1", "malformed"),
        ("http://[::1/v1", "malformed"),
        ("http://x:99999/v1", "malformed"),
        ("http://x/v1?a=b", "malformed"),
        ("http://x y/v1", "malformed"),
        ("http://x/v1\n", "malformed"),
        ("http://ada:secret@x/v1", "contains a user"),
        ("", "malformed"),
        (None, "malformed"),
    ],
)
def test_a_base_url_that_cannot_be_used(base_url: Any, says: str) -> None:
    """It is named, unless it holds a password, with what is wrong."""
    with pytest.raises(InvalidInput, match=says.replace("?", r"\?")) as caught:
        AltaClient(base_url, "test-token")

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("token", [None, "", "two words", "line\nbreak", "t\u00f6ken", "Bearer x"])
def test_a_token_that_cannot_be_used(token: Any) -> None:
    """It is not repeated."""
    with pytest.raises(InvalidInput, match="the token is") as caught:
        AltaClient("http://x/v1", token)

    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("campaign", ["", "x", CAMPAIGN[:-1], CAMPAIGN.replace("-", ""), "{" + CAMPAIGN + "}", None, 7])
def test_a_campaign_that_is_no_uuid(client: AltaClient, mock: AltaMock, campaign: Any) -> None:
    """Nothing is sent."""
    with pytest.raises(InvalidInput, match="is not a valid UUID"):
        client.add_prospects(campaign, [ADA])

    assert mock.requests == []


@pytest.mark.parametrize("prospects", [[], iter(()), None, 5, "ada@example.com", ADA])
def test_nothing_to_add(client: AltaClient, mock: AltaMock, prospects: Any) -> None:
    """No prospects, or what is no series of them."""
    with pytest.raises(InvalidInput, match=r"nothing to add|expected a list"):
        client.add_prospects(CAMPAIGN, prospects)

    assert mock.requests == []


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ([], "got list; expected a mapping"),
        ({}, "expected one of email, linkedinUrl, phone, or all of firstName, lastName, company"),
        ({"email": ""}, "expected one of"),
        ({"email": " \u2003"}, "expected one of"),
        ({"firstName": "Ada", "lastName": "Lovelace"}, "expected one of"),
        ({"email": None}, "email: got NoneType; expected a string"),
        ({**ADA, "jobTitle": "x" * 256}, "jobTitle: got 256 characters; expected at most 255"),
        ({"phone": 1}, "phone: got int"),
        ({**ADA, "score": float("nan")}, "it is not JSON"),
        ({**ADA, "note": {1, 2}}, "it is not JSON"),
        ({**ADA, "note": "\ud800"}, "half a surrogate pair"),
    ],
)
def test_a_bad_record_is_found_before_anything_is_sent(
    client: AltaClient, mock: AltaMock, record: Any, says: str
) -> None:
    """Of a list the whole is looked at first, of an iterator each batch."""
    people: list[Any] = [ADA] * 30 + [record]
    with pytest.raises(InvalidProspect, match=says) as caught:
        client.add_prospects(CAMPAIGN, people)
    assert (caught.value.index, caught.value.added, mock.requests) == (30, 0, [])

    with pytest.raises(InvalidProspect, match=says) as caught:
        client.add_prospects(CAMPAIGN, iter(people))
    assert (caught.value.index, caught.value.added, len(mock.requests)) == (30, 20, 1)


def test_a_deep_record_is_refused(client: AltaClient) -> None:
    """Before the stack ends."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    with pytest.raises(InvalidProspect, match="nested too deeply"):
        client.add_prospects(CAMPAIGN, [{**ADA, "note": deep}])


def test_checks_can_be_left_to_the_server(client: AltaClient, mock: AltaMock) -> None:
    """With `validate=False` the 400 is the server's."""
    with pytest.raises(AltaError) as caught:
        client.add_prospects(CAMPAIGN, [{}], validate=False)

    assert isinstance(caught.value, Refused)
    assert [entry.status for entry in mock.requests] == [400]


def test_longest_texts_and_other_fields_are_accepted(client: AltaClient, mock: AltaMock) -> None:
    """255 characters of any kind, a phone of any length, and what the API does not declare."""
    people: list[Any] = [{"email": "\U0001f600" * 255, "extra": {"a": [1, None]}}, {"phone": "1" * 300}]

    assert client.add_prospects(UUID(CAMPAIGN), people) == 2
    assert mock.prospects(CAMPAIGN) == people


def repeating(**options: Any) -> requests.Session:
    """Return a session whose adapter retries."""
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(**options)))
    return session


def test_a_session_that_repeats_a_post_is_refused() -> None:
    """It would send a batch twice behind our back."""
    for bad in (repeating(total=3), repeating(total=3, other=0, allowed_methods={"POST"})):
        with pytest.raises(InvalidInput, match="would send a write twice"):
            AltaClient("http://x/v1", "t", session=bad)
    no_answers = {"read": False, "status": False, "other": False}
    for good in (
        repeating(total=0),
        repeating(total=3, other=0),
        repeating(total=3, allowed_methods=None, **no_answers),
    ):
        AltaClient("http://x/v1", "t", session=good)


# --- What it sends ----------------------------------------------------------------------------------------------------


def test_an_iterator_is_never_held_whole(client: AltaClient, mock: AltaMock) -> None:
    """When a batch is sent, no more than that batch has been taken."""
    taken: list[int] = []
    seen: list[int] = []

    def people() -> Iterator[dict[str, str]]:
        for number in range(70):
            taken.append(number)
            yield {"phone": str(number)}

    def look(progress: Progress) -> None:
        if progress.event == "sending":
            seen.append(len(taken))

    assert client.add_prospects(CAMPAIGN, people(), on_progress=look) == 70
    assert seen == [20, 40, 60, 70]
    assert mock.prospects(CAMPAIGN) == [{"phone": str(number)} for number in range(70)]


def test_progress_tells_what_happens_and_when(client: AltaClient, mock: AltaMock) -> None:
    """A batch that waits is not under way."""
    mock.next(429, retry_after=9)
    reported: list[Progress] = []
    client.add_prospects(CAMPAIGN, [ADA] * 21, on_progress=reported.append)

    assert [(one.event, one.added, len(one.batch), one.wait) for one in reported] == [
        ("sending", 0, 20, 0),
        ("waiting", 0, 20, 9),
        ("sending", 0, 20, 0),
        ("added", 20, 20, 0),
        ("sending", 20, 1, 0),
        ("added", 21, 1, 0),
    ]


def test_the_pause_outlasts_the_call(client: AltaClient, mock: AltaMock) -> None:
    """A client that has used up the quota in one call waits at the beginning of the next."""
    client.add_prospects(CAMPAIGN, [ADA] * 200)
    assert mock.clock.advanced == 0
    mock.clock.advance(20)
    client.add_prospects(CAMPAIGN, [ADA])

    assert mock.clock.advanced == pytest.approx(60, abs=0.01)
    assert {entry.status for entry in mock.requests} == {200}


def test_an_absurd_pause_is_not_made(client: AltaClient, mock: AltaMock) -> None:
    """A RateLimit-Reset that is a time and no duration, as other vendors send it, stops nobody for decades."""
    odd = {"RateLimit-Remaining": "0", "RateLimit-Reset": "1767225660"}
    mock.clear_injected()
    mock.next(200, headers=odd)
    reported: list[Progress] = []

    assert client.add_prospects(CAMPAIGN, [ADA] * 21, on_progress=reported.append) == 21
    assert "waiting" not in {one.event for one in reported}


def test_netrc_does_not_replace_the_token(mock: AltaMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which `requests` would do to a header that was merely set."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with mock.serve() as server:
        assert AltaClient(server.url, "test-token").add_prospects(CAMPAIGN, [ADA]) == 1


def test_an_account_can_be_named(mock: AltaMock) -> None:
    """For users of several."""
    with mock.responses(), pytest.raises(Refused) as caught:
        AltaClient(mock.base_url, "multi-token").add_prospects(CAMPAIGN, [ADA])
    with mock.responses():
        assert AltaClient(mock.base_url, "multi-token", account_id="acme").add_prospects(CAMPAIGN, [ADA]) == 1
    assert caught.value.status == 401


# --- What it makes of answers -----------------------------------------------------------------------------------------


def test_no_token_is_shown(client: AltaClient, mock: AltaMock) -> None:
    """Neither by the client nor by its errors, nor by what they carry."""
    mock.next(500)
    with pytest.raises(ServerError) as caught:
        client.add_prospects(CAMPAIGN, [ADA])

    assert caught.value.response is not None
    shown = [repr(client), repr(caught.value), str(caught.value), str(caught.value.request.headers)]
    assert "test-token" not in " ".join([*shown, str(caught.value.response.request.headers)])


def test_patience_has_bounds(client: AltaClient, mock: AltaMock) -> None:
    """Ten refusals in a row, or a wait longer than allowed; the seconds of Retry-After are known."""
    mock.next(429, times=99, retry_after=0)
    with pytest.raises(RateLimited) as caught:
        client.add_prospects(CAMPAIGN, [ADA])
    assert (len(mock.requests), caught.value.retry_after, mock.clock.advanced) == (10, 0, 0)

    mock.reset()
    mock.next(429, times=99, retry_after=301)
    with pytest.raises(RateLimited) as caught:
        client.add_prospects(CAMPAIGN, [ADA])
    assert (len(mock.requests), caught.value.retry_after) == (1, 301)


def test_backoff_grows_where_nothing_is_told(client: AltaClient, mock: AltaMock) -> None:
    """One second, two, four."""
    mock.next(429, times=3, retry_after="whenever")
    reported: list[Progress] = []
    client.add_prospects(CAMPAIGN, [ADA], on_progress=reported.append)

    assert [one.wait for one in reported if one.event == "waiting"] == [1, 2, 4]


def test_what_follows_an_unknown_batch_can_be_sent(client: AltaClient, mock: AltaMock) -> None:
    """The iterator stands behind it."""
    people = iter([{"phone": str(number)} for number in range(50)])
    mock.clear_injected()
    mock.fault("drop_after_commit")
    with pytest.raises(OutcomeUnknown, match=r"0 prospects were added, the next 20 may or may not have been"):
        client.add_prospects(CAMPAIGN, people)

    assert client.add_prospects(CAMPAIGN, people) == 30
    assert [one["phone"] for one in mock.prospects(CAMPAIGN)] == [str(number) for number in range(50)]


OK = b"HTTP/1.1 200 OK\r\n"
ODD_SUCCESSES = {
    "no body": OK + b"Content-Length: 0\r\n\r\n",
    "no length": OK + b"\r\nhello",
    "cut off": OK + b"Content-Length: 100\r\n\r\n{",
    "bad chunks": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "bad gzip": OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
    "html": OK + b"Content-Type: text/html\r\nContent-Length: 4\r\n\r\n<h1>",
    "huge": OK + b"Content-Length: 2000000\r\n\r\n" + b"x" * 2_000_000,
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "202": b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
    "odd headers": OK + b"RateLimit-Remaining: -1\r\nRateLimit-Reset: soon\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", ODD_SUCCESSES)
def test_any_success_is_one(name: str) -> None:
    """The status decides, whatever the body is, or whether it comes at all."""
    with serving(answering(ODD_SUCCESSES[name])) as url:
        assert AltaClient(url, "t").add_prospects(CAMPAIGN, [ADA]) == 1


ERRORS: dict[str, tuple[bytes, type[AltaError], str]] = {
    "html": (b"HTTP/1.1 404 X\r\nContent-Length: 4\r\n\r\n<h1>", Refused, "404 without an explanation"),
    "list": (b"HTTP/1.1 400 X\r\nContent-Length: 2\r\n\r\n[]", Refused, "400 without"),
    "numbers": (b'HTTP/1.1 400 X\r\nContent-Length: 11\r\n\r\n{"error":1}', Refused, "400 without"),
    "redirect": (
        b"HTTP/1.1 301 X\r\nLocation: /v1/x\r\nContent-Length: 0\r\n\r\n",
        Refused,
        "redirects are not followed",
    ),
    "bad redirect": (
        b"HTTP/1.1 302 X\r\nLocation: http://[\xff\r\nContent-Length: 0\r\n\r\n",
        AltaError,
        "302|was lost",
    ),
    "html 502": (b"HTTP/1.1 502 X\r\nContent-Length: 4\r\n\r\n<h1>", ServerError, "the response was 502"),
    "nothing": (b"", OutcomeUnknown, "the connection to .* was lost"),
    "no http": (b"hello\r\n\r\n", OutcomeUnknown, "was lost"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_odd_errors_are_errors(name: str) -> None:
    """Of the kind that belongs to the status."""
    answer, kind, says = ERRORS[name]
    with serving(answering(answer)) as url, pytest.raises(kind, match=says):
        AltaClient(url, "t").add_prospects(CAMPAIGN, [ADA])


def test_no_answer_in_time() -> None:
    """Whether the batch was added is unknown."""
    hold = threading.Event()

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        hold.wait(10)

    with serving(talk) as url:
        with pytest.raises(OutcomeUnknown, match="timed out"):
            AltaClient(url, "t", timeout=0.05).add_prospects(CAMPAIGN, [ADA])
        hold.set()


def test_an_answer_that_never_ends_is_cut_off() -> None:
    """After its time; the status counts."""
    done = threading.Event()
    now = iter(range(0, 10_000, 7))

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while not done.is_set():
            try:
                connection.sendall(b"1\r\nx\r\n")
            except OSError:
                return

    with serving(talk) as url:
        client = AltaClient(url, "t", clock=lambda: next(now))
        assert client.add_prospects(CAMPAIGN, [ADA]) == 1
        client.close()
        done.set()


def test_no_connection_is_certain() -> None:
    """A port that nobody listens on, a name that does not exist, a server without TLS."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(NotSent, match="cannot reach"):
        AltaClient(f"http://127.0.0.1:{port}/v1", "t").add_prospects(CAMPAIGN, [ADA])

    with serving(answering(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as url, pytest.raises(NotSent):
        AltaClient(url.replace("http", "https"), "t").add_prospects(CAMPAIGN, [ADA])


def test_a_certificate_that_is_not_trusted_is_certain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent to a server that nobody vouches for."""

    def refuse(*_: object, **__: object) -> None:
        raise ssl.SSLCertVerificationError(1, "self-signed certificate")

    monkeypatch.setattr("ssl.SSLContext.wrap_socket", refuse)
    with serving(answering(b"")) as url, pytest.raises(NotSent, match="self-signed certificate"):
        AltaClient(url.replace("http", "https"), "t").add_prospects(CAMPAIGN, [ADA])


def test_an_unknown_campaign(client: AltaClient) -> None:
    """The error has the vendor's words, the request and the answer."""
    with pytest.raises(Refused) as caught:
        client.add_prospects(UNKNOWN_CAMPAIGN, [ADA])

    error = caught.value
    assert (type(error).__name__, error.status, error.error) == ("NotFound", 404, "NotFound")
    assert str(error) == "404 NotFound: Resource not found"
    assert error.response is not None
    assert error.request.url == error.response.url
    assert (error.added, error.batch) == (0, [ADA])


def test_errors_can_be_copied_and_sent_to_another_process(client: AltaClient, mock: AltaMock) -> None:
    """With all that they know."""
    mock.next(500)
    with pytest.raises(ServerError) as caught:
        client.add_prospects(CAMPAIGN, [ADA])
    for copied in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):  # noqa: S301 - our own
        assert (type(copied), str(copied)) == (ServerError, str(caught.value))
        assert (copied.status, copied.added, copied.batch) == (500, 0, [ADA])


def test_what_progress_raises_comes_out_as_it_is(client: AltaClient, mock: AltaMock) -> None:
    """Also if it looks like an error of ours: the batch is in the campaign."""

    def refuse(progress: Progress) -> None:
        if progress.event == "added":
            raise InvalidInput("enough")

    with pytest.raises(InvalidInput) as caught:
        client.add_prospects(CAMPAIGN, [ADA] * 40, on_progress=refuse)
    assert (caught.value.batch, len(mock.prospects(CAMPAIGN))) == ((), 20)


@pytest.mark.parametrize("name", ["timeout", "max_wait"])
@pytest.mark.parametrize("value", [0, -1, None, float("nan"), float("inf"), (3, 27), "5", True])
def test_times_that_cannot_be_used(name: str, value: Any) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInput, match=f"{name}=.* is not valid"):
        AltaClient("http://x/v1", "t", **{name: value})


@pytest.mark.parametrize(
    ("reported", "waits"),
    [
        (["Thu Jan  1 00:01:00 2026"], 60),
        (["Thu, 01 Jan 2026 00:01:00 -0000"], 60),
        (["Thursday, 01-Jan-26 00:01:00 GMT"], 60),
        (["5", "Thu, 01 Jan 2026 00:01:00 GMT"], 60),
        (["60", "-1"], 60),
        (["60;x=1"], 60),
        (["60."], 60),
        (["1e3"], 1),
        (["0x10"], 1),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Lima"])
def test_every_form_of_a_time_to_wait(
    reported: list[str], waits: int, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dates of all three forms of HTTP are in UTC, wherever the client is; of several values the longest counts."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    lines = "".join(f"Retry-After: {value}\r\n" for value in reported)
    refusal = f"HTTP/1.1 429 X\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n{lines}Content-Length: 0\r\n\r\n".encode()
    answers = [refusal, OK + b"Content-Length: 0\r\n\r\n"]
    slept: list[float] = []

    def talk(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answers.pop(0))

    with serving(talk) as url:
        AltaClient(url, "t", sleep=slept.append, clock=lambda: 0.0, jitter=lambda: 0.0).add_prospects(CAMPAIGN, [ADA])
    monkeypatch.undo()
    time.tzset()
    assert slept == [waits]


def test_behind_a_proxy_a_lost_answer_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a proxy that is not there is certain."""
    with serving(answering(b"")) as proxy:
        monkeypatch.setenv("http_proxy", proxy.removesuffix("/v1"))
        with pytest.raises(OutcomeUnknown):
            AltaClient("http://alta.invalid/v1", "t").add_prospects(CAMPAIGN, [ADA])
        with pytest.raises(OutcomeUnknown):
            AltaClient("http://alta.invalid/v1", "t", session=requests.Session()).add_prospects(CAMPAIGN, [ADA])
    with pytest.raises(NotSent):
        AltaClient("http://alta.invalid/v1", "t").add_prospects(CAMPAIGN, [ADA])


def test_a_redirect_carries_no_token_away() -> None:
    """Not even in what `requests` would send next."""
    answer = b"HTTP/1.1 301 X\r\nLocation: /v1/x\r\nContent-Length: 0\r\n\r\n"
    with serving(answering(answer)) as url, pytest.raises(Refused) as caught:
        AltaClient(url, "test-token").add_prospects(CAMPAIGN, [ADA])

    assert isinstance(caught.value.response, requests.Response)
    assert caught.value.response.next is None
    assert caught.value.response.headers["Location"] == "/v1/x"


@pytest.mark.parametrize("status", [103, 302, 303, 304])
def test_an_answer_that_says_nothing_leaves_it_unknown(status: int) -> None:
    """A redirect may follow upon what was carried out."""
    answer = f"HTTP/1.1 {status} X\r\nLocation: /v1/x\r\nContent-Length: 0\r\n\r\n".encode()
    with serving(answering(answer)) as url, pytest.raises(OutcomeUnknown):
        AltaClient(url, "t").add_prospects(CAMPAIGN, [ADA])


def test_its_own_session_repeats_nothing_by_any_scheme() -> None:
    """Whatever fails: reading, TLS, a status."""
    session = own_session()
    for scheme in ("http://x", "https://x"):
        retries = session.get_adapter(scheme).max_retries  # type: ignore[attr-defined]  # its type is wider than what is there
        assert (retries.read, retries.status, retries.redirect, retries.other) == (False,) * 4
        assert retries.connect == 2


def test_any_mapping_is_a_record(client: AltaClient, mock: AltaMock) -> None:
    """Not only dictionaries; names of fields are texts."""
    assert client.add_prospects(CAMPAIGN, [MappingProxyType(ADA), ChainMap({**ADA})]) == 2
    assert mock.prospects(CAMPAIGN) == [ADA, ADA]
    with pytest.raises(InvalidProspect, match="a field is not a string"):
        client.add_prospects(CAMPAIGN, [{**ADA, 1: "x"}])  # type: ignore[dict-item]  # wrong on purpose


def test_the_client_stands_alone() -> None:
    """It imports nothing of the fake, of the kit, or of Flask."""
    code = (
        "import sys, alta_client, alta_client.add.cli;"
        "print([m for m in sys.modules if m.split('.')[0] in ('mock_server', 'contract_tests', 'flask', 'responses')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_what_is_exported_exists() -> None:
    """`__all__` is sorted and true, and every error is in the tree."""
    import alta_client  # noqa: PLC0415 - the subject of the test

    assert sorted(alta_client.__all__) == alta_client.__all__
    errors = [one for one in (getattr(alta_client, name) for name in alta_client.__all__) if isinstance(one, type)]
    drawn = sys.modules["alta_client._errors"].__doc__ or ""
    assert all(one.__name__ in drawn for one in errors if issubclass(one, Exception))
