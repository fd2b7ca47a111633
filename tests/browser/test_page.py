"""The live page, as somebody in front of it sees it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from alta_client import AltaClient, RateLimited
from mock_server import AltaMock, Clock
from mock_server.messages.http import ApiRequest
from tests.browser.conftest import in_both
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, SECOND_CAMPAIGN, prospects_path, request_of

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page, Route

    from mock_server.transports.live_server import LiveServer

pytestmark = pytest.mark.slow


def client(live: LiveServer, **options: Any) -> AltaClient:
    """Return `alta_client` for a fake on a socket."""
    return AltaClient(live.url, "test-token", **options)


def rows(page: Page) -> Any:
    """Return the rows of the requests."""
    return page.locator("#requests tbody tr")


@in_both
def test_what_a_client_sends_appears_without_a_reload(page: Page, live: LiveServer) -> None:
    """The prospects, their number, the request and the quota."""
    page.goto("/")
    expect(page.locator("#first")).to_contain_text("None yet")
    page.evaluate("window.stillHere = true")
    client(live).add_prospects(CAMPAIGN, [{"email": f"person.{n}@example.com"} for n in range(25)])

    expect(page.locator("#objects > li")).to_have_count(25)
    expect(page.locator("#objects > li").first).to_contain_text("person.24@example.com")
    expect(page.locator("#campaign-title")).to_have_text("Q3 outreach: 25 prospects")
    expect(rows(page)).to_have_count(2)
    expect(rows(page).first).to_contain_text("addProspectsToCampaign")
    expect(page.locator("#quotas")).to_contain_text("8 of 10 left")
    expect(page.locator("#quotas")).to_contain_text(re.compile(r"full again in \d+ s"))
    assert page.evaluate("window.stillHere") is True


def test_a_400_shows_its_rule_beside_the_value(page: Page, mock: AltaMock) -> None:
    """In the list, and at the line of the body, with the remedy and the line of the contract."""
    mock.answer(request_of({"data": [{"email": "a"}, {"email": 7, "company": "x"}]}))
    page.goto("/")
    expect(rows(page).first).to_contain_text("400")
    expect(rows(page).first).to_contain_text("type")
    rows(page).first.click()
    wrong = page.locator("#request .body code.wrong", has_text='"email": 7')

    expect(wrong).to_have_count(1)
    beside = wrong.locator("xpath=following-sibling::*[1]")
    expect(beside).to_contain_text("type /data/1/email: got the number 7; wanted string")
    expect(beside).to_contain_text("openapi.yaml:")
    expect(page.locator("#request")).to_contain_text("ValidationError")
    assert "request=1" in page.url


def test_findings_are_shown_beside_the_request(page: Page, mock: AltaMock) -> None:
    """Also one that only a later request shows."""
    mock.answer(request_of({"data": [{"email": "a", "linkedin_url": "x"}]}))
    page.goto("/")
    expect(rows(page).first).to_contain_text("misspelt-field")
    mock.answer(request_of({"data": [{"email": "a"}]}))
    expect(rows(page).first).to_contain_text("duplicate-prospect")
    rows(page).first.click()

    expect(page.locator("#request .finding")).to_contain_text("1 of 1 records were added before")


@in_both
def test_a_minute_refills_the_quota(page: Page) -> None:
    """After ten samples there is a 429 with a countdown; a minute later samples work again."""
    page.goto("/")
    sample = page.get_by_role("button", name="Add sample prospects")
    for number in range(1, 12):
        sample.click()
        expect(rows(page)).to_have_count(number)
    operation = page.locator(".quota", has_text="addProspectsToCampaign")
    expect(rows(page).first).to_contain_text("429")
    expect(page.locator("#notice")).to_contain_text("429: try again in")
    expect(operation).to_contain_text("0 of 10 left")
    assert operation.locator("meter").evaluate("one => one.value") == 0

    page.get_by_role("button", name="+60 s").click()
    expect(operation).to_contain_text("10 of 10 left")
    expect(page.locator("#advanced")).to_have_text("(+60 s)")
    sample.click()
    expect(rows(page).first).to_contain_text("200")


def test_a_client_gets_an_injected_429(page: Page, live: LiveServer) -> None:
    """It is listed as waiting, for two requests, until they are made."""
    page.goto("/")
    page.get_by_label("Times").fill("2")
    page.get_by_role("button", name="429", exact=True).click()
    expect(page.locator("#waiting")).to_have_text("Waiting: 429 x 2")

    with pytest.raises(RateLimited):
        client(live, max_wait=0.001).add_prospects(CAMPAIGN, [{"email": "a@example.com"}])
    expect(page.locator("#waiting")).to_have_text("Waiting: 429 x 1")
    expect(rows(page).first).to_contain_text("injected 429")
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("#waiting")).to_be_empty()


def test_every_fault_can_be_injected(page: Page, mock: AltaMock) -> None:
    """A response that is cut off is shown as a lost connection."""
    page.goto("/")
    for name in ("delay", "connection reset", "truncate", "malformed json", "html 502", "drop after commit"):
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#waiting")).to_contain_text(name)
    page.get_by_role("button", name="Forget").click()
    page.get_by_role("button", name="truncate").click()
    expect(page.locator("#waiting")).to_have_text("Waiting: truncate x 1")
    page.get_by_role("button", name="Add sample prospects").click()

    expect(page.locator("#notice")).to_contain_text("the connection was lost")
    expect(page.locator("#objects > li")).to_have_count(5)
    expect(rows(page).first.locator(".status.later")).to_have_text("⚡ response lost")
    rows(page).first.click()
    expect(page.locator("#request h2")).to_contain_text("response lost")
    expect(page.locator("#request")).to_contain_text("It would have been a 200")
    assert len(mock.requests) == 1


def test_a_sample_that_the_browser_repeats_is_counted_twice(page: Page, mock: AltaMock) -> None:
    """The notice says how many prospects were added, and that is no finding about a consumer."""
    page.goto("/")
    sample = page.get_by_role("button", name="Add sample prospects")
    sample.click()
    expect(page.locator("#notice")).to_have_text("5 prospects added.")
    mock.fault("drop_after_commit")
    sample.click()

    expect(page.locator("#notice")).to_have_text("10 prospects added: the browser repeated the request.")
    assert len(mock.prospects(CAMPAIGN)) == 15
    assert [entry.outcome.lost for entry in mock.requests] == [False, True, False]
    assert mock.findings() == []


EVIL = '<script>document.title="owned"</script><img src=x onerror="document.title=1">'


def test_a_prospect_named_script_is_text(page: Page, mock: AltaMock) -> None:
    """In the list, the request, the findings and a path: none of it becomes an element."""
    record = {"firstName": EVIL, "lastName": EVIL, "company": EVIL, "email": EVIL, EVIL: EVIL}
    mock.answer(request_of({"data": [record]}))
    mock.answer(request_of({"data": [record, {EVIL: 1}]}))
    mock.answer(request_of(path=f"/v1/{EVIL}"))
    page.goto("/")
    expect(page.locator("#objects > li").first).to_contain_text(EVIL)
    for number in range(3):
        rows(page).nth(number).click()
        expect(page.locator("#request h2")).to_contain_text(f"Request {3 - number}")
        expect(page.locator("#request")).to_contain_text("<script>")

    assert page.locator("main script, main img").count() == 0
    assert page.title() == "alta-mock"


def test_the_policy_stops_injected_code(tab: Page) -> None:
    """The browser refuses to turn text into markup or script, and refuses requests to other hosts."""
    tab.goto("/")
    done = tab.evaluate(
        """async () => {
          const done = [];
          const stopped = new Promise((go) => addEventListener("securitypolicyviolation", (event) => {
            if (event.effectiveDirective === "connect-src") go();
          }));
          try { document.body.innerHTML = "<b>x</b>"; done.push("markup"); } catch { }
          try { document.createElement("script").text = "1"; done.push("script"); } catch { }
          try { await fetch("http://127.0.0.1:1/"); done.push("elsewhere"); } catch { await stopped; }
          return done;
        }"""
    )

    assert done == []


@in_both
def test_by_keyboard_alone(page: Page, mock: AltaMock) -> None:
    """Add, browse the requests, open one, close it, filter, advance the clock, pause, without a mouse."""
    page.goto("/")
    expect(page.locator("#campaigns button").first).to_be_visible()
    for number in (1, 2):
        page.keyboard.press("a")
        expect(rows(page)).to_have_count(number)
    for key in ("j", "j", "k", "j"):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    expect(page.locator("#request h2")).to_contain_text("Request 1 ")
    page.keyboard.press("Escape")
    expect(page.locator("#request")).to_be_hidden()
    expect(page.locator("#requests a:focus")).to_have_text("1")
    page.keyboard.press("/")
    page.keyboard.type("nothing-like-it")
    expect(rows(page)).to_have_count(0)
    expect(page.locator("#requests-note")).to_contain_text("None of the requests has")
    expect(page.locator("#filter")).to_have_value("nothing-like-it")  # the letters triggered no shortcut
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.press("Tab")
    page.keyboard.press("t")
    expect(page.locator("#advanced")).to_have_text("(+60 s)")
    page.keyboard.press("p")
    expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")

    assert len(mock.requests) == 2


def test_everything_can_be_reached_with_tab(page: Page) -> None:
    """Every visible button, field and link, in order, and each shows its focus."""
    page.goto("/")
    expect(page.locator("#campaigns button").first).to_be_visible()
    page.keyboard.press("a")
    expect(rows(page)).to_have_count(1)
    wanted = page.evaluate(
        "() => [...document.querySelectorAll('button, a[href], input, summary')]"
        ".filter(one => one.checkVisibility()).length"
    )
    reached = set()
    for _ in range(wanted + 3):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate(
                "() => { const one = document.activeElement;"
                " return [...document.querySelectorAll('*')].indexOf(one) + getComputedStyle(one).outlineStyle; }"
            )
        )

    assert len([one for one in reached if one.endswith("solid")]) >= wanted


@in_both
def test_filter_campaign_and_request_are_in_the_address(page: Page, mock: AltaMock) -> None:
    """So a link shows a colleague the same."""
    mock.answer(request_of())
    mock.answer(request_of({"data": []}))
    mock.answer(request_of(token=None))
    page.goto("/")
    expect(rows(page)).to_have_count(3)
    page.get_by_label("Filter").fill("4xx minItems")
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#count")).to_have_text("1 of 3")
    rows(page).first.click()
    page.locator("#campaigns button", has_text="Q4 outreach").click()
    expect(page.locator("#campaign-title")).to_contain_text("Q4 outreach")
    expect(page.locator("#request")).to_be_hidden()
    rows(page).first.click()
    expect(page.locator("#request h2")).to_contain_text("Request 2 ")
    address = page.url
    page.goto("about:blank")
    page.goto(address)

    expect(rows(page)).to_have_count(1)
    expect(page.get_by_label("Filter")).to_have_value("4xx minItems")
    expect(page.locator("#request h2")).to_contain_text("Request 2 ")
    expect(page.locator("#campaigns [aria-pressed=true]")).to_contain_text("Q4 outreach")
    assert SECOND_CAMPAIGN in address


def test_pause_holds_the_list_still(page: Page, mock: AltaMock) -> None:
    """Resuming shows what has arrived in between."""
    page.clock.install()
    page.goto("/")
    expect(page.locator("#steps")).to_be_visible()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.wait_for_load_state("networkidle")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    mock.answer(request_of())
    page.clock.fast_forward(60_000)
    assert asked == []
    expect(rows(page)).to_have_count(0)
    page.get_by_role("button", name="Paused: go on").click()

    expect(rows(page)).to_have_count(1)


def test_reset_goes_back_to_the_seed(page: Page, mock: AltaMock) -> None:
    """Prospects, requests and quotas; also when another client resets the fake."""
    page.goto("/")
    for by_button in (True, False):
        page.get_by_role("button", name="Add sample prospects").click()
        expect(page.locator("#objects > li")).to_have_count(5)
        if by_button:
            page.get_by_role("button", name="Reset", exact=True).click()
        else:
            mock.reset()
        expect(page.locator("#objects > li")).to_have_count(0)
        expect(rows(page)).to_have_count(0)
        expect(page.locator("#quotas")).to_contain_text("10 of 10 left")


def test_after_a_reset_the_numbers_begin_again(page: Page, mock: AltaMock) -> None:
    """Also if as many requests have come in again before the page has looked; the open request closes."""
    for _ in range(2):
        mock.answer(request_of())
    mock.clock.advance(60)
    page.goto("/?request=2")
    expect(page.locator("#request h2")).to_contain_text("200")
    expect(page.locator("#advanced")).to_have_text("(+60 s)")
    page.locator("#pause").click()
    mock.reset()
    for _ in range(2):
        mock.answer(request_of({"data": []}))
    page.locator("#pause").click()

    expect(rows(page).locator(".status")).to_have_text(["✕ 400", "✕ 400"])
    expect(rows(page).locator("a")).to_have_text(["2", "1"])
    expect(page.locator("#advanced")).to_be_empty()
    expect(page.locator("#request")).to_be_hidden()


def test_samples_are_added_to_the_chosen_campaign(page: Page, mock: AltaMock) -> None:
    """With a token of its account; a mistake is explained."""
    page.goto("/")
    page.locator("#campaigns button", has_text="Globex expansion").click()
    expect(page.locator("#quota-of")).to_have_text("of globex")
    page.get_by_role("button", name="Add sample prospects").click()
    expect(page.locator("#notice")).to_have_text("5 prospects added.")
    page.get_by_role("button", name="Add a mistake").click()
    expect(page.locator("#notice")).to_contain_text("Answered 400: contact-or-identity /data/1; open")

    assert len(mock.prospects(FOREIGN_CAMPAIGN)) == 5


@pytest.mark.parametrize("name", ["curl", "requests", "pytest"])
def test_copies_can_be_pasted(page: Page, mock: AltaMock, origin: str, name: str) -> None:
    """The clipboard has the copy that the control API provides."""
    mock.answer(request_of())
    page.goto("/?request=1")
    page.locator("#request").get_by_role("button", name=name, exact=True).click()
    expect(page.locator("#notice")).to_have_text(f"Copied as {name}.")
    copied = page.evaluate("navigator.clipboard.readText()")

    assert CAMPAIGN in copied
    assert {"curl": f"curl -i -X POST {origin}", "requests": "import requests", "pytest": "def test_request_1"}[
        name
    ] in copied


NOBODY = "accounts: [{id: mine, campaigns: []}]\ntokens: [{token: some-token, accounts: [mine]}]\n"


@pytest.mark.parametrize(
    ("mock", "steps"),
    [({"rate_limit": "off", "account_rate_limit": "off"}, 3), ({"data": NOBODY}, 0)],
    indirect=["mock"],
)
def test_a_seed_without_limits_or_campaigns(page: Page, steps: int) -> None:
    """The page says that there are none, and names no step that cannot be taken."""
    page.goto("/")

    expect(page.locator("#quotas")).to_have_text("No limit is in force.")
    expect(page.locator("#steps li:visible")).to_have_count(steps)


def test_without_a_clipboard_the_text_is_shown(page: Page, mock: AltaMock) -> None:
    """It is selected, to be copied by hand; Escape closes it, and nothing else."""
    mock.answer(request_of())
    page.goto("/?request=1")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('not here')); }")
    page.get_by_role("button", name="curl", exact=True).click()
    shown = page.get_by_role("dialog")
    expect(shown).to_contain_text("Copy it yourself: curl")
    expect(shown.locator("textarea")).to_have_value(re.compile(CAMPAIGN))
    expect(shown.locator("textarea")).to_be_focused()
    page.keyboard.press("Escape")

    expect(shown).to_be_hidden()
    expect(page.locator("#request")).to_be_visible()


def test_a_request_is_shown_completely(page: Page, mock: AltaMock) -> None:
    """Query, user, time, violations outside the body with remedies, both heads, and the indented body."""
    headers = (("authorization", "Bearer test-token"), ("content-type", "text/plain"), ("x-own", "mine"))
    mock.answer(ApiRequest("POST", prospects_path(), "page=1", headers, b'{"data":[]}'))
    page.goto("/?request=1")
    shown = page.locator("#request")
    expect(shown.locator(".line")).to_contain_text("/prospects?page=1")
    expect(shown.locator("> .note").first).to_contain_text("addProspectsToCampaign · Ada of acme")
    expect(shown.locator("> .violation")).to_contain_text("content-type header/content-type: got another")
    expect(shown.locator("> .violation")).to_contain_text("Set Content-Type: application/json.")
    expect(shown.locator("details").first).to_contain_text("x-own")
    expect(shown.locator("details").last).to_contain_text("X-Alta-Mock-Why")
    expect(shown).to_be_focused()

    assert shown.locator(".body code", has_text='"data"').evaluate("one => one.innerText") == '  "data": []\n'


def test_each_violation_is_shown_at_its_own_line(page: Page, mock: AltaMock) -> None:
    """Two in one record."""
    mock.answer(request_of({"data": [{"email": "a"}, {"email": 7}]}))
    page.goto("/?request=1")

    expect(page.locator("#request .body .violation strong")).to_have_text(["✕ contact-or-identity", "✕ type"])


def test_injected_responses_are_shown_until_they_are_cleared(page: Page, mock: AltaMock) -> None:
    """By a sign, not by colour alone."""
    mock.next(429)
    mock.answer(request_of())
    page.goto("/?request=1")
    expect(page.locator("#request h2")).to_have_text("Request 1 ↻ 429 injected: 429")
    mock.reset()

    expect(page.locator("#request")).to_be_hidden()


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("misspelt-field", "2"),
        ("globex", "3"),
        ("hank", "3"),
        ("injected 429", "4"),
        ("200 misspelt", "2"),
        ("4XX", "4"),
    ],
)
def test_the_filter_finds(page: Page, mock: AltaMock, words: str, number: str) -> None:
    """By finding, account, user and injected response, in any case of letters."""
    mock.answer(request_of())
    mock.answer(request_of({"data": [{"email": "b", "linkedin_url": "x"}]}))
    mock.answer(request_of(path=prospects_path(FOREIGN_CAMPAIGN), token="other-token"))
    mock.next(429)
    mock.answer(request_of())
    page.goto("/")
    page.get_by_label("Filter").fill(words)
    expect(rows(page).locator("a")).to_have_text([number])
    rows(page).first.click()

    expect(page.locator("#requests [aria-current=true]")).to_have_text(number)


def test_a_notice_disappears_when_the_fake_is_back(tab: Page) -> None:
    """The next successful update removes it."""
    tab.goto("/")
    expect(tab.locator("#steps")).to_be_visible()
    tab.route("**/_mock/**", lambda route: route.abort())
    expect(tab.locator("#notice")).to_have_text("The fake does not answer.")
    tab.unroute("**/_mock/**")

    expect(tab.locator("#notice")).to_be_empty()


def test_a_notice_disappears_by_itself(page: Page) -> None:
    """After some seconds."""
    page.clock.install()
    page.goto("/")
    page.get_by_role("button", name="+60 s").click()
    expect(page.locator("#notice")).to_have_text("The clock is a minute ahead.")
    page.clock.fast_forward(10_000)

    expect(page.locator("#notice")).to_be_empty()


def test_a_refusal_is_shown(tab: Page) -> None:
    """With the message of the control API."""
    tab.route("**/_mock/clock/advance", lambda route: route.fulfill(status=400, json={"message": "a century ahead"}))
    tab.goto("/")
    tab.get_by_role("button", name="+60 s").click()

    expect(tab.locator("#notice.trouble")).to_have_text("a century ahead")


def test_the_clock_and_the_quota_run_between_two_updates(tab: Page) -> None:
    """The fake's time, and the seconds until the quota is full again."""
    mock = AltaMock(clock=Clock(lambda: 0, epoch=1_767_225_600 * 10**9))
    mock.answer(request_of())
    tab.clock.install()
    with mock.serve() as live:
        tab.goto(live.origin)
        expect(tab.locator("#time")).to_have_text(re.compile("00:00:0[0-9] UTC"))
        tab.route("**/_mock/limits", lambda _: None)  # no update finishes any more
        tab.clock.fast_forward(30_000)
        expect(tab.locator("#time")).to_have_text(re.compile("00:00:[34][0-9] UTC"))
        expect(tab.locator("#quotas .refill").first).to_have_text(re.compile("full again in [23][0-9] s"))
        tab.clock.fast_forward(60_000)
        expect(tab.locator("#quotas .left").last).to_have_text("10 of 10 left")


