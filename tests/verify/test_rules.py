"""The rules one by one, on runs and answers made for them: what they accuse, what they do not, what they leave out."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.fake import seeded
from contract_tests.mutants.score import examined
from contract_tests.provider.documented import Routed
from contract_tests.provider.limit_rules import wrong_headers
from contract_tests.provider.probes import ProbeFactory
from contract_tests.provider.rules import RULES as PROVIDER_RULES
from contract_tests.provider.session import Options
from contract_tests.provider.verification import verify_provider
from contract_tests.provider.wire import InProcess, Request, Response
from mock_server.contract.limits import Limit
from mock_server.journal.rules import RULES, Run, broken
from mock_server.journal.traffic import Fate, fate_of
from tests.conftest import CAMPAIGN, SECOND_CAMPAIGN, prospects_path, request_of

if TYPE_CHECKING:
    from mock_server import AltaMock, Clock

A, B, C = ({"email": f"{name}@example.com"} for name in "abc")
JSON = ("content-type", "application/json")


def add(*records: Any, **how: Any) -> Any:
    """Make a request that adds records."""
    return request_of({"data": list(records)}, **how)


def run_of(mock: AltaMock, *sent: Any, **how: Any) -> Run:
    """Send requests to a fake, and return the run they make."""
    for one in sent:
        mock.answer(one)
    return Run(mock.requests, mock.prospects(CAMPAIGN), how.pop("expected", None), how.pop("succeeded", True), **how)


# --- Of a consumer ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        "gives-up",
        "stops-when-nothing-can-succeed",
        "takes-no-token-elsewhere",
        "waits-for-retry-after",
        "careful-with-5xx",
    ],
)
def test_what_was_not_met_is_not_exercised(mock: AltaMock, rule: str) -> None:
    """Which is another thing than kept."""
    assert RULES[rule].judge(run_of(mock, add(A))) is None


def test_what_was_met_and_kept(unlimited: AltaMock) -> None:
    """It is exercised, and nothing is wrong."""
    unlimited.next(404)
    run = run_of(unlimited, add(A), succeeded=False)
    assert RULES["stops-when-nothing-can-succeed"].judge(run) == []
    assert RULES["sends-nothing-twice"].judge(run) is None
    assert RULES["sends-nothing-twice"].judge(run_of(unlimited, add(B))) == []


@pytest.mark.parametrize(
    ("sent", "rules"),
    [
        (add(A), set()),
        (add(A, token="nobody"), {"bearer-header"}),
        (add(A, token=None), {"bearer-header"}),
        (add(A, token=None, headers=(JSON, ("authorization", "Token test-token"))), {"bearer-header"}),
        (add(A, headers=(JSON, JSON)), {"sends-json"}),
        (add(A, headers=(JSON, ("x-copy", "test-token"))), {"token-nowhere-else"}),
        (add({**A, "note": "test-token"}), {"token-nowhere-else"}),
        (request_of(b'{"data":[{"email":"\xff"}]}'), {"sends-json"}),
        (request_of([A]), {"valid-body"}),
        (request_of({"data": "x"}), {"valid-body"}),
        (add(*[A] * 21), {"keeps-the-batch-size"}),
        (add(), {"keeps-the-batch-size"}),
    ],
)
def test_what_is_sent(mock: AltaMock, sent: Any, rules: set[str]) -> None:
    """Each request by itself."""
    found = broken(run_of(mock, sent, succeeded=None)).keys()

    assert rules <= found
    assert rules or not found


@pytest.mark.parametrize(("pause", "count", "wrong"), [(2, 4, False), (2, 5, True), (1.5, 2, False), (0.5, 2, True)])
def test_a_batch_again_after_a_500(unlimited: AltaMock, clock: Clock, pause: float, count: int, wrong: bool) -> None:  # noqa: FBT001 - a table
    """Three times, with pauses, is careful enough."""
    unlimited.next(500, times=count)
    for _ in range(count):
        unlimited.answer(add(A))
        clock.advance(pause)

    assert ("careful-with-5xx" in broken(run_of(unlimited, succeeded=False))) == wrong


@pytest.mark.parametrize(("before", "refusals", "wrong"), [(30, 1, False), (1, 20, False), (1, 21, True)])
def test_refused_again_and_again(unlimited: AltaMock, before: int, refusals: int, wrong: bool) -> None:  # noqa: FBT001 - a table
    """Only 429s in a row count."""
    sent = [add({"email": str(number)}) for number in range(before)]
    run_of(unlimited, *sent)
    unlimited.next(429, times=refusals, retry_after=0)

    assert ("gives-up" in broken(run_of(unlimited, *[add(A)] * refusals, succeeded=False))) == wrong


def test_another_campaign_or_another_token_may_have_better_luck(unlimited: AltaMock) -> None:
    """Nobody is accused of trying that."""
    unlimited.next(404)
    there = add(B, path=prospects_path(SECOND_CAMPAIGN))
    assert broken(run_of(unlimited, add(A), there, succeeded=False)) == {}
    unlimited.reset()
    found = broken(run_of(unlimited, add(A, token="nobody"), add(A), succeeded=True))
    assert "does-not-repeat-what-was-refused" not in found


@pytest.mark.parametrize(
    ("sent", "how", "rules"),
    [
        ([add(A), add(A)], {}, {"sends-nothing-twice"}),
        ([add(A, B, C, A), add(C)], {"expected": [A, B, C, A, C]}, set()),
        ([add(A), add(A, path=prospects_path(SECOND_CAMPAIGN))], {"expected": [A]}, set()),
        ([add(A), add(C)], {"expected": [A, B, C], "succeeded": False}, {"records-untouched", "takes-any-success"}),
        ([add(A)], {"expected": [A, B], "ended": False, "succeeded": None}, {"ends-by-itself"}),
        ([add(A)], {"expected": [A, B], "succeeded": None}, {"records-untouched"}),
        ([], {"expected": [A]}, {"reports-the-truth"}),
        ([add({"jobTitle": "x"})], {}, {"valid-body", "reports-the-truth"}),
        ([add({"firstName": "x", "email": "a"})], {"expected": [{"email": "a", "firstName": "x"}]}, set()),
        ([add({**A, "flag": True})], {"expected": [{**A, "flag": 1}]}, {"records-untouched", "reports-the-truth"}),
        ([add(A)], {"usual": 2}, {"reports-the-truth"}),
        ([add(A)], {"usual": 1, "succeeded": False}, {"takes-any-success"}),
        ([add(A)], {"succeeded": False}, set()),
    ],
)
def test_the_whole(unlimited: AltaMock, sent: Any, how: Any, rules: set[str]) -> None:
    """Just these rules, and no other."""
    assert broken(run_of(unlimited, *sent, **how)).keys() == rules


@pytest.mark.parametrize("fault", ["truncate", "delay"])
def test_an_answer_that_broke_off_is_either(unlimited: AltaMock, fault: str) -> None:
    """A consumer may take it for a success, or for lost."""
    unlimited.fault(fault)

    assert fate_of(run_of(unlimited, add(A)).entries[-1]) is Fate.EITHER


# --- Of a provider ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("limit-11", {"limit-is-kept", "limit-headers", "limit-under-a-burst"}),
        ("no-limit", {"limit-is-kept", "limit-headers", "limit-under-a-burst"}),
        ("reset-is-a-time", {"limit-has-retry-after", "limit-headers"}),
        ("client: forgets-the-last-batch", {"records-untouched", "reports-the-truth"}),
        ("client: sends-null", {"valid-body", "records-untouched"}),
        ("client: repeats-the-token-in-the-query", {"token-nowhere-else", "clean-path"}),
    ],
)
def test_just_these_rules_catch_it(name: str, rules: set[str]) -> None:
    """Neither fewer, nor others that have nothing to do with it."""
    assert examined(name).caught.keys() == rules


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("firstname-in-bytes", "counts-characters"),
        ("firstname-unbounded", "every-record-counts"),
        ("400-in-latin-1", "error-content-type"),
    ],
)
def test_this_rule_catches_it_too(name: str, rule: str) -> None:
    """Though others do."""
    assert rule in examined(name).caught


def test_rules_about_limits_are_exercised(mock: AltaMock) -> None:
    """Rules that lack what they need are not exercised, and accuse nobody."""
    target = seeded(mock.base_url)
    report = verify_provider(target, InProcess(mock), Options(patient=False, skip=frozenset({"schemathesis"})))
    assert {
        name: report.results[name].verdict
        for name in ("limit-is-kept", "limit-of-the-account", "limit-of-all-campaigns", "limit-leaves-other-accounts")
    } == dict.fromkeys(
        ("limit-is-kept", "limit-of-the-account", "limit-of-all-campaigns", "limit-leaves-other-accounts"), "kept"
    )

    mock.reset()
    less = replace(target, second_token=None, second_campaign_id=None, other_account_token=None)
    report = verify_provider(less, InProcess(mock), Options(patient=False, skip=frozenset({"schemathesis"})))
    assert report.broken == []
    assert report.results["limit-of-the-account"].missing == "needs --second-token"


VENDOR = (
    "/campaigns(/ID(/(pause|resume|prospects))?)?|/prospects(/ID(/(pause|resume))?)?|/(persons|companies|reps|calls)(/ID)?"
    "|/inbox/(email|linkedin)/messages(/ID)?|/tags/(assign|unassign)|/dnc/communication-opt-outs|/assistant/calls"
).replace("ID", "[^/]+")
"""The paths of the vendor's 28 documented operations, below the base path."""


