"""A client of a fake without limits, and one request for each operation."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from mock_server.messages.http import ApiReply, ApiRequest
from tests.conftest import CAMPAIGN, ONE

if TYPE_CHECKING:
    from mock_server import AltaMock

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
PROSPECT = "30000000-0000-4000-8000-000000000001"
THREAD = "60000000-0000-4000-8000-000000000001"
CONVERSATION = "80000000-0000-4000-8000-000000000007"
REP = "40000000-0000-4000-8000-000000000001"
OPT_OUTS = "/dnc/communication-opt-outs"
EMAILS, LINKEDIN = "/inbox/email/messages", "/inbox/linkedin/messages"


class Sent(NamedTuple):
    """A request: its target is the path and query below the base path, its body is sent as JSON."""

    method: str
    target: str
    body: Any = None

    def request(self, token: str | None = "test-token") -> ApiRequest:
        """Return the request as a transport would."""
        path, _, query = self.target.partition("?")
        raw = b"" if self.body is None else json.dumps(self.body).encode()
        headers = [("content-type", "application/json")] if raw else []
        headers += [("authorization", f"Bearer {token}")] if token else []
        return ApiRequest(self.method, f"/v1{path}", query, tuple(headers), raw)


REQUESTS = {
    "listCampaigns": Sent("GET", "/campaigns"),
    "createCampaign": Sent("POST", "/campaigns", {"name": "Autumn", "description": "Leaves"}),
    "getCampaign": Sent("GET", f"/campaigns/{CAMPAIGN}"),
    "pauseCampaign": Sent("POST", f"/campaigns/{CAMPAIGN}/pause", {"pauseProspects": True}),
    "resumeCampaign": Sent("POST", f"/campaigns/{CAMPAIGN}/resume", {"resumeProspects": True}),
    "addProspectsToCampaign": Sent("POST", f"/campaigns/{CAMPAIGN}/prospects", ONE),
    "listProspects": Sent("GET", "/prospects?limit=3"),
    "getProspect": Sent("GET", f"/prospects/{PROSPECT}"),
    "pauseProspect": Sent("POST", f"/prospects/{PROSPECT}/pause"),
    "resumeProspect": Sent("POST", f"/prospects/{PROSPECT}/resume"),
    "listPersons": Sent("GET", "/persons"),
    "getPerson": Sent("GET", "/persons/10000000-0000-4000-8000-000000000001"),
    "listCompanies": Sent("GET", "/companies"),
    "getCompany": Sent("GET", "/companies/20000000-0000-4000-8000-000000000001"),
    "listReps": Sent("GET", "/reps?ownedById=b0000000-0000-4000-8000-000000000001"),
    "getRep": Sent("GET", f"/reps/{REP}"),
    "listCalls": Sent("GET", "/calls?limit=2"),
    "getCall": Sent("GET", "/calls/50000000-0000-4000-8000-000000000001"),
    "listEmailMessages": Sent("GET", f"{EMAILS}?status=sent&type=received"),
    "getEmailMessage": Sent("GET", f"{EMAILS}/70000000-0000-4000-8000-000000000001"),
    "listLinkedinMessages": Sent("GET", f"{LINKEDIN}?unread=true"),
    "getLinkedinMessage": Sent("GET", f"{LINKEDIN}/90000000-0000-4000-8000-000000000015"),
    "assignTags": Sent("POST", "/tags/assign", {"entityId": THREAD, "entityType": "emailThread", "tags": ["hot"]}),
    "unassignTags": Sent("POST", "/tags/unassign", {"entityId": THREAD, "entityType": "emailThread", "tags": ["hot"]}),
    "listCommunicationOptOuts": Sent("GET", f"{OPT_OUTS}?search=OKORO"),
    "addCommunicationOptOuts": Sent(
        "POST", OPT_OUTS, {"identifiers": [{"identifier": "zoe@example.com", "identifierType": "email"}]}
    ),
    "deleteCommunicationOptOut": Sent(
        "DELETE", OPT_OUTS, {"identifier": "imani@okoro.example", "identifierType": "email"}
    ),
    "triggerAssistantCall": Sent(
        "POST", "/assistant/calls", {"assistantId": "any", "name": "Zoe", "phoneNumber": "+12025550190"}
    ),
}
"""One request for each operation, with ids of the bundled seed: its response is a 200."""

READS = {name: sent for name, sent in REQUESTS.items() if sent.method == "GET"}
LISTS = {name: sent for name, sent in READS.items() if name.startswith("list")}
WRITES = {name: sent for name, sent in REQUESTS.items() if sent.method != "GET"}
WITH_BODY = {name: sent for name, sent in WRITES.items() if sent.body}
IN_PATH = {name: sent for name, sent in REQUESTS.items() if UUID.search(sent.target.partition("?")[0])}
"""Those whose path names an object."""


class Api:
    """Sends requests to a fake; `get`, `post` and `delete` return the body of a 200."""

    def __init__(self, mock: AltaMock) -> None:
        self.mock = mock

    def send(self, method: str, target: str, body: Any = None, token: str | None = "test-token") -> ApiReply:
        """Return the response to a request."""
        return self.mock.answer(Sent(method, target, body).request(token))

    def get(self, target: str) -> Any:
        """Return what is at a target."""
        return self._body("GET", target, None)

    def post(self, target: str, body: Any = None) -> Any:
        """Post to a target."""
        return self._body("POST", target, body)

    def delete(self, target: str, body: Any) -> Any:
        """Delete at a target."""
        return self._body("DELETE", target, body)

    def ids(self, target: str) -> list[str]:
        """Return the ids of the objects of a list, at most 100."""
        return [one["id"] for one in self.get(f"{target}{'&' if '?' in target else '?'}limit=100")["data"]]

    def state(self) -> list[Any]:
        """Return everything that the fake has kept of requests to the API, apart from their quota."""
        kinds = ("campaigns", "prospects", "persons", "companies", "calls", "opt_outs")
        tagged = [f"{messages}?tag=hot" for messages in (EMAILS, LINKEDIN)]
        return [*map(self.mock.list, kinds), *map(self.ids, tagged)]

    def _body(self, method: str, target: str, body: Any) -> Any:
        reply = self.send(method, target, body)
        assert reply.status == 200, reply
        return json.loads(reply.body)


@pytest.fixture
def api(unlimited: AltaMock) -> Api:
    """A client of a fake without limits."""
    return Api(unlimited)
