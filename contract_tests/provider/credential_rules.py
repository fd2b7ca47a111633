"""Rules about tokens."""

from __future__ import annotations

from collections.abc import Iterator

from contract_tests.provider.probes import ANY_BUT_5XX, CLIENT_ERROR, OK, UNAUTHORIZED, Probe, ProbeFactory
from contract_tests.provider.rule import rule
from contract_tests.sources import AUTH


@rule(AUTH)
def token_is_required(make: ProbeFactory) -> Iterator[Probe]:
    """A request without a token is answered 401."""
    token = make.target.token
    yield Probe("no Authorization", make.request(token=None), UNAUTHORIZED)
    for name in ("access_token", "token"):
        path = f"{make.path()}?{name}={token}"
        yield Probe(f"the token only in the query, as {name}", make.request(token=None, path=path), UNAUTHORIZED)
    others = [("X-API-Key", token), ("X-Api-Token", token)]
    yield Probe("the token only in other headers", make.request(token=None, headers=others), UNAUTHORIZED)
    cookie = [("Cookie", f"token={token}; access_token={token}")]
    yield Probe("the token only in a cookie", make.request(token=None, headers=cookie), UNAUTHORIZED)


@rule(AUTH)
def token_must_be_known(make: ProbeFactory) -> Iterator[Probe]:
    """A token that is not exactly a known token is answered 401."""
    token = make.target.token
    others = {
        "an unknown token": "alta-mock-verify-nobody",
        "the first half of the token": token[: len(token) // 2],
        "the token without its last character": token[:-1],
        "the token with an additional character": token + "x",
        "the token without its first character": token[1:],
        "the token twice": token + token,
        "an asterisk": "*",
        "the word null": "null",
    }
    if token.swapcase() != token:
        others["the token in the other case"] = token.swapcase()
    for what, other in others.items():
        echo = other if what == "an unknown token" else ""
        yield Probe(what, make.request(token=other), UNAUTHORIZED, echo=echo)


@rule(AUTH)
def scheme_is_bearer(make: ProbeFactory) -> Iterator[Probe]:
    """Any authorization scheme except Bearer is answered 401; the word Bearer may have any case (RFC 9110)."""
    token = make.target.token
    for what, value in {
        "the token without Bearer": token,
        "Basic": f"Basic {token}",
        "Token": f"Token {token}",
        "Bearer without a token": "Bearer",
        "Bearer and a space": "Bearer ",
        "an empty header": "",
        "Bearer with a colon": f"Bearer: {token}",
        "Bearer and the token without a space": f"Bearer{token}",
    }.items():
        yield Probe(what, make.request(token=None, headers=[("Authorization", value)]), UNAUTHORIZED)
    for word in ("bearer", "BEARER"):
        header = ("Authorization", f"{word} {token}")
        yield Probe(f"{word} {{token}}", make.request(token=None, headers=[header]), OK)


@rule(f"{AUTH}; any other response would reveal to strangers what exists")
def token_comes_first(make: ProbeFactory) -> Iterator[Probe]:
    """Without a valid token the response is 401, whatever else is wrong."""
    yield Probe("a bad body without a token", make.request({"data": []}, token=None), UNAUTHORIZED)
    unknown = make.path(make.uuid())
    yield Probe("an unknown campaign without a token", make.request(path=unknown, token=None), UNAUTHORIZED)
    yield Probe("invalid JSON with an unknown token", make.request(b"{", token="nobody"), UNAUTHORIZED)  # noqa: S106 - not a secret


@rule(AUTH, needs_socket=True)
def token_is_needed_each_time(make: ProbeFactory) -> Iterator[Probe]:
    """A token is valid for its own request only, not for later requests on the same connection."""
    first = make.request({"data": []})
    yield Probe("no token after a request with a token", make.request(token=None), UNAUTHORIZED, after=first)


@rule(AUTH)
def odd_tokens_are_refused(make: ProbeFactory) -> Iterator[Probe]:
    """An unusual Authorization header is refused, and never causes a server error."""
    for what, value in {
        "a token with letters outside ASCII": "Bearer t\u00f6ken\u00ff",
        "a token of 6,000 characters": f"Bearer {'x' * 6000}",
        "a token with quotation marks": "Bearer \"' or '1'='1",
    }.items():
        yield Probe(what, make.request(token=None, headers=[("Authorization", value)]), CLIENT_ERROR)
    twice = [("Authorization", f"Bearer {make.target.token}"), ("Authorization", "Bearer nobody")]
    request = make.request(token=None, headers=twice)
    yield Probe("a valid and an unknown token in two headers", request, ANY_BUT_5XX, fresh=True)
