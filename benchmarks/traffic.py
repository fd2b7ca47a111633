"""How long `alta-mock check` takes, and how much memory: `python -m benchmarks.traffic [entries]`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server import AltaMock, Clock
from mock_server.journal.har import har
from mock_server.messages.http import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
HEADERS = (("authorization", "Bearer test-token"), ("content-type", "application/json"))
START = datetime(2026, 2, 1, tzinfo=UTC)
PACE = 6.5
"""Seconds from one request to the next, which no limit refuses."""


def sample() -> list[dict[str, Any]]:
    """Return entries of a HAR file: a batch of 20 prospects, then reads."""
    mock = AltaMock(clock=Clock(lambda: 0))
    batch = json.dumps({"data": [{"email": f"{n}@example.com", "firstName": "Ada"} for n in range(20)]}).encode()
    mock.handle(ApiRequest("POST", f"/v1/campaigns/{CAMPAIGN}/prospects", "", HEADERS, batch))
    for path in ("/v1/campaigns", "/v1/prospects", f"/v1/campaigns/{CAMPAIGN}"):
        mock.handle(ApiRequest("GET", path, "", HEADERS[:1]))
    entries: list[dict[str, Any]] = json.loads(har(mock.requests, "https://api.altahq.com"))["log"]["entries"]
    for entry in entries:  # a browser shows the token
        pairs = entry["request"]["headers"]
        entry["request"]["headers"] = [one for one in pairs if one["name"] != "authorization"]
        entry["request"]["headers"] += [{"name": "Authorization", "value": "Bearer a-real-token"}]
    return entries


def write(file: Path, count: int) -> None:
    """Write a HAR file with so many entries, each a batch with other people, or a read."""
    entries = sample()

    def texts() -> Iterator[str]:
        for number in range(count):
            entry = entries[number % len(entries)]
            entry["startedDateTime"] = (START + timedelta(seconds=PACE * number)).isoformat()
            yield json.dumps(entry).replace("@example.com", f"-{number}@example.com")

    with file.open("w", encoding="utf-8") as out:
        out.write('{"log": {"version": "1.2", "creator": {"name": "benchmark", "version": "1"}, "entries": [')
        for number, text in enumerate(texts()):
            out.write(f"{',' if number else ''}\n{text}")
        out.write("]}}\n")


def cpu() -> float:
    """Return the CPU seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Write a file, check it in a process of its own, and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "traffic.har")
        write(file, count)
        print("| `alta-mock check` | entries | MB of the file | CPU seconds | seconds | peak MB |")
        print("|---|---|---|---|---|---|")
        for name, words in (("", []), (" --assumptions", ["--assumptions"])):
            begun, before = time.monotonic(), cpu()
            command = [sys.executable, "-m", "mock_server", "check", str(file), *words]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            seconds = time.monotonic() - begun
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            size = file.stat().st_size / 1_000_000
            print(f"| HAR{name} | {count:,} | {size:,.0f} | {cpu() - before:.0f} | {seconds:.0f} | {peak:.0f} |")


if __name__ == "__main__":
    main()
