"""The two documents of the contract: what the vendor publishes, and what the overlay adds."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_server.contract.contract import Contract
from mock_server.contract.operation import Operation
from mock_server.contract.schemas import violations
from mock_server.messages.pointers import at, place
from tests.conftest import CAMPAIGN, ROOT, lost

CONTRACT = Contract.load()
OPERATIONS = {operation.id: operation for operation in CONTRACT.operations}
LISTS = {name: operation for name, operation in OPERATIONS.items() if name.startswith("list")}
INFERRED = {"listPersons", "listCompanies", "listCalls", "resumeProspect", "assignTags"}
ENTITY = {"id": CAMPAIGN, "createdAt": "2024-01-12T14:00:00Z", "updatedAt": "2024-01-12T14:00:00Z"}
OBJECTS: dict[str, dict[str, Any]] = {
    "Campaign": {"objectType": "campaign", "name": "Q3", "status": "draft", "isArchived": False},
    "Prospect": {"objectType": "prospect", "personId": CAMPAIGN, "campaignId": CAMPAIGN},
    "Person": {"objectType": "person", "email": None, "city": "London"},
    "Company": {"objectType": "company", "name": None, "industries": []},
    "Rep": {"objectType": "rep", "name": "Ada"},
    "Call": {"objectType": "call", "from": "+1", "to": "+2", "callType": "web", "duration": 1.5},
    "EmailMessage": {
        "objectType": "email_message",
        "subject": "",
        "body": "",
        "from": None,
        "recipients": {"to": [{"name": "Ada", "email": "ada@example.com"}]},
        "sentAt": "2024-01-12T14:00:00Z",
    },
    "LinkedInMessage": {
        "objectType": "linkedin_message",
        "conversationId": "conv_abc123",
        "text": "",
        "type": "received",
        "status": "sent",
    },
    "CommunicationOptOut": {
        "objectType": "communication-opt-out",
        "identifier": "ada@example.com",
        "identifierType": "email",
        "isManuallyAdded": True,
    },
}
"""The smallest object of each kind, with its nulls."""


def kind_of(operation: Operation) -> str:
    """Return the schema name of the object, or of the objects on the page, in the 200 of an operation."""
    schema = at(
        CONTRACT.document,
        place(f"{operation.source}/responses/200/content/application~1json/schema", CONTRACT.document),
    )
    schema = schema["allOf"][1]["properties"]["data"]["items"] if "allOf" in schema else schema
    return str(schema["$ref"]).rpartition("/")[2]


def test_the_vendors_page_is_contained_unchanged() -> None:
    """The operation that adds prospects, and what it uses, is published as on its page, to the letter."""
    page = yaml.safe_load((ROOT / "tests" / "add-prospects.openapi.yaml").read_text(encoding="utf-8"))

    assert lost(page, CONTRACT.published.value) == []
    for kind in ("schemas", "responses", "securitySchemes"):
        for name, component in page["components"][kind].items():
            assert CONTRACT.published.value["components"][kind][name] == component
    path = "/campaigns/{campaignId}/prospects"
    assert CONTRACT.published.value["paths"][path] == page["paths"][path]


@pytest.mark.parametrize("document", [CONTRACT.published.value, CONTRACT.document], ids=["published", "effective"])
def test_the_documents_are_valid(document: Any) -> None:
    """They are OpenAPI 3.1, with sound schemas, defaults and references."""
    assert list(OpenAPIV31SpecValidator(copy.deepcopy(document)).iter_errors()) == []


def test_only_the_overlay_has_what_no_page_shows() -> None:
    """The vendor's pages show 23 operations, 14 of them with an operationId; five operations are inferred."""
    published = [one for item in CONTRACT.published.value["paths"].values() for one in item.values()]

    assert (len(published), len(OPERATIONS)) == (23, 28)
    assert len([one for one in published if "operationId" in one]) == 14
    assert set(OPERATIONS) > INFERRED
    assert INFERRED.isdisjoint(one.get("operationId") for one in published)


def test_every_operation_declares_what_it_may_respond_with() -> None:
    """200 is the only success, also of createCampaign (assumption create-status)."""
    for operation in OPERATIONS.values():
        path = {404} if "path" in operation.parameters or operation.id == "deleteCommunicationOptOut" else set()
        body = {413} if operation.body else set()
        assert set(operation.responses) == {200, 400, 401, 403, 429, 500} | path | body, operation.id


