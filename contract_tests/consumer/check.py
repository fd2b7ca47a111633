"""Check a consumer: run it in every scenario, and judge its runs by the rules."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from contract_tests.consumer.report import lines
from contract_tests.consumer.scenarios import SCENARIOS, play_in
from mock_server import Clock
from mock_server.cli.options import known_names
from mock_server.cli.output import BROKEN, NOT_PROVEN
from mock_server.contract.limits import SECOND
from mock_server.journal.rules import RULES
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contract_tests.consumer.runs import Environment
    from mock_server import AltaMock
    from mock_server.journal.rules import Breach, Rule, Run


class ConsumerBroken(AssertionError):
    """A consumer breaks rules, or nothing is proven; the text is the report."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a consumer is judged by.

    Attributes:
        expected: The records that it is to add; None if unknown.
        require: Rules that must be exercised.
        only: Rules to judge by; empty for all.
        skip: Rules to leave out.
    """

    expected: Sequence[Mapping[str, Any]] | None = None
    require: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()

    def rules(self) -> list[Rule]:
        """Return the rules to judge by."""
        return [one for one in RULES.values() if (not self.only or one.id in self.only) and one.id not in self.skip]


@dataclass(slots=True)
class Judged:
    """The result of a rule.

    Attributes:
        scenarios: Those that exercised it.
        breaches: By the scenarios that broke it.
    """

    rule: Rule
    scenarios: list[str] = field(default_factory=list)
    breaches: dict[str, list[Breach]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """`fail`, `warning`, `hint`, `pass` or `not exercised`."""
        if self.breaches:
            return "fail" if self.rule.severity == "error" else self.rule.severity
        return "pass" if self.scenarios else "not exercised"


@dataclass(frozen=True, slots=True)
class ConsumerReport:
    """The result of a consumer.

    Attributes:
        runs: By scenario.
        judged: By the id of the rule.
        missing: Rules that are required, and not exercised.
    """

    runs: Mapping[str, Run]
    judged: Mapping[str, Judged]
    missing: Sequence[str]

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
    judged = {rule.id: Judged(rule) for rule in options.rules()}
    for scenario, run in runs.items():
        for one in judged.values():
            breaches = one.rule.judge(run)
            if breaches is not None:
                one.scenarios.append(scenario)
            if breaches:
                one.breaches[scenario] = breaches
    missing = [rule for rule in options.require if not judged[rule].scenarios]
    return ConsumerReport(runs, judged, sorted(missing))


def check(
    consumer: Callable[[Environment], object], options: Options, *, transport: str = "responses", **settings: Any
) -> ConsumerReport:
    """Run a consumer of this process in every scenario, one after the other, and judge it."""
    runs: dict[str, Run] = {}
    for name, scenario in SCENARIOS.items():
        clock = Clock(lambda: 0, epoch=time.time_ns() // SECOND * SECOND)
        usual = runs.get("normal")
        if usual and not usual.ended:
            break  # the other scenarios prove nothing about a consumer that never ends
        runs[name] = play_in(
            scenario, consumer, expected=options.expected, usual=usual, clock=clock, transport=transport, **settings
        )
    return judge(runs, options)


def check_consumer(  # noqa: PLR0913 - the first two say who, the others how
    mock: AltaMock,
    consumer: Callable[[Environment], object],
    *,
    expect: Sequence[Mapping[str, Any]] | None = None,
    require: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    transport: str = "responses",
) -> ConsumerReport:
    """Run a consumer in every scenario, each on a new fake with the files of `mock`, and judge it by the rules.

    Args:
        mock: The fake whose settings apply.
        consumer: Gets its environment (`base_url`, `token`, `campaign_id`, `sleep`, `clock`), adds its records, and
            raises or returns False if that fails.
        expect: The records that it is to add, in order.
        require: Rules that must be exercised.
        only: Rules to judge by; empty for all.
        skip: Rules to leave out.
        transport: `responses` for consumers that use `requests`, `socket` for all others.

    Raises:
        ConsumerBroken: A rule is broken or nothing is proven; the text is the whole report.
        MockError: A rule is unknown.
    """
    options = options_of(expect, require, only, skip)
    files = {name: getattr(mock.config, name) for name in ("data", "openapi", "overlay", "why")}
    report = check(consumer, options, transport=transport, **files)
    if report.exit_code:
        raise ConsumerBroken("\n" + click.unstyle("\n".join(lines(report))))
    return report


def options_of(
    expected: Sequence[Mapping[str, Any]] | None,
    require: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Options:
    """Return options with known rules.

    Raises:
        MockError: A rule is unknown, or required and left out.
    """
    options = Options(expected, *(known_names(names, RULES, "rule") for names in (require, only, skip)))
    absent = options.require - {rule.id for rule in options.rules()}
    if absent:
        raise MockError(f"the rule {min(absent)} is required, and left out by --only or --skip; change one of them")
    return options
