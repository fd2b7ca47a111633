"""The store in memory: gone with the process."""

from __future__ import annotations

import logging
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_server.store.base import Batch

_logger = logging.getLogger(__name__)

_Key = tuple[str, str, str]

CAPACITY = 16 * 1024 * 1024
"""Bytes of batches that are kept, about 90,000 full prospects; of more, the oldest are forgotten."""

_OVERHEAD = 200
"""Bytes that a batch costs beside its text, roughly."""


class MemoryStore:
    """A `Store` in dictionaries.

    Args:
        capacity: Bytes of batches to keep. The first time that is not enough, a warning is logged.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._lock = threading.Lock()
        self._resources: dict[_Key, Any] = {}
        self._batches: dict[_Key, deque[Batch]] = {}
        self._capacity = capacity
        self._age: deque[_Key] = deque()
        self._size = 0
        self._told = False

    def get(self, account: str, kind: str, resource_id: str) -> Any:
        """Return a resource; None if this account has none of that id."""
        with self._lock:
            return self._resources.get((account, kind, resource_id))

    def append(self, account: str, kind: str, parent_id: str, batch: Batch) -> None:
        """Keep a batch of records that belong to one resource, after those that came before."""
        key = (account, kind, parent_id)
        full = False
        with self._lock:
            self._batches.setdefault(key, deque()).append(batch)
            self._age.append(key)
            self._size += len(batch.text) + _OVERHEAD
            while self._size > self._capacity and len(self._age) > 1:
                oldest = self._batches[self._age.popleft()].popleft()
                self._size -= len(oldest.text) + _OVERHEAD
                full = True
        if full and not self._told:
            self._told = True
            _logger.warning("more than %d bytes of prospects: from here on the oldest are forgotten", self._capacity)

    def batches(self, account: str, kind: str, parent_id: str) -> list[Batch]:
        """Return the batches that belong to one resource, in the order they came."""
        with self._lock:
            return list(self._batches.get((account, kind, parent_id), ()))

    def reset(self, resources: Mapping[_Key, Any]) -> None:
        """Forget everything, and keep these instead, by account, kind and id; nobody sees a state in between."""
        with self._lock:
            self._resources = dict(resources)
            self._batches.clear()
            self._age.clear()
            self._size = 0
            self._told = False
