"""What the vendor documents, without our assumptions: the contract that a provider is judged by."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from contract_tests.provider.wire import Request
from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.operation import Operation
from mock_server.handlers import SAMPLE
from mock_server.messages.errors import MethodNotAllowed, NotFound

EXAMPLES = "request-examples"
"""The assumption that judges nothing."""


@cache
def documented() -> Contract:
    """Return the contract without assumptions."""
    return documented_and()


def documented_and(assumption: str = EXAMPLES, more: Sequence[Any] = ()) -> Contract:
    """Return the contract with one assumption only, and with further actions of the overlay."""
    overlay = Document.read(bundled_files.data("openapi.overlay.yaml"))
    value = copy.deepcopy(overlay.value)
    kept = {EXAMPLES, assumption}
    value["actions"] = [  # without effect rather than left out, so that lines of the others are found by their index
        one if one["x-evidence"] != "assumed" or one.get("x-assumption") in kept else {"target": "$", "update": {}}
        for one in value["actions"]
    ]
    value["actions"] += more
    return Contract.of(Document.read(bundled_files.data("openapi.yaml")), replace(overlay, value=value))


@cache
def operations() -> dict[str, Operation]:
    """Return the documented operations, by id."""
    return {one.id: one for one in documented().operations}


@cache
def path_names() -> dict[str, Operation]:
    """Return the names of the parameters of paths, each with an operation that has it."""
    return {name: one for one in operations().values() for name in one.path_names.values()}


def sample_operation() -> Operation:
    """Return the operation that adds prospects."""
    return operations()[SAMPLE.operation]


@dataclass(frozen=True, slots=True)
class Routed:
    """The documented operation of a request, None without one, and the documented methods of its path."""

    operation: Operation | None = None
    methods: frozenset[str] = frozenset()


def routed(request: Request, url: str) -> Routed:
    """Return which operation a request to the provider at a base URL is for."""
    path, base = request.path.partition("?")[0], urlsplit(url).path.rstrip("/")
    return _routed(request.method, path.removeprefix(base)) if path.startswith(f"{base}/") else Routed()


@cache
def methods_of(path: str) -> frozenset[str]:
    """Return the documented methods of a path of the contract, such as `/campaigns/{campaignId}`."""
    return frozenset(one.method for one in operations().values() if one.path == path)


@lru_cache(maxsize=4096)
def _routed(method: str, below: str) -> Routed:
    try:
        operation = documented().route(method, documented().base_path + below)[0]
    except MethodNotAllowed as error:
        return Routed(methods=frozenset(dict(error.headers)["Allow"].split(", ")))
    except NotFound:
        return Routed()
    return Routed(operation, methods_of(operation.path))
