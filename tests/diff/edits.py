"""Single edits of the effective contract, each with the one difference that it makes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from contract_tests.diff.documents import Api
from contract_tests.diff.operations import compare
from contract_tests.provider.derived import TAG
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.messages.pointers import Place, at, parts_of, pointer

REFUSES, ACCEPTS, BOTH = {"refused"}, {"accepted"}, {"refused", "accepted"}

CLOSED, NEEDED = False, True
METHODS = ("get", "post", "put", "delete", "patch")
BOUNDS = {"maxLength": 1, "maxItems": 1, "maximum": 1, "minLength": -1, "minItems": -1, "minimum": -1}
"""Keywords, each with the step that loosens it."""

NEW: Mapping[str, list[tuple[str, Any]]] = {
    "string": [("maxLength", 3), ("minLength", 2), ("pattern", "^[a-z]+$"), ("enum", ["a", "b"]), ("format", "uuid")],
    "integer": [("multipleOf", 2)],
    "number": [("minimum", 0), ("exclusiveMaximum", 100)],
    "array": [("maxItems", 3), ("minItems", 2), ("uniqueItems", True)],
    "object": [("maxProperties", 1)],
}
"""Keywords to add to a schema of a type that lacks them."""


EXTENDED = {"PaginatedList", "BaseEntity", "ContactInfo"}
"""Schemas whose type another schema states, too: in an `allOf` nothing changes without it, in a `oneOf` more does."""


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        name: What is edited.
        apply: Edits a document.
        words: What the difference says.
        breaks: Whom the edit breaks, for each side of the traffic that shows it.
    """

    name: str
    apply: Callable[[Any], object]
    words: str
    breaks: Mapping[str, set[str]]

    @property
    def kind(self) -> str:
        """Return what edits of other places have in common with it."""
        return " ".join([*sorted(self.breaks), *self.name.split()[1:3]])

    def edited(self) -> Any:
        """Return the effective contract with the edit."""
        document = copy.deepcopy(Contract.load().document)
        self.apply(document)
        return document


def whom(side: str, effect: set[str]) -> set[str]:
    """Return whom it breaks that values are refused, accepted, or both."""
    first, second = ("consumers", "providers") if side == "request" else ("providers", "consumers")
    return {{"refused": first, "accepted": second}[one] for one in effect}


def edits() -> Iterator[Edit]:
    """Yield all edits."""
    document = Contract.load().document
    found: dict[Place, set[str]] = {}
    for place, side in _schemas(document):
        found.setdefault(place, set()).add(side)
    for place, sides in found.items():
        if "text" not in sides:
            yield from _of_members(document, place, sides)
        if place[-2:-1] == ("allOf",) or place[-1] in EXTENDED:
            continue
        for what, change, effect, words in _of_schema(at(document, place), text="text" in sides):
            breaks = {side: whom(side, effect) for side in (one.replace("text", "request") for one in sides)}
            yield Edit(f"{pointer(*place)} {what}", partial(_apply, place, change), words, breaks)
    yield from _of_operations(document)


def _apply(place: Place, change: Callable[[Any], object], document: Any) -> None:
    change(at(document, place))


def _set(keyword: str, value: Any, node: Any) -> None:
    node[keyword] = value


def _remove(keyword: str, node: Any) -> None:
    del node[keyword]


def _schemas(document: Any) -> Iterator[tuple[Place, str]]:
    """Yield the places of the schemas that operations use, each with its side: request, response or text."""
    for path, item in document["paths"].items():
        for method in (one for one in METHODS if one in item):
            where = ("paths", path, method)
            for index in range(len(item[method].get("parameters", ()))):
                yield from _below(document, (*_resolved(document, (*where, "parameters", index)), "schema"), "text")
            if "requestBody" in item[method]:
                yield from _below(document, (*where, "requestBody", "content", "application/json", "schema"), "request")
            for status in item[method]["responses"]:
                response = _resolved(document, (*where, "responses", status))
                if "content" in at(document, response):
                    yield from _below(document, (*response, "content", "application/json", "schema"), "response")


