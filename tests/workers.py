"""A running `alta-mock serve` with workers, for tests."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psutil
import requests

from tests.conftest import CAMPAIGN, ONE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HEADERS = {"Authorization": "Bearer test-token"}


class Served:
    """A running `alta-mock serve` with workers, and its base URL."""

    def __init__(self, process: psutil.Popen, url: str) -> None:
        self.process, self.url = process, url

    def add(self, session: requests.Session, *records: dict[str, Any]) -> int:
        """Add records, by default one, in one request; return the status."""
        body = {"data": list(records) or ONE["data"]}
        path = f"{self.url}/campaigns/{CAMPAIGN}/prospects"
        return session.post(path, json=body, headers=HEADERS, timeout=20).status_code

    def mock(self, path: str) -> Any:
        """Return what the control API answers."""
        return requests.get(f"{self.url.removesuffix('/v1')}/_mock/{path}", timeout=20).json()

    def workers(self) -> list[psutil.Process]:
        """Return the worker processes."""
        found = [one for one in self.process.children() if one.status() != psutil.STATUS_ZOMBIE]
        return [one for one in found if "spawn_main" in " ".join(one.cmdline())]


@contextmanager
def serve(url: str, *options: str, workers: int = 2, bind: str = "127.0.0.1:0") -> Iterator[Served]:
    """Start a server, and end whatever is left of it."""
    words = [sys.executable, "-m", "mock_server", "serve", "--bind", bind, "--store", url, "--workers", str(workers)]
    process = psutil.Popen([*words, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    banner = ""
    for line in process.stderr:
        banner += line
        if "Stop it" in line:
            break
    assert " at http://" in banner, banner
    served = Served(process, banner.partition(" at ")[2].split()[0])
    everyone: list[psutil.Process] = [process]
    try:
        until(lambda: len(served.workers()) == workers)
        everyone += served.workers()
        yield served
    finally:
        with_children = [one for one in [process, *everyone] if one.is_running()]
        for one in with_children:
            one.terminate()
        process.stderr.close()
        process.wait(20)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds, at most 20 seconds."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
