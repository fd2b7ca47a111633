"""The browser of the tests: `python -m tests.browser.chromium` installs one where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = (
    "chromium-headless-shell",  # needs half the time of the others: it has no window, not even a hidden one
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome", "msedge"),
)

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""They keep the browser from contacting other hosts."""

MISSING = "no browser for the tests: install Chromium (apt-get install chromium), or run: playwright install chromium"


def find(playwright: Playwright) -> str | None:
    """Return the browser to start: `ALTA_MOCK_CHROMIUM`, the system's, or Playwright's own; None if there is none."""
    named = os.environ.get("ALTA_MOCK_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    own = playwright.chromium.executable_path
    return named or (own if Path(own).exists() else None)


def launch(playwright: Playwright) -> Browser:
    """Start the browser."""
    executable = find(playwright)
    assert executable, MISSING
    sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()  # root has no sandbox
    return playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *sandbox])


def install() -> None:
    """Install the system's Chromium as root, else Playwright's for this user."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        get = ["install", "-y", "-q", "--no-install-recommends"]
        for words in (["update", "-q"], [*get, "chromium-headless-shell"], [*get, "chromium"]):
            done = subprocess.run(["apt-get", *words], check=False, stdout=sys.stderr)  # noqa: S607 - where the system has it
            if "install" in words and done.returncode == 0:
                break
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False, stdout=sys.stderr)


def main() -> None:
    """Install a browser unless there is one."""
    with sync_playwright() as playwright:
        if not find(playwright):
            install()
        sys.exit(None if find(playwright) else MISSING)


if __name__ == "__main__":
    main()
