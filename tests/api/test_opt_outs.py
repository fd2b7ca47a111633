"""Do not contact: identifiers are added, found and removed, and the prospects that they match are paused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.api.conftest import OPT_OUTS, PROSPECT
from tests.conftest import CAMPAIGN, error_of

if TYPE_CHECKING:
    from tests.api.conftest import Api


def one(identifier: str, kind: str = "email", **more: Any) -> dict[str, Any]:
    """Return one identifier."""
    return {"identifier": identifier, "identifierType": kind, **more}


def paused(api: Api) -> list[str]:
    """Return the email addresses or phones of the persons with a prospect that is paused, beyond those of the seed."""
    persons = {person["id"]: person for person in api.mock.list("persons")}
    found = [
        persons[prospect["personId"]]
        for prospect in api.mock.list("prospects", status="paused")
        if prospect["campaignId"] == CAMPAIGN
    ]
    return [person["email"] or person["linkedinUrl"] or person["phone"] for person in found]


def test_an_identifier_is_listed_and_removed(api: Api) -> None:
    """Its name becomes the label (assumption opt-out-label); once it is removed, removing it again is a 404."""
    assert api.post(OPT_OUTS, {"identifiers": [one("zoe@example.com", name="Zoe"), one("z", "web_chat")]}) == {}
    first, second = api.get(f"{OPT_OUTS}?limit=100")["data"][-2:]
    for body in (one("zoe@example.com", "sms"), one("other@example.com")):
        assert error_of(api.send("DELETE", OPT_OUTS, body)) == "NotFound"
    assert api.delete(OPT_OUTS, one("zoe@example.com")) == {}
    again = api.send("DELETE", OPT_OUTS, one("zoe@example.com"))

    assert (first["identifier"], first["label"]) == ("zoe@example.com", "Zoe")
    assert (first["isManuallyAdded"], first["objectType"]) == (True, "communication-opt-out")
    assert "label" not in second
    assert api.ids(OPT_OUTS)[-1] == second["id"]
    assert (again.status, error_of(again)) == (404, "NotFound")


def test_a_listed_identifier_stays_as_it_is(api: Api) -> None:
    """Also twice in one request (assumption opt-out-again)."""
    before = api.get(OPT_OUTS)
    api.post(OPT_OUTS, {"identifiers": [one("imani@okoro.example", name="Somebody")] * 2})

    assert api.get(OPT_OUTS) == before


def test_filters(api: Api) -> None:
    """By type, by a part of the identifier in either case, and by both."""
    names = {key: len(api.ids(f"{OPT_OUTS}?identifierType={key}")) for key in ("email", "phone", "sms", "web_chat")}

    assert names == {"email": 2, "phone": 1, "sms": 1, "web_chat": 1}
    assert len(api.ids(f"{OPT_OUTS}?search=EXAMPLE")) == 3
    assert len(api.ids(f"{OPT_OUTS}?search=EXAMPLE&identifierType=email")) == 2
    assert len(api.ids(f"{OPT_OUTS}?search=")) == 7
    assert api.ids(f"{OPT_OUTS}?search=nobody-at-all") == []


RECORDS = [
    {"email": "Ada@Example.com"},
    {"phone": "+1 202 555 0177"},
    {"linkedinUrl": "https://www.linkedin.com/in/example-ada"},
]


@pytest.mark.parametrize(
    ("identifiers", "expected"),
    [
        ([one("ada@example.COM")], ["Ada@Example.com"]),
        ([one("+1 202 555 0177", "sms"), one("+1 202 555 0177", "phone")], ["+1 202 555 0177"]),
        ([one("https://www.linkedin.com/in/example-ada", "linkedin")], ["https://www.linkedin.com/in/example-ada"]),
        ([one("Ada@Example.com", "phone"), one("Ada@Example.com", "web_chat")], []),
        ([one(""), one("", "web_chat"), one("", "phone")], []),
        ([], []),
    ],
)
def test_matching_prospects_are_paused(api: Api, identifiers: list[Any], expected: list[str]) -> None:
    """By the contact that the type of the identifier names, unless the call says otherwise."""
    api.post(f"/campaigns/{CAMPAIGN}/prospects", {"data": RECORDS})
    api.post(OPT_OUTS, {"identifiers": identifiers, "pauseActiveProspectWorkflows": False})
    assert paused(api) == []
    api.post(OPT_OUTS, {"identifiers": identifiers})

    assert paused(api) == expected


def test_an_unsubscribe_lists_the_contact(api: Api) -> None:
    """It is not added manually, and pauses the person's prospects in every campaign."""
    listed = api.mock.events.opt_out(PROSPECT)
    person = api.get(f"/prospects/{PROSPECT}")["personId"]

    assert (listed["identifier"], listed["isManuallyAdded"]) == ("nora@northwind.example", False)
    assert api.ids(OPT_OUTS)[-1] == listed["id"]
    assert {one["status"] for one in api.mock.list("prospects", person_id=person)} == {"paused"}
