"""Campaigns: created, paused and resumed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api.conftest import UUID
from tests.conftest import SECOND_CAMPAIGN

if TYPE_CHECKING:
    from tests.api.conftest import Api

DRAFT, ACTIVE, PAUSED, COMPLETED = (
    "0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e01",
    SECOND_CAMPAIGN,
    "0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e02",
    "0d6b8f0a-7c1e-4d3b-9f52-1a2b3c4d5e03",
)


def states(api: Api, campaign: str) -> list[str]:
    """Return the states of the prospects of a campaign."""
    return [prospect["status"] for prospect in api.mock.list("prospects", campaign_id=campaign)]


def test_a_new_campaign_is_a_draft(api: Api) -> None:
    """It has no description and no launchedAt (assumptions new-campaign and create-status)."""
    made = api.post("/campaigns", {"name": "Autumn", "description": "Leaves"})

    assert UUID.fullmatch(made.pop("id"))
    assert made == {
        "objectType": "campaign",
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "name": "Autumn",
        "status": "draft",
        "isArchived": False,
    }


def test_a_new_campaign_is_listed_last_and_takes_prospects(api: Api) -> None:
    """Two of the same name are two (assumption list-order)."""
    first, second = (api.post("/campaigns", {"name": "Autumn"})["id"] for _ in range(2))
    api.post(f"/campaigns/{first}/prospects", {"data": [{"email": "ada@example.com"}]})

    assert api.ids("/campaigns")[-2:] == [first, second]
    assert len(api.ids(f"/prospects?campaignId={first}")) == 1


@pytest.mark.parametrize(
    ("campaign", "paused", "resumed"),
    [
        (ACTIVE, "paused", "active"),
        (PAUSED, "paused", "active"),
        (DRAFT, "draft", "draft"),
        (COMPLETED, "completed", "active"),
    ],
)
def test_only_some_states_change(api: Api, campaign: str, paused: str, resumed: str) -> None:
    """The response is a 200 in any state (assumption other-states)."""
    before = api.get(f"/campaigns/{campaign}")
    api.mock.clock.advance(5)
    assert api.post(f"/campaigns/{campaign}/pause") == {}
    once = api.get(f"/campaigns/{campaign}")
    assert api.post(f"/campaigns/{campaign}/resume", {}) == {}
    twice = api.get(f"/campaigns/{campaign}")

    assert (once["status"], twice["status"]) == (paused, resumed)
    assert (once["updatedAt"] != before["updatedAt"]) == (paused != before["status"])
    assert ("launchedAt" in twice) == (resumed == "active")


def test_a_campaign_is_launched_once(api: Api) -> None:
    """LaunchedAt is the time at which the campaign becomes active for the first time (assumption new-campaign)."""
    launched = []
    for _ in range(2):
        api.post(f"/campaigns/{PAUSED}/resume")
        launched.append(api.get(f"/campaigns/{PAUSED}")["launchedAt"])
        api.post(f"/campaigns/{PAUSED}/pause")
        api.mock.clock.advance(60)

    assert launched == ["2026-01-01T00:00:00Z"] * 2


@pytest.mark.parametrize("body", [None, {}, {"pauseProspects": False, "resumeProspects": False}])
def test_prospects_stay_unless_the_call_asks(api: Api, body: dict[str, bool] | None) -> None:
    """Both members are false by default (assumption prospects-too)."""
    before = states(api, ACTIVE)
    api.post(f"/campaigns/{ACTIVE}/pause", body)
    api.post(f"/campaigns/{ACTIVE}/resume", body)

    assert states(api, ACTIVE) == before
    assert set(before) == {"active", "paused"}


def test_prospects_are_paused_and_resumed_with_their_campaign(api: Api) -> None:
    """Those of other campaigns, and those that are added later, are not."""
    others = states(api, COMPLETED)
    api.post(f"/campaigns/{ACTIVE}/pause", {"pauseProspects": True})
    api.post(f"/campaigns/{ACTIVE}/prospects", {"data": [{"email": "ada@example.com"}]})

    assert states(api, ACTIVE) == ["paused"] * 6 + ["active"]
    assert states(api, COMPLETED) == others
    api.post(f"/campaigns/{ACTIVE}/resume", {"resumeProspects": True})
    assert states(api, ACTIVE) == ["active"] * 7
