"""Mutants derived from the contract: each constraint of each operation removed, loosened and tightened.

A provider that does not know a member of a response, a parameter or a body differs by one of these.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from contract_tests.mutants.bench import JSON, Bench, error, register, with_body
from contract_tests.provider.derived import TAG, resolved
from contract_tests.provider.documented import documented, routed
from contract_tests.provider.wire import Request
from mock_server.contract.contract import Contract
from mock_server.contract.operation import Operation
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.messages.pointers import Place, at, parts_of, pointer
from mock_server.pipeline.hooks import Handle

Change = tuple[str, Callable[[dict[str, Any]], object]]
"""What is changed about a schema, and the change."""

ANY = ["string", "number", "boolean", "array", "object", "null"]
BOUNDS = {"maxLength": 1, "maxItems": 1, "maximum": 1, "minLength": -1, "minItems": -1, "minimum": -1}
"""Keywords, each with the step that loosens it."""


def changes(node: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of the constraints of one schema, without those below it."""
    for keyword, step in BOUNDS.items():
        if keyword in node:
            yield f"{keyword}-removed", partial(_remove, keyword)
            for what, by in (("loosened", step), ("tightened", -step)):
                value = node[keyword] + by
                if value >= 0:
                    yield f"{keyword}-{what}", partial(_set, keyword, value)
    if "enum" in node:
        yield "enum-removed", partial(_remove, "enum")
        choices = node["enum"]
        yield "enum-loosened", partial(_set, "enum", [*choices, TAG])
        yield "enum-tightened", partial(_set, "enum", choices[:-1] or ["x"])
    if "format" in node:
        yield "format-removed", partial(_remove, "format")


