"""Every command and every piece of code on the pages is run, and prints what the page shows.

Rule 1: each block of commands is run alone, in a folder like a checkout, as by a reader who starts there.
Rule 2: a command that cannot be run as it is has an entry in `INSTEAD`, with a replacement and the reason.
"""

from __future__ import annotations

import ast
import json
import multiprocessing
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from inspect import currentframe
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from markdown_it import MarkdownIt

from mock_server import AltaMock
from mock_server.cli.main import commands
from tests.conftest import CAMPAIGN, ROOT, WITHOUT_SCHEMATHESIS, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

SHELL, DATA = ("console", "sh"), ("json", "yaml")
LANGUAGES = {*SHELL, *DATA, "py", "python", "nginx", ""}
"""`py` is a test, `python` a program, and a block without a language is output; nginx is not installed here."""


@dataclass(frozen=True)
class Instead:
    """The replacement of a command; both are patterns as for `re.sub`, the first for the whole line."""

    line: str
    run: str
    reason: str


INSTEAD = [
    Instead(r"git clone .*", "test -f Makefile", "the folder is a checkout already, and there is no network"),
    Instead(r"alta-mock serve --bind 0\.0\.0\.0:8080", r"exits 2 \g<0>", "the page shows that it is refused"),
    Instead(
        r"((?:\w+=\S+ )*)(?:make|alta-mock) serve(?: ARGS='(.*)'|( .*))?",
        r"make -n serve >make.out; \1 alta-mock serve \2\3 --help >help.out",
        "it serves until it is stopped; its options are parsed nevertheless",
    ),
    Instead(
        r"flask --app mock_server run .*",
        "flask --app mock_server run --help >help.out",
        "it serves until it is stopped; test_flask.py sends requests to it",
    ),
    Instead(
        r"(gunicorn|waitress-serve) .*",
        r"test -f tests/test_flask.py",
        "it serves until it is stopped; test_flask.py sends requests to it, where it is installed",
    ),
    Instead(
        r"make (test-quick|test|check|docs|bench|dist|fuzz)\b.*",
        r"make -n \1 >make.out",
        "it runs these tests, or takes minutes",
    ),
    Instead(
        r"\S*pip install (?:-e )?'\S*\[([\w,]+)\](?: @ git\S+)?'.*",
        "python -c 'from importlib.metadata import metadata as of;"
        r""" assert {*"\1".split(",")} <= {*of("alta-mock").get_all("Provides-Extra")}'""",
        "there is no network; the metadata shows that the extras exist, and test_packaging.py gives the paths to pip",
    ),
    Instead(r"pip wheel .*", "test -f pyproject.toml", "test_packaging.py builds a wheel"),
    Instead(r"alta-mock verify .*", r"\g<0> --skip schemathesis", "its generated requests take most of the time"),
    Instead(
        r"pytest --pyargs contract_tests .*",
        r"\g<0> -q --collect-only",
        "they are tests of `make test`, and take a minute",
    ),
    Instead(
        r"(?:eval \"\$\()?(_ALTA_MOCK_COMPLETE=(?:zsh|fish)_source alta-mock).*",
        r"\1 >completion.out",
        "its shell may be missing, and bash cannot read its script",
    ),
    Instead(
        r"docker compose --file (\S+) .*",
        r"test -f \1",
        "it needs Docker; test_examples.py runs the commands of the file without it",
    ),
    Instead(r"\S*alta-add (\S+\.csv)", r"sed -i '42,$d' \1; \g<0>", "250 rows wait a minute for the quota; 40 do not"),
    Instead(r"alta-mock score", r"\g<0> --only 21-accepted,window=sliding", "all of them take half a minute"),
    Instead(r"alta-mock exec --strict -- node \S*too_many.mjs", r"exits 1 \g<0>", "the page shows that it fails"),
    Instead(r"alta-mock exec --strict -- true", r"exits 3 \g<0>", "the same"),
]

PRELUDE = 'exits() { local got=0; "${@:2}" || got=$?; [ $got = $1 ] || { echo "exit $got, wanted $1"; exit 1; }; }'

