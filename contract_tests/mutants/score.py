"""`alta-mock score`: examine all mutants and wrong clients, and report which rules catch them.

The fake, our client and the equivalent mutants must pass; every other mutant must be caught. Everything runs in
processes of this machine, on clocks that are advanced.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from itertools import count
from multiprocessing import resource_tracker
from pathlib import Path
from random import Random

from alta_terminal import StatusLine, paint
from contract_tests.choices import named
from contract_tests.consumer.check import check_varied
from contract_tests.consumer.lists import wanted_of
from contract_tests.consumer.runs import Environment
from contract_tests.consumer.scenarios import PEOPLE, SCENARIOS, play_in, scenarios_for
from contract_tests.fake import seeded
from contract_tests.mutants.bench import START, Bench, Mutant
from contract_tests.mutants.catalogue import MUTANTS
from contract_tests.mutants.client_contract import failures_of
from contract_tests.mutants.clients import EQUIVALENT_CLIENTS, WRONG_CLIENTS, Add, client, right_client
from contract_tests.mutants.faulty_clients import FAULTY
from contract_tests.mutants.leaning import LEANING
from contract_tests.mutants.readers import EQUIVALENT_READERS, WRONG_READERS
from contract_tests.provider.results import Report
from contract_tests.provider.rules import RULES, SCHEMATHESIS
from contract_tests.provider.session import Options
from contract_tests.provider.verification import verify_provider
from mock_server import Clock
from mock_server.cli import output
from mock_server.cli.options import known_names
from mock_server.journal import rules as consumer
from mock_server.journal.rules import Run
from mock_server.messages.errors import MockError

CORRECT = "correct"
"""The provider that is the fake itself."""

RIGHT = {**EQUIVALENT_CLIENTS, **EQUIVALENT_READERS}
"""Clients that every rule must pass."""

WRONG = {**WRONG_CLIENTS, **WRONG_READERS}
"""Clients with one fault each."""

CLIENT = "client: "
"""The beginning of the names of clients."""

OURS = "our client: "
"""The beginning of the names of clients that are ours but for one fault."""

CONSUMER = "consumer: "
"""The beginning of the names of consumers that depend on a choice."""


@dataclass(frozen=True, slots=True)
class Scored:
    """The result of one provider or client.

    Attributes:
        equivalent: Whether every rule must pass.
        right: Whether the result is as it must be.
        caught: The rules that it broke, each with the request that decided.
        trouble: Why it could not be examined although it is equivalent; empty otherwise.
        seconds: How long it took.
        generated: Whether Schemathesis alone catches it; None if that was not tried.
    """

    name: str
    statement: str
    source: str
    equivalent: bool
    right: bool
    caught: dict[str, str]
    trouble: str
    seconds: float = 0.0
    generated: bool | None = None


def scored(one: Mutant, caught: dict[str, str], trouble: str = "") -> Scored:
    """Return the result of a mutant."""
    right = not trouble and one.equivalent == (not caught)
    return Scored(one.name, one.statement, one.source, one.equivalent, right, caught, trouble)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to examine.

    Attributes:
        only: Names of mutants; empty for all.
        without: Rules to leave out.
        mutants: A Python file with more mutants.
        seed: The seed of random choices.
        every: Whether to examine all derived mutants, instead of a random sample of them, and to let Schemathesis try
            all mutants, equivalent ones included, instead of a sample.
    """

    only: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    mutants: Path | None = None
    seed: int = 0
    every: bool = False


SAMPLED = 60
"""Derived mutants of a random sample."""

TRIED = 20
"""Mutants of a random sample that Schemathesis tries to catch alone."""


def chosen_by(wanted: Wanted) -> list[str]:
    """Return the names of what to examine, in the order of the report.

    Raises:
        MockError: A name is unknown.
    """
    names = [CORRECT, *MUTANTS, *(CLIENT + name for name in (*RIGHT, *WRONG))]
    names += [OURS + CORRECT, *(OURS + name for name in FAULTY), *(CONSUMER + name for name in LEANING)]
    if wanted.only:
        return sorted(known_names(wanted.only, names, "mutant"), key=names.index)
    derived = [one.name for one in MUTANTS.values() if one.derived]
    sampled = Random(wanted.seed).sample(derived, SAMPLED)  # noqa: S311 - not a secret
    left_out = set() if wanted.every else {*derived} - {*sampled}
    return [name for name in names if name not in left_out]


