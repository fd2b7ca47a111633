"""The result of a verification: breaches, the result of each rule, and the report with its exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from contract_tests.provider.rule import Rule
from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, Request, Response
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, UNUSABLE
from mock_server.messages.redaction import Redactor

LONGEST_SHOWN = 160  # characters of a response that are shown
MOST_BREACHES = 3  # breaches of a rule after which no more of its probes are sent


@dataclass(frozen=True, slots=True)
class Breach:
    """One request that shows that a rule is broken; `got` is shortened and without tokens."""

    what: str
    request: Request
    got: str
    wanted: str


@dataclass(slots=True)
class Result:
    """The result of one rule."""

    rule: Rule
    requests: int = 0  # how many exercised it
    breaches: list[Breach] = field(default_factory=list)
    missing: str = ""  # why it was not, or not fully, exercised
    seconds: float = 0.0  # how long its requests took, waits included

    @property
    def verdict(self) -> str:
        """`broken`, `kept` or `not exercised`."""
        if self.breaches:
            return "broken"
        return "kept" if self.requests else "not exercised"


@dataclass(slots=True)
class Report:
    """The result of a verification."""

    target: Target
    results: dict[str, Result]
    statuses: Counter[int] = field(default_factory=Counter)
    requests: int = 0
    accepted: int = 0
    records: int = 0  # prospects that were added, or may have been
    unproven: list[str] = field(default_factory=list)  # why nothing, or not all, is proven although no rule is broken
    unusable: str = ""  # why the target could not be verified
    stopped: str = ""  # why the verification ended early
    failed: bool = False  # whether it ended early by an error of its own
    seconds: float = 0.0
    interrupted: bool = False
    redact: Redactor = field(init=False)

    def __post_init__(self) -> None:
        """Make the redactor of the target's tokens."""
        self.redact = self.target.redactor()

    @property
    def broken(self) -> list[Result]:
        """The rules that are broken."""
        return [result for result in self.results.values() if result.breaches]

    @property
    def exit_code(self) -> int:
        """130 interrupted, 2 unusable, 1 a rule is broken, 2 failed by itself, 3 nothing is proven, 0 otherwise."""
        if self.interrupted:
            return INTERRUPTED
        if self.unusable:
            return UNUSABLE
        if self.broken or (self.target.reject_only and self.accepted):
            return BROKEN
        if self.failed:
            return UNUSABLE
        return NOT_PROVEN if self.unproven else 0

    def count(self, request: Request, response: Response) -> None:
        """Count a request and its response."""
        self.requests += 1
        if response.status != NO_RESPONSE:
            self.statuses[response.status] += 1
        if response.succeeded:
            self.accepted += 1
            self.records += request.records

    def exercised(self, rule: str) -> None:
        """Record that a request exercised a rule, if it is one of those to verify."""
        if rule in self.results:
            self.results[rule].requests += 1

    def add_breach(self, rule: str, what: str, request: Request, got: object, wanted: str) -> None:
        """Record a breach of a rule, if it is one of those to verify and has not enough breaches yet."""
        result = self.results.get(rule)
        if result is None:
            return
        result.requests = max(result.requests, 1)
        if len(result.breaches) < MOST_BREACHES:
            shown = self.redact(str(got))  # before it is cut, which could leave a part of a token
            shown = shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."
            result.breaches.append(Breach(what, request, shown, wanted))
