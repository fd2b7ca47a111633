"""`alta-mock exec`: runs a command with a fake of its own, and reports what it sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from alta_terminal import paint
from mock_server.cli import options, process
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, Case, Files, Report, conclude, say
from mock_server.messages.errors import api_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from mock_server.journal.entries import Journal
    from mock_server.mock import AltaMock

MOST_LINES = 10
"""Maximum number of lines of the summary."""

SENT_NOTHING = "the command sent nothing to ALTA_BASE_URL; does it read it?"
PROVOKE = "let the command provoke it, or change --require"
"""What to do if a run proves nothing."""


def _required(context: click.Context) -> Iterable[str]:
    """Return the names that `--require` may have."""
    if context.params.get("consumer"):
        return _rules(context)
    return map(str, sorted({200, *(error.status for error in api_errors())}))


def _rules(_context: object) -> Iterable[str]:
    from mock_server.journal.rules import RULES  # noqa: PLC0415 - --help need not wait for it

    return RULES


def _failing(context: click.Context) -> Iterable[str]:
    """Return the names that `--fail-on` may have: without `--consumer` only rules that hold for any traffic."""
    from mock_server.journal.rule import SEVERITIES  # noqa: PLC0415 - as above
    from mock_server.journal.rules import RULES  # noqa: PLC0415 - as above

    every = context.params.get("consumer")
    return [*SEVERITIES, *(name for name, rule in RULES.items() if rule.finding or every)]


def _rules_that_fail(names: Iterable[str], context: click.Context) -> frozenset[str]:
    """Return the ids of the rules that are named, or that are at least as serious as a named severity."""
    from mock_server.journal.rule import SEVERITIES  # noqa: PLC0415 - as above
    from mock_server.journal.rules import RULES  # noqa: PLC0415 - as above

    known = list(_failing(context))
    named = options.known_names(names, known, "rule or severity")
    least = max((SEVERITIES.index(name) for name in named if name in SEVERITIES), default=-1)
    return frozenset(
        name for name in known if name in RULES and (name in named or SEVERITIES.index(RULES[name].severity) <= least)
    )


@click.command(
    "exec",
    epilog=options.examples(
        "alta-mock exec -- node script.mjs",
        "alta-mock exec --strict --require 200,429 -- node script.mjs",
        "alta-mock exec --consumer --expect people.json -- node add.mjs people.json",
        "alta-mock exec --vary -- node script.mjs",
    ),
    context_settings={"allow_interspersed_args": False},
)
@click.option("--strict", is_flag=True, help="Fail if the contract is broken, or if nothing is sent.")
@click.option("--consumer", is_flag=True, help="Run the command once for each scenario, and judge it by rules.")
@click.option(
    "--vary",
    type=click.Choice(["choices", "pairs"]),
    is_flag=False,
    flag_value="choices",
    help="Run the command under each choice of the assumptions that it meets, or under combinations, too.",
)
@options.names_option(
    "--require",
    "NAME,...",
    _required,
    "Statuses that must be answered; with --consumer, rules that must be exercised.",
)
@options.names_option(
    "--fail-on",
    "NAME,...",
    _failing,
    "Fail if this rule is broken, or one of this severity or a worse one: error, warning, hint.",
)
@options.file_option("--expect", "With --consumer or --vary: prospects that must arrive, as JSON.")
@options.names_option("--only", "RULE,...", _rules, "With --consumer: judge by these rules only.")
@options.names_option("--skip", "RULE,...", _rules, "With --consumer: leave out these rules.")
@click.option(
    "--timeout",
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    default=90,
    show_default=True,
    help="With --consumer or --vary: time for each run.",
)
@options.random_seed
@options.file_option("--har", "Write the traffic as a HAR file, for a browser.")
@options.report_files
@options.mock_settings
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=options.complete_files)
def execute(
    command: tuple[str, ...], *, strict: bool, consumer: bool, require: tuple[str, ...], files: Files, **given: Any
) -> int:
    """Run COMMAND with a fake of its own, and report what it sent.

    COMMAND finds the fake by ALTA_BASE_URL, ALTA_API_TOKEN and ALTA_CAMPAIGN_ID. Without --strict the exit code is that
    of COMMAND; with --strict it is 1 if the contract is broken, 3 if nothing is sent; with --fail-on 1 if the traffic
    shows what is named. With --consumer, COMMAND runs once for each scenario, several at a time, and is judged by
    rules: 0 all are kept, 1 a rule is broken, 3 nothing is proven. With --vary it runs once under each choice of the
    assumptions that it meets: 0 it depends on none, 1 a choice breaks it, 3 nothing is proven.
    """
    vary = {name: given.pop(name) for name in ("vary", "random_seed")}
    judging = {name: given.pop(name) for name in ("expect", "only", "skip", "timeout")}
    fail_on = _rules_that_fail(given.pop("fail_on"), click.get_current_context())
    settings = {"why": not given.pop("no_why"), **given}
    demands = {"--strict": strict, "--require": require, "--fail-on": fail_on, "--har": files.har}
    demands["--store"] = settings["store"] != "memory"
    demands |= {"--only": judging["only"], "--skip": judging["skip"], "--consumer": consumer}
    if vary["vary"]:
        _refuse("--vary", demands)
        del judging["only"], judging["skip"]
        varied: int = options.from_kit("vary")(command, files=files, settings=settings, **judging, **vary)
        return varied
    if consumer:
        _refuse("--consumer", {name: demands[name] for name in ("--strict", "--har", "--store")})
        settings = {name: settings[name] for name in ("data", "openapi", "overlay", "assume", "why")}
        judging |= {"require": require, "fail_on": fail_on}
        code: int = options.from_kit("consumer")(command, files=files, settings=settings, **judging)
        return code
    if judging["expect"] or judging["only"] or judging["skip"]:
        raise click.UsageError("--expect, --only and --skip need --consumer; add it, or leave them out")
    from mock_server.mock import AltaMock  # noqa: PLC0415 - --help need not wait for it

    return run(command, AltaMock(**settings), Requirements(strict, _statuses(require), fail_on), files)


def _refuse(flag: str, others: Mapping[str, object]) -> None:
    given = [name for name, value in others.items() if value]
    if given:
        raise click.UsageError(f"{' and '.join(given)} cannot be combined with {flag}; leave one of them out")


def _statuses(names: tuple[str, ...]) -> tuple[int, ...]:
    for name in names:
        if not re.fullmatch("[1-5][0-9][0-9]", name, re.ASCII):
            raise click.UsageError(f"--require: {name!r} is not a status; write numbers, for example 200,429")
    return tuple(map(int, names))


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a run must fulfil: with `strict` at least one request and no broken contract, statuses, and rules."""

    strict: bool = False
    statuses: tuple[int, ...] = ()
    fail_on: frozenset[str] = frozenset()

    def missing(self, journal: Journal) -> list[int]:
        """Return the required statuses that were not answered."""
        return [status for status in self.statuses if status not in journal.statuses]

    def exit_code(self, code: int, mock: AltaMock) -> int:
        """Return the exit code of a run whose command ended with a code."""
        journal = mock.journal
        if code == INTERRUPTED:
            return code
        if (self.strict and journal.broken) or any(finding.name in self.fail_on for finding in mock.findings()):
            return BROKEN
        if code:
            return code
        return NOT_PROVEN if (self.strict and not journal.statuses) or self.missing(journal) else 0


