"""Wrong consumers that read: each has one fault, which the rule that names it must catch.

Most of them are the reference reader, a plain loop of `requests`, with another value of one field.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote, unquote_plus

import requests

from contract_tests.consumer.runs import Environment
from contract_tests.mutants.clients import Add, Consumer, Failed, Prospects, WrongClient, client, right_client

Page: TypeAlias = "dict[str, Any]"
LOST = 0


def _more(page: Page, _limit: int) -> str | None:
    return page["next"] if page["hasMore"] else None


def _nothing(_: Any) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The reference reader; with the default of every field it is correct.

    Attributes:
        path: The list.
        limit: The size of a page.
        filters: Those of the first page, given the id of the campaign.
        more: Returns the cursor of the next page; None after the last one.
        cursor: Changes a cursor before it is encoded.
        query: Returns the query for a cursor, encoded.
        next_path: The list that a cursor is sent to, in place of the first one.
        then: What to do after a status other than 200: `retry` waits as long as Retry-After says and reads the page
            again, `end` returns, `fail` raises.
        pause: Returns the seconds to wait by the seconds that Retry-After names, 2 without it.
        times: How often each page but the first is read.
        use: Is called with each object.
        look: Is called with each page.
        token: Returns the token to send, by whether it is the first page.
        meanwhile: A list that is read before the wait after a 429, and again after it; none if empty.
    """

    path: str = "/prospects"
    limit: int = 100
    filters: Callable[[str], Mapping[str, str]] = lambda campaign: {"campaignId": campaign}
    more: Callable[[Page, int], str | None] = _more
    cursor: Callable[[str], str] = lambda cursor: cursor
    query: Callable[[str], str] = lambda cursor: "cursor=" + quote(cursor, safe="")
    next_path: str | None = None
    then: Mapping[int, str] = field(default_factory=lambda: {429: "retry", 500: "retry", LOST: "retry"})
    pause: Callable[[float], float] = lambda seconds: seconds
    times: int = 1
    use: Callable[[Page], object] = _nothing
    look: Callable[[Page, int], object] = lambda *_: None
    token: Callable[[str, bool], str] = lambda token, _first: token
    meanwhile: str = ""

    def __call__(self, at: Environment, prospects: Prospects) -> None:
        """Add prospects, and read a list.

        Raises:
            Failed: A page could not be read.
        """
        right_client(at, prospects)
        filters = {"limit": self.limit, **self.filters(at.campaign_id)}
        query, first = "&".join(f"{name}={value}" for name, value in filters.items()), True
        while True:
            page = [self._page(at, query, first=first) for _ in range(1 if first else self.times)][-1]
            if page is None:
                return
            self.look(page, self.limit)
            for one in page["data"]:
                self.use(one)
            following = self.more(page, self.limit)
            if following is None:
                return
            query, first = self.query(self.cursor(following)), False

    def _page(self, at: Environment, query: str, *, first: bool) -> Page | None:
        path = self.path if first else self.next_path or self.path
        headers, status = {"Authorization": f"Bearer {self.token(at.token, first)}".strip()}, LOST
        for _ in range(5):
            try:
                response = requests.get(f"{at.base_url}{path}?{query}", headers=headers, timeout=60)
                status, named = response.status_code, response.headers.get("Retry-After", "")
                if status == 200:
                    return dict(response.json())
            except requests.RequestException:
                status, named = LOST, ""
            action = self.then.get(status, "fail")
            if action == "end":
                return None
            if action == "fail":
                break
            elsewhere = f"{at.base_url}{self.meanwhile}" if self.meanwhile and status == 429 else ""
            if elsewhere:
                requests.get(elsewhere, headers=headers, timeout=60)
            at.sleep(self.pause(float(named) if named.isdigit() else 2.0))
            if elsewhere:
                requests.get(elsewhere, headers=headers, timeout=60)
        raise Failed(f"the response was {status or 'lost'}")


def ours(at: Environment, prospects: Prospects) -> None:
    """Add prospects, and read every list with our client."""
    here = client(at)
    here.add_prospects(at.campaign_id, prospects)
    for prospect in here.list_prospects(campaign_id=at.campaign_id):
        assert prospect["personId"]  # noqa: S101 - it is there
    for read in (here.list_persons, here.list_companies, here.list_reps, here.list_calls, here.list_email_messages):
        assert all(one["id"] for one in read())  # noqa: S101 - the same
    here.add_communication_opt_outs([{"identifier": "x@example.com", "identifierType": "email"}])
    here.delete_communication_opt_out("x@example.com", "email")


