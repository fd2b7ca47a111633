"""A page of a long list reads hardly more objects than it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_server.store.table import Table
from tests.api.conftest import OPT_OUTS, THREAD
from tests.conftest import CAMPAIGN, SECOND_CAMPAIGN, UNKNOWN_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def yielded(api: Api, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Which objects searches yield, among many messages of one thread and many persons."""
    found: list[Any] = []
    rows = Table.rows

    def watched(*words: Any, **more: Any) -> Iterator[Any]:
        for row in rows(*words, **more):
            found.append(row)
            yield row

    samples = [(kind, next(value for _, known, value in api.mock.seed.objects() if known == kind)) for kind in KINDS]
    many = (
        ("acme", kind, {**sample, "id": f"{number:08x}-0000-4000-8000-000000000000", "emailThreadId": UNKNOWN_CAMPAIGN})
        for kind, sample in samples
        for number in range(COUNT)
    )
    api.mock.store.reset([*api.mock.seed.objects(), *many])
    monkeypatch.setattr(Table, "rows", watched)
    return found


KINDS = ("email_message", "person")


@pytest.mark.parametrize(
    "query", [f"campaignId={UNKNOWN_CAMPAIGN}", "tag=none", "tag=hot", "tag=none&lastPerThread=true"]
)
def test_a_filter_reads_the_messages_that_it_finds(api: Api, yielded: list[Any], query: str) -> None:
    """By the campaign of their prospects, or by the tags of their threads; the first search reads all once."""
    api.post("/tags/assign", {"entityId": THREAD, "entityType": "emailThread", "tags": ["hot"]})
    api.get(f"/inbox/email/messages?{query}")
    yielded.clear()
    found = api.get(f"/inbox/email/messages?{query}")["data"]

    assert bool(found) == ("hot" in query)
    assert len(yielded) < 10


def test_an_opt_out_reads_the_persons_that_it_matches(api: Api, yielded: list[Any]) -> None:
    """Not all others."""
    api.post(OPT_OUTS, {"identifiers": [{"identifier": "nobody@example.com", "identifierType": "email"}]})

    assert len(yielded) < 10
