"""Values that a JSON Schema allows, and their neighbours: each has one fault, or is almost at fault.

Pure: which of them are right is left to the schema itself, so a neighbour on the wrong side needs no list of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from mock_server.messages.pointers import at, parts_of

TAG = "alta-mock-verify"  # in what is added, so that whoever finds it knows where it is from
UUID = "7d9f2c41-5b8e-4a36-9c0d-1e2f3a4b5c6d"  # of nothing

VALUES = {
    "email": f"{TAG}@example.com",
    "identifier": f"{TAG}@example.com",
    "linkedinUrl": f"https://www.linkedin.com/in/{TAG}",
    **dict.fromkeys(("phone", "phoneNumber"), "+44 1632 960001"),  # which belongs to nobody
}
"""Texts of members whose schema says less than their name; that of any other member is `TAG`."""

SPECIMENS: Mapping[str, Any] = {
    "null": None,
    "boolean": True,
    "integer": 7,
    "string": TAG,
    "array": ["a"],
    "object": {"a": "b"},
}
"""A value of each type; no schema distinguishes two kinds of numbers."""

MANY = 100
"""Items up to which a list of five times as many is still a small body."""

Value = tuple[str, Any]
"""What is special about a value, and the value."""


def sample(document: Any, schema: Any, name: str = "", *, full: bool = False) -> Any:
    """Return a value that a schema allows: with its required members only, or with all that it declares."""
    node = resolved(document, schema)
    if "enum" in node:
        return node["enum"][0]
    types = _types(node)
    if "object" in types:
        properties = node.get("properties", {})
        members = properties if full else [*node.get("required", ()), *_alternative(node)]
        return {one: sample(document, properties.get(one, {}), one, full=full) for one in members}
    if "array" in types:
        return [sample(document, node.get("items", {}), full=full)] * node.get("minItems", 1)
    if types & {"integer", "number"}:
        return node.get("minimum", 1)
    if "boolean" in types:
        return True
    return UUID if node.get("format") == "uuid" else VALUES.get(name, TAG)


def neighbours(
    document: Any, schema: Any, value: Any, put: Callable[[Any], Any] = lambda value: value, where: str = ""
) -> Iterator[Value]:
    """Yield neighbours of a value that has all members which its schema declares.

    Args:
        document: The document that the schema is from.
        schema: The schema of the value.
        value: A value that the schema allows.
        put: Returns the whole of which a value is a part.
        where: The name of that part.
    """
    node = resolved(document, schema)
    types = _types(node)
    for what, one in scalars(node, value):
        yield f"{where} {what}".lstrip(), put(one)
    if isinstance(value, dict):
        yield from _members(document, node, value, put, where)
        yield f"{where or 'the whole'} is in a list", put([value])
    elif isinstance(value, list):
        yield from _items(document, node, value[0], put, where)
        yield f"{where} is a single item", put(value[0])
    for kind, other in SPECIMENS.items():
        if types and kind not in types and not (kind == "integer" and "number" in types):
            yield f"{where or 'the whole'} is {kind}", put(other)


def scalars(node: Mapping[str, Any], value: Any) -> Iterator[Value]:
    """Yield values on both sides of each bound of a schema, of its enumeration and of its format."""
    for choice in node.get("enum", ()):
        yield f"is {choice}", choice
    if "enum" in node:
        yield "is no choice", TAG
        yield "has another case", str(value).swapcase()
    yield from _lengths(node)
    for keyword, beyond in (("maximum", 1), ("minimum", -1)):
        if keyword in node:
            for number in (node[keyword], node[keyword] + beyond):
                yield f"is {number}", number
            yield f"is {'' if beyond > 0 else '-'}1e30", beyond * 10**30
    if node.get("format") == "uuid":
        yield "is unknown", UUID
        yield "is in capitals", UUID.upper()
        yield "is too short", UUID[:-1]
        yield "is a word", TAG
        yield "has no hexadecimal digit", f"{UUID[:-1]}g"


def resolved(document: Any, schema: Any) -> Mapping[str, Any]:
    """Return a schema, after following references."""
    while "$ref" in schema:
        schema = at(document, parts_of(schema["$ref"][1:]))
    found: Mapping[str, Any] = schema
    return found


def _lengths(node: Mapping[str, Any]) -> Iterator[Value]:
    for keyword, beyond in (("maxLength", 1), ("minLength", -1)):
        if keyword in node:
            for length in (node[keyword], node[keyword] + beyond):
                yield f"has {length} characters", "a" * length
    if "maxLength" in node:
        yield f"has {node['maxLength']} emoji", "\U0001f600" * node["maxLength"]
        yield f"has {20 * node['maxLength']} characters", "a" * 20 * node["maxLength"]


def _members(
    document: Any, node: Mapping[str, Any], value: Mapping[str, Any], put: Callable[[Any], Any], where: str
) -> Iterator[Value]:
    for name, schema in node.get("properties", {}).items():
        inner = f"{where}/{name}"
        without = {one: member for one, member in value.items() if one != name}
        yield f"{inner} is absent", put(without)
        yield f"{inner} is spelled {name.swapcase()}", put({**without, name.swapcase(): value[name]})
        yield from neighbours(document, schema, value[name], partial(_put_member, put, value, name), inner)
    for name in ("undeclared", "__proto__"):
        yield f"{where}/{name} is undeclared", put({**value, name: [TAG, None, {"a": 1.5}]})


def _items(document: Any, node: Mapping[str, Any], item: Any, put: Callable[[Any], Any], where: str) -> Iterator[Value]:
    for keyword, beyond in (("minItems", -1), ("maxItems", 1)):
        if keyword in node:
            many = [5 * node[keyword]] if beyond > 0 and node[keyword] <= MANY else []
            for count in (node[keyword] + beyond, node[keyword], *many):
                yield f"{where} has {count} items", put([item] * count)
    if "minItems" not in node:
        yield f"{where} has no items", put([])
    for what, bad in neighbours(document, node["items"], item, where="item"):
        if what.endswith(("is null", "is integer", "is absent")):
            yield f"{where}, last of three: {what}", put([item, item, bad])
            yield f"{where}, first of three: {what}", put([bad, item, item])
    yield from neighbours(document, node["items"], item, lambda new: put([new]), f"{where}/0")


def _put_member(put: Callable[[Any], Any], value: Mapping[str, Any], name: str, member: Any) -> Any:
    return put({**value, name: member})


def _alternative(node: Mapping[str, Any]) -> Collection[str]:
    """Return the members that the first way to keep a rule of alternatives requires."""
    ways = node.get("then", {}).get("anyOf", ())
    return ways[0].get("required", ()) if ways else ()


def _types(node: Mapping[str, Any]) -> set[str]:
    types = node.get("type", ())
    return {types} if isinstance(types, str) else set(types)
