"""The effective contract: the published document with its overlay, as operations that requests are held against.

Rule: whatever a response depends on that the documents state is read from them, once, at load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
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
from mock_server.messages.json_text import to_json
from mock_server.messages.pointers import Place, pointer
from mock_server.messages.violations import Violation


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
    _overlay: Document | None = field(repr=False)
    _touched: overlay.Touched = field(repr=False)
    _routes: Mapping[int, Sequence[Operation]] = field(repr=False)
    _errors: Mapping[int, bytes] = field(repr=False)

    @classmethod
    def load(cls, published: Path | None = None, changes: Path | None = None) -> Contract:
        """Read the bundled documents, or the files in their place.

        Raises:
            MockError: A document cannot be read, or uses what is not supported; names file, line and remedy.
        """
        return _load(
            published or bundled_files.data("openapi.yaml"), changes or bundled_files.data("openapi.overlay.yaml")
        )

    @classmethod
    def of(cls, published: Document, changes: Document | None = None) -> Contract:
        """Return the contract of a published document and its overlay."""
        for _, problem in supported.head_problems(published.value):
            raise MockError(f"{published.name}:1: /: {problem}")
        value, touched = overlay.apply(changes, published.value) if changes else (published.value, [])

        def error(at: Sequence[str | int], problem: str) -> MockError:
            name, line = _origin(published, changes, touched, at)
            return MockError(f"{name}:{line}: {pointer(*at) or '/'}: {problem}")

        try:
            return cls._read(value, error, published, changes, touched)
        except (TypeError, ValueError, AttributeError, LookupError) as broken:  # a value of another type than OpenAPI's
            problem = f"{type(broken).__name__}: {broken}"
            raise MockError(f"{published.name}: not a valid OpenAPI document ({problem}); validate it") from broken

    @classmethod
    def _read(
        cls,
        value: Any,
        error: Callable[[Sequence[str | int], str], MockError],
        published: Document,
        changes: Document | None,
        touched: overlay.Touched,
    ) -> Contract:
        for at, problem in supported.problems(value):
            raise error(at, problem)
        reader = Reader(value, error)
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
            objects=reader.objects(),
            limit=reader.limit(),
            _overlay=changes,
            _touched=touched,
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
        matching = []
        if path.startswith(base + "/"):
            for operation in self._routes.get(len(segments), ()):
                if _matches(operation.segments, segments):
                    if operation.method == method:
                        return operation, {name: segments[at] for at, name in operation.path_names.items()}
                    matching.append(operation.method)
        if matching:
            allowed = ", ".join(dict.fromkeys(matching))
            raise MethodNotAllowed(
                Violation("method-unknown", "path", "", "another method", allowed), headers=(("Allow", allowed),)
            )
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
        return _origin(self.published, self._overlay, self._touched, source)


def _load(published: Path, changes: Path) -> Contract:
    """Read two files; unchanged files are compiled once, since a contract never changes."""
    try:
        stamps = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in (published, changes))
    except OSError:
        return Contract.of(Document.read(published), Document.read(changes))  # which says what is wrong
    return _compiled(stamps)


@lru_cache(maxsize=8)
def _compiled(stamps: tuple[tuple[str, int, int], ...]) -> Contract:
    published, changes = (Document.read(Path(name)) for name, _, _ in stamps)
    return Contract.of(published, changes)


def _matches(wanted: Sequence[str | None], segments: Sequence[str]) -> bool:
    for name, segment in zip(wanted, segments, strict=True):
        if not segment if name is None else segment != name and ("%" not in segment or unquote(segment) != name):
            return False
    return True


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
