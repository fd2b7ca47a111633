"""Annotated bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_server.journal import annotated_body as layout
from mock_server.journal.annotated_body import MOST_LETTERS, MOST_LINES, Line
from mock_server.messages.violations import Violation
from tests.conftest import request_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server import AltaMock


def shown(lines: Sequence[Line]) -> list[str]:
    """Return the lines as they look."""
    return ["  " * line.indent + line.text for line in lines]


def test_one_line_a_value_each_with_its_pointer() -> None:
    """As JSON tools lay it out; keys are escaped in pointers."""
    lines = layout.layout('{"data":[{"a/b":"x","c~d":null},[],{}],"n":true}')

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


def test_nothing_is_changed_by_showing_it() -> None:
    """Digits stay, duplicate keys stay, other alphabets are readable, a text that is not JSON is shown as it is."""
    text = '{"n": 0.1234567890123456789012345, "n": 1E400, "e": -0, "x": NaN, "s": "☃ é"}'

    assert shown(layout.layout(text))[1:-1] == [
        '  "n": 0.1234567890123456789012345,',
        '  "n": 1E400,',
        '  "e": -0,',
        '  "x": NaN,',
        '  "s": "☃ é"',
    ]
    assert shown(layout.layout('{"data": [\n  oops')) == ['{"data": [', "  oops"]
    assert layout.layout("") == []


def test_what_cannot_be_seen_is_shown_as_its_escape() -> None:
    """Half an emoji, a space of no width, a mark that turns the line round; an emoji is seen."""
    lines = layout.layout(json.dumps({"a": "\ud83d", "b": "x\u200b@y", "c": "\u202e", "d": "☃ 😀"}))

    assert shown(lines)[1:-1] == ['  "a": "\\ud83d",', '  "b": "x\\u200b@y",', '  "c": "\\u202e",', '  "d": "☃ 😀"']
    assert shown(layout.layout("\ufeff{\t")) == ["\\ufeff{\\t"]


@pytest.mark.parametrize("text", ['"7"', "7", "[]", "{}", "null"])
def test_a_single_value_is_one_line(text: str) -> None:
    """Whatever its kind."""
    assert layout.layout(text) == [Line(0, text, "")]


def test_violations_stand_at_what_they_are_about(unlimited: AltaMock) -> None:
    """At the value, at the object that lacks one, and at the last of two with the same key."""
    body = b'{"data":[{"email":"a"},{"email":7},{"x":1},{"email":"b","email":7}]}'
    unlimited.answer(request_of(body))
    broken = unlimited.requests[-1].violations
    lines = layout.layout(body.decode(), broken)
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
    lines = layout.layout('{"data":[{"a":1}]}', [header, missing])

    assert [(line.pointer, line.violations) for line in lines if line.violations] == [("/data/0", (1,))]


def test_what_is_long_is_cut_and_says_so() -> None:
    """Lines and texts; depth ends nothing."""
    assert len(layout.layout(json.dumps(list(range(5000))))) == MOST_LINES + 1
    wrong = Violation("type", "body", "/data/0/email", "the number 7", "string")
    far = layout.layout(json.dumps({"k": list(range(5000)), "data": [{"email": 7}]}), [wrong])
    assert [line.text for line in far[-3:]] == [layout.LEFT_OUT.text, '"email": 7', layout.LEFT_OUT.text]
    assert far[-2].violations == (0,)
    (line,) = layout.layout(json.dumps("x" * 100_000))
    assert len(line.text) < MOST_LETTERS + 40
    assert line.text.endswith("(100002 characters)")
    (deep,) = layout.layout("[" * 500_000 + "]" * 500_000)
    assert deep.text.endswith("(1000000 characters)")
