"""The API reference at `/docs`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.conftest import CAMPAIGN

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from mock_server import AltaMock


def test_trying_it_out_adds_a_prospect(page: Page, mock: AltaMock) -> None:
    """With the token and the campaign of the seed filled in: one click."""
    page.goto("/docs")
    expect(page.locator("#notice")).to_have_text("Filled in: the token of Ada (Acme).")
    page.get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")

    assert mock.prospects(CAMPAIGN) == [{"email": "ada@example.com"}]
    assert mock.requests[-1].account == "acme"


def test_it_shows_the_effective_contract(page: Page) -> None:
    """What the overlay adds is there: the limit's headers, the examples of each way to name a prospect."""
    page.goto("/docs")
    expect(page.locator(".info .title")).to_contain_text("Alta API")
    expect(page.locator(".opblock-summary-path")).to_have_count(1)

    options = page.locator("select.examples-select-element, .examples-select select").first
    expect(options).to_contain_text("by-email")
    expect(page.locator("#reference")).to_contain_text("429")
