"""What only the stores in a database do: they survive, are shared, refuse what is not theirs, and come back."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from mock_server import AltaMock, MockError
from mock_server.messages.errors import OtherVersion, StoreUnavailable
from mock_server.messages.http import ApiReply, ApiRequest, Fault
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.messages.violations import Violation
from mock_server.store import open_store, schema, sql
from mock_server.store.base import Batch, Window
from mock_server.store.database import SECONDS
from mock_server.transports.dispatch import Dispatcher
from tests.conftest import CAMPAIGN, ONE, request_of
from tests.store.kinds import SHARED, url_of
from tests.store.postgres import FAST, Postgres, postgres

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_server import Clock


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store that processes can share."""
    return url_of(request.param, tmp_path)


@pytest.fixture
def two(url: str, clock: Clock) -> Iterator[tuple[AltaMock, AltaMock]]:
    """Two fakes over one store, as in two processes."""
    with AltaMock(store=url, clock=clock) as one, AltaMock(store=url, clock=clock) as other:
        yield one, other


def test_two_fakes_are_one(two: tuple[AltaMock, AltaMock]) -> None:
    """Limits, injected responses, the journal, findings and what was added; the second does not reset the first."""
    one, other = two
    one.next(500)
    statuses = [two[number % 2].answer(request_of()).status for number in range(12)]

    assert statuses == [500, *[200] * 9, 429, 429]
    assert one.prospects(CAMPAIGN) == other.prospects(CAMPAIGN) == ONE["data"] * 9
    assert [entry.status for entry in one.requests] == [entry.status for entry in other.requests] == statuses
    assert one.findings() == other.findings() != []
    assert one.store.identity == other.store.identity
    assert one.quotas() == other.quotas()


@pytest.mark.parametrize("ask", ["api", "python"])
def test_others_have_their_turn_while_many_are_enrolled(
    two: tuple[AltaMock, AltaMock], monkeypatch: pytest.MonkeyPatch, ask: str
) -> None:
    """The first read makes objects in parts, between which another process gets its answers."""
    one, other = two
    for number in range(7):
        one.answer(request_of({"data": [{"email": f"{number}@example.com"}]}))
    monkeypatch.setattr(sql, "TAKEN", 2)
    begin, turns = one.store.transaction, []

    def transaction(account: str) -> Any:
        turns.append(other.answer(request_of(path="/v1/campaigns", method="GET", body=b"", token="wrong")).status)
        return begin(account)

    monkeypatch.setattr(one.store, "transaction", transaction)
    if ask == "api":
        one.answer(request_of(path="/v1/prospects", method="GET", body=b""))
    else:
        one.list("prospects", campaign_id=CAMPAIGN)
    monkeypatch.undo()

    assert turns[:4] == [401] * 4
    emails = [value["email"] for value in one.list("persons") if value.get("email", "").endswith("@example.com")]
    assert emails[-7:] == [f"{number}@example.com" for number in range(7)]


def test_time_moves_for_all(two: tuple[AltaMock, AltaMock]) -> None:
    """An advance of one opens a new window for the other."""
    one, other = two
    before = [one.answer(request_of()).status for _ in range(11)]
    one.clock.advance(60)

    assert (before[-1], other.answer(request_of()).status) == (429, 200)
    assert other.clock.advanced == 60


def test_state_survives(url: str, clock: Clock) -> None:
    """A restart keeps the quota, the prospects to the last digit, and the ids of what was made."""
    body = b'{"data":[{"email":"ada@example.com","n":1234567890.12345678901234567890}]}'
    with AltaMock(store=url, clock=clock) as before:
        before.answer(request_of(body))
        made = before.list("prospects")
    with AltaMock(store=url, clock=clock) as after:
        assert after.prospects(CAMPAIGN)[0]["n"] == Decimal("1234567890.12345678901234567890")
        assert after.list("prospects") == made
        assert after.answer(request_of()).header("RateLimit-Remaining") == "8"
        assert after.requests[0].request.body == body


