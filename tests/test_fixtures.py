"""Every file of fixtures/bodies is sent to the fake."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import requests

from mock_server.messages.outcome import Outcome
from tests.conftest import CAMPAIGN, ROOT, error_of, request_of

if TYPE_CHECKING:
    from pathlib import Path

    from mock_server import AltaMock

VALID = sorted((ROOT / "fixtures/bodies/valid").glob("*.json"))
INVALID = sorted((ROOT / "fixtures/bodies/invalid").glob("*.json"))


def test_there_are_bodies_of_both_kinds() -> None:
    """The tests below would pass without any file."""
    assert len(VALID) >= 15
    assert len(INVALID) >= 60


def test_the_running_fake_agrees_on_every_file(unlimited: AltaMock) -> None:
    """Over a socket, each file gets the status of its folder."""
    with unlimited.serve() as live, requests.Session() as session:
        session.headers.update({"Authorization": "Bearer test-token", "Content-Type": "application/json"})
        url = f"{live.url}/campaigns/{CAMPAIGN}/prospects"
        answers = {file: session.post(url, data=file.read_bytes(), timeout=5).status_code for file in VALID + INVALID}

    assert {file.stem: status for file, status in answers.items() if status != (200 if file in VALID else 400)} == {}


@pytest.mark.parametrize("file", VALID, ids=lambda file: file.stem)
def test_a_valid_body_is_stored_as_it_is(unlimited: AltaMock, file: Path) -> None:
    """The response is 200, and the records are stored as in the file."""
    body = file.read_bytes()

    assert unlimited.answer(request_of(body)).status == 200
    assert unlimited.prospects(CAMPAIGN) == json.loads(body)["data"]


@pytest.mark.parametrize("file", INVALID, ids=lambda file: file.stem)
def test_an_invalid_body_breaks_the_one_rule_it_is_named_after(unlimited: AltaMock, file: Path) -> None:
    """The response is 400 for only that rule, and nothing is stored."""
    outcome = unlimited.handle(request_of(file.read_bytes()))

    assert isinstance(outcome, Outcome)
    assert (outcome.reply.status, error_of(outcome.reply)) == (400, "ValidationError")
    assert [violation.rule for violation in outcome.violations] == [file.name.split(".")[0]]
    assert unlimited.prospects(CAMPAIGN) == []
