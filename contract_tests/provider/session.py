"""A session with a provider: send requests at the pace that its limit allows, and judge every response."""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from contract_tests.provider.documented import routed
from contract_tests.provider.probes import ProbeFactory
from contract_tests.provider.results import Report
from contract_tests.provider.target import Target
from contract_tests.provider.wire import NO_RESPONSE, SAFE, TOO_MANY, Provider, Request, Response, Unusable
from mock_server.contract.limits import Limit

LATE = 0.1  # seconds after the end of a window at which a request must be accepted
WITHOUT_LIMITS = 180.0  # seconds that a verification takes at most by default if no limit is judged
MOST_SILENT = 3  # requests in a row without a response after which nothing more is sent
ALWAYS_JUDGED = frozenset({"no-server-error", "answers-in-time"})  # also the responses without a body, to a HEAD


@dataclass(frozen=True, slots=True)
class Step:
    """The progress of a verification; the planned requests do not include those of Schemathesis."""

    doing: str  # the rule that is exercised, and the reason of a wait
    requests: int
    planned: int
    wait: float = 0.0  # seconds left of a wait in real time


@dataclass(frozen=True, slots=True)
class Options:
    """How to verify; an empty `only` stands for all rules, empty `operations` for all operations."""

    operations: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()
    max_requests: int | None = None
    max_seconds: float | None = None  # None for no bound, or `WITHOUT_LIMITS` if no limit is judged
    seed: int = 0
    patient: bool = True  # whether waiting takes real time
    seconds: float = 10.0  # time for a response
    settle: float = 5.0  # seconds until what was added is listed
    announce: Callable[[int, float], object] = lambda *_: None  # called with the planned requests and seconds of waits
    progress: Callable[[Step], object] = lambda _: None  # called before each request, each second during a wait

    def include(self, rule: str) -> bool:
        """Return whether a rule is to be verified."""
        return (not self.only or rule in self.only) and rule not in self.skip

    def about(self, operation: str) -> bool:
        """Return whether an operation is to be verified."""
        return not self.operations or operation in self.operations


class Stopped(Exception):
    """No more requests are allowed, or the provider has stopped responding."""