def run(command: Sequence[str], mock: AltaMock, requirements: Requirements, files: Files) -> int:
    """Run a command with a fake on a free port, print the summary, and return the exit code."""
    from mock_server.journal.har import har  # noqa: PLC0415 - --help need not wait for it

    with mock.serve() as server:
        code = process.run(command, process.environment(mock, server.url))
    verdict = requirements.exit_code(code, mock)
    report = Report(
        "alta-mock exec",
        verdict,
        summary(mock, requirements),
        _cases(mock, requirements),
        lambda: {
            "command": [mock.redact(word) for word in command],
            "commandExitCode": code,
            "requests": [entry.as_dict() for entry in mock.requests],
            "findings": [finding.as_dict() for finding in mock.findings()],
        },
        partial(har, mock.requests, server.origin),
    )
    return conclude(report, files, say)


def summary(mock: AltaMock, requirements: Requirements) -> list[str]:
    """Return what was sent, what is wrong and what to do, in at most `MOST_LINES` lines."""
    statuses, total = mock.journal.statuses, mock.journal.statuses.total()
    counts = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    lines = [f"{total} request{'s' * (total != 1)}{': ' + counts if counts else ''}"]
    if not total:
        lines.append(paint(SENT_NOTHING, "not exercised"))
    missing = requirements.missing(mock.journal)
    lines += [f"{paint(f'required status {status} was not seen', 'not exercised')}; {PROVOKE}" for status in missing]
    for entry in mock.requests:
        if entry.broke_the_contract:
            explained = entry.as_dict()["violations"][0]
            where = f" [{explained['line']}]" if explained["line"] else ""
            broken = paint(f"broken by request {entry.number}", "broken")
            lines.append(f"{broken}: {entry.violations[0]}{where}; {explained['fix']}")
    for finding in mock.findings():
        name = paint(finding.name, "fail" if finding.name in requirements.fail_on else "warning")
        lines.append(f"{name}, request {', '.join(map(str, finding.requests[:3]))}: {finding.text}")
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} more; --json or --har shows all"]
    return [mock.redact(line) for line in lines]


def _cases(mock: AltaMock, requirements: Requirements) -> Iterator[Case]:
    """Yield a case for each request, finding that fails, required status, and for whether anything was sent."""
    for entry in mock.requests:
        name = f"request {entry.number}: {entry.method} {entry.path} -> {entry.status}"
        broken = entry.broke_the_contract
        yield Case(name, "broken" if broken else "kept", str(entry.violations[0]) if broken else "")
    for finding in mock.findings():
        if finding.name in requirements.fail_on:
            yield Case(finding.name, "fail", finding.text)
    missing = requirements.missing(mock.journal)
    for status in requirements.statuses:
        yield Case(f"required status {status}", "fail" if status in missing else "pass", f"not seen; {PROVOKE}")
    yield Case("something was sent", "pass" if mock.journal.statuses else "fail", SENT_NOTHING)
