"""The result of one request: the response, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.messages.call import Caller
from mock_server.messages.http import ApiReply
from mock_server.messages.injected import LOSES, Injected
from mock_server.messages.violations import Violation

BROKEN = {400, 401, 405, 413, 415}
"""Statuses of requests that broke the contract; a 404 only if the contract has no such path."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A response, and what the pipeline found out on the way to it.

    `operation` is an `operationId`, and `at` the time of the request, in nanoseconds since the epoch. What is missing,
    such as the caller without a valid token, is None.
    """

    reply: ApiReply
    operation: str | None
    caller: Caller | None
    violations: tuple[Violation, ...]
    injected: Injected | None
    at: int

    @property
    def broke_the_contract(self) -> bool:
        """Whether the request itself was wrong; 403, 404 of an object and 429 are responses to valid requests."""
        rules = {violation.rule for violation in self.violations}
        return bool(rules) and (self.reply.status in BROKEN or "path-unknown" in rules)

    @property
    def lost(self) -> bool:
        """Whether a fault keeps the complete response from arriving."""
        return self.reply.fault is not None and self.reply.fault.name in LOSES

    def why(self, most: int) -> str:
        """Return why it is not a success of the fake's own: at most so many violations, and what was injected."""
        reasons = [str(violation) for violation in self.violations[:most]]
        if self.lost:
            reasons.append(f"response lost: {self.injected}")
        elif self.injected:
            reasons.append(f"injected {self.injected}: requested by {self.injected.source}")
        return "; ".join(reasons)
