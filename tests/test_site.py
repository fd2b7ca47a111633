"""The documentation as a site: it builds without warnings, and loads nothing from another host."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
"""What a browser fetches without being asked, and the attribute that says from where; a link of `a` it does not."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built in strict mode like `make docs`."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Page(HTMLParser):
    """Collects the resources and the links of a page."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the addresses of an element."""
        given = dict(attrs)
        self.loaded += [given.get(LOADED.get(tag, "")) or "", given.get("srcset") or ""]
        if tag == "a":
            self.links.append(given.get("href") or "")


def is_elsewhere(address: str) -> bool:
    """Return whether an address names a host."""
    return re.match(r"\s*([a-z][a-z0-9+.-]*:)?//", address, re.IGNORECASE) is not None


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    """No font, script, style or image is, so other hosts do not see who reads the pages."""
    pages = list(site.rglob("*.html"))
    styles = [
        found
        for file in site.rglob("*.css")
        for found in re.findall(r"(?:url\(|@import )['\"]?([^'\")]*)", file.read_text("utf-8"))
    ]

    assert len(pages) > 25
    assert [one for file in pages for one in Page(file).loaded if is_elsewhere(one)] == []
    assert [one for one in styles if is_elsewhere(one)] == []


def test_links_lead_to_pages_of_the_site(site: Path) -> None:
    """This includes links out of docs/ and back."""
    for file in site.rglob("*.html"):
        for link in Page(file).links if file.name != "404.html" else ():
            target = link.partition("#")[0].partition("?")[0]
            if target and not is_elsewhere(target):
                assert (file.parent / target).exists(), f"{file.relative_to(site)}: {link}"


def test_every_page_of_the_repository_is_there(site: Path) -> None:
    """Pages of docs/ have their own address; those of the root and the examples are next to them."""
    pages = [file.relative_to(ROOT / "docs") for file in (ROOT / "docs").rglob("*.md")]
    expected = {page.with_suffix(".html").as_posix() for page in pages}
    expected |= {f"{file.stem}.html" for file in ROOT.glob("*.md")}

    assert expected | {"examples/index.html"} <= {file.relative_to(site).as_posix() for file in site.rglob("*.html")}
