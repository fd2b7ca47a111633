"""Schemathesis against the effective contract: every phase, valid and invalid data, all checks, with the limiter."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings

from contract_tests.fake import CAMPAIGN, TOKEN, FakeUnderTest, open_fake
from contract_tests.reporting.tally import Tally
from mock_server.handlers import SAMPLE

schema = schemathesis.pytest.from_fixture("api_schema")


@schema.parametrize()
def test_every_response_keeps_the_contract(case: Any, tally: Tally) -> None:
    """Examples, boundary values and random data: for known objects over a socket, for unknown ones in process."""
    mode = "valid" if case.meta.generation.mode.value == "positive" else "invalid"
    if mode == "valid" and isinstance(case.query, dict):
        case.query.pop("cursor", None)  # its schema allows texts that are no cursor
    response = case.call()
    tally.add(case.operation.definition.raw["operationId"], mode, response.status_code)
    case.validate_response(response)


BOUND = "00000000-0000-4000-8000-000000000"

STATUSES: dict[int, dict[str, Any]] = {
    200: {},
    400: {"body": {"data": []}},
    401: {"token": "wrong-token"},
    403: {"token": "test-token-readonly"},
    404: {"campaign": "11111111-1111-4111-8111-111111111111"},
    413: {"body": {"data": [{"email": "x" * 1_048_576}]}},
    429: {"campaign": f"{BOUND}429"},
    500: {"campaign": f"{BOUND}500"},
}


@pytest.mark.parametrize("fake", [("in-process", "free"), ("socket", "free")], ids="-".join, indirect=True)
def test_every_documented_status_is_reached(fake: FakeUnderTest, tally: Tally) -> None:
    """One request for each status, and its response keeps the contract."""
    operation = fake.schema.find_operation_by_id(SAMPLE.operation)
    declared = {int(status) for status in operation.definition.raw["responses"]}
    for status, change in STATUSES.items():
        response = _case(operation, **change).call()
        tally.add(
            operation.definition.raw["operationId"], "valid" if status == 200 else "invalid", response.status_code
        )

        assert response.status_code == status
        operation.validate_response(response)
    assert set(STATUSES) == declared


@pytest.mark.parametrize("fake", [("in-process", "free"), ("socket", "free")], ids="-".join, indirect=True)
def test_rare_statuses_of_every_operation(fake: FakeUnderTest, tally: Tally) -> None:
    """A request asks for them by Prefer, since no generated one gets them; a body that is too large gets a 413."""
    for operation in (result.ok() for result in fake.schema.get_all_operations()):
        raw = operation.definition.raw
        for status in {int(status) for status in raw["responses"]} & {403, 413, 429, 500}:
            too_large = status == 413
            case = operation.Case(
                path_parameters={one.name: CAMPAIGN for one in operation.path_parameters},
                headers={"Authorization": f"Bearer {TOKEN}", **({} if too_large else {"Prefer": f"code={status}"})},
                **({"body": {"x": "x" * 1_048_576}, "media_type": "application/json"} if too_large else {}),
            )
            response = case.call()
            tally.add(raw["operationId"], "invalid", response.status_code)

            assert response.status_code == status
            operation.validate_response(response)


def test_the_contract_of_the_fake_stays_as_it_is() -> None:
    """Schemathesis works on a copy: it writes into the document that it is given."""
    with open_fake("in-process", "free") as fake:
        before = json.dumps(fake.mock.contract.document)
        fake.schema.as_state_machine()

        assert json.dumps(fake.mock.contract.document) == before != json.dumps(fake.schema.raw_schema)


@pytest.mark.parametrize("fake", [("in-process", "free")], ids="-".join, indirect=True)
def test_sequences_of_requests_keep_the_contract(fake: FakeUnderTest) -> None:
    """Schemathesis sends the ids of one response in the next request: generated ids would find no object.

    The campaigns of the seed that answer with an error, whatever the request, are left out.
    """
    found: set[str] = set()
    bound = {object_id for _, object_id in fake.mock.seed.bound}

    class Sequences(fake.schema.as_state_machine()):  # type: ignore[misc]  # the base class is made at run time
        def before_call(self, case: Any) -> None:
            if isinstance(case.query, dict):
                case.query.pop("cursor", None)

        def validate_response(self, response: Any, case: Any, **options: Any) -> None:
            if not bound & {str(one).lower() for one in (case.path_parameters or {}).values()}:
                super().validate_response(response, case, **options)

        def after_call(self, response: Any, case: Any) -> None:
            if response.status_code == 200 and case.operation.path_parameters:
                found.add(case.operation.definition.raw["operationId"])

    Sequences.run(
        settings=settings(
            max_examples=30,
            stateful_step_count=10,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
    )

    assert len(found) > 5


@pytest.mark.parametrize("fake", [("in-process", "pinned"), ("socket", "pinned")], ids="-".join, indirect=True)
@pytest.mark.parametrize("tick_seconds", [0])
def test_the_limit_is_kept(fake: FakeUnderTest) -> None:
    """While the clock stands still the eleventh request is refused, by a response that keeps the contract."""
    operation = fake.schema.find_operation_by_id(SAMPLE.operation)
    responses = [_case(operation).call() for _ in range(11)]

    assert [response.status_code for response in responses] == [200] * 10 + [429]
    for response in responses:
        operation.validate_response(response)
    assert {name.lower(): value[0] for name, value in responses[10].headers.items()}["retry-after"] == "60"


def _case(operation: Any, *, campaign: str = CAMPAIGN, body: Any = SAMPLE.body, token: str = TOKEN) -> Any:
    return operation.Case(
        path_parameters={"campaignId": campaign},
        headers={"Authorization": f"Bearer {token}"},
        body=body,
        media_type="application/json",
    )
