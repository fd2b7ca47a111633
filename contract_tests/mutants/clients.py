"""Wrong clients: each has one fault, which the rule that names it must catch.

Most of them are the reference consumer, written on plain `requests`, with another value of one field.
"""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeAlias

import requests

from alta_client import AltaClient
from contract_tests.consumer.runs import Environment

Prospects: TypeAlias = "Sequence[Mapping[str, Any]]"
Add: TypeAlias = "Callable[[Environment, Prospects], object]"

LOST = 0
"""In place of a status: there is no response."""


def client(at: Environment, **options: Any) -> AltaClient:
    """Return our client for an environment."""
    return AltaClient(at.base_url, at.token, sleep=at.sleep, clock=at.clock, **options)


def right_client(at: Environment, prospects: Prospects, **options: Any) -> object:
    """Add prospects with our client."""
    return client(at).add_prospects(at.campaign_id, prospects, **options)


def batches(prospects: Prospects, size: int = 20) -> list[list[Any]]:
    """Divide prospects into batches."""
    return [list(prospects[start : start + size]) for start in range(0, len(prospects), size)]


class Failed(Exception):
    """A batch was not added."""


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


class Trusting(requests.Session):
    """A session that takes the token to every host."""

    def rebuild_auth(self, _request: requests.PreparedRequest, _response: requests.Response) -> None:
        """Leave the token in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """The reference consumer; with the default of every field it is correct.

    Attributes:
        records: Changes the prospects before they are divided into batches.
        divide: Divides prospects into batches.
        member: The member of the body that contains the prospects.
        address: Changes the URL; it also receives the token.
        credentials: Returns the headers that authenticate a request with a token.
        redirects: Whether redirects are followed, without the token to another host.
        session: Makes the session that sends a request.
        timeout: Seconds to wait for a response.
        then: What to do after a status other than 200: `retry` waits and sends the batch again, `later` sends it after
            all others, `skip` forgets it, `note` goes on and fails at the end, `end` returns, `fail` raises.
        otherwise: What to do after any other status.
        pause: Returns the seconds to wait by those that are correct and by the header Retry-After, empty without one.
        most_tries: Tries of one batch.
        read: Reads a 200; if it raises, the consumer fails.
    """

    records: Callable[[Prospects], Prospects] = list
    divide: Callable[[Prospects], list[list[Any]]] = batches
    member: str = "data"
    encoding: str = "utf-8"
    content_type: str = "application/json"
    method: str = "POST"
    address: Callable[[str, str], str] = lambda url, _: url
    credentials: Callable[[str], Mapping[str, str]] = _bearer
    redirects: bool = False
    session: Callable[[], requests.Session] = requests.Session
    timeout: float = 60.0
    then: Mapping[int, str] = field(default_factory=lambda: {429: "retry"})
    otherwise: str = "fail"
    pause: Callable[[float, str], float] = lambda seconds, _: seconds
    most_tries: int = 10
    read: Callable[[requests.Response], object] = lambda _: None

    def __call__(self, at: Environment, prospects: Prospects) -> None:
        """Add prospects.

        Raises:
            Failed: A batch was not added.
        """
        waiting, failed = self.divide(self.records(prospects)), 0
        while waiting:
            batch = waiting.pop(0)
            status, action = self._add(at, batch)
            if action == "end":
                return
            if action in {"fail", "retry"}:
                raise Failed(f"the response was {status or 'lost'}")
            failed = status if action == "note" else failed
            waiting += [batch] if action == "later" else []
        if failed:
            raise Failed(f"a response was {failed}")

    def _add(self, at: Environment, batch: list[Any]) -> tuple[int, str]:
        """Send a batch until it is added, or not to be sent again now; return the last status and what to do next."""
        status = LOST
        for tries in range(1, self.most_tries + 1):
            response = self._send(at, batch)
            status = LOST if response is None else response.status_code
            if response is not None and status == 200:
                self.read(response)
                return status, "next"
            action = self.then.get(status, self.otherwise)
            if action in {"retry", "skip", "later"} and tries < self.most_tries:
                header = "" if response is None else response.headers.get("Retry-After", "")
                at.sleep(self.pause(_seconds(header, at.clock(), tries), header))
            if action != "retry":
                return status, action
        return status, "fail"

    def _send(self, at: Environment, batch: list[Any]) -> requests.Response | None:
        """Return the response to a batch; None if it is lost."""

        def authenticate(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers.update(self.credentials(at.token))  # as `auth`, so that ~/.netrc does not replace it
            return request

        try:
            return self.session().request(
                self.method,
                self.address(f"{at.base_url}/campaigns/{at.campaign_id}/prospects", at.token),
                data=json.dumps({self.member: batch}, ensure_ascii=False).encode(self.encoding),
                headers={"Content-Type": self.content_type},
                auth=authenticate,
                timeout=self.timeout,
                allow_redirects=self.redirects,
            )
        except requests.RequestException:
            return None


def _seconds(header: str, now: float, tries: int) -> float:
    """Return the seconds that Retry-After asks for, as a number or a date; without it 1, 2, 4, ..., 60."""
    if header.isdigit():
        return float(header)
    return max(0.0, parsedate_to_datetime(header).timestamp() - now) if header else min(60.0, 2.0 ** (tries - 1))


def _request(at: Environment, method: str, path: str, body: Any = None) -> Any:
    """Send a request, and return the body of the response; raise Failed unless it is a 200."""
    response = requests.request(method, at.base_url + path, json=body, headers=_bearer(at.token), timeout=60)
    if response.status_code != requests.codes.ok:
        raise Failed(f"the response was {response.status_code}")
    return response.json()


def _opt_out(at: Environment, email: str) -> None:
    body = {"identifiers": [{"identifier": email, "identifierType": "email"}]}
    _request(at, "POST", "/dnc/communication-opt-outs", body)


def _looks_around(at: Environment, prospects: Prospects) -> None:
    """Look for the campaign, add prospects, read them page by page, and opt somebody else out."""
    _request(at, "GET", f"/campaigns/{at.campaign_id}")
    right_client(at, prospects)
    for _ in client(at).list_prospects(limit=20):
        pass
    _opt_out(at, "somebody.else@example.com")


EQUIVALENT_CLIENTS: dict[str, tuple[str, Add]] = {
    "correct": ("The client of this project.", right_client),
    "reference": ("The reference consumer, written on requests.", Consumer()),
    "follows-redirects": ("A consumer that follows redirects as requests does.", Consumer(redirects=True)),
    "looks-around": ("A consumer that also reads lists, and opts somebody out.", _looks_around),
}
"""Clients that every rule must pass, each with a statement."""


@dataclass(frozen=True, slots=True)
class WrongClient:
    """A client with a fault.

    Attributes:
        fault: What it does wrong.
        caught_by: The rule that it must break.
        scenario: The scenario in which it shows its fault, a key of `SCENARIOS`.
        add: Adds prospects in an environment; returns or raises.
    """

    fault: str
    caught_by: str
    scenario: str
    add: Add


WRONG_CLIENTS: dict[str, WrongClient] = {}


def _wrong(
    caught_by: str, name: str, fault: str, scenario: str = "normal", add: Add | None = None, **fields: Any
) -> None:
    """Register a client; without `add` it is the reference consumer with other fields."""
    WRONG_CLIENTS[name] = WrongClient(fault, caught_by, scenario, add or Consumer(**fields))


# --- What is sent -----------------------------------------------------------------------------------------------------


def _titled(prospects: Prospects) -> Prospects:
    titled: Prospects = json.loads(json.dumps(prospects).title().replace('"Email"', '"email"'))
    return titled


def _overlapping(prospects: Prospects) -> Prospects:
    pairs = itertools.pairwise(batches(prospects))
    return [*prospects[:20], *(one for before, batch in pairs for one in (before[-1], *batch))]


wrong = partial(_wrong, "keeps-the-batch-size")
wrong("sends-21", "Counts the batch from 0 to 20, inclusive.", divide=lambda them: batches(them, 21))
wrong("sends-all-at-once", "Sends everything in one batch.", divide=lambda them: [list(them)])
wrong("ends-with-an-empty-batch", "Sends an empty batch at the end.", divide=lambda them: [*batches(them), []])
wrong = partial(_wrong, "valid-body")
wrong("calls-them-prospects", "Names the array of the body prospects.", member="prospects")
wrong("sends-null", "Sends null for unknown values.", records=lambda them: [{"jobTitle": None, **one} for one in them])
wrong = partial(_wrong, "sends-json")
wrong("sends-text", "Sends JSON as text/plain.", content_type="text/plain")
wrong("sends-a-form", "Sends JSON as a form.", content_type="application/x-www-form-urlencoded")
wrong(
    "sends-latin-1",
    "Encodes the body in Latin-1.",
    encoding="latin-1",
    records=lambda them: [{**person, "firstName": "Zo\u00eb"} for person in them],
)
wrong = partial(_wrong, "bearer-header")
wrong("lets-netrc-win", "Prefers ~/.netrc to the token.", credentials=lambda _: {"Authorization": "Basic bmV0cmM6eA=="})
wrong("forgets-the-word-bearer", "Sends the token without Bearer.", credentials=lambda token: {"Authorization": token})
wrong = partial(_wrong, "token-nowhere-else")
wrong("repeats-the-token-in-the-query", "The URL has the token, too.", address=lambda url, t: f"{url}?access_token={t}")
wrong("sends-the-token-twice", "A second header has the token.", credentials=lambda t: {**_bearer(t), "X-Api-Token": t})
wrong = partial(_wrong, "clean-path")
wrong("doubles-a-slash", "Joins the path with two slashes.", address=lambda url, _: url.replace("/camp", "//camp"))
wrong("ends-with-a-slash", "Ends the path with a slash.", address=lambda url, _: f"{url}/")
wrong("forgets-the-version", "Joins the path to the server's root.", address=lambda url, _: url.replace("/v1/", "/"))
wrong("says-where-it-is-from", "Adds a query that is not documented.", address=lambda url, _: f"{url}?source=crm")
wrong("puts", "Uses the method PUT.", method="PUT")
wrong = partial(_wrong, "records-untouched")
wrong("sends-backwards", "Sends the last prospects first.", records=lambda them: them[::-1])
wrong("cleans-up", "Changes the capitals of what it sends.", records=_titled)
wrong("adds-a-field", "Adds an origin to prospects.", records=lambda them: [{**one, "source": "crm"} for one in them])
wrong("loses-a-field", "Sends email addresses only.", records=lambda them: [{"email": one["email"]} for one in them])
wrong("forgets-the-last-batch", "Sends full batches only.", records=lambda them: them[: len(them) // 20 * 20])
wrong("sends-one-twice", "Begins a batch with the last prospect of the one before.", "429", records=_overlapping)

# --- Reading and opting out -------------------------------------------------------------------------------------------


def _loses_case(at: Environment, prospects: Prospects) -> None:
    """Add prospects, and read a list with a cursor in lower case."""
    right_client(at, prospects)
    cursor = _request(at, "GET", "/campaigns?limit=1")["next"].lower()
    with contextlib.suppress(Failed):
        _request(at, "GET", f"/campaigns?cursor={cursor}")


def _adds_whom_it_opted_out(at: Environment, prospects: Prospects) -> None:
    """Opt the first prospect out, and add all of them."""
    _opt_out(at, prospects[0]["email"])
    right_client(at, prospects)


_wrong("cursors-as-given", "lowers-cursors", "Sends a cursor in lower case.", add=_loses_case)
_wrong("opted-out-prospect", "forgets-opt-outs", "Adds people who have opted out.", add=_adds_whom_it_opted_out)

# --- Limits -----------------------------------------------------------------------------------------------------------

wrong = partial(_wrong, "waits-for-retry-after")
wrong("waits-half", "Waits half of Retry-After.", "429", pause=lambda seconds, _: seconds / 2)
wrong("waits-a-second", "Waits a second after every 429.", "429", pause=lambda *_: 1.0)
wrong("reads-milliseconds", "Reads Retry-After as milliseconds.", "429", pause=lambda seconds, _: seconds / 1000)
wrong("reads-no-dates", "Waits a second after a date.", "429-date", pause=lambda s, text: s if text.isdigit() else 1.0)
wrong = partial(_wrong, "waits-no-longer-than-sensible")
wrong("waits-an-hour", "Waits an hour longer than Retry-After.", "429", pause=lambda seconds, _: seconds + 3600)
wrong = partial(_wrong, "pauses-untold")
wrong("hammers", "Sends at once without Retry-After.", "429-untold", pause=lambda s, header: s if header else 0.0)
wrong = partial(_wrong, "survives-any-429")
wrong("reads-no-other-form", "Crashes on a date.", "429-date", pause=lambda _, header: float(header))
wrong = partial(_wrong, "gives-up")
wrong("never-gives-up", "Sends again after every 429; here a hundred times.", "429-forever", most_tries=100)
wrong = partial(_wrong, "resumes-with-the-refused-batch")
wrong("loses-the-refused-batch", "Goes on with the next batch after a 429.", "429", then={429: "skip"})
wrong("puts-the-refused-batch-last", "Sends a refused batch after all others.", "429", then={429: "later"})

# --- Errors -----------------------------------------------------------------------------------------------------------

_numbers = itertools.count()


def _retry(status: int, most_tries: int = 2, pause: float = 2.0) -> dict[str, Any]:
    return {"then": {429: "retry", status: "retry"}, "most_tries": most_tries, "pause": lambda *_: pause}


wrong = partial(_wrong, "does-not-repeat-what-was-refused")
wrong("repeats-a-bad-request", "Sends again after a 400.", "400", **_retry(400))
wrong("repeats-a-not-found", "Sends again after a 404.", "404", **_retry(404))
wrong("repeats-an-unauthorized", "Sends again after a 401.", "401", **_retry(401))
wrong("waits-for-the-campaign", "Sends again after a 404 until the campaign exists.", "404", **_retry(404, 10**6))
wrong = partial(_wrong, "ends-by-itself")
wrong(
    "guesses-its-account",
    "Tries one account after the other after a 401, without end.",
    "401",
    **_retry(401, 10**6),
    credentials=lambda token: {**_bearer(token), "X-Account-Id": f"account-{next(_numbers)}"},
)
wrong = partial(_wrong, "stops-when-nothing-can-succeed")
wrong("goes-on-after-not-found", "Sends all other batches after a 404.", "404", then={404: "note"})
wrong = partial(_wrong, "sends-nothing-twice")
wrong("retries-blindly", "Sends a batch again if its response is lost.", "response-lost", **_retry(LOST))
wrong("loses-patience", "Sends a batch again after a second.", "slow", **_retry(LOST, pause=0.0), timeout=1.0)
wrong = partial(_wrong, "careful-with-5xx")
wrong("retries-a-502-at-once", "Sends a batch again right after a 502.", "502-html", **_retry(502, pause=0.2))
wrong("retries-a-500-at-once", "Sends a batch again right after a 500.", "500", **_retry(500, pause=0.0))
wrong = partial(_wrong, "takes-no-token-elsewhere")
wrong("takes-the-token-along", "Follows redirects with the token.", "redirect", redirects=True, session=Trusting)

# --- What is reported -------------------------------------------------------------------------------------------------


def _require_body(response: requests.Response) -> None:
    if not response.content:
        raise ValueError("the body is empty")


wrong = partial(_wrong, "takes-any-success")
wrong("wants-a-body", "Fails if the body of a 200 is empty.", "empty-200", read=_require_body)
wrong("wants-json", "Reads a member of the body of a 200.", "odd-200", read=lambda response: response.json()["id"])
wrong = partial(_wrong, "reports-the-truth")
wrong("takes-a-429-for-the-end", "Returns after a 429 as if all were added.", "429", then={429: "end"})
wrong("skips-what-was-refused", "Returns as if all were added after a 400.", "400", then={400: "skip"})
wrong("takes-a-redirect-for-done", "Returns as if all were added after a 307.", "redirect", then={307: "end"})
wrong("swallows-errors", "Returns after every error as if all were added.", "400", otherwise="end")
wrong("does-nothing", "Sends nothing, and returns as if all were added.", add=lambda *_: None)
