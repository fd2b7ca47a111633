"""Two APIs: which of their operations correspond, and how they differ.

Rule: operations correspond by method and path; the names of path parameters and the `operationId` do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from contract_tests.diff.comparison import Comparison
from contract_tests.diff.differences import Difference, merged
from contract_tests.diff.documents import Api
from contract_tests.diff.exchange import Exchange, Operation, Parameters
from mock_server.contract.limits import Limit
from mock_server.contract.reader import RATE_LIMIT_KEYWORD
from mock_server.messages.errors import MockError
from mock_server.messages.http import METHODS
from mock_server.messages.pointers import Place

IGNORED = {"accept", "content-type", "authorization"}
"""Header parameters that OpenAPI ignores."""

Operations = Mapping[str, Operation]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a comparison.

    Attributes:
        differences: Those that break consumers first.
        operations: The number of operations that both documents have.
        tried: The number of values that both judged.
        untried: What was not tried.
    """

    differences: Sequence[Difference]
    operations: int
    tried: int
    untried: Sequence[str]


def compare(old: Api, new: Api) -> Result:
    """Compare two APIs.

    Raises:
        MockError: A document is not sound; names the file, the line and the place.
    """
    try:
        return _compared(old, new)
    except (TypeError, ValueError, AttributeError, LookupError) as broken:  # a value of another type than OpenAPI's
        raise MockError(
            f"{old.name} or {new.name} is not valid OpenAPI ({type(broken).__name__}: {broken}); validate them"
        ) from broken


def _compared(old: Api, new: Api) -> Result:
    comparison = Comparison()
    sides, found = _corresponding(old, new)
    common = [key for key in sides[0] if key in sides[1]]
    for key in common:
        found += Exchange(old, new, sides[0][key], sides[1][key], comparison).differences()
    found += _limits(old, new, [(sides[0][key], sides[1][key]) for key in common])
    for key, one in sides[0].items():
        if key not in sides[1]:
            found.append(
                Difference((one.name,), "operation", "", "the operation is gone", (True, False), one.at, one.at)
            )
    for key, one in sides[1].items():
        if key not in sides[0]:
            found.append(
                Difference((one.name,), "operation", "", "the operation is new", (False, True), one.at, one.at)
            )
    return Result(merged(found), len(common), comparison.tried, [*comparison.untried])


def _corresponding(old: Api, new: Api) -> tuple[tuple[Operations, Operations], list[Difference]]:
    """Return the operations of both, by method and path, and the difference of the servers.

    A part of the path may have moved from the servers to the paths, or back.
    """
    urls = [[str(one.get("url", "")).rstrip("/") for one in api.document.get("servers") or ()] for api in (old, new)]
    plain = _operations(old), _operations(new)
    bases = [urlsplit(own[0]).path if own else "" for own in urls]
    full = _operations(old, bases[0]), _operations(new, bases[1])
    if len(full[0].keys() & full[1].keys()) > len(plain[0].keys() & plain[1].keys()):
        return full, []
    lost, gained = ([one for one in urls[here] if one not in urls[1 - here]] for here in (0, 1))
    if not (lost or gained) or not all(urls):
        return plain, []
    told = [("is gone", lost), ("is new", gained)]
    words = "; ".join(f"{', '.join(some)} {what}" for what, some in told if some)
    return plain, [Difference((), "operation", "server", words, (bool(lost), False), ("servers",), ("servers",))]


def _operations(api: Api, base: str = "") -> dict[str, Operation]:
    """Return the operations of a document by method and path."""
    found: dict[str, Operation] = {}
    for path, raw in (api.document.get("paths") or {}).items():
        if path.startswith("x-"):
            continue
        if not path.startswith("/"):
            raise api.error(("paths", path), "a path must begin with a slash; correct it")
        place, item = api.requests.follow(("paths", path), raw)
        for method in METHODS:
            node = (item or {}).get(method.lower())
            if node is not None:
                at = (*place, method.lower())
                parameters = _parameters(api, path, [(at, node), (place, item)])
                key = f"{method} {base}" + re.sub(r"\{[^{}]*\}", "{}", path)
                found.setdefault(key, Operation(f"{method} {path}", at, node, parameters))
    return found


def _parameters(api: Api, path: str, nodes: Sequence[tuple[Place, Any]]) -> Parameters:
    """Return the parameters by place and name; those of a path by their position."""
    found: dict[tuple[str, str], tuple[Place, Mapping[str, Any]]] = {}
    variables = re.findall(r"\{([^{}]+)\}", path)
    for where, node in nodes:
        for index, one in enumerate(node.get("parameters") or ()):
            at, parameter = api.requests.follow((*where, "parameters", index), one)
            if not isinstance(parameter, dict) or not {"name", "in"} <= parameter.keys():
                raise api.error(at, "a parameter needs 'name' and 'in'; add them")
            name, kind = str(parameter["name"]), str(parameter["in"])
            if kind == "path" and name in variables:
                name = str(variables.index(name))
            elif kind == "header":
                name = name.lower()
            if not (kind == "header" and name in IGNORED):
                found.setdefault((kind, name), (at, parameter))  # that of the document, not that of its overlay
    return found


def _limits(old: Api, new: Api, common: Sequence[tuple[Operation, Operation]]) -> Iterator[Difference]:
    """Yield the changes of the limits that the overlay gives."""
    nodes: list[tuple[tuple[str, ...], tuple[Place, Any], tuple[Place, Any]]]
    nodes = [((), ((), old.document), ((), new.document))]
    nodes += [((two.name,), (one.at, one.node), (two.at, two.node)) for one, two in common]
    for operations, before, after in nodes:
        limits = _limit(old, *before), _limit(new, *after)
        if limits[0] == limits[1]:
            continue
        pairs = list(zip(*map(_allowance, limits), strict=True))
        breaks = any(two < one for one, two in pairs), any(two > one for one, two in pairs)
        told = zip(breaks, ("requests are now refused sooner", "more requests are now accepted"), strict=True)
        words = f"{limits[0] or 'off'} → {limits[1] or 'off'}: {' and '.join(text for is_so, text in told if is_so)}"
        places = [(*at, RATE_LIMIT_KEYWORD) for at, _ in (before, after)]
        yield Difference(operations, "request", "rate limit", words, breaks, places[0], places[1])


def _limit(api: Api, at: Place, node: Mapping[str, Any]) -> Limit | None:
    try:
        return Limit.parse(str(node.get(RATE_LIMIT_KEYWORD, "off")))
    except MockError as error:
        raise api.error((*at, RATE_LIMIT_KEYWORD), str(error)) from error


def _allowance(limit: Limit | None) -> tuple[float, float]:
    """Return the requests that are accepted at once, and in a second on average."""
    return (limit.requests, limit.requests / limit.seconds) if limit else (float("inf"), float("inf"))
