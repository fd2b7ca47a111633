"""Measure the thin client: prospects added and read a second beside a bare loop of `requests`, and memory.

The fake, without limits, and the client are processes of their own on the same core. Medians of several runs, the
compared ones taken in turns.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.run import CAMPAIGN, PORT, Server, running

PEOPLE = 10_000
RUNS = 5

PREPARE = f"""
import sys, time
people = [{{"firstName": "Ada", "lastName": "Lovelace", "company": "Engines", "jobTitle": "Countess",
           "email": f"person.{{number}}@example.com"}} for number in range({PEOPLE})]
url, campaign, headers = sys.argv[1], "{CAMPAIGN}", {{"Authorization": "Bearer test-token"}}
"""
OURS = """
from alta_client import AltaClient
client = AltaClient(url, "test-token")
begun = time.perf_counter()
client.add_prospects(campaign, people)
print(len(people) / (time.perf_counter() - begun))
"""
BARE = """
import requests
session = requests.Session()
begun = time.perf_counter()
for start in range(0, len(people), 20):
    reply = session.post(f"{url}/campaigns/{campaign}/prospects", json={"data": people[start:start + 20]},
                         headers=headers, timeout=30)
    assert reply.status_code == 200
print(len(people) / (time.perf_counter() - begun))
"""

READ_OURS = """
from alta_client import AltaClient
client = AltaClient(url, "test-token")
begun = time.perf_counter()
read = sum(1 for _ in client.list_prospects(campaign_id=campaign))
print(read / (time.perf_counter() - begun))
"""
READ_BARE = """
import requests
session, query, read = requests.Session(), {"limit": 100, "campaignId": campaign}, 0
begun = time.perf_counter()
while query:
    reply = session.get(f"{url}/prospects", params=query, headers=headers, timeout=30)
    assert reply.status_code == 200
    page = reply.json()
    read += sum(1 for _ in page["data"])
    query = {"cursor": page["next"]} if page["hasMore"] else None
print(read / (time.perf_counter() - begun))
"""


def printed(program: str) -> float:
    """Return the number that a program prints, on the core of the fake."""
    words = ["taskset", "-c", "0", sys.executable, "-c", PREPARE + program, f"http://127.0.0.1:{PORT}/v1"]
    return float(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def compared(ours: str, bare: str, title: str) -> None:
    """Print a table of prospects a second by our client and by a bare loop."""
    pairs = [(printed(ours), printed(bare)) for _ in range(RUNS)]
    fast, plain = (statistics.median(column) for column in zip(*pairs, strict=True))
    print(f"| {title}, one core for both | prospects/s |\n|---|---|")
    print(f"| alta_client | {fast:,.0f} |\n| a bare loop of `requests` | {plain:,.0f} |")
    print(f"| ratio | {fast / plain:.2f} |\n")


def dry_run(rows: int) -> float:
    """Return the most memory, in MB, that a check of a file of so many rows takes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "people.csv")
        with file.open("w") as text:
            text.write("First Name,Last Name,Company,Email\n")
            text.writelines(f"Ada,Example {row},Engines,person.{row}@example.com\n" for row in range(rows))
        words = [sys.executable, "-m", "alta_client", str(file), "--dry-run"]
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"alta-add ended with {status}")
        return usage.ru_maxrss / 1024


def main() -> None:
    """Print the tables."""
    fake = Server(
        "alta-mock",
        (
            *(sys.executable, "-m", "mock_server", "serve", "--bind", f"127.0.0.1:{PORT}"),
            *("--rate-limit", "off", "--account-rate-limit", "off"),
        ),
        f"/v1/campaigns/{CAMPAIGN}/prospects",
    )
    with running(fake):
        compared(OURS, BARE, f"{PEOPLE:,} prospects added")
        compared(READ_OURS, READ_BARE, f"{2 * RUNS * PEOPLE:,} prospects read, 100 in a page")
    print("| rows of `alta-add --dry-run` | MB at most |\n|---|---|")
    for rows in (10**3, 10**6):
        print(f"| {rows:,} | {statistics.median(dry_run(rows) for _ in range(3)):.1f} |")


if __name__ == "__main__":
    main()
