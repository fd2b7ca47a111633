"""What was asked and answered: the memory that a test, a report and the page read.

Entries keep what came in as it was and are rendered when somebody looks; no token gets out of them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mock_server.contract.limits import SECOND

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping, Sequence

    from mock_server.contract.contract import Contract
    from mock_server.messages.http import ApiRequest
    from mock_server.messages.outcome import Outcome
    from mock_server.messages.redaction import Redactor
    from mock_server.messages.violations import Violation
    from mock_server.store.base import Exchange, Recorded, Store

NOTHING = 10**15
"""A number that no request reaches, to ask a journal for nothing but its counts."""

FIXES = {
    "maxItems": "send batches of at most 20",
    "minItems": "do not send an empty batch",
    "contact-or-identity": "give each record an email, linkedinUrl or phone, or all of firstName, lastName, company",
    "maxLength": "shorten the text; characters count, not bytes",
    "type": "leave a field out instead of sending null, and send texts as strings",
    "content-type": "set Content-Type: application/json",
    "token-missing": "set Authorization: Bearer <token>",
    "token-scheme": "write Authorization: Bearer <token>",
    "token-unknown": "use a token of the seed; the server prints them when it starts",
    "account-missing": "name the account in the header x-account-id",
    "rate-limit": "wait as long as Retry-After says",
    "path-unknown": "compare the path, and the base URL, which ends in the version",
    "json-syntax": "serialise the body with a JSON library",
}
"""What to do about a rule, where saying what was wanted is not enough."""


@dataclass(frozen=True, slots=True)
class Known:
    """What an entry is read by.

    Attributes:
        ids: The ids of the objects of each account.
        files: The settings of the fake that name files in place of the bundled ones.
    """

    contract: Contract
    redact: Redactor
    ids: Mapping[str, Sequence[str]]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer.

    Attributes:
        number: From 1, in the order they were answered.
        transport: Where it came in: `socket`, `wsgi`, `responses` or `python`.
    """

    number: int
    transport: str
    request: ApiRequest
    outcome: Outcome
    known: Known

    @property
    def method(self) -> str:
        """The method, as sent."""
        return self.request.method

    @property
    def path(self) -> str:
        """The raw path, without query and without tokens."""
        return self.known.redact(self.request.path)

    @property
    def status(self) -> int:
        """The status that was answered."""
        return self.outcome.reply.status

    @property
    def operation(self) -> str | None:
        """The id of the operation, None if the contract has none for the request."""
        return self.outcome.operation

    @property
    def account(self) -> str | None:
        """The account of the token, None without a valid one."""
        return self.outcome.caller.account if self.outcome.caller else None

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Why the request was refused, empty if it was not."""
        return tuple(self.outcome.violations)

    @property
    def injected(self) -> str | None:
        """The status or fault that somebody asked for, None for an answer of the fake's own."""
        return str(self.outcome.injected) if self.outcome.injected else None

    @property
    def broke_the_contract(self) -> bool:
        """Whether the request was wrong by itself; 403, 404 of an object and 429 are answers to a right one."""
        return self.outcome.broke_the_contract

    @property
    def body(self) -> Any:
        """The JSON of the request's body, its text if it is none, None without one."""
        raw = self.request.body
        if not raw:
            return None
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            return raw.decode(errors="replace")

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as JSON has it: for the control API, JSON lines and reports."""
        reply = self.outcome.reply
        return {
            **self._facts(),
            "transport": self.transport,
            "query": self.known.redact(self.request.query),
            "requestHeaders": [self._shown(name, value) for name, value in self.request.headers],
            "requestBody": self.known.redact((self.request.body or b"").decode(errors="replace")),
            "responseHeaders": [list(pair) for pair in reply.headers],
            "responseBody": reply.body.decode(errors="replace"),
            "violations": [self._explained(violation) for violation in self.violations],
        }

    def summary(self) -> dict[str, Any]:
        """Return what a list of requests shows, a tenth of the whole."""
        body = self.body
        records = body.get("data") if isinstance(body, dict) else None
        return {
            **self._facts(),
            "rule": self.violations[0].rule if self.violations else None,
            "prospects": len(records) if isinstance(records, list) else None,
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
        }

    def _shown(self, name: str, value: str) -> list[str]:
        secret = name in {"authorization", "proxy-authorization", "cookie"}
        return [self.known.redact(name), "***" if secret else self.known.redact(value)]

    def _explained(self, violation: Violation) -> dict[str, Any]:
        line = None
        if violation.source:
            name, number = self.known.contract.origin(violation.source)
            line = f"{name.replace(chr(92), '/').rpartition('/')[2]}:{number}"
        return {
            "rule": violation.rule,
            "place": violation.place,
            "pointer": violation.pointer,
            "got": self.known.redact(violation.got),
            "wanted": violation.wanted,
            "line": line,
            "fix": FIXES.get(violation.rule, f"send {violation.wanted}"),
        }

    def __repr__(self) -> str:
        """Show the request, its status, and what it broke where."""
        what = "".join(f"\n    {self.known.redact(str(violation))}" for violation in self.violations)
        injected = f" (injected: {self.injected})" if self.injected else ""
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
        first = self._store.recorded(number - 1).exchanges[:1] if number > 0 else []
        return self._entry(first[0]) if first and first[0].number == number else None

    def clear(self) -> None:
        """Forget all recorded requests; the numbers go on."""
        self._store.clear_journal()

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was sent, also by requests no longer kept."""
        return self._store.recorded(NOTHING).statuses

    @property
    def broken(self) -> int:
        """How many requests broke the contract, also those no longer kept."""
        return self._store.recorded(NOTHING).broken

    def _entry(self, exchange: Exchange) -> Entry:
        return Entry(exchange.number, exchange.transport, exchange.request, exchange.outcome, self._known)
