"""Mutants of reading JSON text and its content type."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from contract_tests.mutants.bench import JSON, ROBUST, Bench, register, with_header
from contract_tests.mutants.bodies import GOOD
from contract_tests.sources import ADD, ERRORS, JSON_TEXT

add = partial(register, JSON_TEXT, Bench.on_text)
add("nan-accepted", "NaN is accepted.", lambda raw: raw.replace(b"NaN", b"1"))
add("infinity-accepted", "-Infinity is accepted.", lambda raw: raw.replace(b"-Infinity", b"1"))
add("bytes-behind-the-json", "Bytes behind the JSON are ignored.", lambda raw: re.sub(rb"\}x$", b"}", raw))
add("first-of-two-texts", "The first of two texts is read.", lambda raw: raw.replace(b"}]}{", b"}]}\0").split(b"\0")[0])
add("trailing-comma", "A trailing comma is accepted.", lambda raw: raw.replace(b",]", b"]"))
add("single-quotes", "Single quotes are accepted.", lambda raw: raw.replace(b"'", b'"') if raw[:2] == b"{'" else raw)
add("empty-body", "An empty body is accepted.", lambda raw: raw or GOOD)
add("no-json-at-all", "What is not JSON is accepted.", lambda raw: GOOD if raw[:1] not in b'{[n"7t \xef\xff' else raw)
add(
    "broken-off",
    "A truncated body is completed.",
    lambda raw: raw + b"]}" if raw[-1:] == b"}" and raw.count(b"[") > raw.count(b"]") else raw,
)
add("control-characters", "A line end within a text is accepted.", lambda raw: raw.replace(b"\n@", b"@"))
add("latin-1", "Bytes that are not UTF-8 are accepted.", lambda raw: raw.replace(b"\xff\xfe@", b"@"))
add("no-white-space-around", "White space before the JSON is refused.", lambda raw: b"" if raw[:1].isspace() else raw)
add("no-escapes", "Escapes are refused.", lambda raw: b"" if b"\\u0061" in raw else raw)
add = partial(register, ROBUST, Bench.fail_on_text)
add("500-on-malformed-json", "Malformed JSON is a server error.", lambda raw: raw.endswith(b'"}]'))
add("500-on-an-empty-body", "An empty body is a server error.", lambda raw: raw == b"")
add("500-on-deep-json", "Deeply nested JSON is a server error.", lambda raw: b"[[[[[[[[[[" in raw)
add("500-on-utf-16", "UTF-16 is a server error.", lambda raw: raw[:2] in {b"\xff\xfe", b"\xfe\xff"})
add("500-on-a-byte-order-mark", "A byte order mark is a server error.", lambda raw: raw[:3] == b"\xef\xbb\xbf")
add("500-on-surrogates", "Half a surrogate pair is a server error.", lambda raw: b"\\ud800" in raw)
add("500-on-long-numbers", "A long number is a server error.", lambda raw: b"9" * 5000 in raw)
add(
    "500-on-long-numbers-in-json",
    "A long number in a valid body is a server error.",
    lambda raw: b"9" * 5000 in raw and raw.endswith(b"}]}"),
)
add("500-on-large-exponents", "1e999999 is a server error.", lambda raw: b"1e999999" in raw)
add("500-on-nul", "U+0000 is a server error.", lambda raw: b"\\u0000" in raw)
add("500-on-many-keys", "Ten thousand keys are a server error.", lambda raw: raw.count(b'"k') > 9000)
add("500-on-proto", "The key __proto__ is a server error.", lambda raw: b"__proto__" in raw)
add("500-on-emoji", "Emoji are a server error.", lambda raw: "\U0001f469".encode() in raw)
add("500-on-a-list", "A body that is a list is a server error.", lambda raw: raw[:1] == b"[")
add("500-on-null-records", "A record that is null is a server error.", lambda raw: b"[null" in raw)
add("500-on-large-bodies", "A body of 5 MB is a server error.", lambda raw: len(raw) > 4_000_000)
add("500-on-empty-names", "A property with an empty name is a server error.", lambda raw: b'"": ' in raw)


def _on_type(bench: Bench, change: Callable[[str], str]) -> None:
    """Read another content type than the one that was sent."""
    bench.on_request(lambda r: with_header(r, "content-type", change(next(iter(r.all("content-type")), "")) or None))


add = partial(register, ADD, _on_type)
add("any-content-type", "Any content type is accepted.", lambda _: JSON)
add("text-is-json", "text/plain is accepted.", lambda kind: JSON if kind == "text/plain" else kind)
add("multipart-is-json", "multipart/form-data is accepted.", lambda kind: JSON if "multipart" in kind else kind)
add("forms-are-json", "Forms are accepted.", lambda kind: JSON if "form" in kind else kind)
add("charset-refused", "application/json with a charset is refused.", lambda kind: "x/y" if "charset" in kind else kind)
add("capitals-refused", "Application/JSON is refused.", lambda kind: "x/y" if kind[:1] == "A" else kind)
add = partial(register, ERRORS, Bench.fail_if)
add(
    "500-on-other-content-types",
    "Another content type is a server error.",
    lambda request: JSON not in "".join(request.all("content-type")).lower(),
)
