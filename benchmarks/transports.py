"""Measure what a test pays: the transport for `requests`, reset, a live server, the journal, the pytest plugin.

Medians; each figure beside what it is to be compared with, taken in turns in the same run.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import requests
import responses

import mock_server.transports.live_server  # noqa: F401 - a first import is not what is measured
from mock_server import AltaMock
from mock_server.messages.http import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Callable

CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
HEADERS = {"Authorization": "Bearer test-token", "Content-Type": "application/json"}
RECORD = {"firstName": "Ada", "lastName": "Lovelace", "company": "Analytical Engines", "email": "ada@example.com"}
BODY = json.dumps({"data": [RECORD] * 20})


def timed(call: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def fresh() -> AltaMock:
    """Make a fake without limits."""
    return AltaMock(rate_limit="off", account_rate_limit="off")


def requests_door(times: int = 500) -> tuple[float, float]:
    """Return the milliseconds of a request to a static answer of `responses`, and of one to the fake behind it."""
    mock = fresh()
    url = f"{mock.base_url}/campaigns/{CAMPAIGN}/prospects"
    static, ours = [], []

    def post() -> None:
        requests.post(url, data=BODY, headers=HEADERS, timeout=5)

    for _ in range(times):
        with responses.RequestsMock() as patch:
            patch.add("POST", url, json={})
            static.append(timed(post))
        with mock.responses():
            ours.append(timed(post))
    return statistics.median(static), statistics.median(ours)


def live_server(times: int = 50) -> tuple[float, float]:
    """Return the milliseconds that a server takes to start and to stop, a client's connection open."""
    starts, stops = [], []
    for _ in range(times):
        server = fresh().serve()
        starts.append(timed(server.__enter__))
        with requests.Session() as session:
            session.get(server.url, timeout=5)
            stops.append(timed(server.__exit__))
    return statistics.median(starts), statistics.median(stops)


def journal(times: int = 4000) -> tuple[float, float]:
    """Return the milliseconds of a request of 20 prospects, and those of recording it."""
    request = ApiRequest(
        "POST",
        f"/v1/campaigns/{CAMPAIGN}/prospects",
        "",
        tuple((name.lower(), value) for name, value in HEADERS.items()),
        BODY.encode(),
    )
    mock = fresh()
    outcome = mock.handle(request)

    def record() -> None:
        with mock.store.transaction("acme") as transaction:
            transaction.record("python", request, outcome)

    whole = [timed(lambda: mock.handle(request)) for _ in range(times)]
    recording = [timed(record) for _ in range(times)]
    return statistics.median(whole), statistics.median(recording)


def plugin(times: int = 15) -> float:
    """Return the milliseconds that a run of pytest which does not use the plugin spends on importing it."""
    code = (
        "import pytest, time; begun = time.perf_counter(); import alta_mock_pytest;"
        "print((time.perf_counter() - begun) * 1000)"
    )
    words = [sys.executable, "-c", code]
    took = [subprocess.run(words, check=True, capture_output=True, text=True).stdout for _ in range(times)]
    return statistics.median(map(float, took))


def reset(times: int = 200) -> float:
    """Return the milliseconds of a reset of a fake that has 2,000 prospects."""
    mock = fresh()
    took = []
    for _ in range(times):
        for _ in range(100):
            mock.handle(
                ApiRequest(
                    "POST",
                    f"/v1/campaigns/{CAMPAIGN}/prospects",
                    "",
                    tuple((name.lower(), value) for name, value in HEADERS.items()),
                    BODY.encode(),
                )
            )
        took.append(timed(mock.reset))
    return statistics.median(took)


def main() -> None:
    """Print the table."""
    static, ours = requests_door()
    start, stop = live_server()
    whole, recording = journal()
    print("| what | ms | compared with | ms | difference |\n|---|---|---|---|---|")
    print(
        f"| `requests` to the fake, 20 prospects | {ours:.2f} | a static answer | {static:.2f} | {ours - static:.2f} |"
    )
    print(f"| a request in process, 20 prospects | {whole:.4f} | of which the journal | {recording:.4f} | |")
    print(f"| pytest with the plugin, not used: its import | {plugin():.2f} | | | |")
    print(f"| start of a live server | {start:.2f} | | | |")
    print(f"| stop of a live server | {stop:.2f} | | | |")
    print(f"| reset with 2,000 prospects | {reset():.3f} | | | |")


if __name__ == "__main__":
    main()
