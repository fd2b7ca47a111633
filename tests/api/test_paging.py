"""Pages of a list: nothing twice, nothing missing, and cursors that lead to and fro."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from tests.api.conftest import EMAILS, LINKEDIN, LISTS, OPT_OUTS, PROSPECT, READS, Api, Sent
from tests.conftest import CAMPAIGN, SECOND_CAMPAIGN, error_of, why

if TYPE_CHECKING:
    from mock_server import AltaMock

TARGETS = [
    "/campaigns",
    "/prospects",
    f"/prospects?campaignId={SECOND_CAMPAIGN}",
    "/calls",
    f"{EMAILS}?status=sent",
    f"{EMAILS}?lastPerThread=true",
    f"{EMAILS}?campaignId={SECOND_CAMPAIGN}&type=received",
    f"{LINKEDIN}?type=campaign",
    f"{OPT_OUTS}?search=2",
]


def with_query(target: str, **parameters: object) -> str:
    """Return a target with more query parameters."""
    more = "&".join(f"{name}={quote(str(value))}" for name, value in parameters.items())
    return f"{target}{'&' if '?' in target else '?'}{more}"


def pages(api: Api, target: str, limit: int, member: str = "next") -> list[dict[str, Any]]:
    """Return the pages of a list, the first by its limit and filters, the others by their cursors alone."""
    path = target.partition("?")[0]
    found = [api.get(with_query(target, limit=limit))]
    while member in found[-1]:
        found.append(api.get(with_query(path, cursor=found[-1][member])))
    return found


def ids(page: dict[str, Any]) -> list[str]:
    """Return the ids on a page."""
    return [one["id"] for one in page["data"]]


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
@pytest.mark.parametrize("target", TARGETS)
def test_pages_together_are_the_list(api: Api, target: str, limit: int) -> None:
    """A cursor alone keeps filters and limit; `next` is there exactly if hasMore (assumption cursor-form)."""
    found = pages(api, target, limit)

    assert [one for page in found for one in ids(page)] == api.ids(target)
    assert {len(page["data"]) for page in found[:-1]} <= {limit}
    assert [page["hasMore"] for page in found] == ["next" in page for page in found]
    assert [page["hasMore"] for page in found] == [True] * (len(found) - 1) + [False]


@pytest.mark.parametrize("limit", [1, 4])
@pytest.mark.parametrize("target", TARGETS)
def test_previous_leads_back_to_the_same_pages(api: Api, target: str, limit: int) -> None:
    """All but the first page have it (assumption previous)."""
    forward, path = pages(api, target, limit), target.partition("?")[0]
    back = [forward[-1]]
    while "previous" in back[-1]:
        back.append(api.get(with_query(path, cursor=back[-1]["previous"])))

    assert back[::-1] == forward


def test_pages_are_stable_while_objects_are_added(api: Api) -> None:
    """What was added appears at the end, what is removed leaves no gap (assumption list-order)."""
    before = api.ids("/calls")
    page = api.get("/calls?limit=5")
    api.post("/assistant/calls", {"assistantId": "a", "name": "Zoe", "phoneNumber": "+12025550190"})
    event = api.mock.events.call(PROSPECT)
    seen = ids(page)
    while "next" in page:
        page = api.get(f"/calls?cursor={page['next']}")
        seen += ids(page)

    assert seen[:-2] == before
    assert seen[-1] == event["id"]
    first = api.get(f"{OPT_OUTS}?limit=2")
    gone = first["data"][1]
    api.delete(OPT_OUTS, {"identifier": gone["identifier"], "identifierType": gone["identifierType"]})
    second = api.get(f"{OPT_OUTS}?cursor={first['next']}")
    assert ids(first)[:1] + ids(second) == api.ids(OPT_OUTS)[:3]
    assert ids(api.get(f"{OPT_OUTS}?cursor={second['previous']}")) == ids(first)[:1]


def test_a_cursor_may_be_sent_with_its_filters(api: Api) -> None:
    """The field report sends all of them again; another limit counts from this page on."""
    target = f"{EMAILS}?status=sent&campaignId={SECOND_CAMPAIGN}"
    cursor = api.get(with_query(target, limit=2))["next"]
    alone = api.get(f"{EMAILS}?cursor={cursor}")

    assert api.get(with_query(target, limit=2, cursor=cursor)) == alone
    assert ids(api.get(with_query(target, limit=3, cursor=cursor)))[:2] == ids(alone)


def test_a_default_is_no_other_filter(api: Api) -> None:
    """A cursor of drafts leads to drafts, also where the list has sent messages by default."""
    target = f"{LINKEDIN}?status=draft"
    cursor = api.get(f"{target}&limit=1")["next"]

    assert api.get(f"{LINKEDIN}?cursor={cursor}") == api.get(f"{target}&cursor={cursor}")
    assert ids(api.get(f"{LINKEDIN}?cursor={cursor}")) == api.ids(target)[1:2]
    assert api.send("GET", f"{LINKEDIN}?status=sent&cursor={cursor}").status == 400


def test_a_cursor_that_is_not_of_this_list_is_refused(api: Api) -> None:
    """Other filters, another operation or account, and every other text get a 400 (assumption cursor-refused)."""
    mine = api.get(f"{EMAILS}?status=sent&limit=1")["next"]
    foreign = json.loads(api.send("GET", f"{EMAILS}?limit=1", token="other-token").body)["next"]
    broken = ["", "x", "%00", "%F0%9F%98%80", "null", mine[:-1], "!" + mine]
    broken += [mine + end for end in ("A", "%20", "!!!!", "====")]
    refused = [
        *(f"{EMAILS}?cursor={cursor}" for cursor in (foreign, mine.swapcase(), *broken, "A" * 10_000)),
        f"{EMAILS}?cursor={mine}&status=draft",
        f"{EMAILS}?cursor={mine}&type=manual",
        f"{LINKEDIN}?cursor={mine}",
        f"/prospects?cursor={mine}",
        f"{EMAILS}?cursor={mine}&cursor={mine}",
    ]

    for target in refused:
        reply = api.send("GET", target)
        assert (target, reply.status) == (target, 400)
        assert error_of(reply) == "ValidationError"


@pytest.mark.parametrize("name", LISTS)
def test_a_limit_out_of_bounds_is_refused(api: Api, name: str) -> None:
    """It is an integer from 1 to 100 (assumption limit-out-of-bounds); without one a page has ten objects."""
    target = LISTS[name].target.partition("?")[0]
    for limit in ("0", "101", "-1", "abc", "1e9", "", "1.5", "%31%30%30%30", "5&limit=5"):
        reply = api.send("GET", f"{target}?limit={limit}")
        assert (limit, reply.status, error_of(reply)) == (limit, 400, "ValidationError")
    assert api.get(target) == api.get(f"{target}?limit=10")
    assert len(api.get(f"{target}?limit=100")["data"]) > 2


@pytest.mark.parametrize("name", LISTS)
def test_a_filter_outside_its_enum_or_format_is_refused(api: Api, name: str) -> None:
    """An enum is exact, an id is a UUID with hyphens; what is not documented is ignored."""
    target = LISTS[name].target.partition("?")[0]
    (operation,) = (one for one in api.mock.contract.operations if one.id == name)
    for parameter in operation.parameters["query"]:
        wrong = [text for text in ("nope", "TRUE", "", "{" + CAMPAIGN + "}") if not parameter.schema.allows(text)]
        assert wrong or parameter.name in {"cursor", "tag", "search"}
        for text in wrong:
            reply = api.send("GET", with_query(target, **{parameter.name: text}))
            assert (reply.status, why(reply).split()[1]) == (400, f"query/{parameter.name}:")
    assert api.get(f"{target}?nonsense=1&nonsense=2") == api.get(target)


@pytest.mark.parametrize("name", READS)
def test_a_head_is_the_head_of_the_get(unlimited: AltaMock, name: str) -> None:
    """It has the same status and headers, and no body, also in process."""
    sent, head = READS[name], READS[name]._replace(method="HEAD")
    reply, got = (unlimited.answer(one.request()) for one in (sent, head))

    assert (got.status, got.headers) == (reply.status, reply.headers)


def test_a_head_by_socket_has_no_body(unlimited: AltaMock) -> None:
    """Its Content-Length is that of the GET, and the connection stays usable; a write has no HEAD."""
    token = {"Authorization": "Bearer test-token"}
    with unlimited.serve() as server, requests.Session() as session:
        session.headers.update(token)
        for sent in (*READS.values(), Sent("GET", "/calls?limit=0"), Sent("GET", f"/calls/{CAMPAIGN}")):
            got = session.get(server.url + sent.target, timeout=5)
            head = session.head(server.url + sent.target, timeout=5)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head.headers["Content-Length"] == str(len(got.content))
        assert session.head(f"{server.url}/assistant/calls", timeout=5).status_code == 405
