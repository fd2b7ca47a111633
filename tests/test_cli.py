"""The command: its output, its error messages, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests

from mock_server import AltaMock
from mock_server.cli.main import main
from mock_server.cli.serve import banner, parse_address
from mock_server.contract.assumptions import load as load_assumptions
from mock_server.messages.errors import MockError
from tests.conftest import CAMPAIGN, ONE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "mock_server"]
HEADERS = {"Authorization": "Bearer test-token"}


class Serving:
    """A server process whose banner was read."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.banner = ""
        assert process.stderr
        for line in process.stderr:
            self.banner += line
            if line.startswith("Stop it"):
                break
        found = re.search(r"at (http://\S+/v1)", self.banner)
        assert found, self.banner
        self.url = found[1]
        self.prospects = f"{self.url}/campaigns/{CAMPAIGN}/prospects"

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, list[str], str]:
        """Stop the server; return its exit code, the lines of standard output, and the rest of standard error."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out.splitlines(), err


@contextmanager
def serving(*flags: str, **variables: str) -> Iterator[Serving]:
    """Run `alta-mock serve` on a free port."""
    process = subprocess.Popen(
        [*COMMAND, "serve", "--bind", "127.0.0.1:0", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )
    try:
        yield Serving(process)
    finally:
        process.kill()
        process.communicate()


def test_the_banner_has_all_a_new_user_needs() -> None:
    """It has the base URL, tokens, campaigns, and a curl line that works when pasted."""
    with serving() as server:
        line = next(line for line in server.banner.splitlines() if line.startswith("  curl"))
        answer = subprocess.run(shlex.split(line), capture_output=True, text=True, check=True, timeout=20)
        page, reference = re.findall(r"http://\S+/(?=[ ,]| )|http://\S+/docs", server.banner)
        pages = [requests.get(url, timeout=5).text for url in (page, reference)]

    assert answer.stdout.startswith("HTTP/1.1 200 OK")
    assert "<title>alta-mock</title>" in pages[0]
    assert "<title>API reference" in pages[1]
    for text in ("test-token-readonly", "other-token", CAMPAIGN, "Globex expansion"):
        assert text in server.banner


def test_the_log_is_coloured_on_request() -> None:
    """A 404 is yellow."""
    with serving(FORCE_COLOR="1") as server:
        requests.post(f"{server.url}/x", timeout=5)
        assert server.process.stdout
        assert "\x1b[33m404\x1b[0m" in server.process.stdout.readline()


@pytest.mark.parametrize(("bound", "shown"), [("0.0.0.0", "127.0.0.1"), ("[::]", "[::1]"), ("10.0.0.7", "10.0.0.7")])
def test_the_banner_names_a_usable_address(bound: str, shown: str) -> None:
    """A wildcard address cannot be opened; the banner shows it, and a usable address."""
    text = banner(AltaMock(), f"http://{bound}:8080")

    assert text.splitlines()[0].endswith(f"http://{bound}:8080/v1")
    assert f"ALTA_BASE_URL=http://{shown}:8080/v1" in text
    assert f"browser: http://{shown}:8080/ " in text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_with_exit_code_0(number: int) -> None:
    """It logs each request in one line and prints nothing else."""
    with serving() as server:
        requests.post(server.prospects, json=ONE, headers=HEADERS, timeout=5)
        requests.post(server.prospects, json={"data": []}, headers=HEADERS, timeout=5)
        code, lines, err = server.stop(number)

    assert (code, err.strip()) == (0, "")
    assert len(lines) == 2
    assert re.fullmatch(rf"\d\d:\d\d:\d\d POST /v1/campaigns/{CAMPAIGN}/prospects 200 \d+\.\d ms", lines[0])
    assert lines[1].endswith("ms  minItems /data: got 0 items; wanted at least 1")


def test_log_lines_for_programs_and_without_tokens() -> None:
    """JSON lines have method, path, status, operation, rule and milliseconds, but no token."""
    with serving("--log", "json") as server:
        requests.post(server.prospects, data=b"{", headers=HEADERS | {"Content-Type": "application/json"}, timeout=5)
        requests.get(f"{server.url}/test-token/Bearer%20secret-1", headers=HEADERS, timeout=5)
        with socket.create_connection(("127.0.0.1", int(server.url.split(":")[2].split("/")[0])), timeout=5) as raw:
            raw.sendall(b"\x16\x03\x01\r\n\r\n")
            raw.recv(1000)
        _, lines, _ = server.stop()

    first, second, third = map(json.loads, lines)
    assert (first["method"], first["status"], first["operation"], first["rule"]) == (
        "POST",
        400,
        "addProspectsToCampaign",
        "json-syntax",
    )
    assert first["ms"] > 0
    assert (second["status"], second["path"]) == (404, "/v1/***/Bearer%20***")
    assert "does the client speak https" in third["why"]


def test_kill_leaves_nothing_listening() -> None:
    """The server is one process; when it is killed, nothing listens on its port."""
    with serving() as server:
        server.process.kill()
        server.process.wait()

        with pytest.raises(requests.ConnectionError):
            requests.get(server.url, timeout=5)


def test_sigterm_waits_for_a_request_in_flight() -> None:
    """A body that arrives completely after the signal is still answered, and the process ends with 0."""
    body = json.dumps(ONE).encode()
    head = (
        f"POST /v1/campaigns/{CAMPAIGN}/prospects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with serving() as server:
        port = int(server.url.split(":")[2].split("/")[0])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(head + body[:5])
            assert requests.get(server.url, timeout=5).status_code == 404  # the server has read the half request, too
            server.process.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    break  # it no longer listens: the signal was handled
            connection.sendall(body[5:])
            answer = connection.recv(65536)
        server.process.communicate(timeout=10)

    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert server.process.returncode == 0


@pytest.mark.parametrize("how", ["flags", "variables"])
def test_every_setting_has_a_flag_and_a_variable(how: str, tmp_path: Path) -> None:
    """Both have the same effect."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        f"accounts: [{{id: a, campaigns: [{{id: {CAMPAIGN}, name: Mine}}]}}]\n"
        "tokens: [{token: my-token, accounts: [a]}]",
        encoding="utf-8",
    )
    settings = {
        "data": str(seed),
        "openapi": str(ROOT / "openapi.yaml"),
        "overlay": str(ROOT / "openapi.overlay.yaml"),
        "rate-limit": "2/60s",
        "account-rate-limit": "4/60s",
        "visible-after": "90s",
        "log": "json",
    }
    flags = [word for name, value in settings.items() for word in (f"--{name}", value)] + ["--no-why"]
    variables = {f"ALTA_MOCK_{name.replace('-', '_').upper()}": value for name, value in settings.items()}
    variables["ALTA_MOCK_NO_WHY"] = "1"
    with serving(*flags if how == "flags" else (), **variables if how == "variables" else {}) as server:
        headers = {"Authorization": "Bearer my-token"}
        added = requests.post(server.prospects, json=ONE, headers=headers, timeout=5)
        listed = requests.get(f"{server.url}/prospects", headers=headers, timeout=5)
        later = [requests.post(server.prospects, json=ONE, headers=headers, timeout=5) for _ in range(3)]
        _, lines, _ = server.stop()

    assert "my-token" in server.banner
    assert listed.json()["data"] == []
    replies = [added, *later]
    assert [reply.status_code for reply in replies] == [200, 200, 429, 429]
    assert [reply.headers["RateLimit-Limit"] for reply in replies] == ["2", "2", "2", "4"]
    assert not any("X-Alta-Mock-Why" in reply.headers for reply in replies)
    assert json.loads(lines[0])["status"] == 200


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command in this process; return exit code, standard output and standard error."""
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["serve", "--rate-limit", "10/min"],
            "--rate-limit: '10/min' is not a valid limit; write N/Ss, for example 10/60s",
        ),
        (["serve", "--account-rate-limit", "x"], "--account-rate-limit: 'x' is not a valid limit"),
        (["serve", "--visible-after", "90"], "--visible-after: '90' is not a valid time; write Ns, for example 90s"),
        (["serve", "--bind", "8080"], "--bind: '8080' is not a valid address; write host:port"),
        (["serve", "--bind", "127.0.0.1:99999"], "--bind: '127.0.0.1:99999' is not a valid address"),
        (["serve", "--bind", "0.0.0.0:0"], r"0\.0\.0\.0:0 can be reached by other machines; give a --control-token"),
        (
            ["serve", "--bind", "no.such.host.invalid:0", "--control-token", "x"],
            r"cannot listen on no\.such\.host\.invalid:0: .*--bind",
        ),
        (["serve", "--bind", "a..b:0", "--control-token", "x"], r"cannot listen on a\.\.b:0: .*--bind"),
        (["serve", "--data", "a\0b"], "cannot read"),
        (["serve", "--bnid", "x"], "no such option '--bnid'.*--bind"),
        (["serve", "--log", "xml"], "--log: 'xml' is not one of 'text', 'json'"),
        (["serve", "--data", "/nope.yaml"], r"cannot read .*nope\.yaml: "),
        (["serve", "--data", "{tmp}/bad.yaml"], r"bad\.yaml:2: not YAML"),
        (["serve", "--data", "{tmp}/other.yaml"], r"other\.yaml:1: /: got .*; required wants accounts"),
        (["serve", "--openapi", "{tmp}/other.yaml"], r"other\.yaml:1: .*not an OpenAPI 3\.1 document"),
        (["serve", "--overlay", "{tmp}/other.yaml"], r"other\.yaml:1: not an OpenAPI Overlay"),
        (["spec", "--openapi", "/nope.yaml"], "cannot read"),
        (["srve"], "no such command 'srve'.*serve"),
        (["serve", "extra"], "unexpected extra argument"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], message: str
) -> None:
    """The line says what was given, what is wrong, and what to do."""
    (tmp_path / "bad.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "other.yaml").write_text("a: 1", encoding="utf-8")
    code, out, err = run(capsys, *(word.replace("{tmp}", str(tmp_path)) for word in words))

    assert (code, out) == (2, "")
    assert err.startswith("alta-mock: ")
    assert err.count("\n") == 1
    assert re.search(message, err), err


def test_a_mistake_in_a_variable_names_the_variable(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message does not name the flag, which the user did not write."""
    monkeypatch.setenv("ALTA_MOCK_RATE_LIMIT", "10")

    code, _, err = run(capsys, "serve")

    assert code == 2
    assert "ALTA_MOCK_RATE_LIMIT" in err