class Session:
    """Sends requests to a provider, and counts and judges them in a report."""

    def __init__(self, target: Target, provider: Provider, options: Options, report: Report) -> None:
        self.target, self.provider, self.options, self.report = target, provider, options, report
        self.make = ProbeFactory(target, random.Random(options.seed))  # noqa: S311 - unknown ids are not secret
        self.what = ""  # the probe
        self._doing, self._since = "", 0.0
        usual = math.inf if target.rate_limit or target.account_rate_limit else WITHOUT_LIMITS
        self._most_seconds = options.max_seconds or usual
        self._deadline = time.monotonic() + self._most_seconds
        self.planned = 0  # about how many requests will be sent
        self._counted: dict[Limit, deque[float]] = defaultdict(deque)  # times of the requests that count, by limit
        self._hopeless = False  # whether a limit has not reset within its window
        self._silent = 0
        ours = (token for token in (target.token, target.second_token, target.multi_account_token) if token)
        self._ours = {f"bearer {token}".lower() for token in ours}

    @property
    def doing(self) -> str:
        """The rule that is exercised, which the time until the next is counted for."""
        return self._doing

    @doing.setter
    def doing(self, rule: str) -> None:
        now = time.monotonic()
        if self._doing in self.report.results:
            self.report.results[self._doing].seconds += now - self._since
        self._doing, self._since = rule, now

    def wait(self, seconds: float, why: str) -> None:
        """Wait, and report the progress of a wait in real time."""
        doing, left = f"{self.doing}: waiting {why}", seconds
        self._allow(0, seconds if self.options.patient else 0.0)
        while left > 0:
            self._progress(doing, left if self.options.patient else 0.0)
            passing = min(left, 1.0) if self.options.patient else left
            self.provider.wait(passing)
            left -= passing

    def send_patiently(self, request: Request, **how: bool) -> Response:
        """Send a request when the limits allow it, and again after a 429; takes the options of `send`.

        A limit that has not reset after its window is a breach; from then on nothing is sent again.
        """
        self._pace(request)
        response, waited = self.send(request, **how), 0.0
        limits = (self.target.rate_limit, self.target.account_rate_limit)
        longest = max((limit.seconds for limit in limits if limit), default=0)  # a wrong token may count, too
        while response.status == TOO_MANY and waited < longest and not self._hopeless:
            demanded = min(response.seconds("retry-after") or longest, longest) if waited == 0 else longest
            self.wait(demanded + LATE, "as a 429 demands")
            waited += demanded
            response = self.send(request, **how)
        if response.status == TOO_MANY and waited >= longest > 0 and not self._hopeless:
            self._hopeless = True
            what = f"a request {waited:.0f} s after a 429, in which nothing was sent"
            self.report.add_breach("limit-ends-at-retry-after", what, request, response, "no 429: the window is over")
        return response

    def send(
        self, request: Request, *, fresh: bool = False, silence_allowed: bool = False, own_rule: bool = False
    ) -> Response:
        """Send a request now, and judge its response; with `own_rule` the caller judges server errors."""
        self._allow(1)
        self._progress(self.doing)
        try:
            response = self.provider.send(request, seconds=self.options.seconds, fresh=fresh)
        except Unusable as error:
            if not self.report.requests:
                raise
            response = Response(NO_RESPONSE, at=self.provider.time(), trouble=f"connection lost: {error}")
        self._judge(request, response, own_rule=own_rule)
        if self.target.reject_only and response.succeeded and request.method not in SAFE:
            self.report.add_breach(self.doing, self.what, request, response, "a refusal (4xx)")
            accepted = f"{self.doing}: {self.what} was accepted with {response.status}"
            count = f"{request.records} prospect{'s' * (request.records != 1)}"
            raise Stopped(f"{accepted}, and may have added {count}; --reject-only ends here")
        self._silent = self._silent + 1 if response.status == NO_RESPONSE and not silence_allowed else 0
        if self._silent >= MOST_SILENT:
            raise Stopped(f"{MOST_SILENT} requests in a row had no response: {response.trouble}")
        return response

    def at_once(self, requests: Sequence[Request], *, patiently: bool = False) -> list[Response]:
        """Send requests at the same time, each on its own connection; none if not that many are allowed.

        With `patiently`, wait until the limits allow all of them, which must be equal.
        """
        if patiently:
            self._pace(requests[0], len(requests))
        self._allow(len(requests))
        with ThreadPoolExecutor(len(requests)) as pool:
            send = self.provider.send
            responses = list(pool.map(lambda one: send(one, seconds=self.options.seconds, fresh=True), requests))
        for request, response in zip(requests, responses, strict=True):
            self._judge(request, response)
        return responses

    def _progress(self, doing: str, wait: float = 0.0) -> None:
        self.options.progress(Step(doing, self.report.requests, self.planned, wait))

    def _allow(self, more: int, seconds: float = 0.0) -> None:
        """Raise `Stopped` if a number of requests, or of seconds, is not allowed."""
        if time.monotonic() + seconds > self._deadline:
            raise Stopped(f"--max-seconds {self._most_seconds:g}")
        if self.options.max_requests is not None and self.report.requests + more > self.options.max_requests:
            raise Stopped(f"--max-requests {self.options.max_requests}")

    def _pace(self, request: Request, times: int = 1) -> None:
        """Wait until the limits allow a request, or several like it, by our own count of earlier requests."""
        for limit in () if self._hopeless else self._limits(request):
            counted = self._counted[limit]
            while counted and counted[0] <= self.provider.time() - limit.seconds:
                counted.popleft()
            if len(counted) + times > limit.requests:
                self.wait(
                    counted[times - limit.requests - 1] + limit.seconds + LATE - self.provider.time(), "for quota"
                )

    def _limits(self, request: Request) -> list[Limit]:
        """Return the limits that a request counts against."""
        if not self._counts(request):
            return []
        operation = routed(request, self.target.url).operation
        narrow = self.target.rate_limit if operation is None or operation.limit else None
        return [limit for limit in (narrow, self.target.account_rate_limit) if limit]

    def _counts(self, request: Request) -> bool:
        """Return whether a request uses the quota of the target's account."""
        return any(name == "Authorization" and value.lower() in self._ours for name, value in request.headers)

    def _judge(self, request: Request, response: Response, *, own_rule: bool = False) -> None:
        """Count a response, and judge it by the rules about every response."""
        self.report.count(request, response)
        for limit in self._limits(request):
            self._counted[limit].append(response.at)
        known = routed(request, self.target.url)
        operation = known.operation.id if known.operation else ""
        for name, result in self.report.results.items():
            judge, server_errors = result.rule.judge, name == "no-server-error"
            if judge is None or (own_rule and server_errors):
                continue
            if request.method == "HEAD" and name not in ALWAYS_JUDGED:
                continue
            if request.framing in {"short", "long"} and not server_errors:
                continue  # invalid HTTP may be answered by the server itself, which does not know the API
            fault = judge(request, response, known)
            seen = ((one.got[:3], one.operation) for one in result.breaches)
            if fault and (str(response.status), operation) not in seen:
                self.report.add_breach(name, self.doing, request, *fault)
            self.report.exercised(name, operation)
