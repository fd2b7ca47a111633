"""How one description of an operation becomes a method of both clients, typed for each."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import update_wrapper, wraps
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, overload

from alta_client._messages import Listing, Steps

P = ParamSpec("P")
T = TypeVar("T")


class Synchronous(Protocol):
    """A client that waits for each result."""

    def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation, and return its result."""

    def iterate(self, rest: Listing[T]) -> Iterator[T]:
        """Yield the objects of a list, reading each page when it is needed."""


class Asynchronous(Protocol):
    """A client of an event loop."""

    async def take(self, steps: Steps[T]) -> T:
        """Take the steps of a conversation, and return its result."""

    def iterate(self, rest: Listing[T]) -> AsyncIterator[T]:
        """Yield the objects of a list, reading each page when it is needed."""


class operation(Generic[P, T]):  # noqa: N801 - a decorator
    """A method that sends requests: returns its result, or a coroutine of it in an asynchronous client."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Steps[T]]) -> None:
        self._describe = describe
        update_wrapper(self, describe)  # type: ignore[arg-type]  # it is no function

    @overload
    def __get__(self, client: None, owner: object = None) -> Self: ...
    @overload
    def __get__(self, client: Synchronous, owner: object = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: object = None) -> Callable[P, Coroutine[Any, Any, T]]: ...
    def __get__(self, client: Any, owner: object = None) -> Any:
        """Bind the method to a client."""
        return self if client is None else _bound(self._describe, client, client.take)


class listing(Generic[P, T]):  # noqa: N801 - a decorator
    """A method that reads a list: returns an iterator of its objects, which reads each page when it is needed."""

    def __init__(self, describe: Callable[Concatenate[Any, P], Listing[T]]) -> None:
        self._describe = describe
        update_wrapper(self, describe)  # type: ignore[arg-type]  # it is no function

    @overload
    def __get__(self, client: None, owner: object = None) -> Self: ...
    @overload
    def __get__(self, client: Synchronous, owner: object = None) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: Asynchronous, owner: object = None) -> Callable[P, AsyncIterator[T]]: ...
    def __get__(self, client: Any, owner: object = None) -> Any:
        """Bind the method to a client."""
        return self if client is None else _bound(self._describe, client, client.iterate)


def _bound(describe: Callable[..., Any], client: object, carry_out: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the method of a client that describes, and carries out what is described."""
    bound = describe.__get__(client)
    return wraps(bound)(lambda *args, **named: carry_out(bound(*args, **named)))
