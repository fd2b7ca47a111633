"""The layout of the live page: what is long scrolls in its own box, and nobody is kept out."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import in_both
from tests.conftest import request_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from mock_server import AltaMock

pytestmark = pytest.mark.slow

NO_LIMITS = {"rate_limit": "off", "account_rate_limit": "off"}

PARTS = ("#campaigns button", "#quotas", "#sample", "#requests tbody tr", "#objects > li")
"""What is seen without scrolling: the first element of each."""


@in_both
@pytest.mark.parametrize("mock", [NO_LIMITS], indirect=True)
def test_the_page_is_as_high_as_the_window(page: Page, mock: AltaMock) -> None:
    """However much there is: more requests and prospects than the page shows at first are as many as it can get."""
    for number in range(210):
        mock.answer(request_of({"data": [{"email": f"{number}@example.com"}]}))
    page.goto("/")
    expect(page.locator("#requests tbody tr")).to_have_count(200)
    page.get_by_role("button", name="Show more").click()
    expect(page.locator("#requests tbody tr")).to_have_count(210)
    expect(page.locator("#objects > li")).to_have_count(100)
    page.locator("#rows").evaluate("one => one.scrollTo(0, 0)")

    assert page.evaluate("document.documentElement.scrollHeight") == 800
    for part in PARTS:
        expect(page.locator(part).first).to_be_in_viewport(ratio=1)
    assert page.locator("#requests tbody tr").nth(9).evaluate("one => one.getBoundingClientRect().bottom") < 800


@in_both
@pytest.mark.parametrize("mock", [NO_LIMITS], indirect=True)
def test_a_box_is_scrolled_by_keyboard(page: Page, mock: AltaMock) -> None:
    """The requests, and the prospects; an opened request is brought into view."""
    for number in range(40):
        mock.answer(request_of({"data": [{"email": f"{number}@example.com"}]}))
    page.goto("/?request=1")
    expect(page.locator("#request h2")).to_contain_text("Request 1 ")
    expect(page.locator("#requests tbody tr").last).to_be_in_viewport()
    page.get_by_role("button", name="Close").click()
    for box in ("#rows", "#objects"):
        page.locator(box).evaluate("one => { one.scrollTo(0, 0); one.focus(); }")
        page.keyboard.press("End")
        expect(page.locator(f"{box} tr, {box} > li").last).to_be_in_viewport()


@pytest.mark.parametrize("mock", [NO_LIMITS], indirect=True)
@pytest.mark.parametrize(("width", "height"), [(360, 780), (900, 700), (1280, 300)])
def test_boxes_stay_usable_in_small_windows(page: Page, mock: AltaMock, width: int, height: int) -> None:
    """On a phone, in half a window, and in a low one, where the whole page scrolls as well."""
    for number in range(110):
        mock.answer(request_of({"data": [{"email": f"{number}@example.com"}]}))
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/")
    expect(page.locator("#objects > li")).to_have_count(100)

    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.documentElement.scrollHeight") < (3000 if width == 360 else 900)
    for box in ("#rows", "#objects"):
        assert page.locator(box).evaluate("one => one.clientHeight") > 100


def barriers(page: Page, *, without: str = "") -> list[tuple[str, ...]]:
    """Return what axe-core finds on the page as it is, except in an element; of the dark scheme only the colours."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    run = "([where, options]) => axe.run(where, { resultTypes: ['violations'], preload: false, ...options })"
    where = {"exclude": [without] if without else []}
    found = page.evaluate(run, [where, {}])["violations"]
    page.emulate_media(color_scheme="dark")
    found += page.evaluate(run, [where, {"runOnly": ["color-contrast"]}])["violations"]
    page.emulate_media(color_scheme="light")
    return [(one["impact"], one["id"], node["html"]) for one in found for node in one["nodes"]]


def test_axe_finds_no_barrier(page: Page, mock: AltaMock) -> None:
    """On the first visit, in lists that scroll, in open objects and requests, and at the width of a phone."""
    page.emulate_media(reduced_motion="reduce")  # colours that fade would be those of neither scheme
    page.goto("/")
    expect(page.locator("#first")).to_be_visible()
    page.locator("#connect summary").click()
    page.locator("#assume summary").click()
    expect(page.locator("#assumptions li").first).to_be_visible()
    found = barriers(page)
    page.locator("#assume summary").click()
    mock.answer(request_of({"data": [{"email": f"{number}@example.com"} for number in range(20)]}))
    mock.fault("drop_after_commit")
    mock.answer(request_of({"data": []}))
    mock.answer(request_of({"data": [{"email": 7}] * 20}))
    expect(page.locator("#objects > li")).to_have_count(20)
    page.locator("#objects > li > button").first.click()
    page.get_by_role("button", name="Email reply").click()
    expect(page.locator(".related li")).to_have_count(1)
    found += barriers(page)
    page.get_by_label("Kind of objects").select_option("Email threads")
    page.locator("#objects > li > button").first.click()
    expect(page.locator(".inside dl")).to_be_visible()
    found += barriers(page)
    for number in range(3):
        page.locator("#requests tbody tr").nth(number).click()
        expect(page.locator("#request h2")).to_contain_text(f"Request {3 - number}")
        found += barriers(page)
    page.set_viewport_size({"width": 360, "height": 780})

    assert found + barriers(page) == []


def test_axe_finds_no_barrier_around_the_reference(page: Page) -> None:
    """What Swagger UI makes is not ours, and is left out."""
    page.goto("/docs")
    expect(page.locator("#notice")).to_contain_text("Filled in: ")

    assert barriers(page, without="#reference > *") == []
