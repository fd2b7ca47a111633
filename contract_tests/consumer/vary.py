"""Run a consumer under every legal reading of the documentation that its requests meet, and report those it depends on.

A run under another reading is compared with the usual run: the consumer must report success again, write the same, and
read its lists to the end; it must not break rules that it kept. What differs between two usual runs is not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from contract_tests.choices import DEFAULTS, Reading, named, pairs, single
from contract_tests.consumer.effects import Effects, Item, effects, responses
from contract_tests.consumer.scenarios import MOST_NORMALLY, Played, Scenario
from mock_server import AltaMock
from mock_server.contract.assumptions import switches
from mock_server.journal.rules import RULES, Run, broken
from mock_server.journal.traffic import TOO_MANY

WIDE = {"rate_limit": "1000000/60s", "account_rate_limit": "1000000/60s"}
"""Limits that nobody reaches: responses have their headers."""

REACHED = {"window", "counted-requests", "limit-headers", "nested-limits"}
"""Assumptions that every request meets, but that matter most where limits are reached."""

WINDOW = 2
"""Seconds of the limits in the run that reaches them."""

MOST_TEXT = 160
"""Characters of an example."""


@dataclass(frozen=True, slots=True)
class Task:
    """A run to do: what the fake assumes in place of what is in force, and its limits."""

    reading: Reading
    scenario: Scenario


Play = Callable[[Sequence[Task]], "list[Played]"]
"""Does runs."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A run under a reading.

    Attributes:
        exercised: Whether a response differed from those of the usual run.
        breaks: How the consumer differs from the usual run so that it depends on the reading; empty if it does not.
        differs: What else it did differently.
    """

    reading: Reading
    run: Run
    exercised: bool
    breaks: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """`pass`, `fail`, or `not exercised`: then what differs is not due to the reading."""
        if not self.exercised:
            return "not exercised"
        return "fail" if self.breaks else "pass"


@dataclass(slots=True)
class Varied:
    """The result of a consumer.

    Attributes:
        usual: The run under the choices that are in force.
        unusable: Why nothing could be tried; empty if it could.
        trials: The runs under other readings, single choices first.
        untested: The assumptions that its requests did not meet, or that could not be tried.
        notes: What keeps it from being tried completely.
    """

    usual: Run
    unusable: str = ""
    trials: list[Trial] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def breaking(self) -> list[Trial]:
        """The runs that break the consumer."""
        return [trial for trial in self.trials if trial.verdict == "fail"]


def vary(
    play: Play,
    *,
    combined: bool = False,
    seed: int = 0,
    assumed: Reading = DEFAULTS,
    limits: dict[str, str] | None = None,
) -> Varied:
    """Run a consumer under the choices in force, and under each other choice that its requests meet.

    Args:
        play: Runs the consumer.
        combined: Whether to try combinations of choices, too: each two of them, in a few runs.
        seed: Decides how choices are combined.
        assumed: The choices that are in force in place of the defaults.
        limits: Settings of the limits in all runs; by default they are wide, and reached in further runs.
    """
    usual = Scenario("usual", "the choices in force", settings=limits or WIDE)
    played = play([Task({}, usual), Task({}, usual)])
    base = _Base(usual, played)
    result = Varied(base.run, unusable=_unusable(base.run))
    if result.unusable:
        return result
    if base.varies:
        result.notes.append("it writes something else in every run, so only the number of its writes is compared")
    bases = [base]
    if limits is None and (reaching := _limits(base.run)):
        limited = Scenario("limits", "limits that are reached", settings=reaching)
        slow = _Base(limited, play([Task({}, limited)]), varies=base.varies)
        if not slow.run.succeeded:
            result.notes.append(f"it does not get over a 429{last_error(slow.run)}; {NOT_TRIED}")
        elif slow.effects.written != base.effects.written:
            result.notes.append(f"it does not write everything where a limit is reached; {NOT_TRIED}")
        else:
            bases.append(slow)
    for one in bases:
        new = one.met if one is base else (one.met - base.met) | (one.met & REACHED)
        for trial in one.compared(play, single(new, assumed)):
            _merge(result.trials, trial)
    met = {name for one in bases for name in one.met}
    if combined:
        trials = bases[-1].compared(play, pairs(seed, [trial.reading for trial in result.breaking], met, assumed))
        result.trials += [bases[-1].smallest(play, trial) for trial in trials]
    exercised = {name for trial in result.trials if trial.exercised for name in trial.reading}
    result.untested = [name for name in switches() if name not in exercised]
    return result


NOT_TRIED = "choices about limits were not tried, see alta-mock exec --consumer"


def _unusable(run: Run) -> str:
    """Return why a usual run proves nothing; empty if it does."""
    if not run.entries:
        said = f" It said{last_error(run)}" if run.said else ""
        return f"the consumer sent nothing to its base URL (ALTA_BASE_URL); does it read it?{said}"
    if run.succeeded is None:
        return f"the consumer {STOPPED} with the choices in force"
    if not run.succeeded:
        return f"the consumer fails with the choices in force already{last_error(run)}"
    missing = Counter(map(str, run.expected or ())) - Counter(map(str, run.stored))
    return f"{missing.total()} of the expected prospects do not arrive with the choices in force" if missing else ""


STOPPED = f"did not end in time, or sent more than {MOST_NORMALLY} requests,"


def _merge(trials: list[Trial], trial: Trial) -> None:
    """Append a trial, or merge it with that of the same reading in another scenario."""
    for index, one in enumerate(trials):
        if one.reading == trial.reading:
            breaks = dict.fromkeys((*one.breaks, *trial.breaks))
            differs = dict.fromkeys((*one.differs, *trial.differs))
            run, exercised = one.run if one.breaks else trial.run, one.exercised or trial.exercised
            trials[index] = Trial(one.reading, run, exercised, tuple(breaks), tuple(differs))
            return
    trials.append(trial)


class _Base:
    """Runs under the choices in force, with which others in the same scenario are compared.

    Attributes:
        varies: Whether what it writes differs from run to run.
        met: The assumptions that its requests met.
    """

    def __init__(self, scenario: Scenario, played: Sequence[Played], *, varies: bool = False) -> None:
        self.scenario, (self.run, mock) = scenario, played[0]
        operations = {entry.operation for entry in self.run.entries}
        changed = {name for name, one in switches().items() if one.operation in operations}
        self.met = frozenset(changed | mock.choices.asked)
        found = [effects(run.entries, mock) for run, mock in played]
        self.varies = varies or any(one.written != found[0].written for one in found)
        self.effects = self._of(found[0])
        self._broken, self._responses = broken(self.run), responses(self.run.entries)

    def compared(self, play: Play, readings: Sequence[Reading]) -> list[Trial]:
        """Run the consumer under readings, and compare the runs."""
        played = play([Task(reading, self.scenario) for reading in readings])
        return [self._trial(reading, *one) for reading, one in zip(readings, played, strict=True)]

    def smallest(self, play: Play, trial: Trial) -> Trial:
        """Return the trial of as few of its choices as break the consumer; a trial that does not break it as it is."""
        for name in trial.reading if trial.verdict == "fail" else ():
            smaller = {one: choice for one, choice in trial.reading.items() if one != name}
            if len(smaller) > 1:
                [without] = self.compared(play, [smaller])
                trial = without if without.verdict == "fail" else trial
        return trial

    def _of(self, found: Effects) -> Effects:
        """Return effects without what differs from run to run."""
        if not self.varies:
            return found
        counts = Counter[Item]()
        for (operation, _, _), count in found.written.items():
            counts[operation, "", ""] += count
        return Effects(counts, found.read, found.last)

    def _trial(self, reading: Reading, run: Run, mock: AltaMock) -> Trial:
        did = self._of(effects(run.entries, mock))
        exercised = responses(run.entries) != self._responses
        return Trial(reading, run, exercised, tuple(self._breaks(reading, run, did)), tuple(self._differs(did)))

    def _breaks(self, reading: Reading, run: Run, did: Effects) -> Iterator[str]:
        if run.succeeded is None:
            yield f"it {STOPPED.rstrip(',')}"
        elif not run.succeeded:
            yield f"it failed{last_error(run)}"
        before = self.effects
        missing, more = before.written - did.written, did.written - before.written
        if missing:
            yield f"it did not send {_example(missing)}"
        if more:
            yield f"it sent {_example(more)}, which it does not send usually"
        for name in before.last.keys() - did.last if "list-order" not in reading else ():
            # Who looks for an object stops where it is: on the last page, if all pages were read before.
            if did.read[name] and did.read[name] <= before.read[name] - before.last[name]:
                yield f"it stopped reading {_short(name)} although hasMore was true"
        for name, breaches in broken(run).items() if run.succeeded else ():
            if name not in self._broken and RULES[name].severity == "error":
                yield f"it broke the rule {name}: {breaches[0].text}"

    def _differs(self, did: Effects) -> Iterator[str]:
        for name, count in self.effects.read.items():
            if did.read[name] != count:
                yield f"it read {did.read[name]} instead of {count} objects of {_short(name)}"


def _limits(run: Run) -> dict[str, str] | None:
    """Return limits that a consumer reaches once or twice; None if it sends too few requests."""
    adding = sum(entry.adds_prospects for entry in run.entries)
    if any(entry.status == TOO_MANY for entry in run.entries) or len(run.entries) < 2:  # noqa: PLR2004 - one is allowed
        return None
    account = f"{max(1, (len(run.entries) + 1) // 2)}/{WINDOW}s"
    return {"rate_limit": f"{max(1, (adding + 1) // 2)}/{WINDOW}s", "account_rate_limit": account}


def last_error(run: Run) -> str:
    """Return how a consumer ended: its signal, or the last line that it said about an error, after a colon."""
    if run.ending:
        return f": it {run.ending}"
    errors = [line for line in run.said if "error" in line.lower()] or run.said
    return f": {errors[-1]}" if errors else ""


def _example(items: Counter[Item]) -> str:
    (operation, _, item), _ = items.most_common(1)[0]
    count = items.total()
    example = f", for example {_short(item)}" if item else ""
    return f"{count} of {operation}{example}" if count > 1 or not item else f"{operation} {_short(item)}"


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else text[: MOST_TEXT - 1] + "\u2026"


def advice(trial: Trial) -> list[str]:
    """Return for each choice of a reading the question, what happens, why that is legal, and what to change."""
    found = []
    known = switches()
    for name, choice in trial.reading.items():
        one = next(one for one in known[name].choices if one.id == choice)
        found.append(f"{known[name].question} Under {named({name: choice})}: {one.happens}")
        found.append(f"It is legal: {one.why}")
        found.append(f"To do: {known[name].advice}")
    return found
