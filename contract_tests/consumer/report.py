"""The report about a consumer: text, JSON and JUnit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from alta_terminal import paint
from contract_tests.consumer.results import ConsumerReport, Judged
from contract_tests.consumer.scenarios import SCENARIOS
from mock_server.cli.output import BROKEN, NOT_PROVEN, Case, Report, counts, table
from mock_server.journal.rules import Breach, Run
from mock_server.journal.traffic import seconds_between

SEVERAL = 8  # scenarios that are counted rather than named, unless a rule is broken in them
VERDICTS = ("fail", "warning", "hint", "pass", "not exercised")


def report_of(report: ConsumerReport) -> Report:
    """Return the report in the form that all commands share."""
    proven = report.exit_code != NOT_PROVEN
    why = "nothing was sent, or what was required was not exercised"
    cases = [*map(_case, report.judged.values()), Case("something is proven", "pass" if proven else "fail", why)]
    return Report("alta-mock exec --consumer", report.exit_code, lines(report), cases, lambda: value_of(report))


def lines(report: ConsumerReport) -> Iterator[str]:
    """Yield the report, line by line, with painted verdicts: what to change, then the table of all rules."""
    cases = [_case(judged) for judged in report.judged.values()]
    sent = sum(len(run.entries) for run in report.runs.values())
    yield f"{len(cases)} rules: {counts(cases, VERDICTS)}; {len(report.runs)} scenarios, {sent} requests"
    quoted: set[str] = set()
    for judged in sorted(report.judged.values(), key=lambda one: VERDICTS.index(one.verdict)):
        if judged.breaches:
            yield ""
            yield from _broken(judged, report.runs, quoted)
    yield from _without_effect(report, quoted)
    yield ""
    yield from table(cases)
    yield from (f"required, and not exercised: {rule}" for rule in report.missing)
    some = any(run.entries for run in report.runs.values())
    unproven = "not everything is proven" if some else "nothing is proven"
    words = {0: "the consumer behaves", BROKEN: "the consumer breaks rules", NOT_PROVEN: unproven}
    yield ""
    yield paint(words[report.exit_code], report.exit_code)


def _broken(judged: Judged, runs: Mapping[str, Run], quoted: set[str]) -> Iterator[str]:
    """Yield what to change for a rule: one example with its requests, and where else it shows."""
    (scenario, (breach, *more)), *others = judged.breaches.items()
    yield f"{paint(judged.rule.id, judged.verdict)}: {breach.text}"
    yield f"  rule: {judged.rule.statement} [{judged.rule.source}]"
    yield f"  in {scenario}: {SCENARIOS[scenario].statement}"
    yield from (f"    {line}" for line in _requests(runs[scenario], breach))
    if scenario not in quoted:
        quoted.add(scenario)
        yield from _said(runs[scenario])
    forms, same = {_form(breach.text)}, []
    for name, found in [(scenario, more), *others]:
        new = [one for one in found if _form(one.text) not in forms]
        for one in new[:1]:
            forms.add(_form(one.text))
            yield f"  also in {name}: {one.text}"
        if not new and name != scenario:
            same.append(name)
    if same:
        yield f"  the same in {len(same)} more scenario{'s' * (len(same) > 1)}: {', '.join(same)}"


def _form(text: str) -> str:
    """Return a text without its numbers: breaches that differ in them only are the same mistake."""
    return re.sub(r"\d+(?:\.\d+)?", "0", text)


def value_of(report: ConsumerReport) -> Any:
    """Return the value of the JSON report."""
    return {
        "missing": list(report.missing),
        "scenarios": {
            name: {
                "statement": SCENARIOS[name].statement,
                "succeeded": run.succeeded,
                "ended": run.ended,
                "said": list(run.said),
                "requests": [entry.as_dict() for entry in run.entries],
            }
            for name, run in report.runs.items()
        },
        "rules": [
            {
                **{name: getattr(judged.rule, name) for name in ("id", "statement", "source", "basis", "severity")},
                "verdict": judged.verdict,
                "scenarios": judged.scenarios,
                "breaches": {
                    scenario: [{"text": one.text, "requests": list(one.requests)} for one in breaches]
                    for scenario, breaches in judged.breaches.items()
                },
            }
            for judged in report.judged.values()
        ],
    }


def _case(judged: Judged) -> Case:
    texts = [f"{where}: {one.text}" for where, breaches in judged.breaches.items() for one in breaches]
    note = ", ".join(judged.breaches) or _named(judged.scenarios)
    return Case(judged.rule.id, judged.verdict, "\n".join(texts), note)


def _without_effect(report: ConsumerReport, quoted: Container[str]) -> Iterator[str]:
    """Yield the scenarios that prove nothing, without those already quoted, and what the consumer said in the first."""
    silent = [name for name, run in report.runs.items() if not run.entries and name not in quoted]
    failed = not report.runs["normal"].succeeded and "normal" not in silent and "normal" not in quoted
    for names, what in (
        (silent, "the consumer sent nothing to the base URL (ALTA_BASE_URL); does it read it?"),
        (["normal"] if failed else [], "the consumer failed"),
    ):
        if names:
            yield ""
            yield f"{_named(names)}: {what}"
            yield from _said(report.runs[names[0]])


def _said(run: Run) -> Iterator[str]:
    for line, times in Counter(run.said).items():
        yield f"    it said: {line}" + (f" ({times} times)" if times > 1 else "")


def _named(scenarios: Sequence[str]) -> str:
    """Name scenarios, unless there are many."""
    return ", ".join(scenarios) if len(scenarios) < SEVERAL else f"{len(scenarios)} scenarios"


def _requests(run: Run, breach: Breach) -> Iterator[str]:
    """Yield the requests that show a breach, each with the seconds since the first request."""
    for entry in run.entries:
        if entry.number in breach.requests[:3]:
            seconds = seconds_between(run.entries[0], entry)
            fault = f" ({entry.injected})" if entry.outcome.reply.fault else ""
            yield f"request {entry.number} after {seconds:.1f} s: {entry.method} {entry.path} -> {entry.status}{fault}"
