"""Records in the order of their time: rules about sequences need it, and tools write in the order of the responses."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from contract_tests.traffic.captured import Captured

MOST_WAITING = 1000
"""Records that wait for earlier ones."""

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of their bodies."""


class Placed(NamedTuple):
    """A record with its place in time: of one without a time, that of the record before it.

    Attributes:
        late: Whether a later record had to be read first, so that the record belongs to no sequence.
    """

    at: int
    position: int
    late: bool
    one: Captured


def in_order(records: Iterable[Captured]) -> Iterator[Placed]:
    """Yield records in the order of their time; at most `MOST_WAITING` are held."""
    waiting: list[Placed] = []
    newest = last = size = 0
    for index, one in enumerate(records):
        newest = newest if one.began is None else one.began
        heapq.heappush(waiting, Placed(newest, index, late=False, one=one))
        size += one.size
        while len(waiting) > MOST_WAITING or size > MOST_BYTES:
            first = heapq.heappop(waiting)
            size -= first.one.size
            yield first._replace(at=max(first.at, last), late=first.at < last)
            last = max(first.at, last)
    while waiting:
        first = heapq.heappop(waiting)
        yield first._replace(at=max(first.at, last), late=first.at < last)
        last = max(first.at, last)


def merged(files: Iterable[Iterable[Captured]]) -> Iterator[Placed]:
    """Yield the records of several files in the order of their time."""
    return heapq.merge(*map(in_order, files), key=lambda placed: placed.at)
