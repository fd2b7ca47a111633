"""The alternatives of two schemas, and which of them correspond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from contract_tests.diff.schema import BRANCHES, UNIONS, Part, kinds, names, required

Parts = Sequence[Part]

DESCRIBING = {"type", "properties", "enum", "items"}
"""Keywords that say what a value is; without them its alternatives do."""


def alternatives_of(old: Parts, new: Parts) -> tuple[tuple[list[Parts], list[Parts]], bool]:
    """Return the alternatives of two schemas, and whether one of these is a whole schema that has none."""
    sides = [[one for part in parts for one in _branches(part)] for parts in (old, new)]
    bases = [list(map(without_unions, parts)) for parts in (old, new)]
    for here, there in ((0, 1), (1, 0)):
        if sides[here] and not sides[there] and not any(DESCRIBING & part.keywords.keys() for part in bases[here]):
            sides[there] = [bases[there]]
            return (sides[0], sides[1]), True
    return (sides[0], sides[1]), False


def without_unions(part: Part) -> Part:
    """Return a part without its alternatives."""
    return replace(part, keywords={name: value for name, value in part.keywords.items() if name not in BRANCHES})


def paired(old: list[Parts], new: list[Parts], digests: Callable[[Parts], Any]) -> Iterator[tuple[Parts, Parts]]:
    """Yield the alternatives that correspond and are not equal, those that are most alike first."""
    same = {*map(digests, old)} & {*map(digests, new)}
    left, right = ([one for one in side if digests(one) not in same] for side in (old, new))
    while left and right:
        one, other = max(((one, other) for one in left for other in right), key=lambda pair: _likeness(*pair))
        if not _likeness(one, other):
            return
        left.remove(one)
        right.remove(other)
        yield one, other


def _branches(part: Part) -> Iterator[Parts]:
    for keyword in UNIONS:
        yield from part.spec.branches(part, keyword)


def _likeness(old: Parts, new: Parts) -> int:
    """Return how much two alternatives correspond; 0 if no value is of the types of both."""
    types = kinds(old), kinds(new)
    if all(types) and not types[0] & types[1]:
        return 0
    places = {part.place[-1:] for part in old} & {part.place[-1:] for part in new}
    common = [{*find(old)} & {*find(new)} for find in (required, names)]
    return 1 + 2 * len(common[0]) + len(common[1]) + len(places)
