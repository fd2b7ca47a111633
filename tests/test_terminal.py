"""Output on a terminal: colours where they can be seen, and a status line that is removed at the end."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import click
import pytest

import alta_terminal as terminal
from alta_client.add import output as add_output
from alta_terminal import StatusLine, colour, paint
from contract_tests.provider.command import Progress
from contract_tests.provider.session import Step
from mock_server.cli.main import main
from mock_server.cli.output import say, show
from mock_server.journal.access_log import Log
from tests.conftest import CAMPAIGN, ROOT, Terminal, request_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mock_server import AltaMock

GREEN, YELLOW, RED = "\x1b[32m", "\x1b[33m", "\x1b[31m"

# --- Colour -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, None),
        ({"TERM": "xterm-256color"}, None),
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": "0"}, False),  # any value
        ({"NO_COLOR": ""}, None),  # except the empty value
        ({"TERM": "dumb"}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ({"FORCE_COLOR": "0"}, None),
        ({"FORCE_COLOR": ""}, None),
        ({"CLICOLOR_FORCE": "1"}, True),
        ({"CLICOLOR_FORCE": "0"}, None),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_what_the_environment_wants(environ: Mapping[str, str], wanted: object) -> None:
    """True is colour everywhere, False is no colour, None is colour on a terminal."""
    assert colour(environ) is wanted


def logged(mock: AltaMock, form: str, *, coloured: bool, body: bytes = b"{}") -> str:
    """Return the log line of a request."""
    stream = io.StringIO()
    log = Log(stream, form, mock.redact, colour=coloured)
    request = request_of(body)
    log.request(request, mock.handle(request), 1.0)
    log.note(502, "no request")
    return stream.getvalue()


def test_a_status_in_the_log_has_the_colour_of_its_class(mock: AltaMock) -> None:
    """The words are the same with and without colour; JSON has none."""
    good = logged(mock, "text", coloured=True, body=b'{"data": [{"email": "a"}]}')
    bad = logged(mock, "text", coloured=True)

    assert f" {GREEN}200\x1b[0m " in good
    assert f" {YELLOW}400\x1b[0m " in bad
    assert f"{RED}502\x1b[0m no request" in bad
    assert click.unstyle(bad) == logged(mock, "text", coloured=False)
    shown = [re.sub('"time": "[^"]*"', "", logged(mock, "json", coloured=coloured)) for coloured in (True, False)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(("wish", "seen"), [(None, False), ("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colour_of_a_stream(monkeypatch: pytest.MonkeyPatch, wish: str | None, seen: object) -> None:
    """The environment decides first, then whether the stream is a terminal."""
    monkeypatch.setenv("TERM", "xterm")
    if wish:
        monkeypatch.setenv(wish, "1")

    assert terminal.paints(io.StringIO()) is seen
    assert terminal.paints(Terminal()) is (wish != "NO_COLOR")
    assert terminal.paints(None) is seen


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Run `alta-mock` in this process, and return its whole output."""
    with pytest.raises(SystemExit):
        main(list(words))
    return "".join(capsys.readouterr())


