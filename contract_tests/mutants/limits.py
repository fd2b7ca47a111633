"""Mutants of rate limits and their headers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from contract_tests.mutants.bench import JSON, START, Bench, bearer, mutant, register, with_header
from contract_tests.sources import LIMITS
from mock_server.contract.limits import SECOND, Limit
from mock_server.messages.call import Caller
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.pipeline.ratelimit import Decision, Limits, hit, spend
from mock_server.store.base import Transaction, Window

if TYPE_CHECKING:
    Windows = dict[tuple[str, str], Window]

add = partial(register, LIMITS, Bench.limit)
add("no-limit", "There is no limit.", 10**6)
add("limit-11", "Eleven requests are accepted.", 11)
add("limit-9", "Nine requests are accepted.", 9)
add("limit-20", "Twenty requests are accepted.", 20)
add = partial(register, LIMITS, Bench.limit_by)
add("limit-of-a-token", "Each token has its own quota.", bearer)
add("limit-of-a-campaign", "Each campaign has its own quota.", lambda request: request.path)


def _reporting(bench: Bench, seconds: int, change: Callable[[Decision], Decision]) -> None:
    """Count in windows of other seconds than the limit, and change what is reported."""

    def changed(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        actual = [(name, Limit(limit.requests, seconds)) for name, limit in limits]
        decision = spend(transaction, caller, actual, now)
        if decision is None:
            return None
        limit = next(limit for _, limit in limits if limit.requests == decision.limit.requests)
        return change(replace(decision, limit=limit))

    bench.spend = changed


def _later(seconds: int) -> Callable[[Decision], Decision]:
    return lambda decision: replace(decision, reset=max(1, decision.reset + seconds))


add = partial(register, LIMITS, _reporting)
add("window-of-30-s", "The window is half as long as reported.", 30, _later(30))
add("window-of-65-s", "The window is five seconds longer than reported.", 65, _later(-5))
add("window-of-61-s", "The window is a second longer than reported.", 61, _later(-1))
add("window-of-57-s", "The window ends three seconds early.", 57, _later(3))
add("window-never-ends", "The window never ends.", 10**6, lambda d: replace(d, reset=60))
add("retry-after-in-milliseconds", "Retry-After is in milliseconds.", 60, lambda d: replace(d, reset=d.reset * 1000))
add("retry-after-0", "Retry-After is 0.", 60, lambda d: replace(d, reset=0))
add("retry-after-is-always-60", "Retry-After is always 60.", 60, lambda d: replace(d, reset=60))
add("reset-is-a-time", "RateLimit-Reset is a Unix time.", 60, _later(START // SECOND))
add("remaining-stands-still", "RateLimit-Remaining is always 9.", 60, lambda d: replace(d, remaining=9))
add("remaining-by-two", "Remaining decreases by two.", 60, lambda d: replace(d, remaining=max(0, 2 * d.remaining - 10)))
add("remaining-one-too-many", "Remaining is too high by one.", 60, lambda d: replace(d, remaining=d.remaining + 1))
add("remaining-on-429", "RateLimit-Remaining of a 429 is 1.", 60, lambda d: d if d.allowed else replace(d, remaining=1))
add("limit-header-wrong", "RateLimit-Limit is not the limit.", 60, lambda d: replace(d, limit=Limit(20, 60)))


def with_limit(reply: ApiReply, requests: int) -> ApiReply:
    """Return a response whose headers report a limit for a minute."""
    return with_header(with_header(reply, "RateLimit-Limit", str(requests)), "RateLimit-Policy", f"{requests};w=60")


def show_limit_if(bench: Bench, shown: Callable[[ApiReply], bool]) -> None:
    """Send the headers of the limit only with the responses that match."""

    def change(_: ApiRequest, reply: ApiReply) -> ApiReply:
        if shown(reply):
            return reply
        return replace(reply, headers=tuple(pair for pair in reply.headers if not pair[0].startswith("RateLimit-")))

    bench.on_reply(change)


@mutant(LIMITS)
def no_limit_and_no_headers(bench: Bench) -> None:
    """There is no limit, and no header reports one."""
    bench.limit(10**6)
    show_limit_if(bench, lambda _: False)


@mutant(LIMITS)
def nine_and_ten_told(bench: Bench) -> None:
    """Nine requests are accepted, and the 429 reports a limit of ten."""
    bench.limit(9)
    show_limit_if(bench, lambda reply: reply.status == 429)
    bench.on_status(429, lambda reply: with_limit(reply, 10))


add = partial(register, LIMITS, Bench.set_header)
add("429-without-retry-after", "A 429 has no Retry-After.", 429, "Retry-After", None)
for _part in ("Reset", "Policy", "Remaining", "Limit"):
    _header = f"RateLimit-{_part}"
    add(f"429-without-{_part.lower()}", f"A 429 has no {_header}.", 429, _header, None)
add("retry-after-in-words", "Retry-After is neither a number nor a date.", 429, "Retry-After", "soon")
add("retry-after-negative", "Retry-After is negative.", 429, "Retry-After", "-5")
add("reset-with-a-fraction", "RateLimit-Reset has a fraction.", 429, "RateLimit-Reset", "59.5")
add("policy-of-another-window", "RateLimit-Policy reports another window.", 429, "RateLimit-Policy", "10;w=3600")
add("policy-of-the-wider-limit", "The policy is not that of the limit.", 429, "RateLimit-Policy", "100;w=60")
add("reset-of-another-window", "RateLimit-Reset is not the time in Retry-After.", 429, "RateLimit-Reset", "20")
add("policy-in-words", "RateLimit-Policy is malformed.", 429, "RateLimit-Policy", "10 per minute")


def _count(windows: Windows, account: str, limits: Limits, now: int) -> Decision | None:
    """Count a request in windows outside the store."""
    decision = None
    for name, limit in limits:
        windows[account, name], decision = hit(limit, windows.get((account, name)), now)
        if not decision.allowed:
            break
    return decision


def _shared(bench: Bench) -> None:
    windows: Windows = {}
    bench.spend = lambda _transaction, _caller, limits, now: _count(windows, "", limits, now)


add = partial(register, LIMITS, _shared)
add("limit-of-everybody", "All accounts share one quota.")
add("strangers-use-the-quota-up", "Requests of another account are refused while our quota is exhausted.")


@mutant(LIMITS)
def refused_calls_extend_the_window(bench: Bench) -> None:
    """A refused request extends the window."""

    def extending(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        decision = spend(transaction, caller, limits, now)
        for name, _ in limits if decision and not decision.allowed else ():
            if window := transaction.window(name):
                transaction.set_window(name, Window(now, window.used))
        return decision

    bench.spend = extending


@mutant(LIMITS)
def not_atomic(bench: Bench) -> None:
    """Concurrent requests are counted as one, as by a counter in a database without transactions."""
    windows: Windows = {}
    seen = threading.local()

    def reading(request: ApiRequest) -> ApiRequest:
        seen.windows = dict(windows)
        time.sleep(0.005)  # the time of a database, in which other requests read the old count
        return request

    def racing(_transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        decision = _count(seen.windows, caller.account, limits, now)
        windows.update(seen.windows)
        return decision

    bench.on_request(reading)
    bench.spend = racing


@mutant(LIMITS)
def bad_requests_reset_the_quota(bench: Bench) -> None:
    """A request with a second token resets the quota."""

    def resetting(transaction: Transaction, caller: Caller, limits: Limits, now: int) -> Decision | None:
        if caller.user == bench.mock.seed.tokens["test-token-2"].user:
            for name, _ in limits:
                transaction.set_window(name, Window(0, 0))
        return spend(transaction, caller, limits, now)

    bench.spend = resetting


def _limit_all(bench: Bench, limit: str) -> None:
    bench.settings["account_rate_limit"] = limit


add = partial(register, LIMITS, _limit_all)
add("no-limit-over-all", "There is no limit across all operations.", "off")
add("101-over-all", "101 requests are accepted across all operations.", "101/60s")


def _escaping(bench: Bench) -> None:
    page = ApiReply(200, (("Content-Type", JSON),), b'{"data": [], "hasMore": false}')
    bench.replace_if(page, lambda request, reply: (request.path, reply.status) == ("/v1/reps", 429))


register(LIMITS, _escaping, "reps-escape-the-limit", "The list of reps has no limit.", operation="listReps")
