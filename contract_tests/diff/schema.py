"""The schemas of one document, in the form of JSON Schema 2020-12, for one direction.

Rules:
1. What says nothing about which values are valid is left out: descriptions, examples, defaults, the order of keys.
2. The forms of OpenAPI 3.0 become those of 3.1: `nullable`, and `exclusiveMinimum: true`.
3. In a request, members that are `readOnly` are not declared; in a response, those that are `writeOnly`.
4. A value is valid if it keeps the keywords of every `Part`, and its members and items keep theirs.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mock_server.messages.pointers import Place, at, parts_of

DEEPEST = 40
"""Levels of schemas within schemas that are compared."""

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
SIMPLE = (
    *("type", "enum", "format", "pattern", "minLength", "maxLength", *BOUNDS, "multipleOf", "required"),
    *("minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "dependentRequired"),
)
"""Keywords that hold no schemas."""

UNIONS = ("anyOf", "oneOf")
BRANCHES = (*UNIONS, "if", "then", "else", "not", "dependentSchemas")
"""Keywords under which a schema need not hold."""

_ONE = ("additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames")
_LATE = ("unevaluatedProperties", "unevaluatedItems")
_LIST = ("allOf", *UNIONS, "prefixItems")
_MAP = ("properties", "patternProperties", "dependentSchemas")
_WHOLE = (*BRANCHES, "contains", "minContains", "maxContains", "propertyNames", "patternProperties")
"""Keywords that are judged as a whole, with the schemas below them."""

INTEGERS = {"int32": 31, "int64": 63}
"""Formats of integers, with the bits of their absolute values."""
_KEPT = {*SIMPLE, *_ONE, *_LATE, *_LIST, *_MAP, "minContains", "maxContains", "$ref"}

_IDLE: Mapping[str, Any] = {
    "required": [],
    "allOf": [],
    "properties": {},
    "patternProperties": {},
    "dependentRequired": {},
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties", "unevaluatedItems", "items"), True),
    **dict.fromkeys(("minLength", "minItems", "minProperties"), 0),
    "uniqueItems": False,
}
"""Values of keywords that allow everything."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Keywords that hold for a value, without those of its members.

    Attributes:
        spec: The document.
        place: Where they stand in it.
        keywords: They, in the form of JSON Schema 2020-12.
        said: They, as the document has them.
    """

    spec: Spec = field(repr=False)
    place: Place
    keywords: Schema
    said: Schema = field(repr=False)

    def shallow(self) -> dict[str, Any]:
        """Return what can be judged without the members and items."""
        found = {name: self.keywords[name] for name in SIMPLE if name in self.keywords}
        if "properties" in self.keywords:
            found["properties"] = dict.fromkeys(self.keywords["properties"], True)
        if self.keywords.get("additionalProperties") == FALSE:
            found["additionalProperties"] = False
        for name in _WHOLE:
            if name in self.keywords:
                found[name] = self.spec.rewritten({name: self.keywords[name]})[name]
        return found

    def late(self) -> dict[str, Any]:
        """Return what depends on the other parts."""
        found = {name: self.keywords[name] for name in _LATE if name in self.keywords}
        return self.spec.rewritten(found) if found else {}


FALSE: Schema = {"not": {}}
"""The schema of no value."""


class Spec:
    """The schemas of a document; `error` makes the error of a place, `reads` is whether they are those of requests."""

    def __init__(self, document: Any, error: Any, *, reads: bool) -> None:
        self.document, self.error = document, error
        self._hidden = "readOnly" if reads else "writeOnly"
        self._siblings = not str(document.get("openapi", "")).startswith("3.0")  # those of a reference count
        self._digests: dict[int, tuple[Any, str]] = {}
        self._digesting: list[str] = []
        self._document_digest = ""
        self._reached: dict[str, frozenset[str]] = {}

    def target(self, reference: Any, place: Place = ()) -> tuple[Place, Any]:
        """Return the place that a reference names, and what stands there."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise self.error(
                place,
                f"only references within the document (#/...) are read, not {reference!r}; bundle it into one file",
            )
        parts = parts_of(reference[1:].replace("%7B", "{").replace("%7D", "}"))
        try:
            return tuple(parts), at(self.document, parts)
        except LookupError as lost:
            raise self.error(place, f"the reference {reference!r} leads nowhere; correct it") from lost

    def follow(self, place: Place, node: Any) -> tuple[Place, Any]:
        """Return a value and its place, after following references."""
        seen = []
        while isinstance(node, dict) and "$ref" in node:
            if node["$ref"] in seen:
                raise self.error(place, "the reference leads back to itself; correct it")
            seen.append(node["$ref"])
            place, node = self.target(node["$ref"], place)
        return place, node

    def parts(self, place: Place, node: Any, seen: Collection[str] = ()) -> list[Part]:
        """Return the parts of a schema: it, what it refers to, and what it extends by `allOf`."""
        keywords = self._normal(place, node)
        said = node if isinstance(node, dict) else {}
        found = []
        if "$ref" in keywords and keywords["$ref"] not in seen:
            found += self.parts(*self.target(keywords["$ref"], place), {*seen, keywords["$ref"]})
        own = {name: value for name, value in keywords.items() if name not in {"$ref", "allOf"}}
        always = own.get("if") in ({}, True)
        if always:
            own = {name: value for name, value in own.items() if name not in {"if", "then", "else"}}
        if own or "default" in said:
            found.insert(0, Part(self, place, own, said))
        for index, one in enumerate(keywords.get("allOf", ())):
            found += self.parts((*place, "allOf", index), one, seen)
        if always and "then" in keywords:
            found += self.parts((*place, "then"), keywords["then"], seen)
        return found

    def branches(self, part: Part, keyword: str) -> list[list[Part]]:
        """Return the parts of each alternative of a part."""
        alternatives = enumerate(part.keywords.get(keyword, ()))
        return [self.parts((*part.place, keyword, index), one) for index, one in alternatives]

    def rewritten(self, node: Any, place: Place = ()) -> Any:
        """Return a schema with all below it in the form of JSON Schema; references name definitions."""

        def inner(value: Any) -> Any:
            return self.rewritten(value, place)

        keywords = self._normal(place, node)
        found = dict(keywords)
        for name, value in keywords.items():
            if name == "$ref":
                found[name] = f"#/$defs/{_named(value)}"
            elif name in _LIST:
                found[name] = [inner(one) for one in value]
            elif name in _MAP:
                found[name] = {key: inner(one) for key, one in value.items()}
            elif name in _ONE or name in _LATE:
                found[name] = inner(value)
        return found

    def definitions(self, nodes: Iterable[Any]) -> dict[str, Any]:
        """Return the definitions that rewritten schemas refer to."""
        names = {name for node in nodes for name in _references(node)}
        names |= {name for one in names for name in self._reach(one)}
        return {_named(name): self.rewritten(self.target(name)[1]) for name in sorted(names)}

    def digest(self, node: Any) -> str:
        """Return a text that two schemas share only if they allow the same values."""
        known = self._digests.get(id(node))
        if known:
            return known[1]
        keywords = self._normal((), node)
        found: dict[str, Any] = {}
        for name, value in keywords.items():
            if name == "$ref":
                found[name] = self._digest_of_target(value)
            elif name in _LIST:
                digests = [self.digest(one) for one in value]
                found[name] = digests if name == "prefixItems" else sorted(digests)
            elif name in _MAP:
                found[name] = {key: self.digest(one) for key, one in value.items()}
            elif name in _ONE or name in _LATE:
                found[name] = self.digest(value)
            elif name in {"required", "enum", "type"} and isinstance(value, list):
                found[name] = sorted(json.dumps(one, sort_keys=True) for one in value)
            else:
                found[name] = value
        text = found["$ref"] if [*found] == ["$ref"] else _hash(found)
        self._digests[id(node)] = node, text
        return text

    def _digest_of_target(self, name: str) -> str:
        """Return the digest of a definition; within itself, and far from where it began, that of the whole document."""
        if name in self._digesting or len(self._digesting) > DEEPEST:
            self._document_digest = self._document_digest or _hash(self.document)
            return _hash([name, self._document_digest])
        self._digesting.append(name)
        try:
            return self.digest(self.target(name)[1])
        finally:
            self._digesting.pop()

    def _reach(self, name: str) -> frozenset[str]:
        if name not in self._reached:
            found: set[str] = set()
            waiting = [name]
            while waiting:
                new = set(_references(self.rewritten(self.target(waiting.pop())[1]))) - found
                found |= new
                waiting += new
            self._reached[name] = frozenset(found)
        return self._reached[name]

    def _normal(self, place: Place, node: Any) -> dict[str, Any]:
        """Return a schema in the form of JSON Schema, without what does not bear on values."""
        if isinstance(node, bool):
            return {} if node else {**FALSE}
        if not isinstance(node, dict):
            raise self.error(place, "a schema must be an object; correct it")
        if "$ref" in node and not self._siblings:
            return {"$ref": node["$ref"]}
        found = {name: value for name, value in node.items() if name in _KEPT}
        if "const" in node:
            found["enum"] = [one for one in found.get("enum", [node["const"]]) if one == node["const"]]
        found = _exclusive(found)
        types = found.get("type")
        if isinstance(types, list) and len(types) == 1:
            found["type"] = types[0]
        if types in ("integer", "number") and found.get("format") in INTEGERS:
            bits = INTEGERS[found["format"]]
            found["minimum"] = max(found.get("minimum", -(2**bits)), -(2**bits))
            found["maximum"] = min(found.get("maximum", 2**bits - 1), 2**bits - 1)
        for keyword in ("additionalProperties", *_LATE):
            if found.get(keyword) is False:
                found[keyword] = FALSE
        return self._visible(_nullable(found) if node.get("nullable") is True else found)

    def _visible(self, found: dict[str, Any]) -> dict[str, Any]:
        hidden = [
            name
            for name, one in (found.get("properties") or {}).items()
            if isinstance(one, dict) and self.follow((), one)[1].get(self._hidden) is True
        ]
        if hidden:
            found["properties"] = {name: one for name, one in found["properties"].items() if name not in hidden}
            found["required"] = [name for name in found.get("required", ()) if name not in hidden]
        return {name: value for name, value in found.items() if name not in _IDLE or value != _IDLE[name]}