def test_unknown_paths_are_those_of_no_operation_of_the_vendor() -> None:
    """A server of the whole API is judged by them as well."""
    make = ProbeFactory(seeded("http://127.0.0.1:1/v1"), random.Random(0))
    probes = PROVIDER_RULES["no-other-paths"].probes
    paths = [probe.request.path for probe in (probes(make) if probes else ())]

    assert re.fullmatch(VENDOR, make.path().removeprefix("/v1"))
    assert len(paths) == 6
    assert [path for path in paths if re.fullmatch(f"/v1({VENDOR})", path)] == []


@pytest.mark.parametrize(
    ("method", "allow", "right"),
    [
        ("GET", "POST, OPTIONS", True),
        ("GET", "GET", False),
        ("GET", None, False),
        ("POST", "GET", True),
        ("POST", "", True),
        ("POST", "GET, POST", False),
        ("POST", None, False),
    ],
)
def test_allow(method: str, allow: str | None, right: bool) -> None:  # noqa: FBT001 - a table
    """A path of another operation rightly allows other methods than POST."""
    judge = PROVIDER_RULES["allow-names-the-methods"].judge
    response = Response(405, () if allow is None else (("allow", allow),))

    assert judge
    assert (judge(Request(method, "/v1/x"), response, Routed()) is None) == right


def test_headers_of_limits() -> None:
    """Seconds need no Date; only a 429 must have all RateLimit headers."""
    assert Response(429, (("retry-after", "7"),)).seconds("retry-after") == 7.0
    assert wrong_headers(Response(503), [Limit(10, 60)]) == ""
    assert wrong_headers(Response(429), [Limit(10, 60)]).startswith("a 429 without ratelimit-limit")
