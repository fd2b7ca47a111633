"""Consumers that each depend on one choice of the fake, which `exec --vary` must name, and one that depends on none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from contract_tests.consumer.runs import Environment

Consume = Callable[[Environment], object]

PERSON = {"email": "zoe@example.com", "firstName": "Zoe"}
OPT_OUTS = "/dnc/communication-opt-outs"
UNKNOWN = "/campaigns/11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True, slots=True)
class Leaning:
    """A consumer that depends on one assumption; with an empty id on none."""

    name: str
    assumption: str
    statement: str
    consume: Consume


LEANING: dict[str, Leaning] = {}
"""By name, in the order of their assumptions' first use here."""


def leans(assumption: str) -> Callable[[Callable[[Api], object]], Callable[[Api], object]]:
    """Register a function over the API as a consumer that depends on an assumption."""

    def register(function: Callable[[Api], object]) -> Callable[[Api], object]:
        name = function.__name__.replace("_", "-")
        statement = (function.__doc__ or "").strip()
        LEANING[name] = Leaning(name, assumption, statement, lambda at: function(Api(at)))
        return function

    return register


class Wrong(Exception):
    """Something is not as the consumer expects it."""


class Api:
    """The API for a consumer: a 429 is waited out, any other error raises."""

    def __init__(self, at: Environment) -> None:
        self.at, self.session = at, requests.Session()
        self.session.headers["Authorization"] = f"Bearer {at.token}"

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        """Return the response to a request that is not refused for the limit."""
        while True:
            reply = self.session.request(method, self.at.base_url + path, timeout=30, **options)
            if reply.status_code != requests.codes.too_many_requests:
                return reply
            self.at.sleep(self.wait(reply))

    def wait(self, reply: requests.Response) -> float:
        """Return the seconds to wait after a 429."""
        value = reply.headers["Retry-After"]
        return float(value) if value.isdigit() else parsedate_to_datetime(value).timestamp() - self.at.clock()

    def get(self, path: str, **query: Any) -> Any:
        """Return what is at a path."""
        reply = self.send("GET", path, params=query)
        reply.raise_for_status()
        return reply.json()

    def post(self, path: str, body: Any = None) -> requests.Response:
        """Post to a path."""
        reply = self.send("POST", path, json=body)
        reply.raise_for_status()
        return reply

    def all(self, path: str, **query: Any) -> Iterator[Any]:
        """Yield the objects of a list."""
        more: dict[str, Any] | None = {"limit": 5, **query}
        while more:
            page = self.get(path, **more)
            yield from page["data"]
            more = {"cursor": page["next"]} if page["hasMore"] else None

    def add(self, *records: Mapping[str, Any]) -> requests.Response:
        """Add prospects to the campaign."""
        return self.post(f"/campaigns/{self.at.campaign_id}/prospects", {"data": list(records)})

    def prospects(self) -> list[Any]:
        """Return the prospects of the campaign."""
        return list(self.all("/prospects", campaignId=self.at.campaign_id))

    def opt_out(self, **more: Any) -> Any:
        """Opt somebody out, and return the entry."""
        self.post(OPT_OUTS, {"identifiers": [{"identifier": PERSON["email"], "identifierType": "email", **more}]})
        return next(one for one in self.all(OPT_OUTS) if one["identifier"] == PERSON["email"])


@leans("")
def depends_on_nothing(api: Api) -> None:
    """Finds, adds, reads back, opts out and pauses, as the documentation allows it."""
    campaign = next(one for one in api.all("/campaigns") if one["id"] == api.at.campaign_id)
    api.add(PERSON, {"email": "kim@example.com"})
    api.add({"email": "lee@example.com"})
    for _ in range(9):
        if len(api.prospects()) == 3:
            break
        api.at.sleep(2)
    else:
        raise Wrong("the prospects do not appear")
    persons = [api.get(f"/persons/{one['personId']}") for one in api.prospects()]
    if {one.get("email") for one in persons} != {"zoe@example.com", "kim@example.com", "lee@example.com"}:
        raise Wrong("others were added")
    datetime.fromisoformat(campaign["createdAt"])
    api.opt_out()
    api.post(f"/campaigns/{campaign['id']}/pause", {"pauseProspects": True})
    if api.send("GET", UNKNOWN).status_code != requests.codes.not_found:
        raise Wrong("found what does not exist")


@leans("success-body")
def reads_the_body_of_a_200(api: Api) -> None:
    """Parses the body of the 200."""
    api.add(PERSON).json()


@leans("duplicates")
def counts_every_record(api: Api) -> None:
    """Expects as many prospects as it has sent records."""
    api.add(PERSON)
    api.add(PERSON)
    for _ in range(5):
        if len(api.prospects()) == 2:
            return
        api.at.sleep(2)
    raise Wrong("prospects are missing")


@leans("campaign-status")
def adds_to_every_campaign(api: Api) -> None:
    """Adds prospects to campaigns in any state."""
    for campaign in list(api.all("/campaigns")):
        if not campaign["name"].startswith("Always"):  # those of the seed that answer with an error
            api.post(f"/campaigns/{campaign['id']}/prospects", {"data": [PERSON]})


@leans("malformed-id")
def expects_a_400_for_a_wrong_id(api: Api) -> None:
    """Takes the response to an id of its own for a 400."""
    if api.send("GET", "/campaigns/42").status_code != requests.codes.bad_request:
        raise Wrong("not a 400")


@leans("error-message")
def compares_the_message(api: Api) -> None:
    """Decides by the text of an error."""
    if api.send("GET", UNKNOWN).json()["message"] != "Resource not found":
        raise Wrong("another error")