def tried_by(wanted: Wanted, chosen: Sequence[str]) -> frozenset[str]:
    """Return the names of the chosen mutants that Schemathesis tries to catch alone; none if only some are examined."""
    if wanted.only or SCHEMATHESIS.id in wanted.without:
        return frozenset()
    providers = [name for name in chosen if name in MUTANTS and not MUTANTS[name].equivalent]
    return frozenset(providers if wanted.every else Random(wanted.seed).sample(providers, TRIED))  # noqa: S311 - not a secret


def score(wanted: Wanted, jobs: int, files: output.Files) -> int:
    """Examine mutants in a number of processes, print and write the report, and return the exit code.

    Raises:
        MockError: A name is unknown, or the file of mutants cannot be used.
    """
    load(wanted.mutants)
    known_names(wanted.without, {**RULES, **consumer.RULES}, "rule")
    chosen = chosen_by(wanted)
    tried = tried_by(wanted, chosen)
    examine_one = partial(timed, seed=wanted.seed, without=wanted.without, tried=tried, every=wanted.every)
    done = count(1)
    with StatusLine() as progress:
        progress.show(f"0 of {len(chosen)} examined")

        def show(name: str) -> None:
            progress.show(f"{next(done)} of {len(chosen)} examined  {name}")

        results = list(_examine_all(chosen, jobs, examine_one, wanted.mutants, show))
    lines = [*_table(results), "", *_summary(results, wanted.without, whole=not wanted.only)]
    lines.append(f"{len(results)} examined in {time.monotonic() - files.begun:.0f} s")
    exit_code = 0 if all(one.right for one in results) else output.BROKEN
    report = output.Report(
        "alta-mock score", exit_code, lines, map(_case, results), lambda: {"mutants": [asdict(one) for one in results]}
    )
    return output.conclude(report, files)


def load(file: Path | None) -> None:
    """Import a file that declares more mutants.

    Raises:
        MockError: It cannot be imported.
    """
    if file is None:
        return
    spec = importlib.util.spec_from_file_location("more_mutants", file)
    try:
        if spec is None or spec.loader is None:
            raise ImportError("its name does not end in .py")  # noqa: TRY301 - reported below like the others
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise MockError(f"cannot import {file}: {type(error).__name__}: {error}") from error


# --- Processes --------------------------------------------------------------------------------------------------------


def _examine_all(
    names: Sequence[str],
    jobs: int,
    examine_one: Callable[[str], Scored],
    mutants: Path | None,
    show: Callable[[str], object],
) -> Iterator[Scored]:
    """Examine each mutant, in this process or in several, and show the name of each that is done."""
    if jobs == 1 or len(names) == 1:
        for name in names:
            yield examine_one(name)
            show(name)
        return
    context = multiprocessing.get_context("spawn")
    futures: dict[str, Future[Scored]] = {}
    try:
        with ProcessPoolExecutor(jobs, mp_context=context, initializer=load, initargs=(mutants,)) as pool:
            with _ctrl_c_held_back():
                futures |= {name: pool.submit(examine_one, name) for name in names}
            for name, future in futures.items():
                future.add_done_callback(partial(_show, show, name))
            try:
                for future in futures.values():
                    yield future.result()
            except KeyboardInterrupt:
                for process in multiprocessing.active_children():
                    process.terminate()
                raise
    except BrokenProcessPool as error:
        lost = [name for name, future in futures.items() if isinstance(future.exception(), BrokenProcessPool)]
        begun = ", ".join(lost[:jobs])  # they begin in order
        raise MockError(f"a process ended by itself at one of {begun}; examine them with --jobs 1 --only") from error


def _show(show: Callable[[str], object], name: str, _future: object) -> None:
    show(name)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Processes that are started in this block never get Ctrl-C; this one gets it afterwards."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # which would otherwise be started in the block, and let it through
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


# --- One mutant -------------------------------------------------------------------------------------------------------


