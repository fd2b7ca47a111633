"""What `alta-mock check` finds in recorded traffic, and what it does not call a mistake."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from mock_server import AltaMock
from tests.api.conftest import REQUESTS
from tests.conftest import CAMPAIGN, UNKNOWN_CAMPAIGN, request_of
from tests.traffic.conftest import (
    AFTER_SEED,
    DOCS_PAGE,
    LISTED,
    VENDOR,
    Checked,
    add,
    archive,
    broken,
    entry,
    exported,
    pairs,
)

BATCH = f"/v1/campaigns/{CAMPAIGN}/prospects"
LIMITED = {"error": "TooManyRequests", "message": "Rate limit exceeded. Please retry after 60 seconds."}
REFUSED = {"error": "ValidationError", "message": "Invalid request body"}


def limit(remaining: int, wait: int, requests: int = 10) -> dict[str, str]:
    """Return the headers of a limit."""
    values = {"RateLimit-Limit": requests, "RateLimit-Remaining": remaining, "RateLimit-Reset": wait}
    headers = {**{name: str(value) for name, value in values.items()}, "RateLimit-Policy": f"{requests};w=60"}
    return {**headers, "Retry-After": str(wait)} if not remaining else headers


def test_traffic_of_a_browser_passes(checked: Checked) -> None:
    """A file that Chromium has recorded on the page /docs, without any option: the pages are left out."""
    result = checked(DOCS_PAGE.read_text(encoding="utf-8"))

    assert (result.exit_code, result.requests, result.mistakes) == (0, 7, [])
    assert dict(result.notes) == {"other-path": 2}


def test_every_operation_passes(checked: Checked) -> None:
    """What the fake's journal exports, in either form, has no mistake."""
    mock = AltaMock(clock=AFTER_SEED)
    for sent in REQUESTS.values():
        mock.handle(sent.request())
    lines = "\n".join(json.dumps(one.as_dict()) for one in mock.requests)
    document = json.dumps({"requests": [one.as_dict() for one in mock.requests]})

    for text in (exported(mock), lines, document):
        result = checked(text)
        assert (result.exit_code, result.requests, result.mistakes) == (0, len(REQUESTS), [])


def ten_mistakes() -> list[dict[str, Any]]:
    """Return the recorded traffic of the browser with a mistake in each of ten entries."""
    entries = json.loads(DOCS_PAGE.read_text(encoding="utf-8"))["log"]["entries"]
    (added, got, emails, tagged, opted, deleted, listed) = [one for one in entries if "/v1/" in one["request"]["url"]]
    by_copy = json.loads(json.dumps([added, got, listed]))
    added["request"]["postData"]["text"] = json.dumps({"data": [{"email": f"{n}@x.example"} for n in range(21)]})
    got["response"]["content"]["text"] = '{"id": "7"}'
    emails["request"]["url"] = emails["request"]["url"].replace("limit=10", "limit=1000")
    headers = [one for one in tagged["request"]["headers"] if one["name"] != "Content-Type"]
    tagged["request"]["headers"] = [*headers, {"name": "Content-Type", "value": "text/plain"}]
    opted["response"] |= {"status": 418}
    deleted["response"] |= {"status": 404, "content": {"size": 2, "text": "no"}}
    listed["request"]["headers"] = pairs({"Authorization": "Basic YTpi"})
    wrong_path, nameless, limits = by_copy
    wrong_path["request"]["url"] += "s"
    wrong_path["response"] |= {
        "status": 404,
        "content": {"size": 9, "text": json.dumps({"error": "NotFound", "message": "-"})},
    }
    nameless["request"]["method"] = "PUT"
    nameless["response"] |= {"status": 405, "content": {"size": 0}}
    limits["response"]["headers"] += pairs({"X": "y"})
    for one in limits["response"]["headers"]:
        one["value"] = "101" if one["name"] == "RateLimit-Remaining" else one["value"]
    return [*entries, *by_copy]


def test_ten_mistakes_are_named(checked: Checked) -> None:
    """In the file of the browser; each is told once, by its rule, with the entry that shows it."""
    entries = ten_mistakes()
    result = checked(entries)
    found = {(one.side, one.rule, one.operation): one for one in result.mistakes if one.severity == "error"}

    assert {key[:2] for key in found} == {
        ("consumer", "maxItems"),
        ("provider", "success-schema"),
        ("consumer", "maximum"),
        ("consumer", "content-type"),
        ("provider", "documented-status"),
        ("provider", "error-body"),
        ("consumer", "bearer-header"),
        ("consumer", "path-unknown"),
        ("provider", "allow-names-the-methods"),
        ("consumer", "method-unknown"),
        ("provider", "limit-headers"),
    }
    first = found["consumer", "maxItems", "addProspectsToCampaign"]
    where = first.entries[0]
    assert (first.pointer, first.got, first.wanted) == ("/data", "21 items", "at most 20")
    assert first.line is not None
    assert first.line.startswith("openapi.yaml:")
    assert (where.method, where.path, where.status) == ("POST", BATCH, 200)
    assert entries[where.number - 1]["request"]["postData"]["text"].count("email") == 21
    assert result.exit_code == 1


