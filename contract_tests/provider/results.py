"""What came of an examination, as values: breaches, results of rules, and the whole report with its exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, UNUSABLE

if TYPE_CHECKING:
    from contract_tests.provider.rules import Rule
    from contract_tests.provider.wire import Sent


@dataclass(frozen=True, slots=True)
class Breach:
    """One broken rule, shown by one request.

    Attributes:
        what: What was special about the request.
    """

    what: str
    sent: Sent
    wanted: str
    got: str


@dataclass(slots=True)
class Result:
    """What came of a rule.

    Attributes:
        requests: How many requests put it to the test.
        missing: Why it was not put to the test, or not wholly; empty if it was.
    """

    rule: Rule
    requests: int = 0
    breaches: list[Breach] = field(default_factory=list)
    missing: str = ""

    @property
    def verdict(self) -> str:
        """`broken`, `kept` or `not exercised`."""
        if self.breaches:
            return "broken"
        return "kept" if self.requests else "not exercised"


@dataclass(slots=True)
class Report:
    """What came of an examination.

    Attributes:
        results: By the id of the rule.
        statuses: How often each status was answered.
        accepted: How many valid requests were accepted.
        unproven: Why nothing, or not everything documented, is proven although no rule is broken.
        unusable: Why the provider could not be examined; empty if it could.
        stopped: Why the examination ended early; empty if it did not.
    """

    results: dict[str, Result]
    statuses: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    accepted: int = 0
    records: int = 0
    unproven: list[str] = field(default_factory=list)
    unusable: str = ""
    stopped: str = ""
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def broken(self) -> list[Result]:
        """The rules that are broken."""
        return [one for one in self.results.values() if one.breaches]

    @property
    def exit_code(self) -> int:
        """130 interrupted, 2 the target cannot be used, 1 a rule is broken, 3 nothing is proven, 0 otherwise."""
        if self.interrupted:
            return INTERRUPTED
        if self.unusable:
            return UNUSABLE
        if self.broken:
            return BROKEN
        return NOT_PROVEN if self.unproven else 0
