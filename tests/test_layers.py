"""Imports point inwards: the core knows no framework, no environment and no clock of its own."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = ROOT / "mock_server"
EDGES = {
    "app",
    "cli",
    "__main__",
    "control",
    "execute",
    "in_process",
    "live_server",
    "server",
    "log",
    "pytest_plugin",
    "reports",
    "web",
}
WIRING = {"__init__", "mock", "config", "clock"}
CORE = {
    *(
        "assumptions",
        "auth",
        "body",
        "contract",
        "decoding",
        "documents",
        "errors",
        "export",
        "findings",
        "injected",
        "supported",
    ),
    *(
        "journal",
        "layout",
        "messages",
        "overlay",
        "pipeline",
        "pointers",
        "ratelimit",
        "redaction",
        "resources",
        "seed",
        "replay",
        "validation",
    ),
    *("handlers", "store"),
}
FORBIDDEN = {"flask", "uvicorn", "httptools", "click", "asyncio", "socket", "time", "os.environ", "requests"}


def imports(file: Path) -> set[str]:
    """Return the modules that a file imports, those for type checking only left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "mock_server":
            found |= {f"mock_server.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_every_module_has_its_place() -> None:
    """A new module is put into one of the three."""
    names = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert names == EDGES | WIRING | CORE


@pytest.mark.parametrize("name", sorted(CORE))
def test_the_core_imports_only_the_core(name: str) -> None:
    """No framework, no socket, no time, and nothing of the edges."""
    files = list((PACKAGE / name).glob("*.py")) or [PACKAGE / f"{name}.py"]
    for file in files:
        for module in imports(file):
            parts = module.split(".")
            assert parts[0] not in FORBIDDEN, f"{file.name} imports {module}"
            assert parts[0] != "mock_server" or parts[1] in CORE, f"{file.name} imports {module}"
        names = {node.attr for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        assert not names & {"environ", "getenv"}


def test_importing_the_package_imports_nothing_heavy() -> None:
    """Any test suite may import it at no cost."""
    code = (
        "import sys, mock_server; print([m for m in ('flask', 'uvicorn', 'jsonschema_rs', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_names_that_are_exported_exist() -> None:
    """`__all__` is true, and anything else is an AttributeError."""
    import mock_server  # noqa: PLC0415 - the subject of the test

    assert dir(mock_server) == sorted(mock_server.__all__)
    for name in mock_server.__all__:
        assert getattr(mock_server, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        _ = mock_server.Nope
