"""An annotated body: one line for each value, with its JSON Pointer and the violations of it.

Rule: the content is not changed. Numbers keep their digits, duplicate keys stay, a body that is not valid JSON is shown
as text, and what is not printable is escaped. Tokens must be removed before.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mock_server.messages.pointers import pointer as pointer_of
from mock_server.messages.violations import Violation

MOST_LINES = 2000
"""Maximum number of lines, without those of violations."""

MOST_LETTERS = 300
"""Maximum number of characters of a text that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        indent: Its depth, from 0.
        pointer: JSON Pointer (RFC 6901) of the value that begins in it; None if none does.
        violations: Indices of the violations of this value.
    """

    indent: int
    text: str
    pointer: str | None
    violations: tuple[int, ...] = ()


LEFT_OUT = Line(0, "… (lines that are not shown)", None)


class _Number(str):
    """The digits of a number, as sent."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """The members of an object, as sent: in order, with duplicates."""


def annotated(text: str, violations: Sequence[Violation] = ()) -> list[Line]:
    """Return a body as lines, each violation at its value or at the nearest value around it.

    Beyond `MOST_LINES`, only lines with a violation are kept, and a line shows that others are left out.
    """
    broken = {violation.pointer for violation in violations if violation.place == "body"}
    try:
        digits: Any = _Number
        value = json.loads(
            text, object_pairs_hook=_Members, parse_int=digits, parse_float=digits, parse_constant=digits
        )
        lines = _cut(_lines(value, "", 0, "", ""), broken)
    except (ValueError, RecursionError):
        lines = _cut((Line(0, _short(line), None) for line in text.splitlines()), broken)
    for number, violation in enumerate(violations):
        if violation.place == "body" and lines:
            at = _nearest(lines, violation.pointer)
            line = lines[at]
            lines[at] = Line(line.indent, line.text, line.pointer, (*line.violations, number))
    return lines


def _cut(all_lines: Iterable[Line], broken: Container[str | None]) -> list[Line]:
    """Return the first lines, and of the others those of some pointers, with a line for each gap."""
    lines: list[Line] = []
    for number, line in enumerate(all_lines):
        if number < MOST_LINES or line.pointer in broken:
            lines.append(line)
        elif lines[-1] is not LEFT_OUT:
            lines.append(LEFT_OUT)
    return lines


def _lines(value: Any, pointer: str, indent: int, before: str, after: str) -> Iterator[Line]:
    if not isinstance(value, list) or not value:
        yield Line(indent, before + _scalar(value) + after, pointer)
        return
    is_object = isinstance(value, _Members)
    members = value if is_object else [(str(index), one) for index, one in enumerate(value)]
    yield Line(indent, before + "[{"[is_object], pointer)
    for index, (name, member) in enumerate(members):
        key = f"{_scalar(name)}: " if is_object else ""
        comma = "," if index < len(members) - 1 else ""
        yield from _lines(member, pointer + pointer_of(name), indent + 1, key, comma)
    yield Line(indent, "]}"[is_object] + after, None)


def _scalar(value: Any) -> str:
    if isinstance(value, _Members):
        return "{}"
    return _short(value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    shown = text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}… ({len(text)} characters)"
    return (
        shown if shown.isprintable() else "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in shown)
    )


def _nearest(lines: Sequence[Line], pointer: str) -> int:
    """Return the index of the line of a value, or of the innermost value around it if it is absent.

    Of duplicate keys it is the last one, which counts.
    """
    while True:
        places = [place for place, line in enumerate(lines) if line.pointer == pointer]
        if places:
            return places[-1]
        if not pointer:
            return 0
        pointer = pointer.rpartition("/")[0]
