"""Kill a worker, or the whole tree of a server, during a run, and compare what is kept with what was acknowledged.

`python -m tests.crash 50` repeats each case 50 times; `test_workers.py` runs each a few times.
"""

from __future__ import annotations

import contextlib
import csv
import itertools
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import requests

from tests.conftest import CAMPAIGN
from tests.store.kinds import SHARED, url_of
from tests.workers import Served, serve

if TYPE_CHECKING:
    from collections.abc import Callable

QUOTA = 1_000_000
LIMITS = ("--rate-limit", "off", "--account-rate-limit", f"{QUOTA}/9999s")
SIZE = 3
"""Records of a batch of the raw loop; alta-add sends 20."""

VICTIMS = ("worker", "tree")


class Raw:
    """Sends batch after batch, and notes which were acknowledged."""

    size = SIZE

    def __init__(self, url: str, _folder: Path) -> None:
        self.url, self.acknowledged, self.sent = url, set[int](), 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self._thread.start()

    def _send(self) -> None:
        session = requests.Session()
        while not self._stop.is_set():
            number, self.sent = self.sent, self.sent + 1
            body = {"data": [{"email": f"{number}.{place}@example.com"} for place in range(SIZE)]}
            headers = {"Authorization": "Bearer test-token"}
            path = f"{self.url}/campaigns/{CAMPAIGN}/prospects"
            with contextlib.suppress(requests.RequestException):
                if session.post(path, json=body, headers=headers, timeout=20).status_code == 200:
                    self.acknowledged.add(number)

    def end(self) -> None:
        """Stop sending."""
        self._stop.set()
        self._thread.join()


class Add:
    """Runs alta-add until it has dealt with every row; a batch of unknown outcome is not sent again."""

    size, rows = 20, 1000

    def __init__(self, url: str, folder: Path) -> None:
        self.file = folder / "people.csv"
        with self.file.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["email"])
            writer.writerows([[f"{row // 20}.{row % 20}@example.com"] for row in range(self.rows)])
        self.sent, self.unknown = self.rows // 20, 0
        self._environ = {**os.environ, "ALTA_BASE_URL": url, "ALTA_API_TOKEN": "test-token"}
        self._process = self._start()

    def _start(self, *options: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", "alta_client", str(self.file), "--campaign", CAMPAIGN, *options]
        return subprocess.Popen(words, env=self._environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def end(self) -> None:
        """Continue until all rows are dealt with."""
        runs = 0
        while self._process.wait(120):
            runs += 1
            assert runs < 20, "alta-add does not end"
            unknown = "--skip" in self._said()
            self.unknown += unknown
            self._process = self._start(*["--skip"] * unknown)
        self._said()

    def _said(self) -> str:
        """Return what the run that has ended wrote to standard error."""
        assert self._process.stderr
        with self._process.stderr as stream:
            return stream.read().decode()

    @property
    def acknowledged(self) -> set[int]:
        """The batches that are there for certain: all, if none was left out."""
        return set() if self.unknown else set(range(self.sent))


LOADS: dict[str, Any] = {"raw": Raw, "alta-add": Add}


def crash(url: str, load: str, victim: str, folder: Path, seed: int) -> None:
    """Run once, and raise AssertionError if anything acknowledged is missing, doubled or half there."""
    chance = random.Random(seed)
    with serve(url, *LIMITS) as served:
        run = LOADS[load](served.url, folder)
        try:
            time.sleep(chance.uniform(0.1, 0.6))
            if victim == "worker":
                chance.choice(served.workers()).kill()
                time.sleep(0.3)
            else:
                for one in (served.process, *served.workers()):
                    with contextlib.suppress(psutil.NoSuchProcess):
                        one.kill()
                served.process.wait()
        finally:
            if victim == "worker":
                run.end()
        if victim == "worker":
            check(served, run)
            return
    address = served.url.removeprefix("http://").removesuffix("/v1")
    with serve(url, *LIMITS, bind=address) as again:
        if load == "raw":
            time.sleep(0.2)
        run.end()
        check(again, run)


def check(served: Served, run: Any) -> None:
    """Compare what is kept with what was acknowledged."""
    emails = [one["email"].partition("@")[0] for one in served.mock(f"campaigns/{CAMPAIGN}/prospects")["data"]]
    kept = [int(batch) for batch, _ in itertools.groupby(email.partition(".")[0] for email in emails)]
    assert emails == [f"{batch}.{place}" for batch in kept for place in range(run.size)], "half a batch"
    assert len(set(kept)) == len(kept), "a batch is there twice"
    assert run.acknowledged <= set(kept), f"acknowledged, but not there: {sorted(run.acknowledged - set(kept))}"
    if run.size == Add.size:
        assert run.sent - len(kept) <= run.unknown, "more is missing than alta-add left out"
    (limit,) = [one for one in served.mock("limits")["data"] if (one["account"], one["name"]) == ("acme", "account")]
    assert len(kept) <= QUOTA - limit["remaining"] <= run.sent + getattr(run, "unknown", 0), "the quota is wrong"


CASES = list(itertools.product(SHARED, LOADS, VICTIMS))
"""Every kind of store, load and victim."""


def main(repeats: int, say: Callable[[str], object]) -> None:
    """Run every case several times."""
    for kind, load, victim in CASES:
        for seed in range(repeats):
            with tempfile.TemporaryDirectory() as name:
                crash(url_of(kind, Path(name)), load, victim, Path(name), seed)
        say(f"{kind}, {load}, {victim}: {repeats} times, nothing lost, nothing doubled\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.stdout.write)
