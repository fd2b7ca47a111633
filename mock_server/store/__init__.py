"""Where the state of a fake is kept: `base` says what a store does, `memory` is the one that is bundled."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mock_server.messages.errors import MockError
from mock_server.store.base import Store
from mock_server.store.memory import MemoryStore

STORES: Mapping[str, Callable[[str], Store]] = {"memory": lambda _: MemoryStore()}
"""What opens a store, by the scheme of its URL."""


def open_store(url: str) -> Store:
    """Open the store that a URL names: `memory`; raise MockError for another scheme."""
    scheme = url.partition(":")[0]
    if scheme not in STORES:
        raise MockError(f"{url!r} is not a store; choose one of {', '.join(STORES)}")
    return STORES[scheme](url)
