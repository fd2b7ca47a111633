"""What recorded traffic says about an open question: which of its choices each exchange allows.

An observation is the set of choices that an exchange allows. What all observations of a question allow is the result:
one choice, several, or none, if they contradict each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from contract_tests.provider.limit_rules import HEADERS
from contract_tests.provider.wire import Response
from contract_tests.traffic.captured import Captured
from contract_tests.traffic.memory import Memory, Quota
from mock_server.contract.assumptions import Assumption
from mock_server.contract.limits import SECOND
from mock_server.contract.operation import Operation
from mock_server.journal.entries import Entry
from mock_server.journal.traffic import seconds_named

SETTLED, NARROWED, CONFLICTING, NOT_SEEN = "settled", "narrowed", "conflicting", "not seen"


@dataclass(frozen=True)
class Seen:
    """A recorded request with its response, which is neither injected nor lost.

    Attributes:
        operation: Of the request; None without one.
    """

    entry: Entry
    operation: Operation | None
    one: Captured
    response: Response

    @property
    def status(self) -> int:
        """The status of the response."""
        return self.response.status

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return self.response.succeeded

    @property
    def recorded(self) -> bool:
        """Whether the request is recorded with headers and body, and nothing but its body may be wrong."""
        complete = self.one.body is not None and self.one.headers is not None
        return complete and all(one.place == "body" for one in self.entry.violations)

    @property
    def valid(self) -> bool:
        """Whether the request is recorded completely, and keeps what is documented."""
        return self.recorded and not self.entry.violations

    @property
    def rules(self) -> set[str]:
        """The rules that the request breaks."""
        return {violation.rule for violation in self.entry.violations}

    @property
    def sent(self) -> Any:
        """The JSON of the request."""
        return self.entry.unredacted_body.value

    @cached_property
    def object(self) -> Mapping[str, Any]:
        """The JSON object of the response; empty without one."""
        value = self.response.json if self.one.reply_body else None
        return value if isinstance(value, dict) else {}

    @cached_property
    def page(self) -> Sequence[Any] | None:
        """The objects of a page; None if the response is none."""
        listing = self.ok and self.operation is not None and "cursor" in self.query_names
        data = self.object.get("data") if listing else None
        return data if isinstance(data, list) else None

    @property
    def query_names(self) -> set[str]:
        """The declared parameters of the query."""
        return {one.name for one in self.operation.parameters.get("query", ())} if self.operation else set()

    @cached_property
    def objects(self) -> list[Mapping[str, Any]]:
        """The objects of the API in a success: those of a page, or the only one."""
        found = [self.object] if self.page is None else self.page
        return [one for one in found if isinstance(one, dict) and "objectType" in one] if self.ok else []

    @cached_property
    def quota(self) -> Quota | None:
        """The headers of a limit; None unless all of them are whole numbers."""
        texts = [self.response.header(name) or "" for name in HEADERS[:3]]
        if not all(re.fullmatch("[0-9]{1,9}", text, re.ASCII) for text in texts) or self.one.began is None:
            return None
        limit, remaining, reset = map(int, texts)
        policy = re.search(r";\s*w=([0-9]{1,6})", self.response.header("ratelimit-policy") or "")
        sent = seconds_named(self.response.header("date") or "", 0)
        at = int(sent) if sent is not None else (self.one.ended or 0) // SECOND
        seconds = int(policy[1]) if policy and int(policy[1]) else 60
        narrow = self.operation is not None and self.operation.limit is not None
        began, ended = self.one.began, self.one.ended or self.one.began
        return Quota(narrow, limit, remaining, seconds, at + reset, at, began, ended)


class Weak(frozenset[str]):
    """Choices that an exchange suggests, since it lacks what another choice would show; stronger ones count alone."""


Observe = Callable[[Seen, Memory], "frozenset[str] | None"]
"""Returns the choices that an exchange allows, perhaps none; None if it says nothing."""

OBSERVERS: dict[str, Observe] = {}
"""By the ids of their questions; complete once `observers` is imported."""


def observer(question: str) -> Callable[[Observe], Observe]:
    """Return a decorator that makes a function the observer of a question."""

    def register(function: Observe) -> Observe:
        OBSERVERS[question] = function
        return function

    return register


@dataclass(slots=True)
class Evidence:
    """What traffic says about one question.

    Attributes:
        strong: How often each set of choices was observed.
        weak: The same of weak observations.
        first: The number of the first record that showed each set.
    """

    assumption: Assumption
    strong: Counter[frozenset[str]] = field(default_factory=Counter)
    weak: Counter[frozenset[str]] = field(default_factory=Counter)
    first: dict[frozenset[str], Captured] = field(default_factory=dict)

    def add(self, allowed: frozenset[str], one: Captured) -> None:
        """Add an observation; one that allows every choice says nothing."""
        if len(allowed) == len(self.assumption.choices):
            return
        counts = self.weak if isinstance(allowed, Weak) else self.strong
        counts[frozenset(allowed)] += 1
        self.first.setdefault(frozenset(allowed), one)

    @property
    def counted(self) -> Counter[frozenset[str]]:
        """The observations that count."""
        return self.strong or self.weak

    @property
    def allowed(self) -> list[str]:
        """The choices that every observation allows, in order."""
        ids = [choice.id for choice in self.assumption.choices]
        return [one for one in ids if all(one in allowed for allowed in self.counted)]

    @property
    def verdict(self) -> str:
        """`settled`, `narrowed`, `conflicting` or `not seen`."""
        if not self.counted:
            return NOT_SEEN
        return {0: CONFLICTING, 1: SETTLED}.get(len(self.allowed), NARROWED)

    @property
    def choice(self) -> str | None:
        """The choice that the traffic agrees with; None unless it settles the question."""
        return self.allowed[0] if self.verdict == SETTLED else None

    def shown(self, choice: str) -> int:
        """Return how many exchanges agree with a choice."""
        return sum(count for allowed, count in self.counted.items() if choice in allowed)

    @property
    def total(self) -> int:
        """How many exchanges say something."""
        return self.counted.total()

    @property
    def against_all(self) -> int:
        """How many exchanges agree with no choice."""
        return self.counted[frozenset()]


class Observers:
    """Shows each exchange to the observers of all questions."""

    def __init__(self, questions: Iterable[Assumption]) -> None:
        self._evidence = {one.id: Evidence(one) for one in questions}
        self._memory = Memory()

    def look(self, seen: Seen) -> None:
        """Observe an exchange, after those before it."""
        for name, observe in OBSERVERS.items():
            allowed = observe(seen, self._memory)
            if allowed is not None:
                self._evidence[name].add(allowed, seen.one)

    def evidence(self) -> list[Evidence]:
        """Return what was observed, question by question."""
        return list(self._evidence.values())
