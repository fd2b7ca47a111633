"""Measure the fake beside Stoplight Prism and WireMock: start, CPU time and latency of a request, memory.

Each server is a process of its own, pinned to core 0; the load is wrk, pinned to core 1. CPU time is user and system
time of the server's whole process tree, divided by the requests that were answered. Every figure is a median.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE = Path(__file__).parent
CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
PORT = 18080
PEERS = ("prism", "wiremock")


@dataclass(frozen=True)
class Server:
    """A server to be measured: its name, the words of its command, and the path of the operation."""

    name: str
    command: tuple[str, ...]
    path: str


@dataclass(frozen=True)
class Load:
    """What a run of wrk against a server came to; times in microseconds and milliseconds."""

    cpu_us: float
    per_second: float
    p50_ms: float
    p99_ms: float


def stubs(folder: Path) -> Path:
    """Write what somebody would write for WireMock by hand: a valid request is a 200, any other one a 400."""
    path = f"/v1/campaigns/{CAMPAIGN}/prospects"
    valid = {
        "method": "POST",
        "urlPath": path,
        "headers": {"Authorization": {"equalTo": "Bearer test-token"}, "Content-Type": {"contains": "json"}},
        "bodyPatterns": [{"matchesJsonPath": "$.data[0]"}, {"matchesJsonPath": "$[?(@.data.size() <= 20)]"}],
    }
    answers = [(1, valid, 200, "{}"), (5, {"method": "POST", "urlPath": path}, 400, '{"error":"ValidationError"}')]
    (folder / "mappings").mkdir()
    for priority, request, status, body in answers:
        response = {"status": status, "headers": {"Content-Type": "application/json"}, "body": body}
        stub = {"priority": priority, "request": request, "response": response}
        (folder / "mappings" / f"{status}.json").write_text(json.dumps(stub), encoding="utf-8")
    return folder


def servers(spec: Path) -> list[Server]:
    """Return the fake without limits, Prism, talking and silent, and WireMock."""
    prism, wiremock = (str(HERE / "node_modules/.bin" / name) for name in PEERS)
    mock = (sys.executable, "-m", "mock_server", "serve", "--bind", f"127.0.0.1:{PORT}")
    off = ("--rate-limit", "off", "--account-rate-limit", "off")
    peer = (prism, "mock", "-h", "127.0.0.1", "-p", str(PORT), str(spec))
    stubbed = (wiremock, "--bind-address", "127.0.0.1", "--port", str(PORT), "--root-dir", str(stubs(spec.parent)))
    return [
        Server("alta-mock", (*mock, *off), f"/v1/campaigns/{CAMPAIGN}/prospects"),
        Server("prism", peer, f"/campaigns/{CAMPAIGN}/prospects"),
        Server("prism -v silent", (*peer, "-v", "silent"), f"/campaigns/{CAMPAIGN}/prospects"),
        Server("wiremock", stubbed, f"/v1/campaigns/{CAMPAIGN}/prospects"),
    ]


def bodies(folder: Path) -> dict[str, Path]:
    """Write the three bodies: one prospect, twenty, and twenty of which the last breaks a rule."""
    record = {
        "firstName": "Ada",
        "lastName": "Lovelace",
        "company": "Analytical Engines",
        "jobTitle": "Countess",
        "email": "ada@example.com",
        "linkedinUrl": "https://www.linkedin.com/in/ada",
    }
    wrong = record | {"firstName": "x" * 256}
    files = {}
    for name, records in (("1", [record]), ("20", [record] * 20), ("invalid", [record] * 19 + [wrong])):
        files[name] = folder / f"{name}.json"
        files[name].write_text(json.dumps({"data": records}), encoding="utf-8")
    return files


@contextmanager
def running(server: Server) -> Iterator[tuple[psutil.Process, float]]:
    """Start a server; yield its process and the seconds it took until its first answer."""
    begun = time.perf_counter()
    process = psutil.Popen(
        ["taskset", "-c", "0", *server.command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while not answers(server):
            if process.poll() is not None or time.perf_counter() - begun > 60:  # noqa: PLR2004 - seconds, for any server
                raise click.ClickException(f"{server.name} did not start: {' '.join(server.command)}")
        yield process, time.perf_counter() - begun
    finally:
        for child in tree(process):
            child.kill()
        process.wait()


def answers(server: Server) -> bool:
    """Send one valid request, and return whether it was answered 200."""
    body = b'{"data":[{"email":"ada@example.com"}]}'
    head = (
        f"POST {server.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer test-token\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", PORT), timeout=5) as connection:
            connection.sendall(head.encode() + body)
            return connection.recv(65536).startswith(b"HTTP/1.1 200")
    except OSError:
        time.sleep(0.002)
        return False


def tree(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and all that it started."""
    return [*process.children(recursive=True), process]


def cpu(process: psutil.Process) -> float:
    """Return the CPU time of a process tree, in seconds."""
    return sum(sum(one.cpu_times()[:2]) for one in tree(process))


