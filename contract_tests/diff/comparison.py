"""Differences between two schemas, decided by values that both judge.

Rules:
1. A value that one schema allows and the other does not is a difference, of the keyword that refuses it.
2. Members and items are compared on their own, since a value is valid if its own keywords and all its parts are.
3. Below alternatives a difference counts only if the whole value shows it, too.
4. A member that one document alone declares is one difference, whatever its schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from contract_tests.diff import witnesses
from contract_tests.diff.judge import Fault, Judge
from contract_tests.diff.schema import DEEPEST, FALSE, Part, Spec, closed, items, member, names, required
from contract_tests.diff.unions import alternatives_of, paired, without_unions
from contract_tests.diff.wording import changed, family, said, statements
from contract_tests.provider.derived import TAG
from mock_server.messages.pointers import Place

WHOLE = {"alternatives", "if", "not", "dependentSchemas"}
"""Keywords that judge a value together with its members."""

REFUSED, ACCEPTED = "refused", "accepted"

Schema = tuple[Spec, Place, Any]
"""A schema of a document, and its place."""

Groups = dict[Fault, dict[str, list[tuple[Any, Part]]]]
"""Values that one document refuses, by what is wrong with them and by whether NEW refuses them."""


@dataclass(frozen=True, slots=True)
class Example:
    """A value at the place of a difference, and the smallest whole that it is a part of."""

    value: Any
    whole: Any


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between two schemas.

    Attributes:
        at: The place in the value; `*` stands for any item or undeclared member.
        what: What changed: a keyword, `member`, or `default`.
        said: What changed, in words; empty for a member.
        old: Where OLD says so.
        new: Where NEW says so.
        refused: The smallest value that only OLD allows; None if there is none.
        accepted: The smallest value that only NEW allows; None if there is none.
        added: For a member: whether NEW declares it.
        needed: For a member: whether it is required where it is declared.
        sealed: For a member: whether the document that does not declare it allows none.
    """

    at: Place
    what: str
    said: str
    old: Place
    new: Place
    refused: Example | None = None
    accepted: Example | None = None
    added: bool = False
    needed: bool = False
    sealed: bool = False

    @property
    def directions(self) -> set[str]:
        """Return which values show it; whether a member is required shows both ways."""
        shown = {REFUSED: self.refused, ACCEPTED: self.accepted}
        return {direction for direction, example in shown.items() if example or self.what == "member"}


Anchor = Callable[[Any, str], bool]
"""Returns whether a value makes the whole that it is a part of a difference, too, in a direction."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two schemas that are compared.

    Attributes:
        old: The parts of that of OLD.
        new: The parts of that of NEW.
        at: The place of the values.
        whole: Returns the smallest whole that has a value at that place.
        anchor: Decides about values below alternatives; None elsewhere.
        base: What else holds for values of two alternatives.
        seen: Below alternatives, what was compared there, since schemas may contain themselves.
        text: Whether the values are written as texts, as in a query.
    """

    old: Sequence[Part]
    new: Sequence[Part]
    at: Place = ()
    whole: Callable[[Any], Any] = lambda value: value
    anchor: Anchor | None = None
    base: Sequence[Part] = ()
    seen: set[Any] = field(default_factory=set)
    text: bool = False

    @property
    def both(self) -> list[Part]:
        """Return all parts."""
        return [*self.old, *self.new, *self.base]

    @property
    def places(self) -> tuple[Any, ...]:
        """Return what the comparison depends on, unless it is below alternatives."""
        return (*(tuple((one.spec, one.place) for one in side) for side in (self.old, self.new)), self.text)

    def inner(self, name: str | int, old: Sequence[Part], new: Sequence[Part], shown: str | None = None) -> Pair:
        """Return the pair of a member or item; `shown` is its name in a place."""

        def put(value: Any, *, full: bool = False) -> Any:
            if isinstance(name, str):
                return {**witnesses.sample(self.both, "object", full=full), name: value}
            found = [*witnesses.listed(self.both, name), value]
            return found + [value] * (witnesses.least_items(self.both) - len(found))

        def anchor(value: Any, direction: str) -> bool:
            outer = self.anchor
            return outer is not None and any(outer(put(value, full=full), direction) for full in (False, True))

        def whole(value: Any) -> Any:
            return self.whole(put(value))

        return Pair(old, new, (*self.at, shown or name), whole, anchor if self.anchor else None, seen=self.seen)


