"""The reporter of all commands: lines, report files as JSON and JUnit XML, and the exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from alta_terminal import paint
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

BROKEN, UNUSABLE, NOT_PROVEN, INTERRUPTED = 1, 2, 3, 130
"""Exit codes: a contract or rule is broken, usage or target is unusable, nothing is proven, Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a report's table and one test case of its JUnit XML.

    Attributes:
        verdict: A verdict of `alta_terminal.COLOURS`; `broken` and `fail` are failures, `not exercised` is skipped.
        text: Why it failed or was skipped, for JUnit.
        note: What the table shows after the verdict.
    """

    name: str
    verdict: str
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Files:
    """The report files to write; None for those that were not requested."""

    json: Path | None = None
    junit: Path | None = None
    har: Path | None = None

    def check(self) -> None:
        """Check that the files can be written before a run, which may be long.

        Raises:
            MockError: A file cannot be written.
        """
        for file in filter(None, (self.json, self.junit, self.har)):
            try:
                existed = file.exists()
                file.open("a", encoding="utf-8").close()
                if not existed:
                    file.unlink()
            except OSError as error:
                raise MockError(_unwritable(file, error)) from error


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a command, as its reports show it.

    Attributes:
        tool: The name of the JUnit suite, for example `alta-mock verify`.
        lines: The text, with painted verdicts.
        cases: The test cases of the JUnit report; read only if there is one.
        value: Returns the value of the JSON report.
        har: Returns the text of the HAR file.
    """

    tool: str
    exit_code: int
    lines: Iterable[str]
    cases: Iterable[Case]
    value: Callable[[], Any]
    har: Callable[[], str] | None = None


def conclude(report: Report, files: Files, echo: Callable[[str], object] | None = None) -> int:
    """Print a report, write its files, and return the exit code of the command.

    A file that cannot be written makes it 2, unless a contract is broken or the command was interrupted. `echo` prints
    a line; to standard output by default.
    """
    for line in report.lines:
        (echo or show)(line)
    texts: Mapping[Path | None, Callable[[], str] | None] = {
        files.har: report.har,
        files.json: lambda: json.dumps(report.value(), indent=2) + "\n",
        files.junit: lambda: _junit(report.tool, report.cases),
    }
    written = True
    for file, text in texts.items():
        try:
            if file and text:
                file.write_text(text(), encoding="utf-8")
        except OSError as error:
            say(_unwritable(file, error))
            written = False
    return report.exit_code if written or report.exit_code in {BROKEN, INTERRUPTED} else UNUSABLE


def table(cases: Sequence[Case]) -> Iterator[str]:
    """Yield a line with name, painted verdict and note for each case."""
    width = max((len(case.name) for case in cases), default=0)
    for case in cases:
        yield f"{case.name:{width}}  {paint(f'{case.verdict:13}', case.verdict)}  {case.note}".rstrip()


def counts(cases: Sequence[Case], verdicts: Iterable[str]) -> str:
    """Return how many cases have each verdict, for example `2 kept, 0 broken`."""
    found = [case.verdict for case in cases]
    return ", ".join(f"{found.count(verdict)} {verdict}" for verdict in verdicts)


def show(line: str) -> None:
    """Print a line to standard output; after the reader has closed it, discard the line."""
    try:
        click.echo(line)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(line: str) -> None:
    """Print a line to standard error; if it is closed, do nothing."""
    with contextlib.suppress(OSError):
        click.echo(f"alta-mock: {line}", err=True)


def _unwritable(file: Path | None, error: OSError) -> str:
    return f"cannot write {file}: {error.strerror}; choose another file"


def _junit(suite: str, cases: Iterable[Case]) -> str:
    """Return cases, in order, as JUnit XML."""
    import junitparser  # noqa: PLC0415 - --help need not wait for it

    made = junitparser.TestSuite(suite)
    for case in cases:
        shown = junitparser.TestCase(_printable(case.name), classname="alta-mock")
        if case.verdict in {"broken", "fail"}:
            shown.result = [junitparser.Failure(_printable(case.text))]
        elif case.verdict == "not exercised":
            shown.result = [junitparser.Skipped(_printable(case.text or case.verdict))]
        made.add_testcase(shown)
    report = junitparser.JUnitXml()
    report.add_testsuite(made)
    text: bytes = report.tostring()  # type: ignore[no-untyped-call]  # junitparser does not say
    return text.decode()


def _printable(text: str) -> str:
    """Escape what XML cannot contain, except line breaks."""
    from mock_server.journal.access_log import escaped  # noqa: PLC0415 - only JUnit needs it

    return "\n".join(map(escaped, text.split("\n")))
