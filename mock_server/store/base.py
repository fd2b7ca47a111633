"""What a store keeps, and how it is changed: in transactions, each of one account.

Rule 1: a transaction is all or nothing; if its block raises, nothing of it is kept.
Rule 2: transactions of the same account follow one another, so limits stay exact.
Rule 3: values are never changed in place; a change puts another value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import read_json
from mock_server.messages.outcome import Outcome

JOURNAL_ENTRIES = 10_000
"""Requests that a journal keeps; beyond that the oldest are dropped."""

JOURNAL_BYTES = 16 * 1024 * 1024
"""Bytes of requests and responses that a journal keeps, heads included; the newest entry is always kept."""

NO_ACCOUNT = ""
"""The account of requests without a valid token."""


Where = Mapping[str, str | frozenset[str] | None]
"""A search: what members must have, a text, one of several texts, or nothing (None)."""

NOTHING: Where = MappingProxyType({})
"""A search without conditions."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that one request added, kept as the text that was sent, so that no digit is lost.

    `member` is the member of that text, JSON in UTF-8, that is the array of records; `size` is their number, and `at`
    the time of the request, in nanoseconds since the epoch.
    """

    text: bytes
    member: str
    size: int
    at: int = 0

    def records(self) -> list[Any]:
        """Return the records as sent; each call parses the text again, so they may be changed."""
        found: list[Any] = read_json(self.text)[self.member]
        return found


def newest(batches: Iterable[Batch], records: int) -> list[Batch]:
    """Return the first of batches, which come newest first, that have so many records together, oldest first."""
    found: list[Batch] = []
    for batch in batches:
        if records <= 0:
            break
        found.append(batch)
        records -= batch.size
    return found[::-1]


class Window(NamedTuple):
    """Requests counted under one limit since `opened`, in nanoseconds."""

    opened: int
    used: int


class Exchange(NamedTuple):
    """A request and its outcome, numbered from 1 in the order of the responses.

    It was received by the transport `socket`, `wsgi`, `responses` or `python`.
    """

    number: int
    transport: str
    request: ApiRequest
    outcome: Outcome


def size_of(request: ApiRequest, reply: ApiReply) -> int:
    """Return roughly the bytes that a request and its response occupy."""
    heads = sum(map(len, chain.from_iterable(request.headers + reply.headers)))
    return heads + len(request.path) + len(request.query) + len(request.body or b"") + len(reply.body)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a journal holds at one moment.

    Attributes:
        oldest: Number of the oldest that is kept; that of the next request if none is.
        newest: Number of the last request; 0 before the first.
        cleared: How often the journal was cleared, a reset included; a reader begins again when it changes.
        statuses: How often each status was sent, also by requests no longer kept.
        broken: How many requests broke the contract, also those no longer kept.
    """

    exchanges: Sequence[Exchange]
    oldest: int
    newest: int
    cleared: int
    statuses: Counter[int]
    broken: int


class Transaction(Protocol):
    """Reads and changes what the store keeps; objects, submissions and windows are those of its account."""

    def get(self, kind: str, object_id: str) -> Mapping[str, Any] | None:
        """Return an object; None if the account has none of this kind and id."""

    def put(self, kind: str, value: Mapping[str, Any]) -> None:
        """Insert an object by its `id`, or replace it in its place."""

    def delete(self, kind: str, object_id: str) -> None:
        """Remove an object, if there is one."""

    def objects(self, kind: str, where: Where = NOTHING) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a kind whose members have these texts, in order of creation."""

    def alike(self, kind: str, member: str, text: str) -> Sequence[Mapping[str, Any]]:
        """Return the objects of a kind whose member has this text in either case, in order of creation."""

    def rows(
        self, kind: str, where: Where = NOTHING, start: int | None = None, *, backwards: bool = False
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield such objects with their positions from behind the position `start` on, or from before it back.

        A position grows with every new object and is never used twice. What is yielded must not be changed meanwhile.
        """

    def count(self, kind: str, member: str, text: str) -> int:
        """Return the number of objects of a kind whose member has this text, in either case."""

    def next_number(self, kind: str) -> int:
        """Return the next running number of a kind, from 1."""

    def submit(self, parent_id: str, batch: Batch) -> None:
        """Keep a batch that belongs to one object, after those before it."""

    def submissions(self, parent_id: str, last: int | None = None) -> Sequence[Batch]:
        """Return the batches that belong to one object, in order; with `last`, the newest with that many records."""

    def take_new(self) -> Sequence[tuple[str, Batch]]:
        """Return batches that were not taken before, each with its parent, in order: all unless it is `behind`."""

    def behind(self) -> bool:
        """Return whether more batches are new than one transaction should take, for which others wait."""

    def window(self, name: str) -> Window | None:
        """Return the window of a limit; None if it was never opened."""

    def set_window(self, name: str, window: Window) -> None:
        """Replace the window of a limit."""

    def inject(self, injected: Injected) -> None:
        """Append a response or fault to the queue, which all accounts share."""

    def take_injected(self, operation: str = "") -> Injected | None:
        """Take the next response or fault for an operation, or for any, off the queue; None if there is none."""

    def injected(self) -> Sequence[Injected]:
        """Return the queue, first to come first."""

    def clear_injected(self) -> None:
        """Empty the queue."""

    def clock_offset(self) -> int:
        """Return the nanoseconds by which the clock was advanced when the transaction began."""

    def record(self, transport: str, request: ApiRequest, outcome: Outcome) -> None:
        """Append a request and its outcome to the journal, which all accounts share."""

    def savepoint(self) -> AbstractContextManager[None]:
        """Return a context whose changes are undone if its block raises; the error goes on."""


class Store(Protocol):
    """Keeps everything that a fake remembers; safe to use from many threads.

    Every method raises StoreUnavailable if its database cannot be used at the moment.
    """

    @property
    def waits(self) -> bool:
        """Whether its methods wait for a database; then an event loop must not call them."""

    @property
    def identity(self) -> str:
        """A name of the state; that of a store in memory changes with each start."""

    def transaction(self, account: str = NO_ACCOUNT) -> AbstractContextManager[Transaction]:
        """Return a transaction of an account; its block must not wait for another transaction."""

    def recorded(self, after: int = 0, most: int | None = None) -> Recorded:
        """Return the journal from behind a number on, at most so many exchanges."""

    def close(self) -> None:
        """Close the connections to its database; what it is used for next opens new ones."""

    def clear_journal(self) -> None:
        """Forget all recorded requests; the numbers go on."""

    def clock_offset(self) -> int:
        """Return the nanoseconds by which the clock was advanced."""

    def advance_clock(self, nanoseconds: int, most: int) -> bool:
        """Advance the clock, unless its offset would exceed `most`; return whether it was advanced."""

    def choices(self) -> Mapping[str, str]:
        """Return what is assumed in place of the settings; the same object until it changes.

        A change by another process is known after the next transaction, or after `refresh`.
        """

    def choose(self, choices: Mapping[str, str]) -> None:
        """Replace what is assumed in place of the settings."""

    def refresh(self) -> None:
        """Learn what other processes have changed of `choices`."""

    def seed(self, objects: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Reset to these objects, unless the store was seeded before, by this process or by another."""

    def reset(self, objects: Iterable[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Keep these objects (account, kind, object) and nothing else; numbers begin at 1.

        Nothing is assumed in place of the settings, and the clock's offset is 0.
        """
