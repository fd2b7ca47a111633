"""What the documentation leaves open: each choice does what its entry says, in every way to choose it."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any
from urllib.parse import quote

import pytest

import mock_server
from mock_server import AltaMock, Clock
from mock_server.contract.assumptions import Question, load, parse, switches
from mock_server.messages.errors import MockError
from mock_server.messages.http import ApiReply
from mock_server.state import Search
from tests.api.conftest import EMAILS, OPT_OUTS, PROSPECT, Api
from tests.conftest import (
    CAMPAIGN,
    ONE,
    ROOT,
    SECOND_CAMPAIGN,
    UNKNOWN_CAMPAIGN,
    calls_during,
    prospects_path,
    request_of,
)

EMAILS_OF_ACME = AltaMock().objects.list("email_messages", Search({}, account="acme"))
READ_ONLY = "test-token-readonly"
ADD = f"/campaigns/{CAMPAIGN}/prospects"
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"
CAMPAIGNS = [one for one in AltaMock().campaigns() if one["account"] == "acme"]
DRAFT, PAUSED = (next(one["id"] for one in CAMPAIGNS if one["status"] == status) for status in ("draft", "paused"))
ARCHIVED = next(one["id"] for one in CAMPAIGNS if one["isArchived"])


def body(reply: ApiReply) -> Any:
    """Return the JSON of a response."""
    return json.loads(reply.body)


def content(reply: ApiReply) -> str | None:
    """Return the Content-Type of a response."""
    return reply.header("Content-Type")


def limited(api: Api, requests: int = 11) -> list[ApiReply]:
    """Send a number of valid batches."""
    return [api.send("POST", ADD, ONE) for _ in range(requests)]


def added(api: Api, *batches: list[dict[str, Any]]) -> list[Any]:
    """Add batches to a campaign; return the title and the email of the persons that it has then."""
    before = set(api.ids("/persons"))
    for batch in batches:
        api.post(ADD, {"data": batch})
    persons = api.get("/persons?limit=100")["data"]
    return [(one["title"], one["email"]) for one in persons if one["id"] not in before]


def walk(api: Api, target: str) -> list[int]:
    """Return the number of objects of each page of a list."""
    page = api.get(target)
    sizes = [len(page["data"])]
    while page["hasMore"]:
        page = api.get(f"{target.partition('?')[0]}?cursor={quote(page['next'], safe='')}")
        sizes.append(len(page["data"]))
    return sizes


def statuses_of(api: Api) -> set[str]:
    """Return the states of the prospects of the first campaign that the seed has prospects in."""
    return {one["status"] for one in api.mock.list("prospects", campaign_id=_with_prospects(api))}


def _with_prospects(api: Api) -> str:
    return str(api.mock.list("prospects")[0]["campaignId"])


def paused_with_campaign(api: Api) -> set[str]:
    """Pause a campaign without saying what becomes of its prospects; return their states."""
    campaign = _with_prospects(api)
    for prospect in api.mock.list("prospects", campaign_id=campaign):
        api.post(f"/prospects/{prospect['id']}/resume")
    api.post(f"/campaigns/{campaign}/pause", {})
    return statuses_of(api)


def opted_out_twice(api: Api) -> bool:
    """Opt somebody out twice; return whether the entry is still the first one."""
    sent = {"identifiers": [{"identifier": "zoe@example.com", "identifierType": "email"}]}
    api.post(OPT_OUTS, sent)
    first = api.get(f"{OPT_OUTS}?search=zoe")["data"]
    api.post(OPT_OUTS, sent)
    return bool(api.get(f"{OPT_OUTS}?search=zoe")["data"] == first)


def visible(api: Api, seconds: float) -> bool:
    """Add a prospect; return whether it is listed after some seconds."""
    before = len(api.ids(f"/prospects?campaignId={CAMPAIGN}"))
    api.post(ADD, ONE)
    api.mock.clock.advance(seconds)
    return len(api.ids(f"/prospects?campaignId={CAMPAIGN}")) > before


def sliding_then(api: Api, seconds: float) -> int:
    """Send one request at the start and nine after 50 s; return how many of ten pass after some more seconds."""
    limited(api, 1)
    api.mock.clock.advance(50)
    limited(api, 9)
    api.mock.clock.advance(seconds)
    return sum(reply.status == 200 for reply in limited(api, 10))


def text_of_a_429(api: Api) -> str:
    """Return the end of the message of a 429, 20 s after the first request."""
    limited(api, 10)
    api.mock.clock.advance(20)
    return str(body(limited(api, 1)[0])["message"][-11:])


def label_of(api: Api) -> Any:
    """Return the label of an opt-out that was sent with a name."""
    sent = {"identifier": "zoe@example.com", "identifierType": "email", "name": "Zoe"}
    api.post(OPT_OUTS, {"identifiers": [sent]})
    return api.get(f"{OPT_OUTS}?search=zoe")["data"][0].get("label")


def person(api: Api) -> Any:
    """Return a person that was added without a name."""
    api.post(ADD, ONE)
    return api.get("/persons?limit=100")["data"][-1]


CONTACT_RULE = "at least one of email, linkedinUrl, phone, or all of firstName, lastName, company"
DATES = {"retry-after": "date"}
TWICE = [{"email": "ada@example.com"}], [{"email": "ada@example.com", "jobTitle": "Engineer"}]
BAD = {"data": [{"jobTitle": "Nobody"}]}
EMPTY: dict[str, Any] = {"data": []}
BLANK, NUMBER = {"data": [{"email": " \u2003"}]}, {"data": [{"phone": 7}]}
LONG = {"data": [{"phone": "1" * 256}]}

BEHAVIOUR: dict[str, tuple[Callable[[Api], Any], dict[str, Any]]] = {
    "success-body": (
        lambda api: (content(reply := api.send("POST", ADD, ONE)), reply.body),
        {
            "empty-object": ("application/json", b"{}"),
            "empty": (None, b""),
            "object": ("application/json", b'{"success":true,"requestId":"7c0f2a"}'),
        },
    ),
    "duplicates": (
        lambda api: added(api, *TWICE),
        {
            "keep": [(None, "ada@example.com"), ("Engineer", "ada@example.com")],
            "merge": [("Engineer", "ada@example.com")],
            "ignore": [(None, "ada@example.com")],
        },
    ),
    "blank-contact": (lambda api: api.send("POST", ADD, BLANK).status, {"refused": 400, "accepted": 200}),
    "phone-type": (
        lambda api: [api.send("POST", ADD, one).status for one in (NUMBER, LONG, {"data": [{"phone": None}]})],
        {"text": [400, 200, 400], "short-text": [400, 400, 400], "anything": [200, 200, 400]},
    ),
    "campaign-status": (
        lambda api: [
            api.send("POST", f"/campaigns/{one}/prospects", ONE).status for one in (CAMPAIGN, DRAFT, ARCHIVED)
        ],
        {"accepted": [200, 200, 200], "not-archived": [200, 200, 400], "only-active": [200, 400, 400]},
    ),
    "malformed-id": (lambda api: api.send("GET", "/campaigns/7").status, {"400": 400, "404": 404}),
    "content-type": (
        lambda api: api.mock.answer(request_of(headers=(("content-type", "text/plain"),))).status,
        {"400": 400, "415": 415},
    ),
    "body-size": (
        lambda api: [
            api.send("POST", ADD, {"data": [{"email": "a@b.example", "note": "x" * size}]}).status
            for size in (199_000, 201_000, 1_050_000)
        ],
        {"1-MiB": [200, 200, 413], "200-kB": [200, 413, 413]},
    ),
    "check-order": (
        lambda api: [
            api.send("POST", f"/campaigns/{UNKNOWN_CAMPAIGN}/prospects", BAD).status,
            api.send("POST", ADD, BAD, token=READ_ONLY).status,
            api.send("POST", f"/campaigns/{UNKNOWN_CAMPAIGN}/prospects", ONE, token=READ_ONLY).status,
        ],
        {
            "validation-first": [400, 400, 404],
            "existence-first": [404, 403, 404],
            "permission-first": [400, 403, 403],
        },
    ),
    "counted-requests": (
        lambda api: [api.send("POST", ADD, BAD).header("RateLimit-Remaining") for _ in range(3)],
        {"all": ["9", "8", "7"], "accepted": ["10", "10", "10"]},
    ),
    "window": (lambda api: sliding_then(api, 12), {"fixed": 10, "sliding": 1, "aligned": 10}),
    "limit-headers": (
        lambda api: [n for n, reply in enumerate(limited(api), 1) if reply.header("RateLimit-Limit")],
        {"always": [*range(1, 12)], "near-limit": [7, 8, 9, 10, 11], "beyond-limit": [11]},
    ),
    "retry-after": (
        lambda api: limited(api)[-1].header("Retry-After"),
        {"seconds": "60", "date": "Thu, 01 Jan 2026 00:01:00 GMT"},
    ),
    "limit-text": (
        text_of_a_429,
        {"documented": "60 seconds.", "actual": "40 seconds."},
    ),
    "nested-limits": (
        lambda api: [limited(api), api.send("GET", "/campaigns").header("RateLimit-Remaining")][-1],
        {"both": "88", "narrower": "99"},
    ),
    "authorization-twice": (
        lambda api: (
            api.mock.answer(
                request_of(headers=(*request_of().headers, ("authorization", "Bearer other")), token=None)
            ).status
        ),
        {"refused": 401, "first": 200},
    ),
    "wrong-method": (lambda api: api.send("PUT", "/campaigns").status, {"405": 405, "404": 404}),
    "path-form": (
        lambda api: [api.send("GET", path).status for path in ("/campaigns/", "//campaigns", "/campaign")],
        {"exact": [404, 404, 404], "slashes-ignored": [200, 200, 404]},
    ),
    "error-message": (
        lambda api: [body(api.send("POST", ADD, one))["message"] for one in (BAD, EMPTY)],
        {
            "published": ["Invalid request body"] * 2,
            "specific": [
                f"contact-or-identity /data/0: got only jobTitle; wanted {CONTACT_RULE}",
                "minItems /data: got 0 items; wanted at least 1",
            ],
            "other": ["Das geht so nicht \u2013 bitte pr\u00fcfen."] * 2,
        },
    ),
    "error-members": (
        lambda api: sorted(body(api.send("GET", f"/campaigns/{UNKNOWN_CAMPAIGN}"))),
        {"documented": ["error", "message"], "more": ["code", "details", "error", "message"]},
    ),
    "charset": (
        lambda api: [content(api.send("GET", one)) for one in ("/campaigns", "/nothing")],
        {"absent": ["application/json"] * 2, "present": ["application/json; charset=utf-8"] * 2},
    ),
    "response-headers": (
        lambda api: api.send("GET", "/campaigns", token=None).header("WWW-Authenticate"),
        {"recommended": "Bearer", "minimal": None},
    ),
    "header-case": (
        lambda api: api.send("GET", "/campaigns").headers[0],
        {"documented": ("Date", DATE), "lower": ("date", DATE)},
    ),
    "new-campaign": (
        lambda api: [(new := api.post("/campaigns", {"name": "x"}))["status"], "launchedAt" in new],
        {"draft": ["draft", False], "active": ["active", True]},
    ),
    "other-states": (
        lambda api: [
            api.send("POST", f"/campaigns/{one}/{what}").status
            for one, what in ((PAUSED, "pause"), (CAMPAIGN, "resume"), (CAMPAIGN, "pause"), (PAUSED, "resume"))
        ],
        {"accepted": [200] * 4, "refused": [400, 400, 200, 200]},
    ),
    "prospects-too": (paused_with_campaign, {"no": {"active"}, "yes": {"paused"}}),
    "visibility": (
        lambda api: [visible(api, seconds) for seconds in (0, 4)],
        {"at-once": [True, True], "later": [False, True]},
    ),
    "list-order": (
        lambda api: [one["sentAt"] for one in api.get(f"{EMAILS}?limit=2")["data"]],
        {
            "oldest-first": [one["sentAt"] for one in EMAILS_OF_ACME[:2]],
            "newest-first": [one["sentAt"] for one in EMAILS_OF_ACME[:-3:-1]],
        },
    ),
    "cursor-form": (
        lambda api: [len(text := api.get(f"{EMAILS}?limit=2")["next"]) > 1900, quote(text, safe="") != text],
        {"short": [False, False], "long": [True, True]},
    ),
    "previous": (
        lambda api: "previous" in api.get(f"{EMAILS}?cursor={quote(api.get(EMAILS)['next'], safe='')}"),
        {"present": True, "absent": False},
    ),
    "page-size": (
        lambda api: [walk(api, f"/reps?limit={limit}")[0] for limit in (1, 2)],
        {"full": [1, 2], "short": [1, 1]},
    ),
    "unknown-parameter": (
        lambda api: [api.send("GET", "/campaigns?sort=name").status, api.send("POST", f"{ADD}?a=", ONE).status],
        {"ignored": [200, 200], "refused": [400, 400]},
    ),
    "opt-out-again": (opted_out_twice, {"keep": True, "replace": False}),
    "opt-out-label": (label_of, {"label": "Zoe", "dropped": None}),
    "empty-members": (lambda api: "title" in person(api), {"null": True, "absent": False}),
    "more-members": (
        lambda api: api.get(f"/prospects/{PROSPECT}").get("revision"),
        {"documented": None, "more": {"number": 1}},
    ),
    "time-form": (
        lambda api: person(api)["createdAt"],
        {
            "seconds": "2026-01-01T00:00:00Z",
            "milliseconds": "2026-01-01T00:00:00.000Z",
            "offset": "2026-01-01T00:00:00+00:00",
        },
    ),
}
"""For each assumption what to do with a fake, and the result under each choice."""


CASES = [(name, choice) for name, (_, results) in BEHAVIOUR.items() for choice in results]


def questions() -> Iterator[Question[Any]]:
    """Yield every question that code asks."""
    for module in walk_packages(mock_server.__path__, "mock_server."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    return (one for one in gc.get_objects() if isinstance(one, Question))


@pytest.mark.parametrize(("name", "choice"), CASES)
def test_each_choice_does_what_it_says(clock: Clock, name: str, choice: str) -> None:
    """Whether it is chosen at the start or later."""
    look, results = BEHAVIOUR[name]
    begun = AltaMock(clock=clock, assume={name: choice})
    later = AltaMock(clock=Clock(lambda: 0, epoch=clock.time_ns()))
    later.assume({name: choice})

    assert look(Api(begun)) == results[choice]
    assert look(Api(later)) == results[choice]


def test_every_choice_is_tried() -> None:
    """The table above has those of the file, in its order."""
    assert {name: list(results) for name, (_, results) in BEHAVIOUR.items()} == {
        name: [choice.id for choice in one.choices] for name, one in switches().items()
    }


def test_code_asks_for_the_choices_of_the_file() -> None:
    """Each question has the ids of its entry in its order; an entry without a question has an overlay."""
    asked = {one.id: list(one.values) for one in questions()}
    overlaid = {name: one for name, one in switches().items() if one.operation}

    assert asked == {
        name: [choice.id for choice in one.choices] for name, one in switches().items() if name not in overlaid
    }
    assert all(choice.overlay for one in overlaid.values() for choice in one.choices[1:])


def test_entries_are_complete() -> None:
    """An entry has choices with an advice, or a reason why it has none."""
    for one in load():
        assert bool(one.fixed) != (len(one.choices) > 1 and bool(one.advice)), one.id
        assert all(choice.happens and choice.why for choice in one.choices)
        assert len({choice.id for choice in one.choices}) == len(one.choices)


@pytest.mark.parametrize("choice", ["oldest-first", "newest-first"])
@pytest.mark.parametrize("form", ["short", "long"])
def test_pages_are_complete_under_every_order_size_and_form(clock: Clock, choice: str, form: str) -> None:
    """Nothing is repeated or left out while objects are added, and `previous` is the inverse of `next`."""
    assume = {"list-order": choice, "page-size": "short", "cursor-form": form}
    api = Api(AltaMock(clock=clock, assume=assume, account_rate_limit="off"))
    before = api.ids("/calls")
    page, found = api.get("/calls?limit=5"), []
    first = page
    while True:
        found += [one["id"] for one in page["data"]]
        api.mock.create("call")
        if not page["hasMore"]:
            break
        page = api.get(f"/calls?cursor={quote(page['next'], safe='')}")
    back = page
    while back.get("previous"):
        back = api.get(f"/calls?cursor={quote(back['previous'], safe='')}")
        if "previous" not in back:
            break

    assert len(found) == len(set(found))
    assert [one for one in found if one in before] == before
    if choice == "oldest-first":
        assert back["data"] == first["data"]


def test_a_reset_returns_to_the_settings(clock: Clock) -> None:
    """What was assumed later is forgotten, also in place of a setting."""
    mock = AltaMock(clock=clock, assume={"wrong-method": "404"})
    api = Api(mock)
    mock.assume({"wrong-method": "405", "charset": "present"})
    changed = api.send("PUT", "/campaigns")
    mock.reset()
    back = api.send("PUT", "/campaigns")

    assert (changed.status, content(changed)) == (405, "application/json; charset=utf-8")
    assert (back.status, content(back)) == (404, "application/json")


def test_asked_questions_are_known(clock: Clock) -> None:
    """A request asks only those whose choices matter to its response."""
    mock = AltaMock(clock=clock)
    api = Api(mock)
    api.get(f"/campaigns/{CAMPAIGN}")
    assert {"time-form", "charset", "limit-headers"} <= mock.choices.asked
    assert not mock.choices.asked & {"list-order", "retry-after", "malformed-id", "success-body", "duplicates"}

    limited(api)
    api.get("/prospects")
    assert {"list-order", "retry-after", "success-body", "duplicates"} <= mock.choices.asked


@pytest.mark.parametrize(
    ("assume", "message"),
    [
        ({"windw": "sliding"}, "unknown assumption 'windw'; did you mean window?"),
        ({"nonsense-here": "x"}, "unknown assumption 'nonsense-here'; choose one of success-body, duplicates"),
        ({"window": "round"}, "window=round is not a choice; choose one of fixed, sliding, aligned"),
        ({"account-header": "x"}, "the assumption 'account-header' has no other choice: The page names the status"),
    ],
)
def test_unknown_names_are_refused_with_the_known_ones(assume: dict[str, str], message: str) -> None:
    """At the start and later; nothing changes."""
    mock = AltaMock()
    for choose in (lambda: AltaMock(assume=assume), lambda: mock.assume(assume)):
        with pytest.raises(MockError, match=message.replace("?", r"\?")):
            choose()

    assert mock.choices.chosen == {}


@pytest.mark.parametrize("text", ["window", "=x", "window=", ""])
def test_a_choice_has_the_form_id_choice(text: str) -> None:
    """Everything else is refused."""
    with pytest.raises(MockError, match=r"choose one of|is not a choice"):
        parse([text])


def test_a_choice_of_the_contract_changes_the_document(clock: Clock, tmp_path: Path) -> None:
    """It is that of the fake, and of a contract of the user's own that has the schema."""
    mock = AltaMock(clock=clock)
    mock.assume({"phone-type": "short-text"})
    own = tmp_path / "openapi.yaml"
    own.write_text((ROOT / "openapi.yaml").read_text(encoding="utf-8"), encoding="utf-8")

    phone = mock.contract.document["components"]["schemas"]["ProspectRecord"]["properties"]["phone"]
    assert phone["maxLength"] == 255
    assert AltaMock(openapi=own, assume={"phone-type": "short-text"}).answer(request_of(LONG)).status == 400


