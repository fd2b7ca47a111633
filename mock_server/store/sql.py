"""The store in a database, SQLite or PostgreSQL: many processes, also of several machines, share it.

Rule 1: who changes an account locks its row first, and the row of the journal's totals last.
Rule 2: objects that are put are written before they are searched for, else at the end, together.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    NestedTransaction,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from mock_server.messages.http import ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import from_json, to_ascii
from mock_server.messages.outcome import Outcome
from mock_server.store.base import (
    JOURNAL_BYTES,
    JOURNAL_ENTRIES,
    NO_ACCOUNT,
    NOTHING,
    Batch,
    Recorded,
    Where,
    Window,
    newest,
    size_of,
)
from mock_server.store.database import LONG_SECONDS, Database, answering, execute
from mock_server.store.exchanges import exchange_of, head_of, injected_of, injected_text
from mock_server.store.schema import (
    MEMBERS,
    accounts,
    drop,
    dropped,
    journal,
    key,
    meta,
    metadata,
    objects,
    prepare,
    queue,
    submissions,
)

__all__ = ["Database", "SqlStore", "drop"]

TAKEN = 50
"""Batches that are taken at once, so that other requests of the account wait for parts of a second only."""

MOST_ROWS = 1024
"""Rows that a search reads at once; it begins with `FIRST_ROWS`, since a page needs few."""

FIRST_ROWS = 16

DROPS = 100
"""Requests after which the journal's oldest entries are deleted; readers leave them out before."""

MOST_KEYS = 500
"""Texts that a database is asked for at once; of more, the objects themselves are asked."""

LARGEST = 2**62
"""Behind every number that a column holds."""

_INSERTS = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_lock_account = select(accounts.c.state).where(accounts.c.id == bindparam("account")).with_for_update()
_head = select(meta.c.clock_offset, meta.c.choices, exists(select(queue.c.position)))
_get = select(objects.c.body).where(
    objects.c.account == bindparam("account"), objects.c.kind == bindparam("kind"), objects.c.id == bindparam("id")
)
_set_state = update(accounts).where(accounts.c.id == bindparam("account")).values(state=bindparam("new_state"))
_count_request = (
    update(meta)
    .values(
        newest=meta.c.newest + 1,
        size=meta.c.size + bindparam("bytes"),
        broken=meta.c.broken + bindparam("breaks"),
    )
    .returning(meta.c.newest, meta.c.size)
)
_new_request, _new_submission = insert(journal), insert(submissions)


