"""Reads the operations of an OpenAPI document, and compiles what requests are held against."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mock_server.contract import supported
from mock_server.contract.limits import Limit
from mock_server.contract.objects import ObjectSchema
from mock_server.contract.operation import BatchSchema, Operation, Parameter
from mock_server.contract.schemas import RULE_KEYWORD, Schema, Schemas, violations
from mock_server.messages.errors import MockError
from mock_server.messages.http import JSON
from mock_server.messages.json_text import to_json
from mock_server.messages.pointers import Place, place, pointer
from mock_server.messages.pointers import at as value_at

RATE_LIMIT_KEYWORD = "x-alta-rate-limit"
"""Gives, at the root or in an operation of the effective contract, its limit in the form of `Limit.parse`."""

SUCCESSES = range(200, 300)


class Reader:
    """Reads one document; `error` makes the error of a place in it and a problem."""

    def __init__(self, document: Any, error: Callable[[Sequence[str | int], str], MockError]) -> None:
        self._document = document
        self._error = error
        self._schemas = Schemas(document)
        self._compiled: dict[Place, Schema] = {}

    def server(self) -> str:
        """Return the base URL of the first server, without a trailing slash."""
        servers = self._document.get("servers") or [{"url": "/"}]
        return str(servers[0].get("url", "/")).rstrip("/")

    def operations(self) -> list[Operation]:
        """Return all operations, in the order of the document."""
        for name in self._document.get("components", {}).get("schemas", {}):
            self._schema("components", "schemas", name)  # also one that nothing uses must be sound
        found: dict[str, Operation] = {}
        for path, item in self._document["paths"].items():
            if path.startswith("x-"):
                continue
            for method in filter(item.__contains__, supported.OPERATIONS):
                operation = self._operation(path, method, item)
                if operation.id in found:
                    raise self._error(("paths", path, method), f"duplicate operationId {operation.id!r}; rename one")
                found[operation.id] = operation
        return list(found.values())

    def objects(self) -> dict[str, ObjectSchema]:
        """Return the kinds of objects, by `objectType`."""
        found = {}
        for name in self._document.get("components", {}).get("schemas", {}):
            at = ("components", "schemas", name)
            members, required = self._members(at)
            kinds = members.get("objectType", {}).get("enum", ())
            if len(kinds) == 1:
                found[kinds[0]] = ObjectSchema(kinds[0], self._schema(*at), members, frozenset(required))
        return found

    def _members(self, at: Place, extending: Sequence[Place] = ()) -> tuple[dict[str, Any], set[str]]:
        """Return the properties of a schema and of what it extends by `allOf`, and the names of the required ones."""
        at, node = self._resolve(at)
        if at in extending:
            raise self._error(at, "the schema extends itself")
        members: dict[str, Any] = {}
        required = set(node.get("required", ()))
        for index in range(len(node.get("allOf", ()))):
            more, names = self._members((*at, "allOf", index), (*extending, at))
            members |= more
            required |= names
        members |= {name: self._resolve((*at, "properties", name))[1] for name in node.get("properties", ())}
        return members, required

    def _operation(self, path: str, method: str, item: Mapping[str, Any]) -> Operation:
        at = ("paths", path, method)
        node = item[method]
        parameters = {
            (parameter.name, parameter.place): parameter
            for where, nodes in (
                (("paths", path, "parameters"), item.get("parameters", [])),
                ((*at, "parameters"), node.get("parameters", [])),
            )
            for index in range(len(nodes))
            for parameter in [self._parameter((*where, index))]
        }
        segments = self._segments(path, {name for name, where in parameters if where == "path"})
        body_at, body = self._resolve((*at, "requestBody")) if "requestBody" in node else (at, None)
        responses, examples = self._responses(at, node["responses"])
        return Operation(
            id=str(node.get("operationId", f"{method} {path}")),
            method=method.upper(),
            path=path,
            segments=segments,
            path_names={at: part[1:-1] for at, part in enumerate(path[1:].split("/")) if segments[at] is None},
            parameters={
                where: [one for one in parameters.values() if one.place == where]
                for where in dict.fromkeys(where for _, where in parameters)
            },
            body=self._body((*body_at, "content"), body) if body else None,
            body_required=bool(body and body.get("required")),
            batch=self._batch((*body_at, "content", JSON, "schema")) if body else None,
            responses=responses,
            success=min(filter(SUCCESSES.__contains__, responses), default=SUCCESSES.start),
            examples=examples,
            limit=self.limit(*at),
            secured=self._secured(at, node),
            source=pointer(*at),
        )

    def _segments(self, path: str, declared: set[str]) -> tuple[str | None, ...]:
        at = ("paths", path)
        if not path.startswith("/"):
            raise self._error(at, "a path must begin with a slash")
        segments: list[str | None] = []
        for part in path[1:].split("/"):
            name = re.fullmatch(r"\{([^{}]+)\}", part)
            if name and name[1] not in declared:
                raise self._error(at, f"the path parameter {name[1]!r} is not declared under 'parameters'")
            if not name and ("{" in part or "}" in part):
                raise self._error(at, "a path segment must be plain text or one {parameter}; split it")
            segments.append(None if name else part)
        return tuple(segments)

    def _parameter(self, at: Place) -> Parameter:
        at, node = self._resolve(at)
        _, schema = self._resolve((*at, "schema"))
        keywords = schema if isinstance(schema, dict) else {}
        types = keywords.get("type", ())
        types = frozenset([types] if isinstance(types, str) else types)
        if types & {"array", "object"}:
            raise self._error((*at, "schema"), "a parameter must be a single value, not an array or object")
        return Parameter(
            name=node["name"].lower() if node["in"] == "header" else node["name"],
            place=node["in"],
            required=bool(node.get("required")),
            schema=self._schema(*at, "schema"),
            types=types,
            default=keywords.get("default"),
            maximum=keywords.get("maximum"),
            source=at,
        )

    def _body(self, at: Place, body: Mapping[str, Any]) -> Schema:
        for media_type in body.get("content", {}):
            if media_type != JSON:
                raise self._error((*at, media_type), f"only bodies of {JSON} are supported; remove this one")
        if "schema" not in body.get("content", {}).get(JSON, {}):
            raise self._error(at, f"a request body needs a schema for {JSON}")
        schema = self._schema(*at, JSON, "schema")
        self._examples((*at, JSON), schema)
        return schema

    def _batch(self, at: Place) -> BatchSchema | None:
        """Return the array of records in a body: its first property that is an array of objects."""
        at, body = self._resolve(at)
        for member in body.get("properties", {}) if isinstance(body, dict) else ():
            where, array = self._resolve((*at, "properties", member))
            if not (isinstance(array, dict) and isinstance(array.get("items"), dict)):
                continue
            record = self._resolve((*where, "items"))[1]
            if record.get("type") == "object":
                named: Mapping[str, Any] = next(
                    (part for part in (record, record.get("then", {})) if RULE_KEYWORD in part), {}
                )
                return BatchSchema(
                    member=member,
                    minimum=array.get("minItems", 0),
                    maximum=array.get("maxItems"),
                    properties=tuple(record.get("properties", ())),
                    identities=tuple(tuple(way.get("required", ())) for way in named.get("anyOf", ())),
                )
        return None

    def _examples(self, at: Place, schema: Schema | None) -> list[Any]:
        _, media = self._resolve(at)
        found = {"": media["example"]} if "example" in media else {}
        found |= {name: self._resolve((*at, "examples", name))[1].get("value") for name in media.get("examples", {})}
        for name, example in found.items():
            if schema and (wrong := violations(schema, example)):
                raise self._error(at, f"the example {name} breaks the schema: {wrong[0]}")
        return list(found.values())

    def _responses(self, at: Place, node: Mapping[str, Any]) -> tuple[dict[int, Schema | None], dict[int, bytes]]:
        schemas: dict[int, Schema | None] = {}
        examples: dict[int, bytes] = {}
        for key in node:
            if key.startswith("x-"):
                continue
            if not re.fullmatch("[1-5][0-9][0-9]", key):
                raise self._error((*at, "responses", key), "only statuses of three digits are supported; list them")
            status = int(key)
            where, response = self._resolve((*at, "responses", key))
            where = (*where, "content", JSON)
            media = response.get("content", {}).get(JSON, {})
            schemas[status] = self._schema(*where, "schema") if "schema" in media else None
            for example in self._examples(where, schemas[status])[:1] if media else ():
                examples[status] = to_json(example)
        return schemas, examples

    def _secured(self, at: Place, node: Mapping[str, Any]) -> bool:
        own = "security" in node
        required = node["security"] if own else self._document.get("security", [])
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        where = (*at, "security") if own else ("security",)
        for choice in required:
            for name in choice:
                if name not in schemes:
                    raise self._error(where, f"the security scheme {name!r} is not declared under 'components'")
        return bool(required) and {} not in required

    def limit(self, *at: str | int) -> Limit | None:
        """Return the limit that the document gives at a place; None without one."""
        _, node = self._resolve(at)
        if RATE_LIMIT_KEYWORD not in node:
            return None
        try:
            return Limit.parse(str(node[RATE_LIMIT_KEYWORD]))
        except MockError as error:
            raise self._error((*at, RATE_LIMIT_KEYWORD), str(error)) from error

    def _resolve(self, at: Sequence[str | int]) -> tuple[Place, Any]:
        """Return the value at a place and where it stands, after following references."""
        seen: list[Place] = []
        while True:
            at = tuple(at)
            node = value_at(self._document, at)
            if not (isinstance(node, dict) and "$ref" in node):
                return at, node
            if at in seen:
                raise self._error(at, "the reference leads back to itself")
            seen.append(at)
            try:
                at = place(str(node["$ref"])[1:], self._document)
            except LookupError as error:
                raise self._error(at, f"the reference {node['$ref']!r} leads nowhere") from error

    def _schema(self, *at: str | int) -> Schema:
        if at in self._compiled:  # most responses are shared by all operations
            return self._compiled[at]
        try:
            return self._compiled.setdefault(at, self._schemas.at(*at))
        except ValueError as error:
            raise self._error(at, f"this schema cannot be used: {error}") from error
