"""Requests of the journal as commands, programs and tests: running each repeats the request."""

from __future__ import annotations

import contextlib
import json
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from mock_server import AltaMock, Clock
from mock_server.journal.snippets import as_curl, as_program, as_test
from mock_server.messages.http import ApiRequest
from mock_server.messages.injected import FAULTS
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, ONE, prospects_path, request_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_server.journal.entries import Entry
    from mock_server.transports.live_server import LiveServer

JSON = ("content-type", "application/json")
PATH = prospects_path()
AWKWARD = {"data": [{"email": "o'hara@example.com", "company": '$HOME `id` "\\\n\t☃'}] * 12}

REQUESTS = {
    "a good one": request_of(),
    "none of our quotes": request_of(AWKWARD),
    "numbers to the digit": request_of(b'{"data":[{"email":"a","n":0.1234567890123456789012345}]}'),
    "a key twice": request_of(b'{"data":[{"email":"a","email":"b"}]}'),
    "too many": request_of({"data": [{"email": "a"}] * 21}),
    "two rules": request_of({"data": [{"email": 7}, {}]}),
    "no JSON": request_of(b'{"data": ['),
    "not a number": request_of(b'{"data": [NaN]}'),
    "no text": request_of(b"\xff\xfe\x00'"),
    "no body": request_of(b"", headers=()),
    "another type": request_of(headers=(("content-type", "text/plain"),)),
    "without a token": request_of(token=None),
    "an unknown token": request_of(token="nobody-knows-this"),
    "no scheme": request_of(token=None, headers=(JSON, ("authorization", "test-token"))),
    "a token that begins like another": request_of(token="test-token-2"),
    "who may not": request_of(token="test-token-readonly"),
    "of two accounts": request_of(
        path=prospects_path(FOREIGN_CAMPAIGN), token="multi-token", headers=(JSON, ("x-account-id", "globex"))
    ),
    "a question": ApiRequest("GET", PATH, "page=1&who=o'hara", (("authorization", "Bearer test-token"),)),
    "a file's name": request_of(b"@/etc/hostname"),
    "no content type": request_of(headers=()),
    "half an emoji": request_of(b'{"data":[{"email":"a","firstName":"\\ud83d"}]}'),
    "deep": request_of(b'{"data":[],"x":' + b"[" * 400 + b"]" * 400 + b"}"),
    "large": request_of({"data": [{"email": "a" * 200_000}]}),
    "larger than is kept": ApiRequest(
        "POST", PATH, "", (("authorization", "Bearer test-token"), ("content-type", "application/json")), None
    ),
    "a template that was not filled in": request_of(path="/v1/campaigns/{campaignId}/prospects"),
    "patterns": request_of(path="/v1/campaigns/[1-3]/prospects"),
    "an empty header": request_of(headers=(JSON, ("x-account-id", ""))),
    "only the head": ApiRequest("HEAD", PATH, "", (("authorization", "Bearer test-token"),)),
    "another scheme": request_of(token=None, headers=(JSON, ("authorization", "test-token foo"))),
    "two tokens": request_of(token=None, headers=(JSON, ("authorization", "test-token test-token-2"))),
    "the scheme behind": request_of(token=None, headers=(JSON, ("authorization", "nobody-knows-this Bearer"))),
    "a wish": request_of(headers=(JSON, ("prefer", "code=404"))),
    "elsewhere": request_of(path="/campaigns"),
    "below a slash": request_of(path=f"/v1/campaigns/{CAMPAIGN}/prospects/%2F"),
}
ORIGIN = "http://127.0.0.1:8080"


def entry_of(mock: AltaMock, request: ApiRequest) -> Entry:
    """Send a request as received over a socket, with the headers that every client adds, and return its entry."""
    added = (("host", "127.0.0.1:8080"), ("user-agent", "some/1"), ("accept", "*/*"))
    mock.handle(ApiRequest(request.method, request.path, request.query, (*added, *request.headers), request.body))
    return mock.requests[-1]


CURL_ONLY = {
    "two accounts": request_of(headers=(JSON, ("x-account-id", "acme"), ("x-account-id", "globex"))),
    "a path with dots": request_of(path="/v1/campaigns/../prospects"),
}
"""What `requests` cannot send."""


def same(one: Entry, other: Entry) -> bool:
    """Return whether two requests and their responses are equal, except for unknown tokens, which are not kept."""
    return facts(one) == facts(other)


