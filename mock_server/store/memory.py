"""The store in memory: gone with the process."""

from __future__ import annotations

import logging
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Self
from uuid import uuid4

from mock_server.messages.http import ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.store.base import (
    JOURNAL_BYTES,
    JOURNAL_ENTRIES,
    NO_ACCOUNT,
    NOTHING,
    Batch,
    Exchange,
    Recorded,
    Where,
    Window,
    newest,
    size_of,
)
from mock_server.store.table import Table

_logger = logging.getLogger(__name__)

CAPACITY = 16 * 1024 * 1024
"""Bytes of batches that are kept, about 90,000 full prospects; beyond that the oldest are dropped."""

OBJECTS = 100_000
"""Objects of a kind that an account keeps; beyond that the oldest are dropped."""

_OVERHEAD = 200
"""Bytes that a batch costs beside its text, roughly."""


class MemoryStore:
    """A `Store` in dictionaries; logs a warning the first time that its capacity, in bytes of batches, is exceeded.

    Transactions of all accounts follow one another.
    """

    waits = False

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.identity = uuid4().hex
        self.lock = threading.RLock()
        self.tables: defaultdict[tuple[str, str], Table] = defaultdict(Table)
        self.windows: dict[tuple[str, str], Window] = {}
        self.numbers: Counter[tuple[str, str]] = Counter()
        self.queue: list[Injected] = []
        self.batches = _Batches(capacity)
        self.journal = _JournalLog()
        self._clock_offset = 0
        self._choices: Mapping[str, str] = {}

    def transaction(self, account: str = NO_ACCOUNT) -> _Transaction:
        """Return a transaction of an account."""
        return _Transaction(self, account)

    def recorded(self, after: int = 0, most: int | None = None) -> Recorded:
        """Return the journal from behind a number on, at most so many exchanges."""
        with self.lock:
            return self.journal.look(after, most)

    def close(self) -> None:
        """Do nothing: there are no connections."""

    def clear_journal(self) -> None:
        """Forget all recorded requests; the numbers go on."""
        with self.lock:
            self.journal.clear()

    def clock_offset(self) -> int:
        """Return the nanoseconds by which the clock was advanced."""
        return self._clock_offset

    def advance_clock(self, nanoseconds: int, most: int) -> bool:
        """Advance the clock, unless its offset would exceed `most`; return whether it was advanced."""
        with self.lock:
            fits = self._clock_offset + nanoseconds <= most
            self._clock_offset += nanoseconds if fits else 0
            return fits

    def choices(self) -> Mapping[str, str]:
        """Return what is assumed in place of the settings; the same object until it changes."""
        return self._choices

    def choose(self, choices: Mapping[str, str]) -> None:
        """Replace what is assumed in place of the settings."""
        self._choices = choices

    def refresh(self) -> None:
        """Do nothing: no other process changes anything."""

    def seed(self, objects: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Reset to these objects: a new store has none."""
        self.reset(objects)

    def reset(self, objects: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Keep these objects (account, kind, object) and nothing else; numbers begin at 1, the clock's offset is 0."""
        tables: defaultdict[tuple[str, str], Table] = defaultdict(Table)
        for account, kind, value in objects:
            table = tables[account, kind]
            table.set(table.position(value["id"]), value)
        with self.lock:
            self.tables = tables
            self.windows.clear()
            self.numbers.clear()
            self.queue = []
            self.batches.clear()
            self.journal.restart()
            self._clock_offset = 0
            self._choices = {}


class _Transaction:
    """A `Transaction`: changes are made at once, and undone in reverse order if the block raises."""

    __slots__ = ("_account", "_changed", "_exchange", "_store", "_undo")

    def __init__(self, store: MemoryStore, account: str) -> None:
        self._store, self._account = store, account
        self._undo: list[Callable[[], object]] = []
        self._changed: set[Table] = set()
        self._exchange: tuple[str, ApiRequest, Outcome] | None = None

    def __enter__(self) -> Self:
        self._store.lock.acquire()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                _undo_to(0, self._undo)
                return
            if self._exchange:
                self._store.journal.append(*self._exchange)
            self._store.batches.drop_oldest()
            for table in self._changed:
                if table.drop_oldest(OBJECTS):
                    _logger.warning("more than %d objects of a kind: the oldest are dropped from now on", OBJECTS)
        finally:
            self._store.lock.release()

    def get(self, kind: str, object_id: str) -> Mapping[str, Any] | None:
        return self._store.tables[self._account, kind].get(object_id)

    def put(self, kind: str, value: Mapping[str, Any]) -> None:
        table = self._store.tables[self._account, kind]
        self._set(table, table.position(value["id"]), value)

    def delete(self, kind: str, object_id: str) -> None:
        table = self._store.tables[self._account, kind]
        if table.get(object_id):
            self._set(table, table.position(object_id), None)

    def objects(self, kind: str, where: Where = NOTHING) -> Sequence[Mapping[str, Any]]:
        return [value for _, value in self.rows(kind, where)]

    def alike(self, kind: str, member: str, text: str) -> Sequence[Mapping[str, Any]]:
        return self._store.tables[self._account, kind].alike(member, text)

    def rows(
        self, kind: str, where: Where = NOTHING, start: int | None = None, *, backwards: bool = False
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        return self._store.tables[self._account, kind].rows(where, start, backwards=backwards)

    def count(self, kind: str, member: str, text: str) -> int:
        return self._store.tables[self._account, kind].count(member, text)

    def next_number(self, kind: str) -> int:
        key, numbers = (self._account, kind), self._store.numbers
        numbers[key] += 1
        self._undo.append(lambda: numbers.subtract([key]))
        return numbers[key]

    def submit(self, parent_id: str, batch: Batch) -> None:
        key = (self._account, parent_id)
        self._store.batches.append(key, batch)
        self._undo.append(lambda: self._store.batches.remove_last(key))

    def take_new(self) -> Sequence[tuple[str, Batch]]:
        taken = self._store.batches.take_new(self._account)
        if taken:
            self._undo.append(lambda: self._store.batches.put_back(self._account, taken))
        return taken

    def behind(self) -> bool:
        return False

    def submissions(self, parent_id: str, last: int | None = None) -> Sequence[Batch]:
        batches = self._store.batches.of((self._account, parent_id))
        return batches if last is None else newest(reversed(batches), last)

    def window(self, name: str) -> Window | None:
        return self._store.windows.get((self._account, name))

    def set_window(self, name: str, window: Window) -> None:
        key, windows = (self._account, name), self._store.windows
        before = windows.get(key)
        windows[key] = window
        self._undo.append(lambda: windows.pop(key) if before is None else windows.__setitem__(key, before))

    def inject(self, injected: Injected) -> None:
        self._replace_queue([*self._store.queue, injected])

    def take_injected(self, operation: str = "") -> Injected | None:
        queue = self._store.queue
        for index, first in enumerate(queue):
            if first.operation in {None, operation}:
                again = [replace(first, times=first.times - 1)] if first.times > 1 else []
                self._replace_queue([*queue[:index], *again, *queue[index + 1 :]])
                return first
        return None

    def injected(self) -> Sequence[Injected]:
        return list(self._store.queue)

    def clear_injected(self) -> None:
        self._replace_queue([])

    def clock_offset(self) -> int:
        return self._store.clock_offset()

    def record(self, transport: str, request: ApiRequest, outcome: Outcome) -> None:
        self._exchange = (transport, request, outcome)

    def savepoint(self) -> _Savepoint:
        return _Savepoint(self._undo)

    def _set(self, table: Table, position: int, value: Mapping[str, Any] | None) -> None:
        before = table.at(position)
        table.set(position, value)
        self._changed.add(table)
        self._undo.append(lambda: table.set(position, before))

    def _replace_queue(self, queue: list[Injected]) -> None:
        before, self._store.queue = self._store.queue, queue
        self._undo.append(lambda: setattr(self._store, "queue", before))


class _Savepoint:
    """Undoes what was changed since, if its block raises."""

    __slots__ = ("_mark", "_undo")

    def __init__(self, undo: list[Callable[[], object]]) -> None:
        self._undo, self._mark = undo, len(undo)

    def __enter__(self) -> None:
        """Do nothing: the mark is set."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            _undo_to(self._mark, self._undo)


def _undo_to(mark: int, undo: list[Callable[[], object]]) -> None:
    """Undo the last changes, down to a number of them."""
    while len(undo) > mark:
        undo.pop()()


class _Batches:
    """Batches by account and parent, up to a number of bytes, and which of them are new."""

    def __init__(self, capacity: int) -> None:
        self._batches: defaultdict[tuple[str, str], deque[Batch]] = defaultdict(deque)
        self._age: deque[tuple[str, str]] = deque()
        self._new: defaultdict[str, deque[tuple[str, Batch]]] = defaultdict(deque)
        self._size, self._capacity, self._warned = 0, capacity, False

    def append(self, key: tuple[str, str], batch: Batch) -> None:
        account, parent_id = key
        self._batches[key].append(batch)
        self._new[account].append((parent_id, batch))
        self._age.append(key)
        self._size += len(batch.text) + _OVERHEAD

    def remove_last(self, key: tuple[str, str]) -> None:
        self._size -= len(self._batches[key].pop().text) + _OVERHEAD
        self._age.pop()
        self._new[key[0]].pop()

    def of(self, key: tuple[str, str]) -> list[Batch]:
        return list(self._batches.get(key, ()))

    def take_new(self, account: str) -> list[tuple[str, Batch]]:
        return list(self._new.pop(account, ()))

    def put_back(self, account: str, taken: Iterable[tuple[str, Batch]]) -> None:
        self._new[account] = deque(taken)

    def drop_oldest(self) -> None:
        while self._size > self._capacity and len(self._age) > 1:
            key = self._age.popleft()
            batch, new = self._batches[key].popleft(), self._new.get(key[0])
            if new and new[0][1] is batch:
                new.popleft()
            self._size -= len(batch.text) + _OVERHEAD
            if not self._warned:
                self._warned = True
                _logger.warning("more than %d bytes of batches: the oldest are dropped from now on", self._capacity)

    def clear(self) -> None:
        self._batches.clear()
        self._age.clear()
        self._new.clear()
        self._size, self._warned = 0, False


class _JournalLog:
    """The last exchanges, up to a number of entries and of bytes of their bodies."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque()
        self._newest = self._cleared = self._size = self._broken = 0
        self._statuses: Counter[int] = Counter()

    def append(self, transport: str, request: ApiRequest, outcome: Outcome) -> None:
        self._newest += 1
        self._exchanges.append(Exchange(self._newest, transport, request, outcome))
        self._size += size_of(request, outcome.reply)
        self._statuses[outcome.reply.status] += 1
        self._broken += bool(outcome.violations) and outcome.broke_the_contract
        while len(self._exchanges) > JOURNAL_ENTRIES or (self._size > JOURNAL_BYTES and len(self._exchanges) > 1):
            oldest = self._exchanges.popleft()
            self._size -= size_of(oldest.request, oldest.outcome.reply)

    def look(self, after: int, most: int | None) -> Recorded:
        oldest = self._exchanges[0].number if self._exchanges else self._newest + 1
        first = min(max(after - oldest + 1, 0), len(self._exchanges))
        exchanges = list(islice(self._exchanges, first, None if most is None else first + most))
        return Recorded(exchanges, oldest, self._newest, self._cleared, self._statuses.copy(), self._broken)

    def clear(self) -> None:
        self._exchanges.clear()
        self._statuses.clear()
        self._size = self._broken = 0
        self._cleared += 1

    def restart(self) -> None:
        self.clear()
        self._newest = 0
