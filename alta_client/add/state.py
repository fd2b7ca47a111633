"""How far a file has been added, kept beside it, so that a run that was cut short goes on where it is certain.

Law: what is written before a batch is sent says that it may be in the campaign; only an answer changes that.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from itertools import islice
from typing import TYPE_CHECKING

from alta_client._client import MOST_PROSPECTS
from alta_client._errors import InvalidInput
from alta_client._records import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from alta_client._client import Progress


MOST_ROWS = 10**15
"""Rows of a file at most."""


class CannotKeepCount(InvalidInput):
    """The state cannot be written, so nothing more may be sent."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a file stands.

    Attributes:
        base_url: Where its prospects go.
        campaign: The campaign they go into.
        done: Prospects, from the first, that are dealt with: added, or skipped.
        skipped: How many of those nobody knows of.
        unknown: Prospects behind them that were sent, without an answer.
        digest: SHA-256 of all of these, so that another file is not taken for this one; it may have grown.
    """

    base_url: str
    campaign: str
    done: int = 0
    skipped: int = 0
    unknown: int = 0
    digest: str = hashlib.sha256().hexdigest()


class Ledger:
    """The state of a run as it goes on, always written before the next thing is done.

    Args:
        file: Where it is kept.
        state: Where it stands.
        records: All of the input; what is dealt with is taken off it.

    Attributes:
        unknown: The batch of which nobody knows whether it was added, taken off the records too; mostly empty.

    Raises:
        InvalidInput: The records are not those of the state.
    """

    def __init__(self, file: Path, state: State, records: Iterator[Mapping[str, object]]) -> None:
        self.file = file
        self.state = state
        self._handled = _digest(islice(records, state.done))
        self.unknown = list(islice(records, state.unknown))
        if self._after(self.unknown).hexdigest() != state.digest:
            raise InvalidInput(f"{file} is of other prospects than these, or these were changed; move it to begin anew")

    def follow(self, progress: Progress) -> None:
        """Write down what is about to be done, or was."""
        if progress.event == "sending":
            self._write(self._after(progress.batch), unknown=len(progress.batch))
        elif progress.event == "waiting":
            self.nothing_under_way()
        else:
            self.handled(progress.batch)

    def handled(self, batch: Sequence[Mapping[str, object]], *, skipped: bool = False) -> None:
        """Write down that a batch is dealt with."""
        self._handled = self._after(batch)
        count = len(batch)
        self._write(
            self._handled, done=self.state.done + count, skipped=self.state.skipped + count * skipped, unknown=0
        )

    def nothing_under_way(self) -> None:
        """Write down that the batch that was sent is not in the campaign."""
        self._write(self._handled, unknown=0)

    def _after(self, batch: Iterable[Mapping[str, object]]) -> hashlib._Hash:
        return _digest(batch, self._handled.copy())

    def _write(self, digest: hashlib._Hash, **changes: int) -> None:
        self.state = State(**{**asdict(self.state), **changes, "digest": digest.hexdigest()})
        beside = self.file.with_name(self.file.name + ".new")
        try:
            with beside.open("w", encoding="utf-8") as text:
                json.dump(asdict(self.state), text, indent=1)
                text.flush()
                os.fsync(text.fileno())
            beside.replace(self.file)
        except OSError as error:
            raise CannotKeepCount(
                f"cannot write {self.file}: {error.strerror}; it must be kept beside the input"
            ) from error


def read_state(file: Path) -> State | None:
    """Return what a file says, None if there is none.

    Raises:
        InvalidInput: It cannot be read, or is no state.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}") from error
    except (ValueError, RecursionError):
        value = None
    known = asdict(State("", ""))
    if not isinstance(value, dict) or {name: type(one) for name, one in value.items()} != {
        name: type(one) for name, one in known.items()
    }:
        raise InvalidInput(f"{file} is no state of alta-add; move it away to begin anew")
    state = State(**value)
    if not (0 <= state.skipped <= state.done < MOST_ROWS and 0 <= state.unknown <= MOST_PROSPECTS):
        raise InvalidInput(f"{file} counts what cannot be; move it away to begin anew")
    return state


def _digest(records: Iterable[Mapping[str, object]], begun: hashlib._Hash | None = None) -> hashlib._Hash:
    digest = begun or hashlib.sha256()
    for record in records:
        digest.update(encode(record) + b"\n")
    return digest
