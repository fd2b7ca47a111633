"""What a fake knows at the start: accounts with their objects, and the tokens of their users.

Which lists of objects an account has, of what kind, and with which defaults, is stated in `seed.schema.yaml`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.limits import SECOND
from mock_server.contract.objects import ObjectSchema
from mock_server.contract.schemas import Schemas, violations
from mock_server.messages.errors import MockError
from mock_server.messages.pointers import Place, place, pointer
from mock_server.store.objects import comparable, completed, identified, numbered_id, problems

KIND = "x-alta-kind"
"""Names, at a list of the schema, the kind of its objects."""

Kinds = Mapping[str, ObjectSchema]
"""The kinds of objects of a contract, by `objectType`."""

NO_KINDS: Kinds = MappingProxyType({})

SEEDED = 1_767_600_000 * SECOND
"""When the objects were created that do not say so: 2026-01-05T08:00:00Z."""

ANSWER = "answer"
"""The member of an object that binds it to a status; it is no member of the vendor's."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account: its objects, each with its kind and an id in lower case, do not exist for the others."""

    id: str
    name: str
    objects: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A user's API token, the ids of the accounts that the user can access, and its purpose, for the banner."""

    token: str
    user: str
    accounts: tuple[str, ...]
    permissions: frozenset[str]
    expired: bool
    note: str


@dataclass(frozen=True, slots=True)
class Seed:
    """The content of a seed file; `bound` is the status that every request to an object gets, by account and id."""

    accounts: tuple[Account, ...]
    tokens: Mapping[str, Token]
    bound: Mapping[tuple[str, str], int]

    @classmethod
    def load(cls, path: Path | None, contract: Contract) -> Seed:
        """Read the bundled seed, or a file in its place; raise MockError, with the line, if it is not a seed."""
        return _loaded(Document.read(path or bundled_files.data("fixtures/seed.yaml")), contract)

    @classmethod
    def of(cls, document: Document, kinds: Kinds = NO_KINDS) -> Seed:
        """Return the seed that a document describes; its objects are held against their kinds."""
        for wrong in violations(Schemas(_schema()).at(), document.value):
            at = place(wrong.pointer, document.value)
            raise _error(document, at, f"got {wrong.got}; {wrong.rule} wants {wrong.wanted}")
        _refuse_duplicates(document)
        accounts = document.value["accounts"]
        return cls(
            accounts=tuple(
                Account(account["id"], account.get("name", account["id"]), tuple(_objects(document, index, kinds)))
                for index, account in enumerate(accounts)
            ),
            tokens={token["token"]: _token(token, number) for number, token in enumerate(document.value["tokens"], 1)},
            bound={
                (account["id"], value["id"].lower()): value[ANSWER]
                for account in accounts
                for name in _lists()
                for value in account.get(name, ())
                if ANSWER in value  # such an object has an id: its schema says so
            },
        )

    def objects(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the account, the kind and the value of every object."""
        for account in self.accounts:
            for kind, value in account.objects:
                yield account.id, kind, value


@lru_cache(maxsize=8)
def _loaded(document: Document, contract: Contract) -> Seed:
    """Compile a document once, since a seed never changes."""
    return Seed.of(document, contract.objects)


def extra_members(kind: str) -> frozenset[str]:
    """Return the members that an object of a kind may have beside those that the contract declares."""
    lists = [schema for schema in _lists().values() if schema[KIND] == kind]
    return frozenset(name for schema in lists for name in schema["items"]["properties"])


def _objects(document: Document, account: int, kinds: Kinds) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the objects of an account, completed; raise MockError for one that breaks the contract."""
    lists = document.value["accounts"][account]
    ids = {
        schema[KIND]: {one.get("id", "").lower() for one in lists.get(name, ())} for name, schema in _lists().items()
    }
    for name, schema in _lists().items():
        kind = schema[KIND]
        for number, given in enumerate(lists.get(name, ())):
            at = ("accounts", account, name, number)
            members = {key: one for key, one in given.items() if key != ANSWER} | _defaults(schema["items"], given)
            new_id = numbered_id(f"{lists['id']}/{kind}/seed", number)
            value = comparable(identified(kind, new_id, SEEDED, members))
            if kind in kinds:
                value = completed(kinds[kind], value)
                for wrong in problems(kinds[kind], value, extra_members(kind)):
                    where = (*at, *place(wrong.pointer, value)) if wrong.rule != "unknown-member" else at
                    raise _error(document, where, f"got {wrong.got}; {wrong.rule} wants {wrong.wanted}")
            for key, referred in value.items():
                noun = key.removesuffix("Id")
                if noun in ids and referred not in ids[noun]:
                    problem = f"the account has no {noun} {referred!r}; add it, or use the id of one that it has"
                    raise _error(document, (*at, key), problem)
            yield kind, value


def _defaults(schema: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of the members that are missing."""
    members = schema["properties"].items()
    return {name: member["default"] for name, member in members if "default" in member and name not in value}


def _token(value: Mapping[str, Any], number: int) -> Token:
    value = {**value, **_defaults(_schema()["properties"]["tokens"]["items"], value)}
    return Token(
        token=value["token"],
        user=value.get("user", f"user {number}"),  # never the token, which nothing shows
        accounts=tuple(value["accounts"]),
        permissions=frozenset(value["permissions"]),
        expired=value["expired"],
        note=value.get("note", ", ".join(value["accounts"])),
    )


def _refuse_duplicates(document: Document) -> None:
    """Refuse what a schema cannot: a duplicate id or token, an unknown account."""
    seen: set[tuple[str, str]] = set()

    def once(kind: str, name: str, *at: str | int) -> None:
        if (kind, name) in seen:
            raise _error(document, at, f"another {kind} has this name; each needs its own")
        seen.add((kind, name))

    for index, account in enumerate(document.value["accounts"]):
        once("account", account["id"], "accounts", index, "id")
        for name, schema in _lists().items():
            for number, value in enumerate(account.get(name, ())):
                if "id" in value:
                    once(schema[KIND], value["id"].lower(), "accounts", index, name, number, "id")
    for index, token in enumerate(document.value["tokens"]):
        once("token", token["token"], "tokens", index, "token")
        for number, name in enumerate(token["accounts"]):
            if ("account", name) not in seen:
                known = ", ".join(sorted(known for kind, known in seen if kind == "account"))
                at = ("tokens", index, "accounts", number)
                raise _error(document, at, f"unknown account {name!r}; choose one of {known}")


def _error(document: Document, at: Place, problem: str) -> MockError:
    return MockError(f"{document.name}:{document.line(at)}: {pointer(*at) or '/'}: {problem}")


def list_names() -> dict[str, str]:
    """Return the kinds of the lists of objects that an account may have, by name."""
    return {name: schema[KIND] for name, schema in _lists().items()}


def _lists() -> dict[str, Any]:
    """Return the schemas of the lists of objects that an account has, by name."""
    members = _schema()["properties"]["accounts"]["items"]["properties"]
    return {name: schema for name, schema in members.items() if KIND in schema}


@cache
def _schema() -> Any:
    return Document.read(bundled_files.package_file("store/seed.schema.yaml")).value