class Comparison:
    """Compares the schemas of two documents, each pair once.

    Attributes:
        tried: The number of values that both documents judged.
        untried: What was not tried.
    """

    def __init__(self) -> None:
        self.tried = 0
        self.untried: dict[str, None] = {}
        self._known: dict[Any, list[Finding]] = {}

    def findings(self, old: Schema, new: Schema, *, text: bool = False) -> list[Finding]:
        """Return the differences between two schemas, of values or of texts."""
        if old[0].digest(old[2]) == new[0].digest(new[2]):
            return []
        return self._compared(Pair(old[0].parts(*old[1:]), new[0].parts(*new[1:]), text=text))

    def defaults(self, old: Schema, new: Schema) -> list[Finding]:
        """Return the optional members of a value whose default changed."""
        return self._defaults(Pair(old[0].parts(*old[1:]), new[0].parts(*new[1:])))

    def _defaults(self, pair: Pair) -> list[Finding]:
        key = ("default", pair.places)
        if key not in self._known and len(pair.at) <= DEEPEST:
            self._known[key] = []
            found: list[Finding] = []
            for one in _defaults(pair):
                found += [one] if isinstance(one, Finding) else self._defaults(one)
            self._known[key] = [replace(one, at=one.at[len(pair.at) :]) for one in found]
        return [replace(one, at=(*pair.at, *one.at)) for one in self._known.get(key, ())]

    def _compared(self, pair: Pair) -> list[Finding]:
        if _digests(pair.old) == _digests(pair.new):
            return []
        if len(pair.at) > DEEPEST:
            self.untried[f"schemas more than {DEEPEST} levels deep"] = None
            return []
        if pair.anchor:
            if pair.places in pair.seen:
                return []
            pair.seen.add(pair.places)
            return list(self._found(pair))
        if pair.places not in self._known:
            self._known[pair.places] = []  # what a schema that contains itself finds there
            found = [replace(one, at=one.at[len(pair.at) :]) for one in self._found(pair)]
            self._known[pair.places] = found
        return [replace(one, at=(*pair.at, *one.at)) for one in self._known[pair.places]]

    def _found(self, pair: Pair) -> Iterator[Finding]:
        if _own(pair.old) == _own(pair.new):
            for inner in _inner(pair):
                yield from self._compared(inner)
            return
        judges = Judge(pair.old, text=pair.text), Judge(pair.new, text=pair.text)
        alternatives, lifted = alternatives_of(pair.old, pair.new)
        below = [
            one
            for old, new in paired(*alternatives, _digests)
            for one in self._compared(_alternative(pair, old, new, judges))
        ]
        apart = [] if lifted else list(_members_apart(pair))
        groups = self._refusals(pair, judges, {str(one.at[-1]) for one in apart})
        explained = {direction for one in below for direction in one.directions}
        groups = {key: group for key, group in groups.items() if key[0] not in WHOLE or {*group} - explained}
        own = [_finding(pair, key, group) for key, group in _essential(pair, groups).items()]
        for side in witnesses.unknown_formats(pair.old) ^ witnesses.unknown_formats(pair.new):
            self.untried[f"the format {side}"] = None
        yield from [*below, *apart, *own]
        if not lifted and not any(one.what == "type" and one.directions == {REFUSED, ACCEPTED} for one in own):
            left_out = {str(one.at[-1]) for one in apart}
            for inner in _inner(pair):
                if inner.at[-1] not in left_out:
                    yield from self._compared(inner)

    def _refusals(self, pair: Pair, judges: tuple[Judge, Judge], apart: set[str]) -> Groups:
        """Return the values that one document alone refuses; those for several reasons only if no other shows one."""
        groups: Groups = {}
        unclear = []
        for whole in witnesses.witnesses(pair.both):
            if pair.text and not isinstance(whole, str | int | float):
                continue
            self.tried += 1
            value = whole
            if apart and isinstance(whole, dict):
                value = {name: one for name, one in whole.items() if name not in apart}
            old, new = (judge.faults(value) for judge in judges)
            direction = REFUSED if new else ACCEPTED
            if bool(old) == bool(new) or (pair.anchor and not pair.anchor(value, direction)):
                continue
            faults = {key: part for key, part in {**old, **new}.items() if key[1] not in apart}
            if len(faults) > 1:
                unclear.append((value, faults, direction))
            for key, part in faults.items() if len(faults) == 1 else ():
                groups.setdefault(key, {}).setdefault(direction, []).append((value, part))
        for value, faults, direction in unclear:
            if not any(direction in groups.get(key, {}) for key in faults):
                key = min(faults, key=lambda one: one[0] != "type")
                groups.setdefault(key, {}).setdefault(direction, []).append((value, faults[key]))
        return groups


