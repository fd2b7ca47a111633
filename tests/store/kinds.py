"""An empty store of each kind, by URL; the tests of a process share one PostgreSQL."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache
from itertools import count
from pathlib import Path

from tests.store.postgres import FAST, Postgres, postgres

KINDS = ("memory", "sqlite", "postgresql")
SHARED = ("sqlite", "postgresql")

_numbers = count(1)


@cache
def server() -> Postgres:
    """Return the server that the tests of this process share."""
    stack = ExitStack()
    atexit.register(stack.close)
    return stack.enter_context(postgres(*FAST))


def url_of(kind: str, folder: Path) -> str:
    """Return the URL of an empty store."""
    if kind == "memory":
        return kind
    if kind == "sqlite":
        return f"sqlite:///{folder / f'{next(_numbers)}.db'}"
    return server().database(f"test{next(_numbers)}")
