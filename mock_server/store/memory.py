"""The store in memory: gone with the process."""

from __future__ import annotations

import threading
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server.store.base import Batch

_Key = tuple[str, str, str]

CAPACITY = 16 * 1024 * 1024
"""Bytes of batches that are kept, about 90,000 full prospects; of more, the oldest are forgotten."""

_OVERHEAD = 200
"""Bytes that a batch costs beside its text, roughly."""


class MemoryStore:
    """A `Store` in dictionaries.

    Args:
        capacity: Bytes of batches to keep. The first time that is not enough, a `RuntimeWarning` says so.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._resources: dict[_Key, Any] = {}
        self._batches: dict[_Key, deque[Batch]] = {}
        self._capacity = capacity
        self._age: deque[_Key] = deque()
        self._size = 0
        self._warned = False

    def put(self, account: str, kind: str, resource_id: str, value: Any) -> None:
        """Keep a resource under its id, in place of any that was there."""
        with self._lock:
            self._resources[account, kind, resource_id] = value

    def get(self, account: str, kind: str, resource_id: str) -> Any:
        """Return a resource; None if this account has none of that id."""
        with self._lock:
            return self._resources.get((account, kind, resource_id))

    def append(self, account: str, kind: str, parent_id: str, batch: Batch) -> None:
        """Keep a batch of records that belong to one resource, after those that came before."""
        key = (account, kind, parent_id)
        with self._lock:
            self._batches.setdefault(key, deque()).append(batch)
            self._age.append(key)
            self._size += len(batch.text) + _OVERHEAD
            while self._size > self._capacity and len(self._age) > 1:
                oldest = self._batches[self._age.popleft()].popleft()
                self._size -= len(oldest.text) + _OVERHEAD
                self._warn()

    def _warn(self) -> None:
        if not self._warned:
            self._warned = True
            text = f"more than {self._capacity} bytes of prospects: from here on the oldest are forgotten; reset it"
            warnings.warn(text, RuntimeWarning, stacklevel=3)

    def batches(self, account: str, kind: str, parent_id: str) -> list[Batch]:
        """Return the batches that belong to one resource, in the order they came."""
        with self._lock:
            return list(self._batches.get((account, kind, parent_id), ()))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._resources.clear()
            self._batches.clear()
            self._age.clear()
            self._size = 0
            self._warned = False
