"""Rules about who is added: nobody twice, and nobody who has opted out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from mock_server.journal.entries import Entry
from mock_server.journal.rule import PRACTICE, Breach, Look, rule
from mock_server.journal.traffic import carried_out, records_of


@rule("the vendor's own check for duplicates is not documented", PRACTICE, "hint", of="traffic", finding=True)
def duplicate_prospect() -> Look:
    """No record is added twice to one place, by the contact or identity that the contract asks for."""
    last_seen: dict[tuple[str, tuple[str, ...]], int] = {}

    def look(entry: Entry) -> list[Breach] | None:
        if not entry.adds_prospects or entry.batch is None or not carried_out(entry):
            return None
        doubled: list[tuple[int, int]] = []
        records = records_of(entry)
        for index, record in enumerate(records):
            keys = [(entry.unredacted.path.lower(), one) for one in _identities(record, entry.batch.identities)]
            doubled += [(index, last_seen[key]) for key in keys if key in last_seen][:1]
            last_seen.update(dict.fromkeys(keys, entry.number))
        text = f"{len(doubled)} of {len(records)} records were added before, the first is /{entry.batch.member}/"
        return [Breach(f"{text}{index}", tuple(sorted({first, entry.number}))) for index, first in doubled[:1]]

    return look


@rule("who has opted out must not be contacted", PRACTICE, "warning", of="traffic", finding=True)
def opted_out_prospect() -> Look:
    """Nobody is added whose email, linkedinUrl or phone is opted out."""
    listed: defaultdict[str | None, dict[tuple[str, str], int]] = defaultdict(dict)

    def look(entry: Entry) -> list[Breach] | None:
        roles, here = entry.known.roles, listed[entry.account]
        if entry.number == 1:  # nothing is forgotten: the opt-outs of the seed are still listed
            for account, opt_outs in entry.known.opted_out.items():
                listed[account].update(dict.fromkeys(((kind, text.lower()) for kind, text in opt_outs), 0))
        if not carried_out(entry):
            return None
        if entry.operation == roles.opts_out:
            here.update(dict.fromkeys(map(_opt_out, records_of(entry)), entry.number))
        elif entry.operation == roles.opts_in:
            here.pop(_opt_out(entry.unredacted_body.value), None)
        if not (here and entry.adds_prospects and entry.batch):
            return None
        records = records_of(entry)
        found = [
            (index, member, here[key])
            for index, record in enumerate(records)
            for kind, member in roles.contacts.items()
            if (key := (kind, _text(record, member))) in here
        ]
        counted = len({index for index, _, _ in found})
        text = f"{counted} of {len(records)} records are opted out, the first is /{entry.batch.member}/"
        return [
            Breach(f"{text}{index} by its {member}; leave them out", (*filter(None, [number]), entry.number))
            for index, member, number in found[:1]
        ]

    return look


def _opt_out(value: Any) -> tuple[str, str]:
    return _text(value, "identifierType"), _text(value, "identifier")


def _text(value: Any, member: str) -> str:
    """Return the text of a member without regard to case; empty without one."""
    return str(value.get(member) or "").strip().lower() if isinstance(value, dict) else ""


def _identities(record: Any, groups: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return what identifies a record: each contact, or without one its full identities; case does not matter."""
    found: list[tuple[str, ...]] = []
    for group in sorted(groups, key=len):
        values = [record.get(name) for name in group] if isinstance(record, dict) else []
        texts = [value.strip().lower() for value in values if isinstance(value, str)]
        if len(texts) == len(group) and all(texts) and (len(group) == 1 or not found):
            found.append((*group, *texts))
    return found
