"""A fake whose clock moves only when a test advances it, and helpers to send requests to it."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mock_server import AltaMock, Clock
from mock_server.messages.http import ApiReply, ApiRequest

if TYPE_CHECKING:
    from collections.abc import Callable

collect_ignore = ["test_terminal.py", "test_workers.py"] if os.name == "nt" else []
"""For tests that need a pseudo-terminal or signals, which Windows lacks."""

ROOT = Path(__file__).parent.parent
CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
SECOND_CAMPAIGN = "5b1c7d0e-93a4-4f62-8a57-2f6f0c9d1e24"
FOREIGN_CAMPAIGN = "a7e4c2f8-61d3-4be0-9c15-7d20f4b8e913"
UNKNOWN_CAMPAIGN = "11111111-1111-4111-8111-111111111111"
ONE = {"data": [{"email": "ada@example.com"}]}
WITHOUT_SCHEMATHESIS = ("-p", "no:schemathesis", "-p", "no:hypothesispytest")
"""For a pytest in a process of its own: their plugins take a second and a half to import."""
FIELDS = ("firstName", "lastName", "company", "jobTitle", "email", "linkedinUrl")


def prospects_path(campaign: str = CAMPAIGN) -> str:
    """Return the raw path of the operation that adds prospects."""
    return f"/v1/campaigns/{campaign}/prospects"


def lost(before: Any, after: Any, at: str = "") -> list[str]:
    """Return where a document does not contain another one; a list may have more items at its end."""
    if isinstance(before, dict) and isinstance(after, dict):
        pairs = [(key, value, after.get(key)) for key, value in before.items()]
    elif isinstance(before, list) and isinstance(after, list) and len(before) <= len(after):
        pairs = [(index, *pair) for index, pair in enumerate(zip(before, after, strict=False))]
    else:
        return [] if before == after else [at]
    return [place for key, old, new in pairs for place in lost(old, new, f"{at}/{key}")]


def request_of(
    body: Any = ONE,
    *,
    path: str = prospects_path(),
    method: str = "POST",
    token: str | None = "test-token",
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),),
) -> ApiRequest:
    """Make a request; a body of bytes is sent as it is, anything else as JSON."""
    if token is not None:
        headers = (*headers, ("authorization", f"Bearer {token}"))
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return ApiRequest(method, path, "", headers, raw)


def error_of(reply: ApiReply) -> str:
    """Return the `error` of a body that has exactly the vendor's two members, both text."""
    body = json.loads(reply.body)
    assert set(body) == {"error", "message"}
    assert all(isinstance(text, str) for text in body.values())
    return str(body["error"])


def why(reply: ApiReply) -> str:
    """Return the header that explains a refusal."""
    return reply.header("X-Alta-Mock-Why") or ""


def calls_during(work: Callable[[], object]) -> int:
    """Return how many calls of Python functions a piece of work takes, on any machine."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return calls


@pytest.fixture(autouse=True)
def _no_colour_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the output independent of the environment's colour settings."""
    for name in ("NO_COLOR", "FORCE_COLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


class Terminal(io.StringIO):
    """A stream that records what is written to a terminal of 80 columns."""

    def isatty(self) -> bool:
        """Return True until the stream is closed."""
        return super().isatty() or True

    def screen(self) -> str:
        """Return the content of the current line."""
        shown = ""
        for text in self.getvalue().split("\r"):
            shown = text + shown[len(text) :]
        return shown.rstrip()


@pytest.fixture
def clock() -> Clock:
    """A clock at the start of 2026-01-01 UTC that only `advance` moves."""
    return Clock(lambda: 0, epoch=1_767_225_600 * 10**9)


@pytest.fixture
def mock(clock: Clock) -> AltaMock:
    """A fake with the default settings."""
    return AltaMock(clock=clock)


@pytest.fixture
def unlimited(clock: Clock) -> AltaMock:
    """A fake without limits."""
    return AltaMock(clock=clock, rate_limit="off", account_rate_limit="off")


@pytest.fixture
def send(mock: AltaMock) -> Callable[..., ApiReply]:
    """Send a request, made as by `request_of`, to the fake."""
    return lambda *args, **options: mock.answer(request_of(*args, **options))


@pytest.fixture
def judge(unlimited: AltaMock) -> Callable[..., ApiReply]:
    """Send a request, made as by `request_of`, to a fake without limits."""
    return lambda *args, **options: unlimited.answer(request_of(*args, **options))


@pytest.fixture
def second_operation(tmp_path: Path) -> Path:
    """The published document with two more operations, which have no handler."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    errors = {
        "400": {"$ref": "#/components/responses/BadRequest"},
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "404": {"$ref": "#/components/responses/NotFound"},
    }
    document["paths"]["/campaigns/{campaignId}/summary"] = {
        "parameters": [{"$ref": "#/components/parameters/CampaignId"}],
        "get": {"operationId": "summarizeCampaign", "responses": {"200": {"description": "A campaign."}, **errors}},
    }
    number = {"type": "integer", "minimum": 1, "maximum": 100}
    switch = {"name": "archived", "in": "query", "schema": {"type": "boolean"}}
    header = {"name": "X-Trace", "in": "header", "required": True, "schema": {"type": "string", "maxLength": 3}}
    document["paths"]["/campaigns/search"] = {
        "get": {
            "operationId": "searchCampaigns",
            "security": [],
            "parameters": [{"name": "limit", "in": "query", "required": True, "schema": number}, switch, header],
            "responses": {"200": {"description": "Campaigns."}, **errors},
        }
    }
    uuid = {"name": "campaignId", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    document["components"]["parameters"]["CampaignId"] = uuid
    file = tmp_path / "second.yaml"
    file.write_text(json.dumps(document, indent=1), encoding="utf-8")
    return file
