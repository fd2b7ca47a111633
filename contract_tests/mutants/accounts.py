"""Mutants that let one account see or change what is another one's."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from contract_tests.fake import CAMPAIGN, TOKEN
from contract_tests.mutants.bench import Bench, bearer, register, with_header
from contract_tests.sources import OBJECTS
from mock_server.messages.http import ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle

OTHER = "other-token"


def _as_ours(request: ApiRequest) -> ApiRequest:
    return with_header(request, "authorization", f"Bearer {TOKEN}")


def _seen(bench: Bench, matches: Callable[[ApiRequest], bool]) -> None:
    """Answer another account as if it were ours."""
    bench.on_request(lambda request: _as_ours(request) if bearer(request) == OTHER and matches(request) else request)


def _done(bench: Bench, matches: Callable[[ApiRequest], bool]) -> None:
    """Do for another account what it asks for as if it were ours, and answer it as is right."""

    def handled(handle: Handle, request: ApiRequest, transport: str) -> Outcome:
        if bearer(request) == OTHER and matches(request):
            handle(_as_ours(request), transport)
        return handle(request, transport)

    bench.around(handled)


def _prospects(request: ApiRequest) -> bool:
    return request.method == "POST" and request.path == f"/v1/campaigns/{CAMPAIGN}/prospects"


register(
    OBJECTS,
    _seen,
    "campaign-filter-of-anybody",
    "Another account lists the prospects of our campaign by its id.",
    lambda request: request.path == "/v1/prospects" and "campaignId=" in request.query,
    operation="listProspects",
)
add = partial(register, OBJECTS, _done)
add("anybody-adds", "What another account adds to our campaign is answered 404, and stored.", _prospects)
add(
    "anybody-pauses",
    "Our campaign pauses for another account, although that gets a 404.",
    lambda request: request.path.endswith("/pause"),
    operation="pauseCampaign",
)
add(
    "anybody-opts-in",
    "Another account deletes our opt-out, although it gets a 404.",
    lambda request: request.method == "DELETE",
    operation="deleteCommunicationOptOut",
)
add(
    "anybody-tags",
    "Another account tags our messages.",
    lambda request: request.path == "/v1/tags/assign",
    operation="assignTags",
)
