"""Options and fixtures of the kit, and the guard against a run that proves nothing.

Use it with `-p contract_tests.plugin`: a `conftest.py` in an installed package would be read too late for options.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from contract_tests.fake import FAKES, TICK, FakeUnderTest, open_fake, seeded
from contract_tests.provider.options import TARGET_OPTIONS
from contract_tests.provider.results import Report
from contract_tests.provider.session import Options
from contract_tests.provider.target import Target, target_of
from contract_tests.provider.verification import check_permission, verify_target
from contract_tests.reporting.tally import Tally
from mock_server import AltaMock
from mock_server.contract.contract import Contract

_TALLY = pytest.StashKey[Tally]()
_PROBLEMS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the kit."""
    group = parser.getgroup("alta", "contract of the Alta API")
    group.addoption("--seed", type=int, metavar="N", help="generate other requests, by this seed")
    for option in TARGET_OPTIONS:
        how: dict[str, Any] = {"metavar": option.metavar, "default": option.default if option.show_default else None}
        how = {"action": "store_true"} if option.is_flag else how
        group.addoption(option.opts[0].replace("--", "--alta-"), help=option.help, **how)


def pytest_configure(config: pytest.Config) -> None:
    """Create the tally of the whole run.

    Raises:
        UsageError: `--alta-url` is used with several workers, each of which would verify the provider.
    """
    config.stash[_TALLY] = Tally()
    if config.getoption("alta_url") and config.getoption("numprocesses", default=None):
        raise pytest.UsageError("--alta-url verifies the provider in one process; leave out -n")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--alta-url`, deselect the tests of the fake."""
    if config.getoption("alta_url"):
        others = [item for item in items if "provider_report" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def alta_url(pytestconfig: pytest.Config) -> str | None:
    """The base URL of the provider to verify, None for the fake."""
    url: str | None = pytestconfig.getoption("alta_url")
    return url


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config, alta_url: str | None) -> Target:
    """The provider to verify, by the options; without `--alta-url` a fake with the bundled seed."""
    if alta_url is None:
        return seeded("")
    values = {option.name: pytestconfig.getoption(f"alta_{option.name}") for option in TARGET_OPTIONS}
    for option in TARGET_OPTIONS:
        if option.required and not values[option.name]:
            raise pytest.UsageError(f"--alta-url needs {option.opts[0].replace('--', '--alta-')}")
    target = target_of(values)
    check_permission(target)
    return target


@pytest.fixture(scope="session")
def provider_report(target: Target, alta_url: str | None, exploring_seed: int | None) -> Iterator[Report]:
    """The report of the verification of the provider."""
    options = Options(seed=exploring_seed or 0)
    if alta_url is not None:
        yield verify_target(target, options)
        return
    with AltaMock().serve() as server:
        yield verify_target(replace(target, url=server.url), options)


@pytest.fixture(scope="session")
def tally(pytestconfig: pytest.Config) -> Tally:
    """What the run has reached so far."""
    return pytestconfig.stash[_TALLY]


@pytest.fixture(scope="session")
def tick_seconds() -> float:
    """Seconds that the clock of the fake advances with each request."""
    return TICK


@pytest.fixture(scope="session")
def exploring_seed(pytestconfig: pytest.Config) -> int | None:
    """The seed from `--seed`, None for the same requests every time."""
    seed: int | None = pytestconfig.getoption("--seed")
    return seed


@pytest.fixture(params=FAKES, ids="-".join)
def fake(request: pytest.FixtureRequest, tick_seconds: float, exploring_seed: int | None) -> Iterator[FakeUnderTest]:
    """A fresh fake: over a socket with pinned ids, and in process with free ones."""
    transport, ids = request.param
    with open_fake(transport, ids, tick=tick_seconds, seed=exploring_seed) as opened:
        yield opened


@pytest.fixture
def api_schema(fake: FakeUnderTest) -> Any:
    """Schemathesis' schema of the fake."""
    return fake.schema


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the tally of a worker of pytest-xdist to the tally of the run."""
    counts = getattr(node, "workeroutput", {}).get("alta_tally", [])
    node.config.stash[_TALLY].counts.update({tuple(key): count for key, count in counts})


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run that checked the contract without reaching everything."""
    counts = session.config.stash[_TALLY].counts
    workeroutput = getattr(session.config, "workeroutput", None)
    if workeroutput is not None:
        workeroutput["alta_tally"] = [(list(key), count) for key, count in counts.items()]
    elif counts:
        documented = [(one.id, status) for one in Contract.load().operations for status in one.responses]
        problems = session.config.stash[_TALLY].problems(documented)
        session.config.stash[_PROBLEMS] = problems
        if problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what the run reached, and what it did not reach."""
    lines = config.stash[_TALLY].lines()
    if lines:
        terminalreporter.section("contract: what was reached")
        for line in lines:
            terminalreporter.line(line)
        for problem in config.stash.get(_PROBLEMS, []):
            terminalreporter.line(f"NOT PROVEN {problem}", red=True)
