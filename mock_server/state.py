"""What a test, the page and the control API read and change of a fake's objects, and the events they cause."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from mock_server.handlers.events import EVENTS
from mock_server.handlers.handler import Context
from mock_server.handlers.people import PROSPECT, enrol_new
from mock_server.messages.call import Caller
from mock_server.messages.errors import MockError, UnknownObject
from mock_server.pipeline.clock import Clock
from mock_server.pipeline.pipeline import Engine
from mock_server.store.objects import comparable, completed, identified, problems
from mock_server.store.seed import extra_members, list_names


@dataclass(frozen=True, slots=True)
class Search:
    """Which objects of a kind to list.

    Attributes:
        where: Texts that members must equal.
        account: The id of their account; by default all accounts.
        words: Parts of texts of the object; with `expand`, also of those that it refers to.
        skip: How many of the newest of each account to leave out.
        last: How many of the next newest of each account to return; by default all.
        expand: Whether to return with an object those that it refers to.
    """

    where: Mapping[str, str]
    account: str | None = None
    words: Sequence[str] = ()
    skip: int = 0
    last: int | None = None
    expand: bool = False

    def matches(self, value: Mapping[str, Any]) -> bool:
        """Return whether an object has all words, in any case of letters."""
        if not self.words:
            return True
        text = "\n".join(_texts(value))
        return all(word.casefold() in text for word in self.words)


class Objects:
    """The objects of every account of a fake."""

    def __init__(self, engine: Callable[[], Engine], clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self._accounts = [account.id for account in engine().seed.accounts]

    @contextmanager
    def context(self, account: str) -> Iterator[Context]:
        """Return what a handler would get of an account, everything added to it included."""
        engine, caller, behind = self._engine(), Caller("", account, frozenset()), True
        while behind:  # each part is a transaction of its own, so requests of the account have their turn
            with engine.store.transaction(account) as transaction:
                behind = transaction.behind()
                context = engine.context(caller, self._clock.time_within(transaction), transaction)
                enrol_new(context)
                if not behind:
                    yield context

    def list(self, name: str, search: Search) -> list[dict[str, Any]]:
        """Return the objects of a kind that are searched for, by account, in order of creation.

        Raises:
            UnknownObject: There is no such kind or account.
        """
        kind, found = kind_of(name), []
        for account in self._accounts if search.account is None else [self._known(search.account)]:
            with self.context(account) as context:
                rows = context.transaction.rows(kind, search.where, backwards=True)
                values = (_expanded(context, value) if search.expand else {**value} for _, value in rows)
                matching = (value for value in values if search.matches(value))
                found += [*islice(matching, search.skip, search.last and search.skip + search.last)][::-1]
        return found

    def create(self, name: str, members: Mapping[str, Any], account: str | None) -> dict[str, Any]:
        """Keep a new object; required members that are not given are filled in.

        It belongs to the account, or to that of the first object that it refers to, or to the first account.

        Raises:
            UnknownObject: There is no such kind or account, or what it refers to does not exist.
            MockError: The object would break the contract, or there is one with its id.
        """
        kind, kinds = kind_of(name), self._engine().contract.objects
        schema = kinds.get(kind)
        if schema is None:
            raise MockError(f"the contract has no schema with the objectType {kind!r}")
        named = [(one, members.get(f"{one}Id")) for one in kinds]
        referred = [(one, object_id) for one, object_id in named if isinstance(object_id, str)]
        if account is None:
            account = self.account_of(*referred[0]) if referred else self._accounts[0]
        self._known(account)
        with self.context(account) as context:
            for one, object_id in referred:
                if not context.transaction.get(one, object_id.lower()):
                    raise UnknownObject(f"{one}Id: the account {account} has no {one} {object_id!r}")
            value = completed(schema, identified(kind, context.new_id(kind), context.now, comparable(members)))
            if wrong := problems(schema, value, extra_members(kind)):
                where = f"{kind}: {wrong[0].pointer}".removesuffix(": ")
                raise MockError(f"{where}: got {wrong[0].got}; wanted {wrong[0].wanted}")
            value["id"] = value["id"].lower()
            if context.transaction.get(kind, value["id"]):
                raise MockError(f"id: the account {account} has a {kind} {value['id']!r}; choose another id")
            context.transaction.put(kind, value)
            return value

    def trigger(self, event: str, prospect_id: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Let an event happen to a prospect; return the object that it leaves.

        Raises:
            UnknownObject: No account has the prospect.
            MockError: The event or a field is unknown, or a value is not valid.
        """
        if event not in EVENTS:
            raise MockError(f"unknown event {event!r}; choose one of {', '.join(EVENTS)}")
        account = self.account_of(PROSPECT, prospect_id)
        known = {name: one.default for name, one in list(inspect.signature(EVENTS[event]).parameters.items())[2:]}
        for name, value in fields.items():
            if name not in known:
                raise MockError(f"unknown field {name!r} of {event}; choose one of {', '.join(known) or 'none'}")
            kind, called = (int, "whole number") if isinstance(known[name], int) else (str, "text")
            if type(value) is not kind:
                raise MockError(f"{name}={value!r} is not valid; use a {called}")
        with self.context(account) as context:
            prospect = context.transaction.get(PROSPECT, prospect_id.lower())
            return {**context.shown(EVENTS[event](context, prospect, **fields))}

    def account_of(self, kind: str, object_id: str) -> str:
        """Return the account that has an object; raise UnknownObject if none has."""
        for account in self._accounts:
            with self.context(account) as context:
                if context.transaction.get(kind, object_id.lower()):
                    return account
        raise UnknownObject(f"no account has the {kind} {object_id!r}")

    def _known(self, account: str) -> str:
        if account not in self._accounts:
            raise UnknownObject(f"unknown account {account!r}; choose one of {', '.join(self._accounts)}")
        return account


def _expanded(context: Context, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with those that it refers to: a prospect with its `person`."""
    named = [(name.removesuffix("Id"), one) for name, one in value.items() if name.endswith("Id") and one]
    found = [(name, context.transaction.get(name, one)) for name, one in named]
    return {**value, **{name: _expanded(context, one) for name, one in found if one}}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.casefold()
    elif isinstance(value, Mapping | Sequence):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def kind_of(name: str) -> str:
    """Return the `objectType` of a kind that is named by it, or by its list in a seed file, also in snake case."""
    lists = list_names()
    names = {**lists, **{snake(one): kind for one, kind in lists.items()}, **{kind: kind for kind in lists.values()}}
    if name not in names:
        raise UnknownObject(f"unknown kind of object {name!r}; choose one of {', '.join(lists)}")
    return names[name]


def snake(name: str) -> str:
    """Return a name in snake case."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def camel(name: str) -> str:
    """Return a name in camel case, as the vendor writes it."""
    first, *others = name.rstrip("_").split("_")
    return first + "".join(other.capitalize() for other in others)
