"""The store in memory: gone with the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server.store.base import Batch

_Key = tuple[str, str, str]


class MemoryStore:
    """A `Store` in dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resources: dict[_Key, Any] = {}
        self._batches: dict[_Key, list[Batch]] = {}

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
        with self._lock:
            self._batches.setdefault((account, kind, parent_id), []).append(batch)

    def batches(self, account: str, kind: str, parent_id: str) -> list[Batch]:
        """Return the batches that belong to one resource, in the order they came."""
        with self._lock:
            return list(self._batches.get((account, kind, parent_id), ()))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._resources.clear()
            self._batches.clear()
