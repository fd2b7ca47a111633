"""`alta-mock trigger`: the events that it causes in a running fake, and its error messages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mock_server.cli.trigger import EVENTS
from mock_server.control.api import Control
from mock_server.handlers import events
from tests.conftest import CAMPAIGN, UNKNOWN_CAMPAIGN, request_of
from tests.test_cli import run

if TYPE_CHECKING:
    from mock_server import AltaMock


def test_it_knows_every_event(mock: AltaMock) -> None:
    """The command and the document of the control API name the events of the handlers."""
    schema = Control(mock).contract.document["components"]["schemas"]["Event"]

    assert tuple(events.EVENTS) == EVENTS
    assert schema["properties"]["event"]["enum"] == [*EVENTS]


@pytest.mark.parametrize(
    ("words", "kind", "members"),
    [
        (["email-reply", "--body", "Über!", "--subject", "Hi"], "email_message", {"body": "Über!", "subject": "Hi"}),
        (["linkedin-reply", "--text", "No."], "linkedin_message", {"text": "No.", "type": "received"}),
        (["call", "--seconds", "5", "--summary", "Later"], "call", {"duration": 5, "summary": "Later"}),
        (["opt-out"], "opt_outs", {"identifier": "ada@example.com"}),
    ],
)
def test_an_event_leaves_an_object(
    mock: AltaMock, capsys: pytest.CaptureFixture[str], words: list[str], kind: str, members: dict[str, object]
) -> None:
    """The command prints it as JSON, as the fake lists it."""
    mock.answer(request_of())
    prospect = mock.list("prospects", campaign_id=CAMPAIGN)[-1]["id"]
    with mock.serve() as server:
        code, out, err = run(capsys, "trigger", *words, "--prospect", prospect, "--url", server.url)
    printed = json.loads(out)

    assert (code, err) == (0, "")
    assert printed["id"] in [one["id"] for one in mock.list(kind)]
    assert {name: printed[name] for name in members} == members


def test_it_reads_url_and_token_from_the_environment(
    mock: AltaMock, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are those of a consumer and of `serve`; proxies are not used."""
    mock.answer(request_of())
    prospect = mock.list("prospects", campaign_id=CAMPAIGN)[-1]["id"]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("ALTA_MOCK_CONTROL_TOKEN", "right")
    with mock.serve("0.0.0.0", control_token="right") as server:
        monkeypatch.setenv("ALTA_BASE_URL", server.url.replace("127.0.0.1", "0.0.0.0"))
        code, _, err = run(capsys, "trigger", "call", "--prospect", prospect)

    assert (code, err) == (0, "")


def test_a_mistake_is_one_line(mock: AltaMock, capsys: pytest.CaptureFixture[str]) -> None:
    """The line says what is wrong; the exit code is 2."""
    prospect = mock.list("prospects")[0]["id"]
    nowhere = ["--url", "http://127.0.0.1:1/v1"]
    with mock.serve() as server:
        here = ["--url", server.url]
        for words, message in [
            (["call", "--prospect", UNKNOWN_CAMPAIGN, *here], f"no account has the prospect '{UNKNOWN_CAMPAIGN}'"),
            (["call", "--prospect", "x", *here], "format /prospectId"),
            (["call", "--prospect", prospect, "--body", "x", *here], "unknown field 'body' of call"),
            (["call", "--prospect", prospect, *nowhere], "no alta-mock answers at http://127.0.0.1:1/v1; start"),
            (["call", "--prospect", prospect, "--url", "nonsense"], "no alta-mock answers at nonsense; start"),
            (["call", "--prospect", prospect, "--url", f"{server.url}/x"], f"{server.url}/x: Resource not found"),
            (["reply", "--prospect", prospect], "'reply' is not one of 'email-reply', 'linkedin-reply'"),
            (["call"], "missing option '--prospect'"),
        ]:
            code, out, err = run(capsys, "trigger", *words)

            assert (code, out) == (2, ""), words
            assert err.startswith("alta-mock: ")
            assert err.count("\n") == 1
            assert message in err
