"""Authentication: a bearer token, and the account it is used for.

https://docs.altahq.com/api-reference/authentication - a token acts as its user; a user of several accounts names
one in `x-account-id`; every failure is the same 401.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from mock_server.contract.assumptions import Choices, Question
from mock_server.messages.call import Caller
from mock_server.messages.errors import Unauthorized
from mock_server.messages.http import ApiRequest
from mock_server.messages.violations import Violation
from mock_server.store.seed import Token

ACCOUNT_HEADER = "x-account-id"
_BEARER = re.compile(r"(?i:bearer) +([^\s]+)")


TWICE = Question("authorization-twice", {"refused": False, "first": True})
"""Whether the first of several Authorization headers counts."""


def authenticate(request: ApiRequest, tokens: Mapping[str, Token], choices: Choices) -> Caller:
    """Return who is calling, or raise Unauthorized, whose violation repeats no part of what was sent."""
    token = tokens.get(_bearer(request, choices))
    if token is None:
        raise _unauthorized("token-unknown", "authorization", "an unknown token", "a seeded token")
    if token.expired:
        raise _unauthorized("token-expired", "authorization", "an expired token", "a valid token")
    return Caller(token.user, _account(request, token), token.permissions)


def _bearer(request: ApiRequest, choices: Choices) -> str:
    sent = request.all("authorization")
    wanted = "Authorization: Bearer <token>"
    if not sent:
        raise _unauthorized("token-missing", "authorization", "no Authorization header", wanted)
    if len(sent) > 1 and not choices[TWICE]:
        raise _unauthorized("token-doubled", "authorization", f"{len(sent)} Authorization headers", "one")
    found = _BEARER.fullmatch(sent[0])
    if not found:
        raise _unauthorized("token-scheme", "authorization", "another form", wanted)
    return found[1]


def _account(request: ApiRequest, token: Token) -> str:
    named = request.all(ACCOUNT_HEADER)
    if len(named) > 1:
        raise _unauthorized("account-doubled", ACCOUNT_HEADER, f"{len(named)} {ACCOUNT_HEADER} headers", "one")
    if named:
        if named[0] not in token.accounts:
            got = "an account that the user cannot access"
            raise _unauthorized("account-unreachable", ACCOUNT_HEADER, got, "an account of the user")
        return named[0]
    if len(token.accounts) > 1:
        got = f"a user of {len(token.accounts)} accounts"
        raise _unauthorized("account-missing", ACCOUNT_HEADER, got, f"{ACCOUNT_HEADER}: <id>")
    return token.accounts[0]


def _unauthorized(rule: str, header: str, got: str, wanted: str) -> Unauthorized:
    return Unauthorized(Violation(rule, "header", f"/{header}", got, wanted), headers=(("WWW-Authenticate", "Bearer"),))