LOOKED = "async () => { const page = await import('/assets/page.js'); while (page.looking) await page.looking; }"


def test_two_updates_at_once_are_one(page: Page, mock: AltaMock) -> None:
    """Nothing is shown twice, and an action while the page is paused does not resume it."""
    mock.answer(request_of())
    page.goto("/")
    expect(rows(page)).to_have_count(1)
    found = page.evaluate(
        """async () => {
          const [page, { state }] = await Promise.all(["page", "control"].map((name) => import(`/assets/${name}.js`)));
          await page.looking;
          Object.assign(state, { newest: 0, entries: [] });
          await Promise.all([page.look(), page.look()]);
          return state.entries.length;
        }"""
    )
    assert found == 1
    page.clock.install()
    page.get_by_role("button", name="Pause", exact=True).click()
    page.get_by_role("button", name="+60 s").click()
    expect(page.locator("#advanced")).to_have_text("(+60 s)")
    page.evaluate(LOOKED)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.fast_forward(60_000)
    page.evaluate(LOOKED)

    assert asked == []


TWO_ACCOUNTS = (
    f"accounts: [{{id: a, campaigns: [{{id: {CAMPAIGN}, name: A}}]}},"
    f" {{id: b, campaigns: [{{id: {FOREIGN_CAMPAIGN}, name: B}}]}}]\n"
    "tokens: [{token: some-token, accounts: [a, b]}]\n"
)


