"""The scenarios that a consumer is run in, each on a fake of its own, and how a function of this process is run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from alta_terminal import escaped
from contract_tests.consumer.lists import add_to, lengthen, reads_lists, with_unknown_members
from contract_tests.consumer.runs import Environment, Script, Step, other_host, transport_of, until
from mock_server import AltaMock, Clock
from mock_server.handlers import SAMPLE
from mock_server.handlers.handler import Context, Handler, Result
from mock_server.journal.rules import Run
from mock_server.journal.rules_lists import lists_of
from mock_server.messages.call import Call
from mock_server.messages.http import ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle, Hooks, unchanged
from mock_server.pipeline.injection import injected_fault

HTML = (("Content-Type", "text/html"),)
OFF: Mapping[str, str] = {"rate_limit": "off", "account_rate_limit": "off"}
SLOW = 3.0  # seconds that a slow response takes
MOST_NORMALLY = 3000  # requests of a consumer when nothing happens, after which it is stopped: 60,000 prospects
EMPTY_PAGE = Injected(status=200, body={"data": [], "hasMore": False})
MOST_FOR_OBJECTS = 600  # further ones of a consumer that reads lists, which are longer in some scenarios
MOST_REQUESTS = 60  # those in a scenario after which it is stopped, beyond three times what it needs normally


@dataclass(frozen=True, slots=True)
class Scenario:
    """What happens to a consumer from its second request on; from the first if it makes only one, or with `first`."""

    name: str
    statement: str  # what happens, in a few words
    steps: Callable[[AltaMock], Sequence[Step]] = lambda _: ()  # what is injected
    first: bool = False
    settings: Mapping[str, str] | None = None  # of the fake, before those of the caller; None for no limits
    body: bytes | None = None  # of every success of adding prospects, in place of the recorded one
    reads: bool = False  # for consumers that read lists, which are lengthened
    assume: Mapping[str, str] = field(default_factory=dict)
    grows: bool = False  # whether an object is added to each list between its first page and the next
    unknown: bool = False  # whether the objects of lists have a member that no page documents

    def fake(
        self,
        usual: Run | None,
        clock: Clock | None = None,
        around: Callable[[Handle], Handle] = unchanged,
        **settings: Any,
    ) -> AltaMock:
        """Return the fake of the scenario for a consumer, by its usual run; `around` wraps the handling of requests."""
        own: dict[str, Any] = {**settings, **(OFF if self.settings is None else self.settings)}
        script, growth = Script(), Growth(usual if self.grows else None)
        hooks = Hooks(
            inject=script, around=lambda handle: around(growth.around(script.around(handle))), handlers=self._handlers
        )
        mock = AltaMock(clock=clock, hooks=hooks, **{**own, "assume": {**dict(own.get("assume") or {}), **self.assume}})
        if self.reads and usual:
            lengthen(mock, usual)
        growth.mock = mock
        single = usual is not None and len(usual.entries) <= 1
        before: list[Step] = [] if self.first or single else [None]
        script.begin([*before, *self.steps(mock)])
        return mock

    def _handlers(self, handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
        if self.unknown:
            lists = {name: one for name, one in handlers.items() if name.startswith("list")}
            return {**handlers, **{name: with_unknown_members(one) for name, one in lists.items()}}
        if self.body is None:
            return handlers
        adding = handlers[SAMPLE.operation]
        return {**handlers, SAMPLE.operation: replace(adding, function=self._answering(adding))}

    def _answering(self, handler: Handler) -> Callable[[Call, Context], Result]:
        return lambda call, context: replace(handler.function(call, context), body=self.body)


def _inject(*steps: Injected) -> Callable[[AltaMock], Sequence[Step]]:
    return lambda _: steps


def _on_next_page(*injected: Injected) -> Callable[[AltaMock], Sequence[Step]]:
    """Inject responses into the first requests that have a cursor."""

    def steps(_: AltaMock) -> Sequence[Step]:
        left = list(injected)

        def step(request: ApiRequest) -> Injected | None:
            return left.pop(0) if left and "cursor=" in request.query else None

        return [step] * MOST_NORMALLY

    return steps


def _on_first_page(*injected: Injected) -> Callable[[AltaMock], Sequence[Step]]:
    """Inject responses into the first requests that read, and have no cursor."""

    def steps(mock: AltaMock) -> Sequence[Step]:
        left, lists = list(injected), {one.path for one in mock.contract.operations if one.id.startswith("list")}

        def step(request: ApiRequest) -> Injected | None:
            first = request.method == "GET" and mock.contract.base_path and "cursor=" not in request.query
            return (
                left.pop(0) if left and first and request.path.removeprefix(mock.contract.base_path) in lists else None
            )

        return [step] * MOST_NORMALLY

    return steps


def _redirect(mock: AltaMock) -> Sequence[Step]:
    """Return the step of a redirect to another host, with the id of another campaign, or of none."""
    _, chosen = mock.required_credentials()
    others = (one["id"] for one in mock.campaigns() if one["id"] != chosen and one["answer"] is None)
    other = next(others, chosen[::-1])

    def step(request: ApiRequest) -> Injected:
        host = other_host(request.all("host")[0])
        scheme = "http" if host.startswith("localhost") else "https"
        query = f"?{request.query}" if request.query else ""
        target = f"{scheme}://{host}{request.path.replace(chosen, other)}{query}"
        return Injected(status=307, headers=(("Location", target),))

    return [step]


_IN_ORDER = (
    Scenario("normal", "every request gets its normal response"),
    Scenario("limit", "the limit of one request in two seconds is reached", settings={"rate_limit": "1/2s"}),
    Scenario("429", "a 429 with a Retry-After of 3 s", _inject(Injected(status=429, retry_after="3"))),
    Scenario("429-date", "a 429 with a Retry-After of 3 s, as a date", lambda mock: [until(mock, 3)]),
    Scenario("429-untold", "a 429 without Retry-After", _inject(Injected(status=429, headers=(("Retry-After", ""),)))),
    Scenario(
        "429-html",
        "a 429 with an HTML page, as from a proxy",
        _inject(Injected(status=429, retry_after="3", headers=HTML, body="<h1>Too many requests</h1>")),
    ),
    Scenario("429-forever", "a 429 for every request", _inject(*[Injected(status=429, retry_after="1")] * 1000)),
    Scenario("400", "a 400 with an unusual body", _inject(Injected(status=400, body={"errors": ["No", {"a": None}]}))),
    Scenario("401", "a 401 for every request", _inject(*[Injected(status=401)] * 1000), first=True),
    Scenario("404", "a 404 for every request", _inject(*[Injected(status=404)] * 1000), first=True),
    Scenario("500", "a 500", _inject(Injected(status=500))),
    Scenario("502-html", "a 502 with an HTML page, as from a proxy", _inject(injected_fault("html_502"))),
    Scenario(
        "response-lost", "a batch is added and its response is lost", _inject(injected_fault("drop_after_commit"))
    ),
    Scenario("slow", "a response takes 3 s", _inject(injected_fault("delay", seconds=SLOW))),
    Scenario("empty-200", "the body of every 200 for a batch is empty", body=b""),
    Scenario("odd-200", "the body of every 200 for a batch is an undocumented one", body=b'["done", {"added": "20"}]'),
    Scenario(
        "redirect",
        "a redirect to another campaign at another host",
        _redirect,
        first=True,
    ),
    Scenario("pages", "lists have several pages, the last one is full", reads=True),
    Scenario(
        "pages-short",
        "pages have one object fewer than limit says",
        reads=True,
        assume={"page-size": "short", "previous": "absent"},
    ),
    Scenario("pages-odd", "objects have null, unknown members, or no optional ones", reads=True, unknown=True),
    Scenario("page-empty", "the first page of a list is empty", _on_first_page(EMPTY_PAGE), reads=True, first=True),
    Scenario("page-added", "an object is added between two pages", reads=True, grows=True),
    Scenario(
        "cursor-long",
        "cursors have 2,000 characters, some to be percent-encoded",
        reads=True,
        assume={"cursor-form": "long"},
    ),
    Scenario(
        "cursor-400", "a cursor is refused with a 400", _on_next_page(Injected(status=400)), reads=True, first=True
    ),
    Scenario(
        "page-429",
        "a 429 with a Retry-After of 2 s for a next page",
        _on_next_page(Injected(status=429, retry_after="2")),
        reads=True,
        first=True,
    ),
    Scenario("page-500", "a 500 for a next page", _on_next_page(Injected(status=500)), reads=True, first=True),
    Scenario(
        "page-lost",
        "the response with a next page is lost",
        _on_next_page(injected_fault("drop_after_commit")),
        reads=True,
        first=True,
    ),
    Scenario(
        "page-limit",
        "the limit of all requests, five in a second, is reached",
        reads=True,
        settings={"rate_limit": "off", "account_rate_limit": "5/1s"},
    ),
)
SCENARIOS = {scenario.name: scenario for scenario in _IN_ORDER}

PEOPLE = [{"email": f"person.{number}@example.com", "firstName": "Ada"} for number in range(50)]


class Stopped(BaseException):
    """Stops a consumer that sends requests without end, past whatever it catches."""


class RequestLimit:
    """A hook around the handling of requests that stops a consumer after a number of them."""

    def __init__(self, most: int) -> None:
        self._left = most

    @property
    def exceeded(self) -> bool:
        """Whether the consumer sent more requests."""
        return self._left < 0

    def __call__(self, handle: Handle) -> Handle:
        """Wrap the handling of requests."""

        def counting(request: ApiRequest, transport: str) -> Outcome:
            self._left -= 1
            if self.exceeded:
                raise Stopped
            return handle(request, transport)

        return counting


Played = tuple[Run, AltaMock]
"""A run of a consumer, and the fake that it used."""


def play_in(  # noqa: PLR0913 - two say who and where, the others how
    scenario: Scenario,
    consumer: Callable[[Environment], object],
    *,
    expected: Sequence[Mapping[str, Any]] | None,
    usual: Run | None,
    clock: Clock,
    transport: str = "responses",
    **settings: Any,
) -> Played:
    """Run a consumer of this process in one scenario, and stop it if it sends requests without end.

    `usual` is its normal run, None for that very run. The transport is `responses`, for what `requests` sends, or
    `socket`.
    """
    limit = RequestLimit(most_requests(usual))
    mock = scenario.fake(usual, clock, limit, **settings)
    token, campaign = mock.required_credentials()
    reported: list[tuple[bool, str]] = []
    with transport_of(mock, transport) as url:
        at = Environment(url, token, campaign, mock.clock.sleep, mock.clock.time)
        if transport == "responses":
            reported += _reported(consumer, at)
        else:  # what the hook raises does not reach the consumer, which is left running if it does not end
            thread = threading.Thread(target=lambda: reported.extend(_reported(consumer, at)), daemon=True)
            thread.start()
            while thread.is_alive() and not limit.exceeded:
                thread.join(0.01)
    succeeded, error = reported[0] if reported else (None, "")
    run = made_run(mock, campaign, expected, usual, succeeded=succeeded, ended=not limit.exceeded)
    return replace(run, said=[mock.redact(escaped(error))[:200]] if error else []), mock


def _reported(consumer: Callable[[Environment], object], at: Environment) -> list[tuple[bool, str]]:
    """Run a consumer; return whether it neither raised nor returned False, and its error; empty if it was stopped."""
    try:
        return [(consumer(at) is not False, "")]
    except Stopped:
        return []
    except Exception as error:  # noqa: BLE001 - it is how it reports failure
        return [(False, f"{type(error).__name__}: {error}")]


def most_requests(usual: Run | None) -> int:
    """Return the number of requests after which a consumer is stopped; a limit may double what it needs normally."""
    if usual is None:
        return MOST_NORMALLY
    return MOST_REQUESTS + 3 * len(usual.entries) + MOST_FOR_OBJECTS * reads_lists(usual)


def scenarios_for(usual: Run) -> list[str]:
    """Return the names of the scenarios of a consumer, the normal one left out, by what it does in that."""
    reads = reads_lists(usual)
    return [name for name, one in SCENARIOS.items() if name != "normal" and (reads or not one.reads)]


class Growth:
    """A hook that adds an object to each list before its second page is read."""

    def __init__(self, usual: Run | None) -> None:
        self._left = dict(lists_of(usual.entries)) if usual else {}
        self.mock: AltaMock | None = None

    def around(self, handle: Handle) -> Handle:
        """Wrap the handling of requests."""

        def growing(request: ApiRequest, transport: str) -> Outcome:
            if self.mock and "cursor=" in request.query:
                for name, read in list(self._left.items()):
                    if read.first.unredacted.path == request.path:
                        add_to(self.mock, self._left.pop(name), 0)
            return handle(request, transport)

        return growing


def made_run(  # noqa: PLR0913 - each is a part of the run
    mock: AltaMock,
    campaign: str,
    expected: Sequence[Mapping[str, Any]] | None,
    usual: Run | None,
    *,
    succeeded: bool | None,
    ended: bool,
) -> Run:
    """Return the run of a consumer."""
    usually = len(usual.stored) if usual and usual.succeeded else None
    return Run(mock.requests, mock.prospects(campaign), expected, succeeded, ended, usually)
