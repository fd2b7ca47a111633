"""Clients with one fault each, small deviations of ours: what the rules of a consumer must catch, each by its rule.

A client is a function of its surroundings and of the prospects to add; it returns, or it raises. The faults are those
that programs have which talk to limited APIs.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

import requests

from alta_client import AltaClient, BadRequest, NotFound, OutcomeUnknown, RateLimited, ServerError
from alta_client import _client as module

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contract_tests.runs import Surroundings

Prospects: TypeAlias = "Sequence[Mapping[str, Any]]"


@dataclass(frozen=True, slots=True)
class WrongClient:
    """A client with a fault.

    Attributes:
        fault: What is wrong with it.
        caught_by: The rule that must be broken when it plays the scene.
        scene: What it must meet to show it, a key of `SCENES`.
        add: The client.
    """

    fault: str
    caught_by: str
    scene: str
    add: Callable[[Surroundings, Prospects], object]


WRONG_CLIENTS: dict[str, WrongClient] = {}


def right_client(at: Surroundings, prospects: Prospects, **options: Any) -> object:
    """Add prospects as ours does."""
    return client(at).add_prospects(at.campaign_id, prospects, **options)


def client(at: Surroundings, kind: type[AltaClient] = AltaClient, **options: Any) -> AltaClient:
    """Return a client of ours for its surroundings."""
    return kind(at.base_url, at.token, sleep=at.sleep, clock=at.clock, **options)


def wrong(caught_by: str, scene: str = "ordinary") -> Callable[[Any], Any]:
    """Make a wrong client of a function, whose docstring says its fault."""

    def register(add: Callable[[Surroundings, Prospects], object]) -> Callable[[Surroundings, Prospects], object]:
        name = add.__name__.replace("_", "-")
        WRONG_CLIENTS[name] = WrongClient((add.__doc__ or "").splitlines()[0], caught_by, scene, add)
        return add

    return register


def exchanging(at: Surroundings, prospects: Prospects, change: Callable[[Any, str, bytes], Any]) -> object:
    """Add prospects by a client whose exchange is changed: it is given the right one, the address and the body."""
    one = client(at)
    post = one._exchange.post
    with patch.object(one._exchange, "post", lambda url, body: change(post, url, body)):
        return one.add_prospects(at.campaign_id, prospects)


def batches(prospects: Prospects, size: int = 20) -> list[list[Any]]:
    """Cut prospects into batches."""
    return [list(prospects[start : start + size]) for start in range(0, len(prospects), size)]


# --- What is sent ---------------------------------------------------------------------------------------------------


@wrong("sends-at-most-20")
def sends_21(at: Surroundings, prospects: Prospects) -> object:
    """Counts its batches from zero to twenty, inclusive."""
    with patch.object(module, "MOST_PROSPECTS", 21):
        return right_client(at, prospects)


@wrong("valid-body")
def calls_them_prospects(at: Surroundings, prospects: Prospects) -> object:
    """Names the array of the body after what is in it."""
    return exchanging(at, prospects, lambda post, url, body: post(url, body.replace(b'{"data"', b'{"prospects"', 1)))


@wrong("valid-body")
def sends_null(at: Surroundings, prospects: Prospects) -> object:
    """Sends null for what it does not know."""
    return right_client(at, [{"jobTitle": None, **one} for one in prospects], validate=False)


@wrong("sends-json")
def sends_text(at: Surroundings, prospects: Prospects) -> object:
    """Lets the library choose the content type of a text."""
    one = client(at)
    one._exchange._headers = {"Content-Type": "text/plain"}
    return one.add_prospects(at.campaign_id, prospects)


@wrong("bearer-header")
def lets_netrc_win(at: Surroundings, prospects: Prospects) -> object:
    """Sets the header without an auth callable, so that credentials of ~/.netrc replace it."""
    one = client(at)
    one._exchange._headers = {**one._exchange._headers, "Authorization": f"Bearer {at.token}"}
    one._exchange._auth = requests.auth.HTTPBasicAuth("netrc", "password")  # type: ignore[assignment]
    return one.add_prospects(at.campaign_id, prospects)


@wrong("bearer-header")
def repeats_the_token_in_the_query(at: Surroundings, prospects: Prospects) -> object:
    """Puts the token into the address, too."""
    return exchanging(at, prospects, lambda post, url, body: post(f"{url}?access_token={at.token}", body))


@wrong("clean-path")
def doubles_a_slash(at: Surroundings, prospects: Prospects) -> object:
    """Joins base URL and path with one slash too many."""
    return exchanging(at, prospects, lambda post, url, body: post(url.replace("/campaigns", "//campaigns"), body))


# --- Limits ---------------------------------------------------------------------------------------------------------


class _WaitsOtherwise(AltaClient):
    """Waits another time than it was told."""

    factor, extra = 1.0, 0.0

    def _wait(self, seconds: float) -> None:
        super()._wait(seconds * self.factor + self.extra)


@wrong("waits-as-told", "limited")
def waits_half(at: Surroundings, prospects: Prospects) -> object:
    """Waits half of what it was told, as jitter does that is applied wrongly."""
    kind = type("Half", (_WaitsOtherwise,), {"factor": 0.5})
    return client(at, kind).add_prospects(at.campaign_id, prospects)


@wrong("waits-as-told", "limited")
def reads_milliseconds(at: Surroundings, prospects: Prospects) -> object:
    """Takes the seconds of Retry-After for milliseconds."""
    kind = type("Milli", (_WaitsOtherwise,), {"factor": 0.001})
    return client(at, kind).add_prospects(at.campaign_id, prospects)


@wrong("waits-no-longer-than-sensible", "limited")
def waits_an_hour(at: Surroundings, prospects: Prospects) -> object:
    """Waits an hour, whatever it was told."""
    kind = type("Hour", (_WaitsOtherwise,), {"extra": 3600.0})
    return client(at, kind).add_prospects(at.campaign_id, prospects)


@wrong("waits-as-told", "limited-by-date")
def reads_no_dates(at: Surroundings, prospects: Prospects) -> object:
    """Understands Retry-After in seconds only, and goes on after one second otherwise."""
    with patch.object(module, "retry_after", lambda values, _now: _seconds_only(values)):
        return right_client(at, prospects)


def _seconds_only(values: Callable[[str], Sequence[str]]) -> float | None:
    """Read Retry-After if it is a number of seconds."""
    value = "".join(values("Retry-After"))
    return float(value) if value.isdigit() else None


@wrong("pauses-untold", "limited-untold")
def hammers(at: Surroundings, prospects: Prospects) -> object:
    """Tries again at once when it is not told how long to wait."""
    with patch.object(module, "backoff", lambda _times: 0.0):
        return right_client(at, prospects)


@wrong("gives-up", "limited-forever")
def never_gives_up(at: Surroundings, prospects: Prospects) -> object:
    """Tries again for as long as it is refused; here a hundred times, so that the test ends."""
    with patch.object(module, "MOST_REFUSALS", 100):
        return client(at, max_wait=10**6).add_prospects(at.campaign_id, prospects)


@wrong("resumes-with-the-refused-batch", "limited")
def loses_the_refused_batch(at: Surroundings, prospects: Prospects) -> object:
    """Waits as told, and goes on with the next batch."""
    one = client(at)
    for batch in batches(prospects):
        try:
            with patch.object(module, "MOST_REFUSALS", 1):
                one.add_prospects(at.campaign_id, batch)
        except RateLimited as error:
            at.sleep(error.retry_after or 1)
    return None


@wrong("resumes-with-the-refused-batch", "limited")
def puts_the_refused_batch_last(at: Surroundings, prospects: Prospects) -> object:
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


def _again(at: Surroundings, prospects: Prospects, *kinds: type[Exception], pause: float = 2.0) -> object:
    """Send each batch again that failed in one of these ways, once."""
    one = client(at)
    for batch in batches(prospects):
        try:
            one.add_prospects(at.campaign_id, batch, validate=False)
        except kinds:
            at.sleep(pause)
            one.add_prospects(at.campaign_id, batch, validate=False)
    return None


@wrong("does-not-repeat-what-was-refused", "bad-request")
def repeats_a_bad_request(at: Surroundings, prospects: Prospects) -> object:
    """Retries a 400, in the hope that it gets better."""
    return _again(at, prospects, BadRequest)


@wrong("does-not-repeat-what-was-refused", "not-found")
def repeats_a_not_found(at: Surroundings, prospects: Prospects) -> object:
    """Retries a 404."""
    return _again(at, prospects, NotFound)


@wrong("stops-when-nothing-can-succeed", "not-found")
def goes_on_after_not_found(at: Surroundings, prospects: Prospects) -> object:
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


@wrong("sends-nothing-twice", "answer-lost")
def retries_blindly(at: Surroundings, prospects: Prospects) -> object:
    """Sends a batch again whose answer was lost."""
    return _again(at, prospects, OutcomeUnknown)


@wrong("careful-with-5xx", "server-error")
def retries_a_500_at_once(at: Surroundings, prospects: Prospects) -> object:
    """Sends a batch again right after a 500."""
    return _again(at, prospects, ServerError, pause=0.0)


@wrong("follows-no-redirect", "redirected")
def follows_redirects(at: Surroundings, prospects: Prospects) -> object:
    """Leaves the redirects of its library on."""
    send = requests.Session.send

    def following(self: requests.Session, request: Any, **settings: Any) -> requests.Response:
        return send(self, request, **{**settings, "allow_redirects": True})

    shown = patch("alta_client._exchange._hide_location", lambda response, **_: response)
    with shown, patch.object(requests.Session, "send", following):
        return right_client(at, prospects)


# --- The whole ------------------------------------------------------------------------------------------------------


@wrong("records-untouched")
def sends_backwards(at: Surroundings, prospects: Prospects) -> object:
    """Takes its prospects from the end of a list."""
    return right_client(at, list(reversed(prospects)))


@wrong("records-untouched")
def cleans_up(at: Surroundings, prospects: Prospects) -> object:
    """Makes what it sends prettier."""
    return right_client(at, json.loads(json.dumps(prospects).title().replace('"Email"', '"email"')))


@wrong("records-untouched")
def forgets_the_last_batch(at: Surroundings, prospects: Prospects) -> object:
    """Sends full batches only."""
    return right_client(at, prospects[: len(prospects) // 20 * 20])


@wrong("records-untouched", "limited")
def sends_one_twice(at: Surroundings, prospects: Prospects) -> object:
    """Begins each batch with the last prospect of the one before."""
    pairs = itertools.pairwise(batches(prospects))
    return right_client(at, [*prospects[:20], *(one for before, batch in pairs for one in (before[-1], *batch))])


@wrong("reports-the-truth", "bad-request")
def swallows_errors(at: Surroundings, prospects: Prospects) -> object:
    """Catches whatever is raised, and returns."""
    try:
        return right_client(at, prospects)
    except Exception:  # noqa: BLE001 - that is its fault
        return None


@wrong("takes-any-success", "odd-success")
def wants_json(at: Surroundings, prospects: Prospects) -> object:
    """Reads the body of the 200, which has none that is documented."""

    def read(post: Any, url: str, body: bytes) -> requests.Response:
        response: requests.Response = post(url, body)
        if response.ok:
            json.loads(response.content)["id"]
        return response

    return exchanging(at, prospects, read)
