"""A rule for providers, and the decorators that turn functions into rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract_tests.provider.probes import Probe, ProbeFactory
from contract_tests.provider.wire import Response

Probes = Callable[[ProbeFactory], Iterator[Probe]]
Judge = Callable[[Response], tuple[str, str] | None]
"""Returns what is wrong with a response and what would be right; None if nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for providers; one without probes and judge is measured by a procedure.

    Attributes:
        statement: What a provider must do, in one sentence.
        source: The page, the pointer or the standard that says so.
        probes: Yields the requests that exercise it.
        judge: Judges every response.
        needs_socket: Whether the probes need a real connection.
    """

    id: str
    statement: str
    source: str
    probes: Probes | None = None
    judge: Judge | None = None
    needs_socket: bool = False


def rule(source: str, *, needs_socket: bool = False) -> Callable[[Probes], Rule]:
    """Return a decorator that makes a rule of a generator of probes.

    The name of the function becomes the id, and its docstring the statement.
    """

    def decorate(probes: Probes) -> Rule:
        return Rule(*_named(probes), source, probes=probes, needs_socket=needs_socket)

    return decorate


def response_rule(source: str) -> Callable[[Judge], Rule]:
    """Return a decorator that makes a rule of a function that judges every response."""

    def decorate(judge: Judge) -> Rule:
        return Rule(*_named(judge), source, judge=judge)

    return decorate


def _named(function: Callable[..., object]) -> tuple[str, str]:
    return function.__name__.replace("_", "-"), (function.__doc__ or "").splitlines()[0]
