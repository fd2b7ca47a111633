"""A page of a long list reads hardly more objects than it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CAMPAIGN, SECOND_CAMPAIGN

if TYPE_CHECKING:
    from tests.api.conftest import Api

COUNT, RARE = 20_000, 100


class Watched(dict[str, Any]):
    """An object that notes that it was read."""

    read: set[int]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a member."""
        self.read.add(id(self))
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        """Return a member."""
        self.read.add(id(self))
        return super().__getitem__(name)


@pytest.fixture
def read(api: Api, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Which of many prospects were read; every hundredth is of another campaign."""
    found: set[int] = set()
    monkeypatch.setattr(Watched, "read", found, raising=False)
    (sample,) = (one for one in api.mock.list("prospects") if one["id"].endswith("0001"))
    many = (
        Watched(sample, id=f"{number:08x}-0000-4000-8000-000000000000", campaignId=campaign)
        for number in range(COUNT)
        for campaign in [CAMPAIGN if number % RARE else SECOND_CAMPAIGN]
    )
    api.mock.store.reset([*api.mock.seed.objects(), *(("acme", "prospect", one) for one in many)])
    return found


@pytest.mark.parametrize("query", ["", f"&campaignId={SECOND_CAMPAIGN}", f"&campaignId={CAMPAIGN}"])
def test_a_page_reads_what_it_shows(api: Api, read: set[int], query: str) -> None:
    """In both directions, also by a campaign with few prospects; the first search by a member reads all once."""
    api.get(f"/prospects?limit=1{query}")
    first = api.get(f"/prospects?limit=100{query}")
    read.clear()
    second = api.get(f"/prospects?cursor={first['next']}")
    forward = len(read)
    read.clear()
    third = api.get(f"/prospects?cursor={second['next']}") if "next" in second else second
    api.get(f"/prospects?cursor={third['previous']}")

    assert 90 <= forward <= 110
    assert len(read) <= 210