def test_lines_of_the_contract_are_right(checked: Checked) -> None:
    """Also where the overlay says so, some of whose actions are without effect here."""
    result = checked([add({"jobTitle": "Engineer"}, status=400, reply=REFUSED)])
    (mistake,) = result.mistakes
    name, _, line = str(mistake.line).partition(":")
    lines = (DOCS_PAGE.parents[2] / name).read_text(encoding="utf-8").splitlines()

    assert (mistake.rule, name) == ("contact-or-identity", "openapi.overlay.yaml")
    assert "anyOf" in lines[int(line) - 1]


def test_a_repeated_mistake_is_told_once(checked: Checked) -> None:
    """With its count, and the first three entries; indices do not make it another one."""
    two = {"data": [{"email": "a@b.example"}, {"email": "c@d.example", "company": 7}]}
    one = {"data": [{"company": 7, "email": "a@b.example"}]}
    entries = [add(body=two if n % 2 else one, at=7 * n, status=400, reply=REFUSED) for n in range(1000)]
    result = checked(entries)
    (mistake,) = [found for found in result.mistakes if found.severity == "error" and found.rule == "type"]

    assert (mistake.count, [where.number for where in mistake.entries]) == (1000, [1, 2, 3])


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"status": 0, "reply_headers": {}}, "aborted"),
        ({"method": "OPTIONS"}, "preflight"),
        ({"status": 304, "reply": ""}, "not-modified"),
        ({"status": 302, "reply": ""}, "redirected"),
        ({"status": 101, "reply": ""}, "switched"),
        ({"_resourceType": "websocket"}, "websocket"),
        ({"_fromCache": "disk"}, "cached"),
        ({"origin": "https://example.com"}, "other-host"),
        ({"path": "/mcp"}, "other-path"),
        ({"headers": {"Authorization": "[REDACTED]"}}, ""),
        ({"headers": {":authority": "api.altahq.com", ":method": "GET"}}, ""),
        ({"comment": "injected 500: requested by queue", "status": 500}, "injected"),
    ],
)
def test_what_is_not_the_apis_is_counted(checked: Checked, change: dict[str, Any], note: str) -> None:
    """Left out, or judged in part, and no mistake."""
    result = checked([entry(), entry(**change)])

    assert broken(result) == []
    assert dict(result.notes) == ({note: 1} if note else {})


def without(one: dict[str, Any], *path: str) -> dict[str, Any]:
    """Return an entry without a member."""
    place = one
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return one


def emptied(one: dict[str, Any]) -> dict[str, Any]:
    """Return an entry whose body a tool has dropped, but not its size."""
    one["response"]["content"]["text"] = ""
    return one


@pytest.mark.parametrize(
    ("record", "note"),
    [
        (without(entry(), "response", "content", "text"), "response-body"),
        (without(entry(), "response", "content"), "response-body"),
        (emptied(entry()), "response-body"),
        (without(entry(), "response", "headers"), "response-headers"),
        (without(entry(), "response"), "aborted"),
        (without(entry(), "startedDateTime"), "time"),
        (without(entry(), "request", "headers"), "request-headers"),
        (without(add(), "request", "headers"), "request-headers"),
        (without(add(), "request", "postData"), "request-body"),
        (without(add(), "request", "postData", "text"), "request-body"),
        (without(entry(), "request", "url"), "malformed"),
        (entry(origin="https://[bad"), "malformed"),
        ({"request": 7}, "malformed"),
        (7, "malformed"),
        (entry(headers={"Authorization": ""}), ""),
    ],
)
def test_what_is_not_recorded_is_no_mistake(checked: Checked, record: Any, note: str) -> None:
    """A tool may leave out anything; it is counted."""
    result = checked([entry(), record])

    assert broken(result) == []
    assert dict(result.notes) == ({note: 1} if note else {})


def test_a_sanitised_export_has_no_token(checked: Checked) -> None:
    """Chromium leaves Authorization out: no request lacks it, not even one that is a 401."""
    unauthorized = {"error": "Unauthorized", "message": "Invalid API token"}
    bare = []
    for reply, status in ((LISTED, 200), (unauthorized, 401)):
        one = entry(reply=reply, status=status)
        one["request"]["headers"] = pairs({"Accept": "*/*"})
        bare.append(one)

    assert broken(checked(bare)) == []
    assert broken(checked([*bare, entry()])) == [("consumer", "bearer-header", 1)]


