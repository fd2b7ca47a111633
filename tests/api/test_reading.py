"""Persons, companies, reps and calls, which are only read, and the calls of assistants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conftest import UNKNOWN_CAMPAIGN

if TYPE_CHECKING:
    from tests.api.conftest import Api

OWNER = "b0000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("target", "count"), [("/persons", 12), ("/companies", 7), ("/reps", 3), ("/calls", 26), ("/campaigns", 12)]
)
def test_a_list_has_all_objects_of_the_account(api: Api, target: str, count: int) -> None:
    """Each has its kind; those of the other account are not among them."""
    kinds = {one["objectType"] for one in api.get(f"{target}?limit=100")["data"]}

    assert len(api.ids(target)) == count
    assert len(kinds) == 1


def test_reps_by_owner(api: Api) -> None:
    """The owner is a user; an unknown one has no reps (assumption unknown-filter-id)."""
    owned = [rep["name"] for rep in api.get(f"/reps?ownedById={OWNER.upper()}")["data"]]

    assert owned == ["Rosa Delgado", "Samir Patel"]
    assert api.ids(f"/reps?ownedById={UNKNOWN_CAMPAIGN}") == []


def test_an_assistant_makes_a_call(api: Api) -> None:
    """It is outbound, to the number, and starts at once, by any assistant (assumption unknown-assistant)."""
    body = {
        "assistantId": "nobody",
        "name": "Zoe",
        "phoneNumber": "+12025550190",
        "data": {"plan": 3},
        "callTransfer": {"phoneNumber": "+12025550191", "message": "One moment."},
    }
    assert api.post("/assistant/calls", body) == {}
    made = api.get(f"/calls/{api.ids('/calls')[-1]}")

    assert made["callType"] == "outbound"
    assert made["to"] == "+12025550190"
    assert made["startedAt"] == made["createdAt"] == "2026-01-01T00:00:00Z"
