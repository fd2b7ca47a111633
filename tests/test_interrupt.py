"""Ctrl-C while a command is being imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

INTERRUPTED_AT = """
import sys
from importlib.metadata import entry_points

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[0]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
program, sys.argv = sys.argv[1], sys.argv[2:]
(found,) = entry_points(group="console_scripts", name=program)
found.load()()
"""


@pytest.mark.parametrize(
    ("program", "module", "words"),
    [
        *(("alta-add", name, ["examples/people.csv", "--dry-run"]) for name in ("click", "requests", "filelock")),
        *(("alta-mock", name, ["serve", "--bind", "127.0.0.1:0"]) for name in ("click", "jsonschema_rs", "httptools")),
        ("alta-mock", "schemathesis", ["score", "--only", "correct", "--jobs", "1"]),
    ],
)
def test_an_import_is_interrupted(program: str, module: str, words: list[str]) -> None:
    """The command ends with 130 and prints at most one line, whatever was being imported."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT, program, module, *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert (done.returncode, done.stdout) == (130, ""), done.stderr
    assert "Traceback" not in done.stderr
    assert "\n" not in done.stderr.strip()  # before it, click ends the line in which a terminal shows ^C
