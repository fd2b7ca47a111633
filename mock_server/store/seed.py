"""What the fake knows at the start: accounts, their campaigns, and the tokens of their users."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from mock_server.contract import bundled_files
from mock_server.contract.documents import Document
from mock_server.contract.schemas import Schema, Schemas, violations
from mock_server.messages.errors import MockError
from mock_server.messages.pointers import Place, place, pointer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READ_CAMPAIGN = "Campaign.ReadCampaign"
EDIT_CAMPAIGN = "Campaign.EditCampaign"
"""Permissions by the names that the vendor prints for its MCP server; that v1 has the same ones is assumed."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign at the start.

    Attributes:
        id: A UUID in lower case.
        status: `draft`, `active`, `paused` or `completed`.
        answer: The status that every request to it is answered with, None for an ordinary campaign.
    """

    id: str
    name: str
    status: str
    is_archived: bool
    answer: int | None


@dataclass(frozen=True, slots=True)
class Account:
    """An account and its campaigns: what is in another account looks as if it did not exist."""

    id: str
    name: str
    campaigns: tuple[Campaign, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """A user's API token.

    Attributes:
        accounts: The ids of the accounts that its user can reach.
        note: What it is for, shown at the start.
    """

    token: str
    user: str
    accounts: tuple[str, ...]
    permissions: frozenset[str]
    expired: bool
    note: str


@dataclass(frozen=True, slots=True)
class Seed:
    """Everything that a seed file says."""

    accounts: tuple[Account, ...]
    tokens: Mapping[str, Token]

    def default_credentials(self) -> tuple[str, str] | None:
        """Return a token and the id of a campaign for whoever just wants to add prospects.

        The first of each that go together: a valid token of a user of one account, who may edit its campaigns, and
        one that is not bound to an answer. None if there is none.
        """
        for token in self.tokens.values():
            for account in self.accounts:
                ordinary = [campaign.id for campaign in account.campaigns if campaign.answer is None]
                usable = not token.expired and EDIT_CAMPAIGN in token.permissions and token.accounts == (account.id,)
                if usable and ordinary:
                    return token.token, ordinary[0]
        return None

    def required_credentials(self) -> tuple[str, str]:
        """Return the same for whoever cannot do without.

        Raises:
            MockError: There is none.
        """
        default_credentials = self.default_credentials()
        if default_credentials is None:
            raise MockError(
                "the seed has no token that may add prospects to a campaign; add one, as the bundled one has"
            )
        return default_credentials

    @classmethod
    def load(cls, path: Path | None = None) -> Seed:
        """Read the bundled seed, or the one given in its place.

        Raises:
            MockError: It cannot be read or is no seed; names the line and the remedy.
        """
        return cls.of(Document.read(path or bundled_files.data("fixtures/seed.yaml")))

    @classmethod
    def of(cls, document: Document) -> Seed:
        """Make a seed of a document."""
        for wrong in violations(_schema(), document.value):
            at = place(wrong.pointer, document.value)
            raise _error(document, at, f"got {wrong.got}; {wrong.rule} wants {wrong.wanted}")
        value = document.value
        _refuse_doubles(document)
        return cls(
            accounts=tuple(
                Account(
                    id=account["id"],
                    name=account.get("name", account["id"]),
                    campaigns=tuple(map(_campaign, account["campaigns"])),
                )
                for account in value["accounts"]
            ),
            tokens={token["token"]: _token(token) for token in value["tokens"]},
        )


def _campaign(value: Mapping[str, Any]) -> Campaign:
    return Campaign(
        id=value["id"].lower(),
        name=value["name"],
        status=value.get("status", "active"),
        is_archived=value.get("isArchived", False),
        answer=value.get("answer"),
    )


def _token(value: Mapping[str, Any]) -> Token:
    return Token(
        token=value["token"],
        user=value.get("user", value["token"]),
        accounts=tuple(value["accounts"]),
        permissions=frozenset(value.get("permissions", [READ_CAMPAIGN, EDIT_CAMPAIGN])),
        expired=value.get("expired", False),
        note=value.get("note", ", ".join(value["accounts"])),
    )


def _refuse_doubles(document: Document) -> None:
    """Refuse what a schema cannot: an id or a token that stands twice, an account that is not there."""
    seen: set[tuple[str, str]] = set()

    def once(kind: str, name: str, *at: str | int) -> None:
        if (kind, name) in seen:
            raise _error(document, at, f"another {kind} has this name; each needs its own")
        seen.add((kind, name))

    for index, account in enumerate(document.value["accounts"]):
        once("account", account["id"], "accounts", index, "id")
        for number, campaign in enumerate(account["campaigns"]):
            once("campaign", campaign["id"].lower(), "accounts", index, "campaigns", number, "id")
    for index, token in enumerate(document.value["tokens"]):
        once("token", token["token"], "tokens", index, "token")
        for number, name in enumerate(token["accounts"]):
            if ("account", name) not in seen:
                known = ", ".join(sorted(known for kind, known in seen if kind == "account"))
                at = ("tokens", index, "accounts", number)
                raise _error(document, at, f"there is no account {name!r}; the accounts are {known}")


def _error(document: Document, at: Place, trouble: str) -> MockError:
    return MockError(f"{document.name}:{document.line(at)}: {pointer(*at) or '/'}: {trouble}")


@cache
def _schema() -> Schema:
    return Schemas(Document.read(bundled_files.package_file("store/seed.schema.yaml")).value).at()
