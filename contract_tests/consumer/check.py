"""Examine a consumer: in every scenario, by every rule, and what it comes to.

`alta-mock exec --consumer` runs a command once for each scenario, several at a time; `check_consumer` calls a function
of a test, on clocks that are advanced.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, TYPE_CHECKING, Any, cast

import click

import alta_terminal as terminal
from contract_tests.consumer.scenarios import SCENARIOS, made_run, most_requests, play_in
from mock_server import Clock
from mock_server.cli.options import known_names
from mock_server.cli.output import BROKEN, INTERRUPTED, NOT_PROVEN, UNUSABLE, Files, junit, refuse_unwritable, write
from mock_server.cli.process import environment, stop
from mock_server.contract.limits import SECOND
from mock_server.journal.rules import RULES
from mock_server.journal.rules_limits import MOST_REFUSALS
from mock_server.journal.traffic import TOO_MANY
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from pathlib import Path

    from alta_terminal import Paint
    from contract_tests.consumer.runs import Environment
    from mock_server import AltaMock
    from mock_server.journal.rules import Breach, Rule, Run
    from mock_server.messages.redaction import Redactor

AT_ONCE = 6
"""Scenarios that are played at a time: most of the time of a run is waiting."""

LOOK_SECONDS = 0.05
"""Seconds between two looks at whether a command has ended, or asks on and on."""

SEVERAL = 8
"""Scenarios that are counted rather than named, unless a rule was broken in them."""

MOST_SAID = 8192
"""Bytes at the end of what a command says that are kept."""

MOST_LINES = 5
"""Lines of them that are shown."""


class ConsumerBroken(AssertionError):
    """A consumer breaks rules; its text is the table."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a consumer is held to.

    Attributes:
        expected: The prospects that it is to add; None if nobody says.
        require: Rules that must have been put to the test.
        only: Ids of the rules to judge by; empty for all.
        skip: Ids of rules to leave out.
    """

    expected: Sequence[Mapping[str, Any]] | None = None
    require: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    skip: frozenset[str] = frozenset()

    def rules(self) -> list[Rule]:
        """Return the rules to judge by."""
        return [one for one in RULES.values() if (not self.only or one.id in self.only) and one.id not in self.skip]


@dataclass(slots=True)
class Judged:
    """What came of a rule.

    Attributes:
        scenarios: Those that put it to the test.
        breaches: Those that broke it, each with its breaches.
    """

    rule: Rule
    scenarios: list[str] = field(default_factory=list)
    breaches: dict[str, list[Breach]] = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """`fail`, `warning`, `hint`, `pass` or `not exercised`."""
        if self.breaches:
            return {"error": "fail"}.get(self.rule.severity, self.rule.severity)
        return "pass" if self.scenarios else "not exercised"


@dataclass(frozen=True, slots=True)
class ConsumerReport:
    """What came of a consumer.

    Attributes:
        runs: By scenario.
        judged: By the id of the rule.
        missing: Rules that were required, and not put to the test.
    """

    runs: Mapping[str, Run]
    judged: Mapping[str, Judged]
    missing: Sequence[str]

    @property
    def broken(self) -> list[Judged]:
        """The rules that are broken, warnings left out."""
        return [one for one in self.judged.values() if one.verdict == "fail"]

    @property
    def exit_code(self) -> int:
        """1 a rule is broken, 3 a scenario without a request or a requirement not put to the test, 0 otherwise."""
        if self.broken:
            return BROKEN
        return NOT_PROVEN if self.missing or not all(run.entries for run in self.runs.values()) else 0

    def lines(self, paint: Paint = terminal.plain) -> Iterator[str]:
        """Yield the report, line by line, with verdicts that are painted."""
        width = max(map(len, self.judged), default=0)
        for name, judged in self.judged.items():
            shown = ", ".join(judged.breaches) or _named(judged.scenarios)
            verdict = paint(f"{judged.verdict:13}", judged.verdict)
            yield f"{name:{width}}  {verdict}  {shown}".rstrip()
        told = set()
        for judged in self.judged.values():
            if judged.breaches:
                yield ""
                yield f"{paint(judged.rule.id, judged.verdict)}: {judged.rule.statement} [{judged.rule.source}]"
                for scenario, breaches in judged.breaches.items():
                    for breach in breaches[:2]:
                        yield f"  {scenario} ({SCENARIOS[scenario].statement}): {breach.text}"
                        yield from (f"    {line}" for line in _requests(self.runs[scenario], breach))
                    if scenario not in told:
                        told.add(scenario)
                        yield from (f"    it said: {line}" for line in self.runs[scenario].said)
        yield from self._without_effect(told)
        yield ""
        counts = Counter(judged.verdict for judged in self.judged.values())
        yield f"{len(self.runs)} scenarios, {sum(len(run.entries) for run in self.runs.values())} requests"
        yield f"{len(self.judged)} rules: " + ", ".join(
            f"{counts[verdict]} {verdict}" for verdict in ("pass", "fail", "warning", "hint", "not exercised")
        )
        yield from (f"required, and not exercised: {rule}" for rule in self.missing)
        some = any(run.entries for run in self.runs.values())
        unproven = "not everything is proven" if some else "nothing is proven"
        words = {0: "the consumer behaves", BROKEN: "the consumer breaks rules", NOT_PROVEN: unproven}
        yield paint(words[self.exit_code], self.exit_code)

    def _without_effect(self, told: Container[str]) -> Iterator[str]:
        """Yield the scenarios that prove nothing, those told already left out, with what the consumer said in one."""
        silent = [name for name, run in self.runs.items() if not run.entries and name not in told]
        failed = not self.runs["normal"].succeeded and "normal" not in silent and "normal" not in told
        usual = ["normal"] if failed else []
        for names, what in ((silent, "the consumer sent nothing"), (usual, "the consumer failed")):
            if names:
                yield ""
                yield f"{_named(names)}: {what}"
                yield from (f"    it said: {line}" for line in self.runs[names[0]].said)


def _named(scenarios: Sequence[str]) -> str:
    """Name scenarios, unless there are many."""
    return ", ".join(scenarios) if len(scenarios) < SEVERAL else f"{len(scenarios)} scenarios"


def _requests(run: Run, breach: Breach) -> Iterator[str]:
    """Yield the requests that decided, each with the seconds since the first."""
    begun = run.entries[0].outcome.at if run.entries else 0
    for entry in run.entries:
        if entry.number in breach.requests[:3]:
            seconds = (entry.outcome.at - begun) / SECOND
            fault = f" ({entry.injected})" if entry.outcome.reply.fault else ""
            yield f"request {entry.number} after {seconds:.1f} s: {entry.method} {entry.path} -> {entry.status}{fault}"


def judge(runs: Mapping[str, Run], options: Options) -> ConsumerReport:
    """Judge the runs of a consumer by the rules."""
    judged = {rule.id: Judged(rule) for rule in options.rules()}
    for scenario, run in runs.items():
        for one in judged.values():
            breaches = one.rule.judge(run)
            if breaches is not None:
                one.scenarios.append(scenario)
            if breaches:
                one.breaches[scenario] = breaches
    missing = [rule for rule in options.require if not judged[rule].scenarios]
    return ConsumerReport(runs, judged, sorted(missing))


def check(
    consumer: Callable[[Environment], object], options: Options, *, transport: str = "responses", **settings: Any
) -> ConsumerReport:
    """Run a consumer of this process in every scenario, one after the other, and judge it."""
    runs: dict[str, Run] = {}
    for name, scenario in SCENARIOS.items():
        clock = Clock(lambda: 0, epoch=time.time_ns() // SECOND * SECOND)
        usual = runs.get("normal")
        if usual and not usual.ended:
            break  # the other scenarios prove nothing about one that never ends
        runs[name] = play_in(
            scenario, consumer, expected=options.expected, usual=usual, clock=clock, transport=transport, **settings
        )
    return judge(runs, options)


def check_consumer(  # noqa: PLR0913 - the first two say who, the others how
    mock: AltaMock,
    consumer: Callable[[Environment], object],
    *,
    expect: Sequence[Mapping[str, Any]] | None = None,
    require: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    transport: str = "responses",
) -> ConsumerReport:
    """Run a consumer in every scenario, each on a fresh fake with the files of `mock`, and judge it by the rules.

    Args:
        mock: The fake whose settings apply.
        consumer: Gets its environment (`base_url`, `token`, `campaign_id`, `sleep`, `clock`), adds its records, and
            raises or returns False if that fails.
        expect: The records that it is to add, in order.
        require: Rules that must be exercised.
        only: Rules to judge by; empty for all.
        skip: Rules to leave out.
        transport: `responses` for consumers that use `requests`, `socket` for all others.

    Raises:
        ConsumerBroken: A rule is broken or nothing is proven; the text is the whole report.
        MockError: A rule is unknown.
    """
    options = options_of(expect, require, only, skip)
    files = {name: getattr(mock.config, name) for name in ("data", "openapi", "overlay", "why")}
    report = check(consumer, options, transport=transport, **files)
    if report.exit_code:
        raise ConsumerBroken("\n" + "\n".join(report.lines()))
    return report


# --- A command --------------------------------------------------------------------------------------------------------


def execute_consumer(
    command: Sequence[str], options: Options, timeout: float, files: Files, settings: Mapping[str, Any]
) -> int:
    """Run a command in every scenario, print the report, and return the exit code.

    Args:
        command: Its words.
        options: What it is held to.
        timeout: Seconds that it has in each scenario.
        files: Where reports go.
        settings: Of the fakes.

    Raises:
        MockError: It cannot be run, or a file cannot be written.
    """
    refuse_unwritable((files.json, files.junit))
    stopped = threading.Event()
    runs: dict[str, Run] = {}
    begun = time.monotonic()

    def play(name: str) -> Run:
        return _run(command, name, runs.get("normal"), options, timeout, settings, stopped)

    try:
        with terminal.StatusLine() as progress, ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                for names in (["normal"], [name for name in SCENARIOS if name != "normal"]):
                    if all(run.ended for run in runs.values()):  # one that never ends tells nothing more
                        playing = {name: pool.submit(play, name) for name in names}
                        _follow(playing, len(runs), begun, progress)
                        runs |= {name: future.result() for name, future in playing.items()}
            except BaseException:
                stopped.set()  # so that no thread waits for its command any more
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    except KeyboardInterrupt:
        return INTERRUPTED
    report = judge(runs, options)
    for line in report.lines(terminal.paint):
        click.echo(line)
    written = write({files.json: partial(as_json, report), files.junit: partial(as_junit, report)})
    return report.exit_code or (0 if written else UNUSABLE)


def _follow(playing: Mapping[str, Future[Run]], before: int, begun: float, progress: terminal.StatusLine) -> None:
    """Wait for scenarios, and tell each second how far they have come.

    Raises:
        MockError: The command cannot be run.
    """
    left = set(playing.values())
    while left:
        done, seconds = before + len(playing) - len(left), time.monotonic() - begun
        names = ", ".join(name for name, future in playing.items() if future.running())
        progress.show(f"{done} of {len(SCENARIOS)} scenarios, {seconds:.0f} s  {names}")
        for future in wait_for(left, 1, FIRST_COMPLETED).done:
            future.result()
            left.discard(future)


class LastWords(threading.Thread):
    """Reads what a command says on standard error, so that it is never held up, and keeps the end of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(daemon=True)
        self._stream = stream
        self._kept = b""
        self.start()

    def run(self) -> None:
        """Read to the end."""
        with self._stream:
            while some := os.read(self._stream.fileno(), MOST_SAID):
                self._kept = (self._kept + some)[-MOST_SAID:]

    def lines(self, redact: Redactor) -> list[str]:
        """Return the last lines, those left out that are indented: they are the frames of a stack."""
        self.join(1)  # what the command has left behind may keep it open
        whole = self._kept if len(self._kept) < MOST_SAID else self._kept.partition(b"\n")[2]  # no half line, or token
        text = click.unstyle(whole.decode(errors="replace"))
        found = [line.rstrip() for line in text.splitlines() if line.strip() and not line[0].isspace()]
        return [redact(terminal.visible(line))[:200] for line in found[-MOST_LINES:]]


