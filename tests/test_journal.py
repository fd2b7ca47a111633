"""The journal: what it keeps, what it shows, and what it never shows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_server.journal import entries
from mock_server.journal.har import har
from mock_server.messages.redaction import Redactor
from mock_server.store import memory
from tests.conftest import CAMPAIGN, ONE, ROOT, calls_during, prospects_path, request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server import AltaMock
    from mock_server.messages.http import ApiReply

    Send = Callable[..., ApiReply]


def texts_of(mock: AltaMock) -> str:
    """Return all entries as JSON."""
    return json.dumps([entry.as_dict() for entry in mock.requests], ensure_ascii=False)


TOKENS = ("test-token", "other-token", "multi-token", "secret-of-mine")


def test_an_entry_has_everything_known_about_a_request(mock: AltaMock, send: Send) -> None:
    """It has operation, identity, body, response, mock time, and each violation with its source and remedy."""
    send({"data": [{"firstName": "x" * 256, "phone": "1"}]}, token="test-token-2")
    (entry,) = mock.requests

    assert (entry.number, entry.transport, entry.operation, entry.account) == (
        1,
        "python",
        "addProspectsToCampaign",
        "acme",
    )
    shown = entry.as_dict()
    assert (shown["time"], shown["user"], shown["status"]) == ("2026-01-01T00:00:00.000+00:00", "Grace", 400)
    assert json.loads(shown["requestBody"])["data"][0]["phone"] == "1"
    assert json.loads(shown["responseBody"])["error"] == "ValidationError"
    line = (ROOT / "openapi.yaml").read_text(encoding="utf-8").splitlines()
    (violation,) = shown["violations"]
    name, number = violation.pop("line").split(":")
    assert (name, line[int(number) - 1].strip()) == ("openapi.yaml", "maxLength: 255")
    assert violation == {
        "rule": "maxLength",
        "place": "body",
        "pointer": "/data/0/firstName",
        "got": "256 characters",
        "wanted": "at most 255",
        "fix": "shorten the text; characters count, not bytes",
    }


def test_repr_shows_what_was_broken_and_where(mock: AltaMock, send: Send) -> None:
    """The output of a failing assertion is enough to find the mistake."""
    send({"data": [{}] * 21})
    send()

    text = repr(mock.requests)
    assert f"<1. POST {prospects_path()} -> 400\n    maxItems /data: got 21 items; wanted at most 20" in text
    assert f"<2. POST {prospects_path()} -> 200>" in text


def test_no_token_is_ever_shown(mock: AltaMock) -> None:
    """No token is shown, whether it was sent in a header, path, query, body, or key."""
    for token in TOKENS:
        body = {"data": [{"email": "a", "note": f"Bearer {token}" if token.startswith("secret") else token}]}
        request = request_of(body, token=token, path=prospects_path(token if not token.startswith("secret") else "x"))
        mock.answer(type(request)(request.method, request.path, f"a=Bearer%20{token}", request.headers, request.body))
    shown = "".join((texts_of(mock), har(mock.requests, "http://x"), repr(mock.requests)))

    assert "***" in shown
    assert not [token for token in TOKENS if token in shown]


def test_it_is_capped_by_count_and_by_bytes(mock: AltaMock, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest entries are removed first; numbering continues."""
    monkeypatch.setattr(memory, "JOURNAL_ENTRIES", 5)
    for _ in range(8):
        send()
    assert [entry.number for entry in mock.requests] == [4, 5, 6, 7, 8]

    monkeypatch.setattr(memory, "JOURNAL_BYTES", 4500)
    for _ in range(3):
        send({"data": [{"email": "x" * 1200}]})
    assert [entry.number for entry in mock.requests] == [10, 11]


def test_reading_on_from_a_number(mock: AltaMock, send: Send) -> None:
    """A reader misses nothing and sees nothing twice; after a reset, which it can see, it begins again."""
    for _ in range(3):
        send()

    assert [entry.number for entry in mock.journal.entries(after=1)] == [2, 3]
    assert mock.journal.entries(after=3) == []
    assert mock.journal.entries(after=99) == []
    before = mock.journal.look(after=3)[1].cleared
    mock.reset()
    send()
    entries, recorded = mock.journal.look(after=0)
    assert ([entry.number for entry in entries], recorded.cleared) == ([1], before + 1)


def test_a_body_that_is_not_text_is_an_entry_in_json(mock: AltaMock, send: Send) -> None:
    """What is not UTF-8 is replaced."""
    send(b"\xff\n\xfe")

    assert json.loads(json.dumps(mock.requests[0].as_dict()))["requestBody"] == "\ufffd\n\ufffd"


def test_har_has_what_a_network_panel_needs(mock: AltaMock, send: Send) -> None:
    """HAR 1.2 needs version, creator, and for each entry request, response, timings and cache."""
    send()
    mock.fault("drop_after_commit")
    send({"data": []})

    log = json.loads(har(mock.requests, "http://127.0.0.1:8080"))["log"]
    assert (log["version"], log["creator"]["name"]) == ("1.2", "alta-mock")
    good, bad = log["entries"]
    assert good["request"]["url"] == f"http://127.0.0.1:8080{prospects_path()}"
    assert json.loads(good["request"]["postData"]["text"]) == ONE
    assert (good["response"]["status"], good["response"]["content"]["text"]) == (200, "{}")
    assert (bad["response"]["status"], bad["response"]["statusText"]) == (400, "Bad Request")
    assert bad["comment"].startswith("minItems /data")
    assert bad["comment"].endswith("; response lost: drop_after_commit")
    assert {"startedDateTime", "time", "timings", "cache"} <= set(good)