def member(parts: Sequence[Part], name: str) -> list[Part]:
    """Return the parts of a member of an object."""
    found = []
    for part in parts:
        properties, rest = part.keywords.get("properties", {}), part.keywords.get("additionalProperties")
        if name in properties:
            found += part.spec.parts((*part.place, "properties", name), properties[name])
        elif (
            rest
            and rest != FALSE
            and not any(_matches(one, name) for one in part.keywords.get("patternProperties", ()))
        ):
            found += part.spec.parts((*part.place, "additionalProperties"), rest)
    return found


def items(parts: Sequence[Part], index: int | None = None) -> list[Part]:
    """Return the parts of the items of an array, or of that at an index of `prefixItems`."""
    found = []
    for part in parts:
        first = part.keywords.get("prefixItems", ())
        if index is not None and index < len(first):
            found += part.spec.parts((*part.place, "prefixItems", index), first[index])
        elif "items" in part.keywords and (index is not None or not first):
            found += part.spec.parts((*part.place, "items"), part.keywords["items"])
    return found


def names(parts: Iterable[Part]) -> list[str]:
    """Return the names of the declared members."""
    return list(dict.fromkeys(name for part in parts for name in part.keywords.get("properties", ())))


def required(parts: Iterable[Part]) -> list[str]:
    """Return the names of the required members."""
    return list(dict.fromkeys(name for part in parts for name in part.keywords.get("required", ())))


