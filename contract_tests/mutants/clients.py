"""Clients with one fault each, small deviations of ours: what the rules of a consumer must catch, each by its rule.

A client is a function of its environment and of the prospects to add; it returns, or it raises. The faults are those
that programs have which talk to limited APIs.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

import requests

from alta_client import AltaClient, BadRequest, NotFound, OutcomeUnknown, RateLimited, ServerError, Unauthorized
from alta_client import _client as module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contract_tests.consumer.runs import Environment

Prospects: TypeAlias = "Sequence[Mapping[str, Any]]"


@dataclass(frozen=True, slots=True)
class WrongClient:
    """A client with a fault.

    Attributes:
        fault: What is wrong with it.
        caught_by: The rule that must be broken when it meets the scenario.
        scenario: What it must meet to show it, a key of `SCENARIOS`.
        add: The client.
    """

    fault: str
    caught_by: str
    scenario: str
    add: Callable[[Environment, Prospects], object]


WRONG_CLIENTS: dict[str, WrongClient] = {}


def right_client(at: Environment, prospects: Prospects, **options: Any) -> object:
    """Add prospects as ours does."""
    return client(at).add_prospects(at.campaign_id, prospects, **options)


def client(at: Environment, kind: type[AltaClient] = AltaClient, **options: Any) -> AltaClient:
    """Return a client of ours for its environment."""
    return kind(at.base_url, at.token, sleep=at.sleep, clock=at.clock, **options)


def wrong(caught_by: str, scenario: str = "normal") -> Callable[[Any], Any]:
    """Make a wrong client of a function, whose docstring says its fault."""

    def register(add: Callable[[Environment, Prospects], object]) -> Callable[[Environment, Prospects], object]:
        name = add.__name__.replace("_", "-")
        WRONG_CLIENTS[name] = WrongClient((add.__doc__ or "").splitlines()[0], caught_by, scenario, add)
        return add

    return register


def exchanging(at: Environment, prospects: Prospects, change: Callable[[Any, str, bytes], Any]) -> object:
    """Add prospects by a client whose exchange is changed: it is given the right one, the address and the body."""
    one = client(at)
    post = one._exchange.post
    with patch.object(one._exchange, "post", lambda url, body: change(post, url, body)):
        return one.add_prospects(at.campaign_id, prospects)


def batches(prospects: Prospects, size: int = 20) -> list[list[Any]]:
    """Cut prospects into batches."""
    return [list(prospects[start : start + size]) for start in range(0, len(prospects), size)]


# --- What is sent ---------------------------------------------------------------------------------------------------


@wrong("keeps-the-batch-size")
def sends_21(at: Environment, prospects: Prospects) -> object:
    """Counts its batches from zero to twenty, inclusive."""
    with patch.object(module, "MOST_PROSPECTS", 21):
        return right_client(at, prospects)


@wrong("valid-body")
def calls_them_prospects(at: Environment, prospects: Prospects) -> object:
    """Names the array of the body after what is in it."""
    return exchanging(at, prospects, lambda post, url, body: post(url, body.replace(b'{"data"', b'{"prospects"', 1)))


@wrong("valid-body")
def sends_null(at: Environment, prospects: Prospects) -> object:
    """Sends null for what it does not know."""
    return right_client(at, [{"jobTitle": None, **one} for one in prospects], validate=False)


@wrong("sends-json")
def sends_text(at: Environment, prospects: Prospects) -> object:
    """Lets the library choose the content type of a text."""
    one = client(at)
    one._exchange._headers = {"Content-Type": "text/plain"}
    return one.add_prospects(at.campaign_id, prospects)


@wrong("bearer-header")
def lets_netrc_win(at: Environment, prospects: Prospects) -> object:
    """Sets the header without an auth callable, so that credentials of ~/.netrc replace it."""
    one = client(at)
    one._exchange._headers = {**one._exchange._headers, "Authorization": f"Bearer {at.token}"}
    one._exchange._auth = requests.auth.HTTPBasicAuth("netrc", "password")
    return one.add_prospects(at.campaign_id, prospects)


@wrong("token-nowhere-else")
def repeats_the_token_in_the_query(at: Environment, prospects: Prospects) -> object:
    """Puts the token into the address, too."""
    return exchanging(at, prospects, lambda post, url, body: post(f"{url}?access_token={at.token}", body))


@wrong("clean-path")
def doubles_a_slash(at: Environment, prospects: Prospects) -> object:
    """Joins base URL and path with one slash too many."""
    return exchanging(at, prospects, lambda post, url, body: post(url.replace("/campaigns", "//campaigns"), body))


@wrong("keeps-the-batch-size")
def sends_all_at_once(at: Environment, prospects: Prospects) -> object:
    """Knows nothing of batches."""
    with patch.object(module, "MOST_PROSPECTS", 1000):
        return right_client(at, prospects)


@wrong("keeps-the-batch-size")
def ends_with_an_empty_batch(at: Environment, prospects: Prospects) -> object:
    """Sends what is left at the end, even if nothing is."""
    one = client(at)
    one.add_prospects(at.campaign_id, prospects)
    return one._exchange.post(f"{at.base_url}/campaigns/{at.campaign_id}/prospects", b'{"data": []}')


@wrong("sends-json")
def sends_a_form(at: Environment, prospects: Prospects) -> object:
    """Sends its JSON as if it were a form."""
    one = client(at)
    one._exchange._headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return one.add_prospects(at.campaign_id, prospects)


@wrong("sends-json")
def sends_latin_1(at: Environment, prospects: Prospects) -> object:
    """Encodes its text as its system does."""
    people = [{**one, "firstName": "Zo\u00eb"} for one in prospects]
    one = client(at)
    post = one._exchange.post
    with patch.object(one._exchange, "post", lambda url, body: post(url, body.decode().encode("latin-1"))):
        return one.add_prospects(at.campaign_id, people)


@wrong("bearer-header")
def forgets_the_word_bearer(at: Environment, prospects: Prospects) -> object:
    """Sends the token alone."""
    return _with_auth(at, prospects, lambda request: request.headers.update(Authorization=at.token))


@wrong("token-nowhere-else")
def sends_the_token_twice(at: Environment, prospects: Prospects) -> object:
    """Sends the token in a header of its own, too, to be sure."""

    def both(request: requests.PreparedRequest) -> None:
        request.headers.update({"Authorization": f"Bearer {at.token}", "X-Api-Token": at.token})

    return _with_auth(at, prospects, both)


def _with_auth(at: Environment, prospects: Prospects, put: Callable[[Any], object]) -> object:
    """Add prospects by a client that says otherwise who it is."""

    def auth(request: requests.PreparedRequest) -> requests.PreparedRequest:
        put(request)
        return request

    one = client(at)
    one._exchange._auth = auth
    return one.add_prospects(at.campaign_id, prospects)


@wrong("clean-path")
def ends_with_a_slash(at: Environment, prospects: Prospects) -> object:
    """Ends the path with a slash."""
    return exchanging(at, prospects, lambda post, url, body: post(url + "/", body))


@wrong("clean-path")
def forgets_the_version(at: Environment, prospects: Prospects) -> object:
    """Joins the path to the root of the server."""
    return exchanging(at, prospects, lambda post, url, body: post(url.replace("/v1/", "/"), body))


@wrong("clean-path")
def says_where_it_is_from(at: Environment, prospects: Prospects) -> object:
    """Adds a query that the operation does not have."""
    return exchanging(at, prospects, lambda post, url, body: post(url + "?source=crm", body))


@wrong("clean-path")
def puts(at: Environment, prospects: Prospects) -> object:
    """Uses another method."""
    prepare = requests.Session.prepare_request

    def otherwise(self: requests.Session, request: requests.Request) -> requests.PreparedRequest:
        request.method = "PUT"
        return prepare(self, request)

    with patch.object(requests.Session, "prepare_request", otherwise):
        return right_client(at, prospects)


# --- Limits ---------------------------------------------------------------------------------------------------------


class _WaitsOtherwise(AltaClient):
    """Waits another time than it was told."""

    factor, extra = 1.0, 0.0

    def _wait(self, seconds: float) -> None:
        super()._wait(seconds * self.factor + self.extra)


@wrong("waits-as-told", "429")
def waits_half(at: Environment, prospects: Prospects) -> object:
    """Waits half of what it was told, as jitter does that is applied wrongly."""
    kind = type("Half", (_WaitsOtherwise,), {"factor": 0.5})
    return client(at, kind).add_prospects(at.campaign_id, prospects)


@wrong("waits-as-told", "429")
def waits_a_second(at: Environment, prospects: Prospects) -> object:
    """Waits a second after a 429, whatever it was told."""
    with patch.object(module, "retry_after", lambda _values, _now: 1.0):
        return right_client(at, prospects)


@wrong("reports-the-truth", "429")
def takes_a_429_for_the_end(at: Environment, prospects: Prospects) -> object:
    """Stops at a 429, and returns as if all were done."""
    try:
        with patch.object(module, "MOST_REFUSALS", 1):
            return right_client(at, prospects)
    except RateLimited:
        return None


@wrong("waits-as-told", "429")
def reads_milliseconds(at: Environment, prospects: Prospects) -> object:
    """Takes the seconds of Retry-After for milliseconds."""
    kind = type("Milli", (_WaitsOtherwise,), {"factor": 0.001})
    return client(at, kind).add_prospects(at.campaign_id, prospects)


@wrong("waits-no-longer-than-sensible", "429")
def waits_an_hour(at: Environment, prospects: Prospects) -> object:
    """Waits an hour, whatever it was told."""
    kind = type("Hour", (_WaitsOtherwise,), {"extra": 3600.0})
    return client(at, kind).add_prospects(at.campaign_id, prospects)


@wrong("waits-as-told", "429-date")
def reads_no_dates(at: Environment, prospects: Prospects) -> object:
    """Understands Retry-After in seconds only, and goes on after one second otherwise."""
    with patch.object(module, "retry_after", lambda values, _now: _seconds_only(values)):
        return right_client(at, prospects)


def _seconds_only(values: Callable[[str], Sequence[str]]) -> float | None:
    """Read Retry-After if it is a number of seconds."""
    value = "".join(values("Retry-After"))
    return float(value) if value.isdigit() else None


@wrong("pauses-untold", "429-untold")
def hammers(at: Environment, prospects: Prospects) -> object:
    """Tries again at once when it is not told how long to wait."""
    with patch.object(module, "backoff", lambda _times: 0.0):
        return right_client(at, prospects)


@wrong("gives-up", "429-forever")
def never_gives_up(at: Environment, prospects: Prospects) -> object:
    """Tries again for as long as it is refused; here a hundred times, so that the test ends."""
    with patch.object(module, "MOST_REFUSALS", 100):
        return client(at, max_wait=10**6).add_prospects(at.campaign_id, prospects)


@wrong("resumes-with-the-refused-batch", "429")
def loses_the_refused_batch(at: Environment, prospects: Prospects) -> object:
    """Waits as told, and goes on with the next batch."""
    one = client(at)
    for batch in batches(prospects):
        try:
            with patch.object(module, "MOST_REFUSALS", 1):
                one.add_prospects(at.campaign_id, batch)
        except RateLimited as error:
            at.sleep(error.retry_after or 1)
    return None


@wrong("resumes-with-the-refused-batch", "429")
def puts_the_refused_batch_last(at: Environment, prospects: Prospects) -> object:
    """Goes on with the next batch after a 429, and comes back to the refused one."""
    one = client(at)
    waiting = batches(prospects)
    while waiting:
        batch = waiting.pop(0)
        try:
            with patch.object(module, "MOST_REFUSALS", 1):
                one.add_prospects(at.campaign_id, batch)
        except RateLimited as error:
            at.sleep(error.retry_after or 1)
            waiting.append(batch)
    return None


# --- Refusals and trouble -------------------------------------------------------------------------------------------


def _again(
    at: Environment, prospects: Prospects, *kinds: type[Exception], pause: float = 2.0, **options: Any
) -> object:
    """Send each batch again that failed in one of these ways, once, by a client with options."""
    one = client(at, **options)
    for batch in batches(prospects):
        try:
            one.add_prospects(at.campaign_id, batch, validate=False)
        except kinds:
            at.sleep(pause)
            one.add_prospects(at.campaign_id, batch, validate=False)
    return None


@wrong("does-not-repeat-what-was-refused", "400")
def repeats_a_bad_request(at: Environment, prospects: Prospects) -> object:
    """Retries a 400, in the hope that it gets better."""
    return _again(at, prospects, BadRequest)


@wrong("does-not-repeat-what-was-refused", "404")
def repeats_a_not_found(at: Environment, prospects: Prospects) -> object:
    """Retries a 404."""
    return _again(at, prospects, NotFound)


@wrong("does-not-repeat-what-was-refused", "401")
def repeats_an_unauthorized(at: Environment, prospects: Prospects) -> object:
    """Retries a 401, with the same token."""
    return _again(at, prospects, Unauthorized)


@wrong("ends-by-itself", "401")
def guesses_its_account(at: Environment, prospects: Prospects) -> object:
    """Tries one account after the other when it is not let in, without end."""
    for number in itertools.count():
        try:
            return client(at, account_id=f"account-{number}").add_prospects(at.campaign_id, prospects)
        except Unauthorized:
            at.sleep(1)
    return None


@wrong("does-not-repeat-what-was-refused", "404")
def waits_for_the_campaign(at: Environment, prospects: Prospects) -> object:
    """Asks again after a 404 until there is such a campaign."""
    while True:
        try:
            return right_client(at, prospects)
        except NotFound:
            at.sleep(5)


@wrong("stops-when-nothing-can-succeed", "404")
def goes_on_after_not_found(at: Environment, prospects: Prospects) -> object:
    """Sends all other batches to a campaign that does not exist."""
    failed: Exception | None = None
    for batch in batches(prospects):
        try:
            client(at).add_prospects(at.campaign_id, batch)
        except NotFound as error:
            failed = error
    if failed:
        raise failed
    return None


@wrong("sends-nothing-twice", "response-lost")
def retries_blindly(at: Environment, prospects: Prospects) -> object:
    """Sends a batch again whose answer was lost."""
    return _again(at, prospects, OutcomeUnknown)


@wrong("sends-nothing-twice", "slow")
def loses_patience(at: Environment, prospects: Prospects) -> object:
    """Sends a batch again whose answer takes more than a second."""
    return _again(at, prospects, OutcomeUnknown, pause=0.0, timeout=1.0)


@wrong("careful-with-5xx", "502-html")
def retries_a_502_at_once(at: Environment, prospects: Prospects) -> object:
    """Sends a batch again right after a 502."""
    return _again(at, prospects, ServerError, pause=0.2)


@wrong("careful-with-5xx", "500")
def retries_a_500_at_once(at: Environment, prospects: Prospects) -> object:
    """Sends a batch again right after a 500."""
    return _again(at, prospects, ServerError, pause=0.0)


@wrong("follows-no-redirect", "redirect")
def follows_redirects(at: Environment, prospects: Prospects) -> object:
    """Leaves the redirects of its library on."""
    send = requests.Session.send

    def following(self: requests.Session, request: Any, **settings: Any) -> requests.Response:
        return send(self, request, **{**settings, "allow_redirects": True})

    shown = patch("alta_client._exchange._hide_location", lambda response, **_: response)
    with shown, patch.object(requests.Session, "send", following):
        return right_client(at, prospects)


# --- The whole ------------------------------------------------------------------------------------------------------


@wrong("records-untouched")
def sends_backwards(at: Environment, prospects: Prospects) -> object:
    """Takes its prospects from the end of a list."""
    return right_client(at, list(reversed(prospects)))


@wrong("records-untouched")
def cleans_up(at: Environment, prospects: Prospects) -> object:
    """Makes what it sends prettier."""
    return right_client(at, json.loads(json.dumps(prospects).title().replace('"Email"', '"email"')))


@wrong("records-untouched")
def adds_a_field(at: Environment, prospects: Prospects) -> object:
    """Adds where the prospects are from."""
    return right_client(at, [{**one, "source": "crm"} for one in prospects])


@wrong("records-untouched")
def loses_a_field(at: Environment, prospects: Prospects) -> object:
    """Sends the addresses only."""
    return right_client(at, [{"email": one["email"]} for one in prospects])


@wrong("reports-the-truth", "400")
def skips_what_was_refused(at: Environment, prospects: Prospects) -> object:
    """Goes on behind a 400, and returns as if all were done."""
    one = client(at)
    for batch in batches(prospects):
        with contextlib.suppress(BadRequest):
            one.add_prospects(at.campaign_id, batch)
    return None


@wrong("reports-the-truth")
def does_nothing(at: Environment, prospects: Prospects) -> object:  # noqa: ARG001 - that is its fault
    """Sends nothing, and returns as if all were done."""
    return None


@wrong("takes-any-success", "empty-200")
def wants_a_body(at: Environment, prospects: Prospects) -> object:
    """Takes a 200 without a body for a failure, once everything is sent."""
    empty = []

    def look(post: Any, url: str, body: bytes) -> requests.Response:
        response: requests.Response = post(url, body)
        empty.append(not response.content)
        return response

    exchanging(at, prospects, look)
    if any(empty):
        raise ValueError("no body")
    return None


@wrong("records-untouched")
def forgets_the_last_batch(at: Environment, prospects: Prospects) -> object:
    """Sends full batches only."""
    return right_client(at, prospects[: len(prospects) // 20 * 20])


@wrong("records-untouched", "429")
def sends_one_twice(at: Environment, prospects: Prospects) -> object:
    """Begins each batch with the last prospect of the one before."""
    pairs = itertools.pairwise(batches(prospects))
    return right_client(at, [*prospects[:20], *(one for before, batch in pairs for one in (before[-1], *batch))])


@wrong("reports-the-truth", "400")
def swallows_errors(at: Environment, prospects: Prospects) -> object:
    """Catches whatever is raised, and returns."""
    try:
        return right_client(at, prospects)
    except Exception:  # noqa: BLE001 - that is its fault
        return None


@wrong("takes-any-success", "odd-200")
def wants_json(at: Environment, prospects: Prospects) -> object:
    """Reads the body of the 200, which has none that is documented."""

    def read(post: Any, url: str, body: bytes) -> requests.Response:
        response: requests.Response = post(url, body)
        if response.ok:
            json.loads(response.content)["id"]
        return response

    return exchanging(at, prospects, read)
