"""YAML and JSON files of users: every mistake is reported with its line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_server import MockError
from mock_server.contract.documents import Document

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"^f:1: the file is empty"),
        ("a: [1", r"^f:\d: not YAML"),
        ("a: 1\na: 2", r"^f:2: duplicate key 'a'; remove one"),
        ("a: &x 1\nb: *x", r"^f:\d: aliases .* are not supported"),
        ("? [1]\n: 2", r"^f:1: a key must be a plain word"),
        ("a: !!python/object:os.system 1", r"^f:1: not YAML"),
        ("a:\n  !!set {b}", r"^f:2: the tag tag:yaml.org,2002:set is not supported; remove it"),
        ("a: \x07", r"^f: not YAML"),
        ("a: 1\n---\nb: 2", r"^f:2: not YAML: more than one document"),
        ("[" * 101 + "]" * 101, r"^f:1: nested deeper than 100 levels"),
        ("[" * 100_000, r"^f:1: nested deeper"),
        ("- " * 100_000, r"^f:1: nested deeper"),
    ],
    ids=lambda text: text[:20],
)
def test_a_mistake_is_named_with_its_line(text: str, message: str) -> None:
    """The message is one line without a traceback."""
    with pytest.raises(MockError, match=message):
        Document.parse(text, "f")


def test_yaml_is_read_as_json_would_be() -> None:
    """Dates stay text, and all keys are text."""
    document = Document.parse("2026-01-01: 2026-01-01\n200: yes\nyes: no\n", "f")

    assert document.value == {"2026-01-01": "2026-01-01", "200": True, "yes": False}


def test_a_whole_number_has_no_fraction() -> None:
    """It is an integer in JSON Schema, however it is written, and so in every message."""
    document = Document.parse("[20.0, 1.0e+2, -0.0, 2.5, .inf]", "f")

    assert json.dumps(document.value) == "[20, 100, 0, 2.5, Infinity]"


def test_lines_of_places() -> None:
    """A value has a line; a missing value has the line of its nearest parent."""
    document = Document.parse("a:\n  b:\n    - x\n    - c: 1\n      d: 2\n", "f")

    places: list[list[str | int]] = [[], ["a"], ["a", "b"], ["a", "b", 1], ["a", "b", 1, "d"]]
    assert [document.line(place) for place in places] == [1, 1, 2, 4, 5]
    assert document.line(["a", "b", 7]) == 2
    assert document.line(["a", "x", "y"]) == 1


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It is missing, a folder, or not UTF-8."""
    (tmp_path / "latin").write_bytes(b"a: \xe9")

    with pytest.raises(MockError, match=r"cannot read .*nope: No such file"):
        Document.read(tmp_path / "nope")
    with pytest.raises(MockError, match="cannot read"):
        Document.read(tmp_path)
    with pytest.raises(MockError, match="byte 3 is not UTF-8"):
        Document.read(tmp_path / "latin")
