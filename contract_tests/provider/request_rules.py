"""Rules about tokens, paths and methods, and about input that must not bring a server down."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contract_tests.provider.derived import TAG
from contract_tests.provider.documented import methods_of
from contract_tests.provider.probes import (
    ANY_BUT_5XX,
    BAD_REQUEST,
    CLIENT_ERROR,
    NOT_FOUND,
    OK,
    UNAUTHORIZED,
    Probe,
    ProbeFactory,
    encoded,
    good,
)
from contract_tests.provider.rule import adds_prospects, every_operation, has_body, has_id, rule
from contract_tests.provider.wire import NO_RESPONSE
from contract_tests.sources import AUTH, ERRORS, HTTP

DIGITS = "0123456789abcdef"
LATE = -7  # a digit of an id that differs from another one; the last may be the only difference between two real ids


@rule(AUTH, every_operation)
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


@rule(AUTH, every_operation)
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


@rule(f"{AUTH}; {HTTP}, 11.1: the name of a scheme has any case", every_operation)
def scheme_is_bearer(make: ProbeFactory) -> Iterator[Probe]:
    """Any authorization scheme except Bearer is answered 401; the word Bearer may have any case."""
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
        yield make.valid(f"{word} <token>", token=None, headers=[header])


@rule(f"{AUTH}; any other response would reveal to strangers what exists", every_operation)
def token_comes_first(make: ProbeFactory) -> Iterator[Probe]:
    """Without a valid token the response is 401, whatever else is wrong."""
    if make.operation.body:
        yield Probe("a bad body without a token", make.request({"data": []}, token=None), UNAUTHORIZED)
        yield Probe("invalid JSON with an unknown token", make.request(b"{", token="nobody"), UNAUTHORIZED)  # noqa: S106 - not a secret
    if has_id(make.operation):
        unknown = make.path(make.uuid())
        yield Probe("an unknown id without a token", make.request(path=unknown, token=None), UNAUTHORIZED)
    query = make.request(path=f"{make.path()}?limit=0", token=None)
    yield Probe("a bad parameter without a token", query, UNAUTHORIZED)


@rule(AUTH, needs_socket=True)
def token_is_needed_each_time(make: ProbeFactory) -> Iterator[Probe]:
    """A token is valid for its own request only, not for later requests on the same connection."""
    first = make.request({"data": [{}]})
    yield Probe("no token after a request with a token", make.request(token=None), UNAUTHORIZED, after=first)


@rule(AUTH, every_operation)
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


@rule(AUTH, every_operation)
def account_header(make: ProbeFactory) -> Iterator[Probe]:
    """A user of several accounts names one in x-account-id; the response to any other request is 401."""
    token, account = make.need("multi_account_token"), make.need("account_id")
    yield Probe("no x-account-id", make.request(token=token), UNAUTHORIZED)
    for what, other in {"an unknown account": make.uuid(), "an empty x-account-id": ""}.items():
        request = make.request(token=token, headers=[("x-account-id", other)])
        yield Probe(what, request, UNAUTHORIZED)
    yield make.valid("the account in x-account-id", token=token, headers=[("x-account-id", account)])


@rule(ERRORS, has_id)
def unknown_id(make: ProbeFactory) -> Iterator[Probe]:
    """An unknown id is answered 404."""
    known = make.id
    last, first = (DIGITS[(int(known[index], 16) + 7) % 16] for index in (LATE, 0))
    for what, other in {
        "an unknown id": make.uuid(),
        "an id with another digit near its end": known[:LATE] + last + known[LATE + 1 :],
        "an id with another first digit": first + known[1:],
    }.items():
        yield Probe(what, make.request(path=make.path(other)), NOT_FOUND)
    nil = make.path("00000000-0000-0000-0000-000000000000")
    yield Probe("the id of zeros", make.request(path=nil), NOT_FOUND | BAD_REQUEST)


@rule(ERRORS, has_id)
def foreign_id(make: ProbeFactory) -> Iterator[Probe]:
    """An object of another account is answered 404, like an unknown one."""
    yield Probe("an object of another account", make.request(path=make.path(make.foreign_id)), NOT_FOUND)
    token = make.need("other_account_token")
    yield Probe("the token of another account", make.request(token=token), NOT_FOUND)


@rule("RFC 9562, 4: the hexadecimal digits of a UUID have any case", has_id)
def id_in_either_case(make: ProbeFactory) -> Iterator[Probe]:
    """The hexadecimal digits of an id may be written in either case."""
    yield make.valid("the id in capitals", path=make.path(make.id.upper()))
    yield make.valid("the id in small letters", path=make.path(make.id.lower()))


@rule(f"{ERRORS}; both 400 and 404 fit", has_id)
def malformed_id(make: ProbeFactory) -> Iterator[Probe]:
    """An id that is not a valid UUID is refused with 400 or 404."""
    known = make.id
    for what, other in {
        "a word": "campaign",
        "a number": "1",
        "too short": known[:-1],
        "too long": known + "0",
        "not hexadecimal": known[:-1] + "g",
        "followed by a quotation mark": known + "'",
        "percent-encoded": "%00%F0%9F%98%80",
        "in braces": f"%7B{known}%7D",
        "a URN": f"urn:uuid:{known}",
        "without hyphens": known.replace("-", ""),
    }.items():
        yield Probe(f"an id that is {what}", make.request(path=make.path(other)), BAD_REQUEST | NOT_FOUND)
    long = make.request(path=make.path(known * 200))  # servers may refuse such a path themselves
    yield Probe("an id of 7,200 characters", long, CLIENT_ERROR | {NO_RESPONSE}, fresh=True)


@rule(f"{HTTP}; no operation of the vendor has such a path", every_operation)
def no_other_paths(make: ProbeFactory) -> Iterator[Probe]:
    """A path of no operation of the vendor is refused."""
    refused = frozenset({400, 401, 404, 405})
    path, word = make.path(), [one for one in make.operation.segments if one is not None][-1]
    known = make.id if has_id(make.operation) else word
    for what, other in {
        "a segment after the path": path + "/x",
        "a letter after the path": path + "x",
        "the id twice": path.replace(known, f"{known}/{known}"),
        "another version": make.path(version="/v0"),
        "no version": make.path(version=""),
        "another case": path.replace(f"/{word}", f"/{word.capitalize()}"),
    }.items():
        yield Probe(what, make.request(path=other), refused)


@rule(f"{HTTP}, 15.5.6; 404 is allowed as well", every_operation)
def other_methods(make: ProbeFactory) -> Iterator[Probe]:
    """Any method that the path does not have is answered 405 or 404."""
    methods = ("GET", "POST", "PUT", "PATCH", "DELETE") if make.target.local else ("GET",)
    for method in methods:
        if method in methods_of(make.operation.path):
            continue
        request = make.request(method=method)
        request = replace(request, body=None) if method in {"GET", "DELETE"} else request
        yield Probe(method, request, frozenset({404, 405}))


@rule(f"{HTTP}, 9; no input may bring a server down", every_operation)
def odd_methods(make: ProbeFactory) -> Iterator[Probe]:
    """HEAD, OPTIONS, TRACE and an unknown method cause no server error, and no response repeats the token."""
    for method in ("HEAD", "OPTIONS", "TRACE", "PROPFIND"):
        request = replace(make.request(method=method), body=None)
        yield Probe(method, request, ANY_BUT_5XX | {501}, fresh=True, echo=make.target.token)


@rule(f"{HTTP}, 9.1: the method decides what a request does", every_operation)
def method_overrides(make: ProbeFactory) -> Iterator[Probe]:
    """A header that names another method changes nothing."""
    other = "GET" if make.operation.method == "POST" else "POST"
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        yield make.valid(f"{name}: {other}", headers=[(name, other)])


@rule("no input may bring a server down")
def robust_against_odd_json(make: ProbeFactory) -> Iterator[Probe]:
    """Deep, huge or unusually encoded JSON never causes a server error."""
    valid = encoded({"data": [good()]})
    for what, body in {
        "JSON 100,000 levels deep": b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "a record 5,000 levels deep": valid[:-3] + b', "d":' + b"[" * 5000 + b"]" * 5000 + b"}]}",
        "UTF-16": valid.decode().encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + valid,
        "half a surrogate pair": valid[:-3] + b', "firstName": "\\ud800"}]}',
        "a number of 10,000 digits": valid[:-3] + b', "n": ' + b"9" * 10_000 + b"}]}",
        "the number 1e999999": valid[:-3] + b', "n": 1e999999}]}',
        "a duplicate key": valid[:-3] + b', "email": "2-' + TAG.encode() + b'@example.com"}]}',
        "10,000 keys": encoded({"data": [good(**{f"k{number}": 1 for number in range(10_000)})]}),
        "the character U+0000": valid[:-3] + b', "firstName": "\\u0000"}]}',
        "the key __proto__": valid[:-3] + b', "__proto__": {"a": 1}, "constructor": 1}]}',
    }.items():
        yield Probe(what, make.request(body), ANY_BUT_5XX, fresh=True)


@rule("no input may bring a server down", needs_socket=True)
def robust_against_size(make: ProbeFactory) -> Iterator[Probe]:
    """A body of 5 MB is answered, or its connection is closed."""
    large = make.request({"data": [good(note="x" * 5_000_000)]})
    yield Probe("a body of 5 MB", large, ANY_BUT_5XX, fresh=True)


@rule("RFC 9112, 6 and 7", has_body, needs_socket=True)
def framing(make: ProbeFactory) -> Iterator[Probe]:
    """A chunked body is read; a wrong Content-Length does not block the server."""
    if adds_prospects(make.operation):  # one operation shows whether the server can read it
        yield Probe("a chunked body", make.request(framing="chunked"), OK | {411}, fresh=True)
        bad = make.request({"data": []}, framing="chunked")
        yield Probe("a chunked bad body", bad, BAD_REQUEST | {411}, fresh=True)
    refused, body = CLIENT_ERROR | {NO_RESPONSE}, make.body(full=True)
    yield Probe("a body shorter than its length", make.request(body, framing="short"), refused, fresh=True)
    yield Probe("a body longer than its length", make.request(body, framing="long"), refused, fresh=True)


@rule("RFC 9112, 9.3", needs_socket=True)
def usable_after_an_error(make: ProbeFactory) -> Iterator[Probe]:
    """After a refusal the connection still works, or is closed."""
    for what, first in {
        "a bad one": make.request({"data": [{}]}),
        "one without a token": make.request(token=None),
        "invalid JSON": make.request(b'{"data": ['),
    }.items():
        yield Probe(f"a valid request after {what}", make.request(), OK, after=first)
