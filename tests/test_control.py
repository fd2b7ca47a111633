"""The control API: its responses, and the clients that it refuses."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests
import schemathesis
from schemathesis import Config

from mock_server import AltaMock, MockError
from mock_server.contract.assumptions import switches
from mock_server.control.api import Control
from mock_server.control.guard import is_loopback
from mock_server.messages.http import ApiRequest, Headers
from tests.conftest import CAMPAIGN, ROOT, SECOND_CAMPAIGN, UNKNOWN_CAMPAIGN, prospects_path, request_of
from tests.store.kinds import KINDS, url_of
from tests.test_server import last, status, talk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_server import Clock
    from mock_server.messages.http import ApiReply


over_each_store = pytest.mark.parametrize("mock", KINDS, indirect=True)


@pytest.fixture
def mock(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[AltaMock]:
    """A fake with the default settings, in memory unless a test runs over each kind of store."""
    with AltaMock(clock=clock, store=url_of(getattr(request, "param", "memory"), tmp_path)) as mock:
        yield mock


def ask(
    mock: AltaMock,
    method: str,
    path: str,
    body: Any = None,
    *,
    peer: str = "127.0.0.1",
    host: str = "127.0.0.1:8080",
    token: str | None = None,
    query: str = "",
    headers: tuple[tuple[str, str], ...] = (),
) -> ApiReply:
    """Send a request to the control API."""
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = (("content-type", "application/json"),) if body is not None and "content-type" not in dict(headers) else ()
    request = ApiRequest(method, f"/_mock/{path}", query, (("host", host), *kind, *headers), raw)
    return Control(mock, token).answer(request, peer)


def value(reply: ApiReply) -> Any:
    """Return the JSON of a response that must be a 200."""
    assert reply.status == 200, reply.body
    return json.loads(reply.body)


@over_each_store
def test_everything_it_can_do(mock: AltaMock) -> None:
    """Every operation of the document works on the state of the mock."""
    mock.answer(request_of({"data": [{"email": "a", "n": 1}, {"email": "b"}]}))
    mock.answer(request_of({"data": []}))

    assert value(ask(mock, "GET", "health")) == {"status": "ok"}
    assert value(ask(mock, "GET", "openapi.json"))["openapi"] == "3.1.0"
    first = value(ask(mock, "GET", "campaigns"))["data"][0]
    assert (first["id"], first["account"], first["prospects"]) == (CAMPAIGN, "acme", 2)
    assert value(ask(mock, "GET", f"campaigns/{CAMPAIGN}/prospects")) == {
        "data": [{"email": "a", "n": 1}, {"email": "b"}]
    }
    seen = value(ask(mock, "GET", "requests"))
    assert [entry["status"] for entry in seen["data"]] == [200, 400]
    assert seen["data"][1]["violations"][0]["rule"] == "minItems"
    for after in ("1", "1.0"):
        assert [entry["number"] for entry in value(ask(mock, "GET", "requests", query=f"after={after}"))["data"]] == [2]
    assert len(value(ask(mock, "GET", "requests.har"))["log"]["entries"]) == 2
    limits = value(ask(mock, "GET", "limits"))["data"]
    assert {(one["account"], one["name"]): (one["limit"], one["remaining"], one["reset"]) for one in limits} == {
        ("acme", "account"): ("100/60s", 98, 60),
        ("acme", "addProspectsToCampaign"): ("10/60s", 8, 60),
        ("globex", "account"): ("100/60s", 100, 0),
        ("globex", "addProspectsToCampaign"): ("10/60s", 10, 0),
    }
    assert value(ask(mock, "GET", "clock")) == {"time": "2026-01-01T00:00:00.000+00:00", "advanced": 0.0}
    assert value(ask(mock, "POST", "clock/advance", {"seconds": 90.5}))["time"] == "2026-01-01T00:01:30.500+00:00"
    assert value(ask(mock, "GET", "clock"))["advanced"] == 90.5
    value(ask(mock, "POST", "next", {"status": 429, "times": 2, "retryAfter": "7"}))
    value(ask(mock, "POST", "next", {"fault": "delay", "seconds": 2}))
    value(ask(mock, "POST", "next", {"status": 503, "allowUndocumented": True, "body": {"x": 1}}))
    assert value(ask(mock, "GET", "next"))["data"] == [
        {"status": 429, "times": 2, "retryAfter": "7"},
        {"fault": "delay", "seconds": 2.0, "times": 1},
        {"status": 503, "allowUndocumented": True, "times": 1},
    ]
    assert mock.answer(request_of()).header("Retry-After") == "7"
    value(ask(mock, "DELETE", "next"))
    assert mock.answer(request_of()).status == 200
    value(ask(mock, "DELETE", "requests"))
    assert mock.requests == []
    value(ask(mock, "POST", "reset", {}))
    assert mock.prospects(CAMPAIGN) == []
    assert value(ask(mock, "GET", "clock")) == {"time": "2026-01-01T00:00:00.000+00:00", "advanced": 0.0}


@over_each_store
def test_no_digit_of_a_number_is_lost(mock: AltaMock) -> None:
    """Prospects are returned as sent, also if a text in them looks like a number."""
    record = b'{"email":"\\u0000decimal","n":1234567890123456789012345,"x":0.1234567890123456789012345,"y":1e400}'
    mock.answer(request_of(b'{"data":[' + record + b"]}"))
    body = ask(mock, "GET", f"campaigns/{CAMPAIGN}/prospects").body

    assert b'"n":1234567890123456789012345,"x":0.1234567890123456789012345,"y":1E+400' in body


@over_each_store
def test_a_list_in_brief(mock: AltaMock) -> None:
    """It has what the page's list shows, the oldest remembered number, and the findings of these requests."""
    mock.answer(request_of({"data": [{"email": "a"}, {"linkedin_url": "b", "email": "b"}]}))
    mock.answer(request_of({"data": [{"email": "a"}]}))
    mock.answer(request_of({"data": []}))
    seen = value(ask(mock, "GET", "requests", query="brief=true"))

    assert seen["data"][2] == {
        "number": 3,
        "time": "2026-01-01T00:00:00.000+00:00",
        "method": "POST",
        "path": prospects_path(),
        "operation": "addProspectsToCampaign",
        "account": "acme",
        "user": "Ada",
        "status": 400,
        "injected": None,
        "lost": False,
        "rule": "minItems",
        "records": 0,
        "sample": None,
    }
    assert [(one["name"], one["requests"]) for one in seen["findings"]] == [
        ("misspelt-field", [1]),
        ("duplicate-prospect", [1, 2]),
    ]
    later = value(ask(mock, "GET", "requests", query="brief=true&after=1"))
    assert ([one["number"] for one in later["data"]], len(later["findings"])) == ([2, 3], 1)
    assert later["oldest"] == 1
    mock.reset()
    last = value(ask(mock, "GET", "requests", query="after=3"))
    assert (last["data"], last["findings"], last["oldest"], last["newest"]) == ([], [], 1, 0)
    assert last["cleared"] == later["cleared"] + 1
    mock.answer(request_of())
    assert [one["number"] for one in value(ask(mock, "GET", "requests"))["data"]] == [1]


