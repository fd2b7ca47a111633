"""An annotated body: one line for each value, with the violations of it.

Rule 1: the content is not changed. Numbers keep their digits, duplicate keys stay, a body that is not valid JSON is
shown as text, and what is not printable is escaped. Tokens must be removed before.
Rule 2: what is cut says so; no value beyond the cut costs more than reading it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from mock_server.messages.pointers import parts_of
from mock_server.messages.violations import Violation

MOST_LINES = 2000
"""Maximum number of lines; beyond it, only those with a violation are shown."""

MOST_LETTERS = 300
"""Maximum number of characters of a text that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its depth from 0, its text, and the indices of the violations of the value that begins in it."""

    indent: int
    text: str
    violations: tuple[int, ...] = ()


LEFT_OUT = Line(0, "… (lines that are not shown)")

Mark = tuple[Sequence[str], int]
"""The names that lead from a value to the one that a violation is about, and the index of the violation."""


class _Number(str):
    """The digits of a number, as sent."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """The members of an object, as sent: in order, with duplicates."""


_decoder = json.JSONDecoder(object_pairs_hook=_Members, parse_int=_Number, parse_float=_Number, parse_constant=_Number)


def annotated(text: str, violations: Sequence[Violation] = ()) -> list[Line]:
    """Return a body as lines, each violation at its value or at the nearest value around it.

    Of duplicate keys the last one has the violation, since it is the one that counts.
    """
    marks = [(parts_of(one.pointer), number) for number, one in enumerate(violations) if one.place == "body"]
    lines = _Lines()
    try:
        lines.add(_decoder.decode(text), marks)
    except (ValueError, RecursionError):
        lines = _Lines()
        for line in text.splitlines()[: MOST_LINES + 1]:
            lines.append(0, _short(line), () if lines.shown else (number for _, number in marks))
    return lines.shown


class _Lines:
    """The lines of a body, as far as they are shown."""

    def __init__(self) -> None:
        self.shown: list[Line] = []

    def append(self, indent: int, text: str, violations: Iterable[int] = ()) -> None:
        """Append a line, or show that it is left out."""
        line = Line(indent, text, tuple(violations))
        if len(self.shown) < MOST_LINES or line.violations:
            self.shown.append(line)
        elif self.shown[-1] is not LEFT_OUT:
            self.shown.append(LEFT_OUT)

    def add(self, value: Any, marks: Sequence[Mark], indent: int = 0, before: str = "", after: str = "") -> None:
        """Append the lines of a value; what is left out and has no violation is not entered."""
        if not isinstance(value, list) or not value:
            return self.append(indent, before + _scalar(value) + after, (number for _, number in marks))
        is_object = isinstance(value, _Members)
        places = {name: place for place, (name, _) in enumerate(_members(value))} if marks else {}
        below: defaultdict[int | None, list[Mark]] = defaultdict(list)
        for names, number in marks:
            below[places.get(names[0]) if names else None].append((names[1:], number))
        self.append(indent, before + "[{"[is_object], (number for _, number in below[None]))
        for place, (name, member) in enumerate(_members(value)):
            if self.shown[-1] is LEFT_OUT and place not in below:
                continue
            comma = "," if place < len(value) - 1 else ""
            self.add(member, below.get(place, ()), indent + 1, f"{_scalar(name)}: " if is_object else "", comma)
        return self.append(indent, "]}"[is_object] + after)


def _members(value: list[Any]) -> Iterable[tuple[str, Any]]:
    """Return the names of members or items, with their values."""
    return value if isinstance(value, _Members) else zip(map(str, count()), value, strict=False)


def _scalar(value: Any) -> str:
    if isinstance(value, _Members):
        return "{}"
    return _short(value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    shown = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… ({len(text)} characters)"
    if shown.isprintable():
        return shown
    return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in shown)
