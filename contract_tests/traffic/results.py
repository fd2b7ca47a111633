"""What a check of recorded traffic has found: each mistake once, however often it was made; and what was not judged."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from contract_tests.traffic.captured import NOT_SENT
from contract_tests.traffic.evidence import Evidence
from contract_tests.traffic.scope import OTHER_HOST, OTHER_PATH
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN

MOST_SHOWN = 3
"""Requests of a mistake that are named."""

MOST_MISTAKES = 500
"""Mistakes that are told apart; beyond that, those of a rule are one."""

LONGEST = 160
"""Characters of what was got."""

CONSUMER, PROVIDER = "consumer", "provider"

NOTES = {
    **{key: f"left out: {text}" for key, text in NOT_SENT.items()},
    OTHER_HOST: "left out: to other hosts",
    OTHER_PATH: "left out: to the host of the API, but to another path, such as a page",
    "aborted": "without a response: only what was sent is judged",
    "not-modified": "304, from the cache of a browser: only what was sent is judged",
    "redirected": "redirects, of which the API documents none: correct the base URL",
    "switched": "1xx: only what was sent is judged",
    "injected": "responses that a test had injected into the fake: only what was sent is judged",
    "request-body": "with a body that is not recorded: it is not judged",
    "request-headers": "without recorded headers of the request: they are not judged",
    "credentials": "without a recorded Authorization header: the token is not judged",
    "response-body": "with a body of the response that is not recorded, or packed: it is not judged",
    "response-headers": "without recorded headers of the response: they are not judged",
    "time": "without a time: their pace is not judged",
    "late": "far out of the order of their time: they are judged alone, without those before them",
}
"""What was left out or not judged, by the name in reports."""


@dataclass(frozen=True, slots=True)
class Where:
    """A request that shows a mistake."""

    file: str
    number: int
    time: str | None
    method: str
    path: str
    status: int


@dataclass(slots=True)
class Mistake:
    """One mistake, however often it was made.

    Attributes:
        side: `consumer` or `provider`.
        severity: `error`, `warning` or `hint`.
        statement: What the rule demands, or its source.
        operation: The `operationId`; empty without one.
        pointer: The place in the first request or response; indices are those of the first.
        got: What the first one shows.
        line: Where the contract says so; None if no line does.
        fix: What to do; empty if `got` says so.
        entries: The first requests that show it.
    """

    side: str
    rule: str
    severity: str
    statement: str
    operation: str
    pointer: str
    got: str
    wanted: str
    line: str | None
    fix: str
    count: int = 0
    entries: list[Where] = field(default_factory=list)


@dataclass(slots=True)
class Result:
    """The result of a check.

    Attributes:
        requests: How many requests to the API were judged.
        judged: How many responses to them.
        exercised: How often each rule was, by side and id.
        notes: How many records were left out or not judged in part, by the key of `NOTES`.
        origins: How many requests went to each host.
    """

    files: Sequence[str]
    requests: int = 0
    judged: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    exercised: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    origins: Counter[str] = field(default_factory=Counter)
    evidence: Sequence[Evidence] = ()
    interrupted: bool = False
    _mistakes: dict[tuple[str, ...], Mistake] = field(default_factory=dict)

    def add(self, mistake: Mistake, where: Sequence[Where]) -> None:
        """Add a mistake that requests show, to the same mistake of earlier ones."""
        kind = re.sub("[0-9]+", "*", mistake.pointer)
        key: tuple[str, ...] = (mistake.side, mistake.rule, mistake.operation, kind, mistake.wanted)
        if key not in self._mistakes and len(self._mistakes) >= MOST_MISTAKES:
            key = (mistake.side, mistake.rule)
        known = self._mistakes.setdefault(key, mistake)
        known.count += 1
        known.entries += where[: MOST_SHOWN - len(known.entries)] if len(known.entries) < MOST_SHOWN else []

    def take(self, other: Result) -> None:
        """Add the mistakes of another result, of which this one has none yet."""
        self._mistakes |= {(*key, "taken"): mistake for key, mistake in other._mistakes.items()}

    @property
    def mistakes(self) -> list[Mistake]:
        """The mistakes: the worst first, then the most frequent."""
        order = ("error", "warning", "hint")
        return sorted(self._mistakes.values(), key=lambda one: (order.index(one.severity), one.side, -one.count))

    @property
    def exit_code(self) -> int:
        """130 interrupted, 1 an error, 3 no response and no mistake, 0 otherwise."""
        if self.interrupted:
            return INTERRUPTED
        if any(one.severity == "error" for one in self._mistakes.values()):
            return BROKEN
        return 0 if self.judged else NOT_PROVEN