def _run(  # noqa: PLR0913, PLR0917 - what a run depends on
    command: Sequence[str],
    name: str,
    usual: Run | None,
    options: Options,
    timeout: float,
    settings: Mapping[str, Any],
    stopped: threading.Event,
) -> Run:
    """Run a command in one scenario."""
    mock = SCENARIOS[name].fake(usual, **settings)
    _, campaign = mock.required_credentials()
    with mock.serve() as server:
        try:
            process = subprocess.Popen(  # noqa: S603 - to run it is what we are asked
                list(command),
                env={**environment(mock, server.url), "ALTA_MOCK_SCENARIO": name},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                process_group=None if os.name == "nt" else 0,
            )
        except OSError as error:
            raise MockError(f"cannot run {command[0]}: {error.strerror}; give the command behind --") from error
        words = LastWords(cast("IO[bytes]", process.stderr))
        try:
            ended = _wait(process, mock, usual, timeout, stopped)
        finally:
            stop(process)  # and what it has left behind
    succeeded = process.returncode == 0 if ended else None
    killed = ended and process.returncode < 0
    ending = f"was ended by the signal {signal.Signals(-process.returncode).name}" if killed else ""
    run = made_run(mock, campaign, options.expected, usual, succeeded=succeeded, ended=ended, ending=ending)
    return replace(run, said=words.lines(mock.redact))