@pytest.mark.parametrize(
    ("options", "broke"),
    [
        ({}, False),
        ({"body": {"data": []}}, True),
        ({"token": "wrong"}, True),
        ({"path": "/v1/nowhere"}, True),
        ({"method": "PUT"}, True),
        ({"path": prospects_path("11111111-1111-4111-8111-111111111111")}, False),
        ({"token": "test-token-readonly"}, False),
        ({"path": prospects_path("00000000-0000-4000-8000-000000000400")}, False),
    ],
)
def test_what_breaks_the_contract(mock: AltaMock, send: Send, options: dict[str, object], *, broke: bool) -> None:
    """An invalid request does; a valid request that gets 403, 404 or an injected response does not."""
    send(**options)

    assert mock.requests[0].broke_the_contract is broke
    assert mock.prospects(CAMPAIGN) == (ONE["data"] if not options else [])


@pytest.mark.parametrize(
    ("body", "query"),
    [
        ({"data": [{"k" * 49: "x", "other-token": 1}]}, ""),
        ({"data": [{"k" * 52: "x", "other-token": 1}]}, ""),
        ({"data": [{"other-token": "x"}]}, ""),
        (b'{"data":[{"email":"a","other-token":"\\ud800"}]}', ""),
        (b'{"data":[{"email":"a","other-token":1,"other-token":2}]}', ""),
        (b'{"data":[{"email":"a","x":"other\\u002dtoken"}]}', ""),
        ({"data": [{"email": "a"}]}, "other-token=other-token"),
        ({"data": [{"email": "a"}]}, "key=other%2Dtoken"),
    ],
)
def test_no_part_of_a_token_is_shown_anywhere(mock: AltaMock, body: object, query: str) -> None:
    """Cut, as a key, in a pointer, encoded or escaped: not in the header, the journal, the HAR or the findings."""
    request = request_of(body)
    reply = mock.answer(type(request)(request.method, request.path, query, request.headers, request.body))
    shown = [str(reply.headers), texts_of(mock), har(mock.requests, "http://x"), repr(mock.requests)]
    shown += [finding.text for finding in mock.findings()]

    assert not [text for text in shown if "other-t" in text or "other%2" in text or "other\\u002d" in text]
    assert not any("oth..." in text for text in shown)


def test_removed_entries_still_count(mock: AltaMock, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """The verdict about a long run does not depend on the size of the journal."""
    monkeypatch.setattr(memory, "JOURNAL_ENTRIES", 2)
    send({"data": []})
    for _ in range(5):
        send()

    assert len(mock.requests) == 2
    assert (mock.journal.statuses, mock.journal.broken) == ({200: 5, 400: 1}, 1)


@pytest.mark.parametrize(
    "text",
    [
        "/v1/test-token/%74est-token",
        "%74est-token=1&x=test-token",
        '{"x":"\\u0074est-token","y":"%74est-token","z":"test-token"}',
        "Bearer secret-1 %42earer%20secret-2",
        "bearer ***secret-3",
    ],
)
def test_no_way_of_writing_a_token_hides_another(mock: AltaMock, text: str) -> None:
    """Plain, percent-encoded and escaped tokens in one text are all removed in one pass."""
    clean = mock.redact(text)

    assert "est-token" not in clean
    assert "secret" not in clean
    assert mock.redact(clean) == clean


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("bearer: got 401", "bearer: got 401"),
        ("bearer <token>: got 401", "bearer <token>: got 401"),
        ("Bearer ***: got 401", "Bearer ***: got 401"),
        ("Bearer test-token: got 401; x", "Bearer ***: got 401; x"),
        ("bearer unknown: got 401", "bearer ***: got 401"),
        ("Bearer a:b;c,d.e: x", "Bearer ***: x"),
        ("Bearer   unknown", "Bearer   ***"),
        ("bearer <token>unknown", "bearer ***"),
        ('"Bearer unknown", "b"', '"Bearer ***", "b"'),
    ],
)
def test_what_follows_a_token_is_shown(text: str, shown: str) -> None:
    """Punctuation is not a part of it."""
    assert Redactor(["test-token"])(text) == shown


def test_only_what_is_named_unredacted_shows_a_token(mock: AltaMock) -> None:
    """Every public attribute of an entry, and everything in it, wherever the token was sent."""
    for query, body in (("key=test-token", {"data": [{"email": "test-token"}]}), ("", {"test-token": 1})):
        request = request_of(body, path=prospects_path("test-token"), headers=(("x-key", "test-token"),))
        mock.handle(type(request)("TEST-test-token", request.path, query, request.headers, request.body))
    for entry in mock.requests:
        names = [name for name in dir(entry) if not name.startswith("_")]
        texts = {
            name: repr(value() if callable(value := getattr(entry, name)) else value)
            for name in names
            if name != "known"
        }

        assert {name for name, text in texts.items() if "test-token" in text} == {"unredacted", "unredacted_body"}


def test_a_summary_does_not_visit_every_record(mock: AltaMock, send: Send) -> None:
    """Twenty records take as many calls of Python functions as one: the list of the page is read once a second."""
    send({"data": [{"email": "a"}]})
    send({"data": [{"email": str(number)} for number in range(20)]})
    one, twenty = (calls_during(entry.summary) for entry in mock.requests)

    assert one == twenty


def test_a_body_is_parsed_once(mock: AltaMock, send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    """By whatever reads it: the list, the findings' rules, a test."""
    send({"data": [{"email": "a"}]})
    (entry,) = mock.requests
    first = entry.unredacted_body
    monkeypatch.setattr(entries.Body, "of", lambda *_: pytest.fail("parsed again"))

    assert (entry.body, entry.summary()["records"]) == ({"data": [{"email": "a"}]}, 1)
    assert entry.unredacted_body is first
