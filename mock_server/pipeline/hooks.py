"""The one way to make a fake deviate: what mutants, scenarios and tests replace.

Every hook has a default that changes nothing:

```python
AltaMock(hooks=Hooks(spend=lambda *_: None))          # no limits
AltaMock(hooks=Hooks(around=lambda handle: logged(handle)))
```
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from mock_server.contract.contract import Contract
from mock_server.handlers.handler import Handler
from mock_server.messages.http import ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.ratelimit import Spend
from mock_server.store.base import Transaction

Handle = Callable[[ApiRequest, str], Outcome]
"""Answers a request that was received by a transport, which it is given by name."""

T = TypeVar("T")


def unchanged(value: T) -> T:
    """Return the value."""
    return value


def take_injected(transaction: Transaction, operation: str) -> Injected | None:
    """Take the next response or fault for an operation off the queue."""
    return transaction.take_injected(operation)


@dataclass(frozen=True, slots=True)
class Hooks:
    """What replaces a part of the pipeline.

    Attributes:
        contract: Returns the contract that requests are held against.
        handlers: Returns the handlers, by `operationId`.
        spend: Counts a request against its limits, within its transaction; by default in windows as assumed.
        inject: Returns what to inject into a request, for an operation, that the quota lets pass; None for nothing.
        around: Wraps the handling of every request, outside its transaction and its journal entry.
    """

    contract: Callable[[Contract], Contract] = unchanged
    handlers: Callable[[Mapping[str, Handler]], Mapping[str, Handler]] = unchanged
    spend: Spend | None = None
    inject: Callable[[Transaction, str], Injected | None] = take_injected
    around: Callable[[Handle], Handle] = unchanged