def test_verdicts_of_verify(unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    """Kept, broken, not exercised and the last line are coloured; a pipe and a report are not."""
    words = ["--token", "test-token", "--campaign-id", CAMPAIGN, "--json", str(tmp_path / "r"), "--junit"]
    rules = "body,token-is-required,limit-of-the-account"
    with unlimited.serve() as server:
        words = ["verify", "--url", server.url, *words, str(tmp_path / "x"), "--only", rules]
        plain = printed(capsys, *words)
        monkeypatch.setenv("FORCE_COLOR", "1")
        coloured = printed(capsys, *words)

    assert "\x1b" not in plain
    assert f"{GREEN}kept         \x1b[0m" in coloured
    assert f"{YELLOW}not exercised\x1b[0m" in coloured
    assert f"{YELLOW}nothing is proven\x1b[0m" in coloured
    assert "\x1b" not in (tmp_path / "r").read_text() + (tmp_path / "x").read_text()


def test_verdicts_of_exec(monkeypatch: pytest.MonkeyPatch, capsys: Any, tmp_path: Path) -> None:
    """The broken rule and its request are coloured; the report is not."""
    words = ["exec", "--strict", "--require", "429", "--json", str(tmp_path / "r"), "--", sys.executable, "-c"]
    script = "import os, requests; requests.post(os.environ['ALTA_BASE_URL'] + '/x')"
    monkeypatch.setenv("CLICOLOR_FORCE", "1")
    coloured = printed(capsys, *words, script)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = printed(capsys, *words, script)

    assert f"alta-mock: {YELLOW}required status 429 was not seen\x1b[0m" in coloured
    assert f"{RED}broken by request 1\x1b[0m" in coloured
    assert "required status 429 was not seen" in plain
    assert "\x1b" not in plain + (tmp_path / "r").read_text()


@pytest.mark.slow
def test_verdicts_of_score(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """Correct results are green, survived mutants are red."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = printed(capsys, "score", "--jobs", "1", "--only", "client: correct")

    assert f"client: correct  {GREEN}passes\x1b[0m" in text
    assert f"{GREEN}1 of 1 equivalent mutants pass\x1b[0m" in text
    survived = printed(capsys, "score", "--jobs", "1", "--only", "21-accepted", "--without", "body")
    assert f"21-accepted  {RED}survived\x1b[0m" in survived


# --- The status line -------------------------------------------------------------------------------------------------


def test_the_status_line_is_overwritten_and_removed() -> None:
    """A shorter text leaves nothing of a longer one; no escape sequence is needed."""
    stream = Terminal()
    with StatusLine(stream, {}, clock=iter(range(10**6)).__next__) as progress:
        progress.show("a long text")
        assert stream.screen() == "a long text"
        progress.show("short")
        assert stream.screen() == "short"

    assert stream.screen() == ""
    assert stream.getvalue().endswith("\r")
    assert "\x1b" not in stream.getvalue()


def test_it_changes_ten_times_a_second_at_most() -> None:
    """Important updates are shown at once."""
    stream, now = Terminal(), [0.0]
    progress = StatusLine(stream, {}, clock=lambda: now[0])
    progress.show("first")
    now[0] = 0.05
    progress.show("too early")
    assert stream.screen() == "first"
    progress.show("urgent", now=True)
    assert stream.screen() == "urgent"
    now[0] = 0.2
    progress.show("later")
    assert stream.screen() == "later"


@pytest.mark.parametrize(
    ("stream", "environ"), [(io.StringIO(), {"TERM": "xterm"}), (Terminal(), {"TERM": "dumb"})], ids=["pipe", "dumb"]
)
def test_elsewhere_nothing_is_written(stream: io.StringIO, environ: Mapping[str, str]) -> None:
    """Nothing is written to a pipe, or if the cursor cannot go back."""
    with StatusLine(stream, environ) as progress:
        progress.show("text")

    assert not progress.visible
    assert stream.getvalue() == ""


def test_a_missing_stream_is_accepted() -> None:
    """A closed stream or a missing one is not an error."""
    stream = Terminal()
    with StatusLine(stream, {}) as progress:
        stream.close()
        progress.show("text")
    assert not terminal.is_terminal(stream)
    assert not terminal.is_terminal(None)


@pytest.mark.parametrize(("columns", "shown"), [(20, "x" * 19), (0, "x" * 79), (200, "x" * 100)])
def test_it_fits_into_the_terminal(columns: int, shown: str) -> None:
    """The last column stays free; a terminal of unknown width has 80."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb", buffering=0) as screen:
        fcntl.ioctl(stream, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        StatusLine(stream, {}).show("x" * 100)
        assert screen.read(1000) == b"\r" + shown.encode()


def test_what_verify_shows_on_a_terminal() -> None:
    """It shows the current step, the progress, and the remaining wait."""
    stream = Terminal()
    progress = Progress(StatusLine(stream, {}, clock=iter(range(10**6)).__next__))
    progress(Step("body", 12, 200))
    assert stream.screen() == "12 of about 200 requests  body"
    progress(Step("body: waiting for quota", 12, 200, 41.6))
    assert stream.screen() == "12 of about 200 requests, 42 s to wait  body: waiting for quota"
    progress(Step("schemathesis", 341, 200))
    assert stream.screen() == "341 requests  schemathesis"


def test_what_verify_prints_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints a long wait once, and no short wait."""
    progress = Progress(StatusLine(io.StringIO(), {}))
    for wait in (0.0, 8.0, 7.0, 6.0, 0.0, 4.0, 0.0, 9.0):
        progress(Step("limit-is-kept", 11, 200, wait))

    assert capsys.readouterr().err.splitlines() == [
        "alta-mock: 11 requests so far; limit-is-kept, 8 s",
        "alta-mock: 11 requests so far; limit-is-kept, 9 s",
    ]


# --- A real terminal --------------------------------------------------------------------------------------------------


def on_terminal(*words: str, **variables: str) -> str:
    """Run one of our modules on its own terminal, and return what it writes there."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environ = {**os.environ, "TERM": "xterm", **variables}
    with subprocess.Popen([sys.executable, "-m", *words], stdout=theirs, stderr=theirs, env=environ, cwd=ROOT) as run:
        os.close(theirs)
        written = b""
        try:
            while some := os.read(ours, 65536):
                written += some
        except OSError:  # Linux reports the end of the output this way
            pass
        run.wait(30)
    os.close(ours)
    return written.decode()


@pytest.mark.slow
def test_both_programs_on_a_terminal() -> None:
    """They are coloured unless colour is disabled, and the status line is removed."""
    check = ("alta_client", "examples/people.csv", "--dry-run")
    score = ("mock_server", "score", "--jobs", "1", "--only", "client: correct")

    assert on_terminal(*check).startswith(GREEN)
    assert "\x1b" not in on_terminal(*check, NO_COLOR="1")
    text = on_terminal(*score)
    progress, _, report = text.partition("client: correct  " + GREEN)
    assert "\r0 of 1 examined" in progress
    assert re.search(r"\r +\r(client: correct  )?$", progress)
    assert "examined\r" not in report.replace("\r\n", "\n")
    assert "\x1b" not in on_terminal(*score, TERM="dumb")


ODD = "a\x1b[2Jb\x9b31mc\u202ed\ne\x1b]0;f\x07"
"""What a terminal would obey, and a line break."""

ESCAPED = r"a\x1b[2Jb\x9b31mc\u202ed\ne\x1b]0;f\x07"


def test_what_a_terminal_would_obey_is_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """In everything that commands print: only line breaks of whole texts, and our own colours, are left."""
    show(f"{paint(ODD, 'kept')}: {ODD}")
    say(ODD)
    add_output.say(ODD.replace("\n", ""), 1)
    out, err = capsys.readouterr()

    first, last = ESCAPED.split(r"\n")
    assert out == f"{ESCAPED}: {first}\n{last}\n"
    assert err == f"alta-mock: {ESCAPED}\nalta-add: {ESCAPED.replace(chr(92) + 'n', '')}\n"
