"""Install what `make dist` built on each Python from 3.11 that the machine has, and use it there.

`python -m tests.clean_room dist` does so with the wheel and with the sdist, in environments of their own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from shutil import which

OLDEST = (3, 11)
EXTRAS = "[async,pytest,sql,verify]"
USE = """
import requests
from alta_client import AltaClient
from mock_server import AltaMock

campaign = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
with AltaMock(store="sqlite:///clean.db") as mock, mock.serve() as server:
    client = AltaClient(server.url, "test-token")
    assert client.add_prospects(campaign, [{"email": "ada@example.com"}]) == 1
    assert [one["campaignId"] for one in client.list_prospects(campaign_id=campaign)][-1] == campaign
    assert requests.get(server.origin + "/docs", timeout=10).ok
"""
TEST = """
def test_it(alta_mock, alta_client):
    assert alta_client.add_prospects("3c90c3cc-0d44-4b50-8888-8dd25736052a", [{"email": "ada@example.com"}]) == 1
"""


def pythons() -> dict[str, Path]:
    """Return the Pythons of this machine by version, oldest first."""
    named = [which(f"python3.{minor}") for minor in range(OLDEST[1], 30)]
    candidates = [Path(sys.executable), *map(Path, filter(None, named))]
    candidates += sorted(Path.home().glob(".pyenv/versions/*/bin/python3"))
    found: dict[str, Path] = {}
    for python in candidates:
        done = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
        version = re.fullmatch(r"Python (3\.(\d+))\.\d+\n", done.stdout)
        if done.returncode == 0 and version and int(version[2]) >= OLDEST[1]:
            found.setdefault(version[1], python)
    return dict(sorted(found.items(), key=lambda one: int(one[0].partition(".")[2])))


def use(python: Path, package: Path, folder: Path) -> None:
    """Install a package in an environment of its own, and use its parts; raise CalledProcessError if one fails."""
    subprocess.run([python, "-m", "venv", folder / "env"], check=True)
    ours = folder / "env" / "bin"

    def run(*words: str | Path) -> None:
        environ = {**os.environ, "PATH": f"{ours}{os.pathsep}{os.environ['PATH']}"}
        subprocess.run(
            [ours / words[0], *words[1:]], check=True, cwd=folder, timeout=600, stdout=subprocess.DEVNULL, env=environ
        )

    run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{package}{EXTRAS}")
    (folder / "test_it.py").write_text(TEST, encoding="utf-8")
    run("python", "-c", USE)
    run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py")
    run("alta-mock", "exec", "--", "alta-mock", "verify", "--operation", "addProspectsToCampaign")
    run("python", "-m", "pytest", "-q", "--pyargs", "contract_tests", "-p", "contract_tests.plugin")


def main(dist: Path) -> None:
    """Use the wheel and the sdist of a folder on each Python."""
    packages = [*dist.glob("*.whl"), *dist.glob("*.tar.gz")]
    assert {one.suffix for one in packages} == {".whl", ".gz"}, f"{dist} has no wheel, or no sdist"
    for version, python in pythons().items():
        for package in packages:
            with tempfile.TemporaryDirectory() as name:
                use(python, package.resolve(), Path(name))
            sys.stdout.write(f"Python {version}: {package.name} works\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
