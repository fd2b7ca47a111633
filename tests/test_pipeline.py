"""The pipeline: the response of each stage, the order of the stages, and atomicity."""

from __future__ import annotations

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mock_server import AltaMock, MockError
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.messages.errors import Bug, NotFound
from mock_server.pipeline.hooks import Hooks
from mock_server.store.base import Batch
from tests.conftest import (
    CAMPAIGN,
    FOREIGN_CAMPAIGN,
    ONE,
    ROOT,
    UNKNOWN_CAMPAIGN,
    error_of,
    prospects_path,
    request_of,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_server import Clock
    from mock_server.messages.call import Call
    from mock_server.messages.http import ApiReply

    Send = Callable[..., ApiReply]

JSON = ("content-type", "application/json")


def test_a_batch_is_stored_as_sent_and_in_order(unlimited: AltaMock, judge: Send) -> None:
    """This includes duplicates (assumption duplicates), undeclared properties, and every digit of a number."""
    first = [{"email": f"{n}@example.com", "n": n} for n in range(20)]
    second = [{"email": "0@example.com"}, {"phone": "1", "x": {"y": [1234567890123456789012345, None, "\0"]}}]

    assert judge({"data": first}).status == 200
    assert judge({"data": second, "source": "import"}).status == 200
    assert unlimited.prospects(CAMPAIGN) == first + second


def test_a_batch_with_one_bad_record_stores_nothing(unlimited: AltaMock, judge: Send) -> None:
    """The position of the invalid record does not matter."""
    good = {"email": "ada@example.com"}
    for at in (0, 10, 19):
        assert judge({"data": [good] * at + [{"jobTitle": "x"}] + [good] * (19 - at)}).status == 400

    assert unlimited.prospects(CAMPAIGN) == []


def test_success_promises_nothing_more_than_the_vendor(send: Send) -> None:
    """The response is 200 with an empty object (assumption success-body)."""
    reply = send()

    assert (reply.status, reply.body, reply.header("Content-Type")) == (200, b"{}", "application/json")
    assert reply.header("X-Alta-Mock-Why") is None


@pytest.mark.parametrize(
    ("campaign", "status"),
    [
        (CAMPAIGN.upper(), 200),
        ("%33" + CAMPAIGN[1:], 200),
        ("0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e01", 200),
        ("0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e02", 200),
        ("0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e03", 200),
        ("0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e04", 200),
        (UNKNOWN_CAMPAIGN, 404),
        (FOREIGN_CAMPAIGN, 404),
        (CAMPAIGN[:-1] + "b", 404),
        (CAMPAIGN[:-1], 400),
        (CAMPAIGN + "a", 400),
        (CAMPAIGN.replace("-", ""), 400),
        ("{" + CAMPAIGN + "}", 400),
        ("urn:uuid:" + CAMPAIGN, 400),
        (" " + CAMPAIGN, 400),
        (CAMPAIGN + "%0A", 400),
        (CAMPAIGN[:-1] + "%2F", 400),
        ("..", 400),
        ("%2e%2e", 400),
        ("%00", 400),
        ("%ff", 400),
        ("%", 400),
        ("\xe9", 400),
        ("0", 400),
    ],
)
def test_a_campaign_is_found_by_a_uuid_of_its_own_account(judge: Send, campaign: str, status: int) -> None:
    """Case and campaign status do not matter; assumptions malformed-id and campaign-status."""
    reply = judge(path=prospects_path(campaign))

    assert reply.status == status
    if status != 200:
        assert error_of(reply) == {400: "ValidationError", 404: "NotFound"}[status]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "*",
        "/v1",
        "/v1/",
        f"/campaigns/{CAMPAIGN}/prospects",
        f"/v2/campaigns/{CAMPAIGN}/prospects",
        f"/v1/campaigns/{CAMPAIGN}/other",
        f"/v1/campaigns/{CAMPAIGN}/prospects/",
        f"/v1//campaigns/{CAMPAIGN}/prospects",
        f"//v1/campaigns/{CAMPAIGN}/prospects",
        "/v1/campaigns//prospects",
        f"/v1/campaigns%2F{CAMPAIGN}/prospects",
        f"/v1/campaigns/{CAMPAIGN}/Prospects",
        f"/v1/x/../campaigns/{CAMPAIGN}/prospects",
        "/v1/\xff\xfe",
        "/v1/%00",
        "/v1/" + "a/" * 30_000,
    ],
)
def test_an_unknown_path_is_not_found_without_a_token(judge: Send, path: str) -> None:
    """The 404 precedes authentication; slashes and dots are significant (assumption path-form)."""
    reply = judge(path=path, token=None)

    assert (reply.status, error_of(reply)) == (404, "NotFound")