@pytest.mark.parametrize("mock", [{"data": TWO_ACCOUNTS}], indirect=True)
def test_a_token_of_several_accounts_sends_one(page: Page, mock: AltaMock) -> None:
    """If the seed has no other token, also in the command; the samples are five people."""
    page.goto("/")
    expect(page.locator("#curl")).to_contain_text("-H 'x-account-id: a'")
    page.get_by_role("button", name="Add sample prospects").click()
    expect(page.locator("#notice")).to_have_text("5 prospects added.")

    assert len({one["email"] for one in mock.prospects(CAMPAIGN)}) == 5


@in_both
def test_the_first_visit_says_what_to_do(page: Page, mock: AltaMock) -> None:
    """The steps, and a command of the chosen campaign that works; both disappear when it is done."""
    page.goto("/")
    expect(page.locator("#steps")).to_contain_text("Press Add sample prospects")
    expect(page.locator("#curl")).to_contain_text(CAMPAIGN)
    page.locator("#campaigns button", has_text="Spring launch").click()
    expect(page.locator("#campaign-title")).to_contain_text("Spring launch")
    spring = next(one["id"] for one in mock.list("campaigns") if one["name"] == "Spring launch")
    expect(page.locator("#curl")).to_contain_text(spring)
    command = page.locator("#curl").inner_text().replace("\\\n", "")
    subprocess.run(shlex.split(command), check=True, capture_output=True, timeout=20)

    expect(page.locator("#objects > li")).to_have_text("ada@example.com")
    expect(page.locator("#first")).to_be_hidden()
    expect(page.locator("#steps")).to_be_hidden()
    assert mock.prospects(spring) == [{"email": "ada@example.com"}]
    assert mock.findings() == []
    page.get_by_label("Kind of objects").select_option("Opt-outs")
    page.get_by_label("Search").fill("not-there")
    expect(page.locator("#prospects-note")).to_have_text("Nothing has all of these words.")
    expect(page.locator("#first")).to_be_hidden()


