"""The guard against a contract run that proves nothing."""

from __future__ import annotations

import pytest

from contract_tests.reporting.tally import Tally

pytest_plugins = ["pytester"]

ALL = [("add", 200), ("add", 400), ("add", 429)]


def test_a_run_that_reached_everything_has_no_problems() -> None:
    """Half of the valid requests are accepted, every status is seen, few requests are limited."""
    tally = Tally({("add", "valid", 200): 50, ("add", "valid", 404): 50, ("add", "invalid", 400): 99})
    tally.add("add", "invalid", 429)

    assert tally.problems(ALL) == []


@pytest.mark.parametrize(
    ("counts", "problem"),
    [
        ({}, "add: status 200 was never seen"),
        (
            {
                ("add", "valid", 200): 24,
                ("add", "valid", 404): 76,
                ("add", "invalid", 400): 9,
                ("add", "invalid", 429): 1,
            },
            "add: 24 of 100 valid requests were accepted, fewer than 25%",
        ),
        (
            {("add", "valid", 200): 90, ("add", "invalid", 400): 4, ("add", "invalid", 429): 6},
            "add: 6 of 100 requests were answered 429, more than 5%",
        ),
        ({("add", "valid", 200): 90, ("add", "invalid", 429): 1}, "add: status 400 was never seen"),
    ],
)
def test_what_was_not_reached_is_reported(counts: dict[tuple[str, str, int], int], problem: str) -> None:
    """The figures are in the message."""
    assert problem in Tally(counts).problems(ALL)


NAIVE = """
import pytest
import schemathesis
from contract_tests.fake import open_fake

@pytest.fixture(params=["free"])
def fake():
    with open_fake("in-process", "free", tick=0) as opened:
        yield opened

schema = schemathesis.pytest.from_fixture("api_schema").include(operation_id="addProspectsToCampaign")

@schema.parametrize()
def test_naive(case, tally):
    response = case.call()
    mode = "valid" if case.meta.generation.mode.value == "positive" else "invalid"
    tally.add("addProspectsToCampaign", mode, response.status_code)
    case.validate_response(response)
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "parallel"])
def test_the_naive_configuration_fails_although_its_checks_pass(pytester: pytest.Pytester, workers: list[str]) -> None:
    """Generated ids, the limiter on, a clock that stands still: every check passes, and nothing is proven."""
    pytester.makepyfile(NAIVE)
    result = pytester.runpytest_subprocess("-p", "contract_tests.plugin", "-p", "no:randomly", *workers)

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        [
            "NOT PROVEN addProspectsToCampaign: 0 of * valid requests were accepted, fewer than 25%",
            "NOT PROVEN addProspectsToCampaign: * requests were answered 429, more than 5%",
            "NOT PROVEN addProspectsToCampaign: status 200 was never seen",
        ]
    )
