"""Rules about what is sent: bodies, tokens, paths, and the names and ids in them."""

from __future__ import annotations

import json
import operator
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from mock_server.contract.schemas import Schema, violations
from mock_server.journal.entries import Entry
from mock_server.journal.rule import AUTH, PRACTICE, REFERENCE, Breach, Look, rule
from mock_server.messages.names import nearest, plain
from mock_server.messages.redaction import Redactor
from mock_server.store.base import JOURNAL_ENTRIES

LIKENESS = 0.88
"""How alike two names must be, by difflib; one letter of eight may differ."""

LONGEST_NAME = 40
"""Characters of a name that is compared or shown; no declared name is as long."""

MOST_NAMES = 1000
"""Undeclared names of one request that are compared."""

TOKEN_NAMES = {"token", "accesstoken", "apikey", "apitoken"}


@rule(REFERENCE, of="entry")
def valid_body(entry: Entry) -> Iterable[str] | None:
    """Every body is valid by the contract: its types, its bounds, and its rules about several members."""
    schema, body = _schema(entry), entry.unredacted_body
    if schema is None:
        return None
    if not body.is_json:
        return ["sent a body that is not valid JSON; serialise it with a JSON library"]
    batch = f"/{entry.batch.member}" if entry.batch else None
    try:
        found = violations(schema, body.value)
    except ValueError:
        return ["sent a body with half of a surrogate pair; send whole characters"]
    found = [one for one in found if one.pointer != batch or one.rule not in {"minItems", "maxItems"}]
    return [f"sent a body that breaks the rule {one.rule} at {one.pointer or 'its root'}" for one in found[:1]]


@rule(REFERENCE, of="entry")
def keeps_the_batch_size(entry: Entry) -> Iterable[str] | None:
    """No request carries more or fewer records than the contract allows."""
    records, batch = entry.unredacted_body.records, entry.batch
    if records is None or batch is None:
        return None
    size, least, most = len(records), batch.minimum, batch.maximum
    if least <= size and (most is None or size <= most):
        return []
    return [f"sent {size} records in one request; send {f'{least} to {most}' if most else f'at least {least}'}"]


@rule(REFERENCE, of="entry")
def sends_json(entry: Entry) -> Iterable[str] | None:
    """Bodies are sent as application/json, in UTF-8."""
    if _schema(entry) is None:
        return None
    sent = entry.request.all("content-type")
    if len(sent) != 1 or not re.fullmatch(r"application/json\s*(;.*)?", sent[0], re.IGNORECASE):
        return [f"sent Content-Type {', '.join(sent) or '(none)'}; send application/json"]
    try:
        (entry.unredacted.body or b"").decode()
    except UnicodeDecodeError:
        return ["sent a body that is not valid UTF-8; encode text as UTF-8"]
    return []


def _schema(entry: Entry) -> Schema | None:
    """Return the schema of the body; None if the operation takes none, or needs none and got none."""
    contract = entry.contract
    return contract.body if contract and (contract.body_required or entry.unredacted.body != b"") else None


@rule(AUTH, of="traffic")
def bearer_header() -> Look:
    """The token is sent in one Authorization header, with the word Bearer; none is needed after a redirect."""
    elsewhere: set[str] = set()  # other hosts that redirects name, where the token is rightly missing

    def look(entry: Entry) -> list[Breach] | None:
        hosts, sent = entry.unredacted.all("host"), entry.unredacted.all("authorization")
        missing = not sent and elsewhere.intersection(hosts)
        location = entry.outcome.reply.header("Location")
        if location:
            elsewhere.update({urlsplit(location).netloc}.difference(hosts))
        if missing or (entry.contract and not entry.contract.secured):
            return None
        text = _wrong_credentials(sent, entry.known.redact)
        return [Breach(text, (entry.number,))] if text else []

    return look


def _wrong_credentials(sent: Sequence[str], redact: Redactor) -> str:
    if len(sent) == 1 and redact.knows(sent[0].strip()):
        return "the token is in Authorization without the word Bearer; send Authorization: Bearer <token>"
    if len(sent) != 1 or not re.fullmatch(r"(?i:bearer) +\S+", sent[0]):
        return "the token is not in one header Authorization: Bearer <token>"
    known = redact.knows(sent[0].split()[1])
    return "" if known else "the token is unknown; send the one that ALTA_API_TOKEN holds"