def test_bodies_are_unpacked(checked: Checked) -> None:
    """From base64, and from gzip if the tool has left it packed; what cannot be unpacked is counted."""
    packed = base64.b64encode(gzip.compress(b'{"data": 7, "hasMore": false}')).decode()
    named = {"content-encoding": "gzip"}
    result = checked(
        [entry(reply_headers=named), entry(reply_headers=named), entry(reply_headers={"content-encoding": "br"})]
    )
    assert broken(result) == []

    entries = [entry(reply_headers=named), entry(reply_headers={"content-encoding": "br"}), entry()]
    for one in entries[:2]:
        one["response"]["content"] |= {"text": packed, "encoding": "base64"}
    entries[2]["response"]["content"] |= {"text": "%%%", "encoding": "base64"}
    entries.append(entry(reply_headers={"content-encoding": "br"}, reply="\ufffd\ufffd"))  # of bytes read as text
    result = checked(entries)
    (mistake,) = result.mistakes
    assert (mistake.rule, mistake.pointer, mistake.count) == ("success-schema", "/data", 1)
    assert result.notes["response-body"] == 3


def test_a_wait_is_measured_from_the_response(checked: Checked) -> None:
    """A request that was sent before the 429 had arrived could not heed it."""
    refused = add(status=429, reply=LIMITED, reply_headers=limit(0, 30), at=100, took=2)
    early, parallel = add({"email": "b@c.example"}, at=110), add({"email": "b@c.example"}, at=101)

    assert broken(checked([refused, parallel])) == []
    assert broken(checked([refused, early])) == [("consumer", "waits-for-retry-after", 1)]
    assert broken(checked([early, refused])) == [("consumer", "waits-for-retry-after", 1)]  # as a proxy may write it


def test_a_date_is_read_by_the_clock_of_the_server(checked: Checked) -> None:
    """Retry-After as a date counts from the Date of the response, whatever the clock of the tool."""
    headers = {**limit(0, 30), "Retry-After": "Sun, 01 Feb 2026 11:00:30 GMT", "Date": "Sun, 01 Feb 2026 11:00:00 GMT"}
    refused = add(status=429, reply=LIMITED, reply_headers=headers, at=100)

    assert broken(checked([refused, add({"email": "b@c.example"}, at=131)])) == []
    assert broken(checked([refused, add({"email": "b@c.example"}, at=120)])) == [
        ("consumer", "waits-for-retry-after", 1)
    ]


def test_a_limit_that_is_not_kept_is_proven(checked: Checked) -> None:
    """By more accepted requests within a minute than two windows allow, of one token; others may use the quota, too."""
    people = [add({"email": f"{n}@x.example"}, at=2 * n) for n in range(21)]
    others = [
        add({"email": f"{n}@x.example"}, at=2 * n, headers={"Authorization": f"Bearer token-{n}"}) for n in range(21)
    ]

    hidden = [add({"email": f"{n}@x.example"}, at=2 * n, headers={"Authorization": "***"}) for n in range(21)]

    assert broken(checked(people)) == [("provider", "limit-is-kept", 1)]
    assert broken(checked(people[:20])) == []
    assert broken(checked(others)) == []
    assert broken(checked(hidden)) == []
    assert broken(checked(people, rate_limit="off")) == []
    assert broken(checked([add(status=429, reply=LIMITED, reply_headers=limit(0, 9))])) == []


def test_a_429_needs_its_headers(checked: Checked) -> None:
    """Retry-After, and the four of the limit, with the documented numbers unless others are expected."""
    bare = add(status=429, reply=LIMITED)
    other = add(status=429, reply=LIMITED, reply_headers=limit(0, 9, requests=3))

    assert broken(checked([bare])) == [("provider", "limit-headers", 1), ("provider", "limit-has-retry-after", 1)]
    assert broken(checked([other])) == [("provider", "limit-headers", 1)]
    assert broken(checked([other], rate_limit="3/60s")) == []


@pytest.mark.parametrize(
    ("base_url", "origin", "path"),
    [
        ("https://gateway.example/alta/v1", "https://gateway.example", "/alta/v1/campaigns"),
        ("http://localhost:9000/v1/", "http://LOCALHOST:9000", "/v1/campaigns"),
        ("https://api.altahq.com/v1", "https://api.altahq.com:443", "/v1/campaigns"),
    ],
)
def test_the_api_may_be_anywhere(checked: Checked, base_url: str, origin: str, path: str) -> None:
    """A base URL names it; then nothing else is the API."""
    elsewhere = entry(origin="http://127.0.0.1:8080")
    result = checked([entry(origin=origin, path=path), elsewhere], base_url)

    assert (broken(result), result.requests, dict(result.notes)) == ([], 1, {"other-host": 1})


