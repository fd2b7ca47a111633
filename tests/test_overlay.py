"""OpenAPI Overlay 1.0, action by action."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mock_server import MockError
from mock_server.contract.documents import Document
from mock_server.contract.overlay import apply


def applied(value: Any, *actions: dict[str, Any]) -> Any:
    """Apply actions to a value."""
    overlay = {"overlay": "1.0.0", "info": {}, "actions": list(actions)}
    return apply(Document.parse(json.dumps(overlay), "o.json"), value)[0]


def test_update_merges_objects_and_appends_to_arrays() -> None:
    """Keys are merged deeply, arrays are extended, other values are replaced; the original is not changed."""
    before = {"a": {"b": 1, "c": [1]}, "d": 1}
    after = applied(before, {"target": "$", "update": {"a": {"b": 2, "c": [2], "e": {}}, "d": [3]}})

    assert after == {"a": {"b": 2, "c": [1, 2], "e": {}}, "d": [3]}
    assert before == {"a": {"b": 1, "c": [1]}, "d": 1}


def test_an_array_that_is_the_target_gets_the_update_as_an_item() -> None:
    """The specification requires this."""
    assert applied({"a": [1]}, {"target": "$.a", "update": {"x": 1}}) == {"a": [1, {"x": 1}]}


def test_remove_deletes_every_target() -> None:
    """Several items of one array may be deleted."""
    assert applied({"a": [1, 2, 3, 4]}, {"target": "$.a[?@ > 2]", "remove": True}) == {"a": [1, 2]}
    assert applied({"a": 1, "b": 2}, {"target": "$.a", "remove": True}) == {"b": 2}


@pytest.mark.parametrize("change", [{"update": {"x": 1}}, {"remove": True}])
def test_a_target_that_selects_nothing_is_an_error(change: dict[str, Any]) -> None:
    """The message has the line and the remedy; otherwise a changed document would lose a rule silently."""
    with pytest.raises(MockError, match=r"^o\.json:1: the target '\$\.b' selects nothing; .* x-optional: true"):
        applied({"a": 1}, {"target": "$.b", **change})


def test_an_optional_action_may_select_nothing() -> None:
    """One overlay can serve several versions of a document."""
    changes: list[dict[str, Any]] = [{"update": {}}, {"remove": True}]
    actions = [{"target": "$.b", "x-optional": True, **change} for change in changes]

    assert applied({"a": 1}, *actions) == {"a": 1}


def test_actions_are_applied_in_order() -> None:
    """Later actions see the result of earlier ones."""
    steps = ({"target": "$", "update": {"b": {}}}, {"target": "$.b", "update": {"c": 1}})

    assert applied({}, *steps) == {"b": {"c": 1}}


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"update": {}}, "needs a 'target'"),
        ({"target": "$"}, "needs 'update', or 'remove: true'"),
        ({"target": "$", "remove": False}, "needs 'update', or 'remove: true'"),
        ({"target": "$", "remove": True}, "the whole document cannot be removed"),
        ({"target": "$..[", "update": {}}, "is not a JSONPath"),
        ({"target": "$.a", "update": {}}, "neither an object nor an array"),
        ({"target": "$", "update": 3}, "neither an object nor an array"),
        ({"target": "$", "updates": {}}, "has no 'updates'"),
        ("x", "needs a 'target'"),
    ],
)
def test_a_malformed_action_is_refused_with_its_line(action: Any, message: str) -> None:
    """The message names the file, the line and what is wrong."""
    with pytest.raises(MockError, match=rf"^o\.json:1: .*{message}"):
        applied({"a": 1}, action)


@pytest.mark.parametrize("head", [[], {}, {"overlay": "2.0.0", "actions": []}, {"overlay": "1.0.0"}])
def test_another_document_is_refused(head: Any) -> None:
    """The file is not an overlay."""
    with pytest.raises(MockError, match=r"^o\.json:1: "):
        apply(Document.parse(json.dumps(head), "o.json"), {})
