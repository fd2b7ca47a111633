"""The fake as a target of Schemathesis, behind each transport, on a clock that advances with every request."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import Config
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from contract_tests.provider.target import Target
from mock_server import AltaMock, Clock
from mock_server.handlers import HANDLERS, SAMPLE
from mock_server.messages.http import ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle, Hooks

CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
TOKEN = "test-token"  # noqa: S105 - the seeded token is public
SECOND_CAMPAIGN = "5b1c7d0e-93a4-4f62-8a57-2f6f0c9d1e24"
FOREIGN_CAMPAIGN = "a7e4c2f8-61d3-4be0-9c15-7d20f4b8e913"

FEW = settings(
    max_examples=1,
    phases=[Phase.generate],
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

TICK = 6  # seconds between two requests: ten in a window of sixty, so that the limiter accepts all of them
FAKES = (("socket", "pinned"), ("in-process", "free"))
"""Transport and ids of the fakes under test: each of both once, since transports differ in no response.

`tests/api/test_every_operation.py` compares the responses of all transports.
"""


def seeded(url: str, **changes: Any) -> Target:
    """Return the target that a fake with the bundled seed is."""
    usual = Target(
        url, TOKEN, CAMPAIGN, "test-token-2", SECOND_CAMPAIGN, "other-token", FOREIGN_CAMPAIGN, "multi-token", "acme"
    )
    return replace(usual, **changes)


@dataclass(frozen=True)
class FakeUnderTest:
    """A fake, and Schemathesis' schema of its contract, which sends requests to it."""

    mock: AltaMock
    schema: Any


@contextmanager
def open_fake(
    transport: str, ids: str, *, tick: float = TICK, seed: int | None = None, **changes: Any
) -> Iterator[FakeUnderTest]:
    """Start a fake behind a transport: `in-process`, through WSGI, or `socket`.

    The clock advances only before each request, by `tick` seconds. Requests name known objects with the ids
    `pinned`, generated ones with `free`; without a seed they are the same every time. `changes` are settings of the
    fake.
    """
    clock = Clock(lambda: 0)

    def ticking(handle: Handle) -> Handle:
        def ticked(request: ApiRequest, transport: str) -> Outcome:
            clock.advance(tick)
            return handle(request, transport)

        return ticked

    mock = AltaMock(clock=clock, hooks=Hooks(around=ticking), **changes)
    document = copy.deepcopy(mock.contract.document)  # Schemathesis puts responses in place of references
    schema = schemathesis.openapi.from_dict(document, config=_config(pinned(mock), ids, seed))
    if transport == "in-process":
        schema.app = mock.app
        yield FakeUnderTest(mock, schema)
        return
    with mock.serve() as server:
        schema.config.update(base_url=server.url)
        yield FakeUnderTest(mock, schema)


def pinned(mock: AltaMock) -> dict[str, str]:
    """Return an id of the account for each path parameter of the contract."""
    first = {kind: value["id"] for kind, value in reversed(mock.seed.accounts[0].objects)}
    paths = {one.id: one.parameters["path"] for one in mock.contract.operations if "path" in one.parameters}
    return {path[-1].name: first[HANDLERS[name].finds or ""] for name, path in paths.items()}


def send_valid_requests(fake: FakeUnderTest) -> set[str]:
    """Send a valid request of each operation, check the responses, and return the operations that accepted one."""
    accepted = set()
    # Only a 409 would tell Schemathesis that a valid request is refused for the state of an object.
    excluded = [positive_data_acceptance] if "other-states" in fake.mock.choices.chosen else []
    ids = pinned(fake.mock)

    for operation in (result.ok() for result in fake.schema.get_all_operations()):

        @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
        @FEW
        def send(case: Any) -> None:
            if isinstance(case.query, dict):
                case.query.pop("cursor", None)  # its schema allows texts that are no cursor
            case.path_parameters = {name: ids[name] for name in case.path_parameters or ()}
            response = case.call()
            if response.status_code == HTTPStatus.OK:
                accepted.add(case.operation.definition.raw["operationId"])
            case.validate_response(response, excluded_checks=excluded)

        send()
    return accepted


def _config(known: dict[str, str], ids: str, seed: int | None) -> Config:
    settings: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {TOKEN}"},
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},  # black box: no literals from our source
        "generation": {"database": "none", "mode": "all", "max-examples": 10, "deterministic": seed is None},
    }
    settings["operations"] = [{"include-operation-id": SAMPLE.operation, "generation": {"max-examples": 40}}]
    if seed is not None:
        settings["seed"] = seed
    if ids == "pinned":
        settings["parameters"] = {f"path.{name}": value for name, value in known.items()}
    return Config.from_dict(settings)