def _digests(parts: Sequence[Part]) -> frozenset[str]:
    return frozenset(part.spec.digest(part.keywords) for part in parts if part.keywords)


def _own(parts: Sequence[Part]) -> list[Any]:
    """Return what parts say about a value, without its members and items; what refers to others is equal to nothing."""
    own = [(part.shallow(), part.late()) for part in parts]
    return own if not any("$ref" in json.dumps(one) for one in own) else [parts]


def _alternative(pair: Pair, old: Sequence[Part], new: Sequence[Part], judges: tuple[Judge, Judge]) -> Pair:
    """Return the pair of two alternatives."""

    def anchor(value: Any, direction: str) -> bool:
        wrong = [bool(judge.faults(value)) for judge in judges]
        same = wrong == [direction == ACCEPTED, direction == REFUSED]
        return same and (pair.anchor is None or pair.anchor(value, direction))

    seen = pair.seen if pair.anchor else {pair.places}
    return replace(pair, old=old, new=new, anchor=anchor, base=list(map(without_unions, pair.both)), seen=seen)


def _members_apart(pair: Pair) -> Iterator[Finding]:
    """Yield the members that one document alone declares."""
    declared = names(pair.old), names(pair.new)
    if not (pair.old and pair.new):
        return
    for name in dict.fromkeys([*declared[0], *declared[1]]):
        added = name not in declared[0]
        here, there = (pair.new, pair.old) if added else (pair.old, pair.new)
        if (not added and name in declared[1]) or name in names(pair.base) or member(there, name):
            continue  # both declare it, or it is a member of a map
        value = witnesses.sample(member(here, name))
        example = Example(value, pair.whole({**witnesses.sample(pair.both, "object"), name: value}))
        place = next((*one.place, "properties", name) for one in here if name in one.keywords.get("properties", ()))
        other = next((one.place for one in there if "properties" in one.keywords), there[0].place)
        yield Finding(
            at=(*pair.at, name),
            what="member",
            said="",
            old=other if added else place,
            new=place if added else other,
            refused=None if added else example,
            accepted=example if added else None,
            added=added,
            needed=name in required(here),
            sealed=closed(there),
        )


def _inner(pair: Pair) -> Iterator[Pair]:
    """Yield the pairs of members and items."""
    for name in dict.fromkeys([*names(pair.old), *names(pair.new)]):
        yield pair.inner(name, member(pair.old, name), member(pair.new, name))
    rest = [one.keywords["additionalProperties"] for one in pair.both if "additionalProperties" in one.keywords]
    if rest and FALSE not in rest:
        yield pair.inner(TAG, member(pair.old, TAG), member(pair.new, TAG), "*")
    for index in range(max((len(one.keywords.get("prefixItems", ())) for one in pair.both), default=0)):
        yield pair.inner(index, items(pair.old, index), items(pair.new, index))
    yield pair.inner(0, items(pair.old), items(pair.new), "*")