def test_every_list_is_paginated() -> None:
    """A limit is an integer from 1 to 100, by default 10; others are refused (assumption limit-out-of-bounds)."""
    assert len(LISTS) == 9
    for operation in LISTS.values():
        limit, cursor = operation.parameters["query"][:2]
        assert (limit.name, limit.default, cursor.name, cursor.required) == ("limit", 10, "cursor", False)
        accepted = [value for value in (0, 1, 100, 101, 1.5, True) if not violations(limit.schema, value)]
        assert accepted == [1, 100]


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_the_body_of_a_200(name: str) -> None:
    """It is an object of the kind that the operation names, a page of those, or nothing documented."""
    schema = OPERATIONS[name].responses[200]
    assert schema
    if name.startswith(("pause", "resume", "add", "assign", "unassign", "delete", "trigger")):
        assert schema.allows("x")
        return
    whole = ENTITY | OBJECTS[kind_of(OPERATIONS[name])]
    wrong = whole | {"objectType": "other"}

    def body(item: Any) -> Any:
        return {"data": [item], "hasMore": False} if name in LISTS else item

    assert violations(schema, body(whole)) == []
    assert [one.rule for one in violations(schema, body(wrong))] == ["enum"]
    for member in ("id", "createdAt", "updatedAt", "objectType"):
        assert violations(schema, body({key: value for key, value in whole.items() if key != member}))
    assert violations(schema, body(whole | {"createdAt": "yesterday"}))
    if name in LISTS:
        assert {one.got for one in violations(schema, {"next": "x"})} == {"no data", "no hasMore"}


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("listProspects", "campaignId"),
        ("listReps", "ownedById"),
        ("listEmailMessages", "emailThreadId campaignId prospectId repId status type tag lastPerThread"),
        ("listLinkedinMessages", "prospectId campaignId repId status type tag unread"),
        ("listCommunicationOptOuts", "identifierType search"),
        ("listCampaigns", ""),
    ],
)
def test_the_filters_of_the_lists(name: str, query: str) -> None:
    """One filter of email messages has a name that we chose (assumption last-per-thread-name)."""
    assert [parameter.name for parameter in LISTS[name].parameters["query"][2:]] == query.split()


def test_one_filter_has_a_default() -> None:
    """The status of LinkedIn messages is `sent` unless a request says otherwise; that of email messages is open."""
    defaults = {
        f"{name} {parameter.name}": parameter.default
        for name, operation in LISTS.items()
        for parameter in operation.parameters["query"][2:]
        if parameter.default is not None
    }

    assert defaults == {"listLinkedinMessages status": "sent"}


@pytest.mark.parametrize(
    ("name", "body", "refused"),
    [
        ("createCampaign", {"name": "Q3", "description": "x" * 255}, {"description": "x"}),
        ("createCampaign", {"name": "x" * 255}, {"name": "x" * 256}),
        ("pauseCampaign", {"pauseProspects": True}, {"pauseProspects": "true"}),
        ("resumeCampaign", {}, {"resumeProspects": None}),
        ("assignTags", {"entityId": CAMPAIGN, "entityType": "emailThread", "tags": ["a"]}, {"tags": ["a"]}),
        (
            "unassignTags",
            {"entityId": CAMPAIGN, "entityType": "linkedinConversation", "tags": ["a"]},
            {"entityId": CAMPAIGN, "entityType": "emailThread", "tags": []},
        ),
        (
            "addCommunicationOptOuts",
            {"identifiers": [{"identifier": "a", "identifierType": "web_chat"}]},
            {"identifiers": [{"identifier": "a"}]},
        ),
        ("deleteCommunicationOptOut", {"identifier": "a", "identifierType": "sms"}, {"identifier": "a"}),
        (
            "triggerAssistantCall",
            {"assistantId": "a", "name": "Ada", "phoneNumber": "+1", "callTransfer": {"message": "x"}},
            {"assistantId": "a", "name": "Ada", "phoneNumber": "+1", "callTransfer": {"message": 1}},
        ),
    ],
)
def test_the_bodies_of_requests(name: str, body: Any, refused: Any) -> None:
    """The first body is accepted, the second is not."""
    schema = OPERATIONS[name].body
    assert schema

    assert violations(schema, body) == []
    assert violations(schema, refused)


def test_at_most_500_opt_outs_are_added_at_once() -> None:
    """The page gives this bound."""
    schema = OPERATIONS["addCommunicationOptOuts"].body
    assert schema
    one = {"identifier": "a", "identifierType": "email"}

    assert violations(schema, {"identifiers": [one] * 500}) == []
    assert [found.rule for found in violations(schema, {"identifiers": [one] * 501})] == ["maxItems"]


def test_only_objects_are_a_batch() -> None:
    """A list of texts, such as the tags, is not an array of records."""
    batches = {name: operation.batch.member for name, operation in OPERATIONS.items() if operation.batch}

    assert batches == {"addProspectsToCampaign": "data", "addCommunicationOptOuts": "identifiers"}
