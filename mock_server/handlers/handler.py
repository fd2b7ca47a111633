"""What a handler is: a function of a valid call and its context, and what the pipeline checks before it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.messages.call import Call, Caller
from mock_server.store.base import Transaction

_IDS = "5c2f6d5e-5a0e-4b8e-9d53-0a4c1f4f7a10"
"""Namespace of the ids of new objects."""


@dataclass(slots=True)
class Context:
    """What a handler may use besides the call: `now` is in nanoseconds, `found` the object that the path names.

    The transaction is of the caller's account, and undone if the handler raises.
    """

    caller: Caller
    now: int
    transaction: Transaction
    found: Mapping[str, Any] = field(default_factory=dict)

    def new_id(self, kind: str) -> str:
        """Return the id of a new object, a UUID; the same sequence of requests gets the same ids."""
        from uuid import UUID, uuid5  # noqa: PLC0415 - its import takes 5 ms, and few requests make an object

        number = self.transaction.next_number(kind)
        return str(uuid5(UUID(_IDS), f"{self.caller.account}/{kind}/{number}"))


@dataclass(slots=True)
class Result:
    """The response of a handler, by default the documented success status and its recorded body.

    The body is a JSON value; bytes are sent as they are.
    """

    status: int | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler, and what is checked before it is called.

    Attributes:
        finds: Kind of the object that the last path parameter names; without one of that id the response is 404.
        permission: What the caller must be permitted to do; else the response is 403.
    """

    function: Callable[[Call, Context], Result]
    finds: str | None = None
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The request that new users begin with: the banner, the page and the default credentials are made for it.

    Its path names an object of the kind; its body is valid JSON.
    """

    operation: str
    kind: str
    body: Any