def _resolved(document: Any, place: Place) -> Place:
    node = at(document, place)
    return _resolved(document, tuple(parts_of(node["$ref"][1:]))) if "$ref" in node else place


def _below(document: Any, place: Place, side: str) -> Iterator[tuple[Place, str]]:
    place = _resolved(document, place)
    node = at(document, place)
    yield place, side
    for name in node.get("properties", ()):
        if name != "objectType":  # two schemas state it
            yield from _below(document, (*place, "properties", name), side)
    if "items" in node:
        yield from _below(document, (*place, "items"), side)
    for keyword in ("allOf", "oneOf"):
        for index in range(len(node.get(keyword, ()))):
            yield from _below(document, (*place, keyword, index), side)


Change = tuple[str, Callable[[Any], object], set[str], str]


def _of_schema(node: Mapping[str, Any], *, text: bool) -> Iterator[Change]:
    for keyword, step in BOUNDS.items():
        if keyword in node:
            yield f"{keyword} removed", partial(_remove, keyword), ACCEPTS, keyword
            yield f"{keyword} tightened", partial(_set, keyword, node[keyword] - step), REFUSES, keyword
            if node[keyword] + step >= 0:
                yield f"{keyword} loosened", partial(_set, keyword, node[keyword] + step), ACCEPTS, keyword
    plain = not {"enum", "format", "maxLength", "maxItems", "minItems"} & node.keys()
    for keyword, value in NEW.get(str(node.get("type")), ()) if plain else ():
        if keyword not in node and (keyword != "maxProperties" or _wide(node)):
            yield f"{keyword} added", partial(_set, keyword, value), REFUSES, FAMILY.get(keyword, keyword)
    if "enum" in node:
        yield from _of_enumeration(node["enum"])
    else:
        yield from _of_type(node, text=text)
    if "format" in node:
        yield "format removed", partial(_remove, "format"), ACCEPTS, "format"
        yield "format changed", partial(_set, "format", "ipv4"), BOTH, "format"


def _of_enumeration(choices: list[Any]) -> Iterator[Change]:
    yield "enum removed", partial(_remove, "enum"), ACCEPTS, "enum"
    yield "enum loosened", partial(_set, "enum", [*choices, TAG]), ACCEPTS, "enum"
    yield "enum replaced", partial(_set, "enum", [*choices[:-1], TAG]), BOTH, "enum"
    if len(choices) > 1:
        yield "enum tightened", partial(_set, "enum", choices[:-1]), REFUSES, "enum"


def _of_type(node: Mapping[str, Any], *, text: bool) -> Iterator[Change]:
    kind = node.get("type")
    if kind == "string":  # a format says nothing about numbers
        effect = REFUSES if text and "format" not in node else BOTH
        yield "type changed", partial(_set, "type", "integer"), effect, "type"
    if kind == "integer":
        yield "type changed", partial(_set, "type", "string"), ACCEPTS if text else BOTH, "type"
    if isinstance(kind, str) and kind != "null" and not text:
        yield "type removed", partial(_remove, "type"), ACCEPTS, "type"
        yield "null allowed", partial(_set, "type", [kind, "null"]), ACCEPTS, "type"
    if isinstance(kind, list):
        yield "null excluded", partial(_set, "type", kind[0]), REFUSES, "type"


FAMILY = {"exclusiveMaximum": "maximum"}


def _wide(node: Mapping[str, Any]) -> bool:
    return len(node.get("properties", ())) > 2 and len(node.get("required", ())) < 2


