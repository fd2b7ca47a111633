"""What the traffic says about the consumer: things that are no breach of the contract, or explain one.

Law of this module: each finding stands in a section of its own with its threshold: a function that is shown one entry
after another, oldest first, and remembers what it must. So a journal that grows is read on, not anew.
"""

from __future__ import annotations

import difflib
import json
import re
import threading
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from mock_server.contract.limits import SECOND
from mock_server.store.base import JOURNAL_BYTES, JOURNAL_ENTRIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_server.journal.entries import Entry, Journal

    Look = Callable[["Seen"], Iterator["Finding"]]
    """Is shown an entry after those before it, and says what it shows."""


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


@dataclass(frozen=True, slots=True)
class Seen:
    """An entry, with its body read once for all who look at it.

    Attributes:
        records: The prospects of the body, empty if it has none.
        doubled: A key that stands twice in an object of the body, None if there is none.
    """

    entry: Entry
    records: list[Any]
    doubled: str | None

    @staticmethod
    def of(entry: Entry) -> Seen:
        """Read the body of an entry."""
        doubled: list[str] = []

        def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
            found = dict(members)
            if len(found) < len(members):
                names = sorted(name for name, _ in members)
                doubled.extend(name for name, other in pairwise(names) if name == other)
            return found

        try:
            body = json.loads(entry.request.body or b"", object_pairs_hook=pairs)
        except (ValueError, RecursionError):
            return Seen(entry, [], None)
        records = body.get("data") if isinstance(body, dict) else None
        return Seen(entry, records if isinstance(records, list) else [], doubled[0] if doubled else None)


