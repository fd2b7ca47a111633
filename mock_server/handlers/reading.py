"""What most reading operations do: list the objects of a kind, or return the one that the path names."""

from __future__ import annotations

from collections.abc import Callable

from mock_server.handlers.handler import Context, Result
from mock_server.handlers.paging import page
from mock_server.messages.call import Call


def listing(kind: str, *equal: str) -> Callable[[Call, Context], Result]:
    """Return a handler that returns pages of a kind, by filters that a member of the same name must equal."""
    return lambda call, context: page(call, context, kind, equal=equal)


def get(_: Call, context: Context) -> Result:
    """Return the object that the path names."""
    return Result(body=context.shown(context.found))
