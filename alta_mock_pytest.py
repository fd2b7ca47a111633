"""The pytest plugin: fixtures for tests of a consumer; nothing heavy is imported until a fixture is used.

`alta_mock` is the fake of a test, with the settings of `alta_settings` and `@pytest.mark.alta(...)`. `alta_server` and
`alta_responses` are its transports, `alta_client` is a client, `alta_check_consumer` checks a consumer.
The report of a failing test shows its traffic, and the injected responses that no request took. With the setting
`alta_strict` of pytest, a test that leaves some fails.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from alta_client import AltaClient
    from mock_server.mock import AltaMock
    from mock_server.transports.live_server import LiveServer

_MOST_LINES = 40


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the setting `alta_strict`."""
    parser.addini("alta_strict", "Fail a test that leaves injected responses of alta_mock.", "bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", 'alta(**settings): settings of alta_mock for this test, for example rate_limit="3/60s"'
    )


def _refuse_shadow(package: str) -> None:
    """Fail the test if `import` would find another module in place of a package of alta-mock."""
    spec = find_spec(package)
    found = Path(spec.origin) if spec and spec.origin else Path(package)
    if found.resolve().parent != Path(__file__).resolve().with_name(package):
        pytest.fail(
            f"{found} shadows the package {package} of alta-mock; rename it,"
            " or run the fake as a process of its own: alta-mock exec -- pytest",
            pytrace=False,
        )


@pytest.fixture
def alta_settings() -> dict[str, Any]:
    """Settings of `alta_mock`; override this fixture to change them for a module or a project."""
    return {}


@pytest.fixture
def alta_mock(request: pytest.FixtureRequest, alta_settings: dict[str, Any]) -> AltaMock:
    """A fake of the Alta API, new for each test."""
    _refuse_shadow("mock_server")
    from mock_server import AltaMock  # noqa: PLC0415 - a run that does not use it need not import it

    settings = dict(alta_settings)
    for mark in reversed(list(request.node.iter_markers("alta"))):
        settings |= mark.kwargs
    return AltaMock(**settings)


@pytest.fixture
def alta_server(alta_mock: AltaMock) -> Iterator[LiveServer]:
    """`alta_mock` on a real socket; its `url` is the base URL."""
    with alta_mock.serve() as server:
        yield server


@pytest.fixture
def alta_responses(alta_mock: AltaMock) -> Iterator[AltaMock]:
    """`alta_mock`, which answers what `requests` sends to its `base_url`, without a socket."""
    with alta_mock.responses():
        yield alta_mock


@pytest.fixture
def alta_client(alta_responses: AltaMock) -> AltaClient:
    """A client of `alta_mock`, without a socket; its waits advance the clock and take no time."""
    _refuse_shadow("alta_client")
    from alta_client import AltaClient  # noqa: PLC0415 - a run that does not use it need not import it

    token, _ = alta_responses.required_credentials()
    clock = alta_responses.clock
    return AltaClient(alta_responses.base_url, token, sleep=clock.sleep, clock=clock.time)


@pytest.fixture
def alta_check_consumer(alta_mock: AltaMock) -> Callable[..., Any]:
    """`contract_tests.check_consumer` with the settings of `alta_mock`; needs the extra `verify`."""
    _refuse_shadow("contract_tests")
    from contract_tests import check_consumer  # noqa: PLC0415 - a run that does not use it need not import it

    return partial(check_consumer, alta_mock)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Fail a test that leaves injected responses, if the configuration demands it."""
    yield
    mock = getattr(item, "funcargs", {}).get("alta_mock")
    if mock is not None and item.config.getini("alta_strict") and mock.injected():
        pytest.fail(_left_over(mock), pytrace=False)


def _left_over(mock: AltaMock) -> str:
    left = ", ".join(f"{injected.times} x {injected}" for injected in mock.injected())
    return f"injected, but taken by no request: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add its traffic to the report of a failing test."""
    report = yield
    mock = getattr(item, "funcargs", {}).get("alta_mock")
    if mock is not None and report.failed:
        lines = "\n".join(map(repr, mock.requests)).splitlines()[-_MOST_LINES:]
        lines += [f"{finding.name}: {finding.text}" for finding in mock.findings()]
        lines += [_left_over(mock)] if mock.injected() else []
        nothing = "alta_mock got no request; check_consumer sends its requests to other fakes"
        report.sections.append(("alta-mock traffic", "\n".join(lines) or nothing))
    return report