class Watch:
    """The findings of a journal that grows: each entry is looked at once; safe to use from many threads.

    What it remembers is bounded: it begins anew, with the entries there are, once it has seen twice what the journal
    can hold, and after the journal was cleared.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._begin(0)

    def _begin(self, since: int) -> None:
        self._looks: list[Look] = [*BY_ITSELF, *(look() for look in OVER_TIME)]
        self._found: list[Finding] = []
        self._last = self._since = since
        self._entries = self._size = 0

    def findings(self) -> list[Finding]:
        """Return what the remembered entries show, by the first request that shows it.

        What takes two requests to show goes when the first of them is forgotten.
        """
        with self._lock:
            entries, recorded = self._journal.look(self._last)
            full = self._entries > 2 * JOURNAL_ENTRIES or self._size > 2 * JOURNAL_BYTES
            if full or self._since != recorded.since:
                self._begin(recorded.since)
                entries, recorded = self._journal.look(self._last)
            for entry in entries:
                self._look(entry)
            self._found = [finding for finding in self._found if finding.requests[0] >= recorded.oldest]
            return sorted(self._found, key=lambda finding: finding.requests)

    def _look(self, entry: Entry) -> None:
        self._last = entry.number
        self._entries += 1
        self._size += len(entry.request.body or b"")
        seen = Seen.of(entry)
        for look in self._looks:
            self._found += [replace(one, text=entry.known.redact(one.text)) for one in look(seen)]


# --- early-retry: a request before the Retry-After of the 429 before it has gone by. -------------------------------
# Threshold: any time too early. Not behind `responses`, where nothing sleeps and time does not go by itself.


def early_retry() -> Look:
    """Find requests that came sooner than a 429 had told."""
    last: dict[tuple[str | None, str | None], Entry] = {}

    def look(seen: Seen) -> Iterator[Finding]:
        entry = seen.entry
        if entry.transport == "responses" or not entry.operation:
            return
        key = (entry.account, entry.operation)
        before = last.get(key)
        wait = before.outcome.reply.header("Retry-After") if before and before.status == 429 else None  # noqa: PLR2004 - a status of HTTP
        told = seconds_told(wait, before.outcome.at) if before and wait else None
        if before and told is not None:
            waited = (entry.outcome.at - before.outcome.at) / SECOND
            if waited < told:
                text = f"came {waited:.1f} s after a 429 that told to wait {wait} s; wait as long as Retry-After says"
                yield Finding("early-retry", text, (before.number, entry.number))
        last[key] = entry

    return look


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


def rejected_again() -> Look:
    """Find requests that were sent again unchanged although they cannot succeed."""
    refused: dict[Any, Entry] = {}

    def look(seen: Seen) -> Iterator[Finding]:
        entry, request = seen.entry, seen.entry.request
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

    return look


# --- duplicate-prospect: the same person stored twice in a campaign. -----------------------------------------------
# Threshold: one; the same email (in either case), linkedinUrl or phone, or without any of them the same identity.


def duplicate_prospect() -> Look:
    """Find prospects that are in a campaign twice."""
    last_seen: dict[tuple[str, tuple[str, ...]], int] = {}

    def look(seen: Seen) -> Iterator[Finding]:
        entry = seen.entry
        if not _carried_out(entry):
            return
        doubled: list[tuple[int, int]] = []
        for index, record in enumerate(seen.records):
            keys = [(entry.path.lower(), identity) for identity in _identities(record)]
            before = [last_seen[key] for key in keys if key in last_seen]
            if before:
                doubled.append((index, before[0]))
            last_seen.update(dict.fromkeys(keys, entry.number))
        if doubled:
            index, before_that = doubled[0]
            text = (
                f"{len(doubled)} of {len(seen.records)} prospects are in the campaign already,"
                f" the first is /data/{index}"
            )
            yield Finding("duplicate-prospect", text, tuple(sorted({before_that, entry.number})))

    return look


def _carried_out(entry: Entry) -> bool:
    injected = entry.outcome.injected
    return not entry.violations and entry.status == 200 and not (injected and injected.fault is None)  # noqa: PLR2004 - a status of HTTP


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

LONGEST_NAME = 40
"""Code points of a name that is looked at, or shown; no field has so many."""


def misspelt_field() -> Look:
    """Find fields that the vendor will not understand: each spelling once, and again when that is forgotten."""
    told: dict[str, int] = {}

    def look(seen: Seen) -> Iterator[Finding]:
        declared = _declared(seen.entry)
        names = {name for record in seen.records if isinstance(record, dict) for name in record}
        recent = {name for name in names & told.keys() if seen.entry.number - told[name] < JOURNAL_ENTRIES}
        for name in sorted(names - declared.keys() - recent):
            plain = _plain(name)
            meant = _meant(plain, tuple(declared)) if len(plain) <= LONGEST_NAME else None
            if meant:
                told[name] = seen.entry.number
                text = f"the field {_short(name)} is not the documented {meant}, and means nothing"
                yield Finding("misspelt-field", text, (seen.entry.number,))

    return look


def _declared(entry: Entry) -> dict[str, Any]:
    schemas = entry.known.contract.document.get("components", {}).get("schemas", {})
    declared: dict[str, Any] = schemas.get("ProspectRecord", {}).get("properties", {})
    return declared


@lru_cache(maxsize=256)
def _meant(plain: str, declared: tuple[str, ...]) -> str | None:
    """Return the declared name that a plain one is nearly, None if there is none."""
    by_plain = {_plain(one): one for one in declared}
    close = difflib.get_close_matches(plain, by_plain, n=1, cutoff=LIKENESS)
    return by_plain[close[0]] if close else None


def _plain(name: str) -> str:
    return re.sub("[-_ ]", "", name).lower()


# --- id-off-by-one: an unknown campaign whose id is one character away from a known one. ---------------------------
# Threshold: exactly one character differs, at the same length.


def id_off_by_one(seen: Seen) -> Iterator[Finding]:
    """Find campaign ids with a slip of the pen."""
    entry = seen.entry
    if not any(violation.rule == "object-unknown" for violation in entry.violations):
        return
    for known in entry.known.ids.get(entry.account or "", ()):
        got = next((part for part in entry.path.lower().split("/") if _differ(part, known) == 1), None)
        if got:
            text = f"the id {got} is one character off {known}"
            yield Finding("id-off-by-one", text, (entry.number,))


def _differ(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True)) if len(one) == len(other) else -1


# --- base-path-missing: a path that would be right below the base path. --------------------------------------------
# Threshold: one.


def base_path_missing(seen: Seen) -> Iterator[Finding]:
    """Find base URLs without the version."""
    entry, contract = seen.entry, seen.entry.known.contract
    unknown = any(violation.rule == "path-unknown" for violation in entry.violations)
    if unknown and contract.has_path(contract.base_path + "/" + entry.request.path.lstrip("/")):
        text = f"the path lacks {contract.base_path}; the base URL ends in it"
        yield Finding("base-path-missing", text, (entry.number,))


# --- raw-token: a known token in Authorization without the word Bearer. --------------------------------------------
# Threshold: one.


def raw_token(seen: Seen) -> Iterator[Finding]:
    """Find tokens that were sent without their scheme."""
    sent = seen.entry.request.all("authorization")
    if len(sent) == 1 and seen.entry.known.redact.knows(sent[0].strip()):
        yield Finding("raw-token", "the token stands in Authorization without the word Bearer", (seen.entry.number,))


# --- token-in-query: a token in the address, where logs and proxies keep it. ---------------------------------------
# Threshold: one known token as a value, or any value of a parameter named like one.


def token_in_query(seen: Seen) -> Iterator[Finding]:
    """Find tokens in the query."""
    for name, value in parse_qsl(seen.entry.request.query, errors="replace"):
        if seen.entry.known.redact.knows(value) or _plain(name) in {"token", "accesstoken", "apikey", "apitoken"}:
            text = f"the query parameter {_short(name)} carries a token; send it in Authorization only"
            yield Finding("token-in-query", text, (seen.entry.number,))


# --- half-empty-batches: the limit was reached by batches that could have been fewer. ------------------------------
# Threshold: a 429 of the fake's own, and the accepted batches since the one before would have fit into half as many.


def half_empty_batches() -> Look:
    """Find limits that were reached without need."""
    sizes: dict[str | None, list[tuple[int, int]]] = {}

    def look(seen: Seen) -> Iterator[Finding]:
        entry = seen.entry
        batches = sizes.setdefault(entry.account, [])
        if _carried_out(entry):
            batches.append((entry.number, len(seen.records)))
        elif entry.status == 429 and not entry.injected:  # noqa: PLR2004 - too many requests
            total = sum(size for _, size in batches)
            needed = -(-total // 20)
            if len(batches) >= 2 * max(needed, 1):
                text = f"{total} prospects took {len(batches)} requests and ran into the limit; {needed} would do"
                yield Finding("half-empty-batches", text, (*(number for number, _ in batches), entry.number))
            batches.clear()

    return look


# --- duplicate-key: an object with the same key twice, of which only the last counts. ------------------------------
# Threshold: one.


def duplicate_key(seen: Seen) -> Iterator[Finding]:
    """Find keys that stand twice."""
    if seen.doubled is not None:
        text = f"the key {_short(seen.doubled)} stands twice in an object; only the last one counts"
        yield Finding("duplicate-key", text, (seen.entry.number,))


def _short(text: str) -> str:
    """Return a name in quotes; a long one not even in part, since it may be a token."""
    return json.dumps(text, ensure_ascii=False) if len(text) <= LONGEST_NAME else "(long)"


BY_ITSELF: tuple[Look, ...] = (id_off_by_one, base_path_missing, raw_token, token_in_query, duplicate_key)
"""What one entry shows without the others."""

OVER_TIME: tuple[Callable[[], Look], ...] = (
    early_retry,
    rejected_again,
    duplicate_prospect,
    misspelt_field,
    half_empty_batches,
)
"""What shows in the light of the entries before; each call begins anew."""
