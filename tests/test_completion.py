"""Shell completion by click's protocol: variables contain the command line, and the output lists the completions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import click
import pytest

from alta_client.add import cli as alta_add
from contract_tests.mutants.catalogue import MUTANTS
from contract_tests.provider.limit_rules import RULES as LIMIT_RULES
from mock_server.cli.main import main as alta_mock
from mock_server.cli.options import names_option, needing_extra
from mock_server.journal import rules as consumer
from mock_server.messages import extras
from mock_server.messages.errors import MockError

SHELLS = ("bash", "zsh", "fish")
MAINS = {"alta-mock": alta_mock, "alta-add": alta_add.main}

Completed = tuple[str, list[str]]
Complete = Callable[[str], Completed]


@pytest.fixture(params=SHELLS)
def complete(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Complete:
    """Complete a line as a shell does; return the kind of the completions, and the completions."""

    def ask(line: str) -> Completed:
        words = line.split(" ")
        monkeypatch.setenv("COMP_WORDS", line)
        # the current word: fish sends the word, the others its index
        monkeypatch.setenv("COMP_CWORD", words[-1] if request.param == "fish" else str(len(words) - 1))
        monkeypatch.setenv(f"_{words[0].replace('-', '_').upper()}_COMPLETE", f"{request.param}_complete")
        with pytest.raises(SystemExit) as ended:
            MAINS[words[0]]([])
        out, err = capsys.readouterr()
        assert (ended.value.code, err) == (0, "")
        lines = [line.partition("\t")[0] for line in out.splitlines() if line]
        if request.param == "zsh":  # kind, value and description have a line each
            lines = [f"{kind},{value}" for kind, value in zip(lines[::3], lines[1::3], strict=True)]
        kinds = {line.partition(",")[0] for line in lines}
        assert len(kinds) <= 1
        return "".join(kinds), [line.partition(",")[2] for line in lines]

    return ask


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("alta-mock ver", ["verify"]),
        ("alta-mock serve --assume list", ["list-order=oldest-first", "list-order=newest-first"]),
        ("alta-mock serve --log ", ["text", "json"]),
        ("alta-mock verify --max", ["--max-requests", "--max-seconds"]),
        ("alta-mock check --as", ["--assumptions"]),
        ("alta-mock trigger ", ["email-reply", "linkedin-reply", "call", "opt-out"]),
        ("alta-mock trigger call --su", ["--subject", "--summary"]),
        ("alta-mock verify --only limit-", [rule.id for rule in LIMIT_RULES]),
        ("alta-mock verify --skip body,schema", ["body,schemathesis"]),
        ("alta-mock exec --require 4", ["400", "401", "403", "404", "405", "413", "415", "429"]),
        ("alta-mock exec --consumer --require waits-for", ["waits-for-retry-after"]),
        ("alta-mock exec --consumer --only ", list(consumer.RULES)),
        ("alta-mock exec --consumer --skip valid-body,bearer", ["valid-body,bearer-header"]),
        ("alta-mock diff --for ", ["consumer", "provider"]),
        ("alta-mock diff --pu", ["--published"]),
        ("alta-mock score --only 21-acc", ["21-accepted"]),
        ("alta-mock score --without sends-nothing-t", ["sends-nothing-twice"]),
        ("alta-mock score --without limit-", [rule.id for rule in LIMIT_RULES]),
        ("alta-add --dr", ["--dry-run"]),
        ("alta-add people.csv --re", ["--resend"]),
    ],
)
def test_known_words_are_completed(complete: Complete, line: str, wanted: list[str]) -> None:
    """Commands, options, choices, and the last of several names with commas between them are completed."""
    assert complete(line) == ("plain", wanted)


def test_every_mutant_is_completed(complete: Complete) -> None:
    """The correct provider is completed as well."""
    assert complete("alta-mock score --only ")[1] == ["correct", *MUTANTS]


@pytest.mark.parametrize(
    "line",
    [
        *(f"alta-mock serve {flag} fi" for flag in ("--data", "--openapi", "--overlay", "--assume-file")),
        *(f"alta-mock check {flag} fi" for flag in ("--json", "--junit", "--write-assume")),
        "alta-mock check traffic.har fi",
        *(f"alta-mock exec {flag} fi" for flag in ("--expect", "--har", "--json", "--junit", "--data")),
        *(f"alta-mock verify {flag} fi" for flag in ("--json", "--junit")),
        "alta-mock score --mutants fi",
        "alta-mock diff fi",
        "alta-mock diff --overlay fi",
        "alta-mock exec --strict -- fi",
        "alta-mock exec -- node fi",
        "alta-mock spec --openapi fi",
        "alta-add fi",
    ],
)
def test_a_file_is_left_to_the_shell(complete: Complete, line: str) -> None:
    """Every option that takes a file leaves the completion to the shell."""
    assert complete(line) == ("file", ["fi"])


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("program", MAINS)
def test_each_shell_gets_its_script(
    program: str, shell: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script names the program and its variable."""
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    monkeypatch.setenv(variable, f"{shell}_source")
    with pytest.raises(SystemExit) as ended:
        MAINS[program]([])
    out, _ = capsys.readouterr()

    assert ended.value.code == 0
    assert f"{variable}={shell}_complete" in out
    assert program in out


def test_options_are_completed_without_the_kit_and_the_fake() -> None:
    """Completing an option imports neither of them, so it is fast."""
    code = (
        "import sys\n"
        "from mock_server.__main__ import main\n"
        "sys.argv = ['alta-mock']\n"
        "heavy = ('jsonschema', 'yaml', 'requests', 'contract_tests.provider.rules')\n"
        "try: main()\n"
        "finally: print([name for name in heavy if name in sys.modules])"
    )
    asked = {"COMP_WORDS": "alta-mock verify --", "COMP_CWORD": "2", "_ALTA_MOCK_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **asked}
    )

    assert "plain,--reject-only" in done.stdout
    assert done.stdout.endswith("[]\n")


def test_without_the_extra_no_name_is_completed() -> None:
    """The command reports which library is missing; the completion is silent."""

    def missing(_context: object) -> list[str]:
        raise ModuleNotFoundError(name="hypothesis")

    command = click.command(names_option("--only", "NAME,...", missing, "Names.")(lambda only: only))

    assert command.params[0].shell_complete(click.Context(command), "a") == []


def test_a_missing_library_is_named_with_its_extra() -> None:
    """A missing module of our own is reported as an ordinary error."""
    missing = f"this command needs no_such_library; install it: {extras.command('verify')}"
    with pytest.raises(MockError, match=re.escape(missing)), needing_extra():
        import_module("no_such_library")
    with pytest.raises(ModuleNotFoundError), needing_extra():
        import_module("mock_server.no_such_module")
