"""The report of a verification, for the reporter of all commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from alta_terminal import escaped, paint
from contract_tests.provider.documented import operations
from contract_tests.provider.results import Breach, Report, Result
from contract_tests.provider.rules import FAMILIES, RULES
from contract_tests.provider.target import Target
from contract_tests.provider.wire import Request
from mock_server.cli.output import Case, counts, table
from mock_server.cli.output import Report as Presented
from mock_server.journal.snippets import curl_command

LONGEST_BODY = 3000  # bytes of the longest body in a curl line
PART = "\0part"  # stands for a part of a token
VARIABLES = ("ALTA_MULTI_ACCOUNT_TOKEN", "ALTA_OTHER_TOKEN", "ALTA_SECOND_TOKEN", "ALTA_API_TOKEN", "PART_OF_THE_TOKEN")

EXAMPLES = 2
"""Breaches of a rule that are shown for each operation."""

VERDICTS = ("broken", "kept", "not exercised")
CONCLUSIONS = {
    0: "the contract is kept",
    1: "the contract is broken",
    2: "the target cannot be verified",
    3: "nothing is proven",
    130: "interrupted",
}


def presented(report: Report) -> Presented:
    """Return a report for the reporter; its text is empty if the target could not be verified."""
    text = () if report.unusable else lines(report)
    return Presented("alta-mock verify", report.exit_code, text, _cases(report), lambda: _value(report))


def lines(report: Report) -> Iterator[str]:
    """Yield the text: a summary, the breaches, then the tables of operations and of rules."""
    cases = [_case(report, result) for result in report.results.values()]
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(report.statuses.items()))
    yield f"{len(cases)} rules: {counts(cases, VERDICTS)}"
    yield (
        f"{report.requests} requests in {report.seconds:.0f} s ({statuses or 'no response'});"
        f" {report.records} prospects were added"
    )
    for result in report.broken:
        yield ""
        yield from _broken(report, result)
    yield ""
    yield from matrix(report)
    yield ""
    yield from table(cases)
    yield ""
    stopped = report.stopped and f"stopped: {report.stopped}"
    yield from map(escaped, filter(None, (report.unusable, stopped, *report.unproven)))
    kept = sum(result.verdict == "kept" for result in report.results.values())
    part = f"{kept} of {len(RULES)} rules kept" if kept < len(RULES) else ""
    yield paint((report.exit_code == 0 and part) or CONCLUSIONS[report.exit_code], report.exit_code)


def _broken(report: Report, result: Result) -> Iterator[str]:
    """Yield the breaches of a rule, one for each operation: others of the same operation are counted."""
    yield f"{paint(result.rule.id, result.verdict)}: {result.rule.statement} [{result.rule.source}]"
    shown: dict[str, int] = {}
    for breach in result.breaches:
        shown[breach.operation] = shown.get(breach.operation, 0) + 1
        if shown[breach.operation] <= EXAMPLES:
            yield f"  {_sentence(report, breach)}"
            yield f"    {curl(breach.request, report.target)}"
    more = sum(count - EXAMPLES for count in shown.values() if count > EXAMPLES)
    if more:
        yield f"  and {more} more; --json shows all"


def matrix(report: Report) -> Iterator[str]:
    """Yield a table with a line for each operation: the requests that exercised each family of rules, or BROKEN."""
    rows = {name: [_cell(report, name, rules) for rules in FAMILIES.values()] for name in operations()}
    rows = {name: cells for name, cells in rows.items() if any(cells)}
    widths = [max(len(family), len("BROKEN")) for family in FAMILIES]
    first = max(map(len, ("operation", *rows)))
    for name, cells in {"operation": list(FAMILIES), **rows}.items():
        padded = [f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)]
        shown = [paint(text, "broken") if "BROKEN" in text else text for text in padded]
        yield f"{name:{first}}  {'  '.join(shown)}".rstrip()


def _cell(report: Report, operation: str, rules: Iterable[str]) -> str:
    results = [report.results[rule] for rule in rules if rule in report.results]
    if any(breach.operation == operation for result in results for breach in result.breaches):
        return "BROKEN"
    judged = max((result.operations[operation] for result in results if result.rule.judge), default=0)
    return str(judged + sum(result.operations[operation] for result in results if not result.rule.judge) or "")


def curl(request: Request, target: Target) -> str:
    """Return a shell command that sends a request again; tokens and parts of them are variables in it."""
    known = (target.multi_account_token, target.other_account_token, target.second_token, target.token, PART)
    tokens = {token: name for token, name in zip(known, VARIABLES, strict=True) if token}
    origin = "/".join(target.url.split("/", 3)[:3])
    headers = [(name, _without_part(value, target)) for name, value in request.headers]
    if request.framing == "chunked":
        headers.append(("Transfer-Encoding", "chunked"))
    body = request.body or b""
    if len(body) <= LONGEST_BODY:
        return curl_command(request.method, origin + request.path, headers, request.body, tokens=tokens)
    beginning = body[:60].decode("ascii", "backslashreplace").replace("\n", " ")
    command = curl_command(request.method, origin + request.path, headers, None, tokens=tokens)
    return f"{command} --data-binary @body.json  # {len(body):,} bytes: {beginning}"


def _without_part(value: str, target: Target) -> str:
    """Return the value of a header with a placeholder for a part of a token at its end."""
    last = value.rpartition(" ")[2]
    whole = any(token in value for token in target.tokens)
    if last and not whole and any(last.lower() in token.lower() for token in target.tokens):
        return value.removesuffix(last) + PART
    return value


def _sentence(report: Report, breach: Breach) -> str:
    where = f"{breach.operation}: " if breach.operation else ""
    return escaped(report.redact(f"{where}{breach.what}: got {breach.got}; wanted {breach.wanted}"))


def _case(report: Report, result: Result) -> Case:
    breaches = [f"{_sentence(report, breach)}\n{curl(breach.request, report.target)}" for breach in result.breaches]
    missing = escaped(report.redact(result.missing))
    note = f"{result.requests or '':>5}  {missing}".rstrip()
    return Case(result.rule.id, result.verdict, "\n".join(breaches) or missing, note, round(result.seconds, 3))


def _cases(report: Report) -> Iterator[Case]:
    """Yield a case for each rule, and one for whether anything is proven."""
    yield from (_case(report, result) for result in report.results.values())
    failure = report.stopped if report.failed else ""
    unproven = "; ".join(filter(None, (report.unusable, failure, *report.unproven)))
    yield Case("something is proven", "fail" if unproven else "pass", unproven)


def _value(report: Report) -> dict[str, Any]:
    """Return the report for programs."""
    return {
        "url": report.target.url,
        "requests": report.requests,
        "prospectsAdded": report.records,
        "statuses": {str(status): count for status, count in sorted(report.statuses.items())},
        "unproven": report.unproven,
        "unusable": report.unusable,
        "stopped": report.stopped,
        "rules": [
            {
                "id": name,
                "statement": result.rule.statement,
                "source": result.rule.source,
                "verdict": result.verdict,
                "requests": result.requests,
                "operations": {name: count for name, count in result.operations.items() if name},
                "missing": result.missing,
                "breaches": [_breach(report, breach) for breach in result.breaches],
            }
            for name, result in report.results.items()
        ],
    }


def _breach(report: Report, breach: Breach) -> dict[str, Any]:
    body = None if breach.request.body is None else breach.request.body.decode("utf-8", "backslashreplace")
    found = {"what": report.redact(breach.what), "wanted": breach.wanted, "got": breach.got}
    return {"operation": breach.operation, **found, "curl": curl(breach.request, report.target), "body": body}
