"""Records in batches, one after the other; an error says what is certain."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Literal, TypeAlias

from alta_client._errors import AltaError, InvalidInput, InvalidProspect
from alta_client._messages import Steps
from alta_client._records import encode, encode_all, problems

MOST_PROSPECTS = 20
"""Maximum number of prospects in a batch."""

MOST_OPT_OUTS = 500
"""Maximum number of identifiers in a batch."""

Records: TypeAlias = "Sequence[Mapping[str, object]]"


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of `add_prospects`: `sending` before a batch is sent; `added` afterwards; `waiting` before a wait.

    `added` prospects have certainly been added so far; the step is about `batch`. `wait` is in seconds, and no request
    is in flight meanwhile.
    """

    event: Literal["sending", "added", "waiting"]
    added: int
    batch: Sequence[Mapping[str, object]]
    wait: float = 0.0


def in_batches(
    records: Iterable[Mapping[str, object]],
    size: int,
    send: Callable[[Records, int], Steps[None]],
    done: Callable[[Records, int], object] = lambda *_: None,
) -> Steps[int]:
    """Send records batch by batch, and return their number; an error says what is certain.

    Args:
        records: Are taken when their batch is sent.
        size: Maximum number of records in a batch.
        send: Sends a batch, given the number of records that were sent before.
        done: Is called after each batch with the number of records that are sent.
    """
    added = 0
    for batch in batches(records, size):
        try:
            yield from send(batch, added)
        except AltaError as error:
            error.added, error.batch = added, batch
            raise
        added += len(batch)
        done(batch, added)
    if not added:
        raise InvalidInput("there is nothing to add; give at least one")
    return added


def batches(records: Iterable[Mapping[str, object]], size: int) -> Iterator[Records]:
    """Yield records in batches, each taken when it is needed."""
    source = iter(records)
    while batch := list(islice(source, size)):
        yield batch


def encoded(batch: Records, first: int, *, validate: bool) -> bytes:
    """Return a batch as a JSON array; raise InvalidProspect for the first record that is not valid."""
    if not (validate and any(map(problems, batch))):
        with contextlib.suppress(ValueError):
            return encode_all(batch)
    for index, record in enumerate(batch, first):
        if validate and (wrong := problems(record)):
            raise InvalidProspect(index, wrong)
        try:
            encode(record)
        except ValueError as error:
            raise InvalidProspect(index, [str(error)]) from error
    return encode_all(batch)
