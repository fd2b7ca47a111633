"""The plan of a verification: which probes are sent, and in which order.

Every probe belongs to one of three groups: prospects that must be accepted share requests, valid requests without
special needs measure the limit, and all others are sent alone, the most informative first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from random import Random

from contract_tests.provider.derived import UUID
from contract_tests.provider.documented import operations, path_names
from contract_tests.provider.probes import OK, NotExercised, Probe, ProbeFactory
from contract_tests.provider.results import Report
from contract_tests.provider.rule import Rule, adds_prospects
from contract_tests.provider.target import Target
from contract_tests.provider.wire import SAFE

Planned = tuple[str, Probe]  # the id of a rule and one of its probes

BATCH = 20
NEEDS_WRITE = "needs --write, or a provider on this machine"
CALLS = frozenset({"triggerAssistantCall"})  # operations that reach people

FIRST = (
    *("served", "contact-or-identity", "body", "token-is-required", "token-must-be-known", "unknown-id"),
    *("empty-is-no-contact", "null-is-refused", "every-record-counts", "malformed-json-is-refused", "foreign-id"),
    *("scheme-is-bearer", "counts-characters", "json-content-type", "token-comes-first", "malformed-id", "parameters"),
)
"""The rules whose probes are the most informative if the number of requests is limited."""


def probes_of(rule: Rule, target: Target) -> Iterator[Probe]:
    """Yield all probes of a rule, of every operation, with ids of nothing in place of those that a provider knows."""
    ids = dict.fromkeys(path_names(), UUID)
    make = ProbeFactory(target, Random(0), None, ids, ids)  # noqa: S311 - unknown ids are not secret
    for operation in operations().values():
        if rule.probes and rule.applies(operation):
            yield from (replace(probe, operation=operation.id) for probe in rule.probes(make.of(operation)))


class Plan:
    """The probes that are still to be sent, by group."""

    def __init__(self, report: Report, make: ProbeFactory, *, sockets: bool) -> None:
        self._report, self._target, self._operation = report, make.target, make.operation
        self._together: list[Planned] = []
        self._spare: deque[Planned] = deque()
        self._alone: dict[str, list[Probe]] = {}
        for name, result in report.results.items():
            if result.rule.probes is None or not result.rule.applies(make.operation):
                continue
            if result.rule.needs_socket and not sockets:
                result.missing = "needs a socket"
                continue
            try:
                for probe in result.rule.probes(make):
                    self._add(name, probe)
            except NotExercised as missing:
                result.missing = str(missing)

    def requests(self) -> int:
        """Return about how many requests are planned, without those of Schemathesis, whose number is unknown."""
        alone = sum(1 if probe.after is None else 2 for probes in self._alone.values() for probe in probes)
        sent = len(self._spare) + alone - (-len(self._together) // BATCH)
        if not adds_prospects(self._operation):
            return sent
        limit = self._target.rate_limit if self._target.writes else None
        return 1 + sent + (2 * limit.requests if limit else 0)

    def batches(self) -> Iterator[list[Planned]]:
        """Yield probes whose records share a request."""
        for start in range(0, len(self._together), BATCH):
            yield self._together[start : start + BATCH]

    def take_spare(self) -> Planned | None:
        """Take a valid request that is to be sent anyway; None if none is left."""
        return self._spare.popleft() if self._spare else None

    def return_spare(self, planned: Planned) -> None:
        """Put back a request that was not accepted, to be sent again alone."""
        rule, probe = planned
        self._alone.setdefault(rule, []).append(probe)

    def turns(self) -> Iterator[Planned]:
        """Yield the remaining probes: the first of each rule, then the second of each rule, and so on."""
        for rule, probe in self._spare:
            self._alone.setdefault(rule, []).append(probe)
        names = sorted(self._alone, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
        for row in zip_longest(*([(name, probe) for probe in self._alone[name]] for name in names)):
            yield from filter(None, row)

    def _add(self, rule: str, probe: Probe) -> None:
        changes = probe.request.method not in SAFE and bool(probe.wanted & OK)
        probe = replace(probe, operation=self._operation.id)
        if changes and not self._target.writes:
            self._report.results[rule].missing = NEEDS_WRITE
        elif changes and self._operation.id in CALLS and not self._target.local:
            self._report.results[rule].missing = "needs a provider on this machine: it makes a call"
        elif probe.records and probe.wanted == OK:
            self._together.append((rule, probe))
        elif probe.wanted == OK and not probe.after and not probe.fresh:
            self._spare.append((rule, probe))
        else:
            self._alone.setdefault(rule, []).append(probe)
