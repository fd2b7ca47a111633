"""The report of a comparison, for the reporter of all commands."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from alta_terminal import escaped, paint
from contract_tests.diff.differences import Difference
from contract_tests.diff.documents import Api, located
from contract_tests.diff.operations import Result
from mock_server.cli.output import BROKEN, Case
from mock_server.cli.output import Report as Presented
from mock_server.messages.pointers import pointer

SIDES = ("consumer", "provider")
"""The sides, in the order of `Difference.breaks`."""

SHOWN = 3
"""Operations of a difference that are named in the text; the JSON report has all."""

LONGEST = 300
"""Characters of an example in the text; the JSON report has longer ones, too."""


def presented(result: Result, old: Api, new: Api, side: str, notes: Sequence[str]) -> Presented:
    """Return a comparison for the reporter; `side` is `consumer` or `provider`."""
    broken = [one for one in result.differences if breaks(one, side)]
    return Presented(
        "alta-mock diff",
        BROKEN if broken else 0,
        _lines(result, old, new, notes),
        [_case(one, old, new, side) for one in result.differences]
        or [Case("the documents do not differ", "pass", note=f"{result.tried} values tried")],
        lambda: _value(result, old, new, side, notes),
    )


def breaks(difference: Difference, side: str) -> bool:
    """Return whether a difference breaks a side."""
    return difference.breaks[SIDES.index(side)]


def summary(result: Result) -> str:
    """Return the result in a line."""
    count = len(result.differences)
    if not count:
        return "no difference"
    told = []
    for side in SIDES:
        broken = sum(breaks(one, side) for one in result.differences)
        told.append(f"{broken} break{'s' if broken == 1 else ''} {side}s")
    return f"{count} difference{'s' if count > 1 else ''}: {', '.join(told)}"


def _lines(result: Result, old: Api, new: Api, notes: Sequence[str]) -> Iterator[str]:
    yield summary(result)
    for one in result.differences:
        yield ""
        yield f"{paint(_verdict(one), 'fail' if any(one.breaks) else 'pass')}  {escaped(_sentence(one))}"
        if one.example is not None:
            text = json.dumps(one.example, ensure_ascii=False)
            yield escaped(f"  example: {text if len(text) <= LONGEST else text[: LONGEST - 3] + '...'}")
        yield escaped(f"  {located(old, one.old)} → {located(new, one.new)}")
    yield ""
    common = f"{result.operations} operation{'' if result.operations == 1 else 's'} in both documents"
    yield f"{common}; {result.tried} values judged by both"
    yield from map(escaped, notes)
    yield from (escaped(f"not tried: {one}") for one in result.untried)


def _verdict(one: Difference) -> str:
    whom = {(True, True): "BOTH", (True, False): "CONSUMERS", (False, True): "PROVIDERS", (False, False): "NOBODY"}
    return f"BREAKS {whom[one.breaks]}"


def _sentence(one: Difference) -> str:
    where = f"{one.side} {one.place}: " if one.place else ""
    return f"{_operations(one)}: {where}{one.words}"


def _operations(one: Difference) -> str:
    if not one.operations:
        return "all operations"
    more = len(one.operations) - SHOWN
    return ", ".join(one.operations[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _case(one: Difference, old: Api, new: Api, side: str) -> Case:
    places = f"{located(old, one.old)} -> {located(new, one.new)}"
    text = f"{_verdict(one)}: {_sentence(one)}\n{places}"
    return Case(_sentence(one), "fail" if breaks(one, side) else "pass", text)


def _value(result: Result, old: Api, new: Api, side: str, notes: Sequence[str]) -> dict[str, Any]:
    return {
        "old": old.name,
        "new": new.name,
        "for": side,
        "operations": result.operations,
        "tried": result.tried,
        "untried": list(result.untried),
        "notes": list(notes),
        "differences": [
            {
                "breaks": [f"{name}s" for name in SIDES if breaks(one, name)],
                "operations": list(one.operations),
                "side": one.side,
                "place": one.place,
                "words": one.words,
                "example": one.example,
                "old": {"line": located(old, one.old), "pointer": pointer(*one.old)},
                "new": {"line": located(new, one.new), "pointer": pointer(*one.new)},
            }
            for one in result.differences
        ],
    }
