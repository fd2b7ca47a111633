"""`alta-mock exec`: a command in any language with a fake, and the verdict."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import junitparser
import pytest

from mock_server.cli.main import main
from tests.conftest import CAMPAIGN

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "mock_server", "exec"]

PYTHON = """
import json, os, sys, urllib.request, urllib.error
def post(records, token=os.environ["ALTA_API_TOKEN"]):
    request = urllib.request.Request(
        f"{os.environ['ALTA_BASE_URL']}/campaigns/{os.environ['ALTA_CAMPAIGN_ID']}/prospects",
        json.dumps({"data": records}).encode(),
        {"Authorization": "Bearer " + token, "Content-Type": "application/json"},
    )
    try:
        return urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        return error.code
"""


def run(*words: str, code: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `alta-mock exec`, with a Python script as its command, if given."""
    command = [*COMMAND, *words, *(["--", sys.executable, "-c", PYTHON + code] if code is not None else [])]
    environ = {**os.environ, **variables}
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environ)


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines that the command itself printed."""
    return [line.removeprefix("alta-mock: ") for line in done.stderr.splitlines() if line.startswith("alta-mock: ")]


@pytest.mark.parametrize(
    ("flags", "code", "expected"),
    [
        ([], "post([{'email': 'a'}])", 0),
        ([], "post([]); sys.exit(7)", 7),
        ([], "post([])", 0),
        ([], "", 0),
        (["--strict"], "post([{'email': 'a'}])", 0),
        (["--strict"], "post([])", 1),
        (["--strict"], "post([]); sys.exit(7)", 1),
        (["--strict"], "post([{'email': 'a'}]); sys.exit(7)", 7),
        (["--strict"], "", 3),
        (["--strict"], "sys.exit(7)", 7),
        (["--strict"], "post([{'email': 'a'}], 'other-token')", 0),
        (["--strict"], "post([{'email': 'a'}], 'wrong-token')", 1),
        (["--require", "200,429"], "post([{'email': 'a'}])", 3),
        (["--require", "200,429", "--rate-limit", "1/60s"], "post([{'email': 'a'}]); post([{'email': 'b'}])", 0),
        (["--strict", "--require", "400"], "post([])", 1),
        (["--strict"], "post([{'email': 'a', 'first_name': 'b'}])", 0),
        (["--fail-on", "hint"], "post([{'email': 'a', 'first_name': 'b'}])", 1),
        (["--fail-on", "error", "--fail-on", "misspelt-field"], "post([{'email': 'a', 'first_name': 'b'}])", 1),
        (["--fail-on", "error"], "post([{'email': 'a', 'first_name': 'b'}])", 0),
        (["--fail-on", "error", "--rate-limit", "1/60s"], "[post([{'email': e}]) for e in 'abc']", 1),
    ],
)
def test_exit_codes(flags: list[str], code: str, expected: int) -> None:
    """It is the command's own; with --strict a broken contract (1) comes first, an empty run (3) last."""
    with pytest.raises(SystemExit) as ended:
        main(["exec", *flags, "--", sys.executable, "-c", PYTHON + code])

    assert (ended.value.code or 0) == expected


def test_the_command_finds_the_fake_by_its_environment() -> None:
    """The environment has base URL, token and campaign, and disables proxies."""
    done = run(
        code="known = [os.environ[n] for n in ('ALTA_BASE_URL', 'ALTA_CAMPAIGN_ID', 'NO_PROXY')]\n"
        "print(post([{'email': 'a'}]), *known)",
        NO_PROXY="example.com",
        HTTP_PROXY="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
    )

    assert re.fullmatch(
        rf"200 http://127\.0\.0\.1:\d+/v1 {CAMPAIGN} example\.com,127\.0\.0\.1,localhost\n", done.stdout
    )
    assert said(done) == ["1 request: 1 x 200"]


def test_the_summary_says_what_was_wrong_and_what_to_do() -> None:
    """It has the rule, the line of the contract, the remedy and the findings, in at most ten lines."""
    done = run(code="[post([{'email': str(n)}] * 21) for n in range(4)]; post([{'email': 'a', 'first_name': 'x'}])")
    lines = said(done)

    assert lines[0] == "5 requests: 1 x 200, 4 x 400"
    assert re.fullmatch(
        r"broken by request 1: maxItems /data: got 21 items; wanted at most 20 \[openapi\.yaml:\d+\];"
        r" send at most 20 items",
        lines[1],
    )
    assert any(line.startswith('misspelt-field, request 5: the field "first_name"') for line in lines)
    many = said(run(code="[post([{}], str(n)) for n in range(30)]"))
    assert len(many) == 10
    assert many[9] == "and 22 more; --json or --har shows all"


def test_nothing_is_proven() -> None:
    """The summary says what is missing, and what to do."""
    assert said(run("--strict", code="")) == [
        "0 requests",
        "the command sent nothing to ALTA_BASE_URL; does it read it?",
    ]
    assert said(run("--require", "429", code="post([{'email': 'a'}])")) == [
        "1 request: 1 x 200",
        "required status 429 was not seen; let the command provoke it, or change --require",
    ]


