"""The objects on the live page, and the events that it simulates."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.conftest import SECOND_CAMPAIGN, request_of

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from mock_server import AltaMock

pytestmark = pytest.mark.slow


def item(page: Page, text: str) -> Locator:
    """Return the objects of the list that have a text."""
    return page.locator("#objects > li", has_text=text)


def test_a_prospect_has_messages_and_calls(page: Page) -> None:
    """Of the seed, with a person's facts; a link shows the same."""
    page.goto(f"/?campaign={SECOND_CAMPAIGN}")
    expect(page.locator("#campaign-title")).to_have_text("Q4 outreach: 6 prospects")
    expect(page.locator("#objects > li")).to_have_count(6)
    item(page, "Nora Lindqvist").get_by_role("button").click()
    related = item(page, "Nora Lindqvist").locator(".related")
    expect(related).to_contain_text("Thanks, Tuesday at ten works for me.")
    expect(related.locator("li", has_text=re.compile("^LinkedIn,")).first).to_be_visible()
    expect(related.locator("li", has_text=re.compile("^Call,")).first).to_be_visible()
    address = page.url
    page.goto("about:blank")
    page.goto(address)

    expect(item(page, "Nora Lindqvist").get_by_role("button").first).to_have_attribute("aria-expanded", "true")
    expect(related).to_contain_text("Thanks, Tuesday at ten works for me.")
    item(page, "Nora Lindqvist").get_by_role("button").first.click()
    expect(related).to_have_count(0)


@pytest.mark.parametrize(
    ("kind", "text", "more"),
    [
        ("Email threads", "A quick question about routing", "Great, I have sent you an invitation."),
        ("LinkedIn conversations", "Nora Lindqvist", "conversationId"),
        ("Calls", "outbound", "startedAt"),
        ("Opt-outs", "@", "identifierType"),
        ("Persons", "Tomas Varga", "linkedinUrl"),
        ("Companies", "Bluepeak Software", "bluepeak.example"),
        ("Reps", "Rosa Delgado", "ownedById"),
    ],
)
def test_every_kind_of_object_is_shown(page: Page, kind: str, text: str, more: str) -> None:
    """Those of the account, and one opened; messages by thread; another campaign shows its prospects again."""
    page.goto("/")
    page.get_by_label("Kind of objects").select_option(kind)
    expect(page.locator("#campaign-title")).to_have_text(f"{kind} of acme")
    item(page, text).first.get_by_role("button").click()
    expect(page.locator("#objects .inside:visible")).to_contain_text(more)
    expect(item(page, "Harbour Isle")).to_have_count(0)
    page.locator("#campaigns button", has_text="Q4 outreach").click()

    expect(page.locator("#objects > li")).to_have_count(6)
    expect(page.get_by_label("Kind of objects")).to_have_value("prospects")


def test_a_thread_is_listed_once(page: Page, mock: AltaMock) -> None:
    """By its newest message, also when it goes on while it is open."""
    page.goto("/?kind=email_messages")
    thread = item(page, "A quick question about routing")
    expect(thread).to_have_count(1)
    thread.get_by_role("button").click()
    expect(thread.locator(".related li")).to_have_count(3)
    mock.events.email_reply("30000000-0000-4000-8000-000000000001", body="See you then.")

    expect(page.locator("#objects > li").first.locator(".related li")).to_have_count(4)
    expect(page.locator("#objects > li").first.locator("button")).to_contain_text("See you then.")