VARIES = [
    (re.compile(r"\d+(?:\.\d+)?(?= m?s\b)"), "N"),
    (re.compile(r"(?<=ratelimit-reset: )\d+|(?<=retry-after: )\d+", re.IGNORECASE), "N"),
    (re.compile(r"\d\d:\d\d:\d\d"), "HH:MM:SS"),
]
"""What differs in each run; for anything else a page has `...`."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; `shown` is the block without a language right after it."""

    page: str
    line: int
    language: str
    text: str
    shown: str | None

    def __str__(self) -> str:
        """Return the page and the line."""
        return f"{self.page}:{self.line}"

    def lines(self) -> Iterator[tuple[str, Instead | None]]:
        """Yield the lines to run in bash, each with the entry of the table that replaced it."""
        for line in re.sub(r"\s*\\\n\s*", " ", self.text).splitlines():
            command = re.sub(r"\s+# .*", "", line)
            entry = next((one for one in INSTEAD if re.fullmatch(one.line, command)), None)
            yield (re.sub(entry.line, entry.run, command, count=1), entry) if entry else (line, None)


PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").glob("*.md")])


def _blocks() -> Iterator[Block]:
    for page in PAGES:
        tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
        for token, behind in pairwise([*tokens, None]):
            if token and token.type in {"fence", "code_block"}:
                shown = behind.content if behind and behind.type == "fence" and not behind.info else None
                line = token.map[0] + 1 if token.map else 0
                yield Block(page.relative_to(ROOT).as_posix(), line, token.info.strip(), token.content, shown)


BLOCKS = list(_blocks())


def of(*languages: str) -> list[Block]:
    """Return the blocks in these languages."""
    return [block for block in BLOCKS if block.language in languages]


def pages_with(language: str) -> list[str]:
    """Return the pages that have a block in this language."""
    return sorted({block.page for block in of(language)})


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder like a checkout with everything installed, and with the files that the pages expect of the reader."""
    folder = tmp_path / "alta-mock"
    (folder / ".venv").mkdir(parents=True)
    (folder / ".venv/bin").symlink_to(Path(sys.executable).parent)
    shutil.copytree(ROOT / "examples", folder / "examples", ignore=shutil.ignore_patterns("node_modules", "build"))
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.name not in {"examples", "build", "dist"}:
            (folder / entry.name).symlink_to(entry)
    shutil.copy(ROOT / "examples/people.csv", folder)
    shutil.copy(ROOT / "openapi.yaml", folder / "newer.yaml")
    shutil.copy(ROOT / "tests/traffic/docs-page.har", folder / "traffic.har")
    (folder / "people.json").write_text('[{"email": "ada@example.com"}, {"email": "bob@example.com"}]')
    (folder / "script.mjs").write_text(
        "await fetch(`${process.env.ALTA_BASE_URL}/campaigns/${process.env.ALTA_CAMPAIGN_ID}/prospects`, {"
        ' method: \'POST\', body: \'{"data":[{"email":"ada@example.com"}]}\', headers: {'
        " Authorization: `Bearer ${process.env.ALTA_API_TOKEN}`, 'Content-Type': 'application/json' } })"
    )
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("block", of(*SHELL), ids=str)
def test_commands_do_what_the_page_says(block: Block, checkout: Path) -> None:
    """They succeed with a fake at the address of the page, and print what the next block shows."""
    answers_are_good = [] if block.shown else ["fail-with-body"]  # otherwise it must succeed
    (checkout.parent / ".curlrc").write_text("\n".join(["silent", "show-error", *answers_are_good]))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ALTA_", "PYTEST_"))}
    if "contract_tests" not in block.text:
        inherited["PYTEST_ADDOPTS"] = " ".join(WITHOUT_SCHEMATHESIS)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with AltaMock().serve() as server:
        address = server.origin.removeprefix("http://")
        commands = "\n".join([PRELUDE, *(line for line, _ in block.lines())]).replace("127.0.0.1:8080", address)
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", commands],  # noqa: S607 - whichever bash the reader has
            cwd=checkout,
            env={**inherited, "PATH": path, **dict.fromkeys(("HOME", "CURL_HOME"), str(checkout.parent))},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=50,
            check=False,
        )
    printed = done.stdout.replace(address, "127.0.0.1:8080")

    assert done.returncode == 0, f"{commands}\n\n{printed}"
    assert block.shown is None or shows(block.shown, printed), f"{block.shown}\n--- was not printed, but\n{printed}"


def shows(shown: str, printed: str) -> bool:
    """Return whether whole lines of the output are those of the page, except for what varies and `...`."""
    printed = re.sub(r"[ \t\r]+$", "", printed, flags=re.MULTILINE)
    for varying, name in VARIES:
        shown, printed = varying.sub(name, shown), varying.sub(name, printed)
    wanted = ".*?".join(map(re.escape, shown.strip().split("...")))
    return re.search(rf"^{wanted}$", printed, re.DOTALL | re.MULTILINE) is not None


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("a\nb", "0\na\nb\nc", True),
        ("a\nb", "a\nx\nb", False),
        ("a\n...\nb", "a\nx\nb", True),
        ("a", "ab", False),
        ("HTTP/1.1 429", "HTTP/1.1 200", False),
        ("retry-after: 42\nin 3 s", "retry-after: 7\nin 0.1 s", True),
    ],
)
def test_what_a_page_shows_is_compared(shown: str, printed: str, *, same: bool) -> None:
    """Consecutive whole lines are compared; a status does not vary."""
    assert shows(shown, printed) is same


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("python"))
def test_programs_run(page: str) -> None:
    """The blocks of a page run one after the other, in their own process, since they may register mutants."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        process.submit(run_programs, page).result(timeout=50)