def facts(entry: Entry) -> tuple[Any, ...]:
    """Return the facts that must be the same."""
    body = entry.unredacted.body or b""
    with contextlib.suppress(ValueError):
        body = json.loads(body, object_pairs_hook=list, parse_float=str)
    rules = [(one.rule, one.pointer) for one in entry.violations]
    path = unquote(entry.path)  # `requests` encodes what need not be
    return (entry.method, path, entry.unredacted.query, body, entry.status, entry.account, rules)


@pytest.fixture
def live(unlimited: AltaMock) -> Iterator[LiveServer]:
    """A fake without limits on a socket."""
    with unlimited.serve() as running:
        yield running


def origin_of(live: LiveServer) -> str:
    """Return scheme, host and port of a server."""
    return live.origin


@pytest.mark.parametrize("name", [*REQUESTS, *CURL_ONLY])
def test_the_command_repeats_the_request(unlimited: AltaMock, live: LiveServer, name: str) -> None:
    """It runs in a shell, with the token in the environment."""
    entry = entry_of(unlimited, (REQUESTS | CURL_ONLY)[name])
    command = as_curl(entry, origin_of(live))
    subprocess.run(
        ["bash", "-eu"],  # noqa: S607 - whichever bash there is
        input=command.encode(),
        check=True,
        capture_output=True,
        timeout=30,
        env={"ALTA_API_TOKEN": token_of(entry), "PATH": "/usr/bin:/bin"},
    )

    assert same(unlimited.requests[-1], entry)
    assert len(unlimited.requests) == 2


def token_of(entry: Entry) -> str:
    """Return the token that a user would put into ALTA_API_TOKEN."""
    sent = [value.rpartition(" ")[2] for value in entry.unredacted.all("authorization")]
    return sent[0] if sent else "unused"


@pytest.mark.parametrize("name", REQUESTS)
def test_the_program_repeats_the_request(
    unlimited: AltaMock, live: LiveServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in Python."""
    entry = entry_of(unlimited, REQUESTS[name])
    monkeypatch.setenv("ALTA_API_TOKEN", token_of(entry))
    exec(as_program(entry, origin_of(live)), {})  # noqa: S102 - that is the subject

    assert same(unlimited.requests[-1], entry)
    assert len(unlimited.requests) == 2


@pytest.mark.parametrize("name", REQUESTS)
def test_the_test_passes_on_a_fresh_fake(unlimited: AltaMock, name: str) -> None:
    """With the fixtures of our plugin it gets the same status and the same rules."""
    entry = entry_of(unlimited, REQUESTS[name])
    fresh = AltaMock()
    run(as_test(entry), fresh)

    assert same(fresh.requests[-1], entry)


def run(text: str, mock: AltaMock) -> None:
    """Run the single test of a text, as pytest does."""
    space: dict[str, Any] = {}
    exec(text, space)  # noqa: S102 - that is the subject
    (test,) = (value for name, value in space.items() if name.startswith("test_"))
    with mock.serve() as server:
        test(mock, server)


def test_an_injected_response_is_injected_again(clock: Clock) -> None:
    """This holds for a status of the queue and for a 429 of the quota, which a new fake would not return."""
    mock = AltaMock(clock=clock, rate_limit="1/60s")
    mock.next(503, allow_undocumented=True)
    injected, refused = entry_of(mock, request_of()), entry_of(mock, request_of())
    mock.clock.advance(60)
    mock.fault("html_502")
    broken = entry_of(mock, request_of())

    assert [entry.status for entry in (injected, refused, broken)] == [503, 429, 502]
    for entry in (injected, refused, broken):
        run(as_test(entry), AltaMock())


def test_a_test_fails_where_the_response_differs(unlimited: AltaMock) -> None:
    """It asserts something: another status, and the same status by another rule."""
    entry = entry_of(unlimited, request_of({"data": []}))
    other = as_test(entry).replace("json={'data': []}", f"json={ONE!r}")
    wrong = as_test(entry).replace("json={'data': []}", "json={'data': [{}]}")

    for text in (other, wrong):
        with pytest.raises(AssertionError):
            run(text, AltaMock())


@pytest.mark.parametrize("name", REQUESTS)
def test_no_token_is_copied(unlimited: AltaMock, name: str) -> None:
    """Neither a known token nor an unknown one is in the copy."""
    entry = entry_of(unlimited, REQUESTS[name])
    for text in (as_curl(entry, ORIGIN), as_program(entry, ORIGIN), as_test(entry)):
        assert "nobody-knows-this" not in text
        assert not any(token in text for token in unlimited.seed.tokens)


def test_a_token_in_the_body_is_not_copied(unlimited: AltaMock) -> None:
    """The copy then does not repeat the request, which is acceptable."""
    entry = entry_of(unlimited, request_of({"data": [{"email": "test-token"}], "Authorization": "Bearer secret-one"}))
    for text in (as_curl(entry, ORIGIN), as_program(entry, ORIGIN), as_test(entry)):
        assert "test-token" not in text
        assert "secret-one" not in text


@pytest.mark.parametrize("name", CURL_ONLY)
def test_a_copy_says_what_it_cannot_repeat(unlimited: AltaMock, name: str) -> None:
    """`requests` drops one of two equal headers, and normalizes a path."""
    entry = entry_of(unlimited, CURL_ONLY[name])
    for text in (as_program(entry, ORIGIN), as_test(entry)):
        assert text.startswith("# requests ")
        assert text.endswith("; copy it as curl\n")
        assert text.count("\n") == 1


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_fault_is_injected_again(fault: str) -> None:
    """If there was no response, the copy expects none."""
    mock = AltaMock()
    mock.fault(fault, seconds=0.01)
    entry = entry_of(mock, request_of())
    fresh = AltaMock()
    run(as_test(entry), fresh)

    assert [one.injected for one in fresh.requests] == [fault]


def test_a_test_has_the_files_of_its_fake(tmp_path: Path) -> None:
    """A custom seed has other tokens."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        f"accounts: [{{id: mine, campaigns: [{{id: {CAMPAIGN}, name: x}}]}}]\n"
        "tokens: [{token: secret, accounts: [mine]}]\n"
    )
    entry = entry_of(AltaMock(data=seed), request_of(token="secret"))
    text = as_test(entry)

    assert f"@pytest.mark.alta(data={str(seed)!r})" in text
    assert "secret" not in text
    run(text, AltaMock(data=seed))


