"""Differences between two APIs, in words, and whom each breaks.

Rules:
1. A request that NEW refuses breaks consumers; a request that only NEW allows breaks providers.
2. A response that only NEW allows breaks consumers; a response that NEW no longer allows breaks providers.
3. Nobody relies on what is not declared. What is new asks something of providers, and what is gone takes something from
   consumers; a new optional member of a response breaks nobody.
4. The same difference of several operations is one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from contract_tests.diff.comparison import Finding
from mock_server.messages.pointers import Place, pointer

SHORT_TEXT, SHORT_LIST, SHORT = 40, 20, 60
"""Characters of a text, of a list as JSON, and of any value as JSON, up to which it is shown."""

Whom = tuple[bool, bool]
"""Whether a difference breaks consumers, and whether it breaks providers."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        operations: The operations that have it, each as method and path; empty if it is about all.
        side: `request`, `response` or `operation`.
        place: The part of the request or response, with the JSON Pointer in a body.
        words: What changed, and what that means.
        breaks: Whom it breaks.
        old: The place in OLD.
        new: The place in NEW.
        example: A request or response that one document allows and the other does not; None without one.
        everywhere: Whether the same words about another place are the same difference.
    """

    operations: tuple[str, ...]
    side: str
    place: str
    words: str
    breaks: Whom
    old: Place
    new: Place
    example: Any = None
    everywhere: bool = False


def of_finding(operation: str, side: str, part: str, finding: Finding) -> Difference:
    """Return what a difference between two schemas means for a part of a request or response."""
    meaning = {"member": _member, "default": _default}.get(finding.what, _values)
    words, breaks = meaning(finding, request=side == "request")
    example = finding.refused or finding.accepted
    place = f"{part} {pointer(*finding.at)}".rstrip()
    whole = example.whole if example else None
    return Difference((operation,), side, place, words, breaks, finding.old, finding.new, whole)


def merged(found: Iterable[Difference]) -> list[Difference]:
    """Return the differences, those that break consumers first, and the same one of several operations once.

    Its place is the shortest, which is that in the first of its operations.
    """
    kept: list[Difference] = []
    keys: dict[Any, int] = {}
    for one in found:
        head = one.side, one.words, one.breaks
        own = [(head, one.place)] if one.everywhere else [(head, "old", one.old), (head, "new", one.new)]
        index = next((keys[key] for key in own if key in keys), len(kept))
        if index == len(kept):
            kept.append(one)
        else:
            first, other = sorted((kept[index], one), key=lambda difference: len(difference.place))
            together = dict.fromkeys([*first.operations, *other.operations])
            kept[index] = replace(first, operations=tuple(together))
        keys |= dict.fromkeys(own, index)
    return sorted(kept, key=lambda one: one.breaks, reverse=True)


def described(value: Any) -> str:
    """Return a value in words, or itself if it is short."""
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) > SHORT_TEXT:
        return f"a text of {len(value)} characters"
    if value == []:
        return "an empty list"
    if isinstance(value, list) and len(text) > SHORT_LIST and len(value) > 1:
        return f"a list of {len(value)} items"
    if len(text) <= SHORT:
        return text
    return f"an object of {len(value)} members" if isinstance(value, dict) else f"{text[: SHORT - 3]}..."


def _member(finding: Finding, *, request: bool) -> tuple[str, Whom]:
    name, needed, sealed = finding.at[-1], finding.needed, finding.sealed
    if request and finding.added:
        if needed:
            return f"{name} is new and required: a request without it is now refused", (True, True)
        return f"{name} is new: providers must read it", (False, True)
    if request:
        return f"{name} is gone: it is {'now refused' if sealed else 'no longer read'}", (True, False)
    if finding.added:
        words = f"{name} is new{' and always sent' if needed else ''}"
        if sealed:
            return f"{words}, where undeclared members were excluded", (True, needed)
        return (words if needed else f"{words}: consumers may ignore it"), (False, needed)
    return f"{name} is gone: {'it is no longer allowed' if sealed else 'it need not be sent any more'}", (True, sealed)


def _default(finding: Finding, *, request: bool) -> tuple[str, Whom]:
    return f"{finding.said}: a request without it now means something else", (request, request)


def _values(finding: Finding, *, request: bool) -> tuple[str, Whom]:
    """Return what it means that values are refused or accepted."""
    whole = "a request" if request else "a response"
    outcomes = ("is now refused", "is now accepted") if request else ("is no longer sent", "may now be sent")
    told = []
    for example, outcome in zip((finding.refused, finding.accepted), outcomes, strict=True):
        if example:
            without = finding.what == "required"
            told.append(f"{f'{whole} without it' if without else described(example.value)} {outcome}")
    broken = finding.refused is not None, finding.accepted is not None
    return f"{finding.said}: {'; '.join(told)}", broken if request else (broken[1], broken[0])
