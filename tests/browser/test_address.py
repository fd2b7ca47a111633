"""The address of the live page names what is chosen, and follows it through the browser's history."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import in_both
from tests.conftest import CAMPAIGN, SECOND_CAMPAIGN, request_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from mock_server import AltaMock

pytestmark = pytest.mark.slow


@in_both
def test_back_and_forward_show_what_was_chosen(page: Page, mock: AltaMock) -> None:
    """A request, a campaign, a prospect and a kind of objects are a step each; what is typed is none."""
    mock.answer(request_of())
    mock.answer(request_of({"data": []}))
    page.goto("/")
    page.locator("#requests tbody tr").first.click()
    expect(page.locator("#request h2")).to_contain_text("Request 2 ")
    page.locator("#campaigns button", has_text="Q4 outreach").click()
    expect(page.locator("#campaign-title")).to_have_text("Q4 outreach: 6 prospects")
    page.locator("#objects > li > button", has_text="Nora").click()
    expect(page.locator(".related")).to_contain_text("Thanks, Tuesday")
    page.get_by_label("Kind of objects").select_option("Reps")
    expect(page.locator("#campaign-title")).to_have_text("Reps of acme")
    page.get_by_label("Filter").fill("4xx")
    expect(page.locator("#requests tbody tr")).to_have_count(1)

    page.go_back()
    expect(page.locator(".related")).to_contain_text("Thanks, Tuesday")
    expect(page.get_by_label("Kind of objects")).to_have_value("prospects")
    expect(page.get_by_label("Filter")).to_have_value("")
    page.go_back()
    expect(page.locator("#campaign-title")).to_have_text("Q4 outreach: 6 prospects")
    expect(page.locator(".related")).to_have_count(0)
    page.go_back()
    expect(page.locator("#request h2")).to_contain_text("Request 2 ")
    expect(page.locator("#campaigns [aria-pressed=true]")).to_contain_text("Q3 outreach")
    page.go_back()
    expect(page.locator("#request")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#request h2")).to_contain_text("Request 2 ")
    page.go_forward()
    expect(page.locator("#campaign-title")).to_have_text("Q4 outreach: 6 prospects")
    assert SECOND_CAMPAIGN in page.url
    page.reload()

    expect(page.locator("#campaign-title")).to_have_text("Q4 outreach: 6 prospects")
    expect(page.locator("#request")).to_be_hidden()


def test_a_link_finds_an_object_that_is_not_among_the_newest(page: Page, mock: AltaMock) -> None:
    """It is searched for by its id, so its list can be left again."""
    for batch in range(6):
        mock.clock.advance(60)
        mock.answer(request_of({"data": [{"email": f"person-{batch}-{n}@example.com"} for n in range(20)]}))
    oldest = mock.list("prospects", campaignId=CAMPAIGN)[0]["id"]
    page.goto(f"/?object={mock.list('prospects', campaignId=SECOND_CAMPAIGN)[0]['id']}&campaign={SECOND_CAMPAIGN}")
    expect(page.locator(".inside dl")).to_contain_text("personId")
    expect(page.get_by_label("Search")).to_have_value("")
    page.goto(f"/?object={oldest}")
    expect(page.locator(".inside dl")).to_contain_text(oldest)
    expect(page.get_by_label("Search")).to_have_value(oldest)
    page.get_by_label("Search").fill("")
    expect(page.locator("#objects > li")).to_have_count(100)


def test_a_finding_links_to_its_requests(page: Page, mock: AltaMock) -> None:
    """Each of them, by its number."""
    mock.answer(request_of({"data": [{"email": "a"}]}))
    mock.answer(request_of({"data": [{"email": "a"}]}))
    page.goto("/?request=2")
    link = page.locator("#request .finding a", has_text="1").first
    expect(link).to_have_attribute("href", re.compile("request=1$"))
    link.click()

    expect(page.locator("#request h2")).to_contain_text("Request 1 ")
    assert "request=1" in page.url