def test_no_cookie_is_copied(unlimited: AltaMock) -> None:
    """Credentials for a proxy are not copied either."""
    secrets = (("cookie", "session=nobody-knows-this"), ("proxy-authorization", "Basic nobody-knows-this"))
    entry = entry_of(unlimited, request_of(headers=(JSON, *secrets)))
    shown = [as_curl(entry, ORIGIN), as_program(entry, ORIGIN), as_test(entry), json.dumps(entry.as_dict())]

    assert not any("nobody-knows-this" in text for text in shown)


def test_a_copy_that_lacks_a_token_says_so(unlimited: AltaMock) -> None:
    """A copy without a missing token does not."""
    whole = entry_of(unlimited, request_of())
    lacking = entry_of(unlimited, request_of({"data": [{"email": "test-token"}]}))
    for copied in (lambda entry: as_curl(entry, ORIGIN), lambda entry: as_program(entry, ORIGIN), as_test):
        assert copied(lacking).startswith("# *** stands for a token")
        assert "***" not in copied(whole)


def test_an_injected_response_is_injected_with_all_its_parts(mock: AltaMock) -> None:
    """Its wait, its headers, its body."""
    mock.next(429, retry_after=77, headers={"X-Own": "mine"}, body={"own": True})
    entry = entry_of(mock, request_of())
    fresh = AltaMock()
    run(as_test(entry), fresh)

    reply = fresh.requests[-1].outcome.reply
    assert (reply.header("Retry-After"), reply.header("X-Own"), reply.body) == ("77", "mine", b'{"own":true}')


def test_a_test_waits_as_long_as_its_fault() -> None:
    """The delay is added to the usual timeout."""
    mock = AltaMock()
    mock.fault("delay", seconds=30)

    assert "timeout=40" in as_test(entry_of(mock, request_of()))


def test_a_header_name_that_is_a_token_is_not_copied(unlimited: AltaMock) -> None:
    """A client may write the token on the wrong side of the colon."""
    entry = entry_of(unlimited, request_of(headers=(JSON, ("test-token", "x"))))
    shown = [as_curl(entry, ORIGIN), as_program(entry, ORIGIN), as_test(entry), json.dumps(entry.as_dict())]

    assert not any("test-token" in text for text in shown)
