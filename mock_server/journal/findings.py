"""What the traffic shows about the consumer beyond the refusals: the rules, applied to a journal that grows."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

from mock_server.journal.entries import Entry, Journal
from mock_server.journal.rules import RULES
from mock_server.store.base import JOURNAL_BYTES, JOURNAL_ENTRIES


@dataclass(frozen=True, slots=True)
class Finding:
    """A breach of a rule.

    Attributes:
        name: The id of the rule.
        text: What was seen and what to do, in one sentence.
        requests: The numbers of the entries that show it.
        severity: Of the rule: `error`, `warning` or `hint`.
    """

    name: str
    text: str
    requests: tuple[int, ...]
    severity: str

    def as_dict(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return {**asdict(self), "requests": list(self.requests)}


class Watch:
    """The findings of a journal that grows: each entry is looked at once; safe to use from many threads.

    Its memory is bounded: it begins anew with the entries that are kept once it has seen twice what a journal holds,
    and after the journal was cleared.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._begin(0)

    def _begin(self, cleared: int) -> None:
        self._looks = [(rule, rule.looking()) for rule in RULES.values() if rule.finding]
        self._found: list[Finding] = []
        self._cleared = cleared
        self._last = self._entries = self._size = 0

    def findings(self) -> list[Finding]:
        """Return what the kept entries show, by the first request that shows it.

        A finding goes when the first of its requests is forgotten.
        """
        with self._lock:
            entries, recorded = self._journal.look(self._last)
            full = self._entries > 2 * JOURNAL_ENTRIES or self._size > 2 * JOURNAL_BYTES
            if full or self._cleared != recorded.cleared:
                self._begin(recorded.cleared)
                entries, recorded = self._journal.look(self._last)
            for entry in entries:
                self._look(entry)
            self._found = [finding for finding in self._found if finding.requests[0] >= recorded.oldest]
            return sorted(self._found, key=lambda finding: finding.requests)

    def _look(self, entry: Entry) -> None:
        self._last = entry.number
        self._entries += 1
        self._size += len(entry.unredacted.body or b"")
        for rule, look in self._looks if entry.sample is None else ():
            if not (rule.timed and entry.transport == "responses"):
                found = look(entry) or ()
                self._found += [Finding(rule.id, breach.text, breach.requests, rule.severity) for breach in found]
