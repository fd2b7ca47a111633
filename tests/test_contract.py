"""The contract: what is read from a document, and which documents are refused."""

from __future__ import annotations

import contextlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import AltaMock, MockError
from mock_server.contract.assumptions import load as load_assumptions
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.schemas import violations
from mock_server.messages.pointers import place
from tests.conftest import CAMPAIGN, ROOT, lost, request_of, why

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mock_server import Clock


@pytest.fixture
def published() -> dict[str, Any]:
    """The published document, for a test to change."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    return document


def contract_of(document: Any) -> Contract:
    """Load a document without an overlay."""
    return Contract.of(Document.parse(json.dumps(document, indent=1), "my.json"))


def test_the_published_document_is_served_by_itself() -> None:
    """It is a contract without limits, and without what only the overlay declares."""
    contract = Contract.of(Document.read(ROOT / "openapi.yaml"))
    operations = {operation.id: operation for operation in contract.operations}

    assert (contract.base_path, contract.limit, len(operations)) == ("/v1", None, 23)
    assert operations["addProspectsToCampaign"].limit is None
    assert set(operations["addProspectsToCampaign"].responses) == {200, 400, 401, 404, 429}
    assert set(operations["get /campaigns"].responses) == {200}


@pytest.mark.parametrize(
    ("old", "new"), [("ProspectRecord", "ProspectInput"), ("/campaigns/{campaignId}/prospects", "/v2/{campaignId}/add")]
)
def test_a_changed_document_does_not_lose_its_rules(tmp_path: Path, old: str, new: str) -> None:
    """Where the bundled overlay no longer fits a document, the fake does not start without the rules it adds."""
    file = tmp_path / "openapi.yaml"
    file.write_text((ROOT / "openapi.yaml").read_text(encoding="utf-8").replace(old, new), encoding="utf-8")

    with pytest.raises(MockError, match=r"openapi\.overlay\.yaml:\d+: the target .* selects nothing"):
        AltaMock(openapi=file)


def test_the_overlay_leaves_the_published_interface_alone() -> None:
    """The overlay only adds: the effective contract contains everything that the published document states."""
    contract = Contract.load()

    changed = lost(contract.published.value, contract.document)

    assert changed == ["/components/securitySchemes/bearerAuth/description"]  # a text that is extended


def test_the_overlay_says_where_everything_is_from() -> None:
    """Each action is documented or inferred, with a page, or assumed, with an existing entry."""
    overlay = Document.read(ROOT / "openapi.overlay.yaml").value
    known = {assumption.id for assumption in load_assumptions()}

    for action in overlay["actions"]:
        if action["x-evidence"] in {"documented", "inferred"}:
            assert re.match(r"https://(docs|support)\.altahq\.com/", action["x-source"])
        else:
            assert action["x-evidence"] == "assumed"
            assert action["x-assumption"] in known


def test_a_rule_has_a_file_and_a_line() -> None:
    """They are those of the published document, or of the overlay action that adds the rule."""
    contract = Contract.load()
    properties = "/components/schemas/ProspectRecord/properties"

    def line(pointer: str) -> tuple[str, str]:
        name, number = contract.origin(place(pointer, contract.document))
        with open(name, encoding="utf-8") as file:  # noqa: PTH123 - the name is a text
            return name.rpartition("/")[2], file.read().splitlines()[number - 1].strip()

    assert line(f"{properties}/email/maxLength") == ("openapi.yaml", "maxLength: 255")
    assert line("/components/schemas/AddProspectsToCampaignRequest/required") == ("openapi.yaml", "required:")
    assert line("/components/schemas/ProspectRecord/then/anyOf") == ("openapi.overlay.yaml", "anyOf:")
    assert line(f"{properties}/phone/type") == ("openapi.overlay.yaml", "type: string")


def test_a_second_operation_is_served_from_the_document_alone(second_operation: Path, clock: Clock) -> None:
    """Parameters, security and bodies work although no code names the operation (assumption unknown-parameter)."""
    mock = AltaMock(clock=clock, openapi=second_operation)
    trace = (("x-trace", "abc"),)

    def search(query: str, headers: tuple[tuple[str, str], ...] = trace) -> Any:
        request = request_of(b"", method="GET", path="/v1/campaigns/search", token=None, headers=headers)
        return mock.handle(type(request)(request.method, request.path, query, request.headers, b""))

    assert search("limit=5").reply.status == 501
    assert search("limit=5&archived=true&other=1").reply.status == 501
    rules = {
        query: [f"{one.rule} {one.place}{one.pointer}" for one in search(query).violations]
        for query in ("", "limit=0", "limit=101", "limit=x", "limit=1&limit=2", "limit=1&archived=yes", "limit=%ff")
    }
    assert rules == {
        "": ["required query/limit"],
        "limit=0": ["minimum query/limit"],
        "limit=101": ["maximum query/limit"],
        "limit=x": ["type query/limit"],
        "limit=1&limit=2": ["parameter-doubled query/limit"],
        "limit=1&archived=yes": ["type query/archived"],
        "limit=%ff": ["encoding query"],
    }
    assert [one.rule for one in search("limit=1", headers=()).violations] == ["required"]
    assert [one.rule for one in search("limit=1", headers=(("x-trace", "abcd"),)).violations] == ["maxLength"]
    # the text of a 400 is the same for a parameter: assumption error-message.
    assert search("").reply.body == b'{"error":"ValidationError","message":"Invalid request body"}'
    other = mock.answer(request_of(b"", method="GET", path=f"/v1/campaigns/{CAMPAIGN}/summary"))
    assert (other.status, other.header("RateLimit-Policy")) == (501, "100;w=60")
    assert mock.answer(request_of()).status == 200
    refused = mock.answer(request_of(method="POST", path=f"/v1/campaigns/{CAMPAIGN}/summary"))
    assert (refused.status, refused.header("Allow")) == (405, "GET")
    assert why(refused) == "method-unknown path: got POST; wanted GET"


def _set(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        for part in path[:-1]:
            document = document[part]
        document[path[-1]] = value

    return change


POST = ("paths", "/campaigns/{campaignId}/prospects", "post")
RECORD = ("components", "schemas", "ProspectRecord")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("openapi", value="3.0.3"), "/: not an OpenAPI 3.1 document"),
        (_set("swagger", value="2.0"), "/swagger: the keyword 'swagger' of a document is not supported"),
        (_set("webhooks", value={}), "/webhooks: .* the mock calls nobody"),
        (_set("paths", value={}), "/: the document has no 'paths'"),
        (_set("paths", value=[]), "/: the document has no 'paths'"),
        (_set("paths", value=[1]), "/paths: this must be an object"),
        (_set(*RECORD, "properties", "email", "nullable", value=True), "nullable.*write the type as a list"),
        (_set(*RECORD, "properties", "email", "format", value="phone"), "format: the format 'phone' is not checked"),
        (_set(*RECORD, "properties", "email", "type", value="text"), "this schema cannot be used"),
        (_set(*RECORD, "properties", "email", value="text"), "email: a schema must be an object"),
        (_set(*RECORD, "$ref", value="other.yaml#/X"), "only references within the document"),
        (_set(*RECORD, "$ref", value="#/components/schemas/Nope"), "this schema cannot be used"),
        (_set("components", "securitySchemes", "bearerAuth", "type", value="apiKey"), "only the security scheme"),
        (_set("components", "securitySchemes", "bearerAuth", "in", value="header"), "the keyword 'in'"),
        (_set("security", value=[{"oauth": []}]), "/security: the security scheme 'oauth' is not declared"),
        (_set(*POST, "callbacks", value={}), "callbacks.*the mock calls nobody"),
        (_set(*POST, "parameters", 0, "in", value="cookie"), "a parameter must be in path, query or header"),
        (_set(*POST, "parameters", 0, "style", value="label"), "only the default style is read"),
        (_set(*POST, "parameters", 0, "schema", "type", value="array"), "a parameter must be a single value"),
        (_set(*POST, "parameters", 0, value={}), "a parameter must be in"),
        (_set(*POST, "parameters", 0, value={"in": "path"}), "a parameter needs 'name' and 'schema'"),
        (_set(*POST, "parameters", value=[]), "the path parameter 'campaignId' is not declared"),
        (_set(*POST, "parameters", value={}), "/parameters: this must be a list"),
        (_set(*POST, "requestBody", "content", "text/plain", value={}), "only bodies of application/json"),
        (_set(*POST, "requestBody", "content", value={}), "a request body needs a schema"),
        (_set(*POST, "requestBody", "$ref", value="#/components/nope"), "leads nowhere"),
        (_set(*POST, "requestBody", "$ref", value="#/" + "/".join(POST[:1])), "a request body needs a schema"),
        (_set(*POST, "responses", "default", value={"description": "x"}), "only statuses of three digits"),
        (_set(*POST, "responses", value={}), "an operation needs 'responses'"),
        (_set(*POST, "x-alta-rate-limit", value="10/min"), "'10/min' is not a valid limit"),
        (_set("paths", "a", value={"get": {"responses": {"200": {}}}}), "/paths/a: a path must begin with a slash"),
        (_set("paths", "/a/{b}.json", value={"get": {"responses": {"200": {}}}}), "one {parameter}; split it"),
        (
            _set("paths", "/a", value={"get": {"operationId": "addProspectsToCampaign", "responses": {"200": {}}}}),
            "duplicate operationId 'addProspectsToCampaign'",
        ),
        (
            _set("components", "responses", "NotFound", "content", "application/json", "example", value={"error": 1}),
            "the example  ?breaks the schema",
        ),
        (
            _set(*POST, "requestBody", "content", "application/json", "example", value={"data": []}),
            "the example  ?breaks the schema: minItems",
        ),
    ],
)
def test_an_unsupported_document_is_refused(
    published: dict[str, Any], change: Callable[[Any], None], message: str
) -> None:
    """The message has file, line, pointer and remedy."""
    change(published)

    with pytest.raises(MockError, match=rf"^my\.json:\d+: .*{message}"):
        contract_of(published)


def test_circular_references_are_refused(published: dict[str, Any]) -> None:
    """They do not cause an endless loop."""
    published["components"]["responses"]["NotFound"] = {"$ref": "#/components/responses/BadRequest"}
    published["components"]["responses"]["BadRequest"] = {"$ref": "#/components/responses/NotFound"}

    with pytest.raises(MockError, match="the reference leads back to itself"):
        contract_of(published)


def test_the_request_examples_keep_the_contract() -> None:
    """There is one for each way to satisfy the contact rule (assumption request-examples)."""
    contract = Contract.load()
    (operation,) = (one for one in contract.operations if one.id == "addProspectsToCampaign")
    media = contract.document["paths"][operation.path]["post"]["requestBody"]["content"]["application/json"]
    used = [set(example["value"]["data"][0]) for example in media["examples"].values()]

    assert used == [{"email"}, {"linkedinUrl"}, {"phone"}, {"firstName", "lastName", "company"}]
    assert operation.body
    assert not any(violations(operation.body, example["value"]) for example in media["examples"].values())


def test_extensions_are_allowed_everywhere(published: dict[str, Any]) -> None:
    """`x-` keywords are meant for other tools."""
    for part in (published, published["paths"], published["info"], published["components"]["schemas"]["Error"]):
        part["x-anything"] = {"nullable": True}

    assert contract_of(published).operations


GET: dict[str, Any] = {"responses": {"200": {"description": "x"}}}


@pytest.mark.parametrize(
    "operation",
    [
        {"parameters": [{"name": "a", "in": ["query"], "schema": {}}]},
        {"parameters": [{"name": {}, "in": "query", "schema": {}}]},
        {"parameters": [{"name": 1, "in": "header", "schema": {}}]},
        {"parameters": [{"name": "a", "in": "query", "schema": {"format": {}}}]},
        {"parameters": [{"name": "a", "in": "query", "schema": {"type": 5}}]},
        {"parameters": [{"$ref": "#/openapi"}]},
        {"parameters": [{"$ref": "#/paths"}]},
        {"security": 5},
        {"security": [5]},
        {"security": [[{}]]},
        {"responses": {"200": {"description": "x", "content": {"application/json": {"examples": "x"}}}}},
        {"responses": {"200": {"description": "x", "content": {"application/json": {"examples": {"a": 1}}}}}},
        {"responses": {"200": {"$ref": "#/openapi"}}},
    ],
)
def test_a_document_of_another_shape_is_one_line(operation: dict[str, Any]) -> None:
    """A value of any wrong type is reported in one line."""
    with pytest.raises(MockError, match=r"^my\.json"):
        contract_of({"openapi": "3.1.0", "paths": {"/a": {"get": GET | operation}}})


def test_an_invalid_server_address_is_one_line() -> None:
    """The base path cannot be read from such a server."""
    with pytest.raises(MockError, match="not a valid OpenAPI document"):
        contract_of({"openapi": "3.1.0", "servers": [{"url": "http://["}], "paths": {"/a": {"get": GET}}})


@pytest.mark.slow
@given(data=st.data())
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_a_mutated_document_is_served_or_refused(data: st.DataObject) -> None:
    """Replacing any node by any value raises no exception except ours."""
    document: Any = yaml.safe_load((ROOT / "tests/add-prospects.openapi.yaml").read_text(encoding="utf-8"))
    node = document
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        child = node[key]
        if not isinstance(child, dict | list) or not child or data.draw(st.booleans()):
            node[key] = data.draw(st.sampled_from([None, True, 0, 1.5, "", "x", [], [1], {}, {"a": 1}, [{}]]))
            break
        node = child
    with contextlib.suppress(MockError):
        assert contract_of(document).operations is not None
