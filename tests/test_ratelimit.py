"""The limits, as arithmetic and in the pipeline, on a manual clock."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from mock_server import AltaMock, MockError
from mock_server.contract.limits import SECOND, Limit
from mock_server.messages.call import ANYBODY
from mock_server.pipeline.ratelimit import hit, look, spend
from mock_server.store import open_store
from mock_server.store.base import Window
from tests.conftest import (
    FOREIGN_CAMPAIGN,
    SECOND_CAMPAIGN,
    UNKNOWN_CAMPAIGN,
    error_of,
    prospects_path,
    request_of,
    why,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server import Clock
    from mock_server.messages.http import ApiReply

    Send = Callable[..., ApiReply]


@pytest.mark.parametrize("text", ["10/60s", "1/1s", "100000000/9999999s"])
def test_a_limit_prints_as_it_is_written(text: str) -> None:
    """A limit has one form, for reading and for printing."""
    assert str(Limit.parse(text)) == text


@pytest.mark.parametrize(
    "text", ["10/min", "10", "0/60s", "10/0s", "10/60", "-1/60s", "10/60s ", "1e3/60s", "٣/60s", "", "OFF"]
)
def test_an_invalid_limit_is_refused(text: str) -> None:
    """The message repeats the value and shows the form."""
    with pytest.raises(MockError, match="10/60s, or off"):
        Limit.parse(text)


def test_off_is_no_limit() -> None:
    """`off` means no limit."""
    assert Limit.parse("off") is None


@pytest.mark.parametrize(
    ("after", "reset"), [(0, 60), (1, 60), (SECOND - 1, 60), (SECOND, 59), (59 * SECOND, 1), (60 * SECOND - 1, 1)]
)
def test_reset_is_whole_seconds_rounded_up(after: int, reset: int) -> None:
    """A client that waits that long never comes too early; the remaining time is in nanoseconds."""
    _, decision = hit(Limit(10, 60), Window(7, 3), 7 + after)

    assert decision.reset == reset


def test_the_tenth_is_answered_and_the_eleventh_refused(send: Send) -> None:
    """The eleventh request in a minute gets the vendor's 429 with every header (assumption limit-text)."""
    assert [send().status for _ in range(10)] == [200] * 10

    refused = send()

    assert (refused.status, error_of(refused)) == (429, "TooManyRequests")
    assert b'"Rate limit exceeded. Please retry after 60 seconds."' in refused.body
    assert refused.header("RateLimit-Limit") == "10"
    assert refused.header("RateLimit-Remaining") == "0"
    assert refused.header("RateLimit-Reset") == "60"
    assert refused.header("RateLimit-Policy") == "10;w=60"
    assert refused.header("Retry-After") == "60"
    assert why(refused).startswith("rate-limit ")
    assert "retry in 60 s" in why(refused)


def test_remaining_counts_down_with_every_response(send: Send) -> None:
    """Every counted response has the narrower limit (assumption limit-headers), and no Retry-After."""
    replies = [send() for _ in range(10)]

    assert [reply.header("RateLimit-Remaining") for reply in replies] == [str(n) for n in range(9, -1, -1)]
    assert {reply.header("RateLimit-Policy") for reply in replies} == {"10;w=60"}
    assert {reply.header("Retry-After") for reply in replies} == {None}


def test_the_window_ends_after_sixty_seconds_and_not_before(send: Send, clock: Clock) -> None:
    """At 59.999 s the quota is still exhausted; at 60 s it is full (assumption window)."""
    for _ in range(10):
        send()

    clock.advance(59.999)
    early = send()
    clock.advance(0.001)
    late = send()

    assert (early.status, early.header("Retry-After")) == (429, "1")
    assert (late.status, late.header("RateLimit-Remaining")) == (200, "9")


def test_the_window_opens_with_its_first_request(send: Send, clock: Clock) -> None:
    """Later requests do not prolong the window."""
    send()
    clock.advance(40)

    assert send().header("RateLimit-Reset") == "20"


def test_refused_requests_do_not_prolong_the_wait(send: Send, clock: Clock) -> None:
    """A client that keeps sending is accepted at the same time."""
    for _ in range(10):
        send()
    for _ in range(50):
        clock.advance(1)
        assert send().status == 429
    clock.advance(10)

    assert send().status == 200


def test_requests_that_are_refused_for_other_reasons_count(send: Send) -> None:
    """400, 403 and 404 use quota as well (assumption counted-requests)."""
    for _ in range(4):
        assert send({"data": []}).status == 400
    for _ in range(4):
        assert send(path=prospects_path(UNKNOWN_CAMPAIGN)).status == 404
    for _ in range(2):
        assert send(token="test-token-readonly").status == 403

    assert send().status == 429


