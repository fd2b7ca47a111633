"""Mutants of statuses, bodies of responses, and time to respond."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from contract_tests.mutants.bench import (
    ERROR,
    SERVERS,
    Bench,
    bearer,
    register,
    with_body,
    with_header,
    with_members,
)
from contract_tests.provider.response_rules import IDENTIFIERS
from contract_tests.provider.wire import Request, timeout
from contract_tests.sources import ADD, AUTH, ERRORS, LIMITS
from mock_server.messages.http import ApiReply, ApiRequest

for _source, _pairs in (
    (ADD, ((200, 201), (200, 202), (200, 204))),
    (ERRORS, ((400, 422), (400, 404), (404, 403), (404, 400), (404, 410))),
    (ERRORS, ((400, 200), (404, 200), (404, 500), (400, 500), (401, 500))),
    (AUTH, ((401, 403), (401, 400))),
    (LIMITS, ((429, 503), (429, 403))),
):
    add = partial(register, _source, Bench.on_status)
    for _status, _other in _pairs:
        _statement = f"The status is {_other} instead of {_status}."
        add(f"{_other}-for-{_status}", _statement, _status, partial(replace, status=_other))


BODIES: dict[str, tuple[str, Callable[[ApiReply], ApiReply]]] = {
    "without-message": (
        "has no message",
        lambda reply: replace(reply, body=b'{"error": "%s"}' % IDENTIFIERS[reply.status].encode()),
    ),
    "without-error": ("has no error", lambda reply: replace(reply, body=b'{"message": "No"}')),
    "with-another-identifier": ("has another identifier", lambda reply: with_members(reply, error="Oops")),
    "as-html": ("is HTML", lambda reply: with_body(reply, "text/html", b"<h1>No</h1>")),
    "as-text": ("is sent as text", lambda reply: with_body(reply, "text/plain", reply.body)),
    "with-a-number": ("has a number as its message", lambda reply: with_members(reply, message=1)),
    "nested": ("has its members in a nested object", lambda reply: replace(reply, body=b'{"error": %s}' % reply.body)),
}
add = partial(register, ERROR, Bench.on_status)
for _status in (400, 401, 404, 429):
    for _name, (_what, _body) in BODIES.items():
        add(f"{_status}-{_name}", f"The body of a {_status} {_what}.", _status, _body)
LATIN_1 = '{"error": "ValidationError", "message": "Ung\u00fcltig"}'.encode("latin-1")
add("400-in-latin-1", "The body of a 400 is in Latin-1.", 400, lambda reply: replace(reply, body=LATIN_1))
SOME_REFUSED = b'{"error": "ValidationError", "message": "Some were refused"}'


def _with_status_if(bench: Bench, status: int, matches: Callable[[ApiRequest, ApiReply], bool]) -> None:
    bench.change_if(matches, lambda _, reply: replace(reply, status=status))


add = partial(register, ERRORS, _with_status_if)
add("418-for-nan", "NaN is answered 418.", 418, lambda r, reply: b"NaN" in (r.body or b"") and reply.status == 400)
add("errors-with-200", "Every error is sent with the status 200.", 200, lambda _, reply: reply.status >= 400)
add("418-for-unknown-paths", "A malformed id is answered 418.", 418, lambda r, _: "/campaign/" in r.path)
add = partial(register, ERRORS, Bench.change_if)
add(
    "an-error-in-a-success",
    "A 200 for twenty records contains an error.",
    lambda request, reply: reply.status == 200 and (request.body or b"").count(b"@") > 9,
    lambda _, reply: replace(reply, body=SOME_REFUSED),
)
add = partial(register, "no answer may repeat a credential", Bench.change_if)
add(
    "repeats-the-token",
    "The message of a 401 repeats the token.",
    lambda _, reply: reply.status == 401,
    lambda request, reply: with_members(reply, message=f"{bearer(request)} is unknown"),
)
add(
    "repeats-the-token-in-a-header",
    "A header of the 401 repeats the token.",
    lambda _, reply: reply.status == 401,
    lambda request, reply: with_header(reply, "X-Token", bearer(request)),
)


def _silent(bench: Bench, matches: Callable[[Request], bool]) -> None:
    """Never answer requests that match."""
    bench.on_wire(lambda request, _: timeout(10, 0) if matches(request) else None)


add = partial(register, SERVERS, _silent)
add("hangs-on-large-bodies", "A body of 6 to 9 kB is never answered.", lambda r: 6_000 < len(r.body or b"") < 9_000)
add("hangs-on-large-batches", "Over ninety records are never answered.", lambda r: (r.body or b"").count(b"@") > 90)
