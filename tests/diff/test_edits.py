"""Each single edit of the contract is one difference, which breaks the right side; what says the same is none."""

from __future__ import annotations

import copy
import json
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from contract_tests.diff.documents import Api
from contract_tests.diff.operations import Result, compare
from contract_tests.mutants.derived import inlined
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from tests.diff.edits import Edit, edits, problems

KINDS: dict[str, list[Edit]] = {}
for _edit in edits():
    KINDS.setdefault(_edit.kind, []).append(_edit)

SAMPLE = [one for several in KINDS.values() for one in random.Random(7).sample(several, 1)]
"""An edit of each kind; `python -m tests.diff.edits` tries all."""


def compared(document: Any) -> Result:
    """Compare the contract with a document."""
    old = Contract.load().document
    return compare(Api.of(Document("old", old, "{}")), Api.of(Document("new", document, "{}")))


def test_there_are_edits_of_all_kinds() -> None:
    """There are more than sixty kinds, about all parts of requests and responses."""
    assert len(SAMPLE) > 60
    assert sum(map(len, KINDS.values())) > 1000


@pytest.mark.parametrize("edit", SAMPLE, ids=lambda edit: edit.name)
def test_an_edit_is_one_difference(edit: Edit) -> None:
    """It breaks the side that it should, and nothing else is reported."""
    assert problems(edit) == []


def shuffled(value: Any) -> Any:
    """Return a value whose members, and lists whose order means nothing, are in another order."""
    if isinstance(value, dict):
        pairs = [(key, sorted(one, key=str) if isinstance(one, list) else shuffled(one)) for key, one in value.items()]
        return dict(random.Random(3).sample(pairs, len(pairs)))
    return [shuffled(one) for one in value] if isinstance(value, list) else value


def undescribed(value: Any) -> Any:
    """Return a value without descriptions and examples."""
    if isinstance(value, dict):
        texts = {"description", "summary", "example", "examples", "tags", "operationId"}
        return {key: undescribed(one) for key, one in value.items() if key not in texts or isinstance(one, dict)}
    return [undescribed(one) for one in value] if isinstance(value, list) else value


def respelled(value: Any) -> Any:
    """Return a value with other forms of the same: `nullable`, `const`, a list of one type, a schema in `allOf`."""
    if isinstance(value, list):
        return [respelled(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: respelled(one) for key, one in value.items()}
    if isinstance(found.get("type"), list):
        found |= {"type": found["type"][0], "nullable": True}
    elif isinstance(found.get("enum"), list) and len(found["enum"]) == 1:
        found = {"allOf": [{"const": found.pop("enum")[0]}, found]}
    elif "maxLength" in found and "type" in found:
        found["allOf"] = [{"maxLength": found.pop("maxLength")}]
    elif found.get("type") == "string":
        found["type"] = ["string"]
    return found


def renamed(value: Any) -> Any:
    """Return a document whose path parameters and schemas have other names."""
    text = (
        json.dumps(value)
        .replace("{campaignId}", "{id}")
        .replace('"name": "campaignId", "in": "path"', '"name": "id", "in": "path"')
    )
    return json.loads(text.replace("schemas/Campaign", "schemas/Drive").replace('"Campaign":', '"Drive":'))


def exclusive(value: Any) -> Any:
    """Return a document with exclusive bounds of whole numbers."""
    return json.loads(json.dumps(value).replace('"minimum": 1,', '"exclusiveMinimum": 0,'))


@pytest.mark.parametrize(
    "change",
    [copy.deepcopy, shuffled, undescribed, lambda value: inlined(value, value), respelled, renamed, exclusive],
    ids=["itself", "shuffled", "without descriptions", "without references", "other forms", "other names", "exclusive"],
)
def test_what_says_the_same_is_no_difference(change: Callable[[Any], Any]) -> None:
    """Order, descriptions, references, names and equivalent forms change nothing."""
    document = change(Contract.load().document)
    begun = time.monotonic()
    result = compared(document)

    assert result.differences == []
    assert result.operations == 28
    assert time.monotonic() - begun < 5
