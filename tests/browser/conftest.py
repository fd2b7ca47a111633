"""Browsers for the session, and for each test a page of its own that must end without a complaint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, expect, sync_playwright

from mock_server import AltaMock
from tests.browser.browsers import launch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mock_server.transports.live_server import LiveServer


expect.set_options(timeout=20_000)  # milliseconds, for a busy machine; existing elements are found at once


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One driver for all browsers of a process."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Chromium, for all tests of a process."""
    with launch(playwright) as running:
        yield running


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Firefox, for those that are marked with `in_both`."""
    with launch(playwright, "firefox") as running:
        yield running


in_both = pytest.mark.parametrize("tab", ["browser", "firefox"], indirect=True)
"""Runs a test in Chromium and in Firefox."""


@pytest.fixture
def mock(request: pytest.FixtureRequest, tmp_path: Path) -> AltaMock:
    """A fake with the default settings, or with others; its clock is real, as the browser's is.

    A seed is given as its text.
    """
    settings: dict[str, Any] = dict(getattr(request, "param", {}))
    if "data" in settings:
        seed = tmp_path / "seed.yaml"
        seed.write_text(settings["data"], encoding="utf-8")
        settings["data"] = seed
    return AltaMock(**settings)


@pytest.fixture
def live(mock: AltaMock) -> Iterator[LiveServer]:
    """The fake on a socket."""
    with mock.serve() as running:
        yield running


@pytest.fixture
def origin(live: LiveServer) -> str:
    """Scheme, host and port."""
    return live.origin


@pytest.fixture
def tab(request: pytest.FixtureRequest, origin: str) -> Iterator[Page]:
    """An empty page of a fresh profile; its clipboard can be read in Chromium only."""
    name = getattr(request, "param", "browser")
    permissions = ["clipboard-read", "clipboard-write"] if name == "browser" else []
    browser: Browser = request.getfixturevalue(name)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=origin, permissions=permissions)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(tab: Page, origin: str) -> Iterator[Page]:
    """An empty page; afterwards its console is empty, and it has sent no request to another host.

    What the browser logs about a refusal by the fake API is expected.
    """
    logged: list[str] = []
    foreign: list[str] = []

    def note(message: ConsoleMessage) -> None:
        refused = message.location.get("url", "").startswith(f"{origin}/v1/") and "Failed to load" in message.text
        if not refused:
            logged.append(message.text)

    def count(request: Request) -> None:
        if not request.url.startswith((f"{origin}/", "data:")):
            foreign.append(request.url)

    tab.on("console", note)
    tab.on("pageerror", lambda error: logged.append(str(error)))
    tab.on("request", count)
    yield tab
    assert logged == []
    assert foreign == []