def test_the_command_of_the_first_visit_is_copied(page: Page) -> None:
    """As it is shown."""
    page.goto("/")
    page.get_by_role("button", name="Copy the command").click()
    expect(page.locator("#notice")).to_have_text("Copied as curl.")

    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#curl").inner_text()


def test_every_status_can_be_injected(page: Page) -> None:
    """The button of a status injects it; the button to clear them appears with the first."""
    page.goto("/")
    expect(page.locator("#forget")).to_be_hidden()
    for status in ("400", "401", "403", "404", "429"):
        page.get_by_role("button", name=status, exact=True).click()
        expect(page.locator("#waiting")).to_contain_text(f"{status} x 1")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("Q3 outreach", "acme, active101"), ("Trade fair", "archived"), ("Always 404", "acme, always 404")],
)
def test_a_campaign_shows_its_state(page: Page, mock: AltaMock, name: str, shown: str) -> None:
    """Its status, the status it is bound to, and its number of prospects, of which the newest are shown."""
    for size in (20, 20, 20, 20, 20, 1):
        mock.answer(request_of({"data": [{"email": str(number)} for number in range(size)]}))
    page.goto("/")
    expect(page.locator("#prospects-note")).to_have_text("1 to 100 of 101, newest first.")
    page.locator("#campaigns button", has_text=name).click()

    expect(page.locator("#send-title")).to_have_text(f"Send to {name}")
    expect(page.locator("#campaigns [aria-pressed=true]")).to_contain_text(shown)


