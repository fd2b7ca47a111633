"""The API reference at `/docs`."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from flask import Flask
from playwright.sync_api import expect
from werkzeug.serving import make_server

from contract_tests.traffic.run import check
from mock_server import AltaMock
from tests.conftest import CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow


def opened(page: Page, operation: str) -> Locator:
    """Open an operation, and return it."""
    block = page.locator(f"[id$=-{operation}]")
    block.locator(".opblock-summary-control").click()
    return block


def test_trying_it_out_adds_a_prospect(page: Page, mock: AltaMock) -> None:
    """With the token and the campaign of the seed filled in: one click."""
    page.goto("/docs")
    expect(page.locator("#notice")).to_have_text("Filled in: the token of Ada (Acme).")
    opened(page, "addProspectsToCampaign").get_by_role("button", name="Execute").click()
    expect(page.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")

    assert mock.prospects(CAMPAIGN) == [{"email": "ada@example.com"}]
    assert mock.requests[-1].account == "acme"


TRIED = ("getProspect", "listEmailMessages", "assignTags", "addCommunicationOptOuts", "deleteCommunicationOptOut")
"""Operations with every kind of input: an id in the path, a query, a body with ids, a body of a DELETE."""


def test_other_operations_can_be_tried_out(page: Page, mock: AltaMock) -> None:
    """Token, ids and body are filled in: each takes two clicks, and the response is a success."""
    page.goto("/docs")
    expect(page.locator("#notice")).to_contain_text("Filled in: ")
    for operation in TRIED:
        block = opened(page, operation)
        block.get_by_role("button", name="Execute").click()
        expect(block.locator(".live-responses-table tbody .response-col_status").first).to_be_visible()
        block.locator(".opblock-summary-control").click()

    assert [(one.operation, one.status) for one in mock.requests] == [(operation, 200) for operation in TRIED]


def test_what_the_browser_records_passes_the_check(browser: Browser, origin: str, tmp_path: Path) -> None:
    """A HAR file of the page, with its scripts and its requests to the control API; no option is needed."""
    file = tmp_path / "docs.har"
    context = browser.new_context(base_url=origin, record_har_path=file)
    page = context.new_page()
    page.goto("/docs")
    expect(page.locator("#notice")).to_contain_text("Filled in: ")
    for operation in ("addProspectsToCampaign", *TRIED):
        block = opened(page, operation)
        block.get_by_role("button", name="Execute").click()
        expect(block.locator(".live-responses-table tbody .response-col_status").first).to_be_visible()
        block.locator(".opblock-summary-control").click()
    context.close()
    result = check([str(file)])

    assert (result.exit_code, result.requests, result.mistakes) == (0, 1 + len(TRIED), [])
    assert result.notes.keys() == {"other-path"}


OWN_ID = "a0000000-0000-4000-8000-00000000000{}"
OWN = f"""
accounts:
  - id: mine
    campaigns: [{{ id: {OWN_ID.format(1)}, name: Mine }}]
    persons: [{{ id: {OWN_ID.format(2)} }}]
    prospects: [{{ id: {OWN_ID.format(3)}, campaignId: {OWN_ID.format(1)}, personId: {OWN_ID.format(2)} }}]
    emailMessages: [{{ id: {OWN_ID.format(4)}, prospectId: {OWN_ID.format(3)} }}]
  - id: theirs
    campaigns: [{{ id: {OWN_ID.format(5)}, name: Theirs }}]
    companies: [{{ id: {OWN_ID.format(6)}, name: Theirs }}]
tokens: [{{ token: my-token, accounts: [mine] }}]
"""


@pytest.mark.parametrize("mock", [{"data": OWN}], indirect=True)
def test_ids_are_those_of_the_seed(page: Page, mock: AltaMock) -> None:
    """Those of the account of the token; a kind without an object keeps the contract's example."""
    page.goto("/docs")
    expect(page.locator("#notice")).to_contain_text("Filled in: ")
    for operation in ("getCampaign", "getPerson", "resumeProspect", "getEmailMessage", "getCompany"):
        block = opened(page, operation)
        block.get_by_role("button", name="Execute").click()
        expect(block.locator(".live-responses-table tbody .response-col_status").first).to_be_visible()
        block.locator(".opblock-summary-control").click()

    ids = [one.request.path.split("/")[-1 - one.request.path.endswith("/resume")] for one in mock.requests]
    assert ids == [*map(OWN_ID.format, (1, 2, 3, 4)), "20000000-0000-4000-8000-000000000001"]
    assert [one.status for one in mock.requests] == [200, 200, 200, 200, 404]


def test_both_pages_work_below_a_prefix(tab: Page) -> None:
    """In a Flask application of somebody else, the page and the reference reach the mock below its prefix."""
    mock, app = AltaMock(), Flask("theirs")
    app.register_blueprint(mock.blueprint(), url_prefix="/alta")
    with served(app) as origin:
        tab.goto(f"{origin}/alta/")
        tab.get_by_role("button", name="Add sample prospects").click()
        expect(tab.locator("#objects > li")).to_have_count(5)
        expect(tab.locator("#base-url")).to_have_text(f"{origin}/alta/v1")
        tab.get_by_role("link", name="API reference").click()
        opened(tab, "addProspectsToCampaign").get_by_role("button", name="Execute").click()
        expect(tab.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")

    assert [entry.status for entry in mock.requests] == [200, 200]


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an application on a free port; the value is its origin."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_shows_the_effective_contract(page: Page) -> None:
    """What the overlay adds is there: the limit's headers, the examples of each way to name a prospect."""
    page.goto("/docs")
    expect(page.locator(".info .title")).to_contain_text("Alta API")
    expect(page.locator(".opblock-summary-path")).to_have_count(28)
    opened(page, "addProspectsToCampaign")
    options = page.locator("select.examples-select-element, .examples-select select").first
    expect(options).to_contain_text("by-email")
    expect(page.locator("#reference")).to_contain_text("429")
