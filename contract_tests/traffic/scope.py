"""Which recorded requests are for the API, by their URL."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from urllib.parse import urlsplit

from contract_tests.traffic.captured import Captured, origin_of
from mock_server.contract.contract import Contract
from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError

MOST_ORIGINS = 1000
"""Hosts that are counted by name."""

OTHER_HOST, OTHER_PATH = "other-host", "other-path"


class Scope:
    """Finds the requests to the API.

    Without base URLs these are the requests to the server of the contract, and those to this machine whose path begins
    like the API's, from the first on that an operation has.

    Attributes:
        origins: How many requests went to each host, as scheme, host and port.
    """

    def __init__(self, contract: Contract, base_urls: Sequence[str] = ()) -> None:
        self._contract = contract
        self._named = [_base(url) for url in base_urls]
        self._server = urlsplit(contract.server).hostname
        self._serving: set[str] = set()
        self.origins: Counter[str] = Counter()

    def path_of(self, one: Captured) -> tuple[str, str]:
        """Return the path as the contract has it; or, empty, with the reason why the request is for something else."""
        if one.origin is None:
            return one.path, ""
        if one.origin in self.origins or len(self.origins) < MOST_ORIGINS:
            self.origins[one.origin] += 1
        base = self._contract.base_path
        for origin, path in self._named:
            if origin == one.origin and (one.path == path or one.path.startswith(f"{path}/")):
                return base + one.path[len(path) :], ""
        host = urlsplit(one.origin).hostname or ""
        usual = not self._named and (host == self._server or is_loopback(host))
        if not usual and one.origin not in dict(self._named):
            return "", OTHER_HOST
        return (one.path, "") if self._belongs(one, host) else ("", OTHER_PATH)

    def _belongs(self, one: Captured, host: str) -> bool:
        """Return whether a path at the host of the API is the API's, or lacks only the base path."""
        base, origin = self._contract.base_path, one.origin or ""
        plain = re.sub("//+", "/", one.path)  # a base URL with a slash at its end is a mistake to be named
        below = not self._named and plain.startswith(f"{base}/")
        if self._named or host == self._server:
            return below or self._contract.has_path(base + one.path)
        if below and self._contract.has_path(one.path):
            self._serving.add(origin)
        return below and origin in self._serving


def _base(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    try:
        if parts.scheme in {"http", "https"} and parts.hostname and not parts.query:
            return origin_of(parts), parts.path.rstrip("/")
    except ValueError:
        pass
    raise MockError(f"{url!r} is not a base URL; write for example https://api.altahq.com/v1")