def test_percent_encoding_of_ordinary_characters_does_not_matter(judge: Send) -> None:
    """`%63ampaigns` is `campaigns` (RFC 3986, 6.2.2.2)."""
    assert judge(path=f"/v1/%63ampaigns/{CAMPAIGN}/prospects").status == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_gets_the_allowed_methods(judge: Send, method: str) -> None:
    """The response is a 405 with Allow, before authentication (assumption wrong-method)."""
    reply = judge(method=method, token=None)

    assert (reply.status, error_of(reply)) == (405, "MethodNotAllowed")
    assert reply.header("Allow") == "POST"


def test_the_order_of_the_checks(mock: AltaMock, send: Send) -> None:
    """Each fault is reported although the request has all later faults, too (assumption check-order)."""
    bad = b"not json"
    seen = [
        send(bad, path="/v1/nowhere", token="wrong").status,
        send(bad, method="PUT", token="wrong").status,
        send(bad, path=prospects_path("nope"), token="wrong").status,
        send(bad, path=prospects_path(UNKNOWN_CAMPAIGN), token="test-token-readonly").status,
        send(path=prospects_path(UNKNOWN_CAMPAIGN), token="test-token-readonly").status,
        send(token="test-token-readonly").status,
        send().status,
    ]
    for _ in range(6):
        send()
    seen.append(send(bad, path=prospects_path("nope"), token="test-token-readonly").status)

    assert seen == [404, 405, 401, 400, 404, 403, 200, 429]
    assert len(mock.prospects(CAMPAIGN)) == 7


def test_a_user_who_may_not_edit_campaigns_is_forbidden(unlimited: AltaMock, judge: Send) -> None:
    """The response is 403 with the text of the errors page, and nothing is stored (assumption permission-name)."""
    reply = judge(token="test-token-readonly")

    assert (reply.status, error_of(reply)) == (403, "Forbidden")
    assert unlimited.prospects(CAMPAIGN) == []


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ((), "content-type"),
        ((("content-type", ""),), "content-type"),
        ((("content-type", "text/plain"),), "content-type"),
        ((("content-type", "application/x-www-form-urlencoded"),), "content-type"),
        ((("content-type", "application/vnd.api+json"),), "content-type"),
        ((("content-type", "application/jsonx"),), "content-type"),
        ((JSON, JSON), "content-type"),
        ((JSON, ("content-encoding", "gzip")), "content-encoding"),
    ],
)
def test_a_body_without_a_json_content_type_is_refused(
    judge: Send, headers: tuple[tuple[str, str], ...], rule: str
) -> None:
    """The response is 400 (assumption content-type), although the bytes are valid."""
    reply = judge(headers=headers)

    assert (reply.status, error_of(reply)) == (400, "ValidationError")
    assert why(reply).startswith(f"{rule} header/{rule}: ")


@pytest.mark.parametrize(
    "headers",
    [
        (("content-type", "application/json; charset=utf-8"),),
        (("content-type", "Application/JSON"),),
        (("content-type", "application/json;foo=bar; x"),),
        (("content-type", " application/json ; charset=utf-8"),),
        (JSON, ("content-encoding", "identity")),
    ],
)
def test_parameters_of_the_content_type_do_not_matter(judge: Send, headers: tuple[tuple[str, str], ...]) -> None:
    """Media types are case-insensitive, their parameters are ignored (assumption content-type)."""
    assert judge(headers=headers).status == 200


def test_a_body_of_over_a_mebibyte_is_refused_before_it_is_read(unlimited: AltaMock) -> None:
    """The response is 413 (assumption body-size), even if the content type is wrong, too."""
    reply = unlimited.answer(request_of(None, headers=()))

    assert (reply.status, error_of(reply)) == (413, "PayloadTooLarge")