def _of_members(document: Any, place: Place, sides: set[str]) -> Iterator[Edit]:
    node = at(document, place)
    if node.get("type") != "object" or "properties" not in node:
        return
    needed = node.get("required", [])

    def edit(what: str, change: Callable[[Any], object], words: str, request: set[str], response: set[str]) -> Edit:
        breaks = {side: request if side == "request" else response for side in sides}
        return Edit(f"{pointer(*place)} {what}", partial(_apply, place, change), words, breaks)

    for name in node["properties"]:
        if name == "objectType":
            continue
        without = [one for one in needed if one != name]
        if name in needed:
            change = partial(_set, "required", without)
            yield edit(f"optional member {name}", change, f"{name} is now optional", {"providers"}, {"consumers"})
        elif "then" not in node:
            change = partial(_set, "required", [*needed, name])
            yield edit(f"required member {name}", change, f"{name} is now required", {"consumers"}, {"providers"})
        yield edit(f"removed member {name}", partial(_without, name), f"{name} is gone", {"consumers"}, {"consumers"})
    yield edit("member added", partial(_with, needed=False), "nickname is new", {"providers"}, set())
    yield edit(
        "needed member added",
        partial(_with, needed=True),
        "nickname is new",
        {"consumers", "providers"},
        {"providers"},
    )
    if place[-2:-1] != ("allOf",) and place[-1] not in EXTENDED:
        closing = partial(_set, "additionalProperties", CLOSED)
        yield edit("closed", closing, "undeclared members", {"consumers"}, {"providers"})


def _without(name: str, node: Any) -> None:
    del node["properties"][name]
    node["required"] = [one for one in node.get("required", ()) if one != name]


def _with(node: Any, *, needed: bool) -> None:
    node["properties"]["nickname"] = {"type": "string", "maxLength": 9}
    if needed:
        node["required"] = [*node.get("required", ()), "nickname"]


def _of_operations(document: Any) -> Iterator[Edit]:
    for path, item in document["paths"].items():
        for method in (one for one in METHODS if one in item):
            yield from _of_operation(item[method], ("paths", path, method))
    add: Place = ("paths", "/campaigns/{campaignId}/prospects", "post")
    record: Place = ("components", "schemas", "ProspectRecord", "then", "anyOf")
    yield _edit(
        "an alternative removed", record, lambda ways: ways.pop(), "the alternatives", {"request": {"consumers"}}
    )
    more = {"required": ["jobTitle"]}
    yield _edit(
        "an alternative added", record, lambda ways: ways.append(more), "the alternatives", {"request": {"providers"}}
    )
    for index in range(3):
        name = at(document, (*record, index))["required"][0]
        way: Place = (*record, index, "properties", name)
        yield _edit("pattern removed", way, partial(_remove, "pattern"), "pattern", {"request": {"providers"}})
    limits: list[tuple[Place, str, set[str]]] = [
        (add, "5/60s", {"consumers"}),
        (add, "20/60s", {"providers"}),
        (add, "20/600s", BOTH_SIDES),
        ((), "50/60s", {"consumers"}),
        ((), "off", {"providers"}),
    ]
    for where, limit, breaks in limits:
        yield _edit(f"limit {limit}", where, partial(_set, "x-alta-rate-limit", limit), " → ", {"request": breaks})
    yield _edit(
        "server moved",
        ("servers", 0),
        partial(_set, "url", "https://api.altahq.com/v2"),
        "is gone",
        {"operation": {"consumers"}},
    )
    yield _edit(
        "security removed",
        (),
        partial(_set, "security", []),
        "no credentials is now accepted",
        {"request": {"providers"}},
    )
    yield _edit(
        "scheme changed",
        ("components", "securitySchemes", "bearerAuth"),
        partial(_set, "scheme", "basic"),
        "now refused",
        {"request": BOTH_SIDES},
    )


BOTH_SIDES = {"consumers", "providers"}


def _edit(what: str, place: Place, change: Callable[[Any], object], words: str, breaks: Mapping[str, set[str]]) -> Edit:
    return Edit(f"{pointer(*place)} {what}", partial(_apply, place, change), words, breaks)