def memory(process: psutil.Process) -> float:
    """Return the resident memory of a process tree, in MiB."""
    return float(sum(one.memory_info().rss for one in tree(process)) / 2**20)


def load(server: Server, process: psutil.Process, body: Path, connections: int, seconds: int) -> Load:
    """Run wrk once."""
    before = cpu(process)
    words = ["taskset", "-c", "1", "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    words += ["-s", str(HERE / "post.lua"), f"http://127.0.0.1:{PORT}{server.path}"]
    out = subprocess.run(
        words, capture_output=True, text=True, check=True, env={**os.environ, "BODY": str(body)}
    ).stdout
    spent = cpu(process) - before
    count = int(found(r"(\d+) requests in", out))
    return Load(
        cpu_us=spent / count * 1e6,
        per_second=float(found(r"Requests/sec:\s+([\d.]+)", out)),
        p50_ms=milliseconds(found(r"\n +50% +(\S+)", out)),
        p99_ms=milliseconds(found(r"\n +99% +(\S+)", out)),
    )


def found(pattern: str, text: str) -> str:
    """Return what a pattern finds in the output of wrk."""
    match = re.search(pattern, text)
    if not match:
        raise click.ClickException(f"wrk printed no {pattern!r}: {text}")
    return match[1]


def milliseconds(text: str) -> float:
    """Read a time of wrk, for example 1.25ms."""
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]  # wrk has no other
    return float(number) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[unit]


def median(loads: Sequence[Load]) -> Load:
    """Return the medians of several runs, each figure by itself."""
    figures = zip(*((one.cpu_us, one.per_second, one.p50_ms, one.p99_ms) for one in loads), strict=True)
    return Load(*map(statistics.median, figures))


def machine() -> str:
    """Describe this machine in a line."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    cores = psutil.cpu_count()
    return (
        f"{cores} cores of {model[1] if model else 'an unknown CPU'}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, Node {node}, {time.strftime('%Y-%m-%d')}"
    )


@click.command()
@click.option("--runs", default=3, show_default=True, help="Runs of each figure.")
@click.option("--seconds", default=4, show_default=True, help="Seconds of each run of wrk.")
@click.option("--requests", default=1_000_000, show_default=True, help="Requests before memory is measured again.")
@click.option("--peer-requests", default=100_000, show_default=True, help="The same for the peers, which are slower.")
@click.option("--output", type=click.Path(path_type=Path), help="Write the table to this file, too.")
def main(runs: int, seconds: int, requests: int, peer_requests: int, output: Path | None) -> None:
    """Measure, and print a table."""
    for tool in ("wrk", "taskset", "node", "java", *(str(HERE / f"node_modules/.bin/{name}") for name in PEERS)):
        if not shutil.which(tool):
            raise click.ClickException(f"{tool} is not there; needed are wrk, taskset, Node, Java and npm install")
    lines = [f"Machine: {machine()}.", f"Medians of {runs} runs of {seconds} s; starts of {2 * runs + 1}."]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        spec = folder / "spec.json"
        document = subprocess.run(
            [sys.executable, "-m", "mock_server", "spec"], capture_output=True, text=True, check=True, cwd=HERE.parent
        ).stdout
        spec.write_text(document, encoding="utf-8")
        files = bodies(folder)
        rows: list[str] = []
        summary: list[str] = []
        for server in servers(spec):
            starts = []
            for _ in range(2 * runs + 1):
                with running(server) as (_, took):
                    starts.append(took)
            with running(server) as (process, _):
                rest = memory(process)
                for body, file in files.items():
                    load(server, process, file, 16, 1)
                    for connections in (1, 16):
                        one = median([load(server, process, file, connections, seconds) for _ in range(runs)])
                        rows.append(
                            f"| {server.name} | {body} | {connections} | {one.cpu_us:.0f} | {one.per_second:,.0f} "
                            f"| {one.p50_ms:.2f} | {one.p99_ms:.2f} |"
                        )
                        print(rows[-1], flush=True)
            total = requests if server.name == "alta-mock" else peer_requests
            with running(server) as (process, _):
                sizes = []
                for part in range(2):
                    sent = 0.0
                    while sent < total / 2:
                        one = load(server, process, files["1"], 16, 10)
                        sent += one.per_second * 10
                    sizes.append(memory(process))
                    print(f"{server.name}: half {part + 1}, {sent:,.0f} requests, {sizes[-1]:.0f} MiB", flush=True)
            summary.append(
                f"| {server.name} | {statistics.median(starts):.2f} | {rest:.0f} | {sizes[0]:.0f} | {sizes[1]:.0f} "
                f"| {total:,} |"
            )
    lines += [
        "",
        "| server | body | connections | CPU µs | requests/s | p50 ms | p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [*rows, "", "| server | start s | MiB at rest | MiB after half | MiB after all | number of requests |"]
    lines += ["|---|---|---|---|---|---|", *summary]
    print("\n".join(lines))
    if output:
        output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