def test_a_port_in_use_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The line says how to choose another port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run(capsys, "serve", "--bind", f"127.0.0.1:{port}")

    assert code == 2
    assert f"cannot listen on 127.0.0.1:{port}: address already in use; choose another address with --bind" in err


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8080", ("127.0.0.1", 8080)),
        ("localhost:0", ("localhost", 0)),
        (":9000", ("127.0.0.1", 9000)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    """An address has host and port; without a host it is the loopback address."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "x", "::1:80", "http://x:80", "x:65536", "x:-1", "x:٣", "a b:1"])
def test_an_invalid_address(text: str) -> None:
    """The message shows the form."""
    with pytest.raises(MockError, match=r"host:port, for example 127\.0\.0\.1:8080"):
        parse_address(text)


def test_spec_prints_the_effective_contract(capsys: pytest.CaptureFixture[str]) -> None:
    """With --published it prints the published document; both are JSON."""
    code, effective, _ = run(capsys, "spec")
    _, published, _ = run(capsys, "spec", "--published")

    assert code == 0
    assert "then" in json.loads(effective)["components"]["schemas"]["ProspectRecord"]
    assert "then" not in json.loads(published)["components"]["schemas"]["ProspectRecord"]


def test_assumptions_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """The command prints all of them."""
    code, out, _ = run(capsys, "assumptions")

    assert code == 0
    assert all(f"{assumption.id}\n" in out for assumption in load_assumptions())
    assert re.findall(r"\b\d+\.0\b", out) == []


def test_the_banner_says_what_is_assumed() -> None:
    """Choices other than the defaults; nothing without any."""
    text = banner(AltaMock(assume={"list-order": "newest-first", "charset": "absent"}), "http://127.0.0.1:1")

    assert "\nAssumes list-order=newest-first\n" in text
    assert "Assumes" not in banner(AltaMock(), "http://127.0.0.1:1")


def test_assumptions_in_force_are_marked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By the options and the variable; an unknown choice is one line with the known ones."""
    monkeypatch.setenv("ALTA_MOCK_ASSUME", "window=sliding charset=present")
    _, out, _ = run(capsys, "assumptions", "--assume", "window=aligned")
    code, _, err = run(capsys, "serve", "--assume", "window=round")

    assert "* aligned: Aligned; a window opens at each multiple of its length." in out
    assert "  sliding: Sliding" in out
    assert "* absent: No:" in out  # the option replaces the variable
    assert (code, len(err.splitlines())) == (2, 1)
    assert "window=round is not a choice; choose one of fixed, sliding, aligned" in err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error with exit code 2; with --help the exit code is 0."""
    assert "serve" in run(capsys)[2]
    assert run(capsys, "--help")[0] == 0
    assert "Examples:" in run(capsys, "serve", "--help")[1]


def test_a_closed_pipe_is_not_an_error() -> None:
    """`alta-mock spec | head -1` prints no error."""
    process = subprocess.Popen(
        [*COMMAND, "spec"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()

    assert (process.wait(20), err) == (0, b"")


def test_the_log_escapes_characters_that_it_cannot_encode() -> None:
    """The character is written as an escape, and the next line follows."""
    with serving(PYTHONIOENCODING="ascii") as server:
        for record in ({"email": "a"}, {"\u03a9": "a"}, {"email": "b"}):
            requests.post(server.prospects, json={"data": [record]}, headers=HEADERS, timeout=5)
        _, lines, _ = server.stop()

    assert [re.findall(r" (200|400) ", line) for line in lines] == [["200"], ["400"], ["200"]]
    assert "only \\u03a9" in lines[1]
