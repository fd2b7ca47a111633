"""`alta-mock verify`: from what was said on the command line to an examination, its report and its exit code."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

import click

import alta_terminal as terminal
from contract_tests.provider.results import Report
from contract_tests.provider.rules import RULES, TAG, Given
from contract_tests.provider.verify import Options, Step, examine, planned_records, redactor_of
from contract_tests.provider.wire import FakeWire, Unusable, provider_at
from contract_tests.reporting import provider_report as told_as
from mock_server.cli.output import UNUSABLE, refuse_unwritable, say, write
from mock_server.contract.limits import Limit
from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


LONG = 5.0
"""Seconds of a wait that is announced where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where reports go."""

    json: Path | None = None
    junit: Path | None = None


def verify(given: Given, options: Options, files: Files, *, write_there: bool, reject_only: bool) -> int:
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


def known_rules(names: Iterable[str], rules: Mapping[str, object] = RULES) -> frozenset[str]:
    """Return names of rules.

    Raises:
        MockError: There is no such rule; suggests the nearest.
    """
    return known_names(names, rules, "rule")


def known_names(names: Iterable[str], known: Mapping[str, object], kind: str) -> frozenset[str]:
    """Return names of a kind of things.

    Raises:
        MockError: There is no such thing; suggests the nearest.
    """
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
            near = f"; did you mean {close[0]}" if close else f"; there are {', '.join(known)}"
            raise MockError(f"there is no {kind} {name!r}{near}")
    return frozenset(names)


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
