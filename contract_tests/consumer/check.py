"""Check a consumer: run it in every scenario and judge its runs by the rules, or run it under every reading."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, overload

import click

from contract_tests.consumer import vary_report
from contract_tests.consumer.report import lines
from contract_tests.consumer.results import ConsumerReport, Options, judge
from contract_tests.consumer.runs import Environment
from contract_tests.consumer.scenarios import SCENARIOS, Played, play_in, scenarios_for
from contract_tests.consumer.vary import Task, Varied
from contract_tests.consumer.vary import vary as vary_consumer
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

    def play(name: str, usual: Run | None) -> Run:
        played = play_in(
            SCENARIOS[name],
            consumer,
            expected=options.expected,
            usual=usual,
            clock=_still(),
            transport=transport,
            **settings,
        )
        return played[0]

    normal = play("normal", None)
    runs["normal"] = normal
    if normal.ended:  # else the other scenarios prove nothing
        runs |= {name: play(name, normal) for name in scenarios_for(normal)}
    return judge(runs, options)


def check_varied(  # noqa: PLR0913 - the first says who, the others how
    consumer: Callable[[Environment], object],
    expected: Sequence[Mapping[str, Any]] | None,
    *,
    combined: bool = False,
    seed: int = 0,
    transport: str = "responses",
    assume: Mapping[str, str],
    limits: dict[str, str] | None = None,
    **settings: Any,
) -> Varied:
    """Run a consumer of this process under each reading that its requests meet, one after the other."""

    def play(tasks: Sequence[Task]) -> list[Played]:
        return [
            play_in(
                task.scenario,
                consumer,
                expected=expected,
                usual=None,
                clock=_still(),
                transport=transport,
                assume={**assume, **task.reading},
                **settings,
            )
            for task in tasks
        ]

    return vary_consumer(play, combined=combined, seed=seed, assumed=assume, limits=limits)


@overload
def check_consumer(
    mock: AltaMock,
    consumer: Callable[[Environment], object],
    *,
    expect: Sequence[Mapping[str, Any]] | None = None,
    transport: str = "responses",
    vary: Literal[True, "pairs"],
    random_seed: int = 0,
) -> Varied: ...


@overload
def check_consumer(
    mock: AltaMock,
    consumer: Callable[[Environment], object],
    *,
    expect: Sequence[Mapping[str, Any]] | None = None,
    require: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    transport: str = "responses",
) -> ConsumerReport: ...


def check_consumer(  # noqa: PLR0913 - the first two say who, the others how
    mock: AltaMock,
    consumer: Callable[[Environment], object],
    *,
    expect: Sequence[Mapping[str, Any]] | None = None,
    require: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    transport: str = "responses",
    vary: bool | Literal["pairs"] = False,
    random_seed: int = 0,
) -> ConsumerReport | Varied:
    """Run a consumer in every scenario, each on a new fake with the files of `mock`, and judge it by the rules.

    With `vary`, run it under each choice of the assumptions that its requests meet instead, and compare the runs.

    Args:
        mock: The fake whose settings apply.
        consumer: Gets its environment (`base_url`, `token`, `campaign_id`, `sleep`, `clock`), adds its records, and
            raises or returns False if that fails.
        expect: The records that it is to add, in order.
        require: Rules that must be exercised.
        only: Rules to judge by; empty for all.
        skip: Rules to leave out.
        transport: `responses` for consumers that use `requests`, `socket` for all others.
        vary: Whether to vary the assumptions; "pairs" for combinations of two, too.
        random_seed: Decides how choices are combined.

    Raises:
        ConsumerBroken: A rule is broken, a choice breaks the consumer, or nothing is proven; the text is the report.
        MockError: A rule is unknown, or an argument is not valid.
    """
    options = options_of(expect, require, only, skip)
    files = {name: getattr(mock.config, name) for name in ("data", "openapi", "overlay", "assume", "why")}
    if transport not in {"responses", "socket"}:
        raise MockError(f"transport={transport!r} is not valid; choose responses or socket")
    if vary not in {False, True, "pairs"} or random_seed < 0:
        raise MockError(f"vary={vary!r}, random_seed={random_seed}: use True or 'pairs', and a number from 0")
    if vary:
        if require or only or skip:
            raise MockError("require, only and skip cannot be combined with vary; leave them out")
        settings = {**files, "why": False, "visible_after": mock.config.visible_after}
        limits = limits_of(mock.config.rate_limit, mock.config.account_rate_limit)
        varied = check_varied(
            consumer,
            expect,
            combined=vary == "pairs",
            seed=random_seed,
            transport=transport,
            limits=limits,
            **settings,
        )
        if vary_report.exit_code(varied):
            raise ConsumerBroken("\n" + click.unstyle("\n".join(vary_report.lines(varied))))
        return varied
    report = check(consumer, options, transport=transport, **files)
    if report.exit_code:
        raise ConsumerBroken("\n" + click.unstyle("\n".join(lines(report))))
    return report


def _still() -> Clock:
    """Return a clock that stands at a whole second until it is advanced."""
    return Clock(lambda: 0, epoch=time.time_ns() // SECOND * SECOND)


def limits_of(rate_limit: str | None, account_rate_limit: str | None) -> dict[str, str] | None:
    """Return the settings of limits that somebody chose, the other one off; None if nobody chose any."""
    if rate_limit is None and account_rate_limit is None:
        return None
    return {"rate_limit": rate_limit or "off", "account_rate_limit": account_rate_limit or "off"}


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
