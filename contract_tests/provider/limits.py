"""What a provider must do about limits: rules that take more than one question, and time.

https://docs.altahq.com/api-reference/rate-limiting - Whether the window is fixed, sliding or aligned to the clock,
which refused requests count, and from when on headers are sent is open, and passes either way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from contract_tests.provider.rules import RULES, Given, NotExercised, Rule
from contract_tests.provider.wire import NO_ANSWER, Got, Sent
from contract_tests.sources import LIMITS
from mock_server.contract.limits import SECOND
from mock_server.journal.rules import seconds_told

if TYPE_CHECKING:
    from collections.abc import Sequence

TOO_MANY = 429
EXTRA = 6
"""Requests of a burst beyond what the limit allows."""

EARLY = 1.3
"""Seconds before the told time at which a request must still be refused: told times are whole seconds, rounded up."""

LATE = 0.1
"""Seconds behind the told time at which a request must be accepted."""

STATEMENTS = {
    "limit-is-kept": "Within a window exactly as many requests are accepted as the limit says, and the next is a 429.",
    "limit-tells-when": "A 429 has Retry-After, as whole seconds or a date, not beyond the window.",
    "limit-headers": "The RateLimit headers of an answer are true: limit, remaining, seconds until the reset, policy.",
    "limit-ends-when-told": "Requests are refused until the time that Retry-After tells, and accepted from then on.",
    "limit-of-the-account": "The tokens of an account share its quota.",
    "limit-of-all-campaigns": "The campaigns of an account share its quota.",
    "limit-leaves-other-accounts": "Another account has a quota of its own.",
    "limit-under-a-burst": "Of requests at the same time no more are accepted than the limit says.",
    "limit-of-all-operations": "Over all operations an account has 100 requests a minute.",
}
MEASURED = tuple(name for name in STATEMENTS if name not in {"limit-under-a-burst", "limit-of-all-operations"})
"""Those that `measure` judges; the others have procedures of their own."""

for _name, _statement in STATEMENTS.items():
    RULES[_name] = Rule(_name, _statement, LIMITS)


class Examiner(Protocol):
    """What the measurement asks of whoever carries it out."""

    given: Given

    def accepted_at_first(self) -> int:
        """Return how many requests had been accepted before the measurement."""
        ...

    def spare(self) -> Sent:
        """Return a request that is right, if possible one that is to be sent anyway."""
        ...

    def send(self, sent: Sent) -> Got:
        """Send a request now, whatever the limit."""
        ...

    def at_once(self, sent: Sequence[Sent]) -> list[Got]:
        """Send requests at the same time."""
        ...

    def right(self, *, token: str | None = "", campaign: str | None = None) -> Sent:
        """Return a right request of somebody, to a campaign."""
        ...

    def get_campaigns(self) -> Sent:
        """Return a request for the list of campaigns."""
        ...

    def time(self) -> float:
        """Return the provider's time, in seconds."""
        ...

    def wait(self, seconds: float, why: str) -> None:
        """Let time go by."""
        ...

    def break_rule(self, rule: str, what: str, sent: Sent, got: Got, wanted: str) -> None:
        """Write down that a rule is broken."""
        ...

    def keep_rule(self, rule: str) -> None:
        """Write down that a rule was put to the test, and kept."""
        ...


def measure(ex: Examiner) -> None:
    """Put the limit on adding prospects to the test, up to where it ends.

    Raises:
        NotExercised: No limit is to be judged.
    """
    most, window = _judged(ex.given.rate_limit, "--rate-limit")
    already = ex.accepted_at_first()  # the window may have opened with it
    answers, refused = _until_refused(ex, most - already)
    for _ in range(2):
        if _accepted(answers) == most - already:
            break
        already = 0
        ex.wait(window + LATE, "for a whole window")  # it had begun before, or ended meanwhile
        answers, refused = _until_refused(ex, most)
    accepted = _accepted(answers) + already
    sent, got = refused or answers[-1]
    if accepted != most or refused is None:
        so_far = f"{accepted} requests accepted within {window} s, then {got}"
        ex.break_rule(
            "limit-is-kept", f"request {accepted + 1} of a window", sent, got, f"{most} accepted, then 429 ({so_far})"
        )
    else:
        ex.keep_rule("limit-is-kept")
    for one, answer in answers:
        _judge_headers(ex, one, answer)
    _judge_countdown(ex, [pair for pair in answers if pair[1].status != TOO_MANY])
    if refused is None or got.status != TOO_MANY:
        return
    told = _judge_told(ex, sent, got, window)
    _share(ex)
    if told is not None:
        _end(ex, got.at, told)


