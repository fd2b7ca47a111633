"""JSON from bytes and to bytes: strict (RFC 8259), and no digit of a number is lost."""

from __future__ import annotations

import json
import re
import secrets
from decimal import Decimal
from typing import Any

from mock_server.messages.pointers import pointer
from mock_server.messages.violations import Violation

MAX_DEPTH = 200
"""Levels of arrays and objects in a body; our assumption `json-limits`."""

MAX_DIGITS = 4300
"""Characters of one number in a body; our assumption `json-limits`, the limit of Python's own `int`."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class UnreadableBody(Exception):
    """The bytes are not valid JSON, or exceed a limit; `violation` says why."""

    def __init__(self, rule: str, got: str, wanted: str, at: str = "") -> None:
        self.violation = Violation(rule, "body", at, got, wanted)
        super().__init__(str(self.violation))


def _exact(text: str) -> float | Decimal:
    """Return a float where it prints as the same number, else the Decimal that keeps every digit."""
    if len(text) > MAX_DIGITS:
        raise ValueError("digits")
    exact = Decimal(text)
    near = float(text)
    return near if Decimal(repr(near)) == exact else exact


def _refuse_constant(name: str) -> Any:
    raise UnreadableBody("json-syntax", name, "JSON, which has no NaN or Infinity")


_decoder = json.JSONDecoder(parse_float=_exact, parse_constant=_refuse_constant)


def read_json(raw: bytes) -> Any:
    """Return the value of a JSON text; of a duplicate key, the last value.

    Numbers are int or float where these keep every digit, else Decimal.

    Raises:
        UnreadableBody: Not UTF-8, a byte order mark, invalid JSON, trailing bytes, NaN or Infinity, a lone surrogate,
            more than `MAX_DEPTH` levels, or a number of more than `MAX_DIGITS` characters.
    """
    if not raw:
        raise UnreadableBody("body-missing", "an empty body", "JSON")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise UnreadableBody("encoding", f"a byte that is not UTF-8 at offset {error.start}", "UTF-8") from error
    if text.startswith("\ufeff"):
        raise UnreadableBody("encoding", "a byte order mark", "UTF-8 without one")
    try:
        value = _decoder.decode(text)
    except json.JSONDecodeError as error:
        got = f"invalid JSON ({error.msg}) at line {error.lineno} column {error.colno}"
        raise UnreadableBody("json-syntax", got, "JSON") from error
    except RecursionError as error:
        raise UnreadableBody("nesting", "deeper nesting", f"at most {MAX_DEPTH} levels") from error
    except (ValueError, ArithmeticError) as error:  # int() or Decimal(): too long, or an absurd exponent
        raise UnreadableBody("number", "a longer number", f"at most {MAX_DIGITS} characters") from error
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _refuse_depth(value)
    if _SURROGATE.search(text):
        _refuse_lone_surrogates(value)
    return value


def to_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8; a Decimal keeps all its digits."""
    return _text(value, ensure_ascii=False).encode()


def to_ascii(value: Any) -> str:
    """Return compact JSON in ASCII, lone surrogates included; a Decimal keeps all its digits."""
    return _text(value, ensure_ascii=True)


def from_json(text: str) -> Any:
    """Return the value of a text that `to_ascii` returned; any value comes back, within no limit."""
    return _decoder.decode(text)


def _text(value: Any, *, ensure_ascii: bool) -> str:
    try:
        return json.dumps(value, ensure_ascii=ensure_ascii, separators=(",", ":"))
    except TypeError:  # json writes no Decimal: a random text that no client can send stands in for each
        mark = f"\0{secrets.token_hex(16)}:"
        separators = (",", ":")
        text = json.dumps(value, ensure_ascii=ensure_ascii, separators=separators, default=lambda one: f"{mark}{one}")
        return re.sub(f'"{re.escape(json.dumps(mark)[1:-1])}([^"]*)"', r"\1", text)


def _refuse_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        children = (child for one in level for child in (one.values() if isinstance(one, dict) else one))
        level = [child for child in children if isinstance(child, dict | list)]
        if not level:
            return
    raise UnreadableBody("nesting", "deeper nesting", f"at most {MAX_DEPTH} levels")


def _refuse_lone_surrogates(value: Any, *at: str | int) -> None:
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError as error:
            where = pointer(*at).encode(errors="backslashreplace").decode()
            raise UnreadableBody("lone-surrogate", "half of a surrogate pair", "whole characters", where) from error
    elif isinstance(value, dict):
        for key, child in value.items():
            _refuse_lone_surrogates(key, *at, key)
            _refuse_lone_surrogates(child, *at, key)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            _refuse_lone_surrogates(child, *at, index)