def kinds(parts: Iterable[Part]) -> set[str]:
    """Return the types that are named."""
    found: set[str] = set()
    for part in parts:
        types = part.keywords.get("type", ())
        found |= {types} if isinstance(types, str) else set(types)
    return found


def closed(parts: Iterable[Part]) -> bool:
    """Return whether only declared members are allowed."""
    return any(
        FALSE in (one.keywords.get("additionalProperties"), one.keywords.get("unevaluatedProperties")) for one in parts
    )


def _exclusive(found: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with exclusive bounds as numbers."""
    for keyword, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(found.get(keyword), bool):
            exclusive = found.pop(keyword)
            if exclusive and bound in found:
                found[keyword] = found.pop(bound)
    return found


def _nullable(found: dict[str, Any]) -> dict[str, Any]:
    if "type" in found:
        types = [found["type"]] if isinstance(found["type"], str) else found["type"]
        return {**found, "type": [*types, *(["null"] if "null" not in types else [])]}
    if any(keyword in found for keyword in ("$ref", "allOf", *UNIONS)):
        return {"anyOf": [found, {"type": "null"}]}
    return found


def _references(node: Any) -> Iterator[str]:
    """Yield the references in a rewritten schema."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield bytes.fromhex(node["$ref"].rpartition("/")[2]).decode()
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _named(reference: str) -> str:
    return reference.encode().hex()


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()
