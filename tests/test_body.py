"""Parsing of JSON bodies: strict, exact, and bounded."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mock_server.messages.json_text import MAX_DEPTH, MAX_DIGITS, UnreadableBody, read_json


def rule(raw: bytes) -> str:
    """Return the rule that refuses the bytes."""
    with pytest.raises(UnreadableBody) as caught:
        read_json(raw)
    return caught.value.violation.rule


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "body-missing"),
        (b"{", "json-syntax"),
        (b"{} x", "json-syntax"),
        (b"{'a':1}", "json-syntax"),
        (b"[1,]", "json-syntax"),
        (b"[01]", "json-syntax"),
        (b"NaN", "json-syntax"),
        (b"[Infinity]", "json-syntax"),
        (b"[-Infinity]", "json-syntax"),
        (b'"\x00"', "json-syntax"),
        (b"\xff", "encoding"),
        (b"\xef\xbb\xbf{}", "encoding"),
        ("{}".encode("utf-16"), "encoding"),
        (b'"\\ud800"', "lone-surrogate"),
        (b'{"\\udfff":1}', "lone-surrogate"),
        (b'"\\uDE00\\uD83D"', "lone-surrogate"),
        (b"9" * (MAX_DIGITS + 1), "number"),
        (b"-1." + b"9" * MAX_DIGITS, "number"),
        (b"1e99999999999999999999999", "number"),
        (b"[" * 100_000 + b"]" * 100_000, "nesting"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nesting"),
        (b"[" * 100_000, "nesting"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "nesting"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_invalid_json_is_refused_with_its_rule(raw: bytes, expected: str) -> None:
    """Every text outside RFC 8259 or beyond the bounds is refused (assumptions json-text and json-limits)."""
    assert rule(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'"\\u0000"', "\0"),
        (b'"\\ud83d\\ude00"', "\U0001f600"),
        (b'{"a":1,"a":2}', {"a": 2}),
        (b" [1] \r\n", [1]),
        (b"1.10", 1.1),
        (b"1234567890123456789012345", 1234567890123456789012345),
        (b"9" * MAX_DIGITS, int("9" * MAX_DIGITS)),
        (b"0.1234567890123456789012345", Decimal("0.1234567890123456789012345")),
        (b"1e400", Decimal("1e400")),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_valid_json_is_read_exactly(raw: bytes, expected: object) -> None:
    """NUL and paired surrogates are text, all digits are kept, the last key counts (assumption duplicate-keys)."""
    value = read_json(raw)

    assert value == expected
    assert type(value) is type(expected)


def test_the_deepest_nesting_that_is_allowed() -> None:
    """The documented number of levels is accepted; brackets within a text do not count."""
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    assert read_json(b'["' + b"[" * 1000 + b'"]') == ["[" * 1000]


def test_a_lone_surrogate_is_located() -> None:
    """The pointer leads to the text with the lone surrogate."""
    with pytest.raises(UnreadableBody) as caught:
        read_json(b'{"data":[{"email":"a"},{"email":"\\ud800"}]}')

    assert caught.value.violation.pointer == "/data/1/email"
