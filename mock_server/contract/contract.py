"""The effective contract: the published document with its overlay, as operations that requests are held against.

Rule: whatever a response depends on that the documents state is read from them, once, at load.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mock_server.contract import bundled_files, overlay, supported
from mock_server.contract.documents import Document
from mock_server.contract.limits import Limit
from mock_server.contract.objects import ObjectSchema
from mock_server.contract.operation import Operation
from mock_server.contract.reader import Reader
from mock_server.messages.errors import ApiError, MethodNotAllowed, MockError, NotFound, api_errors
from mock_server.messages.http import METHODS
from mock_server.messages.json_text import to_json
from mock_server.messages.pointers import Place, pointer
from mock_server.messages.pointers import at as value_at
from mock_server.messages.violations import Violation

Route = tuple[str, int, str | None]
"""Where operations are looked up: the method, the number of segments, and the last one; None for a parameter."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The documents of a contract, and the places that the overlay changed."""

    published: Document
    changes: Document
    touched: overlay.Touched

    def origin(self, at: Sequence[str | int]) -> tuple[str, int]:
        """Return the file and line of a place: in the overlay if that set it, else in the published document."""
        for location, index in reversed(self.touched):
            below = at[len(location) :]
            inside = ["actions", index, "update", *below]
            if below and tuple(at[: len(location)]) == location:
                with suppress(LookupError):
                    value_at(self.changes.value, inside)
                    return self.changes.name, self.changes.line(inside)
        return self.published.name, self.published.line(at)

    def error(self, at: Sequence[str | int], problem: str) -> MockError:
        """Return the error of a place and what is wrong there."""
        name, line = self.origin(at)
        return MockError(f"{name}:{line}: {pointer(*at) or '/'}: {problem}")


@dataclass(frozen=True, slots=True, eq=False)
class Contract:
    """The effective contract; equal only to itself.

    Attributes:
        document: The published document with the overlay applied.
        published: The published document.
        server: The base URL of its server, without a trailing slash.
        base_path: The path of that, for example `/v1`.
        objects: The kinds of objects, by `objectType`.
        limit: The limit across all operations; None without one.
    """

    document: Any
    published: Document
    server: str
    base_path: str
    operations: tuple[Operation, ...]
    objects: Mapping[str, ObjectSchema]
    limit: Limit | None
    _sources: Sources = field(repr=False)
    _routes: Mapping[Route, Sequence[Operation]] = field(repr=False)
    _errors: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def load(cls, published: Path | None = None, changes: Path | None = None, more: Sequence[Any] = ()) -> Contract:
        """Read the bundled documents, or the files in their place; `more` are further actions of the overlay.

        Raises:
            MockError: A document cannot be read, or uses what is not supported; names file, line and remedy.
        """
        documents = (
            Document.read(published or bundled_files.data("openapi.yaml")),
            Document.read(changes or bundled_files.data("openapi.overlay.yaml")),
        )
        if not more:
            return _compiled(*documents)
        extended = {**documents[1].value, "actions": [*documents[1].value["actions"], *more]}
        return cls.of(documents[0], replace(documents[1], value=extended))

    @classmethod
    def of(cls, published: Document, changes: Document | None = None) -> Contract:
        """Return the contract of a published document and its overlay."""
        for _, problem in supported.head_problems(published.value):
            raise MockError(f"{published.name}:1: /: {problem}")
        value, touched = overlay.apply(changes, published.value) if changes else (published.value, [])
        try:
            return cls._read(value, Sources(published, changes or published, touched))
        except (TypeError, ValueError, AttributeError, LookupError) as broken:  # a value of another type than OpenAPI's
            problem = f"{type(broken).__name__}: {broken}"
            raise MockError(f"{published.name}: not a valid OpenAPI document ({problem}); validate it") from broken

    @classmethod
    def _read(cls, value: Any, sources: Sources) -> Contract:
        for at, problem in supported.problems(value):
            raise sources.error(at, problem)
        reader = Reader(value, sources.error)
        operations = reader.operations()
        errors = {one.status: to_json({"error": one.code, "message": one.message}) for one in api_errors()}
        for operation in operations:
            errors |= operation.examples
        routes: dict[Route, list[Operation]] = {}
        for operation in sorted(operations, key=lambda one: one.segments.count(None)):
            key = (operation.method, len(operation.segments), operation.segments[-1])
            routes.setdefault(key, []).append(operation)
        return cls(
            document=value,
            published=sources.published,
            server=reader.server(),
            base_path=urlsplit(reader.server()).path,
            operations=tuple(operations),
            objects=reader.objects(),
            limit=reader.limit(),
            _sources=sources,
            _routes=routes,
            _errors=errors,
        )

    def route(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """Find the operation of a method and a raw path, and the raw values of its path parameters.

        HEAD is answered as GET (RFC 9110); a transport sends no body.

        Raises:
            NotFound: No operation has this path.
            MethodNotAllowed: Those that have it have other methods.
        """
        method = "GET" if method == "HEAD" else method
        base, segments = self.base_path, path[len(self.base_path) + 1 :].split("/")
        others = []
        if path.startswith(base + "/"):
            for last in (unquote(segments[-1]), None):
                for operation in self._routes.get((method, len(segments), last), ()):
                    if _matches(operation.segments, segments):
                        return operation, {name: segments[at] for at, name in operation.path_names.items()}
            others = [operation.method for operation in self.operations if _matches(operation.segments, segments)]
        if others:
            allowed = ", ".join(dict.fromkeys(others))
            got = method if method in METHODS else "another method"
            raise MethodNotAllowed(Violation("method-unknown", "path", "", got, allowed), headers=(("Allow", allowed),))
        wanted = "a path of the contract" if path.startswith(base + "/") else f"a path that begins with {base}/"
        raise NotFound(Violation("path-unknown", "path", "", "an unknown path", wanted))

    def has_path(self, path: str) -> bool:
        """Return whether any operation has this raw path."""
        try:
            self.route("", path)
        except ApiError as error:
            return isinstance(error, MethodNotAllowed)
        return True

    def error_body(self, error: type[ApiError], operation: Operation | None) -> bytes:
        """Return the body of an error: the example of its status, of the operation or of any other."""
        if operation and error.status in operation.examples:
            return operation.examples[error.status]
        return self._errors[error.status]

    def origin(self, source: Place) -> tuple[str, int]:
        """Return the file and the line, from 1, that a place in the effective contract comes from."""
        return self._sources.origin(source)


@lru_cache(maxsize=8)
def _compiled(published: Document, changes: Document) -> Contract:
    """Compile two documents once, since a contract never changes."""
    return Contract.of(published, changes)


def _matches(wanted: Sequence[str | None], segments: Sequence[str]) -> bool:
    if len(wanted) != len(segments):
        return False
    for name, segment in zip(wanted, segments, strict=True):
        if not segment if name is None else segment != name and ("%" not in segment or unquote(segment) != name):
            return False
    return True
