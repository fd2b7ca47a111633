"""What every store does; the suite runs over each kind of store."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mock_server import MockError
from mock_server.messages.call import Caller
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.messages.violations import Violation
from mock_server.store import memory, open_store, sql
from mock_server.store.base import Batch, Window
from mock_server.store.memory import MemoryStore
from tests.store.kinds import KINDS, url_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_server.store.base import Store, Where

ADA = Caller("Ada", "acme", frozenset())
REQUEST = ApiRequest("POST", "/v1/x", body=b"12345678")


def batch(*records: str) -> Batch:
    """Return a batch of records in JSON."""
    return Batch(f'{{"data":[{",".join(records)}]}}'.encode(), "data", len(records))


def outcome(status: int = 200, *rules: str) -> Outcome:
    """Return the outcome of a request that broke some rules."""
    violations = tuple(Violation(rule, "body", "", "x", "y") for rule in rules)
    return Outcome(ApiReply(status), "addThings", ADA, violations, None, 0)


def record(store: Store, status: int = 200, *rules: str) -> None:
    """Record a request in a transaction of its own."""
    with store.transaction("acme") as transaction:
        transaction.record("python", REQUEST, outcome(status, *rules))


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Each kind of store, empty."""
    opened = open_store(url_of(request.param, tmp_path))
    yield opened
    opened.close()


def test_an_unknown_scheme_is_refused() -> None:
    """With the list of known ones."""
    with pytest.raises(MockError, match="'redis://x' is not a store; choose one of memory, sqlite, postgresql"):
        open_store("redis://x")


def test_objects_belong_to_an_account_and_a_kind(store: Store) -> None:
    """Another account, another kind or another id has nothing."""
    store.reset([("acme", "campaign", {"id": "0"})])
    store.reset([("acme", "campaign", {"id": "1", "name": "y"})])

    with store.transaction("acme") as transaction:
        assert transaction.get("campaign", "1") == {"id": "1", "name": "y"}
        assert transaction.get("campaign", "0") is None
        assert transaction.get("prospect", "1") is None
    with store.transaction("globex") as transaction:
        assert transaction.get("campaign", "1") is None
        assert transaction.objects("campaign") == []


def test_objects_keep_their_order(store: Store) -> None:
    """That of creation: a change keeps the place, a deletion leaves the others alone."""
    with store.transaction("acme") as transaction:
        for name in "abc":
            transaction.put("call", {"id": name})
        transaction.put("call", {"id": "a", "changed": True})
        transaction.delete("call", "b")
        transaction.delete("call", "nobody")

    with store.transaction("acme") as transaction:
        assert transaction.objects("call") == [{"id": "a", "changed": True}, {"id": "c"}]


def test_a_transaction_that_raises_changes_nothing(store: Store) -> None:
    """Objects and their order, batches, windows, numbers, the queue and the journal."""
    store.reset([("acme", "call", {"id": name}) for name in "abc"])
    with store.transaction("acme") as transaction:
        transaction.submit("a", batch("1"))
        transaction.set_window("account", Window(1, 1))
        transaction.inject(Injected(status=429, times=2))
        assert transaction.next_number("call") == 1

    with contextlib.suppress(RuntimeError), store.transaction("acme") as transaction:
        transaction.put("call", {"id": "a", "changed": True})
        transaction.put("call", {"id": "d"})
        transaction.delete("call", "b")
        transaction.submit("a", batch("2"))
        transaction.submit("z", batch("3"))
        transaction.set_window("account", Window(1, 2))
        transaction.set_window("new", Window(1, 1))
        transaction.next_number("call")
        transaction.take_injected()
        transaction.inject(Injected(status=500))
        transaction.record("python", REQUEST, outcome())
        raise RuntimeError("stop")

    with store.transaction("acme") as transaction:
        assert transaction.objects("call") == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
        assert [one.records() for one in transaction.submissions("a")] == [[1]]
        assert transaction.submissions("z") == []
        assert (transaction.window("account"), transaction.window("new")) == (Window(1, 1), None)
        assert transaction.next_number("call") == 2
        assert transaction.injected() == [Injected(status=429, times=2)]
    assert store.recorded().newest == 0


def test_a_savepoint_undoes_its_block_only(store: Store) -> None:
    """What was changed before stays, and the transaction goes on."""
    with store.transaction("acme") as transaction:
        transaction.set_window("account", Window(1, 1))
        with contextlib.suppress(RuntimeError), transaction.savepoint():
            transaction.set_window("account", Window(1, 2))
            transaction.put("call", {"id": "a"})
            raise RuntimeError("stop")
        transaction.put("call", {"id": "b"})

    with store.transaction("acme") as transaction:
        assert transaction.window("account") == Window(1, 1)
        assert transaction.objects("call") == [{"id": "b"}]