def _of_operation(node: Mapping[str, Any], place: Place) -> Iterator[Edit]:
    path, method = place[1], str(place[2])
    yield _edit(
        "removed", ("paths", path), partial(_remove, method), "the operation is gone", {"operation": {"consumers"}}
    )
    yield _edit(
        "added", ("paths", path), partial(_set, "patch", node), "the operation is new", {"operation": {"providers"}}
    )
    responses = (*place, "responses")
    yield _edit(
        "status added",
        responses,
        partial(_set, "409", {"description": "Conflict."}),
        "409 is new",
        {"response": {"consumers"}},
    )
    yield _edit("status removed", responses, partial(_remove, "500"), "500 is gone", {"response": {"providers"}})
    yield _edit("status changed", responses, _created, "200 → 201", {"response": BOTH_SIDES})
    yield _edit("public", place, partial(_set, "security", []), "no credentials", {"request": {"providers"}})
    if "content" in node["responses"]["200"]:
        content = (*responses, "200", "content")
        yield _edit("another type", content, _as_text, "text/plain", {"response": BOTH_SIDES})
        yield _edit("a further type", content, partial(_set, "text/csv", {}), "text/csv", {"response": {"consumers"}})
        yield _edit(
            "no body",
            (*responses, "200"),
            partial(_remove, "content"),
            "no longer described",
            {"response": {"consumers"}},
        )
    if "requestBody" in node:
        needed = node["requestBody"].get("required", False)
        flip = partial(_set, "required", not needed)
        words = "is now optional" if needed else "is now required"
        yield _edit(
            "required", (*place, "requestBody"), flip, words, {"request": {"providers" if needed else "consumers"}}
        )
        yield _edit("bodyless", place, partial(_remove, "requestBody"), "the body is gone", {"request": {"consumers"}})
        content = (*place, "requestBody", "content")
        yield _edit("another type", content, _as_text, "text/plain", {"request": BOTH_SIDES})
    elif method != "get":
        body = {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}
        yield _edit("body added", place, partial(_set, "requestBody", body), "the body is new", {"request": BOTH_SIDES})
    own = node.get("parameters", [])
    for name, needed, breaks in (("verbose", False, {"providers"}), ("region", True, BOTH_SIDES)):
        more = {"name": name, "in": "query", "required": needed, "schema": {"type": "string"}}
        yield _edit(
            f"{name} added",
            place,
            partial(_set, "parameters", [*own, more]),
            "the parameter is new",
            {"request": breaks},
        )
    for index, one in enumerate(own):
        if one.get("in", "query") == "query":
            rest = [*own[:index], *own[index + 1 :]]
            yield _edit(
                f"removed parameter {index}",
                place,
                partial(_set, "parameters", rest),
                "the parameter is gone",
                {"request": {"consumers"}},
            )
            if "$ref" not in one:
                where = (*place, "parameters", index)
                yield _edit(
                    "required", where, partial(_set, "required", NEEDED), "is now required", {"request": {"consumers"}}
                )
                yield _edit(
                    "default added",
                    (*where, "schema"),
                    partial(_set, "default", "x"),
                    "default",
                    {"request": BOTH_SIDES},
                )


def _created(responses: Any) -> None:
    responses["201"] = responses.pop("200")


def _as_text(content: Any) -> None:
    content["text/plain"] = content.pop("application/json")


def problems(edit: Edit) -> list[str]:
    """Return what is wrong with how an edit is reported; empty if there is its one difference on each side."""
    old, new = (Api.of(Document(name, value, "{}")) for name, value in _documents(edit))
    found = compare(old, new).differences
    lines = [f"{one.side} {one.place}: {one.words} {one.breaks}" for one in found]
    got = sorted((one.side, tuple(one.breaks)) for one in found)
    wanted = sorted(
        (side, tuple(name in whom for name in ("consumers", "providers"))) for side, whom in edit.breaks.items()
    )
    return [] if got == wanted and all(edit.words in one.words for one in found) else [edit.name, *lines]


def _documents(edit: Edit) -> list[tuple[str, Any]]:
    return [("old", Contract.load().document), ("new", edit.edited())]


def main() -> None:
    """Try all edits, and print those that are not reported as they should be."""
    tried = list(edits())
    for edit in tried:
        for line in problems(edit):
            print(line)  # noqa: T201 - the result
    print(f"{len(tried)} edits tried")  # noqa: T201 - the same


if __name__ == "__main__":
    main()