def run_programs(page: str) -> None:
    """Run the programs of a page with names that the reader has; the vendor's address is the fake's."""
    names: dict[str, Any] = {
        "__name__": "__main__",
        "token": "test-token",
        "campaign_id": CAMPAIGN,
        "people": [{"email": "ada@example.com"}],
    }
    with AltaMock().responses() as vendor:
        vendor.add_passthru("http://127.0.0.1")
        for block in of("python"):
            if block.page == page:
                names["print"] = _compared_with(block)
                code = compile("\n" * block.line + block.text, page, "exec")
                exec(code, names)  # noqa: S102 - our own page


def _compared_with(block: Block) -> Callable[..., None]:
    """Return a `print` that compares its argument with the value in the comment after it, if there is one."""
    lines = block.text.splitlines()

    def compared(*values: object) -> None:
        caller: FrameType | None = currentframe()
        caller = caller.f_back if caller else None
        line = lines[caller.f_lineno - block.line - 1] if caller else ""
        try:
            wanted = ast.literal_eval(line.partition("  # ")[2])
        except SyntaxError:
            return
        assert (wanted,) == values, f"{block}: {line}"

    return compared


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("py"))
def test_tests_pass(page: str, tmp_path: Path) -> None:
    """Those of a page pass in a pytest as in a project that has installed the package."""
    for block in of("py"):
        if block.page == page:
            (tmp_path / f"test_line_{block.line}.py").write_text(block.text, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-W",
        "error",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        ".",
        *WITHOUT_SCHEMATHESIS,
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=50, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("block", of(*DATA), ids=str)
def test_data_is_accepted(block: Block, tmp_path: Path) -> None:
    """The fake accepts a seed, and the operation a body; other data can be parsed."""
    value = json.loads(block.text) if block.language == "json" else yaml.safe_load(block.text)
    if "accounts" in value:
        seed = tmp_path / "seed.yaml"
        seed.write_text(block.text, encoding="utf-8")
        assert AltaMock(data=seed).campaigns()
    elif "data" in value:
        assert AltaMock().answer(request_of(value)).status == 200


def test_commands_in_the_text_have_the_options_that_they_are_given() -> None:
    """This checks each `alta-mock ...` between two backticks."""
    mentioned = []
    for page in PAGES:
        inline = [child for token in MarkdownIt().parse(page.read_text("utf-8")) for child in token.children or []]
        mentioned += [child.content for child in inline if child.type == "code_inline"]
    for text in (text for text in mentioned if re.fullmatch(r"alta-mock [a-z]+( (-|\.\.\.).*)?", text)):
        words = shlex.split(text.replace("...", ""))
        own = words[2 : words.index("--")] if "--" in words else words[2:]
        known = {option for parameter in commands.commands[words[1]].params for option in parameter.opts}
        assert {word for word in own if word.startswith("--")} <= {*known, "--help"}, text


def test_every_block_is_of_a_known_kind() -> None:
    """A block in another language, or an indented block, would not be run."""
    assert {block.language for block in BLOCKS} <= LANGUAGES
    assert not [str(block) for block in BLOCKS if block.shown is not None and block.language not in {*SHELL, ""}]


def test_every_replacement_is_used() -> None:
    """Each entry of the table is for a command of some page."""
    used = {entry for block in of(*SHELL) for _, entry in block.lines() if entry}

    assert [entry.line for entry in INSTEAD if entry not in used] == []
