"""Values that show whether two schemas differ: on both sides of each bound, choice, format and pattern of either.

Pure, and of no judgement: which of the values are valid is left to the schemas.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from contract_tests.diff.schema import INTEGERS, UNIONS, Part, items, member, names, required
from contract_tests.provider.derived import TAG, UUID

MOST_ITEMS = 5_000
"""Items or members of the largest value; bounds beyond are not tried."""

LONGEST = 200_000
"""Characters of the longest text."""

DEEPEST = 5
"""Levels of a value, beyond which only an empty one is tried."""

FORMATS: dict[str, tuple[str, ...]] = {
    "uuid": (UUID,),
    "date-time": ("2026-01-02T03:04:05Z",),
    "date": ("2026-01-02",),
    "time": ("03:04:05Z",),
    "duration": ("P1D",),
    "email": ("a@example.com",),
    "idn-email": ("a@example.com", "é@example.com"),
    "hostname": ("example.com",),
    "idn-hostname": ("example.com", "é.example.com"),
    "ipv4": ("192.0.2.1",),
    "ipv6": ("2001:db8::1",),
    "uri": ("https://example.com/a",),
    "uri-reference": ("https://example.com/a", "/a", "a b"),
    "iri": ("https://example.com/a", "https://example.com/é"),
    "iri-reference": ("/a", "/é"),
    "uri-template": ("/a/{b}",),
    "json-pointer": ("/a", ""),
    "relative-json-pointer": ("1/a",),
    "regex": ("a+", "("),
}
"""Texts of each format that is judged; no other is."""

FULLEST = 2
"""Levels of a value with all declared members, below which there are only the required ones."""

TEXTS = ("a", "", " ", "A", "0", "-", "é", "a b", TAG)

OBJECT_KEYWORDS = {
    *("properties", "required", "additionalProperties", "patternProperties", "unevaluatedProperties", "propertyNames"),
    *("minProperties", "maxProperties", "dependentRequired", "dependentSchemas"),
}

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")


def sample(parts: Sequence[Part], kind: str | None = None, *, full: bool = False, depth: int = 0) -> Any:
    """Return a value that most likely keeps all parts, as small as possible, or with all declared members."""
    parts = expanded(parts)
    enumerations = [part.keywords["enum"] for part in parts if part.keywords.get("enum")]
    if enumerations and kind is None:
        common = [one for one in enumerations[0] if all(one in other for other in enumerations)]
        return (common or enumerations[0])[0]
    full = full and depth < FULLEST
    kind = kind or _kind(parts)
    match kind:
        case "object":
            return _object(parts, full=full, depth=depth) if depth <= DEEPEST else {}
        case "array":
            return listed(parts, max(least_items(parts), int(full)), depth) if depth <= DEEPEST else []
        case "string":
            return next(_texts(parts))
        case "integer" | "number":
            return next(_numbers(parts))
    return True if kind == "boolean" else None


def listed(parts: Sequence[Part], count: int, depth: int = 0) -> list[Any]:
    """Return a list of a number of items that keep the parts of an array."""
    found = [sample(items(parts, index), depth=depth + 1) for index in range(min(count, 3))]
    found += found[-1:] * (count - len(found))
    if count > 1 and any(part.keywords.get("uniqueItems") for part in parts):
        found = [_distinct(one, index) for index, one in enumerate(found)]
    return found


def witnesses(parts: Sequence[Part]) -> Iterator[Any]:
    """Yield values of the parts of two schemas together; each at most once."""
    seen = set()
    for value in _all(parts):
        key = json.dumps(value, sort_keys=True, default=str)
        if key not in seen:
            seen.add(key)
            yield value


def least_items(parts: Sequence[Part]) -> int:
    """Return the number of items that a list must have, as far as it is tried."""
    return min(_largest(parts, "minItems"), MOST_ITEMS)


def expanded(parts: Sequence[Part], index: int = 0, depth: int = 0) -> list[Part]:
    """Return parts, and those of one of their alternatives, the first by default."""
    found: list[Part] = []
    for part in parts:
        found.append(part)
        for keyword in UNIONS if depth < DEEPEST else ():
            alternatives = part.spec.branches(part, keyword)
            if alternatives:
                found += expanded(alternatives[min(index, len(alternatives) - 1)], 0, depth + 1)
    return found


def unknown_formats(parts: Iterable[Part]) -> set[str]:
    """Return the formats that are not judged."""
    return {part.keywords["format"] for part in parts if "format" in part.keywords} - {*FORMATS, *INTEGERS}


def _all(parts: Sequence[Part]) -> Iterator[Any]:
    ways = max((len(part.keywords.get(keyword, ())) for part in parts for keyword in UNIONS), default=0)
    for index in range(ways):
        together = expanded(parts, index)
        yield sample(together)
        yield sample(together, full=True)
    for part in parts:
        for keyword in UNIONS:
            for alternative in part.spec.branches(part, keyword):
                plain = [one for one in parts if not any(name in one.keywords for name in UNIONS)]
                yield sample([*plain, *alternative])
                yield sample([*plain, *alternative], full=True)
        yield from _branches(part, parts)
        yield from part.keywords.get("enum", ())
    for kind in TYPES:
        yield sample(parts, kind)
    yield 1.5
    yield from (TAG, 7)
    for part in parts:
        for choice in part.keywords.get("enum", ()):
            if isinstance(choice, str):
                yield choice.swapcase()
    yield from _texts(parts)
    yield from _numbers(parts)
    yield from _lists(parts)
    yield from _objects(parts)


def _branches(part: Part, parts: Sequence[Part]) -> Iterator[Any]:
    """Yield values of the schemas below conditions and negations."""
    for keyword in ("if", "then", "else", "not"):
        if keyword in part.keywords:
            inner = part.spec.parts((*part.place, keyword), part.keywords[keyword])
            for full in (False, True):
                yield sample(inner, full=full)
                yield sample([*parts, *inner], full=full)
            yield from witnesses(inner)


def _texts(parts: Sequence[Part]) -> Iterator[str]:
    """Yield texts, those that most likely are valid first."""
    lengths = sorted({n for part in parts for word in ("minLength", "maxLength") for n in _around(part, word)})
    least = min(_largest(parts, "minLength"), LONGEST)
    most = min((part.keywords["maxLength"] for part in parts if "maxLength" in part.keywords), default=LONGEST)
    patterns = [part.keywords["pattern"] for part in parts if "pattern" in part.keywords]
    forms = [text for part in parts for text in FORMATS.get(part.keywords.get("format", ""), ())]
    matching = [text for pattern in dict.fromkeys(patterns) for text in matches(pattern)]
    fitting = [text for text in matching if least <= len(text) <= most and all(_found(one, text) for one in patterns)]
    yield from fitting[:1]
    yield from [text for text in forms if least <= len(text) <= most][:1]
    yield "a" * least if least else "a" if most else ""
    yield from fitting
    yield from forms
    yield from matching
    yield from TEXTS
    for length in lengths:
        if length <= LONGEST:
            yield from (one * length for one in ("a", "A", "0"))
            yield from (_padded(text, length) for text in forms)
            yield from (
                text[:length] if length < len(text) else text + text[-1:] * (length - len(text))
                for text in matching[:3]
            )
    for text in matching[:5]:
        yield from (text[1:], text[:-1], f"{text}!", f"!{text}", text.swapcase(), text * 2)


def _numbers(parts: Sequence[Part]) -> Iterator[float]:
    low = max(
        (part.keywords[word] for part in parts for word in ("minimum", "exclusiveMinimum") if word in part.keywords),
        default=None,
    )
    high = min(
        (part.keywords[word] for part in parts for word in ("maximum", "exclusiveMaximum") if word in part.keywords),
        default=None,
    )
    steps = [part.keywords["multipleOf"] for part in parts if part.keywords.get("multipleOf")]
    step = math.prod(dict.fromkeys(steps)) if steps else 1
    start = (math.floor(low / step) + 1) * step if low is not None else 0 if high is not None and high < step else step
    yield start if high is None or start <= high else low if low is not None else start
    for part in parts:
        for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            if word in part.keywords:
                bound = part.keywords[word]
                yield from (bound, bound - 1, bound + 1, bound - 0.5, bound + 0.5)
                yield from ((math.floor(bound / one) + by) * one for one in steps for by in (-1, 0, 1, 2))
    for one in steps:
        yield from (one, 2 * one, one * 1.5, one / 2, one * 7)
    yield from (0, 1, -1, 10**30, -(10**30))


def _lists(parts: Sequence[Part]) -> Iterator[Any]:
    counts = {n for part in parts for word in ("minItems", "maxItems") for n in _around(part, word)}
    for count in sorted(one for one in {0, 1, *counts} if one <= MOST_ITEMS):
        yield listed(parts, count)
    if any("uniqueItems" in part.keywords for part in parts):
        one = sample(items(parts))
        yield [one, one]
        yield [_distinct(one, 0), _distinct(one, 1)]
    if any(part.keywords.keys() & {"contains", "prefixItems", "unevaluatedItems"} for part in parts):
        for part in parts:
            found = part.spec.parts(part.place, part.keywords.get("contains", {}))
            yield from ([sample(found)] * count for count in range(4))
        yield [TAG, 7, None]
        length = max(len(part.keywords.get("prefixItems", ())) for part in parts)
        yield listed(parts, length)
        yield [*listed(parts, length), TAG]


def _object(parts: Sequence[Part], *, full: bool, depth: int) -> dict[str, Any]:
    wanted = dict.fromkeys([*required(parts), *(names(parts) if full else ())])
    value = {name: sample(member(parts, name), full=full, depth=depth + 1) for name in wanted}
    for index in range(len(value), min(_largest(parts, "minProperties"), MOST_ITEMS)):
        value[f"a{index}"] = sample(member(parts, f"a{index}"), depth=depth + 1)
    return value


def _objects(parts: Sequence[Part]) -> Iterator[Any]:
    if not any(part.keywords.keys() & OBJECT_KEYWORDS for part in parts):
        return
    least, full = (sample(parts, "object", full=full) for full in (False, True))
    yield full
    for name in dict.fromkeys([*required(parts), *names(parts)]):
        yield {one: value for one, value in least.items() if one != name}
        yield {one: value for one, value in full.items() if one != name}
        yield {**least, name: full[name] if name in full else sample(member(parts, name))}
    yield {**least, TAG: TAG}
    yield {**full, TAG: TAG}
    for part in parts:
        for word in ("minProperties", "maxProperties"):
            for count in (one for one in _around(part, word) if one <= MOST_ITEMS):
                more = {f"a{index}": TAG for index in range(count)}
                yield dict([*{**least, **more}.items()][:count])
                yield dict([*full.items()][:count])
        for addition in _additions(part, parts):
            yield {**least, **addition}


def _additions(part: Part, parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    """Yield members to add to an object, for the keywords that are about names."""
    for trigger, others in part.keywords.get("dependentRequired", {}).items():
        yield {trigger: sample(member(parts, trigger))}
        yield {one: sample(member(parts, one)) for one in (trigger, *others)}
    for trigger, schema in part.keywords.get("dependentSchemas", {}).items():
        yield {trigger: sample(member(parts, trigger))}
        inner = part.spec.parts(part.place, schema)
        for full in (False, True):
            yield {trigger: sample(member(parts, trigger)), **sample(inner, "object", full=full)}
    for pattern, schema in part.keywords.get("patternProperties", {}).items():
        for name in matches(pattern)[:3]:
            values = [sample(part.spec.parts(part.place, schema)), TAG, 7, None]
            yield from ({name: value} for value in values)
    if "propertyNames" in part.keywords:
        for text in _texts(part.spec.parts(part.place, part.keywords["propertyNames"])):
            yield {text: TAG}


def _kind(parts: Sequence[Part]) -> str:
    allowed = list(TYPES)
    for part in parts:
        types = part.keywords.get("type")
        if types:
            own = {types} if isinstance(types, str) else {*types}
            own |= {"integer"} if "number" in own else set()
            allowed = [one for one in allowed if one in own] or allowed
    if len(allowed) == len(TYPES):
        words = {word for part in parts for word in part.keywords}
        for kind, hints in (
            ("object", {"properties", "required"}),
            ("array", {"items"}),
            ("integer", {"minimum", "maximum"}),
        ):
            if words & hints:
                return kind
        return "string"
    return allowed[0]


def _largest(parts: Iterable[Part], word: str) -> int:
    return max((int(part.keywords[word]) for part in parts if word in part.keywords), default=0)


def _around(part: Part, word: str) -> Iterator[int]:
    if word in part.keywords:
        bound = int(part.keywords[word])
        yield from (one for one in (bound - 1, bound, bound + 1) if one >= 0)


def _distinct(value: Any, index: int) -> Any:
    if isinstance(value, str):
        return f"{value}{index}"
    if isinstance(value, dict):
        return {**value, TAG: index}
    return value + index if isinstance(value, int | float) and not isinstance(value, bool) else index


def _padded(text: str, length: int) -> str:
    """Return a text of a format with another length, which many formats allow at an end."""
    more = "a" * (length - len(text))
    return more + text if "@" in text else (text + more)[:length]


@functools.lru_cache(maxsize=1_000)
def matches(pattern: str) -> tuple[str, ...]:
    """Return texts that match a pattern, shortest first; none if Python cannot read it."""
    for alphabet in ("abcXYZ019 -_.:/@é", None):
        found = _generated(pattern, alphabet)
        if found:
            return tuple(sorted(found, key=lambda text: (len(text), text))[:20])
    return ()


def _generated(pattern: str, alphabet: str | None) -> set[str]:
    """Return texts that match a pattern, of an alphabet if possible."""
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings  # noqa: PLC0415 - it takes half a second
    from hypothesis.errors import HypothesisException  # noqa: PLC0415 - the same
    from hypothesis.strategies import characters, from_regex, sampled_from  # noqa: PLC0415 - the same

    found: set[str] = set()
    letters = sampled_from(alphabet) if alphabet else characters(codec="utf-8")

    @settings(
        max_examples=40,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @given(from_regex(pattern, alphabet=letters))
    def collect(text: str) -> None:
        found.add(text.removesuffix("\n"))

    try:
        collect()
    except (re.error, ValueError, OverflowError, HypothesisException):
        return set()
    return found


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False
