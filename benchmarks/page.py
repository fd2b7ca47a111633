"""Measure the live page in Chromium: its first paint beside that of a page with one sentence, and 10,000 requests.

The fake is a process of its own; each load is one of a fresh profile, so that nothing is cached; medians, in turns.
"""

from __future__ import annotations

import http.server
import statistics
import sys
import threading
import time
from typing import TYPE_CHECKING

import requests
from playwright.sync_api import sync_playwright

from benchmarks.run import CAMPAIGN, PORT, Server, running
from tests.browser.browsers import launch

if TYPE_CHECKING:
    from playwright.sync_api import Browser

RUNS = 15
REQUESTS = 10_000
PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
  for (const one of list.getEntriesByName("first-contentful-paint")) done(one.startTime);
}).observe({ type: "paint", buffered: true }))"""
SIZES = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((one) => !one.name.includes("/_mock/")).reduce((sum, one) => sum + one.transferSize, 0)"""


class OneSentence(http.server.BaseHTTPRequestHandler):
    """The least that a page can be."""

    def do_GET(self) -> None:
        """Answer with the sentence."""
        body = b"<!doctype html><title>x</title><p>One sentence."
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def first_paint(browser: Browser, url: str) -> tuple[float, int]:
    """Return the milliseconds to the first contentful paint, and the bytes that were transferred for the page."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(url)
    paint, size = page.evaluate(PAINT), page.evaluate(SIZES)
    context.close()
    return float(paint), int(size)


def list_of_many(browser: Browser, url: str) -> float:
    """Return the seconds until a page that is opened lists all the requests."""
    context = browser.new_context()
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url)
    page.locator("#count", has_text=f"{REQUESTS:,}").wait_for()
    seconds = time.perf_counter() - begun
    context.close()
    return seconds


def send_many(count: int) -> float:
    """Send full batches one after the other, and return the milliseconds that 99 of 100 take at most."""
    people = [{"firstName": "Ada", "email": f"person.{number}@example.com"} for number in range(20)]
    session = requests.Session()
    session.headers["Authorization"] = "Bearer test-token"
    took = []
    url = f"http://127.0.0.1:{PORT}/v1/campaigns/{CAMPAIGN}/prospects"
    for _ in range(count):
        begun = time.perf_counter()
        session.post(url, json={"data": people}, timeout=30).raise_for_status()
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.quantiles(took, n=100)[98]


def main() -> None:
    """Print the figures."""
    off = ("--rate-limit", "off", "--account-rate-limit", "off")
    words = (sys.executable, "-m", "mock_server", "serve", "--bind", f"127.0.0.1:{PORT}", *off)
    fake = Server("alta-mock", words, f"/v1/campaigns/{CAMPAIGN}/prospects")
    url = f"http://127.0.0.1:{PORT}/"
    static = http.server.ThreadingHTTPServer(("127.0.0.1", 0), OneSentence)
    threading.Thread(target=static.serve_forever, daemon=True).start()
    with sync_playwright() as playwright, launch(playwright) as browser, running(fake):
        time.sleep(1)  # nobody opens it sooner
        first_ever = first_paint(browser, url)[0]
        ours, theirs, size = [], [], 0
        for _ in range(RUNS):
            theirs.append(first_paint(browser, f"http://127.0.0.1:{static.server_port}/")[0])
            paint, size = first_paint(browser, url)
            ours.append(paint)
        print(f"first paint: {statistics.median(ours):.0f} ms (the first of a new server: {first_ever:.0f} ms)")
        print(f"a page of one sentence: {statistics.median(theirs):.0f} ms")
        print(f"bytes of the page: {size}")
        alone = send_many(REQUESTS // 2)
        context = browser.new_context()
        context.new_page().goto(url)
        print(f"p99 of the API: {alone:.1f} ms, with a page open: {send_many(REQUESTS // 2):.1f} ms")
        context.close()
        first, again = list_of_many(browser, url), list_of_many(browser, url)
        print(f"{REQUESTS} requests listed: {first:.2f} s, and again: {again:.2f} s")


if __name__ == "__main__":
    main()
