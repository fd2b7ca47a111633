"""Where the state of a fake is kept: `base` says what a store does, `memory` and `sql` are the kinds of stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from mock_server.messages.errors import MockError
from mock_server.messages.extras import missing
from mock_server.store.base import Store
from mock_server.store.memory import MemoryStore


def _open_sql(url: str) -> Store:
    from mock_server.store import sql  # noqa: PLC0415 - only those who use it need the library

    return sql.SqlStore(sql.Database(url))


STORES: Mapping[str, Callable[[str], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": _open_sql,
    "postgresql": _open_sql,
}
"""What opens a store, by the scheme of its URL."""


def open_store(url: str) -> Store:
    """Open the store that a URL names: `memory`, `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`.

    Raises:
        MockError: The scheme is unknown, a library is missing, or the database cannot be used.
    """
    scheme = url.partition(":")[0]
    if scheme not in STORES:
        raise MockError(f"{shown(url)!r} is not a store; choose one of {', '.join(STORES)}")
    with _explained(url):
        return STORES[scheme](url)


def forget(url: str) -> None:
    """Remove what a database keeps of fakes, whatever the version of its schema; raise MockError as `open_store`."""
    with _explained(url):
        from mock_server.store import sql  # noqa: PLC0415 - only those who use it need the library

        sql.drop(sql.Database(url).engine)


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Raise MockError with the URL, without its password, for whatever keeps a store from being opened."""
    try:
        yield
    except ImportError as error:
        extra = "sql" if url.startswith("sqlite") else "postgresql"
        raise missing(f"the store {shown(url)}", error, extra) from error
    except MockError as error:
        raise type(error)(f"the store {shown(url)}: {error}") from error


def shown(url: str) -> str:
    """Return the URL of a store without its password."""
    return re.sub(r"(//[^:/@]*:).*@|([?&]password=)[^&]*", _hidden, url)


def password(url: str) -> str | None:
    """Return the password in the URL of a store; None without one."""
    found = re.search(r"//[^:/@]*:(.*)@|[?&]password=([^&]*)", url)
    return found and (found[1] or found[2] or None)


def _hidden(found: re.Match[str]) -> str:
    return f"{found[1]}***@" if found[1] else f"{found[2]}***"
