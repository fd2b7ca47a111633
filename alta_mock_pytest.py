"""Fixtures for tests of a consumer; nothing heavy is imported until one of them is used.

`alta_mock` is the engine of a test, as it is out of the box or as `alta_settings` and `@pytest.mark.alta(...)` say.
`alta_server` and `alta_responses` are its transports, `alta_client` is a client of it.
A failing test shows what it sent and what was wrong with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from alta_client import AltaClient
    from mock_server.mock import AltaMock
    from mock_server.transports.live_server import LiveServer

_MOST_LINES = 40


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", 'alta(**settings): settings of alta_mock for this test, for example rate_limit="3/60s"'
    )


@pytest.fixture
def alta_settings() -> dict[str, Any]:
    """Settings of `alta_mock`; override this fixture to have others in a module or a project."""
    return {}


@pytest.fixture
def alta_mock(request: pytest.FixtureRequest, alta_settings: dict[str, Any]) -> AltaMock:
    """The Alta API, faked: fresh for each test."""
    from mock_server import AltaMock  # noqa: PLC0415 - a run that does not use it need not import it

    settings = dict(alta_settings)
    for mark in reversed(list(request.node.iter_markers("alta"))):
        settings |= mark.kwargs
    return AltaMock(**settings)


@pytest.fixture
def alta_server(alta_mock: AltaMock) -> Iterator[LiveServer]:
    """`alta_mock` on a real socket; its `url` ends in /v1."""
    with alta_mock.serve() as server:
        yield server


@pytest.fixture
def alta_responses(alta_mock: AltaMock) -> Iterator[AltaMock]:
    """`alta_mock`, answering what `requests` sends to `alta_mock.base_url`, without a socket."""
    with alta_mock.responses():
        yield alta_mock


@pytest.fixture
def alta_client(alta_responses: AltaMock) -> AltaClient:
    """A client of `alta_mock`, without a socket; its waits move the clock and take no time."""
    from alta_client import AltaClient  # noqa: PLC0415 - a run that does not use it need not import it

    token, _ = alta_responses.required_credentials()
    clock = alta_responses.clock
    return AltaClient(alta_responses.base_url, token, sleep=clock.sleep, clock=clock.time)


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