def test_a_long_list_is_searched_and_paged(page: Page, mock: AltaMock) -> None:
    """Also prospects that are not among the newest; a search finds what arrives."""
    for batch in range(12):
        mock.clock.advance(60)
        mock.answer(request_of({"data": [{"email": f"person-{batch}-{n}@example.com"} for n in range(20)]}))
    page.goto("/")
    note = page.locator("#prospects-note")
    expect(note).to_have_text("1 to 100 of 240, newest first.")
    expect(page.get_by_role("button", name="Newer")).to_be_hidden()
    page.get_by_role("button", name="Older").click()
    page.get_by_role("button", name="Older").click()
    expect(note).to_have_text("201 to 240 of 240, newest first.")
    expect(page.locator("#objects > li").last).to_contain_text("person-0-0@example.com")
    expect(page.get_by_role("button", name="Older")).to_be_hidden()
    page.get_by_role("button", name="Newer").click()
    expect(note).to_have_text("101 to 200 of 240, newest first.")
    page.get_by_label("Search").fill("PERSON-0-1")
    expect(page.locator("#objects > li")).to_have_count(11)
    expect(note).to_have_text("Newest first.")
    mock.clock.advance(60)
    mock.answer(request_of({"data": [{"email": "person-0-1-too@example.com"}]}))
    expect(page.locator("#objects > li")).to_have_count(12)
    page.get_by_label("Search").fill("nobody")

    expect(note).to_have_text("Nothing has all of these words.")
    assert "search=nobody" in page.url


@pytest.mark.parametrize(
    ("button", "shown"),
    [("Email reply", "Email,"), ("LinkedIn reply", "LinkedIn,"), ("Call", "Call,"), ("Opt-out", "Opted out,")],
)
def test_an_event_is_simulated(page: Page, mock: AltaMock, button: str, shown: str) -> None:
    """It is shown at once, with its text; the button keeps the focus."""
    mock.answer(request_of())
    page.goto("/")
    item(page, "ada@example.com").get_by_role("button").click()
    page.get_by_label("Text of the reply, or summary of the call").fill("Do tell.")
    page.get_by_role("button", name=button, exact=True).click()
    related = page.locator(".related li")
    expect(related).to_contain_text(shown)
    expect(related).to_contain_text("ada@example.com" if button == "Opt-out" else "Do tell.")
    expect(page.locator("#notice")).to_have_text(f"Simulated: {button}.")
    expect(page.get_by_role("button", name=button, exact=True)).to_be_focused()
    expect(page.get_by_label("Text of the reply, or summary of the call")).to_have_value("")

    expect(page.locator("#objects > li > button")).to_contain_text("paused" if button == "Opt-out" else "ada")


def test_text_of_others_does_not_change_the_direction_of_the_page(page: Page, mock: AltaMock) -> None:
    """Each value is isolated, in the list, in a path, in a violation and in a finding."""
    turned = "\u202eevil"
    mock.answer(request_of({"data": [{"firstName": turned, "lastName": "L", "email": turned, turned: turned}]}))
    mock.answer(request_of({"data": [{"email": 7}], turned: 1}, path=f"/v1/{turned}"))
    mock.answer(request_of({"data": [{"email": "x", "Email": turned}, {turned: 1}]}))
    page.goto("/?request=3")
    expect(page.locator("#request h2")).to_contain_text("Request 3")
    page.get_by_role("button", name="Close").click()
    page.locator("#objects > li > button").first.click()
    expect(page.locator(".inside dl")).to_contain_text("personId")
    loose = page.evaluate(
        """() => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const loose = [];
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const own = node.parentElement;
            const alone = own.childNodes.length === 1 && getComputedStyle(own).display !== "inline";
            if (node.data.includes("\u202e") && !own.closest("bdi") && !alone) loose.push(own.outerHTML);
          }
          return loose;
        }"""
    )

    assert loose == []


def test_an_unknown_kind_in_the_address_is_left_out(page: Page, mock: AltaMock) -> None:
    """As is an operation that the contract does not have: the page shows what it would without them."""
    mock.answer(request_of())
    page.goto("/?kind=people&operation=addPeople")

    expect(page.locator("#campaign-title")).to_have_text("Q3 outreach: 1 prospect")
    expect(page.locator("#requests tbody tr")).to_have_count(1)
    expect(page.get_by_label("Kind of objects")).to_have_value("prospects")
