"""The thin client keeps the contract, whatever it is answered; and clients that do not are found out.

Through `responses` and over a socket, on a clock that only waits move.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st

from alta_client import (
    AltaClient,
    AltaError,
    BadRequest,
    Forbidden,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refused,
    ServerError,
    Unauthorized,
)
from contract_tests.consumer.runs import Script, Step, transport_of, until
from contract_tests.consumer.scenarios import PEOPLE, SCENARIOS
from contract_tests.fake import CAMPAIGN, TOKEN
from contract_tests.mutants.bench import START
from contract_tests.mutants.client_contract import (
    PROPERTIES,
    Stage,
    check_operations,
    explored,
    failures_of,
    generated,
    kinds,
    people_of,
    play,
    step_of,
)
from contract_tests.mutants.clients import client
from contract_tests.mutants.faulty_clients import FAULTY
from contract_tests.mutants.score import CLIENT, WRONG, examined
from mock_server import AltaMock, Clock
from mock_server.contract.contract import Contract
from mock_server.journal.rules import broken
from mock_server.journal.traffic import Fate, fate_of, records_of
from mock_server.messages.injected import Injected
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import injected_response

MET = {
    "reads-whole-lists": {"NoneType", "BadRequest", "Unauthorized"},
    "writes-once": {"NoneType", "OutcomeUnknown", "NotFound"},
}
"""Results that each property must have met."""

TRANSPORTS = ("responses", "socket")


@pytest.fixture(scope="module", params=TRANSPORTS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A fake behind one of its transports; each run begins at its seed."""
    script = Script()
    mock = AltaMock(clock=Clock(lambda: 0, epoch=START), hooks=Hooks(inject=script))
    with transport_of(mock, request.param) as url:
        yield Stage(mock, script, url)


# --- Every list and every schedule ------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
def test_every_list_and_every_schedule(stage: Stage, exploring_seed: int | None) -> None:
    """All rules hold, each wait is as long as Retry-After says, and the error says what became of every prospect."""
    mock = stage.mock
    seen: set[str] = set()

    @generated(250, derandomize=exploring_seed is None)
    @given(people_of, st.lists(kinds, max_size=8))
    def holds(people: list[Any], schedule: list[Any]) -> None:
        played = play(stage, [step_of(mock, kind) for kind in schedule], people=people)
        seen.add(type(played.error).__name__)

        assert broken(played.run) == {}
        *before, last = played.run.entries
        went_on = [entry for entry in before if fate_of(entry) is Fate.EITHER]  # it saw the 200 of what broke off
        certain = [
            one
            for entry in [*before, last]
            if fate_of(entry) is Fate.ADDED or entry in went_on
            for one in records_of(entry)
        ]
        if played.error is None:
            assert played.result == len(people)
            assert [one for one in played.run.stored if one] == people
        else:
            assert isinstance(played.error, AltaError)
            unknown = played.run.stored[len(certain) :]
            assert played.run.stored[: len(certain)] == certain == people[: len(certain)]
            assert played.error.added == len(certain)
            assert played.error.batch == people[len(certain) :][: len(played.error.batch)]
            assert unknown in ([], played.error.batch)
            assert not unknown or isinstance(played.error, OutcomeUnknown)

    holds()
    assert seen >= {"NoneType", "OutcomeUnknown", "ServerError"}
    assert len(seen) >= 6, seen


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", PROPERTIES)
def test_every_schedule(stage: Stage, name: str, exploring_seed: int | None) -> None:
    """What is read is whole, what is written is written once, whatever is injected; or an error is raised."""
    met = explored(PROPERTIES[name], stage, client, generated(150, derandomize=exploring_seed is None))

    assert met >= MET[name]


def test_every_operation(stage: Stage) -> None:
    """Each operation is called as the contract says, and its result is what was sent."""
    check_operations(stage, client)


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_client_is_caught_by_the_property_that_names_its_fault(name: str) -> None:
    """Each is our client with one other part."""
    assert FAULTY[name].caught_by in failures_of(FAULTY[name].make)