def _judged(limit: tuple[int, int] | None, option: str) -> tuple[int, int]:
    """Return a limit that is to be judged.

    Raises:
        NotExercised: It is not.
    """
    if limit is None:
        raise NotExercised(f"{option} off")
    return limit


def _accepted(answers: Sequence[tuple[Sent, Got]]) -> int:
    return sum(got.status == 200 for _, got in answers)  # noqa: PLR2004 - accepted


def _until_refused(ex: Examiner, most: int) -> tuple[list[tuple[Sent, Got]], tuple[Sent, Got] | None]:
    """Send right requests until one is refused."""
    answers = []
    for _ in range(2 * most + 2):
        sent = ex.spare()
        got = ex.send(sent)
        answers.append((sent, got))
        if got.status == TOO_MANY or got.status == NO_ANSWER or got.status >= 500:  # noqa: PLR2004, PLR1714 - statuses; each case by itself
            return answers, (sent, got)
    return answers, None


def _share(ex: Examiner) -> None:
    """While the quota is used up, ask who shares it."""
    given = ex.given
    for rule, token, campaign, wanted in (
        ("limit-of-the-account", given.second_token, None, TOO_MANY),
        ("limit-of-all-campaigns", "", given.second_campaign_id, TOO_MANY),
        ("limit-leaves-other-accounts", given.other_account_token, given.foreign_campaign_id, 200),
    ):
        if token is None or (rule != "limit-of-the-account" and campaign is None):
            continue
        sent = ex.right(token=token, campaign=campaign)
        got = ex.send(sent)
        if got.status != wanted:
            ex.break_rule(rule, "a request while the quota of the account is used up", sent, got, str(wanted))
        else:
            ex.keep_rule(rule)


def _end(ex: Examiner, told_at: float, told: float) -> None:
    """Ask shortly before and right after the time that was told; refused calls in between must not move it."""
    if told > EARLY + 1:
        ex.wait(max(0.0, told_at + told - EARLY - ex.time()), "until shortly before the time that Retry-After tells")
        sent = ex.right()
        got = ex.send(sent)
        _judge_headers(ex, sent, got)
        left = max(0.0, told_at + told - got.at)
        if got.status != TOO_MANY:
            what = f"{left:.1f} s before the time that Retry-After told"
            ex.break_rule("limit-ends-when-told", what, sent, got, "429 until then")
            return
        for name in ("retry-after", "ratelimit-reset"):
            again = seconds_of(got, name)
            if again is not None and abs(again - left) > 2:  # noqa: PLR2004 - seconds; one by rounding, one by delay
                what = f"{name} {again:g}, {left:.1f} s before the end that the first 429 told"
                ex.break_rule("limit-headers", what, sent, got, f"about {left:.0f}")
    ex.wait(max(0.0, told_at + told + LATE - ex.time()), "until the time that Retry-After tells")
    sent = ex.right()
    got = ex.send(sent)
    if got.status != 200:  # noqa: PLR2004 - accepted
        ex.break_rule("limit-ends-when-told", "right after the time that Retry-After told", sent, got, "200")
    else:
        ex.keep_rule("limit-ends-when-told")


def burst(ex: Examiner) -> None:
    """Send more requests at once than are allowed.

    Raises:
        NotExercised: No limit is to be judged.
    """
    most, window = _judged(ex.given.rate_limit, "--rate-limit")
    for attempt in (1, 2):
        ex.wait(window + LATE, "for a whole window")
        sent = [ex.right() for _ in range(most + EXTRA)]
        got = ex.at_once(sent)
        accepted = sum(one.status == 200 for one in got)  # noqa: PLR2004 - accepted
        if accepted <= most:
            ex.keep_rule("limit-under-a-burst")
            return
        if attempt == 2:  # noqa: PLR2004 - the first may have met the end of a window
            what = f"{len(sent)} requests at once, of which {accepted} were accepted"
            ex.break_rule("limit-under-a-burst", what, sent[0], got[0], f"{most} accepted at most")