class SqlStore:
    """A `Store` in a database; opening it creates the tables, or brings them up to date.

    Raises:
        MockError: There are tables of another program, or of a newer alta-mock.
    """

    waits = True

    def __init__(self, database: Database) -> None:
        self._database = database
        self.identity = prepare(database.engine)
        self._choices: tuple[str, Mapping[str, str]] = ("{}", {})

    @contextmanager
    def transaction(self, account: str = NO_ACCOUNT) -> Iterator[_Transaction]:
        """Return a transaction of an account."""
        with self._database.writing(partial(_Transaction, account=account)) as transaction:
            self._learn(transaction.choices)
            yield transaction
            transaction.finish()

    def recorded(self, after: int = 0, most: int | None = None) -> Recorded:
        """Return the journal from behind a number on, at most so many exchanges."""
        with self._database.reading() as connection:
            last, size, broken, cleared = connection.execute(
                select(meta.c.newest, meta.c.size, meta.c.broken, meta.c.cleared)
            ).one()
            oldest = connection.scalar(_oldest(last, size)) or last + 1
            statuses = Counter(dict(map(tuple, connection.execute(select(dropped.c.status, dropped.c.count)))))
            for status, count in connection.execute(select(journal.c.status, func.count()).group_by(journal.c.status)):
                statuses[status] += count
            wanted = (
                select(journal.c.number, journal.c.head, journal.c.request, journal.c.response)
                .where(journal.c.number > min(max(after, oldest - 1), LARGEST))
                .order_by(journal.c.number)
                .limit(most)
            )
            exchanges = [exchange_of(*row) for row in connection.execute(wanted)]
        return Recorded(exchanges, oldest, last, cleared, statuses, broken)

    def close(self) -> None:
        """Close the connections; what it is used for next opens new ones."""
        self._database.engine.dispose()

    def clear_journal(self) -> None:
        """Forget all recorded requests; the numbers go on."""
        with self._database.writing(answering) as connection:
            connection.execute(update(meta).values(broken=0, cleared=meta.c.cleared + 1))
            connection.execute(delete(journal))
            connection.execute(delete(dropped))

    def clock_offset(self) -> int:
        """Return the nanoseconds by which the clock was advanced."""
        with self._database.reading() as connection:
            return int(connection.execute(select(meta.c.clock_offset)).scalar_one())

    def advance_clock(self, nanoseconds: int, most: int) -> bool:
        """Advance the clock, unless its offset would exceed `most`; return whether it was advanced."""
        with self._database.writing(answering) as connection:
            after = meta.c.clock_offset + nanoseconds
            return connection.execute(update(meta).where(after <= most).values(clock_offset=after)).rowcount > 0

    def choices(self) -> Mapping[str, str]:
        """Return what is assumed in place of the settings; the same object until it changes."""
        return self._choices[1]

    def choose(self, choices: Mapping[str, str]) -> None:
        """Replace what is assumed in place of the settings."""
        text = json.dumps(dict(choices), sort_keys=True)
        with self._database.writing(answering) as connection:
            connection.execute(update(meta).values(choices=text))
        self._learn(text)

    def refresh(self) -> None:
        """Learn what other processes have changed of the choices."""
        with self._database.reading() as connection:
            self._learn(connection.execute(select(meta.c.choices)).scalar_one())

    def seed(self, objects: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Reset to these objects, unless the store was seeded before, by this process or by another."""
        with self._database.writing(answering, LONG_SECONDS) as connection:
            if not connection.execute(select(meta.c.seeded).with_for_update()).scalar_one():
                _fill(connection, objects)

    def reset(self, objects: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Keep these objects (account, kind, object) and nothing else; numbers begin at 1, the clock's offset is 0."""
        with self._database.writing(answering, LONG_SECONDS) as connection:
            if connection.dialect.name == "postgresql":  # until no transaction holds the row of an account
                connection.execute(text(f"LOCK TABLE {accounts.name} IN EXCLUSIVE MODE"))
            _fill(connection, objects)
        self._learn("{}")

    def _learn(self, choices: str) -> None:
        if choices != self._choices[0]:
            self._choices = (choices, json.loads(choices))

    def facts(self) -> dict[str, int]:
        """Return how much it keeps: objects by kind, batches, recorded requests."""
        with self._database.reading() as connection:
            kinds = select(objects.c.kind, func.count()).group_by(objects.c.kind).order_by(objects.c.kind)
            found = {str(kind): int(count) for kind, count in connection.execute(kinds)}
            for name, table in (("batches", submissions), ("recorded requests", journal)):
                found[name] = int(connection.scalar(select(func.count()).select_from(table)) or 0)
        return found


class _Transaction:
    """A `Transaction` on a connection; `finish` writes what it has kept back."""

    def __init__(self, connection: Connection, account: str) -> None:
        self._connection, self._account = connection, account
        self._upsert: Any = _INSERTS[connection.dialect.name]
        self._stored = self._locked()
        self._state: dict[str, Any] = json.loads(self._stored)
        ((self._offset, self.choices, self._queued),) = execute(connection, _head, {})
        self._put: defaultdict[str, dict[str, Mapping[str, Any]]] = defaultdict(dict)
        self._batches: list[dict[str, Any]] = []
        self._exchange: tuple[str, ApiRequest, Outcome] | None = None
        self._savepoints: list[NestedTransaction | None] = []

    def get(self, kind: str, object_id: str) -> Mapping[str, Any] | None:
        put = self._put[kind].get(object_id)
        if put is not None:
            return put
        found = execute(self._connection, _get, {"account": self._account, "kind": kind, "id": key(object_id)})
        return from_json(found[0][0]) if found else None

    def put(self, kind: str, value: Mapping[str, Any]) -> None:
        self._put[kind][value["id"]] = value

    def delete(self, kind: str, object_id: str) -> None:
        self._put[kind].pop(object_id, None)
        mine = and_(objects.c.account == self._account, objects.c.kind == kind, objects.c.id == key(object_id))
        self._change(delete(objects).where(mine))

    def objects(self, kind: str, where: Where = NOTHING) -> Sequence[Mapping[str, Any]]:
        return [value for _, value in self.rows(kind, where)]

    def alike(self, kind: str, member: str, text: str) -> Sequence[Mapping[str, Any]]:
        found = (value for _, value in self._read(kind, {member: (text,)}, None, backwards=False))
        return [value for value in found if str(value.get(member)).lower() == text.lower()]

    def rows(
        self, kind: str, where: Where = NOTHING, start: int | None = None, *, backwards: bool = False
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        wanted = {name: one if isinstance(one, frozenset) else (one,) for name, one in where.items()}
        for position, value in self._read(kind, wanted, start, backwards=backwards):
            if all(value.get(name) in tuple(texts) for name, texts in wanted.items()):  # it may be a list
                yield position, value

    def count(self, kind: str, member: str, text: str) -> int:
        if member not in MEMBERS:
            return len(self.alike(kind, member, text))
        self._write(kind)
        found = select(func.count()).select_from(objects).where(*_conditions(((member, 1),)))
        values = {"own_account": self._account, "own_kind": kind, f"wanted_{member}": key(text)}
        return int(self._connection.execute(found, values).scalar_one())

    def next_number(self, kind: str) -> int:
        numbers = self._state["numbers"]
        numbers[kind] = numbers.get(kind, 0) + 1
        return int(numbers[kind])

    def submit(self, parent_id: str, batch: Batch) -> None:
        self._state["submitted"] += 1
        own = {"account": self._account, "number": self._state["submitted"], "parent": parent_id}
        self._batches.append({**own, "member": batch.member, "size": batch.size, "at": batch.at, "text": batch.text})

    def submissions(self, parent_id: str, last: int | None = None) -> Sequence[Batch]:
        self._write_batches()
        mine = and_(submissions.c.account == self._account, submissions.c.parent == parent_id)
        number = submissions.c.number
        found = select(submissions).where(mine).order_by(number if last is None else number.desc()).limit(last)
        batches = (Batch(row.text, row.member, row.size, row.at) for row in self._connection.execute(found))
        return list(batches) if last is None else newest(batches, last)

    def take_new(self) -> Sequence[tuple[str, Batch]]:
        if self._state["taken"] == self._state["submitted"]:
            return []
        self._write_batches()
        for kind in self._put:
            self._write(kind)
        first, last = self._state["taken"], min(self._state["taken"] + TAKEN, self._state["submitted"])
        self._state["taken"] = last
        number = submissions.c.number
        found = select(submissions).where(submissions.c.account == self._account, number > first, number <= last)
        rows = self._connection.execute(found.order_by(number))
        return [(row.parent, Batch(row.text, row.member, row.size, row.at)) for row in rows]

    def behind(self) -> bool:
        return bool(self._state["submitted"] - self._state["taken"] > TAKEN)

    def window(self, name: str) -> Window | None:
        found = self._state["windows"].get(name)
        return None if found is None else Window(*found)

    def set_window(self, name: str, window: Window) -> None:
        self._state["windows"][name] = window

    def inject(self, injected: Injected) -> None:
        value = {"operation": injected.operation, "times": injected.times, "value": injected_text(injected)}
        self._change(insert(queue), value)
        self._queued = True

    def take_injected(self, operation: str = "") -> Injected | None:
        if not self._queued:
            return None
        fits = queue.c.operation.is_(None) | (queue.c.operation == operation)
        first = select(queue).where(fits).order_by(queue.c.position).limit(1).with_for_update()
        row = self._connection.execute(first).one_or_none()
        if row is None:
            return None
        mine = queue.c.position == row.position
        self._change(
            update(queue).where(mine).values(times=row.times - 1) if row.times > 1 else delete(queue).where(mine)
        )
        return injected_of(row.value, row.times)

    def injected(self) -> Sequence[Injected]:
        rows = self._connection.execute(select(queue).order_by(queue.c.position))
        return [injected_of(row.value, row.times) for row in rows]

    def clear_injected(self) -> None:
        self._change(delete(queue))

    def clock_offset(self) -> int:
        return int(self._offset)

    def record(self, transport: str, request: ApiRequest, outcome: Outcome) -> None:
        self._exchange = (transport, request, outcome)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        state = {name: dict(value) if isinstance(value, dict) else value for name, value in self._state.items()}
        put = {kind: dict(values) for kind, values in self._put.items() if values}
        batches, queued = list(self._batches), self._queued
        self._savepoints.append(None)
        try:
            yield
        except BaseException:
            if nested := self._savepoints.pop():
                nested.rollback()
            self._state, self._put, self._batches, self._queued = state, defaultdict(dict, put), batches, queued
            raise
        if nested := self._savepoints.pop():
            nested.commit()

    def finish(self) -> None:
        """Write what was kept back, and the journal last: until the commit nobody else can write to it."""
        for kind in self._put:
            self._write(kind)
        self._write_batches()
        state = json.dumps(self._state, separators=(",", ":"))
        if state != self._stored:
            execute(self._connection, _set_state, {"account": self._account, "new_state": state})
        if self._exchange:
            self._append(*self._exchange)

    def _locked(self) -> str:
        """Lock the account, and return its state."""
        own = {"account": self._account}
        found = execute(self._connection, _lock_account, own)
        if not found:
            first = json.dumps({"windows": {}, "numbers": {}, "submitted": 0, "taken": 0})
            new = self._upsert(accounts).values(id=self._account, state=first).on_conflict_do_nothing()
            self._connection.execute(new)
            found = execute(self._connection, _lock_account, own)
        return str(found[0][0])

    def _read(
        self, kind: str, where: Mapping[str, Collection[str | None]], start: int | None, *, backwards: bool
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield what the indexes find of the objects whose members have one of these texts."""
        self._write(kind)
        values: dict[str, Any] = {"own_account": self._account, "own_kind": kind}
        shape = []
        for name, texts in where.items():
            keys = sorted({str(key(text)) for text in texts if text is not None})
            if not texts:
                return
            if name in MEMBERS and len(keys) <= MOST_KEYS and not (keys and None in texts):
                shape.append((name, min(len(keys), 2)))
                values |= {f"wanted_{name}": keys[0] if len(keys) == 1 else keys} if keys else {}
        found, size = _search(tuple(shape), backwards), FIRST_ROWS
        query = _expanded if any(isinstance(one, list) for one in values.values()) else execute
        if start is None:
            start = LARGEST if backwards else 0
        while True:
            rows = query(self._connection, found, {**values, "start": start, "most": size})
            for at, body in rows:
                yield at, from_json(body)
            if len(rows) < size:
                return
            start, size = rows[-1][0], min(size * 4, MOST_ROWS)

    def _write(self, kind: str) -> None:
        put = self._put[kind]
        if put:
            self._change(_upsert_objects(self._upsert), [_row(self._account, kind, one) for one in put.values()])
            put.clear()

    def _write_batches(self) -> None:
        if self._batches:
            self._begin_savepoints()
            for batch in self._batches:
                execute(self._connection, _new_submission, batch)
            self._batches = []

    def _change(self, statement: Any, values: Any = None) -> None:
        self._begin_savepoints()
        self._connection.execute(statement, values)

    def _begin_savepoints(self) -> None:
        for place, begun in enumerate(self._savepoints):  # without a change they cost nothing in the database
            self._savepoints[place] = begun or self._connection.begin_nested()

    def _append(self, transport: str, request: ApiRequest, outcome: Outcome) -> None:
        size = size_of(request, outcome.reply)
        breaks = int(bool(outcome.violations) and outcome.broke_the_contract)
        ((number, total),) = execute(self._connection, _count_request, {"bytes": size, "breaks": breaks})
        row = {"number": number, "before": total - size, "status": outcome.reply.status}
        bodies = {"request": request.body, "response": outcome.reply.body}
        execute(self._connection, _new_request, {**row, "head": head_of(transport, request, outcome), **bodies})
        if number % DROPS == 0:
            _drop_oldest(self._connection, self._upsert, number, total)


def _expanded(connection: Connection, statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """Execute a statement with as many parameters in place of one as it has values."""
    return connection.execute(statement, values).all()


def _row(account: str, kind: str, value: Mapping[str, Any]) -> dict[str, Any]:
    own = {"account": account, "kind": kind, "id": key(value["id"]), "body": to_ascii(value)}
    return {**own, **{name: key(value.get(name)) for name in MEMBERS}}


def _conditions(shape: Sequence[tuple[str, int]]) -> list[Any]:
    """Return what objects of a kind fulfil whose members have so many keys: none, one, or one of several."""
    found = [objects.c.account == bindparam("own_account"), objects.c.kind == bindparam("own_kind")]
    for name, count in shape:
        column: Any = objects.c[name]
        wanted: Any = bindparam(f"wanted_{name}", expanding=count > 1)
        found.append(column.in_(wanted) if count > 1 else column == wanted if count else column.is_(None))
    return found


@lru_cache(maxsize=64)
def _search(shape: tuple[tuple[str, int], ...], backwards: bool) -> Any:  # noqa: FBT001 - as a cache has it
    position, start = objects.c.position, bindparam("start", type_=BigInteger)
    behind = position < start if backwards else position > start
    found = select(position, objects.c.body).where(*_conditions(shape), behind)
    return found.order_by(position.desc() if backwards else position).limit(bindparam("most"))


@lru_cache(maxsize=2)
def _upsert_objects(upsert: Any) -> Any:
    """Return the statement that inserts an object, or replaces it in its place."""
    new = upsert(objects)
    changed = {name: new.excluded[name] for name in ("body", *MEMBERS)}
    return new.on_conflict_do_update(index_elements=["account", "kind", "id"], set_=changed)


def _oldest(last: int, size: int) -> Any:
    """Return the query for the number of the oldest entry that is kept, by the totals of the journal."""
    fits = (journal.c.number > last - JOURNAL_ENTRIES) & (journal.c.before >= size - JOURNAL_BYTES)
    kept = fits | (journal.c.number == last)
    return (
        select(journal.c.number)
        .where(journal.c.number > last - JOURNAL_ENTRIES, kept)
        .order_by(journal.c.number)
        .limit(1)
    )


def _drop_oldest(connection: Connection, upsert: Any, last: int, size: int) -> None:
    gone = journal.c.number < (connection.scalar(_oldest(last, size)) or last)
    counted = select(journal.c.status, func.count()).where(gone).group_by(journal.c.status)
    for status, count in connection.execute(counted).all():
        new = upsert(dropped).values(status=status, count=count)
        more = {"count": dropped.c.count + count}
        connection.execute(new.on_conflict_do_update(index_elements=["status"], set_=more))
    connection.execute(delete(journal).where(gone))


def _fill(connection: Connection, found: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
    """Remove everything, and keep these objects."""
    for table in metadata.sorted_tables:
        if table is not meta:
            connection.execute(delete(table))
    totals = {"newest": 0, "size": 0, "broken": 0, "cleared": meta.c.cleared + 1}
    connection.execute(update(meta).values(seeded=True, clock_offset=0, choices="{}", **totals))
    statement, rows = _upsert_objects(_INSERTS[connection.dialect.name]), []
    for one in found:
        rows.append(_row(*one))
        if len(rows) == MOST_ROWS:
            connection.execute(statement, rows)
            rows = []
    if rows:
        connection.execute(statement, rows)
