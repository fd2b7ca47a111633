"""`alta-mock score`: what the rules are worth, measured by providers and clients with one defect each.

The correct provider and the legal variants must pass, every defect must be caught, and so must every wrong client. It
all happens in this machine's processes, on clocks that are moved.
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import signal
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import count
from typing import TYPE_CHECKING

import click

import alta_terminal as terminal
from contract_tests.consumer.scenarios import PEOPLE, SCENARIOS, play_in
from contract_tests.fake import seeded
from contract_tests.mutants.catalogue import MUTANTS, START, Bench
from contract_tests.mutants.clients import WRONG_CLIENTS, right_client
from contract_tests.provider.rules import RULES
from contract_tests.provider.session import Options
from contract_tests.provider.verification import verify_provider
from mock_server import Clock
from mock_server.cli.options import known_names
from mock_server.cli.output import BROKEN, UNUSABLE, Files, junit, refuse_unwritable, write
from mock_server.journal import rules as consumer
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from alta_terminal import Paint
    from contract_tests.consumer.runs import Environment
    from contract_tests.provider.results import Report
    from mock_server.journal.rules import Run

CORRECT = "correct"
"""The provider and the client without a deviation."""

CLIENT = "client: "
"""What the names of clients begin with."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of one provider or client.

    Attributes:
        legal: Whether it had to pass.
        caught: The rules that it broke, each with the request that decided.
        trouble: Why it could not be examined, where that was not meant; empty otherwise.
    """

    name: str
    statement: str
    source: str
    legal: bool
    caught: dict[str, str]
    trouble: str = ""

    @property
    def right(self) -> bool:
        """Whether it came out as it had to."""
        return not self.trouble and self.legal == (not self.caught)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be examined, and how.

    Attributes:
        only: Names of defects and variants; empty for all.
        without: Rules to leave out, to see what slips through.
        defects: A Python file with more defects.
        seed: Of what is chosen at random.
    """

    only: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    defects: Path | None = None
    seed: int = 0


def score(wanted: Wanted, jobs: int, files: Files) -> int:
    """Examine everything in a number of processes, print the table, and return the exit code.

    Raises:
        MockError: There is no such name, or a file cannot be used.
    """
    refuse_unwritable((files.json, files.junit))
    load(wanted.defects)
    known_names(wanted.without, {**RULES, **consumer.RULES}, "rule")
    clients = [CLIENT + name for name in (CORRECT, *WRONG_CLIENTS)]
    names = [CORRECT, *MUTANTS, *clients]
    chosen = sorted(known_names(wanted.only, names, "mutant"), key=names.index) or names
    begun = time.monotonic()
    examine_one = partial(examined, seed=wanted.seed, without=wanted.without)
    done = count(1)
    with terminal.StatusLine() as progress:
        progress.show(f"0 of {len(chosen)} examined")
        scored = list(
            _examined(
                chosen,
                jobs,
                examine_one,
                wanted.defects,
                lambda name: progress.show(f"{next(done)} of {len(chosen)} examined  {name}"),
            )
        )
    seconds = time.monotonic() - begun
    for line in lines(scored, wanted.without, whole=not wanted.only, paint=terminal.paint):
        click.echo(line)
    click.echo(f"{len(scored)} examined in {seconds:.0f} s")
    written = write({files.json: partial(as_json, scored), files.junit: partial(as_junit, scored)})
    if any(not one.right for one in scored):
        return BROKEN
    return 0 if written else UNUSABLE


def load(defects: Path | None) -> None:
    """Import a module that declares more defects.

    Raises:
        MockError: It cannot be imported.
    """
    if defects is None:
        return
    spec = importlib.util.spec_from_file_location("more_defects", defects)
    try:
        if spec is None or spec.loader is None:
            raise ImportError("it is no Python file")  # noqa: TRY301 - told below like the others
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise MockError(f"cannot import {defects}: {type(error).__name__}: {error}") from error


def _examined(
    names: Sequence[str],
    jobs: int,
    examine_one: Callable[[str], Scored],
    defects: Path | None,
    tell: Callable[[str], object],
) -> Iterator[Scored]:
    """Examine each, in this process or in several; tells the name of each that is done."""
    if jobs == 1 or len(names) == 1:
        for name in names:
            yield examine_one(name)
            tell(name)
        return
    context = multiprocessing.get_context("spawn")
    futures: dict[str, Future[Scored]] = {}
    try:
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=load, initargs=(defects,)) as pool:
            with _ctrl_c_ignored():  # as it is by what is started meanwhile: this process tells it when to end
                futures |= {name: pool.submit(examine_one, name) for name in names}
            for name, future in futures.items():
                future.add_done_callback(partial(_told, tell, name))
            try:
                for future in futures.values():
                    yield future.result()
            except KeyboardInterrupt:
                for process in multiprocessing.active_children():
                    process.terminate()
                raise
    except BrokenProcessPool as error:
        lost = [name for name, future in futures.items() if isinstance(future.exception(), BrokenProcessPool)]
        there = ", ".join(lost[:jobs])  # they are begun in order
        raise MockError(f"a process ended by itself at one of {there}; examine them with --jobs 1 --only") from error


def _told(tell: Callable[[str], object], name: str, _future: object) -> None:
    tell(name)


