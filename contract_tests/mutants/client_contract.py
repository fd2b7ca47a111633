"""What our client must do, as properties that hold whatever it is answered.

The tests hold them against the client; `score` shows that they catch the faulty ones of `faulty_clients.py`.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlencode

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from alta_client import AltaClient, AltaError, NotFound
from alta_client.objects import Identifier
from contract_tests.consumer.runs import Environment, Script, Step, transport_of, until
from contract_tests.consumer.scenarios import PEOPLE
from contract_tests.fake import CAMPAIGN, TOKEN
from contract_tests.mutants.bench import START
from contract_tests.mutants.clients import right_client
from mock_server import AltaMock, Clock
from mock_server.journal.rules import Run, broken
from mock_server.journal.traffic import carried_out
from mock_server.messages.http import ApiRequest
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import injected_fault, injected_response

Make: TypeAlias = "Callable[[Environment], AltaClient]"
Draw: TypeAlias = "Callable[[Any], Any]"


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


# --- Schedules --------------------------------------------------------------------------------------------------------

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
schedules = st.lists(kinds, max_size=8)


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


def generated(examples: int, *, derandomize: bool = True) -> settings:
    """Return how many examples of a property are generated, and that they may take their time."""
    return settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


MOST_TOLERABLE = 3
"""Failures and refusals that a client gets over: a read is tried four times."""


def tolerable(schedule: Sequence[Any]) -> bool:
    """Return whether a client that reads gets over what is injected."""
    injected = [one for one in schedule if one]
    return len(injected) <= MOST_TOLERABLE and all(name != "status" or value == 500 for name, value in injected)


LISTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "list_calls": ("/calls", {}),
    "list_reps": ("/reps", {}),
    "list_email_messages": ("/inbox/email/messages", {"type": "received", "status": "sent"}),
    "list_communication_opt_outs": ("/dnc/communication-opt-outs", {"identifierType": "email"}),
}
"""Lists by method: the path, and filters."""


def reads_whole_lists(stage: Stage, make: Make, draw: Draw) -> str:
    """Read a list of any page size by any schedule: once and whole, in order, or an error is raised."""
    method, limit, schedule = draw(st.sampled_from([*LISTS])), draw(st.integers(1, 30)), draw(schedules)
    path, filters = LISTS[method]
    stage.begin([])
    query = urlencode({**filters, "limit": 100})
    whole = stage.mock.answer(ApiRequest("GET", f"/v1{path}", query, (("authorization", f"Bearer {TOKEN}"),), b""))
    objects = json.loads(whole.body)["data"]
    read: list[Any] = []

    def reads(at: Environment, _: object) -> None:
        named = {"identifier_type" if name == "identifierType" else name: value for name, value in filters.items()}
        read.extend(getattr(make(at), method)(limit=limit, **named))

    played = play(stage, [step_of(stage.mock, kind) for kind in schedule], reads, [])
    first = parse_qs(played.run.entries[0].unredacted.query)

    assert broken(replace(played.run, expected=None)) == {}
    assert first == {name: [value] for name, value in {**filters, "limit": str(limit)}.items()}
    assert {entry.method + entry.path for entry in played.run.entries} == {f"GET/v1{path}"}
    assert read == objects[: len(read)]
    assert isinstance(played.error, AltaError) or (played.error is None and read == objects)
    assert played.error is None or not tolerable(schedule), f"{played.error!r} after {schedule}"
    return type(played.error).__name__


WRITES: Sequence[Callable[[AltaClient], object]] = (
    lambda client: client.create_campaign("Spring"),
    lambda client: client.add_communication_opt_outs([{"identifier": "ada@example.com", "identifierType": "email"}]),
    lambda client: client.pause_campaign(CAMPAIGN),
    lambda client: client.add_prospects(CAMPAIGN, PEOPLE[:3]),
)


def writes_once(stage: Stage, make: Make, draw: Draw) -> str:
    """Write by any schedule: once, or an error is raised; only a 429 is sent again, after as long as it says."""
    write, schedule = draw(st.sampled_from(WRITES)), draw(schedules)
    played = play(stage, [step_of(stage.mock, kind) for kind in schedule], lambda at, _: write(make(at)), [])
    entries = played.run.entries

    assert broken(replace(played.run, expected=None)) == {}
    assert [entry.status for entry in entries[:-1]] == [429] * (len(entries) - 1)
    assert isinstance(played.error, AltaError) or (played.error is None and carried_out(entries[-1]))
    assert played.error is None or any(schedule)
    return type(played.error).__name__


def check_operations(stage: Stage, make: Make) -> None:
    """Call operations with all their parameters: each is sent as the contract says, and returned as it was sent."""
    stage.begin([])
    mock = stage.mock
    at = Environment(stage.url, TOKEN, CAMPAIGN, mock.clock.sleep, mock.clock.time)
    here = make(at)
    for name, (path, filters) in FILTERS.items():
        list(getattr(here, name)(**{snake: value for snake, (_, value) in filters.items()}))
        sent = parse_qs(mock.requests[-1].unredacted.query)
        assert mock.requests[-1].path == f"/v1{path}"
        assert sent == {camel: [value] for camel, value in filters.values()} | {"limit": ["100"]}
    for kind, method in OBJECTS.items():
        wanted = mock.list(kind)[0]["id"]
        got = getattr(here, method)(wanted)
        assert got == json.loads(mock.requests[-1].outcome.reply.body)
        assert got["id"] == wanted
        try:
            getattr(here, method)(UNKNOWN)
        except NotFound:
            continue
        raise AssertionError(f"{method} of an unknown id raises no NotFound")
    opt_out: Identifier = {"identifier": "ada@example.com", "identifierType": "email"}
    here.add_communication_opt_outs([opt_out])
    here.delete_communication_opt_out("ada@example.com", "email")
    assert [one.body for one in mock.requests[-2:]] == [{"identifiers": [opt_out]}, opt_out]
    many: list[Identifier] = [{"identifier": f"+{number}", "identifierType": "phone"} for number in range(501)]
    assert here.add_communication_opt_outs(many) == len(many)
    assert not [one.violations for one in mock.requests if one.status == 400]


UNKNOWN = "7d9f2c41-5b8e-4a36-9c0d-1e2f3a4b5c6d"
FILTERS: Mapping[str, tuple[str, Mapping[str, tuple[str, str]]]] = {
    "list_prospects": ("/prospects", {"campaign_id": ("campaignId", CAMPAIGN)}),
    "list_reps": ("/reps", {"owned_by_id": ("ownedById", UNKNOWN)}),
    "list_linkedin_messages": (
        "/inbox/linkedin/messages",
        {"prospect_id": ("prospectId", UNKNOWN), "rep_id": ("repId", UNKNOWN), "tag": ("tag", "a b&c")},
    ),
}
OBJECTS = {"campaigns": "get_campaign", "persons": "get_person", "calls": "get_call", "reps": "get_rep"}

PROPERTIES: Mapping[str, Callable[[Stage, Make, Draw], str]] = {
    "reads-whole-lists": reads_whole_lists,
    "writes-once": writes_once,
}
"""Each draws what it needs, and returns the name of the error that it met."""

OPERATIONS = "calls-as-documented"
"""The property that `check_operations` checks."""


def explored(holds: Callable[[Stage, Make, Draw], str], stage: Stage, make: Make, how: settings) -> set[str]:
    """Check a property by generated examples, and return what it has met."""
    met: set[str] = set()

    @how
    @given(st.data())
    def explore(data: st.DataObject) -> None:
        met.add(holds(stage, make, data.draw))

    explore()
    return met


def failures_of(make: Make, examples: int = 60) -> dict[str, str]:
    """Return which properties a client breaks, each with what shows it."""
    script = Script()
    mock = AltaMock(clock=Clock(lambda: 0, epoch=START), hooks=Hooks(inject=script), assume={"cursor-form": "long"})
    found = {}
    with transport_of(mock, "responses") as url:
        stage = Stage(mock, script, url)

        once = settings(generated(examples), phases=[Phase.generate])  # the shortest example is not needed
        checks: dict[str, Callable[[], object]] = {
            name: partial(explored, holds, stage, make, once) for name, holds in PROPERTIES.items()
        }
        checks[OPERATIONS] = partial(check_operations, stage, make)
        for name, check in checks.items():
            try:
                check()
            except Exception as error:  # noqa: BLE001 - a faulty client may raise anything
                found[name] = " ".join(
                    (str(error) or traceback.extract_tb(error.__traceback__)[-1].line or "").split()
                )[:200]
    return found