EQUIVALENT_READERS: dict[str, tuple[str, Add]] = {
    "reads": ("The client of this project, which reads every list.", ours),
    "reference-reader": ("The reference reader, a loop of requests.", Reader()),
    "reads-by-default": ("A reader of pages of the default size, all filters sent again.", Reader(limit=10)),
    "reads-one-after-the-other": (
        "A consumer that waits out every 429, and then reads another list.",
        lambda at, them: [Reader(limit=5)(at, them), Reader(limit=5, path="/persons", filters=lambda _: {})(at, [])],
    ),
    "stops-where-it-finds": (
        "A consumer that reads campaigns until it finds one.",
        lambda at, them: [
            right_client(at, them),
            next(one for one in client(at).list_campaigns(limit=2) if one["id"] == at.campaign_id),
        ],
    ),
}
"""Readers that every rule must pass, each with a statement."""

WRONG_READERS: dict[str, WrongClient] = {}


def _wrong(
    caught_by: str, name: str, fault: str, scenario: str = "pages", add: Add | None = None, **fields: Any
) -> None:
    """Register a reader; without `add` it is the reference reader with other fields."""
    WRONG_READERS[name] = WrongClient(fault, caught_by, scenario, add or Reader(**fields))


# --- The end of a list ------------------------------------------------------------------------------------------------

wrong = partial(_wrong, "reads-to-the-end")


def _while_full(page: Page, limit: int) -> str | None:
    return page.get("next") if len(page["data"]) == limit else None


wrong("stops-at-a-short-page", "Takes a page shorter than limit for the last one.", "pages-short", more=_while_full)
wrong("stops-at-nine", "The same, in pages of ten.", "pages-short", more=_while_full, limit=10)
wrong("goes-on-with-none", "Sends the cursor None after the last page.", more=lambda page, _: str(page.get("next")))
wrong("goes-on-with-null", "Sends the cursor null after the last page.", more=lambda page, _: page.get("next", "null"))
wrong(
    "goes-on-with-undefined", "Sends undefined after the last page.", more=lambda page, _: page.get("next", "undefined")
)
wrong("goes-on-with-nothing", "Sends an empty cursor after the last page.", more=lambda page, _: page.get("next", ""))
wrong = partial(_wrong, "ends-by-itself")
wrong(
    "begins-anew",
    "Leaves the cursor out after the last page, and so begins anew.",
    "normal",
    more=lambda page, _: page.get("next", ""),
    query=lambda cursor: f"cursor={cursor}" if cursor else "limit=100",
)

# --- Errors -----------------------------------------------------------------------------------------------------------

wrong = partial(_wrong, "no-error-is-an-empty-list")
wrong("takes-a-500-for-the-end", "Returns what it has read after a 500.", "page-500", then={500: "end"})
wrong("takes-a-400-for-the-end", "Returns what it has read if a cursor is refused.", "cursor-400", then={400: "end"})
wrong("takes-a-429-for-the-last-page", "Returns what it has read after a 429.", "page-429", then={429: "end"})
wrong("takes-silence-for-the-end", "Returns what it has read if a response is lost.", "page-lost", then={LOST: "end"})
wrong(
    "takes-a-bad-token-for-nothing",
    "Reads an empty list if its token is not sent.",
    "normal",
    then={401: "end"},
    token=lambda *_: "",
)
wrong(
    "takes-a-bad-filter-for-nothing",
    "Reads an empty list if a filter is refused.",
    "normal",
    then={400: "end"},
    filters=lambda _: {"campaignId": "all"},
)
wrong = partial(_wrong, "does-not-repeat-what-was-refused")
wrong("repeats-a-refused-cursor", "Sends a refused cursor again.", "cursor-400", then={400: "retry"})
wrong = partial(_wrong, "careful-with-5xx")
wrong("reads-again-at-once", "Reads a page again right after a 500.", "page-500", pause=lambda _: 0.1)
wrong = partial(_wrong, "waits-for-retry-after")
wrong("reads-on-after-a-429", "Reads a page again a second after a 429.", "page-429", pause=lambda _: 1.0)
wrong("reads-half-a-wait", "Waits half of Retry-After.", "page-429", pause=lambda seconds: seconds / 2)
wrong("reads-in-a-hurry", "Reads on at once when the quota is used up.", "page-limit", pause=lambda _: 0.05, limit=10)
wrong = partial(_wrong, "waits-with-every-operation")
wrong(
    "asks-elsewhere-meanwhile",
    "Reads companies when persons are refused with a 429.",
    "page-limit",
    path="/persons",
    filters=lambda _: {},
    limit=5,
    meanwhile="/companies",
)
wrong = partial(_wrong, "survives-any-429")
wrong("waits-for-writes-only", "Waits after a 429 when it adds, and fails when it reads.", "page-429", then={})


def _crashes(name: str, fault: str, scenario: str, pause: Callable[[float, str], float], **fields: Any) -> None:
    wrong(name, fault, scenario, Consumer(pause=pause, **fields))


_crashes("needs-a-retry-after", "Crashes without Retry-After.", "429-untold", lambda _, header: float(header))