@contextmanager
def _ctrl_c_ignored() -> Iterator[None]:
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def examined(name: str, seed: int = 0, without: frozenset[str] = frozenset()) -> Scored:
    """Examine one provider or client by its name."""
    if name.startswith(CLIENT):
        return _client(name.removeprefix(CLIENT), without)
    deviation = MUTANTS.get(name)
    legal = deviation is None or deviation.legal
    told = deviation.statement if deviation else "The fake as it is."
    source = deviation.source if deviation else ""
    try:
        report = _report(name, seed, without, schemathesis=legal)
        if not legal and not report.broken and not report.unusable and "schemathesis" not in without:
            report = _report(name, seed, without, schemathesis=True)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a deviation may do anything; it is named
        return Scored(name, told, source, legal, {}, f"it fails by itself: {type(error).__name__}: {error}")
    caught = {
        one.rule.id: f"{one.breaches[0].what}: got {one.breaches[0].got}, wanted {one.breaches[0].wanted}"
        for one in report.broken
    }
    if report.unusable and not legal:
        caught["can-be-used"] = report.unusable
    trouble = "; ".join(filter(None, [report.unusable, report.stopped, *report.unproven])) if legal else ""
    return Scored(name, told, source, legal, caught, trouble)


def _report(name: str, seed: int, without: frozenset[str], *, schemathesis: bool) -> Report:
    bench = Bench()
    if name != CORRECT:
        MUTANTS[name].build(bench)
    options = Options(seed=seed, patient=False, skip=without if schemathesis else without | {"schemathesis"})
    return verify_provider(seeded(bench.mock.base_url, allow_get=True), bench.provider, options)


def _client(name: str, without: frozenset[str]) -> Scored:
    """Let a client play: a wrong one its scenario, the right one all of them."""
    wrong = WRONG_CLIENTS.get(name)
    add = wrong.add if wrong else right_client
    caught = {}
    usual = _usual()
    for scenario in [wrong.scenario] if wrong else SCENARIOS:
        clock = Clock(lambda: 0, epoch=START)
        run = play_in(SCENARIOS[scenario], partial(_adding, add), expected=PEOPLE, usual=usual, clock=clock)
        for rule, breaches in consumer.broken(run).items():
            if rule not in without:
                numbers = ", ".join(map(str, breaches[0].requests))
                caught[rule] = f"scenario {scenario}, request {numbers}: {breaches[0].text}"
    told = wrong.fault if wrong else "Our client as it is."
    return Scored(CLIENT + name, told, "", wrong is None, caught)


@cache
def _usual() -> Run:
    """Return how the right client plays normally, which tells what is too much."""
    clock = Clock(lambda: 0, epoch=START)
    return play_in(SCENARIOS["normal"], partial(_adding, right_client), expected=PEOPLE, usual=None, clock=clock)


def _adding(add: Callable[..., object], at: Environment) -> object:
    """Let a client add everybody; what it returns says nothing."""
    add(at, PEOPLE)
    return None


def lines(
    scored: Sequence[Scored], without: frozenset[str], *, whole: bool, paint: Paint = terminal.plain
) -> Iterator[str]:
    """Yield the table and what it comes to, with verdicts that are painted."""
    width = max(len(one.name) for one in scored)
    for one in scored:
        rules = ", ".join(one.caught)
        decided = next(iter(one.caught.values()), one.trouble)
        verdict = rules or ("passes" if one.right else "SURVIVES" if not one.legal else "CANNOT BE EXAMINED")
        verdict = f"FALSE ALARM {verdict}" if one.legal and one.caught else verdict
        verdict = paint(verdict, "pass" if one.right else "fail")
        yield f"{one.name:{width}}  {verdict}{'  ' if decided else ''}{decided[:160]}".rstrip()
    yield ""
    defects = [one for one in scored if not one.legal]
    caught = [one for one in defects if one.caught]
    variants = [one for one in scored if one.legal]
    single = Counter(next(iter(one.caught)) for one in caught if len(one.caught) == 1)
    all_caught = "pass" if len(caught) == len(defects) else "fail"
    told = paint(f"{len(caught)} of {len(defects)} defects are caught", all_caught)
    yield f"{told}; {sum(single.values())} of them by one rule only"
    passing = sum(one.right for one in variants)
    yield paint(f"{passing} of {len(variants)} that are right pass", "pass" if passing == len(variants) else "fail")
    if whole:
        seen = {rule for one in caught for rule in one.caught}
        needed = [*RULES, *(one.id for one in consumer.RULES.values() if one.severity != "hint")]
        idle = [rule for rule in needed if rule not in seen | without]
        yield f"rules that catch nothing: {', '.join(idle) or 'none'}"
    for one in scored:
        if not one.right:
            what = one.trouble or ("is accused" if one.legal else "is not caught")
            yield f"{paint(one.name, 'fail')} {what}: {one.statement} [{one.source}]"


def as_json(scored: Sequence[Scored]) -> str:
    """Return the table for programs."""
    names = ("name", "statement", "source", "legal", "right", "caught", "trouble")
    return json.dumps([{name: getattr(one, name) for name in names} for one in scored], indent=2) + "\n"


def as_junit(scored: Sequence[Scored]) -> str:
    """Return the table for CI."""
    cases = [
        (one.name, None if one.right else f"{one.statement} {one.caught or one.trouble or 'It is not caught.'}", None)
        for one in scored
    ]
    return junit("alta-mock score", cases)
