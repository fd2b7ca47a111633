"""Mutants of authentication."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from contract_tests.fake import CAMPAIGN, TOKEN
from contract_tests.mutants.bench import JSON, ROBUST, Bench, authorization, bearer, mutant, register, with_header
from contract_tests.mutants.bodies import EMPTY
from contract_tests.provider.wire import Request
from contract_tests.sources import AUTH, HTTP
from mock_server.messages.http import ApiRequest

OTHERS = {"test-token-2", "other-token"}
"""Valid tokens that must keep their meaning."""


def authorized(request: ApiRequest) -> ApiRequest:
    """Return a request with the token."""
    return with_header(request, "authorization", f"Bearer {TOKEN}")


def _trusting(bench: Bench, trusts: Callable[[ApiRequest], bool]) -> None:
    bench.on_request(lambda request: authorized(request) if trusts(request) else request)


add = partial(register, AUTH, _trusting)
add("no-authentication", "No token is required.", lambda r: bearer(r) not in OTHERS)
add("any-bearer", "Any token passes.", lambda r: re.match("(?i)bearer .", authorization(r)) and bearer(r) not in OTHERS)
add("raw-token", "The token without Bearer is accepted.", lambda r: authorization(r) == TOKEN)
add("any-scheme", "The token is accepted with any scheme.", lambda r: bearer(r) == TOKEN)
add("basic-scheme", "Basic with the token is accepted.", lambda r: authorization(r) == f"Basic {TOKEN}")
add("colon-behind-bearer", "Bearer: is accepted.", lambda r: authorization(r) == f"Bearer: {TOKEN}")
add("bearer-without-a-space", "No space is needed after Bearer.", lambda r: authorization(r) == f"Bearer{TOKEN}")
add("substring-of-the-token", "A part of a token is accepted.", lambda r: len(bearer(r)) > 3 and bearer(r) in TOKEN)
add("token-begins-right", "A token may have a suffix.", lambda r: bearer(r).startswith(TOKEN) and "-2" not in bearer(r))
add("token-ends-right", "A text that ends with a token is accepted.", lambda r: bearer(r).endswith(TOKEN))
add(
    "token-is-somewhere",
    "A header that contains a token is accepted.",
    lambda r: TOKEN in authorization(r) and "-2" not in authorization(r),
)
add("token-in-any-case", "Tokens are compared without case.", lambda r: bearer(r).lower() == TOKEN)
add("token-by-its-beginning", "Five letters suffice.", lambda r: bearer(r)[:5] == TOKEN[:5] and "-2" not in bearer(r))
add("empty-bearer", "Bearer without a token is accepted.", lambda r: authorization(r).strip().lower() == "bearer")
add("empty-authorization", "An empty Authorization is accepted.", lambda r: r.all("authorization") == [""])
add("asterisk-is-a-token", "The token * is accepted.", lambda r: bearer(r) == "*")
add("null-is-a-token", "The token null is accepted.", lambda r: bearer(r) == "null")
add("odd-tokens-are-accepted", "A token with quotation marks is accepted.", lambda r: "'" in authorization(r))
add("token-in-the-query", "A token in the query is accepted.", lambda r: TOKEN in r.query)
add("token-in-a-cookie", "A token in a cookie is accepted.", lambda r: TOKEN in "".join(r.all("cookie")))
add("token-in-x-api-key", "A token in X-API-Key is accepted.", lambda r: r.all("x-api-key") == [TOKEN])
add("twice-the-token", "The token written twice is accepted.", lambda r: bearer(r) == TOKEN * 2)
add = partial(register, f"{HTTP}, 11.1", Bench.refuse_if)
add("lower-case-bearer-refused", "The scheme bearer is refused.", 401, lambda r: authorization(r)[:6] == "bearer")
add("capital-bearer-refused", "The scheme BEARER is refused.", 401, lambda r: authorization(r)[:6] == "BEARER")
add = partial(register, AUTH, Bench.refuse_if)
add("validates-before-it-authenticates", "Bodies are checked before the token.", 400, lambda r: r.body in {EMPTY, b"{"})
add(
    "looks-up-before-it-authenticates",
    "An unknown campaign is answered 404 before the token is checked.",
    404,
    lambda r: r.path.startswith("/v1/campaigns/") and CAMPAIGN not in r.path.lower() and (not r.all("authorization")),
)
add = partial(register, ROBUST, Bench.refuse_if)
add("500-on-odd-tokens", "A token outside ASCII is a server error.", 500, lambda r: not authorization(r).isascii())
add("500-on-long-tokens", "A long token is a server error.", 500, lambda r: len(authorization(r)) >= 5000)
add("500-on-two-headers", "Two Authorizations are a server error.", 500, lambda r: len(r.all("authorization")) > 1)


@mutant(AUTH)
def sticky_on_a_connection(bench: Bench) -> None:
    """A connection on which a request was authenticated needs no token any more."""
    trusted = ("Authorization", f"Bearer {TOKEN}")

    def sticky(request: Request, before: Request | None) -> Request | None:
        known = before is not None and trusted in before.headers and before.body == b'{"data": [{}]}'
        if known and request.headers == (("Content-Type", JSON),) and "?" not in request.path:
            return replace(request, headers=(trusted, *request.headers))
        return None

    bench.on_wire(sticky)