def test_our_client_is_not_caught() -> None:
    """It keeps what the faulty ones break."""
    assert failures_of(client) == {}


@pytest.mark.parametrize(("header", "waits"), [("7", 7), ("0", 0), ("59", 59), ("date", 7), ("3, 7", 7)])
def test_it_waits_as_long_as_retry_after_says(stage: Stage, header: str, waits: int) -> None:
    """Neither shorter nor longer; a date counts from the server's own, whatever the clock of the client says."""
    step = until(stage.mock, waits) if header == "date" else Injected(status=429, retry_after=header)
    stage.begin([step])
    slept: list[float] = []
    client = AltaClient(stage.url, TOKEN, sleep=slept.append, clock=lambda: 0.0)

    assert client.add_prospects(CAMPAIGN, PEOPLE[:5]) == 5
    assert slept == [waits]


def test_the_limit_is_never_run_into(stage: Stage) -> None:
    """The client pauses when the headers say that no request is left, so no batch is refused."""
    people = [{"phone": str(number)} for number in range(450)]
    played = play(stage, people=people)

    assert [entry.status for entry in played.run.entries] == [200] * 23
    assert stage.mock.clock.advanced >= 120 - 1
    assert broken(played.run) == {}


# --- Every documented answer ------------------------------------------------------------------------------------------

RESULTS: dict[int, type[AltaError] | None] = {
    200: None,
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    413: Refused,
    429: RateLimited,
    500: ServerError,
}


def answers_of(status: int) -> st.SearchStrategy[Any]:
    """Let Schemathesis make bodies of a documented answer: its schema, as if it were that of a request."""
    document = Contract.load().document
    operation = document["paths"]["/campaigns/{campaignId}/prospects"]["post"]
    answer = operation["responses"][str(status)]
    answer = document["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
    body = {"required": True, "content": answer.get("content", {"application/json": {"schema": {}}})}
    turned = {"openapi": "3.1.0", **copy.deepcopy({name: document[name] for name in ("info", "components")})}
    turned["paths"] = {"/answer": {"post": {"requestBody": body, "responses": {"200": {"description": "ok"}}}}}
    return schemathesis.openapi.from_dict(turned)["/answer"]["POST"].as_strategy().map(lambda case: case.body)


def test_every_documented_status_has_a_result() -> None:
    """Those of the table, and no other."""
    assert sorted(RESULTS) == AltaMock().documented


@pytest.mark.parametrize("status", sorted(RESULTS))
def test_every_documented_answer_leads_to_its_result(stage: Stage, status: int, exploring_seed: int | None) -> None:
    """Whatever its body, as far as the contract allows it."""
    mock = stage.mock
    bodies = []

    @generated(60, derandomize=exploring_seed is None)
    @given(answers_of(status))
    def holds(body: Any) -> None:
        bodies.append(body)
        step = injected_response(status, mock.documented, body=body)
        played = play(stage, [step] * 10, people=PEOPLE[:3])
        wanted = RESULTS[status]

        assert type(played.error) is (wanted or type(None))
        assert broken(played.run) == {}
        if isinstance(played.error, Refused):
            assert (played.error.status, bool(played.error.response)) == (status, False)
            assert played.error.error == " ".join(body["error"].split())[:200]
        if isinstance(played.error, AltaError):
            assert "***" in played.error.request.headers["Authorization"]  # type: ignore[attr-defined]  # its type is wider than what is there

    holds()
    assert len(bodies) >= 10


# --- What it may meet -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "slow"])
def test_ours_breaks_no_rule_in_any_scenario(stage: Stage, name: str) -> None:
    """A delay, which takes its time over a socket, is met by `alta-mock exec --consumer` and by `score`."""
    mock = stage.mock
    before: list[Step] = [] if SCENARIOS[name].first else [None]

    assert broken(play(stage, [*before, *SCENARIOS[name].steps(mock)]).run) == {}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_clients_are_caught_by_the_rule_that_names_their_fault(name: str) -> None:
    """Each in its scenario."""
    scored = examined(CLIENT + name)

    assert WRONG[name].caught_by in scored.caught, f"{scored.statement} {scored.caught}"
