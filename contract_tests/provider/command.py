"""`alta-mock verify`: from what was said on the command line to an examination, its report and its exit code."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

import click

import alta_terminal as terminal
from contract_tests.provider.results import Report
from contract_tests.provider.rules import RULES, TAG, Given
from contract_tests.provider.verify import Options, Step, examine, planned_records, redactor_of
from contract_tests.provider.wire import FakeWire, Unusable, provider_at
from contract_tests.reporting import provider_report as told_as
from mock_server.cli.options import LIMIT, examples, known_names, names_option, random_seed, report_files
from mock_server.cli.output import UNUSABLE, Files, refuse_unwritable, say, write
from mock_server.contract.limits import Limit
from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from pathlib import Path


LONG = 5.0
"""Seconds of a wait that is announced where there is no terminal."""


def run(given: Given, options: Options, files: Files, *, write_there: bool, reject_only: bool) -> int:
    """Examine a provider, print the report, and return the exit code.

    Raises:
        MockError: Something that was given cannot be used, or the provider must not be written to.
    """
    refuse_unwritable((files.json, files.junit))
    given = permitted(checked(given), write_there=write_there, reject_only=reject_only)
    if given.writes and not given.local:
        say(
            f"adding about {planned_records(given)} prospects to campaign {given.campaign_id} at {given.url},"
            f" with {TAG} in a field"
        )
    with terminal.StatusLine() as progress:
        report = examine_at(given, replace(options, tell=Telling(progress)))
    return conclude(report, given, files)


def examine_at(given: Given, options: Options) -> Report:
    """Examine the provider at its URL; alta-mock, if it is one, with its clock moved."""
    try:
        provider = provider_at(given.url)
    except Unusable as error:
        return Report({}, unusable=str(error))
    patient = given.rate_limit is not None and not isinstance(provider, FakeWire)
    try:
        return examine(given, provider, replace(options, patient=patient))
    finally:
        provider.close()


def limit_of(text: str) -> tuple[int, int] | None:
    """Read a limit: requests and seconds, None for `off`.

    Raises:
        MockError: It has another form.
    """
    limit = Limit.parse(text)
    return (limit.requests, limit.seconds) if limit else None


def conclude(report: Report, given: Given, files: Files) -> int:
    """Print and write a report, and return the exit code."""
    redact = redactor_of(given)
    if report.unusable:
        say(report.unusable)
    else:
        for line in told_as.lines(report, given, redact, terminal.paint):
            click.echo(line)
    written = write(
        {
            files.json: partial(told_as.as_json, report, given, redact),
            files.junit: partial(told_as.as_junit, report, given, redact),
        }
    )
    return report.exit_code or (0 if written else UNUSABLE)


def checked(given: Given) -> Given:
    """Return what was given, if it can be used.

    Raises:
        MockError: An address, an id or a token cannot be used; names the option and the remedy.
    """
    try:
        parts = urlsplit(given.url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if parts.username is not None:
        raise MockError("--url names a user; the token is all that is needed")
    if not usable or parts.query or parts.fragment or not (given.url.isprintable() and given.url.isascii()):
        raise MockError(f"--url {given.url!r} is no address; give the base URL, like http://127.0.0.1:8080/v1")
    for name in ("campaign_id", "second_campaign_id", "foreign_campaign_id"):
        value = getattr(given, name)
        if value is not None and not _is_uuid(value):
            raise MockError(
                f"--{name.replace('_', '-')} {value!r} is no UUID, like 3c90c3cc-0d44-4b50-8888-8dd25736052a"
            )
    for name in ("token", "second_token", "other_account_token"):
        value = getattr(given, name)
        if value is not None and not (value.isascii() and value.isprintable() and value and " " not in value):
            raise MockError(f"--{name.replace('_', '-')} is empty or malformed; give printable ASCII, without Bearer")
    return replace(given, url=given.url.rstrip("/"), local=is_loopback(parts.hostname or ""))


def permitted(given: Given, *, write_there: bool, reject_only: bool) -> Given:
    """Return what was given, with whether anything may be sent that is to be accepted.

    Raises:
        MockError: The provider is on another machine, and nobody said what may be sent there.
    """
    if write_there and reject_only:
        raise MockError("--write and --reject-only exclude each other")
    if not given.local and not (write_there or reject_only):
        host = urlsplit(given.url).hostname
        raise MockError(
            f"{host} is not this machine: say --reject-only to send only what must be refused, or --write to add about"
            f" {planned_records(given)} prospects there, tagged {TAG}"
        )
    return replace(given, writes=not reject_only)


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


class Telling:
    """Tells how far an examination has come: all of it on a terminal, elsewhere long waits only."""

    def __init__(self, progress: terminal.StatusLine) -> None:
        self._progress = progress
        self._waiting = False

    def __call__(self, step: Step) -> None:
        """Tell a step."""
        begins, self._waiting = bool(step.wait) and not self._waiting, bool(step.wait)
        if self._progress.visible:
            planned = f" of about {step.planned}" if step.planned > step.requests else ""
            waiting = f", {step.wait:.0f} s to wait" if step.wait else ""
            self._progress.show(f"{step.requests}{planned} requests{waiting}  {step.doing}", now=bool(step.wait))
        elif begins and step.wait > LONG:
            say(f"{step.requests} requests so far; {step.doing}, {step.wait:.0f} s")


@click.command(
    epilog=examples(
        "alta-mock verify --url http://127.0.0.1:8080/v1 --token test-token \\",
        "  --campaign-id 3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "alta-mock verify --reject-only --max-requests 40 --junit verify.xml",
        "alta-mock verify --only at-most-20,at-least-1",
    )
)
@click.option(
    "--url",
    envvar="ALTA_BASE_URL",
    show_envvar=True,
    required=True,
    metavar="URL",
    help="The base URL; it ends in /v1.",
)
@click.option(
    "--token", envvar="ALTA_API_TOKEN", show_envvar=True, required=True, metavar="TOKEN", help="A valid token."
)
@click.option(
    "--campaign-id",
    envvar="ALTA_CAMPAIGN_ID",
    show_envvar=True,
    required=True,
    metavar="ID",
    help="A campaign of its account.",
)
@click.option("--second-token", metavar="TOKEN", help="A token of another user of the same account.")
@click.option("--second-campaign-id", metavar="ID", help="Another campaign of the same account.")
@click.option("--other-account-token", metavar="TOKEN", help="A token of another account.")
@click.option("--foreign-campaign-id", metavar="ID", help="A campaign of that other account.")
@click.option("--rate-limit", default="10/60s", help="The limit that adding prospects is to have.", **LIMIT)
@click.option(
    "--account-rate-limit", default="100/60s", help="The limit that there is to be over all operations.", **LIMIT
)
@click.option("--allow-get", is_flag=True, help="Send GET /campaigns too, to measure the limit over all operations.")
@click.option("--write", "write_there", is_flag=True, help="Add prospects on another machine than this one.")
@click.option("--reject-only", is_flag=True, help="Send only what must be refused.")
@click.option("--max-requests", type=click.IntRange(1), metavar="N", help="Send so many requests at most.")
@names_option("--only", "RULE,...", lambda _: RULES, "Judge by these rules.")
@names_option("--skip", "RULE,...", lambda _: RULES, "Leave these rules out.")
@random_seed
@report_files
def verify(  # noqa: PLR0913 - click passes each option
    *,
    write_there: bool,
    reject_only: bool,
    max_requests: int | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    random_seed: int,
    json: Path | None,
    junit: Path | None,
    **given: Any,
) -> int:
    """Tell whether a server keeps the contract of the Alta API.

    It may be a fake, a staging system, or the vendor.

    Exit codes: 0 it does, 1 a rule is broken, 2 it cannot be examined, 3 nothing is proven, 130 interrupted.
    """
    names = (known_names(only, RULES, "rule"), known_names(skip, RULES, "rule"))
    options = Options(*names, max_requests=max_requests, seed=random_seed)
    given |= {name: limit_of(given[name]) for name in ("rate_limit", "account_rate_limit")}
    return run(Given(**given), options, Files(json, junit), write_there=write_there, reject_only=reject_only)
