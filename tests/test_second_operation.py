"""A further operation needs only a schema in the document, a handler, and objects in the seed."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import requests
import yaml

from mock_server import AltaMock
from mock_server.contract.contract import Contract
from mock_server.handlers import HANDLERS, READ
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.pipeline.hooks import Hooks
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, ROOT, UNKNOWN_CAMPAIGN, request_of, why

if TYPE_CHECKING:
    from pathlib import Path

    from mock_server import Clock
    from mock_server.messages.call import Call
    from mock_server.messages.http import ApiReply

SCHEMA = {
    "type": "object",
    "required": ["id", "name", "status"],
    "properties": {"id": {"type": "string", "format": "uuid"}, "status": {"enum": ["draft", "active", "paused"]}},
}
FIELDS = {"name": "fields", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 9, "default": 6}}


SHOWN = {
    "id": CAMPAIGN,
    "objectType": "campaign",
    "createdAt": "2026-01-05T08:00:00Z",
    "updatedAt": "2026-01-05T08:00:00Z",
    "name": "Q3 outreach",
    "status": "active",
}


def summarize_campaign(call: Call, context: Context) -> Result:
    """Return the first members of a campaign."""
    members = list(context.found.items())[: call.query["fields"]]
    return Result(body=dict(members))


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """The published document with a second operation."""
    value = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    errors = {
        "401": {"$ref": "#/components/responses/Unauthorized"},
        "404": {"$ref": "#/components/responses/NotFound"},
        "429": {"$ref": "#/components/responses/RateLimited"},
    }
    success = {"description": "A campaign.", "content": {"application/json": {"schema": SCHEMA}}}
    path = {"name": "campaignId", "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
    value["paths"]["/campaigns/{campaignId}/summary"] = {
        "parameters": [path, FIELDS],
        "get": {
            "operationId": "summarizeCampaign",
            "x-alta-rate-limit": "5/60s",
            "responses": {"200": success, **errors},
        },
    }
    file = tmp_path / "openapi.yaml"
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


@pytest.fixture
def mock(document: Path, clock: Clock) -> AltaMock:
    """A fake with a handler for the second operation."""
    handler = Handler(summarize_campaign, finds="campaign", permission=READ)
    hooks = Hooks(handlers=lambda handlers: {**handlers, "summarizeCampaign": handler})
    return AltaMock(clock=clock, openapi=document, hooks=hooks)


def get(mock: AltaMock, campaign: str = CAMPAIGN, query: str = "", **options: Any) -> ApiReply:
    """Send the second operation."""
    request = request_of(b"", method="GET", path=f"/v1/campaigns/{campaign}/summary", headers=(), **options)
    return mock.answer(type(request)(request.method, request.path, query, request.headers, request.body))


def test_it_is_served(mock: AltaMock) -> None:
    """It is routed, authenticated and validated, with the default of its query parameter."""
    reply = get(mock)

    assert (reply.status, json.loads(reply.body)) == (200, SHOWN)
    assert get(mock, token=None).status == 401
    assert get(mock, FOREIGN_CAMPAIGN).status == 404
    assert why(get(mock, UNKNOWN_CAMPAIGN)).startswith("object-unknown path/campaignId: got an id that no campaign")
    assert why(get(mock, query="fields=10")).startswith("maximum query/fields: ")


def test_it_is_limited(mock: AltaMock) -> None:
    """Its own limit and the limit across all operations apply."""
    statuses = [get(mock).status for _ in range(6)]

    assert statuses == [200] * 5 + [429]
    left = {quota["name"]: quota["remaining"] for quota in mock.quotas() if quota["account"] == "acme"}
    assert left == {"account": 94, "addProspectsToCampaign": 10, "summarizeCampaign": 0}


def test_it_is_journalled_shown_and_controllable(mock: AltaMock) -> None:
    """This holds in Python, over the socket, and in the control API."""
    mock.next(404)
    with mock.serve() as server, requests.Session() as session:
        session.headers["Authorization"] = "Bearer test-token"
        statuses = [session.get(f"{server.url}/campaigns/{CAMPAIGN}/summary", timeout=5).status_code for _ in range(2)]
        shown = session.get(f"{server.origin}/_mock/requests?brief=true", timeout=5).json()["data"]

    assert statuses == [404, 200]
    assert [entry.operation for entry in mock.requests] == ["summarizeCampaign"] * 2
    assert [(one["operation"], one["status"], one["injected"]) for one in shown] == [
        ("summarizeCampaign", 404, "404"),
        ("summarizeCampaign", 200, None),
    ]


def names() -> list[str]:
    """Return the names of operations, paths, schemas and kinds in the contract and the handlers."""
    contract = Contract.load()
    segments = {part for operation in contract.operations for part in operation.segments if part}
    kinds = {handler.finds for handler in HANDLERS.values() if handler.finds}
    schemas = set(contract.document["components"]["schemas"]) - {"Error"}
    return sorted({*HANDLERS, *schemas, *segments, *kinds} - {"call", "email", "tags"})  # also words of OpenAPI


def test_only_handlers_name_operations_and_resources() -> None:
    """No text of the other modules is such a name, or has such a name as a path segment."""
    words = re.compile(rf"(?:^|/)(?:{'|'.join(map(re.escape, names()))})(?:$|/)")
    found = []
    for file in sorted((ROOT / "mock_server").rglob("*.py")):
        if "handlers" in file.parts:
            continue
        tree = ast.parse(file.read_text(encoding="utf-8"))
        texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
        found += [
            f"{file.relative_to(ROOT)}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts
            if words.search(node.value)
        ]

    assert found == []