def test_a_huge_invalid_body_is_answered_quickly(judge: Send) -> None:
    """Hundreds of thousands of invalid records report one rule; otherwise the suite's time limit would be exceeded."""
    reply = judge(b'{"data":[' + b"{}," * 300_000 + b"{}]}")

    assert why(reply) == "maxItems /data: got 300001 items; wanted at most 20"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_a_campaign_bound_to_a_status_returns_it(unlimited: AltaMock, judge: Send, status: int) -> None:
    """The response has the contract's body, and nothing is stored; the 500 is assumption internal-error-body."""
    campaign = f"00000000-0000-4000-8000-000000000{status}"
    reply = judge(path=prospects_path(campaign))

    assert reply.status == status
    (operation,) = (one for one in unlimited.contract.operations if one.id == "addProspectsToCampaign")
    assert operation.examples[status] == reply.body
    assert (reply.header("Retry-After") is not None) == (status == 429)
    assert why(reply) == f"injected {status}: requested by seed"
    assert unlimited.prospects(campaign) == []


def test_a_bound_429_has_the_wait_of_the_real_window(send: Send, clock: Clock) -> None:
    """Retry-After is the time left in the window."""
    send()
    clock.advance(15)

    assert send(path=prospects_path("00000000-0000-4000-8000-000000000429")).header("Retry-After") == "45"


def test_why_is_one_line_of_ascii_within_bounds(judge: Send) -> None:
    """Keys of the client add no line break, no long text and no token to the header."""
    keys = {"\r\nSet-Cookie: x=1": 1, "é" * 400: 2, "test-token": 3}
    text = why(judge({"data": [keys]}))

    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 300
    assert "test-token" not in why(judge({"data": [{"test-token-2": 1}]}))
    assert "secret" not in why(judge({"data": [{"Bearer secret": 1}]}))


def test_why_can_be_turned_off(clock: Clock) -> None:
    """`why=False` leaves the vendor's response unchanged."""
    reply = AltaMock(clock=clock, why=False).answer(request_of(b"{"))

    assert (reply.status, reply.header("X-Alta-Mock-Why")) == (400, None)


def test_every_response_has_the_date_of_the_clock(send: Send, clock: Clock) -> None:
    """Date follows the fake's time (assumption response-headers)."""
    before = send().header("Date")
    clock.advance(3600)

    assert (before, send().header("Date")) == ("Thu, 01 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 01:00:00 GMT")


def test_an_operation_without_a_handler_is_a_501(second_operation: Path, clock: Clock) -> None:
    """It has the error form, comes after authentication and validation, and counts against the quota."""
    mock = AltaMock(clock=clock, openapi=second_operation)
    reply = mock.answer(request_of(b"", method="GET", path=f"/v1/campaigns/{CAMPAIGN}/summary"))

    assert (reply.status, error_of(reply)) == (501, "NotImplemented")
    assert b"alta-mock does not implement" in reply.body
    assert reply.header("RateLimit-Policy") == "100;w=60"
    assert mock.answer(request_of(b"", method="GET", path="/v1/campaigns/x/summary")).status == 400
    assert mock.answer(request_of(b"", method="GET", path="/v1/campaigns/x/summary", token=None)).status == 401


