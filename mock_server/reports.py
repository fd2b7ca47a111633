"""Report files: tried before a run, written behind it; JUnit's XML, which every CI reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import junitparser

from mock_server.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

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


def write(reports: Mapping[Path, str]) -> list[str]:
    """Write reports, and return what could not be written, each in a line."""
    failed = []
    for file, text in reports.items():
        try:
            file.write_text(text, encoding="utf-8")
        except OSError as error:
            failed.append(f"cannot write {file}: {error.strerror}; choose another file")
    return failed


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
    return "\n".join(
        line if line.isprintable() else line.encode("unicode_escape").decode("ascii") for line in text.split("\n")
    )
