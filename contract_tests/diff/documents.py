"""The two documents of a comparison, each with its overlay, and where their parts are stated."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from contract_tests.diff.schema import Spec
from mock_server.contract import bundled_files, overlay
from mock_server.contract.contract import Sources
from mock_server.contract.documents import Document
from mock_server.messages.errors import MockError
from mock_server.messages.pointers import Place, at, parts_of

BUNDLED = "bundled"
"""Names the bundled document on the command line."""

STDIN = "-"


@dataclass(frozen=True, slots=True, eq=False)
class Api:
    """One of the documents.

    Attributes:
        name: The name of its file.
        document: Its value, with the overlay applied.
        requests: Its schemas, as they apply to requests.
        responses: The same for responses.
    """

    name: str
    document: Mapping[str, Any]
    requests: Spec
    responses: Spec
    _sources: Sources = field(repr=False)

    @classmethod
    def of(cls, document: Document, changes: Document | None = None, without: Collection[Place] = ()) -> Api:
        """Return the API that a document describes, with an overlay, and without what that must not add.

        Raises:
            MockError: It is not an OpenAPI 3 document, or the overlay does not fit it.
        """
        _check(document)
        value, touched = overlay.apply(changes, document.value) if changes else (document.value, [])
        for place in without:
            with suppress(LookupError):
                del at(value, place[:-1])[place[-1]]
        sources = Sources(document, changes or document, touched)
        return cls(
            document.name,
            value,
            Spec(value, sources.error, reads=True),
            Spec(value, sources.error, reads=False),
            sources,
        )

    def origin(self, place: Place) -> tuple[str, int]:
        """Return the file and line where a place is stated."""
        return self._sources.origin(place)

    def error(self, place: Place, problem: str) -> MockError:
        """Return the error of a place."""
        return self._sources.error(place, problem)


def read(name: str) -> Document:
    """Read the document that an argument names: a file, `-` for standard input, or `bundled`.

    Raises:
        MockError: It cannot be read, or is neither YAML nor JSON.
    """
    if name == STDIN:
        return Document.parse(sys.stdin.read(), "(standard input)")
    if name == BUNDLED and not Path(name).exists():
        return Document.read(bundled_files.data("openapi.yaml"))
    return Document.read(Path(name))


def pair(old: Document, new: Document, changes: Document | None, *, must_fit: bool) -> tuple[Api, Api, list[str]]:
    """Return two documents with the same actions of an overlay applied to both, and notes about it.

    An action that does not fit NEW is applied to neither, so that it makes no difference of its own. If one does not
    fit OLD, the overlay is about another API, and is not applied at all.

    Args:
        old: The document OLD.
        new: The document NEW.
        changes: The overlay; None to compare the documents as they are.
        must_fit: Whether an overlay that does not fit OLD is an error.

    Raises:
        MockError: A document or the overlay is unusable.
    """
    for document in (old, new):
        _check(document)
    if changes is None:
        return Api.of(old), Api.of(new), []
    try:
        overlay.apply(changes, old.value)
    except MockError:
        if must_fit:
            raise
        return Api.of(old), Api.of(new), []
    gone = [place for place in _operations(old.value) if place not in {*_operations(new.value)}]
    if len(gone) == len([*_operations(old.value)]):  # NEW is of another API
        return Api.of(old), Api.of(new), []
    applied, unfit = _fitting(changes, new.value)
    notes = [f"the overlay {changes.name} is applied to both documents"]
    notes += [
        f"{changes.name}:{changes.line(['actions', index])}: this action does not fit {new.name}; applied to neither"
        for index in unfit
    ]
    return Api.of(old, applied), Api.of(new, applied, gone), notes


def _operations(value: Any) -> Iterator[Place]:
    """Yield the places of the operations of a document."""
    for path, item in (value.get("paths") or {}).items():
        yield from (("paths", path, key) for key in (item if isinstance(item, dict) else ()))


def _fitting(changes: Document, value: Any) -> tuple[Document, list[int]]:
    """Return an overlay without the actions that do not fit a document, and their indices.

    An action fits if it selects something, and what it refers to is there.
    """
    optional = [{**action, "x-optional": True} for action in changes.value["actions"]]
    unfit = [
        index
        for index, action in enumerate(changes.value["actions"])
        if not _applies(changes, optional, index, action, value)
    ]
    while True:
        actions = [_NOTHING if index in unfit else action for index, action in enumerate(optional)]
        applied = replace(changes, value={**changes.value, "actions": actions})
        whole, _ = overlay.apply(applied, value)
        lost = [index for index, action in enumerate(actions) if not _refers(whole, action.get("update"))]
        if not lost:
            return applied, sorted(unfit)
        unfit += lost


_NOTHING = {"target": "$['x-left-out']", "x-optional": True}
"""An action in place of one that does not fit, so that the others keep their indices."""


def _applies(changes: Document, optional: list[Any], index: int, action: Any, value: Any) -> bool:
    """Return whether an action, after those before it, selects something."""
    try:
        overlay.apply(replace(changes, value={**changes.value, "actions": [*optional[:index], action]}), value)
    except MockError:
        return False
    return True


def _refers(whole: Any, update: Any) -> bool:
    """Return whether all references in a value lead somewhere."""
    if isinstance(update, list):
        return all(_refers(whole, one) for one in update)
    if not isinstance(update, dict):
        return True
    try:
        if isinstance(update.get("$ref"), str):
            at(whole, parts_of(update["$ref"][1:]))
    except LookupError:
        return False
    return all(_refers(whole, one) for one in update.values())


def _check(document: Document) -> None:
    value, name = document.value, document.name
    if not isinstance(value, dict):
        raise MockError(f"{name}:1: not an OpenAPI document: it must be an object; choose another file")
    version = value.get("openapi")
    if version is None and "swagger" in value:
        line = document.line(["swagger"])
        raise MockError(
            f"{name}:{line}: Swagger {value['swagger']} is not read; convert it: npx swagger2openapi {name}"
        )
    if version is None and "overlay" in value:
        raise MockError(f"{name}:1: this is an overlay, not an OpenAPI document; pass it with --overlay")
    if not str(version).startswith("3."):
        got = "has no 'openapi: 3.x.x'" if version is None else f"is of version {json.dumps(version)}"
        raise MockError(f"{name}:1: not an OpenAPI 3 document: it {got}; choose another file")
    for key in ("paths", "components"):
        if not isinstance(value.get(key), dict | None):
            raise MockError(f"{name}:{document.line([key])}: /{key}: this must be an object; correct it")


def located(api: Api, place: Sequence[str | int]) -> str:
    """Return a place as file and line."""
    name, line = api.origin(tuple(place))
    return f"{name}:{line}"
