"""Equivalent mutants: providers that differ from the fake only in what the contract leaves open."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

from contract_tests.choices import Reading, pairs, single
from contract_tests.mutants.bench import JSON, Bench, register, with_body, with_header
from contract_tests.mutants.limits import with_limit
from mock_server.contract.assumptions import switches
from mock_server.messages.http import ApiReply

OPEN = "open: "
FILE = "mock_server/contract/assumptions.yaml, "


def _open(question: str, build: Callable[..., object]) -> Callable[..., None]:
    """Return a function that registers mutants which differ in one open question."""
    return partial(register, f"{OPEN}{question}", build, equivalent=True)


add = _open(
    f"{FILE}success-body",
    lambda bench, kind, body: bench.change_if(
        lambda request, reply: (request.path[-10:], reply.status) == ("/prospects", 200) and request.method == "POST",
        lambda _, reply: with_body(reply, kind, body),
    ),
)
add("success-as-text", "The body of a 200 is text.", "text/plain", b"OK")
add("success-as-a-list", "The body of a 200 is a list.", JSON, b'[{"id": 1}]')
add("success-as-html", "The body of a 200 is HTML.", "text/html", b"<p>Thank you</p>")
NOT_ALLOWED = ApiReply(405, (("Allow", "GET"), ("Content-Type", "text/plain")), b"")
add = _open("the vendor has more operations", Bench.replace_if)
add(
    "other-paths-are-405",
    "An unknown path is answered 405, since it is that of another operation.",
    NOT_ALLOWED,
    lambda r, reply: (r.method, reply.status) == ("POST", 404) and not re.search("/[^/]{36}(/[a-z]+)?$", r.path),
)
add = _open(f"{FILE}wrong-method", Bench.on_status)
add("405-as-text", "The body of a 405 is HTML.", 405, lambda reply: with_body(reply, "text/html", b"<h1>No</h1>"))


def _first_key(raw: bytes) -> bytes:
    if raw.count(b'"email"') != 2 or b"nul" in raw:
        return raw
    try:
        return json.dumps(json.loads(raw, object_pairs_hook=lambda pairs: dict(reversed(pairs)))).encode()
    except ValueError:
        return raw


def _utf_16(raw: bytes) -> bytes:
    coding = "utf-16" if raw[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        return raw.decode(coding).encode() if raw[:1] in b"\xff\xfe\xef" and raw else raw
    except UnicodeError:
        return raw


add = _open(f"{FILE}duplicate-keys", Bench.on_text)
add("the-first-key-counts", "The first of two equal keys counts.", _first_key)
add = _open(f"{FILE}json-text", Bench.on_text)
add("half-surrogates-are-accepted", "Half a surrogate is accepted.", lambda raw: re.sub(rb"\\ud800(?!\\ud)", b"?", raw))
add("utf-16-is-accepted", "A body in UTF-16 or with a byte order mark is accepted.", _utf_16)
add = _open(f"{FILE}json-limits", Bench.on_text)
add("deep-json-is-accepted", "JSON may be nested to any depth.", lambda raw: re.sub(rb"\[{300,}\]{300,}", b"[]", raw))
add("long-numbers-are-accepted", "A number may have any length.", lambda raw: re.sub(b"9{4301,}", b"9", raw))
add = _open(f"{FILE}limit-headers", Bench.change_if)
add(
    "headers-of-the-wider-limit",
    "Headers describe the limit across all operations, except for a 429.",
    lambda _, reply: reply.status != 429 and reply.header("RateLimit-Remaining") is not None,
    lambda _, reply: with_limit(
        with_header(reply, "RateLimit-Remaining", str(90 + int(reply.header("RateLimit-Remaining") or 0))), 100
    ),
)


def _assuming(bench: Bench, reading: Reading) -> None:
    bench.settings["assume"] = reading


for reading in single():
    ((question, choice),) = reading.items()
    happens = next(one.happens for one in switches()[question].choices if one.id == choice)
    register(f"{OPEN}{FILE}{question}", _assuming, f"{question}={choice}", happens, reading, equivalent=True)
for number, reading in enumerate(pairs(seed=0), 1):
    statement = f"{len(reading)} open questions are answered differently at the same time."
    register(f"{OPEN}several questions", _assuming, f"many-choices-{number}", statement, reading, equivalent=True)
