"""The objects of one kind in memory, in order of creation, found by id, by position or by the text of a member."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from mock_server.store.base import Where

Object = Mapping[str, Any]


class Table:
    """Objects by position, a number that grows with every new object and is never used twice.

    A member that was searched for once is indexed from then on, so that a search takes no longer among more objects.
    """

    def __init__(self) -> None:
        self._values: dict[int, Object] = {}
        self._positions: dict[str, int] = {}
        self._order: list[int] = []
        self._indexes: dict[str, dict[str | None, list[int]]] = {}
        self._next = 1
        self._dropped = False

    def get(self, object_id: str) -> Object | None:
        """Return an object, or None."""
        position = self._positions.get(object_id)
        return None if position is None else self._values[position]

    def position(self, object_id: str) -> int:
        """Return the position of an object, or the next free one, which is used up."""
        known = self._positions.get(object_id)
        if known is not None:
            return known
        self._next += 1
        return self._next - 1

    def at(self, position: int) -> Object | None:
        """Return the object at a position, or None."""
        return self._values.get(position)

    def set(self, position: int, value: Object | None) -> None:
        """Put an object at a position in place of what is there; None removes it."""
        before = self._values.get(position)
        if before is not None:
            del self._values[position], self._positions[before["id"]]
        if value is not None:
            self._values[position], self._positions[value["id"]] = value, position
        if (before is None) != (value is None):
            _update(self._order, position, value)
        for member, index in self._indexes.items():
            old, new = _key(before, member), _key(value, member)
            if old == new and before is not None and value is not None:
                continue
            if before is not None:
                _update(index[old], position, None)
            if value is not None:
                _update(index.setdefault(new, []), position, value)

    def count(self, member: str, text: str) -> int:
        """Return the number of objects whose member has this text, in either case."""
        return len(self._indexed(member).get(text.lower(), ()))

    def alike(self, member: str, text: str) -> list[Object]:
        """Return the objects whose member has this text, in either case."""
        return [self._values[position] for position in self._indexed(member).get(text.lower(), ())]

    def drop_oldest(self, maximum: int) -> bool:
        """Remove the oldest objects beyond a number of them; return whether this is the first time."""
        excess = len(self._order) - maximum
        if excess <= 0:
            return False
        last = self._order[excess - 1]
        dropped = [self._values.pop(position) for position in self._order[:excess]]
        del self._order[:excess]
        for value in dropped:
            del self._positions[value["id"]]
        for member, index in self._indexes.items():
            for key in {_key(value, member) for value in dropped}:
                del index[key][: bisect_right(index[key], last)]
        first, self._dropped = not self._dropped, True
        return first

    def rows(self, where: Where, start: int | None, *, backwards: bool) -> Iterator[tuple[int, Object]]:
        """Yield the positions and objects with these members, from behind a position on, or from before it back."""
        wanted = {name: one if isinstance(one, frozenset) else (one,) for name, one in where.items()}
        order = min((self._order_of(*pair) for pair in wanted.items()), key=len, default=self._order)
        if backwards:
            places = range((len(order) if start is None else bisect_left(order, start)) - 1, -1, -1)
        else:
            places = range(0 if start is None else bisect_right(order, start), len(order))
        for place in places:
            value = self._values[order[place]]
            if all(value.get(name) in texts for name, texts in wanted.items()):
                yield order[place], value

    def _order_of(self, member: str, texts: Collection[str | None]) -> Sequence[int]:
        """Return the positions of the objects whose member may have one of these texts."""
        index = self._indexed(member)
        orders = [index[key] for key in {text and text.lower() for text in texts} if key in index]
        return orders[0] if len(orders) == 1 else sorted(chain.from_iterable(orders))

    def _indexed(self, member: str) -> dict[str | None, list[int]]:
        """Return the positions by the text of a member in lower case; None for those without one."""
        if member not in self._indexes:
            index = self._indexes[member] = {}
            for position in self._order:
                index.setdefault(_key(self._values[position], member), []).append(position)
        return self._indexes[member]


def _key(value: Object | None, member: str) -> str | None:
    text = value.get(member) if value else None
    return text.lower() if isinstance(text, str) else None


def _update(order: list[int], position: int, value: Object | None) -> None:
    """Insert a position into an ordered list, or remove it if there is no value."""
    place = bisect_left(order, position)
    if value is None:
        del order[place]
    else:
        order.insert(place, position)