def test_a_program_on_this_machine_is_not_the_api(checked: Checked) -> None:
    """Although its paths begin like those of the API: none of them is known. At the vendor's host they are judged."""
    other = entry(origin="http://localhost:3000", path="/v1/users", status=200, reply="x")
    result = checked([entry(), other, entry(path="/v1/users", status=404, reply={"error": "NotFound", "message": ""})])

    assert (broken(result), dict(result.notes)) == ([("consumer", "path-unknown", 1)], {"other-path": 1})


def test_a_base_url_with_a_slash_at_its_end_is_found(checked: Checked) -> None:
    """Its paths begin with two slashes, and are the API's nevertheless."""
    result = checked([entry(path="//v1/campaigns", status=404, reply={"error": "NotFound", "message": ""})])

    assert broken(result) == [("consumer", "path-unknown", 1)]


def test_a_base_url_without_version_is_found(checked: Checked) -> None:
    """The request is for the API, and lacks only /v1."""
    result = checked([entry(path="/campaigns", status=404, reply={"error": "NotFound", "message": ""})])

    assert [one.rule for one in result.mistakes] == ["path-unknown", "base-path-missing"]


def test_repeating_what_was_refused_is_a_mistake(checked: Checked) -> None:
    """The rules of the journal judge the sequence."""
    missing = entry(path=f"/v1/campaigns/{UNKNOWN_CAMPAIGN}", status=404, reply={"error": "NotFound", "message": ""})

    assert broken(checked([missing, {**missing, "startedDateTime": "2026-02-01T01:00:00Z"}])) == [
        ("consumer", "does-not-repeat-what-was-refused", 1)
    ]


def test_log_lines_are_judged_by_what_they_have(checked: Checked) -> None:
    """The lines of `serve --log json` have neither headers nor bodies."""
    line = {"time": "2026-02-01T00:00:00.000+00:00", "method": "POST", "path": BATCH, "status": 418, "ms": 1.0}
    result = checked("\n".join(map(json.dumps, [line, {"status": 400, "why": "no request"}])) + "\n")

    assert broken(result) == [("provider", "documented-status", 1)]
    assert result.notes["malformed"] == 1


def test_a_file_of_mitmproxy(checked: Checked) -> None:
    """It writes no _resourceType, an empty postData for every POST, and status 0 for a lost response."""
    paused = entry("POST", f"/v1/campaigns/{CAMPAIGN}/pause", reply={})
    paused["request"] |= {"postData": {"mimeType": "", "text": "", "params": []}, "bodySize": 0}
    binary = entry()
    binary["response"]["content"] |= {
        "text": base64.b64encode(json.dumps(LISTED).encode()).decode(),
        "encoding": "base64",
    }
    lost = entry()
    lost["response"] = {
        "status": 0,
        "statusText": "",
        "httpVersion": "",
        "headers": [],
        "content": {},
        "_error": "reset",
    }
    streamed = entry()
    streamed["response"]["content"] |= {"text": None, "size": 0}
    result = checked(archive([paused, binary, lost, streamed], pages=[]))

    assert broken(result) == []
    assert dict(result.notes) == {"aborted": 1, "response-body": 1}


def test_a_file_of_firefox(checked: Checked) -> None:
    """It writes HTTP/2, times with an offset, and a comment in place of a body that it has not kept."""
    one = entry()
    one |= {
        "startedDateTime": "2026-02-01T01:00:00.250+01:00",
        "pageref": "page_1",
        "cache": {},
        "_securityState": "secure",
    }
    one["request"]["httpVersion"] = one["response"]["httpVersion"] = "HTTP/2"
    one["request"]["headers"] = pairs({"authorization": "Bearer a-real-token", "host": "api.altahq.com"})
    one["response"]["content"] = {
        "mimeType": "application/json",
        "size": 0,
        "comment": "Response bodies are not included.",
    }
    result = checked(archive([one], browser={"name": "Firefox", "version": "150.0"}))

    assert (broken(result), dict(result.notes)) == ([], {"response-body": 1})


def test_what_the_fake_refuses_the_check_names(checked: Checked) -> None:
    """The same rules: those of the header that says why."""
    mock = AltaMock(clock=AFTER_SEED)
    bodies: list[Any] = [{"data": []}, {"data": [{"jobTitle": "x"}]}, b"{", {"data": [{"email": 7}]}]
    for body in bodies:
        mock.handle(request_of(body))
    result = checked(exported(mock))

    assert {one.rule for one in result.mistakes if one.side == "consumer"} == {
        one.violations[0].rule for one in mock.requests
    }
    assert all(one.side == "consumer" for one in result.mistakes)
    assert VENDOR not in result.origins