def test_reports(tmp_path: Path) -> None:
    """There is JSON for programs, JUnit for CI, and HAR for a browser."""
    files = {name: tmp_path / name for name in ("json", "junit", "har")}
    flags = [word for name, file in files.items() for word in (f"--{name}", str(file))]
    done = run("--strict", *flags, code="post([{'email': 'a'}]); post([])")

    assert done.returncode == 1
    report = json.loads(files["json"].read_text(encoding="utf-8"))
    assert (report["exitCode"], report["commandExitCode"], len(report["requests"])) == (1, 0, 2)
    (suite,) = junitparser.JUnitXml.fromfile(str(files["junit"]))
    assert [(case.name.partition(":")[0], bool(case.result)) for case in suite] == [
        ("request 1", False),
        ("request 2", True),
        ("something was sent", False),
    ]
    har: dict[str, Any] = json.loads(files["har"].read_text(encoding="utf-8"))
    assert [entry["response"]["status"] for entry in har["log"]["entries"]] == [200, 400]
    assert har["log"]["entries"][0]["request"]["url"].startswith("http://127.0.0.1:")


def test_curl() -> None:
    """The command may be in any language and may end at once."""
    line = (
        "curl -s -o /dev/null $ALTA_BASE_URL/campaigns/$ALTA_CAMPAIGN_ID/prospects -H 'Content-Type: application/json' "
        """-H "Authorization: Bearer $ALTA_API_TOKEN" -d '{"data":[{"email":"a"}]}'"""
    )
    curl = run("--strict", "--", "sh", "-c", line)

    assert (curl.returncode, said(curl)) == (0, ["1 request: 1 x 200"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_passed_on(number: int) -> None:
    """The exit code is 130 after Ctrl-C, otherwise 128 and the number; no process is left."""
    script = "import time\nprint(os.getpid(), flush=True)\ntime.sleep(60)"
    command = [*COMMAND, "--", sys.executable, "-c", PYTHON + script]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    assert process.stdout
    child = int(process.stdout.readline())
    process.send_signal(number)
    process.communicate(timeout=20)

    assert process.returncode == (130 if number == signal.SIGINT else 128 + number)
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_command_that_a_signal_ended() -> None:
    """The exit code is 128 and the number, as in a shell."""
    assert run(code="os.kill(os.getpid(), 9)").returncode == 128 + 9


def test_a_command_that_does_not_exist() -> None:
    """The exit code is 127, with one line."""
    done = run("--", "no-such-command-anywhere")

    assert done.returncode == 127
    assert said(done)[0] == "command not found: no-such-command-anywhere"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "missing argument 'COMMAND...'"),
        (
            ["--har", "/nope/x.har", "--", "true"],
            r"cannot write /nope/x\.har: No such file or directory; choose another",
        ),
        (["--junit", "/", "--", "true"], "cannot write /: Is a directory"),
        (["--har", "a" * 300, "--", "true"], "cannot write a+: File name too long"),
        (["--require", "20x", "--", "true"], "--require: '20x' is not a status; write numbers, for example 200,429"),
        (["--visible-after", "1m", "--", "true"], "--visible-after: '1m' is not a valid time"),
        (["--fail-on", "warnings", "--", "true"], "unknown rule or severity 'warnings'; did you mean warning"),
        (
            ["--fail-on", "0", "--", "true"],
            "unknown rule or severity '0'; choose one of error, warning, hint, .*gives-up",
        ),
        (["--rate-limit", "10", "--", "true"], "--rate-limit: '10' is not a valid limit"),
        (["--data", "/nope", "--", "true"], "cannot read /nope"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], words: list[str], message: str) -> None:
    """They are one line and exit code 2, before anything is run."""
    with pytest.raises(SystemExit) as ended:
        main(["exec", *words])

    assert ended.value.code == 2
    err = capsys.readouterr().err
    assert re.search(message, err), err
    assert err.count("\n") == 1


def test_a_closed_pipe_does_not_matter() -> None:
    """`alta-mock exec -- … | head` has the exit code of the command."""
    process = subprocess.Popen(
        [*COMMAND, "--", sys.executable, "-c", PYTHON + "post([{'email': 'a'}])"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr
    process.stderr.close()

    assert process.wait(20) == 0


def test_a_report_that_cannot_be_written_afterwards(tmp_path: Path) -> None:
    """The command prints one line and ends with 2; a broken contract is still 1."""
    folder = tmp_path / "gone"
    for code, expected in (("post([{'email': 'a'}])", 2), ("post([])", 1)):
        folder.mkdir()
        done = run("--strict", "--json", str(folder / "x.json"), code=f"{code}; os.rmdir({str(folder)!r})")
        assert done.returncode == expected
        assert any(line.startswith("cannot write ") for line in said(done))
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_the_command_started_ends_with_it(number: int) -> None:
    """A signal goes to the whole process group: no grandchild is left."""
    script = "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nprint(child.pid, flush=True)\nchild.wait()"
    command = [*COMMAND, "--", sys.executable, "-c", PYTHON + script]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    assert process.stdout
    grandchild = int(process.stdout.readline())
    process.send_signal(number)
    process.communicate(timeout=20)

    assert process.returncode == 128 + number
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and os.path.exists(f"/proc/{grandchild}"):  # noqa: PTH110 - until init has seen it end
        os.sched_yield()
    with pytest.raises(ProcessLookupError):
        os.kill(grandchild, 0)
