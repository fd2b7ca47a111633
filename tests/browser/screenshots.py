"""The pictures of docs/images: `python -m tests.browser.screenshots` takes them anew."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect, sync_playwright

from mock_server import AltaMock
from tests.browser.browsers import launch
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

LIGHT: dict[str, Any] = {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}}
DARK: dict[str, Any] = {**LIGHT, "color_scheme": "dark"}
NARROW: dict[str, Any] = {**LIGHT, "viewport": {"width": 360, "height": 780}}


def quota_runs_out(page: Page) -> None:
    """Exceed the quota."""
    sample = page.get_by_role("button", name="Add sample prospects")
    for number in range(1, 12):
        sample.click()
        expect(page.locator("#requests tbody tr")).to_have_count(number)


def why_a_400(page: Page) -> None:
    """Send two batches and a mistake, and open the mistake."""
    for number, name in enumerate(("Add sample prospects", "Add sample prospects", "Add a mistake"), 1):
        page.get_by_role("button", name=name).click()
        expect(page.locator("#requests tbody tr")).to_have_count(number)
    page.locator("#requests tbody a").first.click()
    expect(page.locator("#request h2")).to_be_visible()


def reference(page: Page) -> None:
    """Open the reference."""
    page.goto("/docs#/Campaigns/addProspectsToCampaign")
    expect(page.get_by_role("button", name="Execute")).to_be_visible()


PICTURES = {
    "quota-light": (LIGHT, quota_runs_out),
    "why-dark": (DARK, why_a_400),
    "quota-narrow": (NARROW, quota_runs_out),
    "reference": (LIGHT, reference),
}


def take(browser: Browser, name: str, folder: Path) -> None:
    """Take one picture, of a new fake."""
    options, act = PICTURES[name]
    with AltaMock().serve() as live:
        context = browser.new_context(base_url=live.origin, **options)
        page = context.new_page()
        page.goto("/")
        expect(page.locator("#campaigns button").first).to_be_visible()
        act(page)
        page.evaluate("document.activeElement.blur()")
        page.mouse.move(640, 5)
        page.screenshot(path=folder / f"{name}.png")
        context.close()


def main() -> None:
    """Take all pictures."""
    folder = ROOT / "docs" / "images"
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright, launch(playwright) as browser:
        for name in sys.argv[1:] or PICTURES:
            take(browser, name, folder)


if __name__ == "__main__":
    main()
