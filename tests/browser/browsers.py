"""The browsers of the tests: `python -m tests.browser.browsers` installs those that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Playwright

NAMES = {
    "chromium": (
        "chromium-headless-shell",  # needs half the time of the others: it has no window, not even a hidden one
        *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        *("microsoft-edge", "chrome", "msedge"),
    ),
    "firefox": ("firefox-esr", "firefox"),
}

PACKAGES = {"chromium": ("chromium-headless-shell", "chromium"), "firefox": ("firefox-esr", "firefox")}
"""Packages of the system, of which the first that exists is installed."""

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""They keep Chromium from contacting other hosts."""


def find(playwright: Playwright, name: str) -> str | None:
    """Return the browser to start: `ALTA_MOCK_CHROMIUM` or `ALTA_MOCK_FIREFOX`, the system's, or Playwright's own."""
    named = os.environ.get(f"ALTA_MOCK_{name.upper()}") or next(filter(None, map(shutil.which, NAMES[name])), None)
    own = own_path(playwright, name)
    return named or (own if Path(own).exists() else None)


def own_path(playwright: Playwright, name: str) -> str:
    """Return where Playwright installs its own build."""
    return str(getattr(playwright, name).executable_path)


def missing(name: str) -> str:
    """Return what to say if there is none."""
    packages = " or ".join(PACKAGES[name])
    return f"no {name} for the tests: install {packages} from the system's packages, or run: playwright install {name}"


def launch(playwright: Playwright, name: str = "chromium") -> Browser:
    """Start a browser."""
    executable = find(playwright, name)
    assert executable, missing(name)
    options: dict[str, Any] = {}
    if name == "chromium":
        sandbox = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()  # root has no sandbox
        options = {"args": [*FLAGS, *sandbox]}
    elif executable != own_path(playwright, name):
        options = {"channel": "moz-firefox"}  # driven by WebDriver BiDi; only Playwright's own build has its protocol
    browser: Browser = getattr(playwright, name).launch(executable_path=executable, **options)
    return browser


def install(name: str) -> None:
    """Install the system's browser as root, else Playwright's for this user."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        get = ["install", "-y", "-q", "--no-install-recommends"]
        for words in (["update", "-q"], *([*get, package] for package in PACKAGES[name])):
            done = subprocess.run(["apt-get", *words], check=False, stdout=sys.stderr)  # noqa: S607 - where the system has it
            if "install" in words and done.returncode == 0:
                break
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", name], check=False, stdout=sys.stderr)


def main() -> None:
    """Install each browser unless there is one."""
    with sync_playwright() as playwright:
        for name in NAMES:
            if not find(playwright, name):
                install(name)
        sys.exit("\n".join(missing(name) for name in NAMES if not find(playwright, name)) or None)


if __name__ == "__main__":
    main()
