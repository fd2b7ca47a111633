"""Run a command in a scenario, and keep the last lines that it writes to standard error."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass, field, replace
from functools import partial
from typing import IO, Any, cast

import click

from alta_terminal import StatusLine, escaped
from contract_tests.consumer.results import Options
from contract_tests.consumer.scenarios import SCENARIOS, Played, Scenario, made_run, most_requests, scenarios_for
from mock_server import AltaMock
from mock_server.cli.process import environment, stop
from mock_server.journal.rules import Run
from mock_server.journal.rules_limits import MOST_REFUSALS
from mock_server.journal.traffic import TOO_MANY
from mock_server.messages.errors import MockError
from mock_server.messages.redaction import Redactor

AT_ONCE = 6  # scenarios that run at a time: most of the time of a run is waiting
LOOK_SECONDS = 0.05  # seconds between two looks at whether a command has ended
MOST_SAID = 8192  # bytes of standard error that are kept
MOST_LINES = 5  # lines of them that are shown


@dataclass(frozen=True, slots=True)
class Command:
    """A command to run in scenarios."""

    words: Sequence[str]
    options: Options
    timeout: float  # seconds for each scenario
    settings: Mapping[str, Any]  # of the fakes
    stopped: threading.Event = field(default_factory=threading.Event)  # is set to stop all that are running

    def play(self, scenario: Scenario, usual: Run | None, **settings: Any) -> Played:
        """Run the command in a scenario; `usual` is its normal run. A `MockError` says why it cannot be run."""
        mock = scenario.fake(usual, **{**self.settings, **settings})
        _, campaign = mock.required_credentials()
        with mock.serve() as server:
            process = self._start({**environment(mock, server.url), "ALTA_MOCK_SCENARIO": scenario.name})
            words = LastWords(cast("IO[bytes]", process.stderr))
            try:
                ended = self._wait(process, mock, usual)
            finally:
                stop(process)  # and what it has left behind
        succeeded = process.returncode == 0 if ended else None
        killed = ended and process.returncode < 0
        ending = f"was ended by the signal {signal.Signals(-process.returncode).name}" if killed else ""
        run = made_run(mock, campaign, self.options.expected, usual, succeeded=succeeded, ended=ended)
        return replace(run, ending=ending, said=words.lines(mock.redact)), mock

    def _start(self, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(  # noqa: S603 - to run it is the purpose
                list(self.words),
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                process_group=None if os.name == "nt" else 0,
            )
        except OSError as error:
            raise MockError(f"cannot run {self.words[0]}: {error.strerror}; give the command behind --") from error

    def _wait(self, process: subprocess.Popen[bytes], mock: AltaMock, usual: Run | None) -> bool:
        """Wait for a process; False if it takes too long or sends requests without end."""
        until = time.monotonic() + self.timeout
        while time.monotonic() < until and not self.stopped.is_set():
            try:
                process.wait(LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                last = [entry.status for entry in mock.requests[-MOST_REFUSALS - 1 :]]
                refused = last == [TOO_MANY] * (MOST_REFUSALS + 1)
                if refused or mock.journal.statuses.total() > most_requests(usual):
                    return False
            else:
                return True
        return False


def play_all(command: Command) -> dict[str, Run]:
    """Run a command in every scenario: first the normal one, then the others, several at a time."""

    def runs(names: Sequence[str], usual: Run | None) -> dict[str, Run]:
        plays = {name: partial(command.play, SCENARIOS[name], usual) for name in names}
        return {name: run for name, (run, _) in zip(names, at_once(command, plays, "scenarios"), strict=True)}

    normal = runs(["normal"], None)
    usual = normal["normal"]
    return {**normal, **(runs(scenarios_for(usual), usual) if usual.ended else {})}  # else they prove nothing


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end what is running as Ctrl-C does, or commands would go on without a parent."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def at_once(command: Command, plays: Mapping[str, Callable[[], Played]], what: str) -> list[Played]:
    """Do named runs of a command, several at a time, and show the progress each second."""
    with _terminable(), StatusLine() as progress, ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            playing = {name: pool.submit(play) for name, play in plays.items()}
            begun, left = time.monotonic(), set(playing.values())
            while left:
                done, seconds = len(playing) - len(left), time.monotonic() - begun
                names = ", ".join(name for name, future in playing.items() if future.running())
                progress.show(f"{done} of {len(playing)} {what}, {seconds:.0f} s  {names}")
                for future in wait_for(left, 1, FIRST_COMPLETED).done:
                    future.result()
                    left.discard(future)
            return [future.result() for future in playing.values()]
        except BaseException:
            command.stopped.set()  # so that no thread waits for its process any more
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class LastWords(threading.Thread):
    """Reads the standard error of a command, so that it never blocks, and keeps the end of it."""

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
        """Return the last lines without indented ones, which are the frames of a stack."""
        self.join(1)  # what the command has left behind may keep it open
        whole = self._kept if len(self._kept) < MOST_SAID else self._kept.partition(b"\n")[2]  # no half line, or token
        text = click.unstyle(whole.decode(errors="replace"))
        found = [line.rstrip() for line in text.splitlines() if line.strip() and not line[0].isspace()]
        return [redact(escaped(line))[:200] for line in found[-MOST_LINES:]]