@over_each_store
def test_requests_that_arrive_meanwhile_are_in_the_next_list(mock: AltaMock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that continues from `newest` misses nothing and sees nothing twice."""
    control, findings = Control(mock), mock.findings
    monkeypatch.setattr(mock, "findings", lambda: (mock.answer(request_of()), findings())[1])
    numbers: list[int] = []
    after = 0
    for _ in range(3):
        mock.answer(request_of())
        asked = ApiRequest("GET", "/_mock/requests", f"after={after}", (("host", "localhost"),))
        seen = json.loads(control.answer(asked, "127.0.0.1").body)
        numbers += [entry["number"] for entry in seen["data"]]
        after = seen["newest"]

    assert numbers == [1, 2, 3, 4, 5]


@over_each_store
def test_a_body_that_was_not_kept_is_not_shown_as_empty(mock: AltaMock) -> None:
    """The response says that the body was too large."""
    mock.answer(replace(request_of(), body=None))

    mock.answer(request_of(b""))
    large, none = (value(ask(mock, "GET", f"requests/{number}")) for number in (1, 2))

    assert (large["bodyKept"], large["requestLines"], large["status"]) == (False, [], 413)
    assert (none["bodyKept"], none["requestLines"], none["status"]) == (True, [], 400)


@over_each_store
def test_half_an_emoji_is_shown(mock: AltaMock) -> None:
    """A lone surrogate is shown as sent, although UTF-8 cannot encode it."""
    mock.answer(request_of(b'{"data":[{"email":"a","firstName":"\\ud83d"}]}'))

    assert '"firstName": "\\ud83d"' in [line["text"] for line in value(ask(mock, "GET", "requests/1"))["requestLines"]]


def test_a_control_token_that_no_header_can_carry_is_refused(mock: AltaMock) -> None:
    """The fake refuses it at the start."""
    for token in ("sésame", "two words", "line\nbreak"):
        with pytest.raises(MockError, match="control token"):
            Control(mock, token)


def test_a_path_that_begins_alike_is_the_apis(mock: AltaMock) -> None:
    """Only paths below `/_mock` belong to the control API."""
    reply = mock.app.test_client().get("/_mockery")

    assert (reply.status_code, reply.json) == (404, {"error": "NotFound", "message": "Resource not found"})


@over_each_store
def test_one_request_is_annotated(mock: AltaMock) -> None:
    """The response has the rule at the line that broke it, the findings, and three ways to repeat the request."""
    for _ in range(2):
        mock.answer(request_of({"data": [{"email": 7}]}))
    one = value(ask(mock, "GET", "requests/2"))

    assert one["status"] == 400
    assert [(line["text"], line["violations"]) for line in one["requestLines"] if line["violations"]] == [
        ("{", [1]),
        ('"email": 7', [0]),
    ]
    assert one["violations"][0]["rule"] == "type"
    assert one["responseLines"][0]["text"] == "{"
    assert [finding["name"] for finding in one["findings"]] == ["does-not-repeat-what-was-refused"]
    assert "http://127.0.0.1:8080/v1/campaigns/" in one["copies"]["curl"]
    assert "test-token" not in json.dumps(one)
    assert ask(mock, "GET", "requests/3").status == 404


@over_each_store
def test_a_request_has_its_own_findings_and_copies(mock: AltaMock) -> None:
    """It has no findings of other requests, and one copy of each kind."""
    mock.answer(request_of({"data": [{"email": "a", "linkedin_url": "x"}]}))
    mock.answer(request_of())
    one = value(ask(mock, "GET", "requests/2"))

    assert one["findings"] == []
    assert [text.split()[0] for text in one["copies"].values()] == ["curl", "import", "import"]
    assert "def test_request_2(" in one["copies"]["pytest"]


@over_each_store
def test_the_newest_prospects_and_the_tokens(mock: AltaMock) -> None:
    """The API returns the newest prospects of a list and the tokens that may add to it."""
    mock.answer(request_of({"data": [{"email": "a"}, {"email": "b"}, {"email": "c"}]}))
    path = f"campaigns/{CAMPAIGN}/prospects"

    assert value(ask(mock, "GET", path, query="last=2")) == {"data": [{"email": "b"}, {"email": "c"}]}
    assert len(value(ask(mock, "GET", path, query="last=9"))["data"]) == 3
    assert ask(mock, "GET", path, query="last=0").status == 400
    tokens = {one["token"]: one for one in value(ask(mock, "GET", "tokens"))["data"]}
    assert [name for name, one in tokens.items() if one["mayAdd"]] == [
        *("test-token", "test-token-2", "other-token", "multi-token")
    ]
    assert tokens["multi-token"]["accounts"] == ["acme", "globex"]


@over_each_store
def test_events_happen_to_a_prospect(mock: AltaMock) -> None:
    """Each leaves an object as the API shows it, which the response has."""
    mock.answer(request_of())
    (prospect,) = value(ask(mock, "GET", "objects/prospects", query=f"campaignId={CAMPAIGN.upper()}"))["data"]

    def happens(event: str, **fields: Any) -> Any:
        return value(ask(mock, "POST", "events", {"event": event, "prospectId": prospect["id"], **fields}))

    assert happens("email-reply", body="Yes.", subject="Hello")["body"] == "Yes."
    assert happens("linkedin-reply", text="No.")["text"] == "No."
    assert happens("call", seconds=5, summary="Later")["duration"] == 5
    assert happens("opt-out")["identifier"] == "ada@example.com"
    replies = value(ask(mock, "GET", "objects/email_message", query=f"prospectId={prospect['id']}"))["data"]
    assert [reply["subject"] for reply in replies] == ["Hello"]
    assert value(ask(mock, "GET", "objects/prospects", query="status=paused"))["data"][-1]["id"] == prospect["id"]


@over_each_store
def test_objects_are_made_and_listed(mock: AltaMock) -> None:
    """They belong to the account in the query, else to that of the object that they refer to; a list is bounded."""
    rep = value(ask(mock, "POST", "objects/reps", {"name": "Grace"}, query="account=globex"))
    mine = value(ask(mock, "POST", "objects/person", {"email": "a"}))
    made = value(ask(mock, "POST", "objects/prospect", {"personId": mine["id"], "campaignId": CAMPAIGN}))
    upper = value(ask(mock, "POST", "objects/persons", {"id": UNKNOWN_CAMPAIGN.replace("1", "A")}))

    assert value(ask(mock, "GET", "objects/reps"))["data"][-1] == rep
    assert made in value(ask(mock, "GET", "objects/prospects", query=f"personId={mine['id']}"))["data"]
    assert upper in value(ask(mock, "GET", "objects/persons", query=f"id={upper['id']}"))["data"]
    for number in range(120):
        mock.create("person", account="globex", email=f"{number}@example.com")
    emails = [one.get("email") for one in value(ask(mock, "GET", "objects/persons", query="last=2"))["data"]]
    assert emails[-2:] == ["118@example.com", "119@example.com"]
    assert len(emails) == 4
    assert len(value(ask(mock, "GET", "objects/persons"))["data"]) < 200


@over_each_store
def test_objects_are_searched_by_page(mock: AltaMock) -> None:
    """By words in their texts or in those of the objects that they refer to; the API does not show the record."""
    mock.answer(request_of({"data": [{"email": f"Ada.{number}@example.com", "company": "X"} for number in range(5)]}))

    def found(query: str) -> list[Any]:
        return list(value(ask(mock, "GET", "objects/prospects", query=f"account=acme&{query}"))["data"])

    page = found("expand=true&search=q3+ada&last=2&skip=1")
    assert [one["person"]["email"] for one in page] == ["Ada.2@example.com", "Ada.3@example.com"]
    assert page[0]["record"] == {"email": "Ada.2@example.com", "company": "X"}
    assert len(found("search=ADA.4")) == 1
    assert found("search=lindqvist") == []
    assert {one["campaign"]["name"] for one in found("expand=true&search=lindqvist")} == {"Q4 outreach", "Q2 outreach"}
    assert found("expand=true&search=globex") == []
    assert ask(mock, "GET", "objects/prospects", query="account=acne").status == 404
    shown = json.loads(mock.answer(request_of(b"", method="GET", path="/v1/prospects")).body)["data"]
    assert not any("record" in one for one in shown)


@over_each_store
def test_a_campaign_has_the_number_of_its_prospects(mock: AltaMock) -> None:
    """Those of the seed included."""
    mock.answer(request_of(path=prospects_path(SECOND_CAMPAIGN)))
    counts = {one["id"]: one["prospects"] for one in value(ask(mock, "GET", "campaigns"))["data"]}

    assert (counts[CAMPAIGN], counts[SECOND_CAMPAIGN]) == (0, 7)


@over_each_store
def test_a_response_for_one_operation(mock: AltaMock) -> None:
    """It waits for a request of that operation, and the list shows which."""
    value(ask(mock, "POST", "next", {"status": 429, "operation": "listReps"}))
    value(ask(mock, "POST", "next", {"fault": "html_502", "operation": "getRep"}))

    assert [one["operation"] for one in value(ask(mock, "GET", "next"))["data"]] == ["listReps", "getRep"]
    assert mock.answer(request_of()).status == 200
    assert mock.answer(request_of(b"", method="GET", path="/v1/reps")).status == 429


@pytest.mark.parametrize(
    ("method", "path", "body", "expected", "text"),
    [
        ("GET", "nope", None, 404, "path-unknown"),
        ("PUT", "reset", None, 405, "method-unknown"),
        ("GET", f"campaigns/{UNKNOWN_CAMPAIGN}/prospects", None, 404, "unknown campaign"),
        ("GET", "campaigns/x/prospects", None, 400, "format path/campaignId"),
        ("POST", "clock/advance", {"seconds": -1}, 400, "minimum /seconds"),
        ("POST", "clock/advance", {"seconds": "60"}, 400, "type /seconds"),
        ("POST", "clock/advance", {}, 400, "required body"),
        ("POST", "clock/advance", b"{", 400, "json-syntax"),
        ("POST", "clock/advance", [], 400, "type body"),
        ("POST", "next", {}, 400, "oneOf"),
        ("POST", "next", {"status": 429, "fault": "connection_reset"}, 400, "oneOf"),
        ("POST", "next", {"status": 429, "times": 0}, 400, "minimum /times"),
        ("POST", "next", {"status": 503}, 400, "oneOf"),
        ("POST", "next", {"status": 503, "allowUndocumented": False}, 400, "oneOf"),
        ("POST", "next", {"status": 600, "allowUndocumented": True}, 400, "maximum /status"),
        ("POST", "next", {"fault": "explode"}, 400, "enum /fault"),
        ("POST", "next", {"fault": "dely"}, 400, '"html_502", "drop_after_commit" (did you mean delay?)'),
        ("POST", "next", {"staus": 429}, 400, "got staus (did you mean status?); wanted only status, fault, times,"),
        (
            "POST",
            "next",
            {"status": 418},
            400,
            "a status of 200, 400, 401, 403, 404, 413, 429, 500; or any status from",
        ),
        ("POST", "next", {"status": 429, "retryAfter": "a\r\nb"}, 400, "pattern /retryAfter"),
        ("POST", "reset", {"x": 1}, 400, "maxProperties"),
        ("POST", "next", {"status": 429, "operation": "listRep"}, 400, "enum /operation"),
        ("POST", "events", {"event": "reply", "prospectId": UNKNOWN_CAMPAIGN}, 400, "enum /event"),
        ("POST", "events", {"event": "call"}, 400, "required body"),
        ("POST", "events", {"event": "call", "prospectId": UNKNOWN_CAMPAIGN}, 404, "no account has the prospect"),
        ("POST", "events", {"event": "call", "prospectId": "SEEDED", "text": "x"}, 400, "unknown field 'text' of call"),
        ("POST", "events", {"event": "call", "prospectId": "SEEDED", "seconds": 5.0}, 400, "use a whole number"),
        ("POST", "events", {"event": "call", "prospectId": "SEEDED", "seconds": -1}, 400, "minimum /seconds"),
        ("GET", "objects/people", None, 404, "unknown kind of object 'people'; choose one of campaigns"),
        ("POST", "objects/people", {}, 404, "unknown kind of object 'people'"),
        ("POST", "objects/calls?account=acne", {}, 404, "unknown account 'acne'; choose one of acme, globex"),
        ("POST", "objects/calls", {"prospectId": UNKNOWN_CAMPAIGN}, 404, "no account has the prospect"),
        ("POST", "objects/calls", {"prospectId": 5}, 400, "call: /prospectId: got the number 5"),
        ("POST", "objects/calls", {"duration": "long"}, 400, "call: /duration: got a string"),
        ("POST", "objects/calls", {"kind": 1, "account": "acme", "self": 1}, 400, "call: /kind: got the member 'kind'"),
        ("POST", "objects/campaigns", {"id": CAMPAIGN}, 400, f"the account acme has a campaign '{CAMPAIGN}'"),
        ("POST", "objects/prospects", {}, 400, "prospect: got no personId; wanted personId"),
        ("POST", "objects/calls", [], 400, "type body"),
    ],
)
def test_mistakes_are_explained(mock: AltaMock, method: str, path: str, body: Any, expected: int, text: str) -> None:
    """The body is an error with the rule or the remedy."""
    if isinstance(body, dict) and body.get("prospectId") == "SEEDED":
        body = {**body, "prospectId": mock.list("prospects")[0]["id"]}
    path, _, query = path.partition("?")
    reply = ask(mock, method, path, body, query=query)

    assert reply.status == expected
    assert text in json.loads(reply.body)["message"]


WRITE = {"method": "POST", "path": "reset", "body": {}}


@pytest.mark.parametrize(
    ("token", "sent", "says"),
    [
        (None, (), "needs a control token; set ALTA_MOCK_CONTROL_TOKEN"),
        ("right", (), "needs the control token; send Authorization: Bearer TOKEN"),
        ("right", (("authorization", "Bearer wrong"),), "this is not the control token"),
    ],
    ids=["none set", "none sent", "wrong"],
)
def test_another_machine_learns_what_it_lacks(mock: AltaMock, token: str | None, sent: Headers, says: str) -> None:
    """A wrong control token has another message than none."""
    reply = ask(mock, "POST", "reset", {}, peer="192.0.2.7", token=token, headers=sent)

    assert says in json.loads(reply.body)["message"]


ATTACKS: dict[str, tuple[dict[str, Any], int]] = {
    "a form of another site": (
        {
            **WRITE,
            "headers": (("content-type", "application/x-www-form-urlencoded"), ("origin", "http://evil.example")),
        },
        403,
    ),
    "a form as text, without an origin": ({**WRITE, "headers": (("content-type", "text/plain"),)}, 415),
    "a form without any type": ({**WRITE, "headers": (("content-type", ""),)}, 415),
    "a fetch from another site": ({**WRITE, "headers": (("origin", "http://evil.example"),)}, 403),
    "a fetch from a file or a sandbox": ({**WRITE, "headers": (("origin", "null"),)}, 403),
    "a fetch from another port": ({**WRITE, "headers": (("origin", "http://127.0.0.1:9999"),)}, 403),
    "a fetch without an origin, known to come from elsewhere": (
        {"method": "GET", "path": "requests", "headers": (("sec-fetch-site", "cross-site"),)},
        403,
    ),
    "a read by an image of another site": (
        {"method": "GET", "path": "requests.har", "headers": (("sec-fetch-site", "same-site"),)},
        403,
    ),
    "a name that was rebound to loopback": ({**WRITE, "host": "evil.example:8080"}, 403),
    "a name that begins like loopback": ({**WRITE, "host": "127.0.0.1.evil.example"}, 403),
    "a name that ends like localhost": ({**WRITE, "host": "evil-localhost"}, 403),
    "no host": ({**WRITE, "host": ""}, 403),
    "another machine": ({**WRITE, "peer": "192.0.2.7"}, 403),
    "another machine that pretends": (
        {**WRITE, "peer": "192.0.2.7", "headers": (("x-forwarded-for", "127.0.0.1"),)},
        403,
    ),
    "another machine with the wrong token": (
        {**WRITE, "peer": "192.0.2.7", "token": "right", "headers": (("authorization", "Bearer wrong"),)},
        403,
    ),
    "another machine with the token in the query": (
        {**WRITE, "peer": "192.0.2.7", "token": "right", "query": "token=right&access_token=right"},
        403,
    ),
    "another machine with a token of the fake API": (
        {**WRITE, "peer": "192.0.2.7", "token": "right", "headers": (("authorization", "Bearer test-token"),)},
        403,
    ),
    "an empty token that was set by mistake": (
        {**WRITE, "host": "evil.example", "token": "", "headers": (("authorization", "Bearer "),)},
        403,
    ),
    "another machine with an empty token where none is set": (
        {**WRITE, "peer": "192.0.2.7", "headers": (("authorization", "Bearer "),)},
        403,
    ),
    "a page with the right token from another site": (
        {**WRITE, "token": "right", "headers": (("authorization", "Bearer right"), ("origin", "http://evil.example"))},
        403,
    ),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused_and_change_nothing(mock: AltaMock, name: str) -> None:
    """Each security check refuses the attack that it is meant for."""
    mock.answer(request_of())
    options, expected = ATTACKS[name]
    reply = ask(mock, **options)

    assert reply.status == expected
    assert not any(key.lower().startswith("access-control") for key, _ in reply.headers)
    assert len(mock.prospects(CAMPAIGN)) == 1


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"host": "localhost:8080"},
        {"host": "LOCALHOST"},
        {"host": "[::1]:8080", "peer": "::1"},
        {"headers": (("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-origin"))},
        {"headers": (("sec-fetch-site", "none"),)},
        {
            "peer": "192.0.2.7",
            "host": "build.example",
            "token": "right",
            "headers": (("authorization", "bearer right"),),
        },
    ],
)
def test_allowed_clients(mock: AltaMock, options: dict[str, Any]) -> None:
    """These are this machine, the page itself, and another machine with the token."""
    assert ask(mock, **{**WRITE, **options}).status == 200


def test_no_preflight_is_ever_granted(mock: AltaMock) -> None:
    """So a browser does not send requests that need one."""
    reply = ask(mock, "OPTIONS", "reset", headers=(("access-control-request-method", "POST"),))

    assert reply.status == 405
    assert not any(key.lower().startswith("access-control") for key, _ in reply.headers)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "build.example"])
def test_another_address_needs_a_token(mock: AltaMock, host: str) -> None:
    """The server refuses to start, in one line that says what to do."""
    with pytest.raises(MockError, match="can be reached by other machines; give a --control-token"):
        mock.serve(host).__enter__()


def test_with_a_token_another_address_is_served(mock: AltaMock) -> None:
    """The API answers every client, the control API only clients with the token."""
    with mock.serve("0.0.0.0", control_token="right") as server:
        port = server.origin.rpartition(":")[2]
        base = f"http://127.0.0.1:{port}"
        assert requests.get(f"{base}/_mock/health", timeout=5).status_code == 200
        bound = {"Host": "build.example"}
        assert requests.get(f"{base}/_mock/health", headers=bound, timeout=5).status_code == 403
        bound["Authorization"] = "Bearer right"
        assert requests.get(f"{base}/_mock/health", headers=bound, timeout=5).status_code == 200


@pytest.mark.parametrize(
    ("address", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("", False),
        ("::", False),
        ("10.0.0.1", False),
        ("build.example", False),
    ],
)
def test_what_is_loopback(address: str, *, loopback: bool) -> None:
    """Loopback addresses cannot be reached from other machines."""
    assert is_loopback(address) is loopback


def test_every_transport_serves_it_and_never_below_v1(mock: AltaMock) -> None:
    """It works over a socket and over WSGI."""
    with mock.serve() as live:
        origin = live.origin
        assert requests.get(f"{origin}/_mock/health", timeout=5).json() == {"status": "ok"}
        assert requests.get(f"{origin}/v1/_mock/health", timeout=5).status_code == 404
        answer = talk(live, last(b"GET /_mock/health HTTP/1.1\r\nHost: x\r\nHost: 127.0.0.1\r\n\r\n"))
        assert status(answer) in {400, 403}
    client = mock.app.test_client()
    assert client.get("/_mock/health").json == {"status": "ok"}
    with httpx.Client(transport=httpx.WSGITransport(app=mock.app), base_url="http://localhost") as remote:
        assert remote.post("/_mock/reset", json={}).status_code == 200


@over_each_store
def test_what_it_does_is_not_in_the_journal(mock: AltaMock) -> None:
    """Its requests do not spend quota either."""
    ask(mock, "GET", "campaigns")

    assert mock.requests == []
    assert mock.answer(request_of()).header("RateLimit-Remaining") == "9"


def _schema() -> Any:
    mock = AltaMock()
    mock.answer(request_of())
    mock.answer(request_of({"data": [{}]}))
    mock.answer(request_of(path=prospects_path("00000000-0000-4000-8000-000000000429")))
    settings = {
        "cache": {"enabled": False},
        "generation": {"database": "none", "max-examples": 30, "deterministic": True},
        "parameters": {"path.campaignId": CAMPAIGN},
    }
    document = json.loads(ask(mock, "GET", "openapi.json").body)
    schema = schemathesis.openapi.from_dict(document, config=Config.from_dict(settings))
    schema.app = mock.app
    return schema


@schemathesis.pytest.parametrize(control=_schema())
def test_it_keeps_its_own_document(case: Any) -> None:
    """Schemathesis runs all its checks against it."""
    case.call_and_validate()


def test_the_table_in_the_documentation_is_complete(mock: AltaMock) -> None:
    """docs/control.md lists every operation, and nothing else."""
    page = (ROOT / "docs/control.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`(?:GET|POST|DELETE) [^|]*`) \|", page, re.MULTILINE)
    listed = [tuple(words.split(" ")) for cell in cells for words in re.findall("`([^`]+)`", cell)]
    operations = Control(mock).contract.operations

    assert sorted(listed) == sorted((one.method, one.path.removeprefix("/")) for one in operations)


def test_no_name_of_an_operation_can_be_the_vendors(mock: AltaMock) -> None:
    """Both kinds of operations share one URL map in Flask."""
    names = [one.id for one in Control(mock).contract.operations]

    assert [name for name in names if not re.search("Mock|Injected", name)] == []
    assert not {*names} & {one.id for one in mock.contract.operations}


@over_each_store
def test_assumptions_are_listed_and_chosen(mock: AltaMock) -> None:
    """All that have choices, each with the one in force; an unknown one is refused with the known ones."""
    listed = value(ask(mock, "GET", "assumptions"))["data"]
    chosen = value(ask(mock, "POST", "assume", {"wrong-method": "404"}))["data"]
    unknown = [ask(mock, "POST", "assume", one) for one in ({"wrong-method": "406"}, {"window-form": "fixed"}, {})]

    assert [one["id"] for one in listed] == list(switches())
    assert all(one["chosen"] == one["choices"][0]["id"] for one in listed)
    assert next(one["chosen"] for one in chosen if one["id"] == "wrong-method") == "404"
    assert mock.choices.chosen == {"wrong-method": "404"}
    assert [reply.status for reply in unknown] == [400, 400, 400]
    assert "405" in json.loads(unknown[0].body)["message"]
    assert "wrong-method" in json.loads(unknown[1].body)["message"]
