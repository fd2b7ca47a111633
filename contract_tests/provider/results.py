"""The result of a verification: breaches, the result of each rule, and the report with its exit code."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from contract_tests.provider import documented
from contract_tests.provider.rule import Rule
from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, SAFE, Request, Response
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, UNUSABLE
from mock_server.handlers import SAMPLE
from mock_server.messages.redaction import Redactor

LONGEST_SHOWN = 160  # characters of a response that are shown
MOST_BREACHES = 3  # breaches of a rule by an operation after which no more of its probes are sent


@dataclass(frozen=True, slots=True)
class Breach:
    """One request that shows that a rule is broken; `got` is shortened and without tokens."""

    what: str
    request: Request
    got: str
    wanted: str
    operation: str = ""  # empty if no documented operation has the path and the method


@dataclass(slots=True)
class Result:
    """The result of one rule."""

    rule: Rule
    requests: int = 0  # how many exercised it
    breaches: list[Breach] = field(default_factory=list)
    missing: str = ""  # why it was not, or not fully, exercised
    seconds: float = 0.0  # how long its requests took, waits included
    operations: Counter[str] = field(default_factory=Counter)  # how many requests exercised it, by operation

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
    accepted: int = 0  # requests that may have changed something
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
        if response.succeeded and request.method not in SAFE:
            self.accepted += 1
            self.records += request.records

    def exercised(self, rule: str, operation: str = SAMPLE.operation) -> None:
        """Record that a request for an operation exercised a rule, if it is one of those to verify."""
        if rule in self.results:
            self.results[rule].requests += 1
            self.results[rule].operations[operation] += 1

    def serves(self, operation: str) -> bool:
        """Return whether no response has shown that an operation is not served."""
        return not self.is_broken("served", operation)

    def is_broken(self, rule: str, operation: str) -> bool:
        """Return whether a rule is verified, and an operation breaks it."""
        return rule in self.results and any(one.operation == operation for one in self.results[rule].breaches)

    def enough(self, rule: str, operation: str) -> bool:
        """Return whether a rule has so many breaches of an operation that no more are needed."""
        return [one.operation for one in self.results[rule].breaches].count(operation) >= MOST_BREACHES

    def add_breach(  # noqa: PLR0913, PLR0917 - a breach has these parts
        self, rule: str, what: str, request: Request, got: object, wanted: str, operation: str = ""
    ) -> None:
        """Record a breach of a rule, if it is one of those to verify and has not enough breaches of the operation."""
        result = self.results.get(rule)
        if result is None:
            return
        routed = documented.routed(request, self.target.url).operation
        operation = operation or (routed.id if routed else "")
        result.requests = max(result.requests, 1)
        if not self.enough(rule, operation):
            shown = self.redact(str(got))  # before it is cut, which could leave a part of a token
            shown = shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 3] + "..."
            result.breaches.append(Breach(what, request, shown, wanted, operation))
