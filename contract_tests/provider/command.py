"""The command `alta-mock verify`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from alta_terminal import StatusLine
from contract_tests.provider.options import TARGET_OPTIONS
from mock_server.cli.options import examples, known_names, names_option, needing_extra, random_seed, report_files
from mock_server.cli.output import Files, conclude, say

if TYPE_CHECKING:
    from collections.abc import Collection

    from contract_tests.provider.session import Step

LONG = 5.0  # seconds of a wait that is announced where there is no terminal


class Progress:
    """Shows the progress of a verification: every step on a terminal, only long waits elsewhere."""

    def __init__(self, line: StatusLine) -> None:
        self._line = line
        self._waiting = False

    def __call__(self, step: Step) -> None:
        """Show a step."""
        begins, self._waiting = bool(step.wait) and not self._waiting, bool(step.wait)
        if self._line.visible:
            planned = f" of about {step.planned}" if step.planned > step.requests else ""
            waiting = f", {step.wait:.0f} s to wait" if step.wait else ""
            self._line.show(f"{step.requests}{planned} requests{waiting}  {step.doing}", now=bool(step.wait))
        elif begins and step.wait > LONG:
            say(f"{step.requests} requests so far; {step.doing}, {step.wait:.0f} s")


def _announce(requests: int, seconds: float) -> None:
    if seconds > LONG:
        say(f"about {requests} requests, which take about {seconds:.0f} s at this limit; --max-seconds ends it earlier")


def rule_ids(_context: object = None) -> Collection[str]:
    """Return the ids of all rules for providers."""
    from contract_tests.provider.rules import RULES  # noqa: PLC0415 - --help need not wait for it

    return RULES


def operation_ids(_context: object = None) -> Collection[str]:
    """Return the ids of all documented operations."""
    from contract_tests.provider.documented import operations  # noqa: PLC0415 - --help need not wait for it

    return operations()


@click.command(
    epilog=examples(
        "alta-mock verify --url http://127.0.0.1:8080/v1 --token test-token \\",
        "  --campaign-id 3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "alta-mock verify --reject-only --max-requests 40 --junit verify.xml",
        "alta-mock verify --operation getCampaign --only unknown-id,body",
    ),
    params=[*TARGET_OPTIONS],
)
@click.option("--max-requests", type=click.IntRange(1), metavar="N", help="Most requests to send.")
@click.option(
    "--max-seconds",
    type=click.FloatRange(1),
    metavar="SECONDS",
    help="Longest time to take; 180 with both limits off, else unlimited by default.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=5.0,
    show_default=True,
    help="Longest time until what was added is listed.",
)
@names_option("--operation", "ID,...", operation_ids, "Verify only these operations.")
@names_option("--only", "RULE,...", rule_ids, "Verify only these rules.")
@names_option("--skip", "RULE,...", rule_ids, "Leave these rules out.")
@random_seed
@report_files
def verify(  # noqa: PLR0913 - click passes each option
    *,
    max_requests: int | None,
    max_seconds: float | None,
    settle: float,
    operation: tuple[str, ...],
    only: tuple[str, ...],
    skip: tuple[str, ...],
    random_seed: int,
    files: Files,
    **values: Any,
) -> int:
    """Verify that a server keeps the contract of the Alta API.

    The server may be a fake, a staging system, or the vendor's.

    Exit codes: 0 it does, 1 a rule is broken, 2 it cannot be verified, 3 nothing is proven, 130 interrupted.
    """
    from contract_tests.provider import derived, presentation, session, target, verification  # noqa: PLC0415 - as above

    names = known_names(only, rule_ids(), "rule"), known_names(skip, rule_ids(), "rule")
    about = known_names(operation, operation_ids(), "operation")
    options = session.Options(
        about, *names, max_requests=max_requests, max_seconds=max_seconds, settle=settle, seed=random_seed
    )
    wanted = target.target_of(values)
    verification.check_permission(wanted)
    if options.include("schemathesis"):
        with needing_extra():
            import contract_tests.provider.schemathesis_rule  # noqa: F401, PLC0415 - fails before the first request
    if wanted.writes and not wanted.local:
        count, where = verification.planned_records(wanted), f"campaign {wanted.campaign_id} at {wanted.url}"
        say(f"adding about {count} prospects to {where}, with {derived.TAG} in a field")
    with StatusLine() as line:
        report = verification.verify_target(wanted, replace(options, announce=_announce, progress=Progress(line)))
    if report.unusable:
        say(report.unusable)
    return conclude(presentation.presented(report), files)
