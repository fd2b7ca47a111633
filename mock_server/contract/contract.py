"""The effective contract: the published document with its overlay, as operations that requests can be held against.

Law of this module: whatever an answer depends on that the documents state is read from them, once, at load.
"""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mock_server.contract import bundled_files, overlay, supported
from mock_server.contract.documents import Document
from mock_server.contract.schemas import Schema, Schemas, violations
from mock_server.messages.errors import ApiError, MethodNotAllowed, MockError, NotFound, api_errors
from mock_server.messages.http import Violation
from mock_server.messages.pointers import Place, place, pointer
from mock_server.messages.pointers import at as value_at
from mock_server.pipeline.ratelimit import Limit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

JSON = "application/json"

RATE_LIMIT_KEYWORD = "x-alta-rate-limit"
"""Names, at the root or in an operation of the effective contract, its limit in the form of `Limit.parse`."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        place: `path`, `query` or `header`.
        types: The JSON types its schema allows, to read the text by.
        source: Where it stands in the contract.
    """

    name: str
    place: str
    required: bool
    schema: Schema
    types: frozenset[str]
    source: Place


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract, everything compiled.

    Attributes:
        segments: The path below the base path; None stands for a parameter.
        path_names: The names of the parameters among the segments, by their position.
        parameters: In path, query and header.
        body: The schema of a JSON body, None if the operation takes none.
        responses: The schema of the JSON body of each declared status, None where it has none.
        examples: The bytes of the example of each status that has one.
        limit: The operation's own limit, None if it has none.
        secured: False if the operation may be called without a token.
        source: JSON Pointer of the operation.
    """

    id: str
    method: str
    path: str
    segments: tuple[str | None, ...]
    path_names: Mapping[int, str]
    parameters: tuple[Parameter, ...]
    body: Schema | None
    body_required: bool
    responses: Mapping[int, Schema | None]
    examples: Mapping[int, bytes]
    limit: Limit | None
    secured: bool
    source: str

    def path_values(self, path: Sequence[str]) -> dict[str, str]:
        """Return the raw values of the path parameters, by name."""
        return {self.path_names[at]: path[at] for at in self.path_names}


@dataclass(frozen=True, slots=True)
class Contract:
    """The effective contract.

    Attributes:
        document: The published document with the overlay applied.
        published: The published document.
        server: The base URL of its server, without a slash at the end.
        base_path: The path of that, for example `/v1`.
        limit: The limit over all operations, None if there is none.
    """

    document: Any
    published: Document
    server: str
    base_path: str
    operations: tuple[Operation, ...]
    limit: Limit | None
    _overlay: Document | None = field(repr=False)
    _touched: overlay.Touched = field(repr=False)
    _routes: Mapping[int, Sequence[Operation]] = field(repr=False)
    _errors: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def load(cls, published: Path | None = None, changes: Path | None = None) -> Contract:
        """Read the bundled documents, or those given in their place.

        Raises:
            MockError: A document cannot be read, or says what we do not support; names file, line and remedy.
        """
        return _load(
            published or bundled_files.data("openapi.yaml"), changes or bundled_files.data("openapi.overlay.yaml")
        )

    @classmethod
    def of(cls, published: Document, changes: Document | None = None) -> Contract:
        """Make the contract of a published document, and of an overlay if there is one."""
        value, touched = overlay.apply(changes, published.value) if changes else (published.value, [])

        def error(at: Sequence[str | int], trouble: str) -> MockError:
            name, line = _origin(published, changes, touched, at)
            return MockError(f"{name}:{line}: {pointer(*at) or '/'}: {trouble}")

        try:
            return cls._read(value, error, published, changes, touched)
        except (TypeError, ValueError, AttributeError, LookupError) as broken:  # a value of another kind than OpenAPI's
            trouble = f"{type(broken).__name__}: {broken}"
            raise MockError(f"{published.name}: this is no sound OpenAPI document ({trouble}); validate it") from broken

    @classmethod
    def _read(
        cls,
        value: Any,
        error: Callable[[Sequence[str | int], str], MockError],
        published: Document,
        changes: Document | None,
        touched: overlay.Touched,
    ) -> Contract:
        for at, trouble in supported.troubles(value):
            raise error(at, trouble)
        reader = _Reader(value, error)
        operations = reader.operations()
        errors = {one.status: to_json({"error": one.code, "message": one.message}) for one in api_errors()}
        for operation in operations:
            errors |= operation.examples
        routes: dict[int, list[Operation]] = {}
        for operation in sorted(operations, key=lambda one: one.segments.count(None)):
            routes.setdefault(len(operation.segments), []).append(operation)
        return cls(
            document=value,
            published=published,
            server=reader.server(),
            base_path=urlsplit(reader.server()).path,
            operations=tuple(operations),
            limit=reader.limit(),
            _overlay=changes,
            _touched=touched,
            _routes=routes,
            _errors=errors,
        )

    def route(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Find the operation of a method and a raw path, and the raw values of its path parameters.

        Raises:
            NotFound: No operation has this path.
            MethodNotAllowed: Those that have it have other methods.
        """
        base, segments = self.base_path, path[len(self.base_path) + 1 :].split("/")
        matching = []
        if path.startswith(base + "/"):
            for operation in self._routes.get(len(segments), ()):
                if _matches(operation.segments, segments):
                    if operation.method == method:
                        return operation, operation.path_values(segments)
                    matching.append(operation.method)
        if matching:
            allowed = ", ".join(dict.fromkeys(matching))
            raise MethodNotAllowed(
                Violation("method-unknown", "path", "", "another method", allowed), headers=(("Allow", allowed),)
            )
        wish = "a path of the contract" if path.startswith(base + "/") else f"a path that begins with {base}/"
        raise NotFound(Violation("path-unknown", "path", "", "an unknown path", wish))

    def has_path(self, path: str) -> bool:
        """Tell whether any operation has this raw path."""
        try:
            self.route("", path)
        except ApiError as error:
            return isinstance(error, MethodNotAllowed)
        return True

    def error_body(self, error: type[ApiError], operation: Operation | None) -> bytes:
        """Return the body of a refusal: the example of its status, of the operation or of any other."""
        if operation and error.status in operation.examples:
            return operation.examples[error.status]
        return self._errors[error.status]

    def origin(self, source: Place) -> tuple[str, int]:
        """Return the file and the line, from 1, that a place in the effective contract comes from."""
        return _origin(self.published, self._overlay, self._touched, source)


