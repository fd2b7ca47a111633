"""Imports point inwards, by folder; the core uses no framework, no environment and no system clock."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAYERS: dict[str, set[str]] = {
    "messages": set(),
    "contract": {"messages"},
    "store": {"messages", "contract"},
    "handlers": {"messages", "contract", "store"},
    "pipeline": {"messages", "contract", "store", "handlers"},
    "journal": {"messages", "contract", "store"},
}
"""The core: each folder of mock_server with the folders that it may import."""

EDGES = {"transports", "control", "web", "cli"}
"""Folders that may import the wiring and all of the core."""

WIRING = {"__init__", "__main__", "config", "fake", "mock", "state", "wiring"}

FRAMEWORKS = {"flask", "uvloop", "httptools", "click", "asyncio", "socket", "requests", "subprocess"}

TIMES = {"time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.sleep", "datetime.now", "date.today"}

CLOCK = "pipeline/clock.py"
"""The one file of the core that reads the time of the machine."""

ALLOWED = {("journal/access_log.py", "click")}
"""The colours of log lines are click's."""


def imports(text: str) -> set[str]:
    """Return the modules that a text imports anywhere, lazily and for types only too."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def clocks(text: str) -> set[str]:
    """Return the calls and uses of the machine's time and of its environment in a text."""
    names = {ast.unparse(node) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
    return names & {*TIMES, "os.environ", "os.getenv"}


def wrong(path: str, text: str) -> Iterator[str]:
    """Yield what a file of mock_server, given by its path in the package, does but must not do."""
    folder = path.partition("/")[0].removesuffix(".py")
    for module in imports(text):
        top, _, rest = module.partition(".")
        if top in {"contract_tests", "alta_client", "tests"}:
            yield f"{path} imports {module}"
        if folder in LAYERS:
            inner = rest.partition(".")[0]
            if top == "mock_server" and inner and inner not in {folder, *LAYERS[folder]}:
                yield f"{path} imports {module}"
            if top in FRAMEWORKS and (path, top) not in ALLOWED:
                yield f"{path} imports {module}"
    if folder in LAYERS and path != CLOCK:
        yield from (f"{path} uses {name}" for name in clocks(text))


def files(package: str) -> list[Path]:
    """Return the Python files of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def test_every_folder_has_its_place() -> None:
    """Every folder and module belongs to one of the three groups."""
    package = ROOT / "mock_server"
    names = {path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}

    assert names == {*LAYERS, *EDGES, *WIRING}


def test_imports_point_inwards() -> None:
    """This holds for all of mock_server; and the client imports neither the fake nor the kit."""
    package = ROOT / "mock_server"
    found = [
        fault
        for file in files("mock_server")
        for fault in wrong(file.relative_to(package).as_posix(), file.read_text("utf-8"))
    ]
    for file in files("alta_client"):
        others = {module.partition(".")[0] for module in imports(file.read_text("utf-8"))} & {
            "mock_server",
            "contract_tests",
        }
        found += [f"{file.name} imports {other}" for other in others]

    assert found == []


@pytest.mark.parametrize(
    ("path", "text", "fault"),
    [
        ("handlers/x.py", "from mock_server.pipeline.clock import Clock", "imports mock_server.pipeline.clock"),
        ("handlers/x.py", "from mock_server import mock", "imports mock_server.mock"),
        ("store/x.py", "def f():\n    import mock_server.journal.rules", "imports mock_server.journal.rules"),
        ("journal/x.py", "if TYPE_CHECKING:\n    from mock_server.mock import AltaMock", "imports mock_server.mock"),
        ("messages/x.py", "from flask import Flask", "imports flask"),
        ("cli/x.py", "def f():\n    from contract_tests import fake", "imports contract_tests"),
        ("web/x.py", "import alta_client", "imports alta_client"),
        ("pipeline/x.py", "import time\nnow = time.monotonic()", "uses time.monotonic"),
        ("pipeline/x.py", "import time\nsource = time.time_ns", "uses time.time_ns"),
        ("contract/x.py", "import os\nos.environ['X']", "uses os.environ"),
    ],
)
def test_a_forbidden_import_is_found(path: str, text: str, fault: str) -> None:
    """Lazy imports, imports for types, and uses of the clock or the environment are found, too."""
    assert f"{path} {fault}" in list(wrong(path, text))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pipeline/clock.py", "import time\ntime.monotonic_ns()"),
        ("pipeline/x.py", "from mock_server.handlers.handler import Handler"),
        ("control/x.py", "import time, asyncio\nfrom mock_server.mock import AltaMock\ntime.time()"),
    ],
)
def test_an_allowed_import_is_accepted(path: str, text: str) -> None:
    """It points inwards, or is at the edge."""
    assert list(wrong(path, text)) == []


def test_there_is_no_circle() -> None:
    """Between the folders of each package, counting lazy imports and those for types."""
    for package in ("mock_server", "contract_tests", "alta_client"):
        edges: dict[str, set[str]] = {}
        for file in files(package):
            folder = file.relative_to(ROOT / package).parts[0].removesuffix(".py")
            known = {path.name.removesuffix(".py") for path in (ROOT / package).iterdir()}
            for module in imports(file.read_text("utf-8")):
                parts = module.split(".")
                if parts[0] == package and len(parts) > 1 and parts[1] in known - {folder, "__init__"}:
                    edges.setdefault(folder, set()).add(parts[1])

        for start in edges:
            seen: set[str] = set()
            waiting = [start]
            while waiting:
                for target in edges.get(waiting.pop(), ()):
                    assert target != start, f"{package}: {start} imports itself by way of {sorted(seen)}"
                    if target not in seen:
                        seen.add(target)
                        waiting.append(target)


def test_importing_the_package_imports_nothing_heavy() -> None:
    """Any test suite may import it at no cost."""
    heavy = "('flask', 'httptools', 'jsonschema_rs', 'yaml')"
    code = f"import sys, mock_server; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_names_that_are_exported_exist() -> None:
    """Every name of `__all__` exists; any other name is an AttributeError."""
    import mock_server  # noqa: PLC0415 - the subject of the test

    assert dir(mock_server) == sorted(mock_server.__all__)
    for name in mock_server.__all__:
        assert getattr(mock_server, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'Nope'"):
        getattr(mock_server, "Nope")  # noqa: B009 - a type checker knows that there is no such name
