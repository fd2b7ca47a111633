"""Run a consumer under every legal reading of the documentation that its requests meet, and report those it depends on.

A run under another reading is compared with the usual run: the consumer must report success again, write the same, and
read its lists to the end; it must not break rules that it kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from contract_tests.choices import Reading, named, pairs, single
from contract_tests.consumer.effects import Effects, effects
from contract_tests.consumer.scenarios import Played, Scenario
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
    """A run to do: what the fake assumes, and its limits."""

    reading: Reading
    scenario: Scenario


Play = Callable[[Sequence[Task], "Run | None"], "list[Played]"]
"""Does runs, each with the usual run of the consumer, None for that very run."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A run under a reading.

    Attributes:
        breaks: How it differs from the usual run so that the consumer depends on the reading; empty if it does not.
        differs: What else it did differently.
    """

    reading: Reading
    run: Run
    breaks: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()


@dataclass(slots=True)
class Varied:
    """The result of a consumer.

    Attributes:
        usual: The run under the default choices.
        trials: Those under another reading, single choices first.
        untested: The assumptions that its requests did not meet, or that could not be tried.
        notes: What keeps it from being tried completely.
    """

    usual: Run
    trials: list[Trial] = field(default_factory=list)
    untested: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def breaking(self) -> list[Trial]:
        """The runs that break the consumer."""
        return [trial for trial in self.trials if trial.breaks]


def vary(play: Play, *, combined: bool = False, seed: int = 0, limits: dict[str, str] | None = None) -> Varied:
    """Run a consumer under the default choices, and under each other choice that its requests meet.

    Args:
        play: Runs the consumer.
        combined: Whether to try combinations of choices, too: each two of them, in a few runs.
        seed: Decides how choices are combined.
        limits: Settings of the limits in all runs; by default they are wide, and reached in further runs.
    """
    usually = Scenario("usual", "the default choices", settings=limits or WIDE)
    base = _Base(usually, *play([Task({}, usually)], None)[0])
    result = Varied(base.run)
    if not base.run.succeeded or not base.run.entries:
        return result
    bases = [base]
    if limits is None and (reaching := _limits(base.run)):
        limited = Scenario("limits", "limits that are reached", settings=reaching)
        slow = _Base(limited, *play([Task({}, limited)], base.run)[0], known=base.met)
        if slow.run.succeeded:
            bases.append(slow)
        else:
            result.notes.append(_no_429(slow.run))
    for one in bases:
        for trial in one.compared(play, single((one.met - one.known) | (one.met & REACHED)), base.run):
            _merge(result.trials, trial)
    met = {name for one in bases for name in one.met}
    result.untested = [name for name in switches() if name not in met]
    if combined:
        alone = [trial.reading for trial in result.breaking]
        trials = bases[-1].compared(play, pairs(seed, alone, met), base.run)
        result.trials += [bases[-1].smallest(play, trial, base.run) for trial in trials]
    return result


def _merge(trials: list[Trial], trial: Trial) -> None:
    """Append a trial, or merge it with that of the same reading in another scenario."""
    for index, one in enumerate(trials):
        if one.reading == trial.reading:
            run = one.run if one.breaks else trial.run
            breaks, differs = ((*one.breaks, *trial.breaks), (*one.differs, *trial.differs))
            trials[index] = Trial(one.reading, run, tuple(dict.fromkeys(breaks)), tuple(dict.fromkeys(differs)))
            return
    trials.append(trial)


class _Base:
    """A run under the default choices, with which others in the same scenario are compared."""

    def __init__(self, scenario: Scenario, run: Run, mock: AltaMock, known: frozenset[str] = frozenset()) -> None:
        self.scenario, self.run, self.known = scenario, run, known
        operations = {entry.operation for entry in run.entries}
        changed = {name for name, one in switches().items() if one.operation in operations}
        self.met = frozenset(changed | mock.choices.asked)
        self._effects, self._broken = effects(run.entries, mock), broken(run)

    def compared(self, play: Play, readings: Sequence[Reading], usual: Run) -> list[Trial]:
        """Run the consumer under readings, and compare the runs."""
        played = play([Task(reading, self.scenario) for reading in readings], usual)
        return [self._trial(reading, *one) for reading, one in zip(readings, played, strict=True)]

    def smallest(self, play: Play, trial: Trial, usual: Run) -> Trial:
        """Return the trial of as few of its choices as break the consumer; a trial that does not break it as it is."""
        for name in trial.reading if trial.breaks else ():
            smaller = {one: choice for one, choice in trial.reading.items() if one != name}
            if len(smaller) > 1:
                [without] = self.compared(play, [smaller], usual)
                trial = without if without.breaks else trial
        return trial

    def _trial(self, reading: Reading, run: Run, mock: AltaMock) -> Trial:
        did = effects(run.entries, mock)
        return Trial(reading, run, tuple(self._breaks(reading, run, did)), tuple(self._differs(did)))

    def _breaks(self, reading: Reading, run: Run, did: Effects) -> Iterator[str]:
        if not run.ended:
            yield "it did not end by itself"
        elif not run.succeeded:
            yield f"it failed{last_error(run)}"
        before = self._effects
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
        for name, count in self._effects.read.items():
            if did.read[name] != count:
                yield f"it read {did.read[name]} instead of {count} objects of {_short(name)}"


def _limits(run: Run) -> dict[str, str] | None:
    """Return limits that a consumer reaches once or twice; None if it sends too few requests."""
    adding = sum(entry.adds_prospects for entry in run.entries)
    if any(entry.status == TOO_MANY for entry in run.entries) or len(run.entries) < 2:  # noqa: PLR2004 - one is allowed
        return None
    account = f"{max(1, (len(run.entries) + 1) // 2)}/{WINDOW}s"
    return {"rate_limit": f"{max(1, (adding + 1) // 2)}/{WINDOW}s", "account_rate_limit": account}


def _no_429(run: Run) -> str:
    advice = "choices about limits were not tried, see alta-mock exec --consumer"
    return f"it does not get over a 429{last_error(run)}; {advice}"


def last_error(run: Run) -> str:
    """Return the last line that a consumer said about an error, after a colon; empty if it said nothing."""
    errors = [line for line in run.said if "error" in line.lower()] or run.said
    return f": {errors[-1]}" if errors else ""


def _example(items: Counter[tuple[str, str, str]]) -> str:
    (operation, _, item), _ = items.most_common(1)[0]
    count = items.total()
    return f"{count} of {operation}, for example {_short(item)}" if count > 1 else f"{operation} {_short(item)}"


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
