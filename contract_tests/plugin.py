"""Options and fixtures of the kit, and the guard against a run that proves nothing.

Use it with `-p contract_tests.plugin`: from an installed package a `conftest.py` would be read too late for options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.tally import Tally
from contract_tests.target import DOORS, IDS, TICK, Target, open_target
from mock_server.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator

_TALLY = pytest.StashKey[Tally]()
_PROBLEMS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the kit."""
    group = parser.getgroup("alta", "contract of the Alta API")
    group.addoption("--seed", type=int, metavar="N", help="explore: generate other requests, by this seed")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a tally of the whole run."""
    config.stash[_TALLY] = Tally()


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """What the run has reached so far."""
    return pytestconfig.stash[_TALLY]


@pytest.fixture(scope="session")
def tick_seconds() -> float:
    """Seconds that the clock of the fake goes on with each request."""
    return TICK


@pytest.fixture(scope="session")
def exploring_seed(pytestconfig: pytest.Config) -> int | None:
    """The seed of `--seed`, None for the same requests every time."""
    seed: int | None = pytestconfig.getoption("--seed")
    return seed


@pytest.fixture(params=[(door, ids) for door in DOORS for ids in IDS], ids="-".join)
def target(request: pytest.FixtureRequest, tick_seconds: float, exploring_seed: int | None) -> Iterator[Target]:
    """A fresh fake behind each door, with pinned and with free campaign ids."""
    door, ids = request.param
    with open_target(door, ids, tick=tick_seconds, seed=exploring_seed) as opened:
        yield opened


@pytest.fixture
def api_schema(target: Target) -> Any:
    """Schemathesis' schema of the target."""
    return target.schema


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add what a worker of pytest-xdist reached to the tally of the run."""
    counts = getattr(node, "workeroutput", {}).get("alta_tally", [])
    node.config.stash[_TALLY].counts.update({tuple(key): count for key, count in counts})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that checked the contract and did not reach what it must."""
    counts = session.config.stash[_TALLY].counts
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput["alta_tally"] = [(list(key), count) for key, count in counts.items()]
    elif counts:
        documented = [
            (operation.id, status) for operation in Contract.load().operations for status in operation.responses
        ]
        problems = session.config.stash[_TALLY].problems(documented)
        session.config.stash[_PROBLEMS] = problems
        if problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what the run reached, and what it did not."""
    lines = config.stash[_TALLY].lines()
    if lines:
        terminalreporter.section("contract: what was reached")
        for line in lines:
            terminalreporter.line(line)
        for problem in config.stash.get(_PROBLEMS, []):
            terminalreporter.line(f"NOT PROVEN {problem}", red=True)
