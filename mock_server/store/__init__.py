"""Where the resources of the accounts are kept: `Store` is the protocol, `MemoryStore` the one there is."""

from mock_server.store.base import Batch, Store
from mock_server.store.memory import MemoryStore

__all__ = ["Batch", "MemoryStore", "Store"]
