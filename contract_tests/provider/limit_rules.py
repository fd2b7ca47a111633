"""Rules about limits, and the procedures that measure them; one raises `NotExercised` if its limit is not judged.

https://docs.altahq.com/api-reference/rate-limiting - The vendor does not say whether the window is fixed, sliding or
aligned to the clock, which refused requests count, or when the headers appear; any choice passes.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence

from contract_tests.provider.documented import operations
from contract_tests.provider.plan import Plan
from contract_tests.provider.probes import NotExercised
from contract_tests.provider.rule import Rule
from contract_tests.provider.session import LATE, Session
from contract_tests.provider.wire import NO_RESPONSE, SAFE, TOO_MANY, Request, Response
from contract_tests.sources import LIMITS
from mock_server.contract.limits import Limit

EXTRA = 6  # requests of a burst beyond the limit
EARLY = 1.3  # seconds before the time in Retry-After at which a request is still refused: it is rounded up
TOLERANCE = 2  # seconds by which two headers may differ: one by rounding, one by delay
HEADERS = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy")

RULES: tuple[Rule, ...] = tuple(
    Rule(name, statement, LIMITS)
    for name, statement in {
        "limit-is-kept": "Within a window the limit is accepted exactly, and the next request is answered 429.",
        "limit-has-retry-after": "A 429 has Retry-After, as whole seconds or a date, within the window.",
        "limit-headers": "The RateLimit headers are right: limit, remaining requests, seconds until the reset, policy.",
        "limit-ends-at-retry-after": "Requests are refused until the time in Retry-After, and accepted from then on.",
        "limit-of-the-account": "The tokens of an account share its quota.",
        "limit-of-all-campaigns": "The campaigns of an account share its quota.",
        "limit-leaves-other-accounts": "Another account has its own quota.",
        "limit-under-a-burst": "Of simultaneous requests no more than the limit are accepted.",
        "limit-of-all-operations": "Across all operations an account has 100 requests a minute.",
    }.items()
)
OWN_PROCEDURE = ("limit-under-a-burst", "limit-of-all-operations")
MEASURED = tuple(rule.id for rule in RULES if rule.id not in OWN_PROCEDURE)  # the rules that `measure` judges

Exchange = tuple[Request, Response]


def measure(session: Session, plan: Plan) -> None:
    """Use up the quota for adding prospects, and judge what happens until it is restored."""
    limit = _judged(session.target.rate_limit, "--rate-limit")
    already = session.report.accepted  # the window may have opened with the first request
    exchanges = _until_refused(session, plan, limit.requests - already)
    for _ in range(2):
        if _accepted(exchanges) == limit.requests - already:
            break
        already = 0
        session.wait(limit.seconds + LATE, "for a whole window")  # the window had opened earlier, or ended meanwhile
        exchanges = _until_refused(session, plan, limit.requests)
    accepted = _accepted(exchanges) + already
    request, last = exchanges[-1]
    if accepted == limit.requests and not last.accepted:
        session.report.exercised("limit-is-kept")
    else:
        got = f"{accepted} requests accepted within {limit.seconds} s, then {last}"
        what = f"request {accepted + 1} of a window"
        session.report.add_breach("limit-is-kept", what, request, got, f"{limit.requests} accepted, then 429")
    for exchange in exchanges:
        _judge_headers(session, *exchange)
    _judge_countdown(session, [exchange for exchange in exchanges if exchange[1].status != TOO_MANY])
    if last.status == TOO_MANY:
        seconds = _judge_retry_after(session, request, last, limit)
        _judge_sharing(session)
        if seconds is not None:
            _judge_end(session, last.at + seconds)


def burst(session: Session) -> None:
    """Send more simultaneous requests than are allowed."""
    limit = _judged(session.target.rate_limit, "--rate-limit")
    for attempt in (1, 2):
        session.wait(limit.seconds + LATE, "for a whole window")
        requests = [session.make.request() for _ in range(limit.requests + EXTRA)]
        responses = session.at_once(requests)
        accepted = sum(response.accepted for response in responses)
        if accepted <= limit.requests:
            session.report.exercised("limit-under-a-burst")
            return
        if attempt == 2:  # noqa: PLR2004 - the first may have met the end of a window
            what = f"{len(requests)} simultaneous requests"
            wanted = f"at most {limit.requests} accepted"
            session.report.add_breach("limit-under-a-burst", what, requests[0], f"{accepted} accepted", wanted)


def measure_all_operations(session: Session) -> None:
    """Use up the quota across all operations with the list of campaigns, if that is available."""
    limit = _judged(session.target.account_rate_limit, "--account-rate-limit")
    session.wait(limit.seconds + LATE, "for a whole window")
    request, accepted = session.make.of("listCampaigns").request(), 0
    response = session.send(request)
    while response.status != TOO_MANY and accepted < limit.requests + 2:
        if not response.accepted:
            raise NotExercised(f"GET /campaigns is answered {response.status}")
        accepted += 1
        response = session.send(request)
    if accepted == limit.requests:
        session.report.exercised("limit-of-all-operations")
        _judge_escapes(session)
    else:
        what, wanted = f"{accepted} requests within {limit.seconds} s", f"{limit.requests}, then 429"
        session.report.add_breach("limit-of-all-operations", what, request, response, wanted)


def _judge_escapes(session: Session) -> None:
    """While the quota is exhausted, find out which operations do not share it; a narrower limit may be the only one."""
    for operation in operations().values():
        if operation.limit or not (session.options.about(operation.id) and session.report.serves(operation.id)):
            continue
        if operation.method not in SAFE and not session.target.writes:
            continue
        with contextlib.suppress(NotExercised):
            request = session.make.of(operation).request()
            response = session.send(request)
            session.report.exercised("limit-of-all-operations", operation.id)
            if response.status != TOO_MANY:
                what = "a request while the quota is exhausted"
                session.report.add_breach("limit-of-all-operations", what, request, response, "429", operation.id)


def wrong_headers(response: Response, limits: Sequence[Limit]) -> str:
    """Return what is wrong with the RateLimit headers of a response; empty if nothing is."""
    texts = {name: text for name in HEADERS if (text := response.header(name)) is not None}
    if response.status == TOO_MANY and len(texts) < len(HEADERS):
        return f"a 429 without {', '.join(name for name in HEADERS if name not in texts)}"
    policy = texts.pop("ratelimit-policy", "")
    for name, text in texts.items():
        if not re.fullmatch("[0-9]{1,15}", text, re.ASCII):
            return f"{name}: {text}, which is not a whole number"
    limit, remaining, reset = (int(texts[name]) if name in texts else None for name in HEADERS[:3])
    after = response.seconds("retry-after") if response.status == TOO_MANY else None
    known = any(re.match(rf"{limit.requests}\s*;\s*w={limit.seconds}\b", policy) for limit in limits)
    faults = {
        f"ratelimit-limit: {limit}": limit is not None and limit not in {limit.requests for limit in limits},
        f"ratelimit-remaining: {remaining}, more than the limit": (remaining or 0) > (limit or remaining or 0),
        f"a 429 with ratelimit-remaining: {remaining}": response.status == TOO_MANY and remaining != 0,
        f"ratelimit-reset: {reset}, beyond the window": (reset or 0) > max(limit.seconds for limit in limits),
        f"ratelimit-policy: {policy}": bool(policy) and not known,
        f"ratelimit-limit: {limit} with ratelimit-policy: {policy}": bool(
            policy and limit is not None and not re.match(rf"{limit}\b", policy)
        ),
        f"retry-after: {after} with ratelimit-reset: {reset}": None not in {after, reset}
        and abs((after or 0) - (reset or 0)) > TOLERANCE,
    }
    return next((what for what, wrong in faults.items() if wrong), "")


def wrong_retry_after(response: Response, longest: int) -> tuple[str, str] | None:
    """Return what is wrong with the Retry-After of a 429, and what would be right; None if nothing is."""
    seconds = response.seconds("retry-after")
    if seconds is not None and 0 < seconds <= longest:
        return None
    return f"Retry-After: {response.header('retry-after') or '(none)'}", f"Retry-After of 1 to {longest} s, or a date"


def _judged(limit: Limit | None, option: str) -> Limit:
    if limit is None:
        raise NotExercised(f"{option} off")
    return limit


def _accepted(exchanges: Sequence[Exchange]) -> int:
    return sum(response.accepted for _, response in exchanges)


def _until_refused(session: Session, plan: Plan, expected: int) -> list[Exchange]:
    """Send valid requests, if possible those that are to be sent anyway, until one is refused by a limit or fails."""
    exchanges = []
    for _ in range(2 * expected + 2):
        spare = plan.take_spare()
        request = spare[1].request if spare else session.make.request()
        response = session.send(request)
        exchanges.append((request, response))
        if spare and response.accepted:
            session.report.exercised(spare[0])
        elif spare:
            plan.return_spare(spare)
        if response.status in {TOO_MANY, NO_RESPONSE} or response.status >= 500:  # noqa: PLR2004 - server errors
            break
    return exchanges


def _judge_sharing(session: Session) -> None:
    """While the quota is exhausted, find out who shares it."""
    target = session.target
    for rule, token, campaign, wanted in (
        ("limit-of-the-account", target.second_token, target.campaign_id, TOO_MANY),
        ("limit-of-all-campaigns", target.token, target.second_campaign_id, TOO_MANY),
        ("limit-leaves-other-accounts", target.other_account_token, target.foreign_campaign_id, 200),
    ):
        if token is None or campaign is None:
            continue
        request = session.make.request(token=token, path=session.make.path(campaign))
        response = session.send(request)
        if response.status == wanted:
            session.report.exercised(rule)
        else:
            what = "a request while the quota of the account is exhausted"
            session.report.add_breach(rule, what, request, response, str(wanted))


def _judge_end(session: Session, end: float) -> None:
    """Send a request shortly before and right after a time; the refused request must not move it."""
    report = session.report
    if end - session.provider.time() > EARLY + 1 - LATE:
        session.wait(end - EARLY - session.provider.time(), "until shortly before the time in Retry-After")
        request = session.make.request()
        response = session.send(request)
        _judge_headers(session, request, response)
        left = max(0.0, end - response.at)
        if response.status != TOO_MANY:
            what = f"{left:.1f} s before the time in Retry-After"
            report.add_breach("limit-ends-at-retry-after", what, request, response, "429 until then")
            return
        for name in ("retry-after", "ratelimit-reset"):
            again = response.seconds(name)
            if again is not None and abs(again - left) > TOLERANCE:
                what = f"{name} {again:g}, {left:.1f} s before the end by the first 429"
                report.add_breach("limit-headers", what, request, response, f"about {left:.0f}")
    session.wait(max(0.0, end + LATE - session.provider.time()), "until the time in Retry-After")
    request = session.make.request()
    response = session.send(request)
    if response.accepted:
        report.exercised("limit-ends-at-retry-after")
    else:
        report.add_breach("limit-ends-at-retry-after", "right after the time in Retry-After", request, response, "200")


def _judge_retry_after(session: Session, request: Request, response: Response, limit: Limit) -> float | None:
    """Judge and return the seconds that a 429 demands to wait."""
    if wrong := wrong_retry_after(response, limit.seconds):
        session.report.add_breach("limit-has-retry-after", wrong[0], request, response, wrong[1])
        return None
    session.report.exercised("limit-has-retry-after")
    return response.seconds("retry-after")


def _judge_headers(session: Session, request: Request, response: Response) -> None:
    """Judge each RateLimit header, and that a 429 has all of them."""
    limits = [limit for limit in (session.target.rate_limit, session.target.account_rate_limit) if limit]
    wrong = wrong_headers(response, limits)
    if wrong:
        wanted = " or ".join(f"{limit.requests};w={limit.seconds}" for limit in limits)
        session.report.add_breach("limit-headers", wrong, request, response, wanted)
    elif any(response.header(name) for name in HEADERS):
        session.report.exercised("limit-headers")


def _judge_countdown(session: Session, exchanges: Sequence[Exchange]) -> None:
    """Judge that the remaining requests decrease by one with each request, where the headers show them."""
    before: tuple[str | None, int] | None = None
    for request, response in exchanges:
        value, limit = response.header("ratelimit-remaining"), response.header("ratelimit-limit")
        left = int(value) if value and re.fullmatch("[0-9]+", value, re.ASCII) else None
        if before and left is not None and limit == before[0] and left != before[1] - 1:
            what = f"ratelimit-remaining: {left} after {before[1]}"
            session.report.add_breach("limit-headers", what, request, response, str(before[1] - 1))
            return
        before = None if left is None else (limit, left)
