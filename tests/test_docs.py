"""The documentation agrees with the code."""

from __future__ import annotations

import re
import shlex

import pytest
import yaml

import alta_client
from alta_client import _errors
from contract_tests.mutants.catalogue import MUTANTS
from contract_tests.mutants.faulty_clients import FAULTY
from contract_tests.mutants.leaning import LEANING
from contract_tests.mutants.score import RIGHT, SAMPLED, WRONG
from contract_tests.reporting import assumptions_page
from mock_server.cli.main import commands
from mock_server.contract.assumptions import load
from mock_server.messages.errors import api_errors
from tests.conftest import ROOT
from tests.test_assumptions import BEHAVIOUR

SOURCES = ("mock_server", "alta_client", "contract_tests", "tests", "benchmarks")


def read(name: str) -> str:
    """Return a file of the project."""
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_errors_page_is_the_catalogue() -> None:
    """The page has status, identifier and text of every error, in order."""
    rows = re.findall(r"^\| (\d{3}) \| `(\w+)` \| `([^`]+)` \|", read("docs/errors.md"), re.MULTILINE)

    assert rows == [(str(error.status), error.code, error.message) for error in api_errors()]


def test_the_assumptions_page_is_the_file() -> None:
    """The page is the generated one."""
    assert read("docs/assumptions.md") == assumptions_page.page()


def test_assumptions_named_in_tests_exist_and_are_all_named() -> None:
    """A test that depends on an assumption names it, and every assumption has a test."""
    known = {assumption.id for assumption in load()}
    text = " ".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py"))
    lists = re.findall(r"[Aa]ssumptions? ([a-z-]+(?:(?:,| and) [a-z-]+)*)[).;]", text)
    named = {name for names in lists for name in re.split(", | and ", names)}

    assert named <= known
    assert named | BEHAVIOUR.keys() == known


def test_every_setting_is_documented() -> None:
    """docs/configuration.md has the flag and the variable of each option of `serve`."""
    page = read("docs/configuration.md")
    for option in commands.commands["serve"].params:
        assert f"`{option.opts[0]}`" in page
        assert f"`{option.envvar}`" in page


def test_the_tree_of_the_clients_errors_is_the_same_everywhere() -> None:
    """docs/client.md has the same classes as the docstring, in the same order."""
    drawn = [
        re.findall(r"^[│├└─ ]*(\w+) {2,}", text, re.MULTILINE) for text in (_errors.__doc__, read("docs/client.md"))
    ]

    assert drawn[0] == [name for name in drawn[1] if name != "AltaError"]
    assert set(drawn[0]) < set(alta_client.__all__)


@pytest.mark.parametrize(
    "name", sorted(str(file.relative_to(ROOT)) for file in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
)
def test_links_lead_somewhere(name: str) -> None:
    """Every link to a file of the project has a target."""
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", read(name)):
        if not target.startswith("http"):
            assert (ROOT / name).parent.joinpath(target).exists(), target


def test_tests_on_the_pages_are_the_examples() -> None:
    """test_examples.py runs them."""
    pages = read("docs/python.md") + read("docs/client.md").split("## In a test")[1]
    blocks = re.findall(r"```py\n(.*?)```", pages, re.DOTALL)
    files = [read(f"examples/{name}.py") for name in ("test_waits_out_429", "test_sends_twice", "test_adds_once")]

    assert blocks == [file.split('"""\n\n', 1)[1] for file in files]


def test_the_workflow_uses_existing_options() -> None:
    """Its commands have the options that it passes."""
    steps = yaml.safe_load(read("examples/contract.yml"))["jobs"]["contract"]["steps"]
    lines = [line.strip() for step in steps for line in step.get("run", "").replace("\\\n", "").splitlines()]
    ours = [shlex.split(line) for line in lines if line.startswith("alta-mock ")]

    assert [words[1] for words in ours] == ["exec", "verify"]
    for words in ours:
        known = {option for parameter in commands.commands[words[1]].params for option in parameter.opts}
        own = words[2 : words.index("--")] if "--" in words else words[2:]
        assert {word for word in own if word.startswith("--")} <= known


def test_the_readme_is_short() -> None:
    """It has at most 120 lines, and names every command."""
    text = read("README.md")

    assert len(text.splitlines()) <= 120
    assert [name for name in commands.commands if f"alta-mock {name}" not in text and f"`{name}`" not in text] == []


def test_figures_of_the_score_are_true() -> None:
    """docs/score.md has the right numbers of mutants."""
    wrong = len([one for one in MUTANTS.values() if not one.equivalent]) + len(WRONG) + len(FAULTY)
    right = 3 + len(RIGHT) + len([one for one in MUTANTS.values() if one.equivalent])

    sampled = wrong - len([one for one in MUTANTS.values() if one.derived]) + SAMPLED

    assert f"{sampled} of {sampled} mutants are caught" in read("docs/score.md")
    assert f"{right} of {right} equivalent mutants pass" in read("docs/score.md")
    assert f"{len(LEANING) - 1} of {len(LEANING) - 1} consumers that depend on a choice are" in read("docs/score.md")


def test_every_exception_has_its_reason() -> None:
    """Each `noqa` and each `type: ignore` has its reason on the same line."""
    bare = re.compile(r"# (?:noqa: [A-Z0-9, ]+|type: ignore\[[a-z, -]+\])\s*$")
    files = [file for folder in SOURCES for file in (ROOT / folder).rglob("*.py")]

    assert len(files) > 100
    assert [
        f"{file.relative_to(ROOT)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if bare.search(line)
    ] == []
