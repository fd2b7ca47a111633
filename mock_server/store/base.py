"""What the road asks of a store: resources of an account, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Record:
    """One resource of an account.

    Attributes:
        id: A UUID in lower case, unique for its kind.
        data: What it holds, as parsed JSON; whoever reads it does not change it.
        within: The id of the resource it belongs to, for example of a prospect's campaign; empty if to none.
    """

    id: str
    data: Any
    within: str = ""


class Store(Protocol):
    """Resources by account and kind (`campaign`, `prospect`, …); safe to use from many threads."""

    def add(self, account: str, kind: str, records: Sequence[Record]) -> None:
        """Keep all of the records, in order, or none of them."""

    def find(self, account: str, kind: str, record_id: str) -> Record | None:
        """Return one record, None if this account has none of that id."""

    def within(self, account: str, kind: str, parent_id: str) -> list[Record]:
        """Return the records that belong to one resource, in the order they came."""

    def clear(self) -> None:
        """Forget everything."""
