"""A body laid out for a reader: one line a value, each with its JSON pointer, and the rule that it broke beside it.

Law: nothing is changed by showing it. Numbers keep their digits, keys that stand twice stand twice, what is no JSON is
shown as the text it is, and what cannot be seen is shown as its escape. (Tokens were taken out before.)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mock_server.messages.pointers import pointer as pointer_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence

    from mock_server.messages.violations import Violation

MOST_LINES = 2000
"""Lines that are laid out; nobody reads more."""

MOST_LETTERS = 300
"""Code points of a text that are shown."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line.

    Attributes:
        indent: How deep it stands, from 0.
        pointer: Of the value that begins in it (RFC 6901); None where none begins.
        violations: The places, in the list that was given, of the violations of this value.
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
    """The members of an object, as sent: in order, and twice if they stand twice."""


def layout(text: str, violations: Sequence[Violation] = ()) -> list[Line]:
    """Return a body as lines, with violations at the value they are about, or the nearest.

    Of more than `MOST_LINES` only those are there that a violation is about; a line says so.
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
    """Return the first lines, and of the others those that are about a pointer, with a line for those between."""
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
    """Return the place of the last line of a value, or of the innermost value around one that is not there.

    The last, since of keys that stand twice the last one counts.
    """
    while True:
        places = [place for place, line in enumerate(lines) if line.pointer == pointer]
        if places:
            return places[-1]
        if not pointer:
            return 0
        pointer = pointer.rpartition("/")[0]
