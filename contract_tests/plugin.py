"""Options and fixtures of the kit, and the guard against a run that proves nothing.

Use it with `-p contract_tests.plugin`: from an installed package a `conftest.py` would be read too late for options.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.fake import IDS, TICK, TRANSPORTS, Target, open_target, seeded
from contract_tests.provider.rules import Given
from contract_tests.provider.verify import Options
from contract_tests.reporting.tally import Tally
from mock_server import AltaMock
from mock_server.contract.contract import Contract

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contract_tests.provider.results import Report

PROVIDER = {
    "url": "examine the provider at this base URL, by the rules alone",
    "token": "a valid token",
    "campaign-id": "a campaign of its account",
    "second-token": "a token of another user of the same account",
    "second-campaign-id": "another campaign of the same account",
    "other-account-token": "a token of another account",
    "foreign-campaign-id": "a campaign of that other account",
    "rate-limit": "N/Ss or off; 10/60s unless given",
    "account-rate-limit": "N/Ss or off; 100/60s unless given",
}
SWITCHES = {
    "allow-get": "send GET /campaigns too, to measure the limit over all operations",
    "write": "add prospects on another machine than this one",
    "reject-only": "send only what must be refused",
}
"""Options of the provider; the same as those of `alta-mock verify`."""

_TALLY = pytest.StashKey[Tally]()
_PROBLEMS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the kit."""
    group = parser.getgroup("alta", "contract of the Alta API")
    group.addoption("--seed", type=int, metavar="N", help="explore: generate other requests, by this seed")
    for name, help_text in PROVIDER.items():
        group.addoption(f"--alta-{name}", metavar="VALUE", help=help_text)
    for name, help_text in SWITCHES.items():
        group.addoption(f"--alta-{name}", action="store_true", help=help_text)


def pytest_configure(config: pytest.Config) -> None:
    """Begin a tally of the whole run.

    Raises:
        UsageError: A provider is given, and several workers, which would all examine it.
    """
    config.stash[_TALLY] = Tally()
    if config.getoption("alta_url") and config.getoption("numprocesses", default=None):
        raise pytest.UsageError("a provider is examined by one process; leave -n out with --alta-url")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With a provider given, leave out what is about the fake."""
    if config.getoption("alta_url"):
        others = [item for item in items if "provider_report" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def alta_url(pytestconfig: pytest.Config) -> str | None:
    """The base URL of the provider to examine, None for the fake."""
    url: str | None = pytestconfig.getoption("alta_url")
    return url


@pytest.fixture(scope="session")
def provider(pytestconfig: pytest.Config, alta_url: str | None) -> Given:
    """What is known of the provider: what the options say, else what the fake is seeded with."""
    from contract_tests.provider import command  # noqa: PLC0415 - a run without it need not pay for the import

    if alta_url is None:
        return seeded("")
    values = {name.replace("-", "_"): pytestconfig.getoption(f"alta_{name.replace('-', '_')}") for name in PROVIDER}
    missing = [name for name in ("token", "campaign_id") if not values[name]]
    if missing:
        raise pytest.UsageError(f"--alta-url needs --alta-{missing[0].replace('_', '-')}")
    for name in ("rate_limit", "account_rate_limit"):
        values[name] = command.limit_of(values[name] or ("10/60s" if name == "rate_limit" else "100/60s"))
    switches = {name: pytestconfig.getoption(f"alta_{name.replace('-', '_')}") for name in SWITCHES}
    given = command.checked(Given(**values, allow_get=switches["allow-get"]))
    return command.permitted(given, write_there=switches["write"], reject_only=switches["reject-only"])


@pytest.fixture(scope="session")
def provider_report(provider: Given, alta_url: str | None, exploring_seed: int | None) -> Iterator[Report]:
    """What came of the examination of the provider."""
    from contract_tests.provider.command import examine_at  # noqa: PLC0415 - see provider

    if alta_url is not None:
        yield examine_at(provider, Options(seed=exploring_seed or 0))
        return
    with AltaMock().serve() as server:
        yield examine_at(replace(provider, url=server.url), Options(seed=exploring_seed or 0))


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


@pytest.fixture(params=[(transport, ids) for transport in TRANSPORTS for ids in IDS], ids="-".join)
def target(request: pytest.FixtureRequest, tick_seconds: float, exploring_seed: int | None) -> Iterator[Target]:
    """A fresh fake behind each transport, with pinned and with free campaign ids."""
    transport, ids = request.param
    with open_target(transport, ids, tick=tick_seconds, seed=exploring_seed) as opened:
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
