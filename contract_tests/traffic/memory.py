"""What observers remember of earlier exchanges; bounded, so the oldest is forgotten."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

MOST = 2000
"""Keys that are remembered for each purpose."""

V = TypeVar("V")


class Recent(Generic[V]):
    """The newest values by key."""

    def __init__(self) -> None:
        self._values: OrderedDict[Any, V] = OrderedDict()

    def get(self, key: Any) -> V | None:
        """Return a value; None if it is not known."""
        return self._values.get(key)

    def put(self, key: Any, value: V) -> None:
        """Remember a value, and forget the oldest if there are too many."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > MOST:
            self._values.popitem(last=False)

    def drop(self, key: Any) -> None:
        """Forget a value."""
        self._values.pop(key, None)


@dataclass(slots=True)
class Campaign:
    """A campaign as last read, and when, in nanoseconds."""

    status: str
    archived: bool
    at: int


@dataclass(slots=True)
class Quota:
    """The headers of a limit in one response.

    Attributes:
        narrow: Whether the operation has a limit of its own, which may have the same numbers as the wider one.
        end: When the window ends, in seconds of the server's clock.
        at: When the response was sent, by the same clock.
        began: When the request was sent, in nanoseconds.
        ended: When the response had arrived.
    """

    narrow: bool
    limit: int
    remaining: int
    seconds: int
    end: int
    at: int
    began: int
    ended: int


@dataclass(slots=True)
class Wide:
    """The quota of the limit across all operations, and the requests to add prospects since."""

    quota: Quota
    added: int = 0


@dataclass(slots=True)
class OptOut:
    """What is known of an opt-out.

    Attributes:
        name: The one that it was first sent with.
        since: When that was, in seconds of the server's clock.
        id: Its id when it was listed.
        again: Whether it was sent again since.
    """

    name: str | None = None
    since: float | None = None
    id: str | None = None
    again: bool = False


@dataclass(slots=True)
class Memory:
    """What observers remember, each for one purpose.

    Attributes:
        campaigns: By id.
        adding: The paths where prospects were added.
        nexts: The hashes of the cursors that pages gave as `next`.
        tokens: The Authorization values of requests that were no 401.
        messages: The first message of a status that is not the published one.
        opt_outs: By type and identifier.
        last: The last quota of each account; None if its last response showed none.
        wide: By account.
        ends: The last quota of a success, by account and limit.
        counted: The times of recent successes, by account and limit, in seconds of the server's clock.
        aligned: How many windows began by the clock rather than with a request.
        bare: The last success without headers of a limit, by account and operation: when its response arrived.
    """

    campaigns: Recent[Campaign] = field(default_factory=Recent)
    adding: Recent[bool] = field(default_factory=Recent)
    nexts: Recent[bool] = field(default_factory=Recent)
    tokens: Recent[bool] = field(default_factory=Recent)
    messages: dict[int, str] = field(default_factory=dict)
    opt_outs: Recent[OptOut] = field(default_factory=Recent)
    last: Recent[Quota | None] = field(default_factory=Recent)
    wide: Recent[Wide] = field(default_factory=Recent)
    ends: Recent[Quota] = field(default_factory=Recent)
    counted: Recent[list[int]] = field(default_factory=Recent)
    aligned: int = 0
    bare: Recent[int] = field(default_factory=Recent)