def test_a_row_and_a_prospect_are_described(page: Page, mock: AltaMock) -> None:
    """A request can be closed without a keyboard, too."""
    record = {"firstName": "Ada", "lastName": "L", "jobTitle": "CTO", "company": "N", "email": "x"}
    mock.answer(request_of({"data": [record]}))
    page.goto("/?request=1")
    expect(rows(page).first).to_contain_text("1 prospect, acme")
    expect(rows(page).first.locator(".time")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#request")).to_be_hidden()
    expect(page.locator("#objects > li strong")).to_have_text("Ada L")
    expect(page.locator("#objects > li")).to_contain_text("CTO, N")


def test_the_page_shows_how_to_connect_a_program(page: Page, live: LiveServer) -> None:
    """The three variables that every example reads."""
    page.goto("/")
    page.locator("#connect summary").click()

    expect(page.locator("#exports")).to_have_text(
        f"export ALTA_BASE_URL={live.url}\nexport ALTA_API_TOKEN=test-token\nexport ALTA_CAMPAIGN_ID={CAMPAIGN}"
    )
    expect(page.locator("#base-url")).to_have_text(live.url)
    page.locator("#copy-exports").click()
    expect(page.locator("#notice")).to_have_text("Copied as shell commands.")
    assert page.evaluate("navigator.clipboard.readText()") == page.locator("#exports").inner_text()


def test_ten_thousand_requests_are_usable(page: Page, mock: AltaMock) -> None:
    """The newest are shown, all are searched, and the page holds no more rows than it shows."""
    for number in range(10_000):
        mock.handle(request_of({"data": []} if number == 5 else b"{", token="nobody"))  # the fastest to handle
    mock.handle(request_of({"data": []}))
    page.goto("/")
    expect(page.locator("#count")).to_have_text("10,000")
    expect(rows(page)).to_have_count(200)
    page.get_by_role("button", name="Show more").click()
    expect(rows(page)).to_have_count(400)
    page.get_by_label("Filter").fill("minItems")

    expect(rows(page)).to_have_count(1)
    expect(page.locator("#count")).to_have_text("1 of 10,000")
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_nothing_is_wider_than_a_phone(browser: Browser, origin: str, mock: AltaMock) -> None:
    """At 360 pixels there is no sideways scrolling, with a request or a prospect open."""
    mock.answer(request_of({"data": [{"email": "x" * 200}, {}], "long" * 60: 1}))
    mock.answer(request_of({"data": [{"email": "x" * 200, "long" * 60: "y" * 300}]}))
    context = browser.new_context(viewport={"width": 360, "height": 780})
    page = context.new_page()
    page.goto(f"{origin}/?request=1")
    expect(page.locator("#request h2")).to_contain_text("Request 1")
    widths = [page.evaluate("document.documentElement.scrollWidth")]
    page.get_by_role("button", name="Close").click()
    page.locator("#objects > li > button").click()
    expect(page.locator(".inside dl")).to_contain_text("personId")
    widths.append(page.evaluate("document.documentElement.scrollWidth"))
    context.close()

    assert widths == [360, 360]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(browser: Browser, origin: str, mock: AltaMock, scheme: Any) -> None:
    """A contrast of 4.5 to 1 at least (WCAG 2.2, 1.4.3), in both schemes."""
    for body in ({"data": [{"email": "a"}]}, {"data": [{"email": 7}]}, *([{}] * 9)):
        mock.answer(request_of(body))
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{origin}/?request=2")
    expect(page.locator("#request h2")).to_contain_text("Request 2")
    expect(page.locator(".quota.spent")).to_have_count(1)
    expect(rows(page).first).to_contain_text("429")
    poor = page.evaluate(CONTRAST)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    context.close()

    assert poor == []
    assert (ground == "rgb(244, 245, 251)") is (scheme == "light")


CONTRAST = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (parts) => parts.slice(0, 3).map((one) => one / 255)
    .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4))
    .reduce((sum, one, index) => sum + one * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const color = rgba(getComputedStyle(one).backgroundColor);
      if (color[3] === 255) return color;
    }
    return [255, 255, 255, 255];
  };
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((one) => one.nodeType === Node.TEXT_NODE && one.data.trim());
    if (!own || !element.checkVisibility() || element.disabled) continue;
    const [a, b] = [light(rgba(getComputedStyle(element).color)), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) poor.push(`${element.outerHTML.slice(0, 100)}: ${ratio.toFixed(2)}`);
  }
  return poor;
}"""


def test_a_lost_fake_is_reported_and_its_successor_is_shown(tab: Page, tmp_path: Path) -> None:
    """After a restart with another seed at the same address, nothing old is shown, and samples work."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        f"accounts: [{{id: mine, campaigns: [{{id: {CAMPAIGN}, name: Another name}}]}}]\n"
        "tokens: [{token: another-token, accounts: [mine]}]\n"
    )
    before = AltaMock()
    with before.serve() as live:
        before.answer(request_of({"data": []}))
        tab.goto(live.origin + "/?request=1")
        expect(tab.locator("#request h2")).to_contain_text("Request 1")
        port = int(live.origin.rpartition(":")[2])
    expect(tab.locator("#notice")).to_have_text("The fake does not answer.")
    after = AltaMock(data=seed, rate_limit="3/10s")
    for _ in range(2):
        after.answer(request_of(token=None))
    with after.serve(port=port):
        expect(rows(tab)).to_have_count(2)
        expect(tab.locator("#notice")).to_be_empty()
        expect(tab.locator("#campaigns")).to_contain_text("Another name")
        expect(tab.locator("#quotas")).to_contain_text("3/10s")
        expect(tab.locator("#request")).to_contain_text("token-missing")
        tab.get_by_role("button", name="Add sample prospects").click()
        expect(tab.locator("#objects > li")).to_have_count(5)


