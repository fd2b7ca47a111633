"""What the traffic says about the consumer: things that are no breach of the contract, or explain one.

Law of this module: each finding is a pure function over the journal, in a section of its own with its threshold.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from mock_server.ratelimit import SECOND

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mock_server.journal import Entry


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark.

    Attributes:
        name: Which finding it is.
        text: What was seen and what to do, in one sentence.
        requests: The numbers of the journal's entries that show it.
    """

    name: str
    text: str
    requests: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return {"name": self.name, "text": self.text, "requests": list(self.requests)}


def findings(entries: Sequence[Entry]) -> list[Finding]:
    """Return all that the journal shows, by the first request that shows it."""
    found = [finding for look in ALL for finding in look(entries)]
    return sorted(found, key=lambda finding: finding.requests)


# --- early-retry: a request before the Retry-After of the 429 before it has gone by. -------------------------------
# Threshold: any time too early. Not behind `responses`, where nothing sleeps and time does not go by itself.


def early_retry(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find requests that came sooner than a 429 had told."""
    last: dict[tuple[str | None, str | None], Entry] = {}
    for entry in entries:
        if entry.door == "responses" or not entry.operation:
            continue
        key = (entry.account, entry.operation)
        before = last.get(key)
        wait = before.outcome.reply.header("Retry-After") if before and before.status == 429 else None  # noqa: PLR2004
        told = seconds_told(wait, before.outcome.at) if before and wait else None
        if before and told is not None:
            waited = (entry.outcome.at - before.outcome.at) / SECOND
            if waited < told:
                text = f"came {waited:.1f} s after a 429 that told to wait {wait} s; wait as long as Retry-After says"
                yield Finding("early-retry", text, (before.number, entry.number))
        last[key] = entry


def seconds_told(wait: str, at: int) -> float | None:
    """Read Retry-After, seconds or an HTTP date, as seconds from a time in nanoseconds; None if it is neither.

    Of a header that was sent several times the longest counts.
    """
    parts = [part.strip() for part in wait.split(",")]
    if all(re.fullmatch("[0-9]{1,15}(?:[.][0-9]*)?", part, re.ASCII) for part in parts):
        return max(map(float, parts))
    try:
        return parsedate_to_datetime(wait).replace(tzinfo=UTC).timestamp() - at / SECOND
    except ValueError:
        return None


# --- rejected-again: the same request once more after it was refused for good. -------------------------------------
# Threshold: one repetition, to the byte, with the same token, account and content type, refused by the same 400, 401,
# 403, 404 or 413.


def rejected_again(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find requests that were sent again unchanged although they cannot succeed."""
    refused: dict[Any, Entry] = {}
    for entry in entries:
        request = entry.request
        named = ("authorization", "x-account-id", "content-type", "content-encoding")
        headers = tuple(pair for pair in request.headers if pair[0] in named)
        key = (request.method, request.path, request.query, request.body, headers)
        if key in refused and entry.status == refused[key].status:
            before = refused[key]
            text = f"the same request again after a {before.status}; it cannot succeed, so stop and report it"
            yield Finding("rejected-again", text, (before.number, entry.number))
        if entry.status in {400, 401, 403, 404, 413}:
            refused[key] = entry
        else:
            refused.pop(key, None)


# --- duplicate-prospect: the same person stored twice in a campaign. -----------------------------------------------
# Threshold: one; the same email (in either case), linkedinUrl or phone, or without any of them the same identity.


def duplicate_prospect(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find prospects that are in a campaign twice."""
    seen: dict[tuple[str, tuple[str, ...]], int] = {}
    for entry in filter(_carried_out, entries):
        doubled: list[tuple[int, int]] = []
        records = _records(entry)
        for index, record in enumerate(records):
            keys = [(entry.path.lower(), identity) for identity in _identities(record)]
            before = [seen[key] for key in keys if key in seen]
            if before:
                doubled.append((index, before[0]))
            seen |= dict.fromkeys(keys, entry.number)
        if doubled:
            index, first = doubled[0]
            text = f"{len(doubled)} of {len(records)} prospects are in the campaign already, the first is /data/{index}"
            yield Finding("duplicate-prospect", text, tuple(sorted({first, entry.number})))


def _carried_out(entry: Entry) -> bool:
    forced = entry.outcome.forced
    return not entry.violations and entry.status == 200 and not (forced and forced.fault is None)  # noqa: PLR2004


def _identities(record: Any) -> list[tuple[str, ...]]:
    if not isinstance(record, dict):
        return []
    found: list[tuple[str, ...]] = [
        (name, record[name].strip().lower())
        for name in ("email", "linkedinUrl", "phone")
        if isinstance(record.get(name), str) and record[name].strip()
    ]
    names = tuple(str(record.get(name, "")).strip().lower() for name in ("firstName", "lastName", "company"))
    return found or ([("identity", *names)] if all(names) else [])


# --- misspelt-field: an undeclared property that looks like a declared one. ----------------------------------------
# Threshold: equal without case, hyphens and underscores, or a likeness of 0.88 (one letter of eight) by difflib.

LIKENESS = 0.88


def misspelt_field(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find fields that the vendor will not understand: each spelling once."""
    told: set[str] = set()
    for entry in entries:
        declared = _declared(entry)
        plain = {_plain(name): name for name in declared}
        for record in _records(entry):
            for name in record if isinstance(record, dict) else ():
                close = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=LIKENESS)
                if name not in declared and name not in told and close:
                    told.add(name)
                    text = f"the field {_short(name)} is not the documented {plain[close[0]]}, and means nothing"
                    yield Finding("misspelt-field", text, (entry.number,))


def _declared(entry: Entry) -> set[str]:
    schemas = entry.known.contract.document.get("components", {}).get("schemas", {})
    return set(schemas.get("ProspectRecord", {}).get("properties", ()))


def _plain(name: str) -> str:
    return re.sub("[-_ ]", "", name).lower()


# --- id-off-by-one: an unknown campaign whose id is one character away from a known one. ---------------------------
# Threshold: exactly one character differs, at the same length.


def id_off_by_one(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find campaign ids with a slip of the pen."""
    for entry in entries:
        if not any(violation.rule == "campaign-unknown" for violation in entry.violations):
            continue
        for known in entry.known.campaigns.get(entry.account or "", ()):
            got = next((part for part in entry.path.lower().split("/") if _differ(part, known) == 1), None)
            if got:
                text = f"the campaign {got} is one character off {known}"
                yield Finding("id-off-by-one", text, (entry.number,))


def _differ(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else -1


# --- base-path-missing: a path that would be right below the base path. --------------------------------------------
# Threshold: one.


def base_path_missing(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find base URLs without the version."""
    for entry in entries:
        base = entry.known.contract.base_path
        if any(violation.rule == "path-unknown" for violation in entry.violations) and entry.known.contract.has_path(
            base + "/" + entry.request.path.lstrip("/")
        ):
            text = f"the path lacks {base}; the base URL ends in it"
            yield Finding("base-path-missing", text, (entry.number,))


# --- raw-token: a known token in Authorization without the word Bearer. --------------------------------------------
# Threshold: one.


def raw_token(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find tokens that were sent without their scheme."""
    for entry in entries:
        sent = entry.request.all("authorization")
        if len(sent) == 1 and entry.known.redact.knows(sent[0].strip()):
            yield Finding("raw-token", "the token stands in Authorization without the word Bearer", (entry.number,))


# --- token-in-query: a token in the address, where logs and proxies keep it. ---------------------------------------
# Threshold: one known token as a value, or any value of a parameter named like one.


def token_in_query(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find tokens in the query."""
    for entry in entries:
        for name, value in parse_qsl(entry.request.query, errors="replace"):
            if entry.known.redact.knows(value) or _plain(name) in {"token", "accesstoken", "apikey", "apitoken"}:
                text = f"the query parameter {_short(name)} carries a token; send it in Authorization only"
                yield Finding("token-in-query", text, (entry.number,))


# --- half-empty-batches: the limit was reached by batches that could have been fewer. ------------------------------
# Threshold: a 429 of the fake's own, and the accepted batches since the one before would have fit into half as many.


def half_empty_batches(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find limits that were reached without need."""
    sizes: dict[str | None, list[tuple[int, int]]] = {}
    for entry in entries:
        batches = sizes.setdefault(entry.account, [])
        if _carried_out(entry):
            batches.append((entry.number, len(_records(entry))))
        elif entry.status == 429 and not entry.forced:  # noqa: PLR2004 - too many requests
            total = sum(size for _, size in batches)
            needed = -(-total // 20)
            if len(batches) >= 2 * max(needed, 1):
                text = f"{total} prospects took {len(batches)} requests and ran into the limit; {needed} would do"
                yield Finding("half-empty-batches", text, (*(number for number, _ in batches), entry.number))
            batches.clear()


# --- duplicate-key: an object with the same key twice, of which only the last counts. ------------------------------
# Threshold: one.


def duplicate_key(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find keys that stand twice."""
    for entry in entries:
        doubled: list[str] = []

        def pairs(members: list[tuple[str, Any]], doubled: list[str] = doubled) -> dict[str, Any]:
            names = sorted(name for name, _ in members)
            doubled.extend(name for name, other in pairwise(names) if name == other)
            return dict(members)

        try:
            json.loads(entry.request.body or b"", object_pairs_hook=pairs)
        except (ValueError, RecursionError):
            continue
        if doubled:
            text = f"the key {_short(doubled[0])} stands twice in an object; only the last one counts"
            yield Finding("duplicate-key", text, (entry.number,))


def _records(entry: Entry) -> list[Any]:
    body = entry.body
    records = body.get("data") if isinstance(body, dict) else None
    return records if isinstance(records, list) else []


def _short(text: str) -> str:
    """Return a name in quotes; a long one not even in part, since it may be a token."""
    return json.dumps(text, ensure_ascii=False) if len(text) <= 40 else "(long)"  # noqa: PLR2004 - names are shorter


ALL: tuple[Callable[[Sequence[Entry]], Iterable[Finding]], ...] = (
    early_retry,
    rejected_again,
    duplicate_prospect,
    misspelt_field,
    id_off_by_one,
    base_path_missing,
    raw_token,
    token_in_query,
    half_empty_batches,
    duplicate_key,
)
