"""Probes: requests with one fault, or almost one, and the statuses that are right for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from contract_tests.provider import derived
from contract_tests.provider.derived import TAG
from contract_tests.provider.documented import documented, operations, sample_operation
from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, Request
from mock_server.contract.operation import Operation
from mock_server.handlers import SAMPLE
from mock_server.messages.pointers import at as value_at
from mock_server.messages.pointers import parts_of

FIELDS = ("firstName", "lastName", "company", "jobTitle", "email", "linkedinUrl")
CONTACTS = ("email", "linkedinUrl", "phone")
IDENTITY = ("firstName", "lastName", "company")
LONGEST = 255

OK = frozenset({200})
BAD_REQUEST = frozenset({400})
UNAUTHORIZED = frozenset({401})
NOT_FOUND = frozenset({404})
CLIENT_ERROR = frozenset(range(400, 500)) - {429}
ANY_BUT_5XX = frozenset(range(200, 500)) | {NO_RESPONSE}
"""Includes a closed connection, a legitimate reaction to invalid HTTP."""

BEFORE: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "pauseCampaign": ("resumeCampaign", lambda _: {}),
    "resumeCampaign": ("pauseCampaign", lambda _: {}),
    "pauseProspect": ("resumeProspect", lambda _: None),
    "resumeProspect": ("pauseProspect", lambda _: None),
    "deleteCommunicationOptOut": ("addCommunicationOptOuts", lambda body: {"identifiers": [body]}),
}
"""Operations that only some states accept, each with the one that leads there and what its body is."""


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
    operation: str = SAMPLE.operation  # which it probes

    @property
    def expected(self) -> str:
        """The statuses that are right, as text."""
        if len(self.wanted) > 20:  # noqa: PLR2004 - a whole class of statuses
            return "no 5xx" if self.wanted >= OK else "a refusal (4xx)"
        return " or ".join(map(str, sorted(status for status in self.wanted if status)))


class NotExercised(Exception):
    """A rule cannot be judged here; the text says what is missing."""


class ProbeFactory:
    """Makes probes of an operation for a target: valid requests, except for what the arguments change.

    Attributes:
        operation: By default that which adds prospects.
        known: An id of the account for each path parameter, by its name.
        foreign: The same of another account.
    """

    def __init__(
        self,
        target: Target,
        random: Random,
        operation: Operation | None = None,
        known: Mapping[str, str] | None = None,
        foreign: Mapping[str, str] | None = None,
    ) -> None:
        self.target = target
        self.operation = operation or sample_operation()
        self.known = {"campaignId": target.campaign_id} if known is None else known
        self.foreign = foreign or {}
        self._random = random

    def of(self, operation: Operation | str) -> ProbeFactory:
        """Return the factory of another operation."""
        other = operations()[operation] if isinstance(operation, str) else operation
        return ProbeFactory(self.target, self._random, other, self.known, self.foreign)

    def knowing(self, known: Mapping[str, str], foreign: Mapping[str, str]) -> ProbeFactory:
        """Return the factory that uses other ids."""
        return ProbeFactory(self.target, self._random, self.operation, known, foreign)

    @property
    def id(self) -> str:
        """The id in the path, or raise `NotExercised`."""
        name = next(iter(self.operation.path_names.values()))
        target = self.target
        if name == "campaignId":
            return (
                target.campaign_id
                if self.operation.id not in BEFORE
                else target.second_campaign_id or target.campaign_id
            )
        if name not in self.known:
            raise NotExercised(f"no {name} is known: no list of the account has one")
        return self.known[name]

    @property
    def foreign_id(self) -> str:
        """The id of an object of another account, or raise `NotExercised`."""
        name = next(iter(self.operation.path_names.values()))
        if name == "campaignId":
            return self.need("foreign_campaign_id")
        if name not in self.foreign:
            raise NotExercised(f"no {name} of another account is known: needs --other-account-token")
        return self.foreign[name]

    def path(self, object_id: str | None = None, version: str | None = None) -> str:
        """Return the raw path of the operation."""
        base = "/" + self.target.url.split("://", 1)[1].partition("/")[2].strip("/")
        base = base if version is None else base.rpartition("/")[0] + version
        names = [
            one if one is not None else (object_id if object_id is not None else self.id)
            for one in self.operation.segments
        ]
        return f"{base}/{'/'.join(names)}"

    def body(self, *, full: bool = False) -> Any:
        """Return a valid body; None if the operation takes none."""
        schema = self.schema
        return None if schema is None else derived.sample(documented().document, schema, full=full)

    @property
    def schema(self) -> Any:
        """The schema of the body, in the document; None if the operation takes none."""
        at = (*parts_of(self.operation.source), "requestBody", "content", "application/json", "schema")
        return None if self.operation.body is None else value_at(documented().document, at)

    def request(  # noqa: PLR0913 - every part of a request can be changed
        self,
        body: Any = None,
        *,
        method: str | None = None,
        path: str | None = None,
        token: str | None = "",
        headers: Iterable[tuple[str, str]] = (),
        content_type: str | None = "application/json",
        framing: str = "length",
    ) -> Request:
        """Return a request; a body of bytes is sent unchanged, None is a valid body if the operation takes one."""
        bearer = self.target.token if token == "" else token
        body = self.body() if body is None else body
        raw = body if isinstance(body, bytes) or body is None else encoded(body)
        first = [] if bearer is None else [("Authorization", f"Bearer {bearer}")]
        first += [("Content-Type", content_type)] if content_type is not None and raw is not None else []
        return Request(method or self.operation.method, path or self.path(), (*first, *headers), raw, framing)

    def valid(self, what: str, body: Any = None, **how: Any) -> Probe:
        """Return a probe of a request that must be accepted, in the state that the operation needs."""
        body = self.body() if body is None else body
        after = None
        if self.operation.id in BEFORE:
            name, made_of = BEFORE[self.operation.id]
            after = self.of(name).request(made_of(body if isinstance(body, dict) else self.body()))
        alone = self.operation.batch is None or how or not isinstance(body, dict) or body.keys() != {"data"}
        records = () if alone or len(body["data"]) != 1 else tuple(body["data"])
        return Probe(what, self.request(body, **how), frozenset({self.operation.success}), records, after)

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
