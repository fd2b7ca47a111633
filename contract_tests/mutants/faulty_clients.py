"""Clients that are ours but for one fault, which a property of the client must catch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from urllib.parse import quote

from alta_client import AltaClient, AltaError, NotFound, RateLimited, RequestError
from alta_client._messages import Listing, Request, Steps
from contract_tests.consumer.runs import Environment
from contract_tests.mutants.client_contract import OPERATIONS, UNKNOWN, Make

T = TypeVar("T")
READS, WRITES = "reads-whole-lists", "writes-once"


@dataclass(frozen=True, slots=True)
class Faulty:
    """Our client with a fault, and the property that it must break."""

    fault: str
    caught_by: str
    make: Make


FAULTY: dict[str, Faulty] = {}
"""By name."""


class Changed(AltaClient):
    """Our client, except for what its methods change."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        send = self._exchange.send
        self._exchange.send = lambda request: send(self.request(request))  # type: ignore[method-assign]  # the fault

    def request(self, request: Request) -> Request:
        """Return what is sent in place of a request."""
        return request

    def after(self, read: Listing[Any], page: Mapping[str, Any]) -> Listing[Any] | None:
        """Return what is left of a list after a page."""
        return read.after(page)

    def iterate(self, rest: Listing[T]) -> Iterator[T]:
        """Yield the objects of a list."""
        left: Listing[T] | None = rest
        while left is not None:
            page = self.take(self._policy.page(left))
            yield from page["data"]
            left = self.after(left, page)


def _faulty(caught_by: str) -> Callable[[type[AltaClient]], type[AltaClient]]:
    """Register a class as a faulty client: its docstring is the fault, its name that of the client."""

    def register(kind: type[AltaClient]) -> type[AltaClient]:
        def make(at: Environment) -> AltaClient:
            return kind(at.base_url, at.token, sleep=at.sleep, clock=at.clock)

        name = "".join(f"-{one.lower()}" if one.isupper() else one for one in kind.__name__).strip("-")
        FAULTY[name] = Faulty(kind.__doc__ or "", caught_by, make)
        return kind

    return register


def _with_query(request: Request, change: Callable[[str], str]) -> Request:
    path, mark, query = request.path.partition("?")
    return replace(request, path=f"{path}{mark}{change(query)}")


# --- Reading ----------------------------------------------------------------------------------------------------------


@_faulty(READS)
class DropsTheLastPage(Changed):
    """Leaves out the last page of a list that has several."""

    def iterate(self, rest: Listing[T]) -> Iterator[T]:
        """Yield the objects of all pages but the last."""
        left: Listing[T] | None = rest
        while left is not None:
            page = self.take(self._policy.page(left))
            if left is rest or page["hasMore"]:
                yield from page["data"]
            left = left.after(page)


@_faulty(READS)
class StopsAtAShortPage(Changed):
    """Reads no further than a page of fewer than 20 objects."""

    def after(self, read: Listing[Any], page: Mapping[str, Any]) -> Listing[Any] | None:
        """Return what is left, if the page is long."""
        return read.after(page) if len(page["data"]) >= 20 else None


@_faulty(READS)
class EncodesCursorsTwice(Changed):
    """Encodes a cursor before it is encoded."""

    def after(self, read: Listing[Any], page: Mapping[str, Any]) -> Listing[Any] | None:
        """Return what is left, by another cursor."""
        left = read.after(page)
        return left and replace(left, query={"cursor": quote(left.query["cursor"])})


@_faulty(READS)
class ChangesFilters(Changed):
    """Asks for another campaign from the second page on."""

    def after(self, read: Listing[Any], page: Mapping[str, Any]) -> Listing[Any] | None:
        """Return what is left, by other filters."""
        left = read.after(page)
        return left and replace(left, query={**left.query, "campaignId": UNKNOWN})