def measure_all_operations(ex: Examiner) -> None:
    """Put the limit over all operations to the test, by the list of campaigns.

    Raises:
        NotExercised: It is not to be judged, or there is no such list.
    """
    if not ex.given.allow_get:
        raise NotExercised("needs --allow-get, which sends GET /campaigns")
    most, window = _judged(ex.given.account_rate_limit, "--account-rate-limit")
    ex.wait(window + LATE, "for a whole window")
    sent, accepted = ex.get_campaigns(), 0
    got = ex.send(sent)
    while got.status != TOO_MANY and accepted < most + 2:
        if got.status != 200:  # noqa: PLR2004 - accepted
            raise NotExercised(f"GET /campaigns is answered {got.status}")
        accepted += 1
        got = ex.send(sent)
    if accepted == most:
        ex.keep_rule("limit-of-all-operations")
    else:
        ex.break_rule(
            "limit-of-all-operations", f"{accepted} requests within {window} s", sent, got, f"{most}, then 429"
        )


def _judge_told(ex: Examiner, sent: Sent, got: Got, window: int) -> float | None:
    """Judge and return the seconds that a 429 tells to wait."""
    value = got.header("retry-after")
    told = seconds_of(got, "retry-after")
    if value is None or told is None or not 0 < told <= window:
        wanted = f"Retry-After of 1 to {window} s, or a date"
        ex.break_rule("limit-tells-when", f"Retry-After: {value or '(none)'}", sent, got, wanted)
        return None
    ex.keep_rule("limit-tells-when")
    return told


def seconds_of(got: Got, name: str) -> float | None:
    """Return the seconds that a header tells, as a number or as a date; None if it tells nothing usable."""
    value = got.header(name)
    if value is None:
        return None
    if re.fullmatch("[0-9]{1,9}", value, re.ASCII):
        return float(value)
    sent_at = seconds_told(got.header("date") or "", 0)
    return None if sent_at is None else seconds_told(value, int(sent_at * SECOND))


NAMES = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "ratelimit-policy")


def _judge_headers(ex: Examiner, sent: Sent, got: Got) -> None:
    """Judge each header that an answer has by itself, and that a 429 has them all."""
    limits = [limit for limit in (ex.given.rate_limit, ex.given.account_rate_limit) if limit]
    wrong = _wrong_with_headers(got, limits)
    if wrong:
        ex.break_rule("limit-headers", wrong, sent, got, " or ".join(f"{most};w={seconds}" for most, seconds in limits))
    elif any(got.header(name) for name in NAMES):
        ex.keep_rule("limit-headers")


def _wrong_with_headers(got: Got, limits: Sequence[tuple[int, int]]) -> str:
    told = {name: got.header(name) for name in NAMES}
    absent = [name for name, value in told.items() if value is None]
    if got.status == TOO_MANY and absent:
        return f"a 429 without {', '.join(absent)}"
    for name in NAMES[:3]:
        if told[name] is not None and not re.fullmatch("[0-9]{1,15}", str(told[name]), re.ASCII):
            return f"{name}: {told[name]}, which is no whole number"
    limit, remaining, reset = (None if told[name] is None else int(str(told[name])) for name in NAMES[:3])
    policy = told[NAMES[3]] or ""
    known = any(re.match(rf"{most}\s*;\s*w={seconds}\b", policy) for most, seconds in limits)
    faults = {
        f"ratelimit-limit: {limit}": limit is not None and limit not in {most for most, _ in limits},
        f"ratelimit-remaining: {remaining}, more than the limit": (remaining or 0) > (limit or remaining or 0),
        f"a 429 with ratelimit-remaining: {remaining}": got.status == TOO_MANY and remaining != 0,
        f"ratelimit-reset: {reset}, beyond the window": (reset or 0) > max(seconds for _, seconds in limits),
        f"ratelimit-policy: {policy}": bool(policy) and not known,
    }
    return next((what for what, wrong in faults.items() if wrong), "")


def _judge_countdown(ex: Examiner, answers: Sequence[tuple[Sent, Got]]) -> None:
    """Judge that what remains goes down by one with each request, as far as it is told."""
    before: tuple[str | None, int] | None = None
    for sent, got in answers:
        value, limit = got.header("ratelimit-remaining"), got.header("ratelimit-limit")
        left = int(value) if value and re.fullmatch("[0-9]+", value, re.ASCII) else None
        if before and left is not None and limit == before[0] and left != before[1] - 1:
            what = f"ratelimit-remaining: {left} behind {before[1]}"
            ex.break_rule("limit-headers", what, sent, got, str(before[1] - 1))
            return
        before = None if left is None else (limit, left)
