"""How responses look: the vendor's errors, why a request was refused, and the headers that every response has."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import lru_cache
from typing import Any

from mock_server.contract.assumptions import Choices, Question
from mock_server.contract.limits import SECOND
from mock_server.messages.errors import ApiError
from mock_server.messages.http import JSON, ApiReply, Headers
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import to_json
from mock_server.messages.violations import Violation
from mock_server.pipeline.ratelimit import RETRY_AFTER, SHOWN, Decision

WHY = "X-Alta-Mock-Why"
"""The header that says why a request was refused; the vendor has no such header, so no client depends on it."""

WHY_LENGTH = 300
"""Maximum number of characters of its value."""

MESSAGE: Question[Callable[[str], str]] = Question(
    "error-message",
    {
        "published": lambda _: "",
        "specific": lambda why: why,
        "other": lambda _: "Das geht so nicht \u2013 bitte pr\u00fcfen.",
    },
)
"""The message of an error by what is wrong; empty for that of the contract."""

LIMIT_TEXT = Question("limit-text", {"documented": False, "actual": True})
"""Whether the message of a 429 has the seconds of Retry-After."""

MEMBERS: Question[dict[str, Any]] = Question(
    "error-members", {"documented": {}, "more": {"code": 7, "details": [{"hint": None}]}}
)
"""Further members of an error."""


def _with_charset(headers: Headers) -> Headers:
    return tuple((name, f"{value}; charset=utf-8" if value == JSON else value) for name, value in headers)


HEADERS: tuple[Question[Callable[[Headers], Headers] | None], ...] = (
    Question("charset", {"absent": None, "present": _with_charset}),
    Question(
        "response-headers",
        {"recommended": None, "minimal": lambda headers: tuple(one for one in headers if one[0] != "WWW-Authenticate")},
    ),
    Question(
        "header-case",
        {"documented": None, "lower": lambda headers: tuple((name.lower(), value) for name, value in headers)},
    ),
)
"""How the headers of a response are changed."""


def refusal(
    error: ApiError, why: Sequence[Violation], body: bytes, quota: Decision | None, choices: Choices
) -> tuple[Headers, bytes]:
    """Return the headers and the body of an error, by the body of the contract."""
    message = choices[MESSAGE](str(why[0]) if why else error.message)
    if quota and not quota.allowed and choices[LIMIT_TEXT]:
        message = f"Rate limit exceeded. Please retry after {quota.reset} seconds."
    more = choices[MEMBERS]
    members = {**more}
    if message:
        members["message"] = message
    if members:
        body = to_json({**json.loads(body), **members})
    return (("Content-Type", JSON), *error.headers), body


def explanation(reasons: Sequence[str]) -> Headers:
    """Return the header that says why a request was refused: the first reason, and how many more there are."""
    more = f" (+{len(reasons) - 1} more)" if len(reasons) > 1 else ""
    text = reasons[0].encode("unicode_escape").decode("ascii")  # one line of ASCII, whatever was sent
    room = WHY_LENGTH - len(more)
    text = text if len(text) <= room else text[: room - 3] + "..."
    return ((WHY, text + more),)


def finished(
    reply: ApiReply, quota: Decision | None, now: int, injected: Injected | None, choices: Choices
) -> ApiReply:
    """Add the date, and the quota if the request was counted; injected headers of the same names replace them."""
    usual: Headers = (("Date", _date(now // SECOND)), *(quota.headers() if quota and choices[SHOWN](quota) else ()))
    if quota and not quota.allowed:
        usual = (*usual, ("Retry-After", choices[RETRY_AFTER](quota.reset, now)))
    if injected and injected.headers:
        own = {name.lower() for name, _ in injected.headers}
        usual = tuple(one for one in usual if one[0].lower() not in own)
    headers = (*usual, *reply.headers)
    for question in HEADERS:
        if change := choices[question]:
            headers = change(headers)
    return ApiReply(reply.status, headers, reply.body, reply.fault)


@lru_cache(maxsize=8)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
