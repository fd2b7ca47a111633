"""A rule for providers, and the decorators that turn functions into rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from contract_tests.provider.documented import Routed
from contract_tests.provider.probes import Probe, ProbeFactory
from contract_tests.provider.wire import Request, Response
from mock_server.contract.operation import Operation
from mock_server.handlers import SAMPLE

Probes = Callable[[ProbeFactory], Iterator[Probe]]
Judge = Callable[[Request, Response, Routed], tuple[str, str] | None]
"""Returns what is wrong with the response to a request and what would be right; None if nothing is wrong."""


def adds_prospects(operation: Operation) -> bool:
    """Return whether an operation is the one that adds prospects, which most is known about."""
    return operation.id == SAMPLE.operation


def every_operation(_: Operation) -> bool:
    """Return that a rule is about all operations."""
    return True


def has_body(operation: Operation) -> bool:
    """Return whether an operation takes a body."""
    return operation.body is not None


def has_id(operation: Operation) -> bool:
    """Return whether the path of an operation names an object."""
    return "path" in operation.parameters


def has_query(operation: Operation) -> bool:
    """Return whether an operation takes parameters in its query."""
    return "query" in operation.parameters


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule for providers; one without probes and judge is measured by a procedure."""

    id: str
    statement: str  # what a provider must do, in one sentence
    source: str  # the page, the pointer or the standard that says so
    probes: Probes | None = None
    judge: Judge | None = None
    needs_socket: bool = False  # whether the probes need a real connection
    applies: Callable[[Operation], bool] = adds_prospects  # whether an operation is probed


def rule(
    source: str, applies: Callable[[Operation], bool] = adds_prospects, *, needs_socket: bool = False
) -> Callable[[Probes], Rule]:
    """Return a decorator that makes a rule of a generator of probes: its name is the id, its docstring a statement."""
    return lambda probes: Rule(*_named(probes), source, probes=probes, needs_socket=needs_socket, applies=applies)


def response_rule(source: str) -> Callable[[Judge], Rule]:
    """Return a decorator that makes a rule of a function that judges every response."""
    return lambda judge: Rule(*_named(judge), source, judge=judge)


def _named(function: Callable[..., object]) -> tuple[str, str]:
    return function.__name__.replace("_", "-"), (function.__doc__ or "").splitlines()[0]
