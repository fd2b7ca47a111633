"""The store in memory: gone with the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server.store.base import Record


class MemoryStore:
    """A `Store` in dictionaries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[tuple[str, str, str], Record] = {}
        self._by_parent: dict[tuple[str, str, str], list[Record]] = {}

    def add(self, account: str, kind: str, records: Sequence[Record]) -> None:
        """Keep all of the records, in order, or none of them."""
        with self._lock:
            for record in records:
                self._by_id[account, kind, record.id] = record
                self._by_parent.setdefault((account, kind, record.within), []).append(record)

    def find(self, account: str, kind: str, record_id: str) -> Record | None:
        """Return one record, None if this account has none of that id."""
        return self._by_id.get((account, kind, record_id))

    def within(self, account: str, kind: str, parent_id: str) -> list[Record]:
        """Return the records that belong to one resource, in the order they came."""
        with self._lock:
            return list(self._by_parent.get((account, kind, parent_id), ()))

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._by_id.clear()
            self._by_parent.clear()