def timed(
    name: str,
    seed: int,
    without: frozenset[str],
    tried: frozenset[str] = frozenset(),
    *,
    every: bool = False,
) -> Scored:
    """Examine one provider or client by its name, and measure the time."""
    begun = time.monotonic()
    found = examined(name, seed, without, every=every)
    generated = _caught_by_schemathesis(name, seed) if name in tried else None
    return replace(found, generated=generated, seconds=round(time.monotonic() - begun, 3))


def examined(name: str, seed: int = 0, without: frozenset[str] = frozenset(), *, every: bool = False) -> Scored:
    """Examine one provider or client by its name; with `every`, equivalent ones by Schemathesis, too."""
    if name.startswith(CLIENT):
        return _client(name, without)
    if name.startswith(OURS):
        return _ours(name)
    if name.startswith(CONSUMER):
        return _consumer(name)
    one = MUTANTS.get(name) or Mutant(CORRECT, "The fake as it is.", "", True, lambda _: None)  # noqa: FBT003 - equivalent
    about = frozenset() if one.equivalent else one.operations
    own = Options(about, seed=seed, patient=False, skip=without | {SCHEMATHESIS.id})
    try:
        reports = [_report(one, own)]
        missed = not (one.equivalent or reports[0].broken or reports[0].unusable)
        if SCHEMATHESIS.id not in without and (missed or (one.equivalent and every)):
            reports.append(_report(one, _generated(about, seed)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a mutant may raise anything
        return scored(one, {}, f"it fails by itself: {type(error).__name__}: {error}")
    caught = {
        result.rule.id: f"{breach.what}: got {breach.got}, wanted {breach.wanted}"
        for report in reports
        for result in report.broken
        for breach in result.breaches[:1]
    }
    if not one.equivalent:
        if reports[0].unusable:
            caught["can-be-used"] = reports[0].unusable
        return scored(one, caught, "; ".join(report.stopped for report in reports if report.failed))
    troubles = [text for report in reports for text in (report.unusable, report.stopped, *report.unproven)]
    return scored(one, caught, "; ".join(filter(None, troubles)))


def _generated(operations: frozenset[str], seed: int) -> Options:
    """Return the options to let Schemathesis alone judge some operations, or all."""
    return Options(operations, seed=seed, patient=False, only=frozenset({SCHEMATHESIS.id}))


def _caught_by_schemathesis(name: str, seed: int) -> bool:
    try:
        return bool(_report(MUTANTS[name], _generated(MUTANTS[name].operations, seed)).broken)
    except (Exception, SystemExit):  # noqa: BLE001 - a mutant may raise anything
        return False


def _report(one: Mutant, options: Options) -> Report:
    bench = Bench()
    one.build(bench)
    return verify_provider(seeded(bench.mock.base_url), bench.provider, options)


def _client(name: str, without: frozenset[str]) -> Scored:
    """Let a client play: a wrong client its scenario, an equivalent one all that it takes part in."""
    key = name.removeprefix(CLIENT)
    wrong = WRONG.get(key)
    statement, add = (wrong.fault, wrong.add) if wrong else RIGHT[key]
    reads = wrong is None or SCENARIOS[wrong.scenario].reads
    usual = _play("normal", add, None) if reads else _usual()  # what it reads decides how long its lists are
    names = [wrong.scenario] if wrong else ["normal", *scenarios_for(usual)]
    runs = {one: _play(one, add, usual) for one in names}
    wanted = wanted_of(runs.get("pages") or _play("pages", add, usual)) if reads else {}
    caught = {}
    for scenario, run in runs.items():
        refused = scenario.startswith(("429-", "page-429"))
        patient = refused and (runs.get("429") or _play("429", add, _usual())).succeeded is True
        for rule, breaches in consumer.broken(replace(run, patient=patient, wanted=wanted)).items():
            if rule not in without:
                numbers = ", ".join(map(str, breaches[0].requests))
                caught[rule] = f"scenario {scenario}, request {numbers}: {breaches[0].text}"
    return scored(Mutant(name, statement, "", wrong is None, lambda _: None), caught)


def _ours(name: str) -> Scored:
    """Hold the properties of our client against it, or against one with a fault."""
    faulty = FAULTY.get(name.removeprefix(OURS))
    statement, make = (
        (faulty.fault, faulty.make) if faulty else ("The client of this project, by its properties.", client)
    )
    return scored(Mutant(name, statement, "", faulty is None, lambda _: None), failures_of(make))


def _consumer(name: str) -> Scored:
    """Run a consumer under every choice that it meets: only its own must break it."""
    one = LEANING[name.removeprefix(CONSUMER)]
    varied = check_varied(one.consume, None, combined=not one.assumption, assume={}, why=False)
    caught = {named(trial.reading): trial.breaks[0] for trial in varied.breaking}
    others = [choice for choice in caught if one.assumption and choice.partition("=")[0] != one.assumption]
    trouble = "" if varied.trials and not others else f"not only {one.assumption}: {', '.join(others) or 'not tried'}"
    return scored(Mutant(name, one.statement, one.assumption, not one.assumption, lambda _: None), caught, trouble)


def _play(scenario: str, add: Add, usual: Run | None) -> Run:
    def consume(at: Environment) -> None:
        add(at, PEOPLE)

    clock = Clock(lambda: 0, epoch=START)
    return play_in(SCENARIOS[scenario], consume, expected=PEOPLE, usual=usual, clock=clock)[0]


@cache
def _usual() -> Run:
    """Return how the right client plays normally, by which the others are judged."""
    return _play("normal", right_client, None)


# --- Report -----------------------------------------------------------------------------------------------------------


def _table(results: Sequence[Scored]) -> Iterator[str]:
    width = max(len(one.name) for one in results)
    for one in results:
        rules = ", ".join(one.caught)
        decided = next(iter(one.caught.values()), one.trouble)
        verdict = rules or ("passes" if one.right else "CANNOT BE EXAMINED" if one.trouble else "survived")
        verdict = f"FALSE ALARM {verdict}" if one.equivalent and one.caught else verdict
        painted = paint(verdict, "pass" if one.right else "fail")
        yield f"{one.name:{width}}  {painted}{'  ' if decided else ''}{decided[:160]}".rstrip()


def _summary(results: Sequence[Scored], without: frozenset[str], *, whole: bool) -> Iterator[str]:
    leaning = [one for one in results if one.name.startswith(CONSUMER) and not one.equivalent]
    mutants = [one for one in results if not one.equivalent and one not in leaning]
    caught = [one for one in mutants if one.caught]
    equivalents = [one for one in results if one.equivalent]
    passing = sum(one.right for one in equivalents)
    single = sum(len(one.caught) == 1 for one in caught)
    counted = paint(
        f"{len(caught)} of {len(mutants)} mutants are caught", "pass" if len(caught) == len(mutants) else "fail"
    )
    yield f"{counted}; {single} of them by one rule only"
    yield paint(
        f"{passing} of {len(equivalents)} equivalent mutants pass", "pass" if passing == len(equivalents) else "fail"
    )
    if leaning:
        found = sum(one.right for one in leaning)
        text = f"{found} of {len(leaning)} consumers that depend on a choice are caught by it alone"
        yield paint(text, "pass" if found == len(leaning) else "fail")
    tried = [one for one in results if one.generated is not None]
    if tried:
        ours, theirs = sum(bool(one.caught) for one in tried), sum(bool(one.generated) for one in tried)
        yield f"of {len(tried)} providers these rules catch {ours}, Schemathesis alone {theirs}"
    if whole:
        seen = {rule for one in caught for rule in one.caught} | without
        judged = [rule.id for rule in consumer.RULES.values() if rule.severity != "hint"]
        idle = [rule for rule in (*RULES, *judged) if rule not in seen]
        yield f"rules that catch nothing: {', '.join(idle) or 'none'}"
    for one in results:
        if not one.right:
            what = one.trouble or ("is accused" if one.equivalent else "is not caught")
            yield f"{paint(one.name, 'fail')} {what}: {one.statement} [{one.source}]"


def _case(one: Scored) -> output.Case:
    text = "" if one.right else f"{one.statement}\n{one.caught or one.trouble or 'It is not caught.'}"
    return output.Case(one.name, "pass" if one.right else "fail", text, seconds=one.seconds)
