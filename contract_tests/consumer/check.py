"""Check a consumer: run it in every scenario, and judge its runs by the rules."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from contract_tests.consumer.report import lines
from contract_tests.consumer.results import ConsumerReport, Options, judge
from contract_tests.consumer.runs import Environment
from contract_tests.consumer.scenarios import SCENARIOS, play_in
from mock_server import AltaMock, Clock
from mock_server.cli.options import known_names
from mock_server.contract.limits import SECOND
from mock_server.journal.rules import RULES, Run
from mock_server.messages.errors import MockError


class ConsumerBroken(AssertionError):
    """A consumer breaks rules, or nothing is proven; the text is the report."""


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
    fail_on: frozenset[str] = frozenset(),
) -> Options:
    """Return options with known rules.

    Raises:
        MockError: A rule is unknown, or required and left out.
    """
    required, chosen, skipped = (known_names(names, RULES, "rule") for names in (require, only, skip))
    options = Options(expected, required, chosen, skipped, fail_on)
    absent = options.require - {rule.id for rule in options.rules()}
    if absent:
        raise MockError(f"the rule {min(absent)} is required, and left out by --only or --skip; change one of them")
    return options
