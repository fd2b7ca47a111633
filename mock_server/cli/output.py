"""What a run is told as: an exit code, lines on standard error, and report files, tried before it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click
import junitparser

from mock_server.journal.access_log import escaped
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

BROKEN, UNUSABLE, NOT_PROVEN, INTERRUPTED = 1, 2, 3, 130
"""Exit codes: a contract or a rule is broken, usage or a target that is unusable, nothing is proven, Ctrl-C."""

Case = tuple[str, str | None, str | None]
"""The name of a case, why it failed, and why it was skipped; None where it was not."""


def refuse_unwritable(files: Iterable[Path | None]) -> None:
    """Try report files before a run, which may be long.

    Raises:
        MockError: One cannot be written.
    """
    for file in filter(None, files):
        try:
            existed = file.exists()
            with file.open("a", encoding="utf-8"):
                pass
            if not existed:
                file.unlink()
        except OSError as error:
            raise MockError(f"cannot write {file}: {error.strerror}; choose another file") from error


def say(line: str) -> None:
    """Print a line to standard error, unless nobody listens there any more."""
    with contextlib.suppress(OSError):
        click.echo(f"alta-mock: {line}", err=True)


def write(reports: Mapping[Path | None, Callable[[], str]]) -> bool:
    """Write the reports that have a file, say which cannot be written, and tell whether all were."""
    written = True
    for file, report in reports.items():
        try:
            if file:
                file.write_text(report(), encoding="utf-8")
        except OSError as error:
            say(f"cannot write {file}: {error.strerror}; choose another file")
            written = False
    return written


def junit(suite: str, cases: Sequence[Case]) -> str:
    """Return a report of cases, in order, as JUnit's XML."""
    made = junitparser.TestSuite(suite)
    for name, failure, skipped in cases:
        case = junitparser.TestCase(_printable(name), classname="alta-mock")
        if failure is not None:
            case.result = [junitparser.Failure(_printable(failure))]
        elif skipped is not None:
            case.result = [junitparser.Skipped(_printable(skipped))]
        made.add_testcase(case)
    report = junitparser.JUnitXml()
    report.add_testsuite(made)
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]  # junitparser does not say
    return text.decode()


def _printable(text: str) -> str:
    """Escape what XML cannot hold; line ends stay."""
    return "\n".join(map(escaped, text.split("\n")))
