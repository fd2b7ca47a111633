"""What a consumer did: what it wrote, and which lists it read, with objects by what they are rather than by their ids.

Ids depend on the order of requests, which may differ between two runs of a correct consumer.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mock_server import AltaMock
from mock_server.handlers import OBJECTS
from mock_server.journal.entries import Entry
from mock_server.journal.rules import rules_lists  # which registers all rules in their order
from mock_server.journal.traffic import carried_out

VOLATILE = {"id", "createdAt", "updatedAt", "launchedAt", "status"}
"""Members that do not tell which object it is."""

_DIGIT = re.compile("[0-9]+")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(?:Z|[+-][0-9:]+)")

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


Item = tuple[str, str, str]
"""An item of a write that succeeded: operation, path and item."""


@dataclass(slots=True)
class Effects:
    """What a consumer did.

    Attributes:
        written: How often each item was written.
        read: How many different objects of each list it read, by operation and filters.
        last: How many objects the last page of each list had, of those whose last page it read.
    """

    written: Counter[Item] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    last: dict[str, int] = field(default_factory=dict)


def effects(entries: Sequence[Entry], mock: AltaMock) -> Effects:
    """Return what the requests of a consumer did to a fake, which is asked what its objects are."""
    naming, done = _Naming(mock), Effects()
    for entry in entries:
        if entry.contract and entry.method not in {"GET", "HEAD"} and carried_out(entry) and not entry.outcome.lost:
            done.written.update((entry.operation or "", naming(entry.path), item) for item in _items(entry, naming))
    for name, read in rules_lists.lists_of(entries).items():
        done.read[naming(name)] += len(read.ids)
        if read.last is not None:
            done.last[naming(name)] = read.last
    return done


def responses(entries: Iterable[Entry]) -> list[tuple[int, frozenset[tuple[str, str]], str]]:
    """Return what can be compared of the responses in two runs: what shows the time of a run is left out."""
    return [
        (
            entry.status,
            frozenset((name, _DIGIT.sub("0", value)) for name, value in entry.outcome.reply.headers),
            _TIME.sub(lambda time: _DIGIT.sub("0", time[0]), entry.outcome.reply.body.decode(errors="replace")),
        )
        for entry in entries
    ]


def _items(entry: Entry, naming: _Naming) -> Iterator[str]:
    """Yield the items of a body: the elements of its only array, else the whole."""
    body = entry.body
    arrays = [name for name, value in body.items() if isinstance(value, list)] if isinstance(body, dict) else []
    if len(arrays) != 1:
        yield naming(json.dumps(body, sort_keys=True))
        return
    rest = {name: value for name, value in body.items() if name != arrays[0]}
    for item in body[arrays[0]]:
        yield naming(json.dumps([item, rest] if rest else item, sort_keys=True))


class _Naming:
    """Replaces the ids in a text by what their objects are."""

    def __init__(self, mock: AltaMock) -> None:
        self._objects = {one["id"]: one for kind in ("campaigns", *OBJECTS) for one in mock.list(kind)}
        self._names: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return _ID.sub(lambda found: self._name(found[0].lower()), text)

    def _name(self, object_id: str) -> str:
        if object_id not in self._names:
            self._names[object_id] = object_id  # for an object that refers to itself
            value = self._objects.get(object_id)
            if value is not None:
                self._names[object_id] = self(_text(value))
        return self._names[object_id]


def _text(value: Mapping[str, Any]) -> str:
    if "name" in value:
        return f"{value['objectType']} {value['name']}"
    if "record" in value:  # a prospect that was added
        return json.dumps({"record": value["record"], "campaignId": value["campaignId"]}, sort_keys=True)
    return json.dumps({name: member for name, member in value.items() if name not in VOLATILE}, sort_keys=True)
