"""Who is opted out: records by the contacts that the opt-outs name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from alta_client._client import AltaClient

MEMBERS = {"email": "email", "linkedinUrl": "linkedin", "phone": "phone"}
"""The type of the opt-outs for each contact of a record."""


@dataclass(frozen=True, slots=True)
class OptOuts:
    """The opt-outs of an account by type, without regard to case; a record is in them if one of its contacts is."""

    listed: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, client: AltaClient) -> Self:
        """Read all opt-outs."""
        return cls(
            frozenset((one["identifierType"], plain(one["identifier"])) for one in client.list_communication_opt_outs())
        )

    def __contains__(self, record: Mapping[str, object]) -> bool:
        """Return whether a contact of a record is opted out."""
        return any((kind, plain(record.get(member))) in self.listed for member, kind in MEMBERS.items())


def plain(value: object) -> str:
    """Return a text as it is compared: without case, and without white space around it."""
    return value.strip().casefold() if isinstance(value, str) else ""
