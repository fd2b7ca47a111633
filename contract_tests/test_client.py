"""The thin client keeps the contract, whatever it is answered; and clients that do not are found out.

Through `responses` and over a socket, on a clock that only waits move.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
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
from contract_tests.consumer.runs import Environment, Script, Step, transport_of, until
from contract_tests.consumer.scenarios import PEOPLE, SCENARIOS
from contract_tests.fake import CAMPAIGN, TOKEN
from contract_tests.mutants.clients import client, right_client
from contract_tests.mutants.score import CLIENT, WRONG, examined
from mock_server import AltaMock, Clock
from mock_server.contract.contract import Contract
from mock_server.journal.rules import Run, broken
from mock_server.journal.traffic import Fate, fate_of, records_of
from mock_server.messages.injected import Injected
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import injected_fault, injected_response
from mock_server.state import Search


class Played:
    """One run of a client, and its result.

    Attributes:
        run: What the rules see.
        result: What it returned, None if it raised.
        error: What it raised, None if it returned.
    """

    def __init__(self, mock: AltaMock, url: str, add: Callable[..., object], people: Sequence[Any]) -> None:
        at = Environment(url, TOKEN, CAMPAIGN, mock.clock.sleep, mock.clock.time)
        self.result: object = None
        self.error: Exception | None = None
        try:
            self.result = add(at, people)
        except Exception as error:  # noqa: BLE001 - a wrong client may raise anything
            self.error = error
        self.run = Run(mock.requests, mock.prospects(CAMPAIGN), people, self.error is None)


@dataclass(frozen=True, slots=True)
class Stage:
    """A fake, the script of what it injects, and the base URL of one of its transports."""

    mock: AltaMock
    script: Script
    url: str

    def begin(self, steps: Iterable[Step]) -> None:
        """Return to the seed, and follow a script."""
        self.mock.reset()
        self.script.begin(steps)


def play(
    stage: Stage,
    steps: Sequence[Step] = (),
    add: Callable[..., object] = right_client,
    people: Sequence[Any] = PEOPLE,
) -> Played:
    """Let a client add people to a fake that answers by a script."""
    stage.begin(steps)
    return Played(stage.mock, stage.url, add, people)


TRANSPORTS = ("responses", "socket")
START = 1_767_225_600 * 10**9


@pytest.fixture(scope="module", params=TRANSPORTS)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A fake behind one of its transports; each run begins at its seed."""
    script = Script()
    mock = AltaMock(clock=Clock(lambda: 0, epoch=START), hooks=Hooks(inject=script))
    with transport_of(mock, request.param) as url:
        yield Stage(mock, script, url)


# --- Every list and every schedule ------------------------------------------------------------------------------------

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
numbered = st.integers(0, 10**6).map(lambda number: f"person.{number}@example.com")
person = st.fixed_dictionaries({"email": numbered}, optional={"firstName": text, "jobTitle": text, "note": text}) | (
    st.fixed_dictionaries({"firstName": text.map("A".__add__), "lastName": numbered, "company": numbered})
)
people_of = st.lists(person, min_size=1, max_size=65, unique_by=lambda one: json.dumps(one, sort_keys=True))
seconds = st.integers(0, 70)
WORDS = ("soon", "-1", "1e1", "", "60 s", "Thu, 32 Jan 2026 00:00:00 GMT")
kinds = st.one_of(
    st.none(),
    st.none(),
    st.tuples(st.just("seconds"), seconds),
    st.tuples(st.just("date"), seconds),
    st.tuples(st.just("untold"), st.sampled_from(WORDS[:3] + WORDS[4:])),
    st.tuples(st.just("status"), st.sampled_from([400, 401, 403, 404, 413, 500])),
    st.tuples(
        st.just("fault"),
        st.sampled_from(["connection_reset", "drop_after_commit", "truncate", "malformed_json", "html_502"]),
    ),
)


def step_of(mock: AltaMock, kind: tuple[str, Any] | None) -> Step:
    """Make a step of what was drawn."""
    if kind is None:
        return None
    name, value = kind
    if name == "date":
        return until(mock, value)
    if name == "fault":
        return injected_fault(value)
    if name == "status":
        return injected_response(value, mock.documented)
    return injected_response(429, mock.documented, retry_after=value)


@pytest.mark.timeout(300)
def test_every_list_and_every_schedule(stage: Stage, exploring_seed: int | None) -> None:
    """All rules hold, each wait is as long as Retry-After says, and the error says what became of every prospect."""
    mock = stage.mock
    seen: set[str] = set()

    @settings(
        max_examples=250,
        derandomize=exploring_seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
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
def test_every_page_and_every_schedule(stage: Stage, exploring_seed: int | None) -> None:
    """A list is read once and whole, in order, whatever is injected in between; or an error is raised."""
    mock = stage.mock
    seen: set[str] = set()
    mock.reset()
    calls = [one["id"] for one in mock.objects.list("calls", Search({}, account="acme"))]

    @settings(
        max_examples=150,
        derandomize=exploring_seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(1, 30), st.lists(kinds, max_size=12))
    def holds(limit: int, schedule: list[Any]) -> None:
        read: list[str] = []

        def reads(at: Environment, _: object) -> None:
            read.extend(one["id"] for one in client(at).list_calls(limit=limit))

        played = play(stage, [step_of(mock, kind) for kind in schedule], reads, [])
        seen.add(type(played.error).__name__)

        assert broken(replace(played.run, expected=None)) == {}
        assert read == calls[: len(read)]
        assert isinstance(played.error, AltaError) or (played.error is None and read == calls)
        assert len(read) in {*range(0, len(calls) + 1, limit), len(calls)}

    holds()
    assert seen >= {"NoneType", "BadRequest", "Unauthorized"}


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

    @settings(
        max_examples=60,
        derandomize=exploring_seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
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
