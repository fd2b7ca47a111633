"""What traffic says about the open questions: the choice of the fake that was recorded, or nothing, never another."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest

from contract_tests.provider.documented import documented
from contract_tests.traffic.captured import captured
from contract_tests.traffic.check import Check, Limits
from contract_tests.traffic.evidence import CONFLICTING, NARROWED, NOT_SEEN, OBSERVERS, SETTLED, Evidence, Observers
from contract_tests.traffic.order import merged
from contract_tests.traffic.results import Result
from contract_tests.traffic.scope import Scope
from mock_server import AltaMock, Clock
from mock_server.contract.assumptions import switches
from tests.api.conftest import REQUESTS, Api
from tests.test_assumptions import BEHAVIOUR, CASES
from tests.traffic.conftest import START, Checked, add, entry, exported

UNSEEN = {"duplicates", "prospects-too", "visibility"}
"""Questions that traffic does not show: what becomes of the objects, whose part in lists other clients have, too."""

PARTLY = {
    *{("check-order", "validation-first"), ("check-order", "permission-first"), ("header-case", "lower")},
    *{("list-order", "oldest-first"), ("empty-members", "absent")},
}
"""Choices that the requests of the tests do not tell from every other one."""

WIDE = {"rate_limit": "1000000/60s", "account_rate_limit": "2000000/60s"}
"""Limits that nobody reaches."""


def exercised(name: str, choice: str, **settings: Any) -> dict[str, Evidence]:
    """Record a fake under a choice, and return what its traffic says: each operation, and what shows the choice."""
    mock = AltaMock(clock=Clock(lambda: 0, epoch=START * 10**9), assume={name: choice}, **settings)
    act = BEHAVIOUR[name][0]
    for _ in range(2):
        with contextlib.suppress(AssertionError, KeyError, IndexError, StopIteration):  # some need limits, some none
            act(Api(mock))
        mock.clock.advance(61)
        _all_operations(mock)
        mock.clock.advance(61)
    return {one.assumption.id: one for one in observed(json.loads(exported(mock))["log"]["entries"]).evidence}


def _all_operations(mock: AltaMock) -> None:
    for sent in REQUESTS.values():
        mock.clock.advance(7)
        mock.handle(sent.request())


def observed(records: list[Any]) -> Result:
    """Check records, without a file."""
    result = Result(("traffic.har",))
    check = Check(Scope(documented()), Limits(None, None), result, Observers(switches().values()))
    return check.run(merged([[captured("traffic.har", number, one) for number, one in enumerate(records, 1)]]))


@pytest.mark.parametrize(("name", "choice"), CASES)
def test_no_other_choice_is_seen(name: str, choice: str) -> None:
    """Of the choice that is in force, and of all others; and the choice itself is settled, but for a few."""
    settled = set()
    for settings in ({}, WIDE):
        for question, evidence in exercised(name, choice, **settings).items():
            truth = choice if question == name else evidence.assumption.ours.id
            assert not evidence.counted or truth in evidence.allowed, (question, evidence.counted)
            settled |= {question} if evidence.verdict == SETTLED else set()

    assert (name in settled) == (name not in UNSEEN and (name, choice) not in PARTLY)


def test_every_other_question_has_an_observer() -> None:
    """Each is known, and the page names those without one."""
    assert OBSERVERS.keys() == switches().keys() - UNSEEN


def evidence_of(result: Result, question: str) -> Evidence:
    """Return what traffic says about a question."""
    return next(one for one in result.evidence if one.assumption.id == question)


def test_what_fits_no_choice_is_said(checked: Checked) -> None:
    """A body that is no object fits none, whatever other traffic shows."""
    result = checked([add(at=1), add({"email": "b@c.example"}, reply=[1], at=8)], observing=True)
    found = evidence_of(result, "success-body")

    assert (found.verdict, found.choice, found.against_all) == (CONFLICTING, None, 1)
    assert found.shown("empty-object") == 1


def test_traffic_that_disagrees_settles_nothing(checked: Checked) -> None:
    """Both choices are counted."""
    charset = {"Content-Type": "application/json; charset=utf-8"}
    result = checked([entry(), entry(reply_headers=charset), entry(reply_headers=charset)], observing=True)
    found = evidence_of(result, "charset")

    assert (found.verdict, found.shown("absent"), found.shown("present")) == (CONFLICTING, 1, 2)


def test_what_is_there_counts_more_than_what_is_not(checked: Checked) -> None:
    """An error without further members does not speak against those that another one has."""
    refused = {"error": "NotFound", "message": "Resource not found"}
    entries = [entry(status=404, reply=refused), entry(status=404, reply={**refused, "code": 7})]
    first = evidence_of(checked(entries[:1], observing=True), "error-members")
    both = evidence_of(checked(entries, observing=True), "error-members")

    assert (first.choice, both.choice) == ("documented", "more")


def test_a_question_may_be_narrowed(checked: Checked) -> None:
    """A success without headers of a limit rules one of three choices out."""
    result = checked([entry()], observing=True)

    assert evidence_of(result, "limit-headers").verdict == NARROWED
    assert evidence_of(result, "limit-headers").allowed == ["near-limit", "beyond-limit"]
    assert evidence_of(result, "retry-after").verdict == NOT_SEEN


def test_the_times_of_a_page_are_its_order(checked: Checked) -> None:
    """Rising, falling, or neither; equal times say nothing."""

    def page(*days: int) -> Any:
        campaigns = [{"objectType": "campaign", "createdAt": f"2026-01-0{day}T00:00:00Z"} for day in days]
        return entry(reply={"data": campaigns, "hasMore": False})

    def order(*days: int) -> Evidence:
        return evidence_of(checked([page(*days)], observing=True), "list-order")

    assert (order(1, 1, 2).choice, order(3, 2, 2).choice) == ("oldest-first", "newest-first")
    assert (order(1, 3, 2).verdict, order(2, 2).verdict) == (CONFLICTING, NOT_SEEN)


def test_the_case_of_headers_is_seen_where_the_tool_keeps_it(checked: Checked) -> None:
    """In HTTP/2 there are no capitals; in HTTP/1.1 a tool may have removed them, unless it has kept others."""

    def case(*, http2: bool, capitals: bool) -> Evidence:
        one = entry()
        for part in (one["request"], one["response"]):
            part["httpVersion"] = "h2" if http2 else "HTTP/1.1"
            for pair in part["headers"]:
                pair["name"] = pair["name"] if capitals and part is one["request"] else pair["name"].lower()
        return evidence_of(checked([one], observing=True), "header-case")

    assert case(http2=True, capitals=False).choice == "lower"
    assert case(http2=False, capitals=True).choice == "lower"
    assert case(http2=False, capitals=False).verdict == NOT_SEEN


def test_injected_responses_say_nothing(checked: Checked) -> None:
    """They are not the server's own."""
    refused = {"error": "NotFound", "message": "other", "more": 1}
    result = checked([entry(status=404, reply=refused, comment="injected 404: requested by queue")], observing=True)

    assert evidence_of(result, "error-members").verdict == NOT_SEEN
