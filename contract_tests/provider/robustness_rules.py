"""Rules about input that must not bring a server down."""

from __future__ import annotations

from collections.abc import Iterator

from contract_tests.provider.probes import (
    ANY_BUT_5XX,
    BAD_REQUEST,
    CLIENT_ERROR,
    OK,
    TAG,
    Probe,
    ProbeFactory,
    encoded,
    good,
)
from contract_tests.provider.rule import rule
from contract_tests.provider.wire import NO_RESPONSE


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


@rule("RFC 9112, 6 and 7", needs_socket=True)
def framing(make: ProbeFactory) -> Iterator[Probe]:
    """A chunked body is read; a wrong Content-Length does not block the server."""
    yield Probe("a chunked body", make.request(framing="chunked"), OK | {411}, fresh=True)
    bad = make.request({"data": [{}]}, framing="chunked")
    yield Probe("a chunked bad body", bad, BAD_REQUEST | {411}, fresh=True)
    refused = CLIENT_ERROR | {NO_RESPONSE}
    yield Probe("a body shorter than its length", make.request(framing="short"), refused, fresh=True)
    yield Probe("a body longer than its length", make.request(framing="long"), refused, fresh=True)


@rule("RFC 9112, 9.3", needs_socket=True)
def usable_after_an_error(make: ProbeFactory) -> Iterator[Probe]:
    """After a refusal the connection still works, or is closed."""
    for what, first in {
        "a bad one": make.request({"data": []}),
        "one without a token": make.request(token=None),
        "invalid JSON": make.request(b'{"data": ['),
    }.items():
        yield Probe(f"a valid request after {what}", make.request(), OK, after=first)
