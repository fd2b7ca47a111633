"""The reporter of all commands: lines, report files as JSON and JUnit XML, and the exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import textwrap
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from alta_terminal import escaped, output, paint, unexpected
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

BROKEN, UNUSABLE, NOT_PROVEN, INTERRUPTED = 1, 2, 3, 130
"""Exit codes: a contract or rule is broken, usage or target is unusable, nothing is proven, Ctrl-C."""

LONGEST_MESSAGE = 120
"""Characters of the message of a failure in JUnit XML; its text has the details."""


@dataclass(frozen=True, slots=True)
class Case:
    """One line of a report's table and one test case of its JUnit XML.

    Attributes:
        verdict: A verdict of `alta_terminal.COLOURS`, or `error` if the command itself failed.
        text: Why it failed or was skipped, for JUnit: a line, then the details.
        note: What the table shows after the verdict.
        seconds: How long it took; None if that was not measured.
    """

    name: str
    verdict: str
    text: str = ""
    note: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Files:
    """The report files to write, None for those that were not requested, and when the command began."""

    json: Path | None = None
    junit: Path | None = None
    har: Path | None = None
    begun: float = field(default_factory=time.monotonic)

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
        tool: The command, for example `alta-mock verify`.
        lines: The text, with painted verdicts.
        cases: The test cases of the JUnit report; read only if something shows them.
        value: Returns the members of the JSON report besides tool, exit code and seconds.
        har: Returns the text of the HAR file.
    """

    tool: str
    exit_code: int
    lines: Iterable[str]
    cases: Iterable[Case]
    value: Callable[[], Mapping[str, Any]]
    har: Callable[[], str] | None = None


def conclude(report: Report, files: Files, echo: Callable[[str], object] | None = None) -> int:
    """Print a report, write its files, and return the exit code of the command.

    A file that cannot be written makes it 2, unless a contract is broken or the command was interrupted. `echo` prints
    a line; to standard output by default.
    """
    for line in report.lines:
        (echo or show)(line)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in github_annotations(report):
            (echo or show)(line)
    seconds = round(time.monotonic() - files.begun, 3)
    head = {"tool": report.tool, "exitCode": report.exit_code, "seconds": seconds}
    texts: Mapping[Path | None, Callable[[], str] | None] = {
        files.har: report.har,
        files.json: lambda: json.dumps({**head, **report.value()}, indent=2) + "\n",
        files.junit: lambda: _junit(report, seconds),
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


def github_annotations(report: Report) -> Iterator[str]:
    """Yield a line for each failed case, which GitHub shows beside the run.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    kinds = {"broken": "error", "fail": "error", "error": "error", "warning": "warning"}
    for case in report.cases:
        if kind := kinds.get(case.verdict):
            title = _command_text(f"{report.tool}: {case.name}").replace(":", "%3A").replace(",", "%2C")
            yield f"::{kind} title={title}::{_command_text(case.text or case.verdict)}"


def _command_text(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def show(line: str) -> None:
    """Print a line to standard output; after the reader has closed it, discard the line."""
    try:
        click.echo(output(line))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(line: str) -> None:
    """Print a line to standard error; if it is closed, do nothing."""
    with contextlib.suppress(OSError):
        click.echo(f"alta-mock: {output(line)}".replace("\n", r"\n"), err=True)


def conclude_failed(tool: str, error: Exception, files: Files) -> None:
    """Write the report files of a command that an error ended."""
    text = line_of(error)
    conclude(Report(tool, UNUSABLE, (), [Case("the command ran", "error", text)], lambda: {"error": text}), files)


def line_of(error: Exception) -> str:
    """Return an error as one line; that of a value begins with the option, or the variable, that it comes from."""
    if isinstance(error, click.BadParameter) and error.message and error.ctx and isinstance(error.param, click.Option):
        source = error.ctx.get_parameter_source(str(error.param.name))
        name = error.param.envvar if source is click.core.ParameterSource.ENVIRONMENT else error.param.opts[0]
        text = f"{name}: {error.message.rstrip('.')}"
    elif isinstance(error, click.ClickException):
        text = error.format_message()
        text = text[:1].lower() + text[1:].rstrip(".")
    else:
        text = str(error) if isinstance(error, MockError) else unexpected(error)
    return " ".join(text.split())


def _unwritable(file: Path | None, error: OSError) -> str:
    return f"cannot write {file}: {error.strerror}; choose another file"


def _junit(report: Report, seconds: float) -> str:
    """Return the cases of a report, in order, as JUnit XML."""
    import junitparser  # noqa: PLC0415 - --help need not wait for it

    kinds = {"broken": junitparser.Failure, "fail": junitparser.Failure, "error": junitparser.Error}
    kinds["not exercised"] = junitparser.Skipped
    suite = junitparser.TestSuite(report.tool)
    for case in report.cases:
        shown = junitparser.TestCase(_printable(case.name), report.tool.replace(" --", ".").replace(" ", "."))
        if case.seconds is not None:
            shown.time = case.seconds
        if case.verdict in kinds:
            details = _printable(case.text or case.verdict)
            message = textwrap.shorten(details.partition("\n")[0], LONGEST_MESSAGE, placeholder="...")
            result = kinds[case.verdict](message, case.verdict)
            result.text = details
            shown.result = [result]
        suite.add_testcase(shown)
    made = junitparser.JUnitXml()
    made.add_testsuite(suite)
    made.time = suite.time = seconds
    text: bytes = made.tostring()  # type: ignore[no-untyped-call]  # junitparser does not say
    return text.decode()


def _printable(text: str) -> str:
    """Escape what XML cannot contain, except line breaks."""
    return "\n".join(map(escaped, text.split("\n")))