def test_a_late_response_does_not_open_a_closed_request(page: Page, mock: AltaMock) -> None:
    """Nor does it keep the keyboard from working."""
    mock.answer(request_of())
    page.goto("/")
    waiting: list[Route] = []
    page.route("**/_mock/requests/1", lambda route: waiting.append(route))  # noqa: PLW0108 - Playwright marks what it is given
    rows(page).first.click()
    expect(page.locator("tr.chosen")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("tr.chosen")).to_have_count(0)
    with page.expect_response("**/_mock/requests/1"):
        waiting[0].continue_()
    page.unroute("**/_mock/requests/1")

    expect(page.locator("#request")).to_be_hidden()
    rows(page).first.click()
    expect(page.locator("#request")).to_be_visible()


def test_escape_in_the_filter_clears_it_first(page: Page, mock: AltaMock) -> None:
    """A second Escape closes the request."""
    mock.answer(request_of())
    mock.answer(request_of({"data": []}))
    page.goto("/?request=2")
    page.get_by_label("Filter").press_sequentially("minItems")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(rows(page)).to_have_count(2)
    expect(page.get_by_label("Filter")).to_have_value("")
    expect(page.locator("#request")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#request")).to_be_hidden()


def test_nothing_is_lost_while_requests_come_in(tab: Page) -> None:
    """The page ends with every request that the fake has seen, once and in order."""
    with AltaMock(rate_limit="off", account_rate_limit="off").serve() as live:
        tab.goto(live.origin)
        for _ in range(30):
            client(live).add_prospects(CAMPAIGN, [{"email": f"{n}@example.com"} for n in range(200)])
        expect(tab.locator("#count")).to_have_text("300")
        numbers = tab.evaluate(
            "import('/assets/control.js').then(({ state }) => state.entries.map((one) => one.number))"
        )

    assert numbers == list(range(1, 301))


def test_a_link_to_a_request_opens_in_a_tab_of_its_own(page: Page, mock: AltaMock) -> None:
    """With its filter and campaign."""
    mock.answer(request_of())
    page.goto("/?filter=200")
    with page.context.expect_page() as opened:
        rows(page).first.locator("a").click(modifiers=["ControlOrMeta"])

    expect(page.locator("#request")).to_be_hidden()
    expect(opened.value.locator("#request h2")).to_contain_text("Request 1")
    assert "filter=200" in opened.value.url


def test_a_held_key_acts_once(page: Page, mock: AltaMock) -> None:
    """Not thirty requests a second."""
    page.goto("/")
    expect(page.locator("#sample")).to_be_enabled()
    for key in ("ControlOrMeta+a", "Alt+a", "Meta+a"):  # shortcuts of the browser
        page.keyboard.press(key)
    for _ in range(3):
        page.keyboard.down("a")
    page.keyboard.up("a")
    page.keyboard.press("a")
    expect(rows(page)).to_have_count(2)

    assert len(mock.requests) == 2


def test_from_another_machine_the_page_asks_for_the_control_token(
    tab: Page, mock: AltaMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reports a wrong one, keeps the right one for the tab, and the reference and the HAR have it as well."""
    monkeypatch.setattr("mock_server.control.guard.is_loopback", lambda _: False)
    mock.answer(request_of())
    with mock.serve(control_token="right-one") as live:
        origin = live.origin
        tab.goto(f"{origin}/docs")
        expect(tab.locator("#notice")).to_contain_text("Give the control token")
        tab.goto(origin)
        token = tab.get_by_label("control token")
        expect(token).to_be_visible()
        expect(rows(tab)).to_have_count(0)
        for text in ("wrong-one", "right-one"):
            token.fill(text)
            tab.get_by_role("button", name="Open").click()
            if text == "wrong-one":
                expect(tab.locator("#notice")).to_have_text("This is not the control token.")
        expect(rows(tab)).to_have_count(1)
        expect(token).to_be_hidden()
        with tab.expect_download() as har:
            tab.get_by_role("link", name="HAR").click()
        assert len(json.loads(har.value.path().read_text())["log"]["entries"]) == 1
        tab.goto(f"{origin}/docs")
        expect(tab.locator("#notice")).to_have_text("Filled in: the token of Ada (Acme).")


def test_names_of_any_length_stay_on_the_page(browser: Browser, tmp_path: Path) -> None:
    """Long names in the seed do not widen it."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(
        f"accounts: [{{id: {'a' * 60}, campaigns: [{{id: {CAMPAIGN}, name: {'N' * 200}}}]}}]\n"
        f"tokens: [{{token: some-token, accounts: [{'a' * 60}]}}]\n"
    )
    for width in (360, 1000, 1280):
        context = browser.new_context(viewport={"width": width, "height": 780})
        page = context.new_page()
        with AltaMock(data=seed).serve() as live:
            page.goto(live.origin)
            expect(page.locator("#campaigns button")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") == width
        context.close()


def test_the_har_can_be_played_back(tab: Page, mock: AltaMock, origin: str, tmp_path: Path) -> None:
    """A browser reads the file as one of its own, and answers from it without the fake."""
    tab.goto(origin)
    asked = f"""async () => {{
      const headers = {{ Authorization: "Bearer test-token", "Content-Type": "application/json" }};
      const path = "/v1/campaigns/{CAMPAIGN}/prospects";
      const reply = await fetch(path, {{ method: "POST", body: '{{"data":[]}}', headers }});
      return [reply.status, await reply.text()];
    }}"""
    answered = tab.evaluate(asked)
    kept = tmp_path / "kept.har"
    kept.write_bytes(tab.request.get(f"{origin}/_mock/requests.har").body())
    tab.route_from_har(kept, url="**/v1/**")
    mock.reset()

    assert tab.evaluate(asked) == answered == [400, '{"error":"ValidationError","message":"Invalid request body"}']
    assert mock.requests == []


def test_requests_are_filtered_by_operation(page: Page, mock: AltaMock) -> None:
    """Together with the words of the filter; a link shows the same."""
    mock.answer(request_of())
    mock.answer(request_of({"data": []}))
    mock.answer(request_of(b"", method="GET", path="/v1/campaigns"))
    mock.answer(request_of(b"", method="GET", path="/v1/campaigns/x"))
    page.goto("/")
    choice = page.locator("#operation")
    expect(choice.locator("option")).to_have_count(29)
    choice.select_option("addProspectsToCampaign")
    expect(rows(page).locator("a")).to_have_text(["2", "1"])
    expect(page.locator("#count")).to_have_text("2 of 4")
    page.get_by_label("Filter").fill("minItems")
    expect(rows(page).locator("a")).to_have_text(["2"])
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(rows(page).locator("a")).to_have_text(["2"])
    page.get_by_label("Filter").fill("")
    choice.select_option("listReps")

    expect(page.locator("#requests-note")).to_have_text("No request of this operation.")


def test_a_response_is_injected_into_one_operation(page: Page, mock: AltaMock) -> None:
    """Others do not take it; without a choice any request does."""
    page.goto("/")
    page.locator("#for").select_option("listCampaigns")
    page.get_by_role("button", name="500", exact=True).click()
    page.get_by_role("button", name="html 502", exact=True).click()
    expect(page.locator("#waiting")).to_have_text("Waiting: 500 x 1 for listCampaigns, html 502 x 1 for listCampaigns")

    assert mock.answer(request_of()).status == 200
    assert mock.answer(request_of(b"", method="GET", path="/v1/campaigns")).status == 500
    expect(page.locator("#waiting")).to_have_text("Waiting: html 502 x 1 for listCampaigns")


def test_an_assumption_is_chosen_on_the_page(page: Page, mock: AltaMock) -> None:
    """The fake follows at once, the page says how many differ from the defaults, and a reset returns to them."""
    page.goto("/")
    page.get_by_text("What the documentation leaves open").click()
    question = page.locator("#assumptions li", has_text="In which order is a list?")
    expect(question).to_contain_text("In the order of creation.")
    question.get_by_role("combobox").select_option("newest-first")

    expect(page.locator("#assumptions").locator("li.chosen")).to_contain_text("In the opposite order.")
    expect(page.locator("#assumed")).to_have_text("1 choice of yours")
    assert mock.choices.chosen == {"list-order": "newest-first"}
    page.locator("#reset").click()
    expect(page.locator("#assumed")).to_be_empty()
