"""The report of a check of recorded traffic: text, JSON, JUnit, and the file of choices that it settles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from alta_terminal import escaped, paint
from contract_tests.traffic.evidence import CONFLICTING, NARROWED, NOT_SEEN, SETTLED, Evidence
from contract_tests.traffic.results import CONSUMER, MOST_SHOWN, NOTES, PROVIDER, Mistake, Result, Where
from contract_tests.traffic.scope import OTHER_HOST, OTHER_PATH
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, Case, Report

SUBJECTS = {CONSUMER: "what was sent", PROVIDER: "what the server answered"}
VERDICTS = {"error": "broken", "warning": "warning", "hint": "hint"}
COLOURS = {SETTLED: "kept", NARROWED: "warning", CONFLICTING: "broken"}
CONCLUSIONS = {
    0: "the recorded traffic keeps the contract",
    BROKEN: "the recorded traffic breaks the contract",
    NOT_PROVEN: "nothing is proven: no response could be judged",
    INTERRUPTED: "interrupted: the rest of the traffic was not read",
}


def presented(result: Result, *, assumptions: bool) -> Report:
    """Return a result for the reporter of all commands."""
    text = lines(result, assumptions=assumptions)
    return Report("alta-mock check", result.exit_code, text, cases(result), lambda: value(result))


def lines(result: Result, *, assumptions: bool) -> Iterator[str]:
    """Yield the text: a line that sums up, the mistakes, the open questions, and what was not judged."""
    yield paint(summary(result), result.exit_code)
    for mistake in result.mistakes:
        yield ""
        yield from _paragraph(mistake, several=len(result.files) > 1)
    if assumptions:
        yield ""
        yield from evidence_lines(result.evidence)
    if result.notes.total():
        yield ""
        yield "Not judged, or left out"
        yield from (f"{result.notes[key]:>9,}  {text}" for key, text in NOTES.items() if result.notes[key])
        if result.notes[OTHER_HOST] or result.notes[OTHER_PATH]:
            yield f"           hosts: {_elsewhere(result)}"


def summary(result: Result) -> str:
    """Return the result in one line."""
    statuses = ", ".join(f"{count:,} x {status or 'no response'}" for status, count in sorted(result.statuses.items()))
    counts = Counter(VERDICTS[one.severity] for one in result.mistakes)
    sides = [
        f"{number} {'mistake' if number == 1 else 'mistakes'} in {SUBJECTS[side]}"
        for side in (CONSUMER, PROVIDER)
        if (number := sum(one.side == side and one.severity == "error" for one in result.mistakes))
    ]
    more = [f"{counts[name]} {name}{'s' * (counts[name] != 1)}" for name in ("warning", "hint") if counts[name]]
    found = ", ".join([*sides, *more])
    plural = "request" if result.requests == 1 else "requests"
    head = f"{result.requests:,} {plural} to the API ({statuses}): {CONCLUSIONS[result.exit_code]}"
    return f"{head}; {found}" if found else head


def _paragraph(mistake: Mistake, *, several: bool) -> Iterator[str]:
    times = f"{mistake.count:,} time{'s' * (mistake.count != 1)}"
    where = ", ".join(filter(None, (mistake.side, mistake.operation, times)))
    statement = f": {mistake.statement}" if mistake.statement else ""
    yield f"{paint(mistake.rule, VERDICTS[mistake.severity])} ({where}){statement}"
    place = f"{mistake.pointer}: " if mistake.pointer else ""
    wanted = f"; wanted {mistake.wanted}" if mistake.wanted else ""
    line = f" [{mistake.line}]" if mistake.line else ""
    yield escaped(f"  {place}{'got ' * bool(mistake.wanted)}{mistake.got}{wanted}{line}")
    if mistake.fix:
        yield escaped(f"  what to do: {mistake.fix}")
    for one in mistake.entries:
        yield escaped(f"    {_named(one, several=several)}")
    if len(mistake.entries) == MOST_SHOWN < mistake.count:
        yield "    and others"


def _named(where: Where, *, several: bool) -> str:
    file = f"{where.file} " if several else ""
    time = f", {where.time}" if where.time else ""
    return f"{file}entry {where.number}: {where.method} {where.path} -> {where.status or 'no response'}{time}"


def evidence_lines(evidence: Sequence[Evidence]) -> Iterator[str]:
    """Yield what the traffic says about the open questions; those that it does not touch in one line."""
    counts = Counter(one.verdict for one in evidence)
    yield ", ".join(f"{counts[name]} {name}" for name in (SETTLED, NARROWED, CONFLICTING, NOT_SEEN)) + " open questions"
    for one in evidence:
        if one.verdict != NOT_SEEN:
            yield f"  {paint(one.verdict, COLOURS[one.verdict])} {describe(one)}"
    unseen = [one.assumption.id for one in evidence if one.verdict == NOT_SEEN]
    if unseen:
        yield f"  not seen: {', '.join(unseen)}"


def describe(one: Evidence) -> str:
    """Return what the traffic says about a question, in one line."""
    question, default = one.assumption.id, one.assumption.ours.id
    if one.choice is not None:
        note = ", the default" if one.choice == default else f"; the default is {default}"
        return f"{question}={one.choice} ({_entries(one.shown(one.choice))}{note})"
    ids = [choice.id for choice in one.assumption.choices]
    if one.allowed:
        return f"{question}: {' or '.join(one.allowed)} ({_entries(one.total)})"
    shown = ", ".join(f"{_entries(one.shown(name))} with {name}" for name in ids if one.shown(name))
    against = f"{_entries(one.against_all)} with no choice" if one.against_all else ""
    text = "; ".join(filter(None, (shown, against)))
    examples = ", ".join(f"{captured.number}" for captured in list(one.first.values())[:3])
    return f"{question}: agrees {text} (for example entries {examples}); {one.assumption.question}"


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"


def assume_file(result: Result) -> str:
    """Return the choices that the traffic settles, as the file that `--assume-file` reads."""
    text = "# What recorded traffic says about the open questions; for `alta-mock serve --assume-file`.\n"
    for one in result.evidence:
        if one.choice is not None:
            default = "the default" if one.choice == one.assumption.ours.id else f"not {one.assumption.ours.id}"
            text += f'{one.assumption.id}: "{one.choice}"  # {_entries(one.shown(one.choice))}; {default}\n'
    return text


def _elsewhere(result: Result) -> str:
    shown = [f"{escaped(origin)} ({count:,})" for origin, count in result.origins.most_common(8)]
    more = len(result.origins) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def cases(result: Result) -> Iterator[Case]:
    """Yield a case for each rule that was exercised or broken."""
    mistakes: dict[tuple[str, str], list[Mistake]] = {}
    for one in result.mistakes:
        mistakes.setdefault((one.side, one.rule), []).append(one)
    for side, rule in dict.fromkeys((*mistakes, *sorted(result.exercised))):
        found = mistakes.get((side, rule), [])
        text = "\n".join(line for one in found for line in _plain(one, several=len(result.files) > 1))
        verdict = VERDICTS[found[0].severity] if found else "kept"
        yield Case(f"{side}: {rule}", verdict, text)
    yield Case("something was judged", "pass" if result.judged else "fail", CONCLUSIONS[NOT_PROVEN])


def _plain(mistake: Mistake, *, several: bool) -> Iterator[str]:
    _, details, *others = _paragraph(mistake, several=several)
    yield details.strip()
    yield from others


def value(result: Result) -> dict[str, Any]:
    """Return the value of the JSON report."""
    return {
        "files": list(result.files),
        "requests": result.requests,
        "responses": result.judged,
        "statuses": {str(status): count for status, count in sorted(result.statuses.items())},
        "notes": {key: {"count": result.notes[key], "text": text} for key, text in NOTES.items() if result.notes[key]},
        "origins": dict(result.origins.most_common()),
        "mistakes": [asdict(one) for one in result.mistakes],
        "assumptions": [
            {
                "id": one.assumption.id,
                "verdict": one.verdict,
                "choice": one.choice,
                "allowed": one.allowed if one.counted else [choice.id for choice in one.assumption.choices],
                "entries": one.total,
                "agree": {choice.id: one.shown(choice.id) for choice in one.assumption.choices},
                "against": one.against_all,
            }
            for one in result.evidence
        ],
    }