def test_recorded_responses_replace_the_body(tmp_path: Path, clock: Clock) -> None:
    """`responses/<operationId>.json` next to `--data FILE` replaces the body of the 200."""
    seed = tmp_path / "seed.yaml"
    seed.write_text((ROOT / "fixtures/seed.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "responses").mkdir()
    (tmp_path / "responses/addProspectsToCampaign.json").write_text('{"added": 1}', encoding="utf-8")

    assert AltaMock(clock=clock, data=seed).answer(request_of()).body == b'{"added":1}'


def test_a_response_that_breaks_the_contract_is_a_bug(tmp_path: Path, clock: Clock) -> None:
    """A result is checked against the schema of its status; an invalid result never reaches a client as a response."""
    document = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    strict = document.replace(
        "description: Prospects added successfully",
        "description: x\n          content: {application/json: {schema: {type: array}}}",
    )
    contract = tmp_path / "openapi.yaml"
    contract.write_text(strict, encoding="utf-8")
    (tmp_path / "seed.yaml").write_text((ROOT / "fixtures/seed.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "responses").mkdir()
    handlers = {"addProspectsToCampaign": Handler(lambda _call, _context: Result(body={}))}
    mock = AltaMock(
        clock=clock, openapi=contract, data=tmp_path / "seed.yaml", hooks=Hooks(handlers=lambda _: handlers)
    )

    with pytest.raises(Bug, match="the 200 of addProspectsToCampaign breaks the contract"):
        mock.answer(request_of())


def test_a_handler_that_raises_changes_nothing(clock: Clock) -> None:
    """Its changes are undone; the quota stays spent, and the request is in the journal."""

    def failing(call: Call, context: Context) -> Result:
        context.transaction.submit(context.found["id"], Batch(call.raw, "data", 1))
        raise NotFound

    def change(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        return {name: replace(handler, function=failing) for name, handler in handlers.items()}

    mock = AltaMock(clock=clock, hooks=Hooks(handlers=change))
    reply = mock.answer(request_of())

    assert (reply.status, reply.header("RateLimit-Remaining")) == (404, "9")
    assert mock.prospects(CAMPAIGN) == []
    assert [entry.status for entry in mock.requests] == [404]
    assert mock.answer(request_of()).header("RateLimit-Remaining") == "8"


def test_another_success_status_is_served(tmp_path: Path, clock: Clock) -> None:
    """A handler without a status gets the declared success status: here 201."""
    text = (ROOT / "openapi.yaml").read_text(encoding="utf-8").replace("'200':", "'201':")
    document = tmp_path / "openapi.yaml"
    document.write_text(text, encoding="utf-8")
    mock = AltaMock(clock=clock, openapi=document)

    assert mock.answer(request_of()).status == 201
    assert mock.prospects(CAMPAIGN) == ONE["data"]


def test_two_mocks_share_nothing(clock: Clock) -> None:
    """They have separate prospects and quotas."""
    one, other = AltaMock(clock=clock), AltaMock(clock=clock)
    for _ in range(11):
        one.answer(request_of())

    assert other.answer(request_of()).header("RateLimit-Remaining") == "9"
    assert (len(one.prospects(CAMPAIGN)), len(other.prospects(CAMPAIGN))) == (10, 1)


def test_prospects_are_copies(mock: AltaMock, send: Send) -> None:
    """Changing a returned record does not change the fake."""
    send()
    mock.prospects(CAMPAIGN)[0]["email"] = "changed"

    assert mock.prospects(CAMPAIGN.upper()) == json.loads(json.dumps(ONE))["data"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate_limit": 5}, "rate_limit=5 is not valid; use a text"),
        ({"account_rate_limit": []}, "account_rate_limit="),
        ({"data": 3}, "data=3"),
        ({"data": "a\0b"}, "cannot read"),
        ({"why": "no"}, "why='no' is not valid; use True or False"),
        ({"visible_after": "soon"}, "visible_after: 'soon' is not a valid time; write Ns, for example 90s"),
        ({"visible_after": None}, "visible_after=None is not valid; use a text"),
        ({"store": None}, "store=None is not valid; use a text"),
        ({"rate_limit": Path("10")}, "rate_limit="),
        ({"account_rate_limit": "10"}, "account_rate_limit: '10' is not a valid limit; write N/Ss"),
        ({"rate_limits": "1/1s"}, "unknown setting 'rate_limits'; choose one of clock, hooks, data"),
    ],
)
def test_an_invalid_setting_is_one_line(settings: dict[str, Any], message: str) -> None:
    """Python and the command line have the same message."""
    with pytest.raises(MockError, match=re.escape(message)):
        AltaMock(**settings)


@pytest.mark.parametrize("content", ['{"a": .nan}', None])
def test_a_recorded_response_with_invalid_json_is_refused(tmp_path: Path, content: str | None) -> None:
    """It is refused at the start; so is a folder with its name."""
    seed = tmp_path / "seed.yaml"
    seed.write_text((ROOT / "fixtures/seed.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    file = tmp_path / "responses/addProspectsToCampaign.json"
    file.parent.mkdir()
    if content is None:
        file.mkdir()
    else:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(MockError, match="addProspectsToCampaign"):
        AltaMock(data=seed)


def test_reset_is_atomic(mock: AltaMock) -> None:
    """While one thread resets, another always finds the campaign."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(2) as pool:
            resetting = pool.submit(_reset_often, mock)
            statuses = set()
            while not resetting.done():
                statuses.add(mock.answer(request_of()).status)
    finally:
        sys.setswitchinterval(before)

    assert 404 not in statuses


def _reset_often(mock: AltaMock) -> None:
    for _ in range(1500):
        mock.reset()


def test_an_unknown_campaign_is_a_mistake_of_the_test(mock: AltaMock) -> None:
    """The message lists the campaigns of the seed."""
    with pytest.raises(MockError, match=f"unknown campaign '{UNKNOWN_CAMPAIGN}'; choose one of {CAMPAIGN}"):
        mock.prospects(UNKNOWN_CAMPAIGN)