@leans("error-members")
def unpacks_the_error(api: Api) -> None:
    """Expects two members of an error."""
    _, _ = api.send("GET", UNKNOWN).json().values()


@leans("limit-headers")
def counts_on_the_headers(api: Api) -> None:
    """Reads what is left of the limit from every response."""
    for number in range(3):
        if int(api.add({"email": f"{number}@example.com"}).headers["RateLimit-Remaining"]) < 1:
            api.at.sleep(2)


@leans("retry-after")
def reads_retry_after_as_digits(api: Api) -> None:
    """Reads Retry-After as a number."""
    api.wait = lambda reply: float(reply.headers["Retry-After"])  # type: ignore[method-assign]  # this consumer alone waits so
    for number in range(3):
        api.add({"email": f"{number}@example.com"})


@leans("limit-text")
def knows_the_text_of_a_429(api: Api) -> None:
    """Expects the text of a 429 to say what it says in the documentation."""

    def wait(reply: requests.Response) -> float:
        found = re.search("after ([0-9]+) seconds", reply.json()["message"])
        if found and found[1] != "60":
            raise Wrong("another time")
        return Api.wait(api, reply)

    api.wait = wait  # type: ignore[method-assign]  # this consumer alone waits so
    for number in range(3):
        api.add({"email": f"{number}@example.com"})


@leans("charset")
def compares_the_content_type(api: Api) -> None:
    """Takes only `application/json` for JSON."""
    if api.send("GET", "/campaigns").headers["Content-Type"] != "application/json":
        raise Wrong("not JSON")


@leans("header-case")
def looks_headers_up_by_case(api: Api) -> None:
    """Looks for `Date` among the headers as they are."""
    dict(api.send("GET", "/campaigns").headers.items())["Date"]


@leans("new-campaign")
def expects_a_draft(api: Api) -> None:
    """Expects a new campaign to be a draft."""
    if api.post("/campaigns", {"name": "Autumn"}).json()["status"] != "draft":
        raise Wrong("not a draft")


@leans("other-states")
def pauses_twice(api: Api) -> None:
    """Pauses a campaign that is paused."""
    for _ in range(2):
        api.post(f"/campaigns/{api.at.campaign_id}/pause")


@leans("visibility")
def expects_prospects_at_once(api: Api) -> None:
    """Takes a prospect for lost that is not listed at once."""
    api.add(PERSON)
    if not api.prospects():
        raise Wrong("the prospect is lost")


@leans("list-order")
def takes_the_first(api: Api) -> None:
    """Adds prospects to the first campaign of the list."""
    first = api.get("/campaigns", limit=1)["data"][0]
    api.post(f"/campaigns/{first['id']}/prospects", {"data": [PERSON]})


@leans("cursor-form")
def keeps_cursors_in_a_column(api: Api) -> None:
    """Keeps a cursor in a text of at most 255 characters."""
    cursor = api.get("/calls", limit=2)["next"][:255]
    api.get("/calls", cursor=cursor)


@leans("cursor-form")
def builds_the_query_itself(api: Api) -> None:
    """Puts a cursor into the address as it is."""
    reply = api.send("GET", f"/calls?cursor={api.get('/calls', limit=2)['next']}")
    reply.raise_for_status()


@leans("previous")
def pages_back(api: Api) -> None:
    """Returns to the first page by `previous`."""
    second = api.get("/calls", cursor=api.get("/calls", limit=2)["next"])
    api.get("/calls", cursor=second["previous"])


@leans("page-size")
def stops_at_a_short_page(api: Api) -> None:
    """Takes a page with fewer objects than its limit for the last one."""
    more: dict[str, Any] | None = {"limit": 7}
    while more:
        page = api.get("/calls", **more)
        more = {"cursor": page["next"]} if page["hasMore"] and len(page["data"]) == 7 else None


@leans("unknown-parameter")
def sends_a_parameter_of_its_own(api: Api) -> None:
    """Sends a parameter that is not documented."""
    api.get("/campaigns", sort="name")


@leans("opt-out-again")
def remembers_the_id_of_an_opt_out(api: Api) -> None:
    """Expects the entry of an opt-out to stay the same."""
    if api.opt_out()["id"] != api.opt_out()["id"]:
        raise Wrong("another entry")


@leans("opt-out-label")
def finds_opt_outs_by_label(api: Api) -> None:
    """Reads the name of an opt-out back."""
    if api.opt_out(name="Zoe")["label"] != "Zoe":
        raise Wrong("no label")


@leans("empty-members")
def needs_every_member(api: Api) -> None:
    """Reads members of a person that have no value."""
    for person in api.all("/persons"):
        person["photoUrl"] = person["title"]
    api.add({"email": "ada@example.com"})
    for _ in range(5):
        if found := api.prospects():
            api.get(f"/persons/{found[0]['personId']}")["title"]
            return
        api.at.sleep(2)


@leans("more-members")
def refuses_unknown_members(api: Api) -> None:
    """Fails if an object has a member that it does not know."""
    known = {"id", "objectType", "createdAt", "updatedAt", "name", "status", "isArchived", "launchedAt"}
    for campaign in api.all("/campaigns"):
        if set(campaign) - known:
            raise Wrong("unknown members")


@leans("time-form")
def parses_one_form_of_times(api: Api) -> None:
    """Parses times by the form of the examples."""
    for campaign in api.all("/campaigns"):
        datetime.strptime(campaign["createdAt"], "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007 - as a careless program does