def _wait(
    process: subprocess.Popen[bytes], mock: AltaMock, usual: Run | None, timeout: float, stopped: threading.Event
) -> bool:
    """Wait for a command; False for one that must be stopped: it takes too long, or asks on and on."""
    until = time.monotonic() + timeout
    most = most_requests(usual)
    while time.monotonic() < until and not stopped.is_set():
        try:
            process.wait(LOOK_SECONDS)
        except subprocess.TimeoutExpired:
            last = [entry.status for entry in mock.requests[-MOST_REFUSALS - 1 :]]
            if last == [TOO_MANY] * (MOST_REFUSALS + 1) or mock.journal.statuses.total() > most:
                return False
        else:
            return True
    return False


def read_expected(file: Path | None) -> Sequence[Mapping[str, Any]] | None:
    """Read the prospects that must have arrived.

    Raises:
        MockError: It cannot be read, or is no JSON array of objects.
    """
    if file is None:
        return None
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MockError(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise MockError(f"{file} is no JSON: {error}") from error
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise MockError(f"{file} is no list of prospects; write a JSON array of objects, as they are to be sent")
    return value


def options_of(
    expected: Sequence[Mapping[str, Any]] | None,
    require: Sequence[str] = (),
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
) -> Options:
    """Return options whose rules there are.

    Raises:
        MockError: There is no such rule, or one is required that is left out.
    """
    options = Options(expected, *(known_names(names, RULES, "rule") for names in (require, only, skip)))
    absent = options.require - {rule.id for rule in options.rules()}
    if absent:
        raise MockError(f"the rule {min(absent)} is required, and left out by --only or --skip")
    return options


def as_json(report: ConsumerReport) -> str:
    """Return the report for programs."""
    value = {
        "exitCode": report.exit_code,
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
                "id": name,
                "statement": judged.rule.statement,
                "source": judged.rule.source,
                "basis": judged.rule.basis,
                "severity": judged.rule.severity,
                "verdict": judged.verdict,
                "scenarios": judged.scenarios,
                "breaches": {
                    scenario: [{"text": one.text, "requests": list(one.requests)} for one in breaches]
                    for scenario, breaches in judged.breaches.items()
                },
            }
            for name, judged in report.judged.items()
        ],
    }
    return json.dumps(value, indent=2) + "\n"


def as_junit(report: ConsumerReport) -> str:
    """Return the report for CI: a case for each rule; a warning is no failure."""
    cases = []
    for name, judged in report.judged.items():
        texts = [f"{where}: {one.text}" for where, breaches in judged.breaches.items() for one in breaches]
        failure = "\n".join(texts) if judged.verdict == "fail" else None
        skipped = "not exercised" if judged.verdict == "not exercised" else None
        cases.append((name, failure, skipped))
    proven = None if report.exit_code != NOT_PROVEN else "nothing was sent, or what was required was not exercised"
    return junit("alta-mock exec --consumer", [*cases, ("something is proven", proven, None)])