def test_injected_responses_follow_the_choices(clock: Clock) -> None:
    """A Retry-After of the fake's own is in the form that is assumed; a given one stays as it is."""
    mock = AltaMock(clock=clock, rate_limit="off", account_rate_limit="off", assume={"retry-after": "date"})
    mock.next(429)
    mock.next(429, retry_after=7)

    replies = [mock.answer(request_of(path=prospects_path(SECOND_CAMPAIGN))) for _ in range(2)]
    assert [reply.header("Retry-After") for reply in replies] == ["Thu, 01 Jan 2026 00:01:00 GMT", "7"]


def test_a_choice_that_the_documents_do_not_allow_is_not_made(clock: Clock, tmp_path: Path) -> None:
    """The error comes from the choice, not from the next request; a choice about a missing schema changes nothing."""
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text("overlay: 1.0.0\nactions: [{target: $.info, update: {x-a: 1}}]\n", encoding="utf-8")
    mock = AltaMock(clock=clock, overlay=overlay)
    wrong: list[Any] = [[], None, "list-order=newest-first"]
    for choices in wrong:
        with pytest.raises(MockError, match="is not a mapping of choices"):
            mock.assume(choices)
    mock.assume({"phone-type": "anything", "blank-contact": "accepted"})

    assert mock.answer(request_of()).status == 200


