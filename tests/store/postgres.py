"""A PostgreSQL of the tests' own: on a free port and in a temporary folder, started as an ordinary user.

`python -m tests.store.postgres` installs its programs where there are none and root runs the tests.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator

FAST = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
"""For tests that end no server: nothing outlives them."""


def binaries() -> Path:
    """Return the folder of PostgreSQL's server programs.

    Raises:
        RuntimeError: They are not installed.
    """
    found = [Path(path).parent for path in [shutil.which("initdb")] if path]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # where Debian keeps them
    for folder in found:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise RuntimeError("the tests need PostgreSQL's server: install the system's package postgresql")


class Postgres:
    """A server that can be stopped and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None
        data = folder / "data"
        if os.name != "nt" and os.getuid() == 0:
            shutil.chown(folder, "nobody")
        initdb = [str(binaries() / "initdb"), "-D", str(data), "-U", "tests", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run([*_ordinary(), *initdb], check=True, capture_output=True, cwd=folder, timeout=60)

    def start(self) -> None:
        """Start, and wait until it answers."""
        words = [str(binaries() / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        words += ["-k", "", "-h", "127.0.0.1", *self.options]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([*_ordinary(), *words], cwd=self.folder, stdout=log, stderr=log)
        until = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.address("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError as error:
                if self.process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self.folder / "log").read_text(encoding="utf-8")) from error
                time.sleep(0.02)
            else:
                return

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it: SIGINT ends the connections first, SIGQUIT is like a crash."""
        if self.process:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def database(self, name: str) -> str:
        """Make an empty database, and return its URL."""
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.address(name)

    def address(self, name: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{name}"


def _ordinary() -> list[str]:
    """Return the words that make an ordinary user of root, as whom PostgreSQL does not run."""
    if os.name == "nt" or os.getuid():
        return []
    return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--"]


def install() -> None:
    """Install the system's package unless it is installed."""
    try:
        binaries()
    except RuntimeError:
        if shutil.which("apt-get") and os.geteuid() == 0:
            for words in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "postgresql"]):
                subprocess.run(["apt-get", *words], check=False, stdout=sys.stderr)  # noqa: S607 - where the system has it
    try:
        binaries()
    except RuntimeError as error:
        sys.exit(str(error))


@contextmanager
def postgres(*options: str) -> Iterator[Postgres]:
    """Start a server in a folder that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="alta-mock-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        server = Postgres(Path(name), *options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


if __name__ == "__main__":
    install()
