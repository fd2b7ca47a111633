"""The report about a consumer under every legal reading: text, JSON and JUnit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from alta_terminal import paint
from contract_tests.choices import named
from contract_tests.consumer.vary import Trial, Varied, advice
from mock_server.cli.output import BROKEN, NOT_PROVEN, Case, Report, counts, table
from mock_server.contract.assumptions import switches

MOST_NAMED = 2
"""Choices of a reading that the table names."""


def report_of(varied: Varied) -> Report:
    """Return the report in the form that all commands share."""
    proven = "fail" if varied.unusable else "pass"
    cases = [*map(_case, varied.trials), Case("something is proven", proven, varied.unusable)]
    return Report("alta-mock exec --vary", exit_code(varied), lines(varied), cases, lambda: value_of(varied))


def exit_code(varied: Varied) -> int:
    """Return 1 if a reading breaks the consumer, 3 if nothing was tried, 0 otherwise."""
    if varied.breaking:
        return BROKEN
    return NOT_PROVEN if varied.unusable else 0


def lines(varied: Varied) -> Iterator[str]:
    """Yield the report, line by line, with painted verdicts."""
    cases = [_case(trial) for trial in varied.trials]
    yield from table(cases)
    for trial in varied.breaking:
        yield ""
        yield f"{paint(named(trial.reading), 'fail')}: {'; '.join((*trial.breaks, *trial.differs))}"
        yield from (f"  {line}" for line in advice(trial))
    yield ""
    yield from (paint(note, "not exercised") for note in varied.notes)
    if varied.unusable:
        yield paint(f"nothing is proven: {varied.unusable}", NOT_PROVEN)
        return
    yield f"its requests do not meet {len(varied.untested)} of {len(switches())} assumptions; --json names them"
    yield f"{len(cases)} runs under other choices: {counts(cases, ('pass', 'fail', 'not exercised'))}"
    words = {0: "the consumer depends on none of them", BROKEN: "the consumer depends on what is not documented"}
    yield paint(words[exit_code(varied)], exit_code(varied))


def value_of(varied: Varied) -> Any:
    """Return the value of the JSON report."""
    return {
        "unusable": varied.unusable,
        "notes": list(varied.notes),
        "untested": varied.untested,
        "usual": {
            "succeeded": varied.usual.succeeded,
            "said": list(varied.usual.said),
            "requests": len(varied.usual.entries),
        },
        "readings": [
            {
                "choices": dict(trial.reading),
                "verdict": trial.verdict,
                "breaks": list(trial.breaks),
                "differs": list(trial.differs),
                "advice": advice(trial) if trial.verdict == "fail" else [],
                "requests": [entry.as_dict() for entry in trial.run.entries] if trial.verdict == "fail" else [],
            }
            for trial in varied.trials
        ],
    }


def _case(trial: Trial) -> Case:
    if trial.verdict == "fail":
        note, text = "", "\n".join([*trial.breaks, *advice(trial)])
    elif trial.verdict == "pass":
        note, text = "; ".join(trial.differs), ""
    else:
        note, text = "", "no response was another one"
    return Case(_short(trial), trial.verdict, text, note)


def _short(trial: Trial) -> str:
    """Name a reading by its first choices."""
    if len(trial.reading) <= MOST_NAMED:
        return named(trial.reading)
    first = dict(list(trial.reading.items())[:MOST_NAMED])
    return f"{named(first)} and {len(trial.reading) - MOST_NAMED} more"
