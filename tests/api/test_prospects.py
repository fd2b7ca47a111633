"""Prospects: what was added is read back, by the objects that it makes."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server import AltaMock, Clock
from tests.api.conftest import PROSPECT, Api
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, SECOND_CAMPAIGN, UNKNOWN_CAMPAIGN

RECORDS: list[dict[str, Any]] = [
    {"firstName": "Zoë", "lastName": "Ωmega", "company": "Northwind Freight", "jobTitle": "Pilot", "city": "Oslo"},
    {"email": "ada@example.com", "company": "Looms"},
    {"linkedinUrl": "https://www.linkedin.com/in/example-ada"},
    {"phone": "+1 202 555 0177", "company": "Looms"},
    {"email": "ada@example.com"},
]
ADDED = f"/prospects?campaignId={CAMPAIGN}"
MEMBERS = {"firstName": "firstName", "lastName": "lastName", "email": "email", "jobTitle": "title"}
MEMBERS |= {"linkedinUrl": "linkedinUrl"}


def test_each_record_makes_a_prospect_and_a_person(api: Api) -> None:
    """They are in the order of the batch, with all that was sent; nobody is merged (assumption duplicates)."""
    api.post(f"/campaigns/{CAMPAIGN}/prospects", {"data": RECORDS})
    prospects = api.get(ADDED)["data"]
    persons = [api.get(f"/persons/{prospect['personId']}") for prospect in prospects]

    assert len({prospect["personId"] for prospect in prospects}) == len(RECORDS)
    assert {prospect["campaignId"] for prospect in prospects} == {CAMPAIGN}
    for record, person in zip(RECORDS, persons, strict=True):
        assert {name: person[name] for name in MEMBERS.values()} == {
            name: record.get(sent) for sent, name in MEMBERS.items()
        }
        assert person["createdAt"] == "2026-01-01T00:00:00Z"
        assert "phone" not in person
    assert api.ids("/persons")[-5:] == [person["id"] for person in persons]


def test_a_record_makes_a_company_unless_there_is_one_of_that_name(api: Api) -> None:
    """A company has a name and no industries."""
    before = api.ids("/companies")
    api.post(f"/campaigns/{CAMPAIGN}/prospects", {"data": RECORDS})
    (made,) = [one for one in api.get("/companies")["data"] if one["id"] not in before]

    assert (made["name"], made["industries"]) == ("Looms", [])


def test_a_refused_batch_makes_nothing(api: Api) -> None:
    """One bad record refuses the batch."""
    reply = api.send("POST", f"/campaigns/{CAMPAIGN}/prospects", {"data": [*RECORDS, {}]})

    assert reply.status == 400
    assert api.get(ADDED) == {"data": [], "hasMore": False}


def test_the_filter_by_campaign(api: Api) -> None:
    """Case does not matter; an unknown or foreign campaign has no prospects (assumption unknown-filter-id)."""
    assert len(api.ids("/prospects")) == 15
    assert len(api.ids(f"/prospects?campaignId={SECOND_CAMPAIGN}")) == 6
    assert len(api.ids(f"/prospects?campaignId={SECOND_CAMPAIGN.upper()}")) == 6
    for campaign in (UNKNOWN_CAMPAIGN, FOREIGN_CAMPAIGN):
        assert api.get(f"/prospects?campaignId={campaign}") == {"data": [], "hasMore": False}


def test_a_prospect_is_paused_and_resumed(api: Api) -> None:
    """The API does not show it, since it documents no such member; a test can read it."""
    states = []
    for verb in ("pause", "pause", "resume", "resume"):
        assert api.post(f"/prospects/{PROSPECT}/{verb}") == {}
        states += [one["status"] for one in api.mock.list("prospects") if one["id"] == PROSPECT]

    assert states == ["paused", "paused", "active", "active"]
    assert set(api.get(f"/prospects/{PROSPECT}")) == {
        "id",
        "objectType",
        "createdAt",
        "updatedAt",
        "personId",
        "campaignId",
    }


def test_a_prospect_made_with_ids_in_upper_case_is_found(api: Api) -> None:
    """Ids are compared in either case."""
    person = api.mock.create("person", first_name="Ada")
    made = api.mock.create("prospect", campaign_id=CAMPAIGN.upper(), person_id=person["id"].upper())

    assert api.ids(ADDED) == [made["id"]]
    assert api.get(f"/prospects/{made['id']}")["personId"] == person["id"]


@pytest.mark.parametrize("delay", [0, 90])
def test_an_added_prospect_appears_after_the_delay(clock: Clock, delay: int) -> None:
    """Without a delay at once (assumption visibility); the objects themselves can be read at once."""
    api = Api(AltaMock(clock=clock, account_rate_limit="off", visible_after=f"{delay}s"))
    clock.advance(30 * 24 * 3600)
    seeded = api.ids("/prospects")
    api.post(f"/campaigns/{CAMPAIGN}/prospects", {"data": RECORDS})
    at_once = api.ids("/prospects")
    (person, *_) = api.mock.list("persons", email="ada@example.com")
    clock.advance(89)
    early = api.ids("/prospects")
    clock.advance(1)

    assert len(seeded) == 15
    assert at_once == early
    assert len(at_once) == (20 if delay == 0 else 15)
    assert len(api.ids("/prospects")) == 20
    assert api.get(f"/persons/{person['id']}")["email"] == "ada@example.com"
