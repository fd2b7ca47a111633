"""Exchanges and injected responses as JSON text, for the tables of the SQL stores."""

from __future__ import annotations

from dataclasses import asdict, astuple
from typing import Any

from mock_server.messages.call import Caller
from mock_server.messages.http import ApiReply, ApiRequest, Fault
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import from_json, to_ascii
from mock_server.messages.outcome import Outcome
from mock_server.messages.violations import Violation
from mock_server.store.base import Exchange


def head_of(transport: str, request: ApiRequest, outcome: Outcome) -> str:
    """Return an exchange without the two bodies."""
    caller, fault = outcome.caller, outcome.reply.fault
    return to_ascii(
        [
            transport,
            request.method,
            request.path,
            request.query,
            request.headers,
            outcome.reply.status,
            outcome.reply.headers,
            fault and astuple(fault),
            outcome.operation,
            caller and [caller.user, caller.account, sorted(caller.permissions)],
            [asdict(violation) for violation in outcome.violations],
            outcome.injected and astuple(outcome.injected),
            outcome.at,
        ]
    )


def exchange_of(number: int, head: str, body: bytes | None, response: bytes) -> Exchange:
    """Return the exchange that its head and its bodies make."""
    (
        transport,
        method,
        path,
        query,
        headers,
        status,
        reply_headers,
        fault,
        operation,
        caller,
        violations,
        injected,
        at,
    ) = from_json(head)
    reply = ApiReply(status, _pairs(reply_headers), response, Fault(*fault) if fault else None)
    known = Caller(caller[0], caller[1], frozenset(caller[2])) if caller else None
    violated = tuple(Violation(**{**one, "source": tuple(one["source"])}) for one in violations)
    outcome = Outcome(reply, operation, known, violated, _injected(injected) if injected else None, at)
    return Exchange(number, transport, ApiRequest(method, path, query, _pairs(headers), body), outcome)


def injected_text(injected: Injected) -> str:
    """Return an injected response as text."""
    return to_ascii(astuple(injected))


def injected_of(text: str, times: int) -> Injected:
    """Return the injected response that a text describes, for so many requests."""
    return _injected([*(members := from_json(text))[:2], times, *members[3:]])


def _injected(members: list[Any]) -> Injected:
    status, fault, times, retry_after, body, headers, *others = members
    return Injected(status, Fault(*fault) if fault else None, times, retry_after, body, _pairs(headers), *others)


def _pairs(headers: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in headers)
