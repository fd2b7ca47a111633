"""Measure the server over each store: CPU time of a request and throughput, with one and two workers.

The load is 16 connections that add 20 prospects a request; `--postgresql` names an empty database.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import click
import psutil

from benchmarks.run import CAMPAIGN, PORT, bodies, cpu, memory, tree

CONNECTIONS = 16


def request_of(body: bytes) -> bytes:
    """Return the bytes of a request that adds prospects."""
    head = (
        f"POST /v1/campaigns/{CAMPAIGN}/prospects HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def send(request: bytes, seconds: float) -> int:
    """Send a request over several connections again and again; return how many were answered 200."""
    counts: list[int] = []
    end = time.perf_counter() + seconds

    def run() -> None:
        answered = 0
        with socket.create_connection(("127.0.0.1", PORT)) as connection:
            while time.perf_counter() < end:
                connection.sendall(request)
                answered += connection.recv(65536).startswith(b"HTTP/1.1 200")
        counts.append(answered)

    threads = [threading.Thread(target=run) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def measure(store: str, workers: int, request: bytes, seconds: float) -> str:
    """Return a row of the table."""
    words = [sys.executable, "-m", "mock_server", "serve", "--bind", f"127.0.0.1:{PORT}", "--store", store]
    words += ["--rate-limit", "off", "--account-rate-limit", "off", "--workers", str(workers)]
    process = psutil.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", PORT)).close()
                break
            except OSError:
                time.sleep(0.1)
        send(request, 1)
        before = cpu(process)
        count = send(request, seconds)
        spent = (cpu(process) - before) / count * 1e6
        size = memory(process) / max(len(tree(process)) - (workers > 1), 1)
        return f"| {store.partition(':')[0]} | {workers} | {spent:.0f} | {count / seconds:,.0f} | {size:.0f} |"
    finally:
        process.terminate()
        process.wait(20)


@click.command()
@click.option("--seconds", default=10.0, show_default=True, help="Seconds of each run.")
@click.option("--postgresql", metavar="URL", help="An empty database.")
def main(seconds: float, postgresql: str | None) -> None:
    """Measure, and print a table."""
    print("| store | workers | CPU µs | requests/s | MiB of a process |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        request = request_of(bodies(Path(name))["20"].read_bytes())
        for store in ("memory", f"sqlite:///{name}/x.db", *filter(None, [postgresql])):
            for workers in (1, 2) if store != "memory" else (1,):
                print(measure(store, workers, request, seconds), flush=True)


if __name__ == "__main__":
    main()
