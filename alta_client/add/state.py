"""The progress of a file, kept beside it, so that an interrupted run continues where the outcome is certain.

Law: before a batch is sent it is recorded as unknown; only a response changes that.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from alta_client._errors import InvalidInput
from alta_client._records import encode

MOST_TAKEN = 1000
"""Maximum number of records that are handled at a time: those of a batch, and those between them that are left out."""


class CannotContinue(InvalidInput):
    """Nothing more may be sent: the state cannot be written, or the file has changed since it was checked."""


@dataclass(frozen=True, slots=True)
class State:
    """The progress of a file: the first `done` prospects are added or skipped, the next `unknown` had no response.

    `digest` is the SHA-256 of all of these, which recognises the file even if it has grown.
    """

    base_url: str
    campaign: str
    done: int = 0
    skipped: int = 0
    unknown: int = 0
    digest: str = hashlib.sha256().hexdigest()


class Ledger:
    """The state during a run, written to a file before anything else is done; `unknown` is usually empty.

    Consumes those of the records that the state is about; raises InvalidInput if they are others.
    """

    def __init__(self, file: Path, state: State, records: Iterator[Mapping[str, object]]) -> None:
        self.file, self.state = file, state
        self._handled = _digest(islice(records, state.done), hashlib.sha256())
        self.unknown = list(islice(records, state.unknown))
        if _digest(self.unknown, self._handled).hexdigest() != state.digest:
            raise InvalidInput(f"{file} belongs to other prospects, or these were changed; move it to start over")

    def in_flight(self, taken: Sequence[Mapping[str, object]]) -> None:
        """Record that a batch is being sent, with the records that are left out between its own."""
        self._write(_digest(taken, self._handled), unknown=len(taken))

    def handled(self, taken: Sequence[Mapping[str, object]], *, skipped: int) -> None:
        """Record that all of these are added, except those that are skipped."""
        self._handled = _digest(taken, self._handled)
        done, left_out = self.state.done + len(taken), self.state.skipped + skipped
        self._write(self._handled, done=done, skipped=left_out, unknown=0)

    def nothing_in_flight(self) -> None:
        """Record that the batch that was sent is not in the campaign."""
        self._write(self._handled, unknown=0)

    def _write(self, digest: hashlib._Hash, **changes: Any) -> None:
        self.state = replace(self.state, digest=digest.hexdigest(), **changes)
        new = self.file.with_name(self.file.name + ".new")
        try:
            with new.open("w", encoding="utf-8") as text:
                json.dump(asdict(self.state), text, indent=1)
                text.flush()
                os.fsync(text.fileno())
            new.replace(self.file)
        except OSError as error:
            raise CannotContinue(f"cannot write {self.file}: {error.strerror}; make its folder writable") from error


def read_state(file: Path) -> State | None:
    """Read a state; None if there is no such file; raise InvalidInput if it cannot be read or is no state."""
    try:
        value: Any = json.loads(file.read_text(encoding="utf-8"))
        state = State(**value)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}; make it readable") from error
    except (ValueError, TypeError, RecursionError):
        state = None
    types = {name: type(default) for name, default in asdict(State("", "")).items()}
    if state is None or {name: type(member) for name, member in asdict(state).items()} != types:
        raise InvalidInput(f"{file} is not a state of alta-add; move it away to start over")
    if not (0 <= state.skipped <= state.done < 10**15 and 0 <= state.unknown <= MOST_TAKEN):
        raise InvalidInput(f"{file} contains impossible counts; move it away to start over")
    return state


def _digest(records: Iterable[Mapping[str, object]], before: hashlib._Hash) -> hashlib._Hash:
    digest = before.copy()
    for record in records:
        digest.update(encode(record) + b"\n")
    return digest
