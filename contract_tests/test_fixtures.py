"""Each body of fixtures/bodies is judged three times; differences between the judges are known by name.

The judges are the fake, jsonschema on the effective contract, and jsonschema on the published document.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from contract_tests.fake import CAMPAIGN, TOKEN
from contract_tests.provider.schemathesis_rule import body_validator
from mock_server import AltaMock
from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract
from mock_server.messages.http import ApiRequest

FILES = sorted(bundled_files.data("fixtures/bodies").rglob("*.json"))

PROSE = {"contact-or-identity": "the document has this rule in descriptions only"}
"""Rules that the published document does not check, and why."""

ASSUMED = {"type.phone-is-number": "assumption phone-type: no schema declares phone"}
"""Files that only an assumption refuses."""

NO_JSON = {"body-missing", "encoding", "json-syntax", "lone-surrogate", "nesting", "number"}
"""Rules about bytes that are not valid JSON, which no schema judges."""


def valid(document: Any, value: Any) -> bool:
    """Return whether a value is valid by jsonschema and the schema of the request body in a document."""
    return bool(body_validator(document).is_valid(value))


def test_there_are_files() -> None:
    """The installed package has them, too."""
    assert len(FILES) >= 75


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_three_judges(file: Path) -> None:
    """The fake and the effective contract agree; the published document differs only where it is known to."""
    rule = file.name.split(".")[0]
    contract = Contract.load()
    mock = AltaMock()
    headers = (("authorization", f"Bearer {TOKEN}"), ("content-type", "application/json"))
    raw = file.read_bytes()
    status = mock.answer(ApiRequest("POST", f"/v1/campaigns/{CAMPAIGN}/prospects", "", headers, raw)).status

    assert status == (200 if file.parent.name == "valid" else 400)
    if file.parent.name == "invalid" and rule in NO_JSON:
        return
    value = json.loads(raw)
    assert valid(contract.document, value) == (status == 200)
    differs = file.parent.name == "invalid" and (rule in PROSE or file.stem in ASSUMED)
    assert (valid(contract.published.value, value) != (status == 200)) == differs
