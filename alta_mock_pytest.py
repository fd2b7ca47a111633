"""The pytest plugin: fixtures for tests of a consumer; nothing heavy is imported until a fixture is used.

`alta_mock` is the fake of a test, with the settings of `alta_settings` and `@pytest.mark.alta(...)`. `alta_server` and
`alta_responses` are its transports, `alta_client` is a client, `alta_check_consumer` checks a consumer.
The report of a failing test shows its traffic.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from alta_client import AltaClient
    from contract_tests.consumer.results import ConsumerReport
    from mock_server.mock import AltaMock
    from mock_server.transports.live_server import LiveServer

_MOST_LINES = 40


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line(
        "markers", 'alta(**settings): settings of alta_mock for this test, for example rate_limit="3/60s"'
    )


@pytest.fixture
def alta_settings() -> dict[str, Any]:
    """Settings of `alta_mock`; override this fixture to change them for a module or a project."""
    return {}


@pytest.fixture
def alta_mock(request: pytest.FixtureRequest, alta_settings: dict[str, Any]) -> AltaMock:
    """A fake of the Alta API, new for each test."""
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
    from alta_client import AltaClient  # noqa: PLC0415 - a run that does not use it need not import it

    token, _ = alta_responses.required_credentials()
    clock = alta_responses.clock
    return AltaClient(alta_responses.base_url, token, sleep=clock.sleep, clock=clock.time)


@pytest.fixture
def alta_check_consumer(alta_mock: AltaMock) -> Callable[..., ConsumerReport]:
    """`contract_tests.check_consumer` with the settings of `alta_mock`; needs the extra `verify`."""
    from contract_tests import check_consumer  # noqa: PLC0415 - a run that does not use it need not import it

    return partial(check_consumer, alta_mock)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add its traffic to the report of a failing test."""
    report = yield
    mock = getattr(item, "funcargs", {}).get("alta_mock")
    if mock is not None and report.failed:
        lines = "\n".join(map(repr, mock.requests)).splitlines()[-_MOST_LINES:]
        lines += [f"{finding.name}: {finding.text}" for finding in mock.findings()]
        report.sections.append(("alta-mock traffic", "\n".join(lines) or "no request was made"))
    return report
