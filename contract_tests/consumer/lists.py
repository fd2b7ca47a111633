"""Lists that are long enough to be read page by page, in the scenarios for consumers that read."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import Any

from mock_server import AltaMock
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.journal.rules import Run
from mock_server.journal.rules_lists import ReadList, lists_of, objects_of
from mock_server.journal.rules_reading import query_of
from mock_server.messages.call import Call
from mock_server.messages.errors import MockError
from mock_server.state import Search

UNKNOWN = {"addedSince": {"values": [None, 1.5, "\u00e9"]}}
"""A member that no page documents."""


def reads_lists(run: Run) -> bool:
    """Return whether a run reads a list with objects."""
    return any(read.ids for read in lists_of(run.entries).values())


def wanted_of(run: Run) -> dict[str, int]:
    """Return how many objects of each list a consumer needs more of than, by its run with full pages."""
    return {name: read.before for name, read in lists_of(run.entries).items() if run.succeeded}


def lengthen(mock: AltaMock, usual: Run) -> None:
    """Add objects to each list that was read whole, so that it has two pages or more, and the last one is full."""
    for read in lists_of(usual.entries).values():
        pages = max(2, -(-len(read.ids) // read.limit))
        for number in range(pages * read.limit - len(read.ids) if read.whole else 0):
            add_to(mock, read, number)


def add_to(mock: AltaMock, read: ReadList, number: int) -> None:
    """Add an object to a list: like the first one there, without optional members, or with those null that may be."""
    [kind, *_] = [str(one.get("objectType")) for one in objects_of(read.first)] or [""]
    schema = mock.contract.objects.get(kind)
    filters = {name: value for name, value in query_of(read.first).items() if name not in {"limit", "cursor"}}
    if schema is None or not filters.keys() <= schema.members.keys():
        return
    account = read.first.account
    [like, *_] = mock.objects.list(kind, Search({}, account, last=1)) or [{}]
    members: dict[str, Any] = {name: like[name] for name in schema.required - OWN if name in like}
    members |= dict.fromkeys(NAMES & members.keys(), f"{kind} {number} of a long list")
    nulls = {name: None for name, one in schema.members.items() if "null" in (one.get("type") or ()) and number % 2}
    with contextlib.suppress(MockError):  # a filter names what the consumer has made in the other run
        mock.create(kind, account, **{**nulls, **members, **filters})


OWN = {"id", "objectType", "createdAt", "updatedAt"}
"""Members that each object has for itself."""

NAMES = {"name", "identifier"}
"""Members by which somebody may look for an object."""


def with_unknown_members(handler: Handler) -> Handler:
    """Return a handler that adds a member to each object of a list."""

    def handle(call: Call, context: Context) -> Result:
        result = handler.function(call, context)
        body = {**result.body, "data": [{**one, **UNKNOWN} for one in result.body["data"]]}
        return Result(result.status, body)

    return replace(handler, function=handle)
