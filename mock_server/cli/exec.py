"""`alta-mock exec`: a command beside a fake of its own, and what is to be said of it afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from alta_terminal import paint
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, UNUSABLE, junit, refuse_unwritable, say, write
from mock_server.journal.har import har

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    Case = tuple[str, str | None, str | None]
    from mock_server.journal.entries import Journal
    from mock_server.mock import AltaMock

NOT_RUNNABLE, NOT_FOUND, SIGNALLED = 126, 127, 128
"""What a shell makes of a command that cannot be run, is not there, or was ended by a signal, whose number it adds."""

MOST_LINES = 10
"""Lines of the summary at most."""

PATIENCE = 5.0
"""Seconds that a command has to end after Ctrl-C or SIGTERM, before it is killed."""


_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


@dataclass(frozen=True)
class Options:
    """What a run is held to, and where its reports go.

    Attributes:
        strict: Whether a broken contract, or none that was tested, fails the run.
        require: Statuses that must have been answered.
    """

    strict: bool = False
    require: tuple[int, ...] = ()
    har: Path | None = None
    json: Path | None = None
    junit: Path | None = None


def execute(command: Sequence[str], mock: AltaMock, options: Options) -> int:
    """Run a command with a fake on a free port, say what it did, and return the exit code of the whole.

    Raises:
        MockError: A report cannot be written.
    """
    refuse_unwritable((options.har, options.json, options.junit))
    with mock.serve() as server:
        code = _run(command, {**os.environ, **environment(mock, server.url)})
    for line in summary(mock, options):
        say(line)
    verdict = exit_code(code, mock.journal, options)
    origin = server.origin
    reports = {
        options.har: partial(har, mock.requests, origin),
        options.json: partial(_json, command, code, verdict, mock),
        options.junit: partial(_junit, mock, options),
    }
    if not write(reports) and verdict not in {BROKEN, INTERRUPTED}:
        return UNUSABLE
    return verdict


def environment(mock: AltaMock, url: str) -> dict[str, str]:
    """Return what a consumer needs: base URL, a token, a campaign, and no proxy between it and the fake."""
    known = {
        "ALTA_BASE_URL": url,
        **{
            name: ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"]))
            for name in ("NO_PROXY", "no_proxy")
        },
    }
    default_credentials = mock.default_credentials()
    return (
        {**known, "ALTA_API_TOKEN": default_credentials[0], "ALTA_CAMPAIGN_ID": default_credentials[1]}
        if default_credentials
        else known
    )


def exit_code(code: int, journal: Journal, options: Options) -> int:
    """Return the exit code of a run whose command ended with a code."""
    if code == INTERRUPTED:
        return code
    if options.strict and journal.broken:
        return BROKEN
    if code:
        return code
    if (options.strict and not journal.statuses) or missing(journal, options):
        return NOT_PROVEN
    return 0


def missing(journal: Journal, options: Options) -> list[int]:
    """Return the required statuses that were not answered."""
    return [status for status in options.require if status not in journal.statuses]


def summary(mock: AltaMock, options: Options) -> list[str]:
    """Say in at most `MOST_LINES` lines, with verdicts that are painted, what was sent, what is wrong, what to do."""
    entries = mock.requests
    statuses, total = mock.journal.statuses, mock.journal.statuses.total()
    counts = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    lines = [f"{total} request{'s' * (total != 1)}{': ' + counts if counts else ''}"]
    lines += [
        paint(f"required status {status} was not seen", "not exercised") for status in missing(mock.journal, options)
    ]
    for entry in entries:
        if entry.broke_the_contract:
            explained = entry.as_dict()["violations"][0]
            where = f" [{explained['line']}]" if explained["line"] else ""
            broken = paint(f"broken by request {entry.number}", "broken")
            lines.append(f"{broken}: {entry.violations[0]}{where}; {explained['fix']}")
    lines += [
        f"{paint(one.name, 'warning')}, request {', '.join(map(str, one.requests[:3]))}: {one.text}"
        for one in mock.findings()
    ]
    if len(lines) > MOST_LINES:
        lines = [*lines[: MOST_LINES - 1], f"and {len(lines) - MOST_LINES + 1} more; --json or --har shows all"]
    return [mock.redact(line) for line in lines]


def _has_terminal() -> bool:
    """Tell whether a terminal signals the command itself, which then must stay in its process group."""
    return bool(sys.stdin) and sys.stdin.isatty()


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a command and to all that it started; without a group of its own, to the command."""
    _signal(process, number, group=os.name != "nt" and not _has_terminal())


def _signal(process: subprocess.Popen[bytes], number: int, *, group: bool) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command, pass signals on to it, and return its exit code as a shell would."""
    try:
        process = subprocess.Popen(  # noqa: S603 - to run it is what we are asked
            list(command), env=dict(environ), process_group=None if _has_terminal() or os.name == "nt" else 0
        )
    except FileNotFoundError:
        say(f"command not found: {command[0]}")
        return NOT_FOUND
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        return NOT_RUNNABLE
    with _signals_passed_on(process) as heard:
        code = process.wait()
    if signal.SIGINT in heard:
        return INTERRUPTED
    return SIGNALLED - code if code < 0 else code


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a command and all that it started: first by a word, then by force."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        _signal(process, number, group=os.name != "nt")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
            return


@contextlib.contextmanager
def _signals_passed_on(process: subprocess.Popen[bytes]) -> Iterator[set[int]]:
    """Pass signals on, and kill a command that does not heed them; yields those that came."""
    heard: set[int] = set()
    timers: list[threading.Timer] = []

    def pass_on(number: int, _frame: object) -> None:
        if not heard:
            timers.append(threading.Timer(PATIENCE, _send, (process, getattr(signal, "SIGKILL", signal.SIGTERM))))
            timers[0].daemon = True
            timers[0].start()
        heard.add(number)
        if not (number == signal.SIGINT and _has_terminal()):  # a terminal told the command itself
            _send(process, number)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, pass_on) for number in _SIGNALS}
    try:
        yield heard
    finally:
        for timer in timers:
            timer.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _json(command: Sequence[str], code: int, verdict: int, mock: AltaMock) -> str:
    report = {
        "command": [mock.redact(word) for word in command],
        "commandExitCode": code,
        "exitCode": verdict,
        "requests": [entry.as_dict() for entry in mock.requests],
        "findings": [finding.as_dict() for finding in mock.findings()],
    }
    return json.dumps(report, indent=2) + "\n"


def _junit(mock: AltaMock, options: Options) -> str:
    """Make a report with a case for each request, and one for each status that was required."""
    cases: list[Case] = [
        (
            f"request {entry.number}: {entry.method} {entry.path} -> {entry.status}",
            str(entry.violations[0]) if entry.broke_the_contract else None,
            None,
        )
        for entry in mock.requests
    ]
    absent = missing(mock.journal, options)
    cases += [
        (f"required status {status}", "it was not seen" if status in absent else None, None)
        for status in options.require
    ]
    cases.append(("something was sent", None if mock.journal.statuses else "no request was made", None))
    return junit("alta-mock exec", cases)
