"""A command as a child process: its environment, the signals it gets, and its exit code."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

from mock_server.cli.output import INTERRUPTED, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mock_server.mock import AltaMock

NOT_RUNNABLE, NOT_FOUND, SIGNALLED = 126, 127, 128
"""Exit codes of a shell for a command that cannot be run, does not exist, or was ended by a signal, which is added."""

PATIENCE = 5.0
"""Seconds that a command has to end after Ctrl-C or SIGTERM, before it is killed."""

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
KILL = getattr(signal, "SIGKILL", signal.SIGTERM)


def settings(mock: AltaMock, url: str) -> dict[str, str]:
    """Return the variables by which a consumer finds the fake; without credentials in the seed only the base URL."""
    found = {"ALTA_BASE_URL": url}
    credentials = mock.default_credentials()
    if credentials:
        found["ALTA_API_TOKEN"], found["ALTA_CAMPAIGN_ID"] = credentials
    return found


def environment(mock: AltaMock, url: str) -> dict[str, str]:
    """Return the environment of a consumer: that of this process, `settings`, and no proxy for the fake."""
    direct = {
        name: ",".join(filter(None, [os.environ.get(name), "127.0.0.1,localhost"])) for name in ("NO_PROXY", "no_proxy")
    }
    return {**os.environ, **settings(mock, url), **direct}


def run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command, forward signals to it, and return its exit code as a shell would."""
    alone = os.name != "nt" and not _has_terminal()
    try:
        process = subprocess.Popen(list(command), env=environ, process_group=0 if alone else None)  # noqa: S603 - to run it is the purpose
    except FileNotFoundError:
        say(f"command not found: {command[0]}")
        return NOT_FOUND
    except OSError as error:
        say(f"cannot run {command[0]}: {error.strerror}")
        return NOT_RUNNABLE
    with _signals_forwarded(process, group=alone) as received:
        code = process.wait()
    if signal.SIGINT in received:
        return INTERRUPTED
    return SIGNALLED - code if code < 0 else code


def stop(process: subprocess.Popen[bytes]) -> None:
    """Terminate a command and everything that it started; kill what has not ended after a second."""
    for number in (signal.SIGTERM, KILL):
        _send(process, number, group=os.name != "nt")
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
            return


def _has_terminal() -> bool:
    """Return whether a terminal signals the command itself, which then must stay in its process group."""
    return bool(sys.stdin) and sys.stdin.isatty()


def _send(process: subprocess.Popen[bytes], number: int, *, group: bool) -> None:
    """Send a signal to a command, or to its whole process group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if group:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


@contextlib.contextmanager
def _signals_forwarded(process: subprocess.Popen[bytes], *, group: bool) -> Iterator[set[int]]:
    """Forward signals, and kill a command that does not end; yields the signals received so far."""
    received: set[int] = set()
    kill = threading.Timer(PATIENCE, lambda: _send(process, KILL, group=group))
    kill.daemon = True

    def forward(number: int, _frame: object) -> None:
        if not received:
            kill.start()
        received.add(number)
        if not (number == signal.SIGINT and _has_terminal()):  # a terminal has signalled the command itself
            _send(process, number, group=group)

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, forward) for number in SIGNALS}
    try:
        yield received
    finally:
        kill.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