def test_transactions_of_an_account_follow_one_another(store: Store) -> None:
    """A thousand increments by 32 threads are a thousand."""

    def increment(_: int) -> None:
        with store.transaction("acme") as transaction:
            window = transaction.window("account") or Window(0, 0)
            transaction.set_window("account", Window(0, window.used + 1))

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(increment, range(1000)))

    with store.transaction("acme") as transaction:
        assert transaction.window("account") == Window(0, 1000)
    with store.transaction("globex") as transaction:
        assert transaction.window("account") is None


def test_searches(store: Store) -> None:
    """By a text, one of several, or none; a text in another case is found by `alike` only, also after a change."""
    with store.transaction("a") as transaction:

        def found(kind: str, where: Where) -> list[str]:
            return [value["id"] for value in transaction.objects(kind, where)]

        assert transaction.alike("call", "to", "x") == []
        for object_id, to in (("1", "X"), ("2", "y"), ("3", "x"), ("4", None), ("5", ["x"])):
            transaction.put("call", {"id": object_id, "to": to})
        transaction.put("call", {"id": "6"})
        transaction.put("call", {"id": "2", "to": "x"})

        assert [found("call", {"to": one}) for one in ("x", "X", "y", None)] == [["2", "3"], ["1"], [], ["4", "6"]]
        assert [found("call", {"to": frozenset(one)}) for one in ("xX", "y", "")] == [["1", "2", "3"], [], []]
        assert [value["id"] for value in transaction.alike("call", "to", "X")] == ["1", "2", "3"]
        assert transaction.count("call", "to", "x") == 3


def test_running_numbers_are_per_account_and_kind(store: Store) -> None:
    """Each begins at 1, and a reset begins again."""
    with store.transaction("acme") as transaction:
        assert [transaction.next_number(kind) for kind in ("call", "call", "rep")] == [1, 2, 1]
    with store.transaction("globex") as transaction:
        assert transaction.next_number("call") == 1
    store.reset([])
    with store.transaction("acme") as transaction:
        assert transaction.next_number("call") == 1


def test_batches_of_a_parent_keep_their_order(store: Store) -> None:
    """Apart from those of other parents and accounts; a list does not change afterwards."""
    with store.transaction("acme") as transaction:
        for number in range(3):
            transaction.submit("a", batch(str(number)))
        before = transaction.submissions("a")
        transaction.submit("a", batch("3"))
        transaction.submit("b", batch("9"))

    with store.transaction("acme") as transaction:
        assert [one.records() for one in transaction.submissions("a")] == [[0], [1], [2], [3]]
        assert [one.records() for one in transaction.submissions("b")] == [[9]]
    with store.transaction("globex") as transaction:
        assert transaction.submissions("a") == []
    assert len(before) == 3


def test_records_are_parsed_again_each_time() -> None:
    """A change of the result changes nothing else, and every digit is kept."""
    one = batch('{"n": 1234567890123456789012345}', '{"n": 2}')
    one.records()[0]["n"] = 0

    assert one.records() == [{"n": 1234567890123456789012345}, {"n": 2}]


def test_the_queue_is_shared_and_first_in_first_out(store: Store) -> None:
    """All accounts take from it, each entry as often as it says."""
    with store.transaction() as transaction:
        transaction.inject(Injected(status=429, times=2))
        transaction.inject(Injected(status=500))
    taken = []
    for account in ("acme", "globex", "acme", "acme"):
        with store.transaction(account) as transaction:
            taken.append(transaction.take_injected())
    with store.transaction() as transaction:
        transaction.inject(Injected(status=400))
        transaction.clear_injected()
        assert transaction.injected() == []

    assert [one.status if one else None for one in taken] == [429, 429, 500, None]


def test_the_journal_numbers_and_counts(store: Store) -> None:
    """Numbers go on after it is cleared, counts begin again."""
    for status, rules in ((200, ()), (400, ("maxItems",)), (404, ("object-unknown",)), (404, ("path-unknown",))):
        record(store, status, *rules)
    seen, later = store.recorded(), store.recorded(after=2)
    store.clear_journal()
    record(store)

    assert [one.number for one in seen.exchanges] == [1, 2, 3, 4]
    assert (seen.oldest, seen.newest, seen.cleared, seen.broken) == (1, 4, 0, 2)
    assert dict(seen.statuses) == {200: 1, 400: 1, 404: 2}
    assert [one.number for one in later.exchanges] == [3, 4]
    again = store.recorded()
    assert ([one.number for one in again.exchanges], again.oldest, again.cleared) == ([5], 5, 1)
    assert (dict(again.statuses), again.broken) == ({200: 1}, 0)


