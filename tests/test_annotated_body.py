"""Annotated bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_server.journal.annotated_body import LEFT_OUT, MOST_LETTERS, MOST_LINES, Line, annotated
from mock_server.messages.violations import Violation
from tests.conftest import request_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server import AltaMock


def shown(lines: Sequence[Line]) -> list[str]:
    """Return the lines as displayed."""
    return ["  " * line.indent + line.text for line in lines]


def test_one_line_a_value_each_with_its_pointer() -> None:
    """The layout is that of JSON tools; keys are escaped in pointers."""
    lines = annotated('{"data":[{"a/b":"x","c~d":null},[],{}],"n":true}')

    assert shown(lines) == [
        "{",
        '  "data": [',
        "    {",
        '      "a/b": "x",',
        '      "c~d": null',
        "    },",
        "    [],",
        "    {}",
        "  ],",
        '  "n": true',
        "}",
    ]
    assert [line.pointer for line in lines] == [
        *("", "/data", "/data/0", "/data/0/a~1b", "/data/0/c~0d", None, "/data/1", "/data/2", None, "/n", None)
    ]


def test_values_are_shown_unchanged() -> None:
    """Digits and duplicate keys are kept, other alphabets are readable, and invalid JSON is shown as text."""
    text = '{"n": 0.1234567890123456789012345, "n": 1E400, "e": -0, "x": NaN, "s": "☃ é"}'

    assert shown(annotated(text))[1:-1] == [
        '  "n": 0.1234567890123456789012345,',
        '  "n": 1E400,',
        '  "e": -0,',
        '  "x": NaN,',
        '  "s": "☃ é"',
    ]
    assert shown(annotated('{"data": [\n  oops')) == ['{"data": [', "  oops"]
    assert annotated("") == []


def test_invisible_characters_are_escaped() -> None:
    """These are lone surrogates, zero-width spaces and bidirectional marks; an emoji is shown."""
    lines = annotated(json.dumps({"a": "\ud83d", "b": "x\u200b@y", "c": "\u202e", "d": "☃ 😀"}))

    assert shown(lines)[1:-1] == ['  "a": "\\ud83d",', '  "b": "x\\u200b@y",', '  "c": "\\u202e",', '  "d": "☃ 😀"']
    assert shown(annotated("\ufeff{\t")) == ["\\ufeff{\\t"]


@pytest.mark.parametrize("text", ['"7"', "7", "[]", "{}", "null"])
def test_a_single_value_is_one_line(text: str) -> None:
    """This holds for every type."""
    assert annotated(text) == [Line(0, text, "")]


def test_violations_are_shown_at_their_values(unlimited: AltaMock) -> None:
    """A violation is at the value, at the object that lacks a value, or at the last of two equal keys."""
    body = b'{"data":[{"email":"a"},{"email":7},{"x":1},{"email":"b","email":7}]}'
    unlimited.answer(request_of(body))
    broken = unlimited.requests[-1].violations
    lines = annotated(body.decode(), broken)
    at = {(broken[number].pointer, broken[number].rule): line.text for line in lines for number in line.violations}

    assert at == {
        ("/data/1", "contact-or-identity"): "{",
        ("/data/1/email", "type"): '"email": 7',
        ("/data/2", "contact-or-identity"): "{",
        ("/data/3", "contact-or-identity"): "{",
        ("/data/3/email", "type"): '"email": 7',
    }
    doubled = [line.violations for line in lines if line.pointer == "/data/3/email"]
    assert [bool(violations) for violations in doubled] == [False, True]


def test_a_violation_of_an_absent_value_is_shown_at_the_value_around_it() -> None:
    """A violation of another part of the request is not shown."""
    missing = Violation("required", "body", "/data/0/email/deep", "nothing", "a text")
    header = Violation("content-type", "header", "/content-type", "none", "JSON")
    lines = annotated('{"data":[{"a":1}]}', [header, missing])

    assert [(line.pointer, line.violations) for line in lines if line.violations] == [("/data/0", (1,))]


def test_long_bodies_are_cut_visibly() -> None:
    """Many lines and long texts are cut; deep nesting is not."""
    assert len(annotated(json.dumps(list(range(5000))))) == MOST_LINES + 1
    wrong = Violation("type", "body", "/data/0/email", "the number 7", "string")
    far = annotated(json.dumps({"k": list(range(5000)), "data": [{"email": 7}]}), [wrong])
    assert [line.text for line in far[-3:]] == [LEFT_OUT.text, '"email": 7', LEFT_OUT.text]
    assert far[-2].violations == (0,)
    (line,) = annotated(json.dumps("x" * 100_000))
    assert len(line.text) < MOST_LETTERS + 40
    assert line.text.endswith("(100002 characters)")
    (deep,) = annotated("[" * 500_000 + "]" * 500_000)
    assert deep.text.endswith("(1000000 characters)")
