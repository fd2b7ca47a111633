"""What a rule about traffic is, and the registry of all of them; the rules themselves are in `rules_*.py`.

A rule looks at one entry after the other, or judges a finished run. It returns None where it does not apply, so that a
rule that was not exercised differs from one that is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from mock_server.journal.entries import Entry

Look = Callable[[Entry], "list[Breach] | None"]
"""Is shown an entry after those before it, and returns its breaches; None if the rule does not apply to it."""

Judge = Callable[["Run"], "list[Breach] | None"]

REFERENCE = "https://docs.altahq.com/api-reference"
"""Where the vendor documents each operation."""

AUTH, ERRORS, LIMITS, PAGES = (
    f"{REFERENCE}/{page}" for page in ("authentication", "errors", "rate-limiting", "pagination")
)
"""The vendor's pages about all operations."""

SEVERITIES = ("error", "warning", "hint")
"""From the most to the least serious."""

DOCUMENTED, PRACTICE = "documented", "good practice"
"""Why a rule holds."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One breach of a rule.

    Attributes:
        text: What the consumer did and what to change, in one sentence.
        requests: The numbers of the entries that show it.
    """

    text: str
    requests: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """What a consumer did.

    Attributes:
        entries: Its requests, oldest first.
        stored: The records that the fake keeps at the end, as sent.
        expected: The records that it was to add; None if unknown.
        succeeded: What it reported; None if it was stopped before.
        ended: Whether it ended by itself.
        patient: Whether it gets over a 429 with a Retry-After in seconds.
        usual: How many records it adds when nothing happens; None if unknown.
        ending: The signal that ended it; empty without one.
        wanted: How many objects of a list must be read, by operation and filters, unless its end is reached.
        said: The last lines that a command wrote to standard error, or the error that a function raised; no tokens.
    """

    entries: Sequence[Entry]
    stored: Sequence[Mapping[str, Any]]
    expected: Sequence[Mapping[str, Any]] | None
    succeeded: bool | None
    ended: bool = True
    usual: int | None = None
    patient: bool = False
    ending: str = ""
    said: Sequence[str] = ()
    wanted: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Its name on the command line and in reports.
        statement: What a consumer must do, in one sentence.
        source: The page of the vendor that states it, or why it is good practice.
        basis: `documented` or `good practice`.
        severity: `error`, `warning` for what is unwise but works, `hint` for what looks like a mistake.
        start: Begins to look at entries; None if the rule needs a finished run.
        of_run: Judges a finished run; None if the rule looks at entries.
        finding: Whether `AltaMock.findings` shows it: it holds for the traffic of any number of consumers, and does
            not restate why a request was refused.
        timed: Whether it measures time, which does not pass behind `responses`.
    """

    id: str
    statement: str
    source: str
    basis: str
    severity: str
    start: Callable[[], Look] | None
    of_run: Judge | None
    finding: bool = False
    timed: bool = False

    def judge(self, run: Run) -> list[Breach] | None:
        """Return the breaches of a run; None if it did not exercise the rule."""
        if self.of_run:
            return self.of_run(run)
        look = self.looking()
        found = [breaches for entry in run.entries if (breaches := look(entry)) is not None]
        return [breach for breaches in found for breach in breaches] if found else None

    def looking(self) -> Look:
        """Begin to look at entries; the texts of the breaches are redacted."""
        look = self.start() if self.start else lambda _: None

        def redacting(entry: Entry) -> list[Breach] | None:
            found = look(entry)
            return found and [replace(breach, text=entry.known.redact(breach.text)) for breach in found]

        return redacting


RULES: dict[str, Rule] = {}
"""By id, in the order of the documentation; complete once `rules` is imported."""


def rule(
    source: str,
    basis: str = DOCUMENTED,
    severity: str = "error",
    *,
    of: Literal["entry", "traffic", "run"],
    **marks: bool,
) -> Callable[[Any], Any]:
    """Make a rule of a function; its name becomes the id, the first line of its docstring the statement.

    `of` says what the function is. `entry`: it returns the texts of the breaches of an entry, or None. `traffic`: it
    returns a new `Look`. `run`: it judges a run. The other arguments are those of `Rule`, `marks` its last ones.
    """

    def register(function: Any) -> Any:
        def look(entry: Entry) -> list[Breach] | None:
            texts = function(entry)
            return None if texts is None else [Breach(text, (entry.number,)) for text in texts]

        name, statement = function.__name__.replace("_", "-"), function.__doc__.splitlines()[0]
        start = {"entry": lambda: look, "traffic": function}.get(of)
        of_run = function if of == "run" else None
        RULES[name] = Rule(name, statement, source, basis, severity, start, of_run, **marks)
        return function

    return register


def broken(run: Run) -> dict[str, list[Breach]]:
    """Return the breaches of a run by rule, hints left out."""
    found = {one.id: one.judge(run) for one in RULES.values() if one.severity != "hint"}
    return {name: breaches for name, breaches in found.items() if breaches}