@rule(AUTH, of="entry", finding=True)
def token_nowhere_else(entry: Entry) -> Iterable[str] | None:
    """The token is not sent in the address, in the body or in another header, where logs keep it."""
    request, tokens = entry.unredacted, entry.known.redact.tokens
    for name, value in parse_qsl(request.query, errors="replace"):
        if value in tokens or plain(name) in TOKEN_NAMES:
            return [f"the query parameter {_short(name)} carries a token; send it in Authorization only"]
    texts = {
        "address": f"{unquote(request.path)} {unquote(request.query)}",
        "body": (request.body or b"").decode(errors="replace"),
        "headers": "\n".join(value for name, value in request.headers if name != "authorization"),
    }
    return [
        f"the {place} {'carry' if place == 'headers' else 'carries'} a token; send it in Authorization only"
        for place, text in texts.items()
        if any(token in text for token in tokens)
    ][:1]


@rule(REFERENCE, of="entry")
def clean_path(entry: Entry) -> Iterable[str] | None:
    """Requests are for operations of the API: no stray slash, no missing version, no undeclared query parameter."""
    if entry.contract is None:
        return [f"sent {entry.method} {entry.path[:100]}, which the API does not have; join base URL and path once"]
    declared = {one.name for one in entry.contract.parameters.get("query", ())}
    sent = {name for name, _ in parse_qsl(entry.request.query, keep_blank_values=True, errors="replace")}
    undeclared = sent - declared or (entry.request.query and not sent)
    return ["sent a query that the operation does not have; leave it out"] if undeclared else []


@rule("a field that the vendor does not know means nothing to it", PRACTICE, "hint", of="traffic", finding=True)
def misspelt_field() -> Look:
    """No field of a record is nearly a documented one: equal but for case, hyphens and underscores, or 88 % alike."""
    reported: dict[str, int] = {}

    def look(entry: Entry) -> list[Breach] | None:
        if entry.batch is None:
            return None
        declared, found = entry.batch.properties, []
        records = entry.unredacted_body.records or ()
        names = {name for record in records if isinstance(record, dict) for name in record}
        recent = {name for name in names & reported.keys() if entry.number - reported[name] < JOURNAL_ENTRIES}
        for name in sorted(names - set(declared) - recent)[:MOST_NAMES]:
            short = plain(name)
            meant = _meant(short, declared) if len(short) <= LONGEST_NAME else None
            if meant:
                reported[name] = entry.number
                text = f"the field {_short(name)} is not the documented {meant}, and means nothing"
                found.append(Breach(text, (entry.number,)))
        return found

    return look


@rule("of a key that occurs twice only the last value counts", PRACTICE, "hint", of="entry", finding=True)
def duplicate_key(entry: Entry) -> Iterable[str] | None:
    """No object of a body has a key twice."""
    if not entry.unredacted_body.is_json:
        return None
    doubled: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            doubled.append(next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))

    with suppress(RecursionError):  # it may have been parsed where the stack was not as deep
        json.loads(entry.unredacted.body or b"", object_pairs_hook=members)
    return [f"the key {_short(key)} occurs twice in an object; only the last one counts" for key in doubled[:1]]


@rule("a typing error in an id looks like an object that is gone", PRACTICE, "hint", of="entry", finding=True)
def id_off_by_one(entry: Entry) -> Iterable[str] | None:
    """No id in the path differs from a known one in a single character."""
    if entry.contract is None:
        return None
    if not any(violation.rule == "object-unknown" for violation in entry.violations):
        return []
    parts = entry.path.lower().split("/")
    pairs = ((part, known) for known in entry.known.ids.get(entry.account or "", ()) for part in parts)
    near = (pair for pair in pairs if len(pair[0]) == len(pair[1]) and sum(map(operator.ne, *pair)) == 1)
    return [f"the id {part} differs from {known} in one character" for part, known in near]


@rule("the base URL ends in the version", PRACTICE, "hint", of="entry", finding=True)
def base_path_missing(entry: Entry) -> Iterable[str] | None:
    """No path lacks only the base path of the API."""
    contract = entry.known.contract
    unknown = any(violation.rule == "path-unknown" for violation in entry.violations)
    lacks = unknown and contract.has_path(contract.base_path + "/" + entry.unredacted.path.lstrip("/"))
    return [f"the path lacks {contract.base_path}; the base URL ends in it"] if lacks else []


_meant = lru_cache(maxsize=256)(partial(nearest, likeness=LIKENESS))


def _short(text: str) -> str:
    """Return a name in quotes; nothing of a long one, since it may be a token."""
    return json.dumps(text, ensure_ascii=False) if len(text) <= LONGEST_NAME else "(long)"
