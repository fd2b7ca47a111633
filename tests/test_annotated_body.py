"""Annotated bodies."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_server.control.api import Control
from mock_server.journal.annotated_body import LEFT_OUT, MOST_LETTERS, MOST_LINES, Line, annotated
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.violations import Violation
from tests.conftest import calls_during, request_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mock_server import AltaMock


def shown(lines: Sequence[Line]) -> list[str]:
    """Return the lines as displayed."""
    return ["  " * line.indent + line.text for line in lines]


def test_one_line_a_value() -> None:
    """The layout is that of JSON tools."""
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
    assert annotated(text) == [Line(0, text)]


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
    doubled = [line for line in lines if line.text.startswith('"email": ')][-2:]
    assert [(line.text, bool(line.violations)) for line in doubled] == [('"email": "b",', False), ('"email": 7', True)]


def test_a_violation_of_an_absent_value_is_shown_at_the_value_around_it() -> None:
    """A violation of another part of the request is not shown."""
    missing = Violation("required", "body", "/data/0/email/deep", "nothing", "a text")
    header = Violation("content-type", "header", "/content-type", "none", "JSON")
    lines = annotated('{"data":[{"a":1}]}', [header, missing])

    assert [line for line in lines if line.violations] == [Line(2, "{", (1,))]


def test_a_violation_of_an_escaped_key_is_shown_at_it() -> None:
    """A pointer escapes the slash and the tilde of a key; an index is not a key."""
    wrong = [Violation("type", "body", pointer, "x", "y") for pointer in ("/a~1b/0", "/c~0d", "/0")]
    lines = annotated('{"a/b":["x"],"c~d":2,"0":3}', wrong)

    assert [(line.text, line.violations) for line in lines if line.violations] == [
        ('"x"', (0,)),
        ('"c~d": 2,', (1,)),
        ('"0": 3', (2,)),
    ]


NUMBERS = ",".join("1" * 50_000)
LARGE = {
    "deep": "[" * 190 + NUMBERS + "]" * 190,
    "flat": f"[{NUMBERS}]",
    "keys": "{" + ",".join(f'"k{number}":1' for number in range(20_000)) + "}",
    "one key": '{"' + "k" * 50_000 + f'":[{NUMBERS}]}}',
    "objects": "[" + ",".join(["{}"] * 40_000) + "]",
    "escapes": '"' + "\\u0000" * 15_000 + '"',
    "records": "[" + ",".join(['{"emal":"a"}'] * 8_000) + "]",
}


@pytest.mark.parametrize("name", LARGE)
def test_the_details_of_a_body_are_in_proportion_to_it(unlimited: AltaMock, name: str) -> None:
    """Their size is at most six times that of the body, and each byte of it takes less than one call of Python."""
    body = f'{{"data":[{{"email":"a","x":{LARGE[name]}}}]}}'.encode()
    unlimited.answer(request_of(body))
    request = ApiRequest("GET", "/_mock/requests/1", "", (("host", "localhost"),))
    replies: list[ApiReply] = []
    calls = calls_during(lambda: replies.append(Control(unlimited).answer(request, "127.0.0.1")))
    (reply,) = replies

    assert reply.status == 200
    assert len(reply.body) < 6 * len(body) + 400_000  # the lines, of which there are at most 2,000
    assert calls < len(body)


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
