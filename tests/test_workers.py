"""Several processes that act as one fake, and what is left when some of them are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest
import requests

from tests.conftest import CAMPAIGN
from tests.crash import CASES, LIMITS, Raw, check, crash
from tests.store.kinds import SHARED, url_of
from tests.store.postgres import FAST, postgres
from tests.workers import serve, until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(180)

OFF = ("--rate-limit", "off", "--account-rate-limit", "off")


@pytest.fixture(params=SHARED)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store that processes can share."""
    return url_of(request.param, tmp_path)


def test_ten_of_many_are_accepted(url: str) -> None:
    """Of 200 requests from 64 threads over four workers, and every answer shows the same picture."""
    with serve(url, workers=4) as served:

        def send(_: int) -> int:
            with requests.Session() as session:
                return served.add(session)

        with ThreadPoolExecutor(64) as pool:
            statuses = list(pool.map(send, range(200)))
        pictures = [served.mock("requests?brief=true&after=150") for _ in range(8)]

    assert (statuses.count(200), statuses.count(429)) == (10, 190)
    assert [one["newest"] for one in pictures] == [200] * 8
    assert len({one["server"] for one in pictures}) == 1
    assert all(one["findings"] == pictures[0]["findings"] for one in pictures)


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """What was acknowledged is there once; the others go on answering."""
    with serve(url_of("sqlite", tmp_path), *OFF) as served, requests.Session() as session:
        first = served.workers()
        added = sum(served.add(session) == 200 for _ in range(5))
        first[0].kill()
        until(lambda: len(served.workers()) == 2 and first[0] not in served.workers())
        with requests.Session() as again:
            added += sum(served.add(again) == 200 for _ in range(5))

        assert added == len(served.mock(f"campaigns/{CAMPAIGN}/prospects")["data"]) == 10


def test_workers_die_with_their_parent(tmp_path: Path) -> None:
    """After kill -9 of the parent nothing listens, and the address can be used again."""
    with serve(url_of("sqlite", tmp_path)) as served:
        workers = served.workers()
        served.process.kill()
        until(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in workers))
        with pytest.raises(requests.ConnectionError):
            served.mock("clock")


def test_sigterm_lets_requests_finish(tmp_path: Path) -> None:
    """A delayed response arrives; then all processes end, with exit code 0."""
    with serve(url_of("sqlite", tmp_path)) as served, ThreadPoolExecutor(1) as pool:
        fault = {"fault": "delay", "seconds": 60}
        requests.post(f"{served.url.removesuffix('/v1')}/_mock/next", json=fault, timeout=20).raise_for_status()
        sent = pool.submit(lambda: served.add(requests.Session()))
        until(lambda: served.mock("requests?brief=true")["newest"] == 1)
        workers = served.workers()
        served.process.send_signal(signal.SIGTERM)

        assert sent.result(20) == 200
        assert served.process.wait(20) == 0
        until(lambda: not any(one.is_running() for one in workers))


def test_workers_need_a_shared_store() -> None:
    """The message names the remedy."""
    words = [sys.executable, "-m", "mock_server", "serve", "--workers", "2"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 2
    assert "--workers: 2 processes share no memory; choose --store sqlite:///FILE or postgresql://" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "load", "victim"), CASES)
def test_nothing_acknowledged_is_lost(tmp_path: Path, kind: str, load: str, victim: str) -> None:
    """After kill -9 of a worker or of the whole tree, during raw requests or a run of alta-add."""
    crash(url_of(kind, tmp_path), load, victim, tmp_path, seed=1)


@pytest.mark.slow
def test_a_database_that_restarts_under_load(tmp_path: Path) -> None:
    """Meanwhile requests are refused; then the same processes go on, and nothing acknowledged is lost."""
    with postgres(*FAST) as server, serve(server.database("restarts"), *LIMITS) as served:
        run = Raw(served.url, tmp_path)
        try:
            until(lambda: len(run.acknowledged) > 10)
            server.stop()
            with requests.Session() as session:
                until(lambda: served.add(session) == 503)
                server.start()
            before = len(run.acknowledged)
            until(lambda: len(run.acknowledged) > before + 10)
        finally:
            run.end()
        check(served, run)