@_faulty(READS)
class ForgetsFilters(Changed):
    """Sends no filter."""

    def request(self, request: Request) -> Request:
        """Return a request without filters."""
        keep = ("limit=", "cursor=")
        return _with_query(request, lambda query: "&".join(one for one in query.split("&") if one.startswith(keep)))


@_faulty(READS)
class ReadsPagesTwice(Changed):
    """Yields the objects of the first page twice."""

    def after(self, read: Listing[Any], page: Mapping[str, Any]) -> Listing[Any] | None:
        """Return the list itself after its first page."""
        again, self._again = getattr(self, "_again", True), False
        return read if again else read.after(page)


@_faulty(READS)
class GivesUpReading(Changed):
    """Raises the first error of a read."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{**named, "max_wait": 0.001})


@_faulty(READS)
class EndsAtErrors(Changed):
    """Takes an error for the end of a list."""

    def iterate(self, rest: Listing[T]) -> Iterator[T]:
        """Yield the objects that can be read."""
        try:
            yield from super().iterate(rest)
        except AltaError:
            return


@_faulty(READS)
class NeverWaits(Changed):
    """Sends again at once."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **{**named, "sleep": lambda _: None})


@_faulty(READS)
class WaitsHalf(Changed):
    """Waits half as long as it is told."""

    def __init__(self, *args: Any, sleep: Callable[[float], object], **named: Any) -> None:
        super().__init__(*args, sleep=lambda seconds: sleep(seconds / 2), **named)


# --- Writing ----------------------------------------------------------------------------------------------------------


@_faulty(WRITES)
class RetriesWrites(Changed):
    """Sends a write again that may have been done."""

    def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation, each request as if it only read."""
        send = self._exchange.send

        def twice(request: Request) -> Any:
            try:
                return send(request)
            except AltaError:
                return send(request)

        self._exchange.send = twice  # type: ignore[method-assign]  # the fault
        try:
            return super().take(steps)
        finally:
            self._exchange.send = send  # type: ignore[method-assign]  # the same


@_faulty(WRITES)
class SwallowsErrors(Changed):
    """Reports a write as done that was refused."""

    def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation; return None after an error."""
        try:
            return super().take(steps)
        except RequestError as error:
            if isinstance(error, RateLimited):
                raise
            return None  # type: ignore[return-value]  # the fault


# --- What is sent -----------------------------------------------------------------------------------------------------


@_faulty(OPERATIONS)
class SpellsParametersInSnakeCase(Changed):
    """Sends campaign_id in place of campaignId."""

    def request(self, request: Request) -> Request:
        """Return a request with another name."""
        return _with_query(request, lambda query: query.replace("campaignId", "campaign_id"))


@_faulty(OPERATIONS)
class EncodesNoText(Changed):
    """Does not encode the text of a filter."""

    def request(self, request: Request) -> Request:
        """Return a request with decoded texts."""
        return _with_query(request, lambda query: query.replace("%26", "&"))


@_faulty(OPERATIONS)
class MixesOwners(Changed):
    """Sends the filter ownedById as repId."""

    def request(self, request: Request) -> Request:
        """Return a request with another filter."""
        return _with_query(request, lambda query: query.replace("ownedById", "repId"))


@_faulty(OPERATIONS)
class SwallowsNotFound(Changed):
    """Returns None for an unknown id."""

    def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation; return None after a 404."""
        try:
            return super().take(steps)
        except NotFound:
            return None  # type: ignore[return-value]  # the fault


@_faulty(OPERATIONS)
class LosesAMember(Changed):
    """Leaves the time of the last change out of an object."""

    def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation; return a part of the result."""
        found: Any = super().take(steps)
        if isinstance(found, dict):
            found.pop("updatedAt", None)
        return found  # type: ignore[no-any-return]  # it is what was found


@_faulty(OPERATIONS)
class DeletesWithoutABody(Changed):
    """Sends a DELETE without its body."""

    def request(self, request: Request) -> Request:
        """Return a request without a body, if it deletes."""
        return replace(request, body=None) if request.method == "DELETE" else request
