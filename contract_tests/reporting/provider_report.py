"""What an examination is told as: a table with a line for each breach, JSON, and JUnit's XML."""

from __future__ import annotations

import json
import shlex
import string
from typing import TYPE_CHECKING, Any

from alta_terminal import plain
from mock_server.cli.output import junit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alta_terminal import Paint
    from contract_tests.provider.results import Breach, Report, Result
    from contract_tests.provider.rules import Given
    from contract_tests.provider.wire import Sent
    from mock_server.messages.redaction import Redactor

LONGEST_BODY = 3000
"""Bytes of a body that a curl line holds."""

VARIABLES = ("ALTA_API_TOKEN", "ALTA_SECOND_TOKEN", "ALTA_OTHER_TOKEN")
"""What stands for the tokens in a curl line: that of the command, the second one, the other account's."""


def curl(sent: Sent, given: Given) -> str:
    """Return a line for a shell that sends a request again; tokens are variables in it."""
    origin = "/".join(given.url.split("/", 3)[:3])
    words = ["curl", "-i", "-X", sent.method, _with_variables(origin + sent.path, given)]
    for name, value in sent.headers:
        words += ["-H", _with_variables(f"{name}: {value}" if value else f"{name};", given)]
    if sent.framing == "chunked":
        words += ["-H", shlex.quote("Transfer-Encoding: chunked")]
    if sent.body is not None and len(sent.body) > LONGEST_BODY:
        words += ["--data-binary", f"@body.json  # {len(sent.body):,} bytes: {_beginning(sent.body)}"]
    elif sent.body is not None:
        text = sent.body.decode("utf-8", "replace")
        if text.isprintable() and "\ufffd" not in text:
            words += ["--data-binary", shlex.quote(text)]
        else:
            words = ["printf", _octal(sent.body), "|", *words, "--data-binary", "@-"]
    return " ".join(words)


def _with_variables(text: str, given: Given) -> str:
    """Return a word of a shell with variables in place of tokens, and of what is a part of one."""
    tokens = dict(zip(VARIABLES, (given.token, given.second_token, given.other_account_token), strict=True))
    known = sorted(((token, name) for name, token in tokens.items() if token), key=lambda pair: -len(pair[0]))
    last = text.rpartition(" ")[2]
    whole = any(token in text for token, _ in known)
    if last and not whole and any(last.lower() in token.lower() for token, _ in known):
        text = text[: -len(last)] + "$PART_OF_THE_TOKEN"
    quoted = "'" + text.replace("'", "'\"'\"'") + "'"
    for token, name in known:
        quoted = quoted.replace(token, f"'\"${{{name}}}\"'")
    return quoted.removesuffix("''") if quoted != "''" else quoted


_PLAIN = frozenset(string.ascii_letters + string.digits + ' !"#$&()*+,-./:;<=>?@[]^_`{|}~')


def _octal(body: bytes) -> str:
    """Return bytes, NUL too, as a word that printf turns into them."""
    return "'" + "".join(chr(one) if chr(one) in _PLAIN else f"\\{one:03o}" for one in body) + "'"


def _beginning(body: bytes) -> str:
    return body[:60].decode("ascii", "backslashreplace").replace("\n", " ")


def lines(report: Report, given: Given, redact: Redactor, paint: Paint = plain) -> Iterator[str]:
    """Yield the report, line by line, with verdicts that are painted."""
    width = max(map(len, report.results), default=0)
    for name, result in report.results.items():
        note = f"  {result.missing}" if result.missing else ""
        verdict = paint(f"{result.verdict:13}", result.verdict)
        yield f"{name:{width}}  {verdict}  {_count(result):>5}{redact(note)}".rstrip()
    for result in report.broken:
        yield ""
        yield f"{paint(result.rule.id, result.verdict)}: {result.rule.statement} [{result.rule.source}]"
        for breach in result.breaches:
            yield redact(f"  {breach.what}: got {breach.got}; wanted {breach.wanted}")
            yield f"    {curl(breach.sent, given)}"
    yield ""
    yield from summary(report, paint)


def _count(result: Result) -> str:
    return str(result.requests) if result.requests else ""


def summary(report: Report, paint: Paint = plain) -> Iterator[str]:
    """Yield what it comes to."""
    statuses = ", ".join(f"{count} x {status}" for status, count in sorted(report.statuses.items()))
    verdicts = [result.verdict for result in report.results.values()]
    yield (
        f"{report.requests} requests in {report.seconds:.0f} s ({statuses or 'none was answered'});"
        f" {report.records} prospects were added"
    )
    counted = [f"{verdicts.count(verdict)} {verdict}" for verdict in ("kept", "broken", "not exercised")]
    yield f"{len(verdicts)} rules: {', '.join(counted)}"
    for why in [report.unusable, report.stopped and f"stopped: {report.stopped}", *report.unproven]:
        if why:
            yield why
    words = {0: "the contract is kept", 1: "the contract is broken", 2: "the target cannot be examined"}
    yield paint({**words, 3: "nothing is proven", 130: "interrupted"}[report.exit_code], report.exit_code)


def as_json(report: Report, given: Given, redact: Redactor) -> str:
    """Return the report for programs."""

    def shown(breach: Breach) -> dict[str, Any]:
        body = None if breach.sent.body is None else breach.sent.body.decode("utf-8", "backslashreplace")
        found = {"what": redact(breach.what), "wanted": breach.wanted, "got": redact(breach.got)}
        return {**found, "curl": curl(breach.sent, given), "body": body}

    value = {
        "url": given.url,
        "exitCode": report.exit_code,
        "requests": report.requests,
        "prospectsAdded": report.records,
        "seconds": round(report.seconds, 1),
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
                "missing": result.missing,
                "breaches": [shown(breach) for breach in result.breaches],
            }
            for name, result in report.results.items()
        ],
    }
    return json.dumps(value, indent=2) + "\n"


def as_junit(report: Report, given: Given, redact: Redactor) -> str:
    """Return the report for CI: a case for each rule, and one for whether anything was proven."""

    def told(result: Result) -> str | None:
        texts = [
            redact(f"{one.what}: got {one.got}; wanted {one.wanted}") + f"\n{curl(one.sent, given)}"
            for one in result.breaches
        ]
        return "\n".join(texts) if texts else None

    cases = [
        (name, told(result), result.missing or None if result.verdict == "not exercised" else None)
        for name, result in report.results.items()
    ]
    trouble = "; ".join(filter(None, [report.unusable, *report.unproven]))
    return junit("alta-mock verify", [*cases, ("something is proven", trouble or None, None)])