def parameter_changes(node: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of a schema that only a parameter can show: what a default in a body does is not read back."""
    if "default" in node:
        others = [one for one in node.get("enum", [1]) if one != node["default"]]
        yield "default-removed", partial(_remove, "default")
        yield "default-changed", partial(_set, "default", others[0])


def body_changes(node: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of a schema that only a body can show: a parameter is always a text."""
    if "type" in node and "enum" not in node:
        yield "type-removed", partial(_remove, "type")
        yield "null-accepted", partial(_set, "type", [node["type"], "null"])
    required = node.get("required", [])
    for name in required:
        yield f"{name}-optional", partial(_set, "required", [one for one in required if one != name])
    for name in node.get("properties", ()):
        if name not in required:
            yield f"{name}-required", partial(_set, "required", [*required, name])
    if "properties" in node:
        yield "undeclared-refused", partial(_set, "additionalProperties", {"not": {}})


def _set(keyword: str, value: Any, node: dict[str, Any]) -> None:
    node[keyword] = value


def _remove(keyword: str, node: dict[str, Any]) -> None:
    del node[keyword]


def inlined(document: Any, schema: Any) -> Any:
    """Return a schema without references, so that a change is about one operation."""
    if isinstance(schema, list):
        return [inlined(document, one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: inlined(document, member) for name, member in resolved(document, schema).items()}


def nodes(schema: Any, place: Place = ()) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield a schema and those of its members and items, by their places."""
    yield place, schema
    for name, member in schema.get("properties", {}).items():
        yield from nodes(member, (*place, "properties", name))
    if isinstance(schema.get("items"), dict):
        yield from nodes(schema["items"], (*place, "items"))


def _change_schema(bench: Bench, within: Place, place: Place, change: Callable[[dict[str, Any]], object]) -> None:
    def changed(document: Any) -> None:
        holder = at(document, within)
        if "$ref" in holder:
            holder.update(copy.deepcopy(resolved(document, holder)))
            holder.pop("$ref")
        holder["schema"] = inlined(document, holder["schema"])
        change(at(holder["schema"], place))

    bench.document(changed)
    bench.around(_failing)


def _failing(handle: Handle, request: ApiRequest, transport: str) -> Outcome:
    """Answer 500 where a handler stumbles over a value that it never gets, as a server does."""
    try:
        return handle(request, transport)
    except Exception:  # noqa: BLE001 - whatever it stumbles over
        return Outcome(error(500), None, None, (), None, 0)


def _register_schema(operation: Operation, within: Place, where: str, *, body: bool) -> None:
    document = Contract.load().document
    declared = documented().document
    schema = inlined(document, resolved(document, at(document, within))["schema"])
    known = {place for place, _ in nodes(inlined(declared, resolved(declared, at(declared, within))["schema"]))}
    for place, node in nodes(schema):
        if place not in known:
            continue  # an assumption
        found = [*changes(node), *(body_changes(node) if body else parameter_changes(node))]
        name = "".join(f"/{part}" for part in place if part != "properties")
        for what, change in found:
            if not body or place or not what.startswith(("type", "null")) or operation.body_required:
                register(
                    f"openapi.yaml#{pointer(*within)}",
                    _change_schema,
                    f"{operation.id}{where}{name}/{what}",
                    f"{operation.id}: {where[1:] or 'body'}{name} has another constraint: {what}.",
                    within,
                    place,
                    change,
                    operation=operation.id,
                    derived=True,
                )


def _on_operation(bench: Bench, name: str, change: Callable[[ApiReply], ApiReply], *, success: bool = True) -> None:
    """Change the responses of an operation: its successes, or all to known tokens."""

    def matches(request: ApiRequest, reply: ApiReply) -> bool:
        operation = routed(Request(request.method, request.path), "http://x/v1").operation
        return operation is not None and operation.id == name and (not success or reply.status == operation.success)

    bench.change_if(matches, lambda _, reply: change(reply))


def _without(place: Place, reply: ApiReply) -> ApiReply:
    """Return a response without a member."""
    value = json.loads(reply.body)
    *way, last = place
    for holder in _holders(value, way):
        holder.pop(last, None)
    return replace(reply, body=json.dumps(value).encode())


def _with(place: Place, other: Any, reply: ApiReply) -> ApiReply:
    """Return a response whose member has another value."""
    value = json.loads(reply.body)
    *way, last = place
    for holder in _holders(value, way):
        holder[last] = other
    return replace(reply, body=json.dumps(value).encode())


def _holders(value: Any, way: list[str | int]) -> list[Any]:
    found = [value]
    for part in way:
        found = [one for holder in found for one in (holder if part == "items" else [holder[part]])]
    return found


def _register_responses(operation: Operation) -> None:
    add = partial(register, "openapi.yaml#/paths", _on_operation, operation=operation.id, derived=True)
    add(f"{operation.id}/not-served", f"{operation.id} is answered 404.", operation.id, lambda _: error(404))
    add(f"{operation.id}/fails", f"{operation.id} is answered 500.", operation.id, lambda _: error(500))
    add(
        f"{operation.id}/another-status",
        f"The success of {operation.id} has the status 202.",
        operation.id,
        lambda reply: replace(reply, status=202),
    )
    schema = documented().document["paths"][operation.path][operation.method.lower()]["responses"]["200"]
    content = resolved(documented().document, schema).get("content")
    if content is None or not operation.responses[200]:
        return
    add(f"{operation.id}/as-text", f"{operation.id} is sent as text.", operation.id, _as_text)
    for place, node in _response_members(inlined(documented().document, content[JSON]["schema"])):
        name = "".join(f"/{part}" for part in place)
        statement = f"The response of {operation.id}: {name}"
        add(f"{operation.id}{name}/missing", f"{statement} is missing.", operation.id, partial(_without, place))
        wrong = {"a": 1} if node.get("type") in {"string", "boolean"} else "a"
        add(
            f"{operation.id}{name}/of-another-type",
            f"{statement} has another type.",
            operation.id,
            partial(_with, place, wrong),
        )
        if "enum" in node:
            add(
                f"{operation.id}{name}/no-choice",
                f"{statement} is no choice.",
                operation.id,
                partial(_with, place, TAG),
            )
        if node.get("format"):
            add(
                f"{operation.id}{name}/no-format",
                f"{statement} is malformed.",
                operation.id,
                partial(_with, place, TAG),
            )


def _as_text(reply: ApiReply) -> ApiReply:
    return with_body(reply, "text/plain", reply.body)


def _response_members(schema: Mapping[str, Any], place: Place = ()) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Yield the required members of a response, by their places in it."""
    parts = [schema, *schema.get("allOf", ())]
    required = {name for part in parts for name in part.get("required", ())}
    members = {name: member for part in parts for name, member in part.get("properties", {}).items()}
    for part in schema.get("allOf", ()):
        required |= {name for one in part.get("allOf", ()) for name in one.get("required", ())}
        members |= {name: it for one in part.get("allOf", ()) for name, it in one.get("properties", {}).items()}
    for name in sorted(required):
        node = members.get(name, {})
        yield (*place, name), node
        if node.get("type") == "array" and node["items"].get("type") != "string":
            yield from _response_members(node["items"], (*place, name, "items"))


def _register_security(operation: Operation) -> None:
    def unsecured(document: Any) -> None:
        document["paths"][operation.path][operation.method.lower()]["security"] = []

    register(
        "openapi.yaml#/security",
        Bench.document,
        f"{operation.id}/without-token",
        f"{operation.id} needs no token.",
        unsecured,
        operation=operation.id,
        derived=True,
    )


for _operation in documented().operations:
    _own: Place = tuple(parts_of(_operation.source))
    _register_security(_operation)
    _register_responses(_operation)
    if _operation.body:
        _register_schema(_operation, (*_own, "requestBody", "content", JSON), "", body=True)
    for _parameter in _operation.parameters.get("query", ()):
        _names = [
            resolved(Contract.load().document, one)["name"]
            for one in at(Contract.load().document, (*_own, "parameters"))
        ]
        _within = (*_own, "parameters", _names.index(_parameter.name))
        if _parameter.name != "cursor":
            _register_schema(_operation, _within, f"/{_parameter.name}", body=False)
