"""What a contract run reached: a run that proves nothing must not pass.

On this API 404 and 429 are acceptable responses to almost any request, so a run against unknown objects, or with an
exhausted quota, passes every check without testing anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

ACCEPTED_SHARE = 0.25  # of valid requests, to be answered 200; measured: 0.31 or more, the others name unknown objects
LIMITED_SHARE = 0.05  # of all requests, that may be answered 429; measured: 0.002, all of them injected

Key = tuple[str, str, int]  # operation, mode (`valid` or `invalid`) and status


class Tally:
    """How many responses had each status, by operation and mode."""

    def __init__(self, counts: Mapping[Key, int] | None = None) -> None:
        self.counts: Counter[Key] = Counter(counts or {})

    def add(self, operation: str, mode: str, status: int) -> None:
        """Count one response."""
        self.counts[operation, mode, status] += 1

    def problems(self, documented: Iterable[tuple[str, int]]) -> list[str]:
        """Return what the run did not reach, of pairs of an operation and a status that its contract documents."""
        found = []
        for operation in dict.fromkeys(operation for operation, _ in documented):
            valid = self._total(operation, "valid")
            accepted = self.counts[operation, "valid", 200]
            everything = valid + self._total(operation, "invalid")
            limited = sum(self.counts[operation, mode, 429] for mode in ("valid", "invalid"))
            if accepted < ACCEPTED_SHARE * max(valid, 1):
                what = f"{accepted} of {valid} valid requests were accepted, fewer than {ACCEPTED_SHARE:.0%}"
                found.append(f"{operation}: {what}")
            if limited > LIMITED_SHARE * everything:
                what = f"{limited} of {everything} requests were answered 429, more than {LIMITED_SHARE:.0%}"
                found.append(f"{operation}: {what}")
        found += [
            f"{operation}: status {status} was never seen"
            for operation, status in documented
            if not any(self.counts[operation, mode, status] for mode in ("valid", "invalid"))
        ]
        return found

    def lines(self) -> list[str]:
        """Return the tally as lines of text, one for each operation and mode."""
        rows: dict[tuple[str, str], list[str]] = {}
        for (operation, mode, status), count in sorted(self.counts.items()):
            rows.setdefault((operation, mode), []).append(f"{status}: {count}")
        return [f"{operation} {mode:7}  {', '.join(cells)}" for (operation, mode), cells in rows.items()]

    def _total(self, operation: str, mode: str) -> int:
        return sum(count for (name, kind, _), count in self.counts.items() if (name, kind) == (operation, mode))