def _essential(pair: Pair, groups: Groups) -> Groups:
    """Return the groups of what changed; the others follow from it.

    If one of the documents says nothing about a value, all groups are one.
    """
    silent = any(not any(one.shallow() for one in side) for side in (pair.old, pair.new))
    same = {key for key in groups if statements(pair.old, *key) == statements(pair.new, *key)}
    bounds = {("minimum", ""), ("maximum", "")}
    if bounds <= groups.keys() and statements(pair.old, "format") != statements(pair.new, "format"):
        same |= bounds  # of int32 or int64
        groups = {**groups, ("format", ""): {}}
    if len(groups) > 1 and silent:
        same = {*groups}
        essential: Groups = {("schema", ""): {}}
    else:
        essential = {key: {**group} for key, group in groups.items() if key not in same}
    if not essential:
        return groups
    first = min(essential, key=lambda one: one[0] != "type")
    for key in same:
        for direction, values in groups[key].items():
            if silent or not any(direction in group for group in essential.values()):
                essential[first].setdefault(direction, []).extend(values)
    return essential


def _finding(pair: Pair, key: Fault, group: Mapping[str, Sequence[tuple[Any, Part]]]) -> Finding:
    """Return the difference that values show."""
    keyword, name = key
    examples, places = {}, {}
    for direction, values in group.items():
        value, part = min(values, key=lambda one: _size(one[0]))
        examples[direction] = Example(value, pair.whole(value))
        places[direction] = (*part.place, *_stating(part, keyword))
    return Finding(
        at=(*pair.at, name) if name else pair.at,
        what=keyword,
        said=said(keyword, name, statements(pair.old, *key), statements(pair.new, *key)),
        old=places.get(ACCEPTED) or _place(pair.old, *key),
        new=places.get(REFUSED) or _place(pair.new, *key),
        refused=examples.get(REFUSED),
        accepted=examples.get(ACCEPTED),
    )


def _place(parts: Sequence[Part], keyword: str, name: str) -> Place:
    """Return the place that states a keyword, or where it would."""
    declaring = [part for part in parts if name and name in part.keywords.get("properties", ())]
    if declaring:
        return (*declaring[0].place, "properties", name)
    stating = [part for part in parts if _stating(part, keyword)]
    return next(((*part.place, *_stating(part, keyword)) for part in [*stating, *parts]), ())


def _stating(part: Part, keyword: str) -> Place:
    """Return the key of a part that states a keyword, in any of its forms; nothing if none does."""
    return tuple(word for word in part.said if family(word) == keyword)[:1]


def _size(value: Any) -> tuple[bool, int]:
    """Return what makes an example easy to understand: that it is small, and not an empty text."""
    return value == "", len(json.dumps(value, default=str))


def _defaults(pair: Pair) -> Iterator[Finding | Pair]:
    """Yield the optional members whose default changed, and the pairs below, where more may have."""
    needed = {*required(pair.old)} & {*required(pair.new)}
    for name in [one for one in names(pair.old) if one in names(pair.new)]:
        inner = pair.inner(name, member(pair.old, name), member(pair.new, name))
        stated = [next((one for one in side if "default" in one.said), None) for side in (inner.old, inner.new)]
        texts = [json.dumps(one.said["default"]) if one else None for one in stated]
        if texts[0] != texts[1] and name not in needed:
            old, new = (_place(side, "default", "") for side in (inner.old, inner.new))
            yield Finding(inner.at, "default", changed("default", *texts), old, new)
        yield inner
    if any("items" in one.keywords for one in pair.both):
        yield pair.inner(0, items(pair.old), items(pair.new), "*")