def _load(published: Path, changes: Path) -> Contract:
    """Read two files; those that have not changed since need not be compiled again: a contract never changes."""
    try:
        stamps = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in (published, changes))
    except OSError:
        return Contract.of(Document.read(published), Document.read(changes))  # which says what is wrong
    return _compiled(stamps)


@lru_cache(maxsize=8)
def _compiled(stamps: tuple[tuple[str, int, int], ...]) -> Contract:
    published, changes = (Document.read(Path(name)) for name, _, _ in stamps)
    return Contract.of(published, changes)


def to_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8, as the vendor's server would write it; a Decimal keeps all its digits."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except TypeError:  # json writes no Decimal: a text that nobody else can have sent stands for each, and goes again
        mark = f"\0{secrets.token_hex(16)}:"
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=lambda number: f"{mark}{number}")
        return re.sub(f'"{re.escape(json.dumps(mark)[1:-1])}([^"]*)"', r"\1", text).encode()


def _matches(wanted: Sequence[str | None], got: Sequence[str]) -> bool:
    return all(
        bool(part) if name is None else (part == name or ("%" in part and unquote(part) == name))
        for name, part in zip(wanted, got, strict=True)
    )


def _origin(
    published: Document, changes: Document | None, touched: overlay.Touched, parts: Sequence[str | int]
) -> tuple[str, int]:
    """Find the file and line of a place: in the overlay if that set it, else in the published document."""
    if changes:
        for location, index in reversed(touched):
            below = parts[len(location) :]
            if tuple(parts[: len(location)]) == location and below:
                inside = ["actions", index, "update", *below]
                if changes.has(inside):
                    return changes.name, changes.line(inside)
    return published.name, published.line(parts)


class _Reader:
    """Reads the operations of one document; `error` makes the error of a place in it and a trouble."""

    def __init__(self, document: Any, error: Callable[[Sequence[str | int], str], MockError]) -> None:
        self._document = document
        self._error = error
        self._schemas = Schemas(document)

    def server(self) -> str:
        servers = self._document.get("servers") or [{"url": "/"}]
        return str(servers[0].get("url", "/")).rstrip("/")

    def operations(self) -> list[Operation]:
        for name in self._document.get("components", {}).get("schemas", {}):
            self._schema("components", "schemas", name)  # also one that nothing uses must be sound
        found: dict[str, Operation] = {}
        for path, item in self._document["paths"].items():
            if path.startswith("x-"):
                continue
            for method in filter(item.__contains__, supported.OPERATIONS):
                operation = self._operation(path, method, item)
                if operation.id in found:
                    raise self._error(
                        ("paths", path, method), f"another operation is called {operation.id!r}; rename one"
                    )
                found[operation.id] = operation
        return list(found.values())

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
            parameters=tuple(parameters.values()),
            body=self._body((*body_at, "content"), body) if body else None,
            body_required=bool(body and body.get("required")),
            responses=responses,
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
        types = schema.get("type", ()) if isinstance(schema, dict) else ()
        types = frozenset([types] if isinstance(types, str) else types)
        if types & {"array", "object"}:
            raise self._error((*at, "schema"), "a parameter must be a single value, not an array or object")
        return Parameter(
            name=node["name"].lower() if node["in"] == "header" else node["name"],
            place=node["in"],
            required=bool(node.get("required")),
            schema=self._schema(*at, "schema"),
            types=types,
            source=at,
        )

    def _body(self, at: Place, body: Mapping[str, Any]) -> Schema:
        for media_type in body.get("content", {}):
            if media_type != JSON:
                raise self._error((*at, media_type), f"only bodies of {JSON} are supported; remove this one")
        if "schema" not in body.get("content", {}).get(JSON, {}):
            raise self._error(at, f"a request body needs a schema for {JSON}")
        for name, example in self._examples((*at, JSON)):
            wrong = violations(self._schema(*at, JSON, "schema"), example)
            if wrong:
                raise self._error((*at, JSON), f"the example {name} breaks the schema: {wrong[0]}")
        return self._schema(*at, JSON, "schema")

    def _examples(self, at: Place) -> list[tuple[str, Any]]:
        _, media = self._resolve(at)
        named = media.get("examples", {})
        several = [(name, self._resolve((*at, "examples", name))[1].get("value")) for name in named]
        return [*([("", media["example"])] if "example" in media else []), *several]

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
            for name, example in self._examples(where) if media else ():
                schema = schemas[status]
                wrong = violations(schema, example) if schema else []
                if wrong:
                    raise self._error(where, f"the example {name} breaks the schema: {wrong[0]}")
                examples.setdefault(status, to_json(example))
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
        try:
            return self._schemas.at(*at)
        except ValueError as error:
            raise self._error(at, f"this schema cannot be used: {error}") from error
