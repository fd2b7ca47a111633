"""One run of `alta-add`: a file is checked, what is not added yet is added, and what came of it is told."""

from __future__ import annotations

import signal
import time
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, NoReturn

from filelock import FileLock, Timeout

import alta_terminal as terminal
from alta_client._client import MOST_PROSPECTS
from alta_client._errors import (
    AltaError,
    Forbidden,
    InvalidInput,
    NotFound,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unauthorized,
)
from alta_client.add.output import FAILED, INTERRUPTED, USAGE, fail, result, say, show
from alta_client.add.state import CannotKeepCount, Ledger, State, read_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from alta_client._client import AltaClient, Progress
    from alta_client.add.table import Table

MOST_LINES = 20
"""Bad rows that are shown."""

UNUSABLE = (NotSent, Unauthorized, Forbidden, NotFound)
"""What no batch can succeed with."""

REMEDIES: dict[type[AltaError], str] = {
    NotSent: "check --base-url, and whether the server is running",
    Unauthorized: "check ALTA_API_TOKEN, and --account-id if the user has several accounts",
    Forbidden: "the user of the token may not change this campaign",
    NotFound: "check --campaign, and that it belongs to the account of the token",
    RateLimited: "run the same command again later, to go on",
}


def check(table: Table, named: Path) -> int:
    """Check a file, send nothing, and return the exit code.

    Raises:
        InvalidInput: Rows are bad, which are listed on standard error, or there are none.
    """
    total = survey(table)
    batches, minutes = -(-total // MOST_PROSPECTS), _minutes(total)
    how_long = f"about {minutes:,} min at 10 batches a minute" if minutes else "at once"
    result(f"{named}: {total:,} prospects, {batches:,} batches, {how_long}; nothing was sent", 0)
    return 0


def _minutes(prospects: int) -> int:
    """Return how long prospects take at 10 batches a minute, of which the first is free."""
    return max(0, -(-prospects // (10 * MOST_PROSPECTS)) - 1)


def _waiting(seconds: float) -> str:
    return f"waiting {seconds:.0f} s for the quota"


def survey(table: Table) -> int:
    """Check every row, and return how many there are.

    Raises:
        InvalidInput: Rows are bad, which are listed on standard error, or there are none.
    """
    total = bad = 0
    with terminal.StatusLine() as progress:
        for total, row in enumerate(table.rows(), 1):
            if row.problems:
                bad += 1
                if bad <= MOST_LINES:
                    progress.clear()
                    show(f"{table.file}:{row.line}: {'; '.join(row.problems)}")
            if total % 1000 == 0:
                progress.show(f"checked {total:,} rows")
    if bad:
        more = f", {bad - MOST_LINES:,} of them not shown" if bad > MOST_LINES else ""
        raise InvalidInput(f"{bad:,} of {total:,} rows of {table.file} are bad{more}; nothing was sent")
    if table.unused():
        raise InvalidInput(f"{table.file}: there is no key {table.unused()[0]!r}, which --map names")
    if not total:
        raise InvalidInput(f"{table.file} has no prospects; wanted a line for each behind the first")
    return total


def add(  # noqa: PLR0913 - two say how, the others what
    client: AltaClient, waits: Waits, campaign: str, table: Table, *, resend: bool, skip: bool
) -> int:
    """Add what is not added yet, keep count in a file beside it, and return the exit code.

    Raises:
        InvalidInput: Rows are bad, the count is of another file, or it must be said what becomes of a batch.
    """
    kept = table.file.with_name(table.file.name + ".alta-add.json")
    lock = FileLock(table.file.with_name(table.file.name + ".alta-add.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidInput(f"another alta-add is adding {table.file}; wait for it to end") from None
    except OSError as error:
        raise InvalidInput(f"cannot write beside {table.file}: {error.strerror}; copy it to another folder") from error
    try:
        return _Run(client, waits, campaign, table, kept).go(resend=resend, skip=skip)
    finally:
        lock.release()


class Waits:
    """How a client waits, so that each second can be told.

    Args:
        sleep: Waits a number of seconds.

    Attributes:
        tell: Hears of the seconds that are left.
    """

    def __init__(self, sleep: Callable[[float], object] = time.sleep) -> None:
        self._sleep = sleep
        self.tell: Callable[[float], object] = lambda _: None

    def sleep(self, seconds: float) -> None:
        """Wait, no shorter than asked."""
        while seconds > 0:
            self.tell(seconds)
            self._sleep(min(seconds, 1.0))
            seconds -= 1.0


class _Changed(InvalidInput):
    """The file is another one than was checked."""


def _version(file: Path) -> tuple[int, ...]:
    """Return what changes when a file does."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


class _Run:
    """One run of the command: a file, its ledger, and what is shown of them."""

    def __init__(self, client: AltaClient, waits: Waits, campaign: str, table: Table, kept: Path) -> None:
        self._client, self._waits, self._campaign, self._table = client, waits, campaign, table
        self._seen = _version(table.file)
        self._total = survey(table)
        self._lines: deque[int] = deque(maxlen=MOST_PROSPECTS)
        begun = read_state(kept)
        state = begun if begun and begun.done + begun.unknown else State(client.base_url, campaign.lower())
        if (state.base_url, state.campaign) != (client.base_url, campaign.lower()):
            raise InvalidInput(
                f"{kept} is of campaign {state.campaign} at {state.base_url}; move it to add {table.file} here, too"
            )
        self._records = self._counted()
        self._ledger = Ledger(kept, state, self._records)
        self._under_way = self._told = False

    def _counted(self) -> Iterator[Mapping[str, object]]:
        """Yield the records, and remember in which lines the last ones are."""
        for row in self._table.rows():
            self._lines.append(row.line)
            yield row.record

    def _left(self, *, resend: bool, skip: bool) -> Iterator[Mapping[str, object]]:
        """Return the records that are to be sent, once it is said what becomes of a batch of unknown outcome."""
        unknown = self._ledger.unknown
        if not unknown and (resend or skip):
            flag = "--resend" if resend else "--skip"
            raise InvalidInput(f"there is no batch of unknown outcome; leave {flag} out")
        if unknown and skip:
            self._ledger.handled(unknown, skipped=True)
        elif unknown and not resend:
            self._show(unknown)
            raise InvalidInput(
                f"{self._where(len(unknown))} were sent without an answer, and may be in the campaign: look there, then"
                " run again with --resend or --skip"
            )
        return chain(unknown, self._records) if resend else self._records

    def go(self, *, resend: bool, skip: bool) -> int:
        """Send what is left, and return the exit code."""
        before = self._ledger.state.done
        records = self._left(resend=resend, skip=skip)
        if self._ledger.state.done == self._total:
            result(f"{self._summary()}; there is nothing left to do", 0)
            return 0
        if before:
            say(f"going on behind {before:,} of {self._total:,}")
        try:
            self._send(records)
        except KeyboardInterrupt:
            self._interrupted()
        except (CannotKeepCount, _Changed) as error:
            fail(f"{error}; {self._summary()}", FAILED if self._ledger.state.done > before else USAGE)
        except (Refused, NotSent) as error:
            self._ledger.nothing_under_way()
            remedy = REMEDIES.get(type(error), "correct them and run the same command again")
            useless = isinstance(error, UNUSABLE) and self._ledger.state.done == before
            code = USAGE if useless else FAILED
            fail(f"{error}, for {self._where(len(error.batch))}; {self._summary()}; {remedy}", code)
        except OutcomeUnknown as error:
            self._show(error.batch)
            fail(
                f"{error.args[0]}: {self._where(len(error.batch))} may be in the campaign, or not; {self._summary()};"
                " look in Alta, then run again with --resend or --skip",
                FAILED,
            )
        code = 0 if self._ledger.state.done == self._total else FAILED
        result(self._summary(), code)
        return code

    def _interrupted(self) -> NoReturn:
        """Say how to go on, which depends on whether a batch was under way."""
        if not self._ledger.state.unknown:
            fail(f"interrupted; {self._summary()}; run the same command again to go on", INTERRUPTED)
        where = self._where(self._ledger.state.unknown)
        fail(
            f"interrupted; {self._summary()}; {where} may be in the campaign, or not: look in Alta, then run again with"
            " --resend or --skip",
            INTERRUPTED,
        )

    def _send(self, records: Iterator[Mapping[str, object]]) -> None:
        """Send the records, and show how far they are on a terminal; Ctrl-C waits for the answer that is under way."""
        handler = signal.signal(signal.SIGINT, self._interrupt)
        try:
            with terminal.StatusLine() as progress:
                self._waits.tell = lambda left: progress.show(f"{self._so_far()}; {_waiting(left)}", now=True)
                progress.show(self._so_far())
                self._client.add_prospects(
                    self._campaign, records, on_progress=lambda event: self._follow(event, progress)
                )
        finally:
            signal.signal(signal.SIGINT, handler)

    def _follow(self, event: Progress, progress: terminal.StatusLine) -> None:
        self._under_way = event.event == "sending"  # first: from here on, Ctrl-C waits for the answer
        if self._under_way and _version(self._table.file) != self._seen:
            raise _Changed(f"{self._table.file} was changed meanwhile; run the same command again to go on")
        self._ledger.follow(event)
        if self._told and not self._under_way and self._ledger.state.done < self._total:
            raise KeyboardInterrupt
        if event.event == "added":
            progress.show(self._so_far())
        elif event.event == "waiting" and not progress.visible:
            say(_waiting(event.wait))

    def _so_far(self) -> str:
        """Tell how far it is, and how long the rest will take."""
        done = self._ledger.state.done
        minutes = _minutes(self._total - done)
        return f"{done:,} of {self._total:,} added{f', about {minutes:,} min left' if minutes else ''}"

    def _interrupt(self, _number: int, _frame: object) -> None:
        if not self._under_way or self._told:
            raise KeyboardInterrupt
        self._told = True

    def _last(self, count: int) -> list[int]:
        """Return the lines of the last records that were taken."""
        return list(self._lines)[-count:]

    def _where(self, count: int) -> str:
        """Name the lines of the last records."""
        last = self._last(count)
        return f"lines {last[0]} to {last[-1]}" if len(last) > 1 else f"line {last[0]}"

    def _show(self, batch: Sequence[Mapping[str, object]]) -> None:
        """Show the last records, line by line."""
        for line, record in zip(self._last(len(batch)), batch, strict=True):
            who = " ".join(str(value) for value in record.values())
            show(f"  {self._table.file}:{line}: {who[:100]}")

    def _summary(self) -> str:
        state = self._ledger.state
        skipped = f", {state.skipped:,} skipped" if state.skipped else ""
        return f"{state.done - state.skipped:,} of {self._total:,} prospects added{skipped}"