def test_requests_without_a_valid_token_do_not_count(send: Send) -> None:
    """They belong to no account."""
    for _ in range(20):
        assert send(token="wrong").status == 401
    for _ in range(20):
        assert send(path="/v1/nowhere").status == 404

    assert send().header("RateLimit-Remaining") == "9"


def test_the_quota_belongs_to_the_account(send: Send) -> None:
    """Two tokens and two campaigns of an account share it; another account has its own."""
    for _ in range(5):
        assert send(token="test-token").status == 200
        assert send(token="test-token-2", path=prospects_path(SECOND_CAMPAIGN)).status == 200

    assert send(token="test-token").status == 429
    assert send(token="test-token-2").status == 429
    assert send(token="other-token", path=prospects_path(FOREIGN_CAMPAIGN)).status == 200


def test_a_user_of_two_accounts_spends_the_quota_of_the_named_one(send: Send) -> None:
    """`x-account-id` selects the account."""
    json = ("content-type", "application/json")
    for _ in range(10):
        send()

    assert send(token="multi-token", headers=(json, ("x-account-id", "acme"))).status == 429
    there = send(token="multi-token", headers=(json, ("x-account-id", "globex")), path=prospects_path(FOREIGN_CAMPAIGN))
    assert there.status == 200


def test_the_wide_limit_refuses_the_hundred_and_first(clock: Clock) -> None:
    """The limit of 100 for all of v1 applies as well (assumption nested-limits), and its 429 has its headers."""
    mock = AltaMock(clock=clock, rate_limit="off")
    replies = [mock.answer(request_of()) for _ in range(101)]

    assert [reply.status for reply in replies] == [200] * 100 + [429]
    assert replies[0].header("RateLimit-Policy") == "100;w=60"
    assert replies[100].header("RateLimit-Limit") == "100"
    assert replies[100].header("Retry-After") == "60"


def test_what_the_narrow_limit_refuses_counts_against_the_wide_one(clock: Clock) -> None:
    """Ninety 429s of the limit of 10 exhaust the limit of 100."""
    mock = AltaMock(clock=clock)
    policies = [mock.answer(request_of()).header("RateLimit-Policy") for _ in range(101)]

    assert policies == ["10;w=60"] * 100 + ["100;w=60"]


def test_limits_that_are_off_leave_no_headers(judge: Send) -> None:
    """Responses without a limit have no limit headers."""
    replies = [judge() for _ in range(200)]

    assert {reply.status for reply in replies} == {200}
    assert not any(name.startswith("RateLimit") for reply in replies for name, _ in reply.headers)


def test_settings_replace_the_limits(clock: Clock) -> None:
    """`3/10s` allows three requests, and the fourth after ten seconds."""
    mock = AltaMock(clock=clock, rate_limit="3/10s")
    statuses = [mock.answer(request_of()).status for _ in range(4)]
    clock.advance(10)

    assert [*statuses, mock.answer(request_of()).status] == [200, 200, 200, 429, 200]


def test_sixty_four_threads_get_exactly_ten_successes(mock: AltaMock) -> None:
    """Of a thousand concurrent requests ten succeed, and only their prospects are stored."""
    with ThreadPoolExecutor(64) as pool:
        statuses = list(pool.map(lambda _: mock.answer(request_of()).status, range(1000)))

    assert statuses.count(200) == 10
    assert statuses.count(429) == 990
    assert len(mock.prospects("3c90c3cc-0d44-4b50-8888-8dd25736052a")) == 10


def test_reset_restores_the_quota(mock: AltaMock, send: Send) -> None:
    """After a reset nothing is counted and nothing is stored."""
    for _ in range(11):
        send()
    mock.reset()

    assert send().header("RateLimit-Remaining") == "9"
    assert len(mock.prospects("3c90c3cc-0d44-4b50-8888-8dd25736052a")) == 1


def test_a_look_at_the_edges_of_a_window() -> None:
    """What is left and when it ends are exact to the nanosecond."""
    limit = Limit(10, 60)
    with open_store("memory").transaction("acme") as transaction:
        spend(transaction, ANYBODY, [("x", limit)], 0)

        assert look(transaction, "x", limit, 1) == (9, 60)
        assert look(transaction, "x", limit, 60 * SECOND - 1) == (9, 1)
        assert look(transaction, "x", limit, 60 * SECOND) == (10, 0)
        assert look(transaction, "y", limit, 1) == (10, 0)