class JsonSession(requests.Session):
    """A session that parses each error."""

    def request(self, *args: Any, **named: Any) -> requests.Response:
        """Send a request, and parse the body of an error."""
        response = super().request(*args, **named)
        if response.status_code >= 400:
            try:
                response.json()
            except ValueError as error:
                raise Failed("the error is not JSON") from error
        return response


wrong("needs-a-json-error", "Crashes on a 429 whose body is not JSON.", "429-html", Consumer(session=JsonSession))

# --- Cursors ----------------------------------------------------------------------------------------------------------

wrong = partial(_wrong, "cursors-as-given")
wrong("lowers-the-cursor", "Sends a cursor in lower case.", cursor=str.lower)
wrong("strips-the-cursor", "Takes the last character of a cursor away.", cursor=lambda cursor: cursor[:-1])
wrong("sends-a-raw-cursor", "Does not encode a cursor.", "cursor-long", query=lambda cursor: f"cursor={cursor}")
wrong("encodes-twice", "Encodes a cursor twice.", "cursor-long", cursor=lambda cursor: quote(cursor, safe=""))
wrong("decodes-the-cursor", "Decodes a cursor as if it were encoded.", "cursor-long", cursor=unquote_plus)
wrong("cuts-the-cursor", "Keeps a cursor in a column of 255 characters.", "cursor-long", cursor=lambda one: one[:255])
wrong(
    "changes-the-filter",
    "Adds a filter to a cursor.",
    filters=lambda _: {},
    query=lambda one: f"cursor={quote(one)}&campaignId=3c90c3cc-0d44-4b50-8888-8dd25736052b",
)
wrong("takes-a-cursor-elsewhere", "Sends the cursor of prospects to persons.", next_path="/persons")
wrong = partial(_wrong, "clean-path")
wrong(
    "counts-pages",
    "Sends page=2 in place of a cursor.",
    query=lambda _: "page=2",
    more=lambda page, _: page.get("next") if "previous" not in page else None,
    times=1,
)
wrong("sends-an-offset", "Sends an offset with each cursor.", query=lambda one: f"cursor={quote(one)}&offset=100")
wrong = partial(_wrong, "pages-read-once")
wrong(
    "reads-each-page-twice",
    "Asks for each page with a cursor twice.",
    times=2,
    path="/persons",
    filters=lambda _: {},
    limit=5,
)
wrong = partial(_wrong, "bearer-header")
wrong(
    "forgets-the-token", "Sends the token with the first page only.", token=lambda token, first: token if first else ""
)

# --- Objects ----------------------------------------------------------------------------------------------------------

MEMBERS = {"id", "objectType", "createdAt", "updatedAt", "firstName", "lastName", "email", "title", "linkedinUrl"}
PERSONS: dict[str, Any] = {"path": "/persons", "filters": lambda _: {}}


def _needs_no_other(one: Page) -> None:
    if unknown := one.keys() - MEMBERS - {"photoUrl", "city", "state", "country"}:
        raise Failed(f"unknown member {min(unknown)}")


def _expects_full(page: Page, limit: int) -> None:
    if page["hasMore"] and len(page["data"]) != limit:
        raise Failed("a page is not full")


wrong = partial(_wrong, "takes-any-object")
wrong(
    "needs-a-name",
    "Reads an optional member of every company.",
    "pages-odd",
    use=lambda one: one["name"],
    path="/companies",
    filters=lambda _: {},
)
wrong(
    "lowers-null",
    "Changes the case of a member that may be null.",
    "pages-odd",
    use=lambda one: one.get("email", "").lower(),
    **PERSONS,
)
wrong("refuses-new-members", "Fails at a member that it does not know.", "pages-odd", use=_needs_no_other, **PERSONS)
wrong(
    "needs-a-previous",
    "Reads `previous` of every page but the first.",
    "pages-short",
    look=lambda page, _: page["hasMore"] or page["previous"],
    limit=10,
)
wrong("needs-full-pages", "Fails if a page is shorter than limit.", "pages-short", look=_expects_full)

# --- Opt-outs ---------------------------------------------------------------------------------------------------------


def _send(at: Environment, method: str, body: Any) -> None:
    """Add the first prospects, and send something about opt-outs."""
    requests.request(
        method,
        f"{at.base_url}/dnc/communication-opt-outs",
        data=None if body is None else json.dumps(body),
        headers={"Authorization": f"Bearer {at.token}", "Content-Type": "application/json"},
        timeout=60,
    )


def _all_at_once(at: Environment, prospects: Prospects) -> None:
    right_client(at, prospects)
    _send(at, "POST", {"identifiers": [{"identifier": f"+{one}", "identifierType": "phone"} for one in range(501)]})


def _without_a_body(at: Environment, prospects: Prospects) -> None:
    right_client(at, prospects)
    _send(at, "DELETE", None)


_wrong("keeps-the-batch-size", "opts-out-501", "Opts out 501 at once.", "normal", _all_at_once)
_wrong("valid-body", "deletes-without-a-body", "Sends a DELETE without its body.", "normal", _without_a_body)