def test_an_exchange_comes_back_as_it_was(url: str) -> None:
    """Bytes, headers, violations with their place in the contract, faults, and text that no database can hold."""
    request = ApiRequest("POST", "/v1/\0\ud800", "a=%00", (("x", "\xff"), ("x", "")), None)
    violation = Violation("type", "body", "/a", "\0", "\ud800", ("paths", 0))
    injected = Injected(status=429, times=2, body={"n": Decimal("0.10000000000000000001")}, headers=(("a", "b"),))
    reply = ApiReply(200, (("y", "z"),), b"\xff\0", Fault("delay", 1.5))
    outcome = Outcome(reply, None, None, (violation,), injected, 10**18)
    store = open_store(url)
    with store.transaction() as transaction:
        transaction.record("socket", request, outcome)
        transaction.inject(injected)

    (found,) = store.recorded().exchanges
    assert (found.request, found.outcome, found.transport) == (request, outcome, "socket")
    assert found.outcome.violations[0].source == violation.source
    with store.transaction() as transaction:
        assert transaction.take_injected() == injected
        assert transaction.injected() == [replace(injected, times=1)]
    store.close()


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 100_000, "Ω", "%", ""])
def test_any_text_is_found(url: str, text: str) -> None:
    """Also one that the database could not hold, or index, as it is."""
    store = open_store(url)
    with store.transaction("acme") as transaction:
        transaction.put("company", {"id": text, "name": text, "other": text})
        transaction.put("company", {"id": "b", "name": text + "b"})
    with store.transaction("acme") as transaction:
        assert (transaction.get("company", text) or {})["name"] == text
        assert [len(transaction.objects("company", {name: text})) for name in ("name", "other")] == [1, 1]
        assert transaction.count("company", "name", text) == transaction.count("company", "other", text) == 1
    store.close()


def test_many_rows_are_read_in_parts(url: str) -> None:
    """In both directions and from any place, none is left out."""
    store = open_store(url)
    store.reset(("acme", "call", {"id": str(number), "status": "ab"[number % 2]}) for number in range(2500))
    with store.transaction("acme") as transaction:
        forward = list(transaction.rows("call"))
        odd = [value["id"] for _, value in transaction.rows("call", {"status": "b"}, forward[99][0])]
        back = [value["id"] for _, value in transaction.rows("call", start=forward[50][0], backwards=True)]

    assert [value["id"] for _, value in forward] == [str(number) for number in range(2500)]
    assert odd == [str(number) for number in range(101, 2500, 2)]
    assert back == [str(number) for number in reversed(range(50))]
    store.close()


def test_a_savepoint_undoes_what_was_written_already(url: str) -> None:
    """A search writes what was put before it; both parts are undone, what was put before the savepoint is not."""
    store = open_store(url)
    with store.transaction("acme") as transaction:
        transaction.put("call", {"id": "before"})
        with suppress(ValueError), transaction.savepoint():
            transaction.put("call", {"id": "a"})
            transaction.submit("x", Batch(b"{}", "data", 1))
            assert len(transaction.objects("call")) == 2
            transaction.inject(Injected(status=500))
            transaction.set_window("account", Window(1, 1))
            raise ValueError("stop")
        assert transaction.take_injected() is None
    with store.transaction("acme") as transaction:
        assert transaction.objects("call") == [{"id": "before"}]
        assert (transaction.submissions("x"), transaction.take_new(), transaction.injected()) == ([], [], [])
        assert transaction.window("account") is None
    store.close()