def test_a_long_value_is_cut_in_the_message() -> None:
    """And a list with commas says how several are written."""
    with pytest.raises(MockError, match=r"list-order=a{60}… is not a choice"):
        parse([f"list-order={'a' * 100_000}"])
    with pytest.raises(MockError, match="several with spaces between them"):
        parse(["list-order=newest-first,window=sliding"])


def test_a_sliding_window_takes_few_steps(clock: Clock) -> None:
    """Also under a limit that is as large as that of `exec --vary`."""
    api = Api(AltaMock(clock=clock, assume={"window": "sliding"}, account_rate_limit="1000000/60s"))
    for _ in range(300):
        api.send("GET", "/campaigns")

    assert calls_during(lambda: api.send("GET", "/campaigns")) < 2000


def test_a_date_to_retry_after_is_never_too_early() -> None:
    """The window ends within a second, the date is the next whole one."""
    mock = AltaMock(clock=Clock(lambda: 0, epoch=1_767_225_601_400_000_000), rate_limit="1/3s", assume=DATES)
    api = Api(mock)
    limited(api, 1)
    mock.clock.advance(1.46)
    wait = parsedate_to_datetime(limited(api, 1)[0].header("Retry-After") or "").timestamp()

    mock.clock.advance(wait - mock.clock.time())
    assert limited(api, 1)[0].status == 200
