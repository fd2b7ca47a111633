"""What every store does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mock_server.store import Batch, MemoryStore

if TYPE_CHECKING:
    from mock_server.store import Store


def batch(*records: str) -> Batch:
    """Make a batch of records in JSON."""
    return Batch(f'{{"data":[{",".join(records)}]}}'.encode(), "data", len(records))


@pytest.fixture(params=[MemoryStore])
def store(request: pytest.FixtureRequest) -> Store:
    """Each store there is, empty."""
    made: Store = request.param()
    return made


def test_a_resource_is_found_in_its_account_and_kind_only(store: Store) -> None:
    """Another account, another kind or another id has nothing."""
    store.reset({("acme", "campaign", "0"): {"name": "x"}})
    store.reset({("acme", "campaign", "1"): {"name": "y"}})

    assert store.get("acme", "campaign", "1") == {"name": "y"}
    assert store.get("acme", "campaign", "0") is None
    assert store.get("globex", "campaign", "1") is None
    assert store.get("acme", "prospect", "1") is None
    assert store.get("acme", "campaign", "2") is None


def test_batches_of_a_parent_come_in_order(store: Store) -> None:
    """And apart from those of other parents and accounts."""
    for number in range(3):
        store.append("acme", "prospect", "a", batch(str(number)))
    store.append("acme", "prospect", "b", batch("9"))

    assert [one.records() for one in store.batches("acme", "prospect", "a")] == [[0], [1], [2]]
    assert [one.records() for one in store.batches("acme", "prospect", "b")] == [[9]]
    assert store.batches("globex", "prospect", "a") == []


def test_what_was_listed_does_not_change(store: Store) -> None:
    """A list is of the moment it was asked for."""
    store.append("acme", "prospect", "a", batch("1"))
    before = store.batches("acme", "prospect", "a")
    store.append("acme", "prospect", "a", batch("2"))

    assert len(before) == 1


def test_records_are_read_anew_each_time() -> None:
    """Whoever changes one changes only their own, and no digit is lost on the way."""
    one = batch('{"n": 1234567890123456789012345}', '{"n": 2}')
    one.records()[0]["n"] = 0

    assert one.records() == [{"n": 1234567890123456789012345}, {"n": 2}]


def test_memory_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Beyond its capacity the oldest batches go, whosever they are, with a warning; a reset begins anew."""
    store = MemoryStore(capacity=1000)
    for number in range(4):
        store.append("acme", "prospect", "ab"[number % 2], batch(str(number)))
    store.append("acme", "prospect", "a", batch("4"))

    assert caplog.messages == ["more than 1000 bytes of prospects: from here on the oldest are forgotten"]

    assert [one.records() for one in store.batches("acme", "prospect", "a")] == [[2], [4]]
    assert [one.records() for one in store.batches("acme", "prospect", "b")] == [[1], [3]]
    store.reset({})
    for number in range(4):
        store.append("acme", "prospect", "a", batch(str(number)))
    assert len(store.batches("acme", "prospect", "a")) == 4


def test_reset_forgets_everything(store: Store) -> None:
    """Found and listed no more."""
    store.append("acme", "prospect", "a", batch("1"))
    store.reset({})

    assert store.get("acme", "campaign", "1") is None
    assert store.batches("acme", "prospect", "a") == []
