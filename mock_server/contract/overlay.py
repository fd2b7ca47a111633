"""OpenAPI Overlay 1.0: a document of changes, applied to another document.

https://spec.openapis.org/overlay/v1.0.0.html - an action removes its targets, or merges `update` into them:
objects key by key, arrays by appending, everything else replaced. An action whose target selects nothing is an error,
unless it says `x-optional: true`: a rule that silently disappears would make a fake accept anything.
"""

from __future__ import annotations

import copy
from typing import Any

import jsonpath_rfc9535
from jsonpath_rfc9535.exceptions import JSONPathError

from mock_server.contract.documents import Document
from mock_server.messages.errors import MockError
from mock_server.messages.pointers import Place, at, pointer

_ACTION_KEYS = {"target", "description", "update", "remove"}


Touched = list[tuple[Place, int]]
"""Places that an overlay changed, each with the index of the action."""


def apply(overlay: Document, value: Any) -> tuple[Any, Touched]:
    """Return a copy of a document's value with an overlay applied, and the places that it changed.

    Raises:
        MockError: It is not an Overlay 1.x, or an action is malformed.
    """
    head = overlay.value
    if not isinstance(head, dict) or not str(head.get("overlay", "")).startswith("1."):
        raise MockError(f"{overlay.name}:1: not an OpenAPI Overlay; it must begin with 'overlay: 1.0.0'")
    if not isinstance(head.get("actions"), list):
        raise MockError(f"{overlay.name}:1: an overlay needs 'actions', a list")
    value = copy.deepcopy(value)
    touched: Touched = []
    for index, action in enumerate(head["actions"]):
        try:
            touched.extend((location, index) for location in _act(action, value))
        except _Malformed as error:
            raise MockError(f"{overlay.name}:{overlay.line(['actions', index])}: {error}") from error
    return value, touched


class _Malformed(Exception):
    """What is wrong with an action."""


def _act(action: Any, value: Any) -> list[Place]:
    if not isinstance(action, dict) or not isinstance(action.get("target"), str):
        raise _Malformed("an action needs a 'target', a JSONPath")
    unknown = [key for key in action if key not in _ACTION_KEYS and not str(key).startswith("x-")]
    if unknown:
        raise _Malformed(f"an action has no {unknown[0]!r}; it has {', '.join(sorted(_ACTION_KEYS))}")
    try:
        nodes = list(jsonpath_rfc9535.find(action["target"], value))
    except JSONPathError as error:
        raise _Malformed(f"{action['target']!r} is not a JSONPath: {error}") from error
    if not nodes and action.get("x-optional") is not True:
        raise _Malformed(
            f"the target {action['target']!r} selects nothing; correct it, or mark it with x-optional: true"
        )
    locations = [node.location for node in nodes]
    for location in reversed(locations):  # so that removing from an array does not move what is still to go
        if action.get("remove") is True:
            if not location:
                raise _Malformed("the whole document cannot be removed")
            del at(value, location[:-1])[location[-1]]
        elif "update" in action:
            _merge(at(value, location), action["update"], location)
        else:
            raise _Malformed("an action needs 'update', or 'remove: true'")
    return locations


def _merge(target: Any, update: Any, at_target: Place) -> None:
    if isinstance(target, list):
        target.append(copy.deepcopy(update))
    elif isinstance(target, dict) and isinstance(update, dict):
        for key, change in update.items():
            if isinstance(target.get(key), dict) and isinstance(change, dict):
                _merge(target[key], change, at_target)
            elif isinstance(target.get(key), list) and isinstance(change, list):
                target[key].extend(copy.deepcopy(change))
            else:
                target[key] = copy.deepcopy(change)
    else:
        raise _Malformed(f"target {pointer(*at_target)} is neither an object nor an array; only those can be updated")