@pytest.mark.parametrize("beyond", [5, sql.DROPS])
def test_the_journal_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch, beyond: int) -> None:
    """The oldest entries go, their counts stay."""
    for module in (memory, sql):
        monkeypatch.setattr(module, "JOURNAL_ENTRIES", 2 * sql.DROPS)
    for _ in range(2 * sql.DROPS + beyond):
        record(store)
    recorded = store.recorded()

    found = (len(recorded.exchanges), recorded.oldest, recorded.statuses[200])
    assert found == (2 * sql.DROPS, beyond + 1, 2 * sql.DROPS + beyond)


def test_the_journal_is_bounded_by_bytes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads count as bodies do; the newest entry is kept, however large."""
    for module in (memory, sql):
        monkeypatch.setattr(module, "JOURNAL_BYTES", 600_000)
    large = replace(REQUEST, headers=(("x", "y" * 6_000),))
    for _ in range(210):
        with store.transaction() as transaction:
            transaction.record("python", large, outcome())
    recorded = store.recorded()
    assert 90 < len(recorded.exchanges) < 100
    assert recorded.newest == 210

    with store.transaction() as transaction:
        transaction.record("python", replace(REQUEST, body=b"x" * 600_001), outcome())
    assert [one.number for one in store.recorded().exchanges] == [211]


def test_numbers_of_any_size_are_looked_up(store: Store) -> None:
    """Behind the last there is nothing."""
    record(store)

    assert store.recorded(after=10**30).exchanges == []


def test_the_clock_offset_has_a_bound(store: Store) -> None:
    """An advance beyond it changes nothing; a reset goes back to 0."""
    assert store.advance_clock(60, most=100)
    assert not store.advance_clock(41, most=100)
    assert store.clock_offset() == 60
    store.reset([])

    assert store.clock_offset() == 0


def test_reset_keeps_the_seed_only(store: Store) -> None:
    """Batches, windows, the queue and the journal are gone."""
    record(store)
    with store.transaction("acme") as transaction:
        transaction.put("call", {"id": "a"})
        transaction.submit("a", batch("1"))
        transaction.set_window("account", Window(1, 1))
        transaction.inject(Injected(status=500))
    store.reset([("acme", "rep", {"id": "r"})])

    with store.transaction("acme") as transaction:
        assert (transaction.objects("call"), transaction.objects("rep")) == ([], [{"id": "r"}])
        assert (transaction.submissions("a"), transaction.window("account"), transaction.injected()) == ([], None, [])
    before = store.recorded()
    assert (before.exchanges, before.newest, before.cleared) == ([], 0, 1)
    record(store)
    assert [one.number for one in store.recorded().exchanges] == [1]


def test_memory_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """Beyond its capacity the oldest batches of any account are dropped, with a warning; a reset begins again."""
    store = MemoryStore(capacity=1000)

    def submit(parent: str, number: int) -> None:
        with store.transaction("acme") as transaction:
            transaction.submit(parent, batch(str(number)))

    for number in range(4):
        submit("ab"[number % 2], number)
    submit("a", 4)

    assert caplog.messages == ["more than 1000 bytes of batches: the oldest are dropped from now on"]
    with store.transaction("acme") as transaction:
        assert [one.records() for one in transaction.submissions("a")] == [[2], [4]]
        assert [one.records() for one in transaction.submissions("b")] == [[1], [3]]
    store.reset([])
    for number in range(4):
        submit("a", number)
    with store.transaction("acme") as transaction:
        assert len(transaction.submissions("a")) == 4


def test_the_number_of_objects_is_bounded(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The oldest of a kind are dropped, also from searches, when a transaction ends; other kinds stay."""
    monkeypatch.setattr(memory, "OBJECTS", 3)
    store = MemoryStore()
    with store.transaction("a") as transaction:
        transaction.put("rep", {"id": "r"})
        for number in range(3):
            transaction.put("call", {"id": str(number), "to": "x"})
        assert len(transaction.objects("call", {"to": "x"})) == 3
    with store.transaction("a") as transaction:
        for number in range(3, 8):
            transaction.put("call", {"id": str(number), "to": "xy"[number % 2]})
        assert len(transaction.objects("call")) == 8

    with store.transaction("a") as transaction:
        assert [value["id"] for value in transaction.objects("call")] == ["5", "6", "7"]
        assert [value["id"] for value in transaction.objects("call", {"to": "x"})] == ["6"]
        assert (transaction.count("call", "to", "y"), transaction.count("call", "to", "z")) == (2, 0)
        assert (transaction.get("call", "4"), transaction.get("rep", "r")) == (None, {"id": "r"})
        assert [value["id"] for _, value in transaction.rows("call", {"to": "y"}, backwards=True)] == ["7", "5"]
    assert caplog.messages == ["more than 3 objects of a kind: the oldest are dropped from now on"]
