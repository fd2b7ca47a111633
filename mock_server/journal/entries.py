"""The recorded requests with their responses: what a test, a report and the page read.

Rule: whatever an entry shows is redacted; only what is named `unredacted` is not.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from mock_server.contract.contract import Contract
from mock_server.contract.limits import SECOND
from mock_server.contract.operation import BatchSchema, Operation, Roles
from mock_server.messages.http import ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.messages.redaction import Redactor
from mock_server.messages.violations import Violation
from mock_server.store.base import Exchange, Recorded, Store

SAMPLE_HEADER = "x-alta-mock-sample"
"""The header of the requests that the page sends, with an id; these are not a consumer's."""

FIXES = {
    "maxItems": "send {wanted} items",
    "minItems": "add items: {wanted}",
    "required": "add the member {wanted}",
    "maxLength": "shorten the text; characters count, not bytes",
    "type": "send a value of type {wanted}; leave a member out instead of sending null",
    "content-type": "set Content-Type: application/json",
    "token-missing": "set {wanted}",
    "token-scheme": "write {wanted}",
    "token-unknown": "use a token of the seed; the server prints them when it starts",
    "account-missing": "name the account in the header x-account-id",
    "rate-limit": "wait as long as Retry-After says",
    "path-unknown": "compare the path, and the base URL, which ends in {base}",
    "json-syntax": "serialise the body with a JSON library",
}
"""What to do about a violation, by its rule; for all others it is `send {wanted}`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an entry is read by.

    Attributes:
        ids: The ids of the objects of each account.
        files: The settings of the fake that name files in place of the bundled ones.
        opted_out: The types and identifiers of the opt-outs that each account has at the start.
    """

    contract: Contract
    redact: Redactor
    ids: Mapping[str, Sequence[str]]
    files: Mapping[str, str]
    roles: Roles
    opted_out: Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed body.

    Attributes:
        value: The JSON value; the text if it is not valid JSON, None without a body.
        records: The array of records that the operation takes; None if the body has none in its place.
    """

    value: Any
    is_json: bool = False
    records: list[Any] | None = None

    @classmethod
    def of(cls, raw: bytes | None, batch: BatchSchema | None = None) -> Body:
        """Parse a body."""
        try:
            value = _decoder.decode((raw or b"").decode())
        except (ValueError, RecursionError):
            return cls(raw.decode(errors="replace") if raw else None)
        records = value.get(batch.member) if batch and isinstance(value, dict) else None
        return cls(value, is_json=True, records=records if isinstance(records, list) else None)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


_decoder = json.JSONDecoder(parse_constant=_refuse)


@dataclass(frozen=True)
class Entry:
    """One request and its response.

    Attributes:
        number: From 1, in the order of the responses.
        transport: How it was received: `socket`, `wsgi`, `responses` or `python`.
        unredacted: The request as sent, tokens included: to compare, never to show.
    """

    number: int
    transport: str
    unredacted: ApiRequest
    outcome: Outcome
    known: Known

    @cached_property
    def request(self) -> ApiRequest:
        """The request without tokens."""
        return self.known.redact.request(self.unredacted)

    @cached_property
    def unredacted_body(self) -> Body:
        """The parsed body, tokens included: to compare, never to show."""
        return Body.of(self.unredacted.body, self.batch)

    @property
    def method(self) -> str:
        """The method."""
        return self.known.redact(self.unredacted.method)

    @property
    def path(self) -> str:
        """The raw path, without query and without tokens."""
        return self.known.redact(self.unredacted.path)

    @property
    def status(self) -> int:
        """The status of the response."""
        return self.outcome.reply.status

    @property
    def operation(self) -> str | None:
        """The `operationId`; None if the contract has no operation for the request."""
        return self.outcome.operation

    @cached_property
    def contract(self) -> Operation | None:
        """What the contract says about the operation; None without one."""
        operations = self.known.contract.operations
        return next((one for one in operations if one.id == self.operation), None)

    @property
    def batch(self) -> BatchSchema | None:
        """The array of records that the operation takes; None without one."""
        return self.contract.batch if self.contract else None

    @property
    def adds_prospects(self) -> bool:
        """Whether it is a request to add prospects."""
        return self.operation == self.known.roles.adds

    @property
    def account(self) -> str | None:
        """The account of the token; None without a valid one."""
        return self.outcome.caller.account if self.outcome.caller else None

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Why the request was refused; empty if it was not."""
        return self.outcome.violations

    @property
    def injected(self) -> str | None:
        """The injected status or fault; None for a response of the fake's own."""
        return str(self.outcome.injected) if self.outcome.injected else None

    @property
    def sample(self) -> str | None:
        """The id of a request that the page sent; None for others."""
        return next((self.known.redact(value) for value in self.unredacted.all(SAMPLE_HEADER)), None)

    @property
    def broke_the_contract(self) -> bool:
        """Whether the request itself was wrong; 403, 404 of an object and 429 are responses to valid requests."""
        return self.outcome.broke_the_contract

    @property
    def body(self) -> Any:
        """The JSON of the request's body, its text if it is not JSON, None without one; without tokens."""
        clean = self.request.body == self.unredacted.body
        return self.unredacted_body.value if clean else Body.of(self.request.body).value

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as a JSON object: for the control API and reports."""
        request, reply, redact = self.request, self.outcome.reply, self.known.redact
        return {
            **self._facts(),
            "transport": self.transport,
            "query": request.query,
            "requestHeaders": [list(pair) for pair in request.headers],
            "requestBody": (request.body or b"").decode(errors="replace"),
            "responseHeaders": [[name, redact(value)] for name, value in reply.headers],
            "responseBody": redact(reply.body.decode(errors="replace")),
            "violations": self.explained,
        }

    def summary(self) -> dict[str, Any]:
        """Return what a list of requests shows, a tenth of the whole."""
        records = self.unredacted_body.records
        return {
            **self._facts(),
            "rule": self.violations[0].rule if self.violations else None,
            "records": None if records is None else len(records),
            "sample": self.sample,
        }

    def _facts(self) -> dict[str, Any]:
        """Return what is short."""
        return {
            "number": self.number,
            "time": datetime.fromtimestamp(self.outcome.at / SECOND, tz=UTC).isoformat(timespec="milliseconds"),
            "method": self.method,
            "path": self.path,
            "operation": self.operation,
            "account": self.account,
            "user": self.outcome.caller.user if self.outcome.caller else None,
            "status": self.status,
            "injected": self.injected,
            "lost": self.outcome.lost,
        }

    @property
    def explained(self) -> list[dict[str, Any]]:
        """The violations as JSON objects, each with the line of the contract and what to do."""
        return [self._explained(violation) for violation in self.violations]

    def _explained(self, violation: Violation) -> dict[str, Any]:
        line = None
        if violation.source:
            name, number = self.known.contract.origin(violation.source)
            line = f"{name.replace(chr(92), '/').rpartition('/')[2]}:{number}"
        names = ("rule", "place", "pointer", "got", "wanted")
        base = self.known.contract.base_path or "the host"
        fix = FIXES.get(violation.rule, "send {wanted}").format(wanted=violation.wanted, base=base)
        return {**{name: getattr(violation, name) for name in names}, "line": line, "fix": fix}

    def __repr__(self) -> str:
        """Show the request, its status, and what it broke where."""
        what = "".join(f"\n    {violation}" for violation in self.violations)
        lost = ", response lost" if self.outcome.lost else ""
        injected = f" (injected: {self.injected}{lost})" if self.injected else ""
        return f"<{self.number}. {self.method} {self.path} -> {self.status}{injected}{what}>"


class Journal:
    """The recorded requests of a store, to be read; safe to use from many threads."""

    def __init__(self, store: Store, known: Known) -> None:
        self._store = store
        self._known = known

    def entries(self, after: int = 0) -> list[Entry]:
        """Return what is kept, oldest first, from behind a number on."""
        return self.look(after)[0]

    def look(self, after: int = 0) -> tuple[list[Entry], Recorded]:
        """Return the entries from behind a number on, and what the journal holds at the same moment."""
        recorded = self._store.recorded(after)
        return [self._entry(exchange) for exchange in recorded.exchanges], recorded

    def entry(self, number: int) -> Entry | None:
        """Return a request by its number; None if it is not kept."""
        first = self._store.recorded(number - 1, most=1).exchanges if number > 0 else []
        return self._entry(first[0]) if first and first[0].number == number else None

    def clear(self) -> None:
        """Forget all recorded requests; the numbers go on."""
        self._store.clear_journal()

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was sent, also by requests no longer kept."""
        return self._store.recorded(after=sys.maxsize).statuses

    @property
    def broken(self) -> int:
        """How many requests broke the contract, also those no longer kept."""
        return self._store.recorded(after=sys.maxsize).broken

    def _entry(self, exchange: Exchange) -> Entry:
        return Entry(exchange.number, exchange.transport, exchange.request, exchange.outcome, self._known)