def test_an_older_schema_is_brought_up_to_date(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it keeps stays; then an older alta-mock refuses it, with the remedy."""
    with AltaMock(store=url) as before:
        before.answer(request_of())
    monkeypatch.setattr(schema, "CHANGES", [["ALTER TABLE alta_mock_accounts ADD COLUMN note TEXT"]])
    with AltaMock(store=url) as after:
        assert len(after.requests) == 1
    monkeypatch.setattr(schema, "CHANGES", [])

    with pytest.raises(OtherVersion, match=r"has version 2, this alta-mock knows 1; upgrade alta-mock, or .* reset"):
        open_store(url)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://", "names no file; write sqlite:///FILE"),
        ("sqlite:////nope/x.db", "its folder does not exist; make it"),
        ("sqlite:///{text}", "file is not a database; check the URL"),
        ("sqlite:///file:{own}?mode=ro&uri=true", "readonly database; check the URL, and that the database can be"),
        ("sqlite:///{foreign}", "has tables of another program, for example others; choose an empty database"),
        ("postgresql://ada:secret@127.0.0.1:1/x", "Connection refused; check the URL"),
        ("postgresql://ada:secret@", "check the URL"),
        ("postgres://ada:secret@127.0.0.1/x", "is not a store; choose one of memory, sqlite, postgresql"),
        ("postgresql:/ada?password=secret", "write sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
    ],
)
def test_what_cannot_be_used_is_refused_in_a_line(tmp_path: Path, url: str, message: str) -> None:
    """It has the URL without its password, and the remedy."""
    files = {name: tmp_path / name for name in ("text", "foreign", "own")}
    files["text"].write_text("x" * 2000, encoding="utf-8")
    with sqlite3.connect(files["foreign"]) as connection:
        connection.execute("CREATE TABLE others (x)")
    connection.close()
    with sqlite3.connect(files["own"]) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()

    with pytest.raises(MockError, match=message) as caught:
        open_store(url.format(**files))
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_password_is_hidden_everywhere(tmp_path: Path) -> None:
    """Also in a recorded request that repeats it."""
    with AltaMock(store=url_of("postgresql", tmp_path).replace("tests@", "tests:hunter22@")) as mock:
        mock.answer(request_of(b'{"data": "hunter22"}'))
        assert "hunter22" not in json.dumps([entry.as_dict() for entry in mock.requests])


@pytest.mark.timeout(120)
def test_a_database_that_is_away_comes_back(clock: Clock) -> None:
    """While PostgreSQL is stopped, requests and the control API get our 503; then the same process goes on."""
    with postgres(*FAST) as server, AltaMock(store=server.database("x"), clock=clock) as mock:
        parts = Dispatcher(mock, "python", None)
        control = ApiRequest("GET", "/_mock/requests", headers=(("host", "localhost"),))
        ask = [parts.part(one).answer(one, "127.0.0.1") for one in (request_of(), control)]
        server.stop()
        with pytest.raises(StoreUnavailable, match="the store cannot be used"):
            mock.answer(request_of())
        away = [parts.part(one).answer(one, "127.0.0.1") for one in (request_of(), control)]
        server.start()
        back = [parts.part(one).answer(one, "127.0.0.1") for one in (request_of(), control)]

    assert [[reply.status for reply in replies] for replies in (ask, away, back)] == [[200] * 2, [503] * 2, [200] * 2]
    assert [reply.header("Retry-After") for reply in away] == ["1", "1"]
    assert all("alta-mock, not the vendor" in str(reply.header("X-Alta-Mock-Why")) for reply in away)


@contextmanager
def suspended(server: Postgres) -> Iterator[None]:
    """Stop all processes of a server in their place, and let them go on."""
    first = psutil.Process(server.process.pid if server.process else 0)
    processes = [first, *first.children()]
    try:
        for one in processes:
            one.suspend()
        yield
    finally:
        for one in processes:
            one.resume()


@pytest.mark.timeout(120)
def test_a_database_that_hangs_does_not_hang_requests(clock: Clock) -> None:
    """Its connections stay open and silent: a request gets our 503 after 2 s; when it goes on, so does the next one."""
    with postgres(*FAST) as server, AltaMock(store=server.database("x"), clock=clock) as mock:
        request, parts = request_of(), Dispatcher(mock, "python", None)
        before = parts.part(request).answer(request, "")
        with suspended(server):
            begun = time.monotonic()
            during = parts.part(request).answer(request, "")
            took = time.monotonic() - begun
        after = parts.part(request).answer(request, "")

    assert [before.status, during.status, after.status] == [200, 503, 200]
    assert "has not answered for 2 s" in str(during.header("X-Alta-Mock-Why"))
    assert SECONDS <= took < 2 * SECONDS
    assert after.header("RateLimit-Remaining") == "8"


def test_a_database_that_never_answers_is_refused() -> None:
    """Something listens there, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        with pytest.raises(MockError, match="timeout expired; check the URL"):
            open_store(f"postgresql://ada@127.0.0.1:{silent.getsockname()[1]}/x")
        assert time.monotonic() - begun < 2 * SECONDS
