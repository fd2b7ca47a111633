"""What the road asks of a store: resources of an account by kind and id, and batches of records that belong to one.

A batch is kept as the text it came in: nothing of it is lost, it is stored whole or not at all, and a hundred
thousand of them cost the garbage collector nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mock_server.messages.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that one request added.

    Attributes:
        text: The body of the request, JSON in UTF-8.
        member: The member of the body that is the array of records.
        size: How many records it has.
    """

    text: bytes
    member: str
    size: int

    def records(self) -> list[Any]:
        """Return the records, as sent; each call reads the text anew, so they may be changed."""
        found: list[Any] = read_json(self.text)[self.member]
        return found


class Store(Protocol):
    """Resources and batches by account and kind (`campaign`, `prospect`, …); safe to use from many threads."""

    def get(self, account: str, kind: str, resource_id: str) -> Any:
        """Return a resource; None if this account has none of that id."""

    def append(self, account: str, kind: str, parent_id: str, batch: Batch) -> None:
        """Keep a batch of records that belong to one resource, after those that came before."""

    def batches(self, account: str, kind: str, parent_id: str) -> list[Batch]:
        """Return the batches that belong to one resource, in the order they came."""

    def reset(self, resources: Mapping[tuple[str, str, str], Any]) -> None:
        """Forget everything, and keep these instead, by account, kind and id; nobody sees a state in between."""
