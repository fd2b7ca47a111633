"""What a handler is: a function of a valid call and its context, and what the pipeline checks before it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mock_server.contract.assumptions import Choices, Question
from mock_server.contract.objects import ObjectSchema
from mock_server.messages.call import Call, Caller
from mock_server.store.base import Transaction
from mock_server.store.objects import identified, numbered_id, timestamp

Change = Callable[[dict[str, Any], ObjectSchema], dict[str, Any]]
"""Returns an object as it is shown."""


def _timed(change: Callable[[str], str]) -> Change:
    """Return a change of all times of an object."""

    def changed(value: dict[str, Any], kind: ObjectSchema) -> dict[str, Any]:
        times = {name: change(value[name]) for name in value if kind.members[name].get("format") == "date-time"}
        return {**value, **times}

    return changed


def _without_nulls(value: dict[str, Any], _: ObjectSchema) -> dict[str, Any]:
    return {name: member for name, member in value.items() if member is not None}


SHOWN: tuple[Question[Change | None], ...] = (
    Question("empty-members", {"null": None, "absent": _without_nulls}),
    Question(
        "time-form",
        {
            "seconds": None,
            "milliseconds": _timed(lambda time: time.replace("Z", ".000Z")),
            "offset": _timed(lambda time: time.replace("Z", "+00:00")),
        },
    ),
    Question("more-members", {"documented": None, "more": lambda value, _: {**value, "revision": {"number": 1}}}),
)
"""How an object is shown; the members that are not documented come last."""


@dataclass(slots=True)
class Context:
    """What a handler may use besides the call.

    Attributes:
        now: Nanoseconds since the epoch.
        transaction: That of the caller's account; undone if the handler raises.
        kinds: The kinds of objects of the contract, by `objectType`.
        choices: What is assumed where the vendor's documentation leaves a question open.
        visible_after: Nanoseconds after which a prospect that was added is in lists.
        found: The object that the path names.
    """

    caller: Caller
    now: int
    transaction: Transaction
    kinds: Mapping[str, ObjectSchema] = field(default_factory=dict)
    choices: Choices = field(default_factory=Choices)
    visible_after: int = 0
    found: Mapping[str, Any] = field(default_factory=dict)

    def new_id(self, kind: str) -> str:
        """Return the id of a new object, a UUID; the same sequence of requests gets the same ids."""
        return numbered_id(f"{self.caller.account}/{kind}", self.transaction.next_number(kind))

    def create(self, kind: str, **members: Any) -> dict[str, Any]:
        """Keep a new object, and return it."""
        value = identified(kind, self.new_id(kind), self.now, members)
        self.transaction.put(kind, value)
        return value

    def update(self, value: Mapping[str, Any], **members: Any) -> None:
        """Change members of an object, and the time of its last change."""
        self.transaction.put(value["objectType"], {**value, **members, "updatedAt": timestamp(self.now)})

    def shown(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an object as the contract declares it."""
        kind = self.kinds.get(value["objectType"])
        if kind is None:
            return value
        shown = kind.shown(value)
        for question in SHOWN:
            if change := self.choices[question]:
                shown = change(shown, kind)
        return shown


@dataclass(slots=True)
class Result:
    """The response of a handler, by default the documented success status and its recorded body.

    The body is a JSON value; bytes are sent as they are.
    """

    status: int | None = None
    body: Any = None


@dataclass(frozen=True, slots=True)
class Handler:
    """A handler, and what is done before it is called.

    Attributes:
        finds: Kind of the object that the last path parameter names; without one of that id the response is 404.
        permission: What the caller must be permitted to do; else the response is 403.
        prepare: Brings the objects of the account up to date, before one is looked for; by a part if the transaction is
            behind.
    """

    function: Callable[[Call, Context], Result]
    finds: str | None = None
    permission: str | None = None
    prepare: Callable[[Context], None] | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """The request that new users begin with: the banner, the page and the default credentials are made for it.

    Its path names an object of the kind; its body is valid JSON.
    """

    operation: str
    kind: str
    body: Any
