"""What a consumer is judged by, and the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.consumer.lists import wanted_of
from mock_server.cli.output import BROKEN, NOT_PROVEN
from mock_server.journal.rules import RULES, Breach, Rule, Run


@dataclass(frozen=True, slots=True)
class Options:
    """What a consumer is judged by; an empty `only` stands for all rules."""

    expected: Sequence[Mapping[str, Any]] | None = None  # the records that it is to add, if known
    require: frozenset[str] = frozenset()  # rules that must be exercised
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    fail_on: frozenset[str] = frozenset()  # rules that fail a consumer although they are no errors

    def rules(self) -> list[Rule]:
        """Return the rules to judge by."""
        return [one for one in RULES.values() if (not self.only or one.id in self.only) and one.id not in self.skip]


@dataclass(slots=True)
class Judged:
    """The result of a rule."""

    rule: Rule
    fails: bool  # whether a breach fails the consumer
    scenarios: list[str] = field(default_factory=list)  # those that exercised it
    breaches: dict[str, list[Breach]] = field(default_factory=dict)  # by the scenarios that broke it

    @property
    def verdict(self) -> str:
        """`fail`, `warning`, `hint`, `pass` or `not exercised`."""
        if self.breaches:
            return "fail" if self.fails else self.rule.severity
        return "pass" if self.scenarios else "not exercised"


@dataclass(frozen=True, slots=True)
class ConsumerReport:
    """The result of a consumer."""

    runs: Mapping[str, Run]  # by scenario
    judged: Mapping[str, Judged]  # by the id of the rule
    missing: Sequence[str]  # rules that are required, and not exercised

    @property
    def broken(self) -> list[Judged]:
        """The rules that are broken, without warnings and hints."""
        return [one for one in self.judged.values() if one.verdict == "fail"]

    @property
    def exit_code(self) -> int:
        """1 a rule is broken, 3 a scenario without a request or a required rule not exercised, 0 otherwise."""
        if self.broken:
            return BROKEN
        return NOT_PROVEN if self.missing or not all(run.entries for run in self.runs.values()) else 0


def judge(runs: Mapping[str, Run], options: Options) -> ConsumerReport:
    """Judge the runs of a consumer by the rules."""
    judged = {rule.id: Judged(rule, rule.severity == "error" or rule.id in options.fail_on) for rule in options.rules()}
    patient = "429" in runs and runs["429"].succeeded is True
    wanted = wanted_of(runs["pages"]) if "pages" in runs else {}
    for scenario, run in ((name, replace(one, patient=patient, wanted=wanted)) for name, one in runs.items()):
        crashed = bool(RULES["survives-any-429"].judge(run))
        for one in judged.values():
            breaches = one.rule.judge(run)
            if breaches or (breaches is not None and not crashed):  # what a crash ended proves nothing
                one.scenarios.append(scenario)
            if breaches:
                one.breaches[scenario] = breaches
    missing = [rule for rule in options.require if not judged[rule].scenarios]
    return ConsumerReport(runs, judged, sorted(missing))
