"""Several processes that answer at one listening socket.

Rule 1: a worker ends when its parent does, however that ends: the pipe between them is closed then.
Rule 2: a worker that ends by itself is replaced.
"""

from __future__ import annotations

import multiprocessing
import signal
import socket
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any

Work = Callable[..., None]
"""Answers at a listening socket until the pipe from its parent is closed; gets both, and its arguments."""

HEALTHY_SECONDS = 1.0
"""Seconds after its start within which a worker that ends is replaced only when they have passed."""

PATIENCE = 7.0
"""Seconds that workers have to end; requests in flight have `server.GRACE_SECONDS` of them."""

_spawn = multiprocessing.get_context("spawn")


class Worker:
    """A process that works, and the end of the pipe that keeps it alive."""

    def __init__(self, work: Work, listening: socket.socket, arguments: tuple[Any, ...]) -> None:
        theirs, self.life = _spawn.Pipe(duplex=False)
        self.since = time.monotonic()
        self.process = _spawn.Process(target=work, args=(listening, theirs, *arguments), name="alta-mock worker")
        self.process.start()
        theirs.close()


def supervise(number: int, work: Work, listening: socket.socket, *arguments: Any) -> None:
    """Keep a number of workers until SIGINT or SIGTERM, then let them drain; a second signal ends all at once."""
    received, signalled = _spawn.Pipe(duplex=False)

    def stop(signal_number: int, _frame: object) -> None:
        signal.signal(signal_number, signal.SIG_DFL)
        signalled.send(None)

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, stop)
    workers = [Worker(work, listening, arguments) for _ in range(number)]
    while not received.poll():
        wait([received, *(worker.process.sentinel for worker in workers)])
        for place, worker in enumerate(workers):
            if not worker.process.is_alive() and not received.poll():
                received.poll(max(worker.since + HEALTHY_SECONDS - time.monotonic(), 0))
                worker.process.join()
                worker.life.close()
                workers[place] = Worker(work, listening, arguments)
    listening.close()
    for worker in workers:
        worker.life.close()
    until = time.monotonic() + PATIENCE
    for worker in workers:
        worker.process.join(max(until - time.monotonic(), 0))
        worker.process.kill()


def when_closed(life: Connection, act: Callable[[], object]) -> None:
    """Call a function, in a thread, when the other end of a pipe is closed."""

    def watch() -> None:
        wait([life])
        act()

    threading.Thread(target=watch, name="alta-mock life", daemon=True).start()
