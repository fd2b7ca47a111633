"""Probes: requests with one fault, or almost one, and the statuses that are right for them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any
from uuid import UUID

from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, Request

FIELDS = ("firstName", "lastName", "company", "jobTitle", "email", "linkedinUrl")
CONTACTS = ("email", "linkedinUrl", "phone")
IDENTITY = ("firstName", "lastName", "company")
LONGEST = 255

TAG = "alta-mock-verify"  # in every record that must be accepted, so that whoever finds it knows where it is from
OK = frozenset({200})
BAD_REQUEST = frozenset({400})
UNAUTHORIZED = frozenset({401})
NOT_FOUND = frozenset({404})
CLIENT_ERROR = frozenset(range(400, 500)) - {429}
ANY_BUT_5XX = frozenset(range(200, 500)) | {NO_RESPONSE}
"""Includes a closed connection, a legitimate reaction to invalid HTTP."""


@dataclass(frozen=True, slots=True)
class Probe:
    """One request, what is special about it, and the statuses that are right for it."""

    what: str
    request: Request
    wanted: frozenset[int]
    records: tuple[Any, ...] = ()  # may share a request with those of other probes; `request` sends them alone
    after: Request | None = None  # to be sent before it on the same connection
    fresh: bool = False  # whether it needs its own connection
    echo: str = ""  # a text of the request that the response must not repeat

    @property
    def expected(self) -> str:
        """The statuses that are right, as text."""
        if len(self.wanted) > 20:  # noqa: PLR2004 - a whole class of statuses
            return "no 5xx" if self.wanted >= OK else "a refusal (4xx)"
        return " or ".join(map(str, sorted(status for status in self.wanted if status)))


class NotExercised(Exception):
    """A rule cannot be judged here; the text says what is missing."""


class ProbeFactory:
    """Makes probes for a target: valid requests, except for what the arguments change."""

    def __init__(self, target: Target, random: Random) -> None:
        self.target = target
        self._random = random

    def path(self, campaign: str | None = None, version: str | None = None) -> str:
        """Return the raw path of the operation."""
        base = "/" + self.target.url.split("://", 1)[1].partition("/")[2].strip("/")
        base = base if version is None else base.rpartition("/")[0] + version
        return f"{base}/campaigns/{self.target.campaign_id if campaign is None else campaign}/prospects"

    def request(  # noqa: PLR0913 - every part of a request can be changed
        self,
        body: Any = None,
        *,
        method: str = "POST",
        path: str | None = None,
        token: str | None = "",
        headers: Iterable[tuple[str, str]] = (),
        content_type: str | None = "application/json",
        framing: str = "length",
    ) -> Request:
        """Return a request; a body of bytes is sent unchanged, None is a valid body. A token of None sends none."""
        bearer = self.target.token if token == "" else token
        raw = body if isinstance(body, bytes) else encoded({"data": [good()]} if body is None else body)
        first = [] if bearer is None else [("Authorization", f"Bearer {bearer}")]
        first += [("Content-Type", content_type)] if content_type is not None else []
        return Request(method, path or self.path(), (*first, *headers), raw, framing)

    def list_campaigns(self) -> Request:
        """Return a request for the list of campaigns."""
        request = self.request(method="GET", path=self.path().rsplit("/", 2)[0], content_type=None)
        return replace(request, body=None)

    def accepted(self, what: str, *records: Any) -> Probe:
        """Return a probe of prospects that must be accepted."""
        return Probe(what, self.request({"data": list(records)}), OK, records)

    def refused(self, what: str, *records: Any) -> Probe:
        """Return a probe of prospects that must be refused."""
        return self.refused_body(what, {"data": list(records)})

    def refused_body(self, what: str, body: Any, wanted: frozenset[int] = BAD_REQUEST) -> Probe:
        """Return a probe of a body that must be refused."""
        return Probe(what, self.request(body), wanted)

    def uuid(self) -> str:
        """Return an unknown id."""
        return str(UUID(int=self._random.getrandbits(128), version=4))

    def need(self, name: str) -> str:
        """Return an optional value of the target, or raise `NotExercised`."""
        value = getattr(self.target, name)
        if value is None:
            raise NotExercised(f"needs --{name.replace('_', '-')}")
        return str(value)


def encoded(value: Any) -> bytes:
    """Return a value as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def good(**fields: Any) -> dict[str, Any]:
    """Return a valid prospect with additional fields."""
    return {"email": f"{TAG}@example.com", **fields}


def value_of(name: str) -> str:
    """Return a valid value of a field."""
    values = {"email": f"{TAG}@example.com", "linkedinUrl": f"https://www.linkedin.com/in/{TAG}"}
    return {**values, "phone": "+44 1632 960001"}.get(name, TAG)


def some(*names: str) -> dict[str, Any]:
    """Return a prospect with only these fields."""
    return {name: value_of(name) for name in names}


def filled(name: str, text: str, length: int) -> dict[str, Any]:
    """Return a valid prospect, except that a field repeats a text up to a length in code points."""
    value = (text * length)[:length]
    return {**(some("phone", "jobTitle") if name in CONTACTS else good()), name: value}
