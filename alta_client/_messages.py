"""What an operation sends and gets, as values: describing and decoding need no connection."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import urlencode

from alta_client._errors import InvalidResponse
from alta_client._pacing import Values

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Request:
    """One request; the client adds its base URL, its token and the headers."""

    method: str
    path: str  # begins with a slash
    body: bytes | None = None  # JSON
    returns: bool = False  # whether the body of a success is documented
    narrow: bool = False  # whether the operation has a limit of its own

    @property
    def reads(self) -> bool:
        """Whether it changes nothing, so that it may be sent again."""
        return self.method == "GET"

    def headers(self, common: Mapping[str, str]) -> dict[str, str]:
        """Return the headers, given those of every request."""
        return {**common, "Content-Type": "application/json"} if self.body is not None else dict(common)


@dataclass(frozen=True, slots=True)
class Response:
    """One response; the body is as much of it as could be read."""

    native: Any  # the response of the HTTP library, which errors show
    values: Values
    complete: bool

    def decoded(self) -> Any:
        """Return the JSON object of a success.

        Raises:
            InvalidResponse: The body is none, or was cut off.
        """
        try:
            value = json.loads(self.native.content) if self.complete else None
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise InvalidResponse(self.native, "is not a JSON object" if self.complete else "was cut off")
        return value


@dataclass(frozen=True, slots=True)
class Wait:
    """A step of a conversation: seconds in which no request is in flight."""

    seconds: float


Step: TypeAlias = "Request | Wait"
Steps: TypeAlias = "Generator[Step, Response, T]"
"""A conversation with the server: yields what to do, gets the responses to its requests, and returns its result."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A list of objects of the type `T`: the path and the query of its next page."""

    path: str
    query: Mapping[str, str]

    @property
    def request(self) -> Request:
        """The request for the next page."""
        return Request("GET", f"{self.path}?{urlencode(self.query)}", returns=True)

    def after(self, page: Mapping[str, Any]) -> Listing[T] | None:
        """Return what is left of the list after a page; None if nothing is."""
        return replace(self, query={"cursor": page["next"]}) if page["hasMore"] else None

    def problem(self, page: Mapping[str, Any]) -> str:
        """Return why a page cannot be used; empty if it can."""
        if not isinstance(page.get("data"), list) or not isinstance(page.get("hasMore"), bool):
            return "is not a page"
        if page["hasMore"] and not isinstance(page.get("next"), str):
            return "says that there is more, and not where"
        if page["hasMore"] and page["next"] == self.query.get("cursor"):
            return "leads to itself"
        return ""
