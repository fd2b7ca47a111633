"""One run of `alta-add`: checks a file, adds what is not added yet, and prints the result."""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from filelock import FileLock, Timeout

from alta_client import _errors as errors
from alta_client._batches import MOST_PROSPECTS, Progress
from alta_client._client import AltaClient
from alta_client._errors import InvalidInput
from alta_client.add.opt_outs import OptOuts
from alta_client.add.output import FAILED, INTERRUPTED, USAGE, fail, result, say, show
from alta_client.add.state import MOST_TAKEN, CannotContinue, Ledger, State, read_state
from alta_client.add.table import Table
from alta_client.add.verify import verify
from alta_terminal import StatusLine

MOST_LINES = 20
"""Maximum number of bad rows that are listed."""

REMEDIES: dict[type[errors.AltaError], str] = {
    errors.NotSent: "check --base-url, and whether the server is running",
    errors.Unauthorized: "check ALTA_API_TOKEN, and --account-id if the user has several accounts",
    errors.Forbidden: "the user of the token may not change this campaign",
    errors.NotFound: "check --campaign, and that it belongs to the account of the token",
    errors.RateLimited: "run the same command again later to continue",
}
UNUSABLE = (errors.NotSent, errors.Unauthorized, errors.Forbidden, errors.NotFound)
"""Errors that any batch would have."""

CONTINUE = "run the same command again to continue"
LOOK = "look in Alta, then run again with --resend or --skip"


@dataclass(frozen=True, slots=True)
class Choices:
    """The options of a run.

    Attributes:
        resend: Whether to send a batch of unknown outcome again.
        skip: Whether to continue behind such a batch.
        skip_opted_out: Whether to leave out who is opted out.
        verify: Whether to read back who was added.
        settle: Seconds to wait before that.
    """

    resend: bool = False
    skip: bool = False
    skip_opted_out: bool = False
    verify: bool = False
    settle: float = 0.0


def check(table: Table, name: Path) -> int:
    """Check a file without sending anything, and return the exit code."""
    total = survey(table)
    batches, minutes = -(-total // MOST_PROSPECTS), _minutes(total)
    duration = f"about {minutes:,} min at 10 batches a minute" if minutes else "at once"
    result(f"{name}: {total:,} prospects, {batches:,} batches, {duration}; nothing was sent", 0)
    return 0


def _minutes(prospects: int) -> int:
    """Return how long prospects take at 10 batches a minute, of which the first ten do not wait."""
    return max(0, -(-prospects // (10 * MOST_PROSPECTS)) - 1)


def survey(table: Table) -> int:
    """Return the number of rows; raise InvalidInput if any are bad, which are listed, or if there are none."""
    total = bad = 0
    with StatusLine() as progress:
        for total, row in enumerate(table.rows(), 1):
            if row.problems:
                bad += 1
                if bad <= MOST_LINES:
                    progress.clear()
                    show("", f"{table.file}:{row.line}: {'; '.join(row.problems)}")
            if total % 1000 == 0:
                progress.show(f"checked {total:,} rows")
    if bad:
        more = f", {bad - MOST_LINES:,} of them not shown" if bad > MOST_LINES else ""
        raise InvalidInput(f"{bad:,} of {total:,} rows of {table.file} are bad{more}; nothing was sent")
    if table.unused:
        raise InvalidInput(f"{table.file}: no line has the key {min(table.unused)!r} of --map; correct the option")
    if not total:
        raise InvalidInput(f"{table.file} has no prospects; write one on each line after the first")
    return total


def campaign_called(client: AltaClient, name: str) -> str:
    """Return the id of the campaign that has a name; raise InvalidInput unless there is exactly one."""
    found = [one["id"] for one in client.list_campaigns() if one["name"] == name]
    if not found:
        raise InvalidInput(f"no campaign is called {name!r}; check --campaign-name, or give --campaign")
    if len(found) > 1:
        raise InvalidInput(f"{len(found)} campaigns are called {name!r}; give --campaign, one of {', '.join(found)}")
    return found[0]


def add(client: AltaClient, waits: Waits, campaign: str, table: Table, choices: Choices) -> int:
    """Add what is not added yet, keeping the state in a file beside it, and return the exit code.

    Raises:
        InvalidInput: Rows are bad, the state belongs to another file, or a batch of unknown outcome needs an option.
    """
    kept, locked = (table.file.with_name(f"{table.file.name}.alta-add.{suffix}") for suffix in ("json", "lock"))
    lock = FileLock(locked)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InvalidInput(f"another alta-add is adding {table.file}; wait until it ends") from None
    except OSError as error:
        raise InvalidInput(f"cannot write beside {table.file}: {error.strerror}; copy it to another folder") from error
    try:
        return _Run(client, waits, campaign, table, kept).go(choices)
    finally:
        lock.release()


class Waits:
    """The waits of a client, second by second; `report` is called with the seconds that are left."""

    def __init__(self, sleep: Callable[[float], object] = time.sleep) -> None:
        self._sleep = sleep
        self.report: Callable[[float], object] = lambda _: None

    def sleep(self, seconds: float) -> None:
        """Wait, no shorter than given."""
        while seconds > 0:
            self.report(seconds)
            self._sleep(min(seconds, 1.0))
            seconds -= 1.0


def _version(file: Path) -> tuple[int, ...]:
    """Return values that differ if a file has changed."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


class _Run:
    """One run of the command: a file, its ledger, and the output about them."""

    def __init__(self, client: AltaClient, waits: Waits, campaign: str, table: Table, kept: Path) -> None:
        self._client, self._waits, self._campaign, self._table = client, waits, campaign, table
        self._checked = _version(table.file)
        self._total = survey(table)
        self._lines: deque[int] = deque(maxlen=MOST_TAKEN)
        self._taken: Sequence[Mapping[str, object]] = ()
        self._opt_outs = OptOuts()
        found = read_state(kept)
        state = found if found and found.done + found.unknown else State(client.base_url, campaign.lower())
        if (state.base_url, state.campaign) != (client.base_url, campaign.lower()):
            target = f"campaign {state.campaign} at {state.base_url}"
            raise InvalidInput(f"{kept} belongs to {target}; move it to add {table.file} here as well")
        self._records = self._read()
        self._ledger = Ledger(kept, state, self._records)
        self._in_flight = self._interrupted = False

    def _read(self) -> Iterator[Mapping[str, object]]:
        """Yield the records, keeping the lines of the last ones."""
        for row in self._table.rows():
            self._lines.append(row.line)
            yield row.record

    @property
    def _done(self) -> int:
        return self._ledger.state.done

    def go(self, choices: Choices) -> int:
        """Send what is left, read it back if asked to, and return the exit code."""
        if choices.skip_opted_out:
            self._opt_outs = OptOuts.of(self._client)
        code, text = self._added(choices)
        if choices.verify and code == 0:
            missing, found = self._read_back(choices.settle, text)
            code, text = (FAILED if missing else 0), f"{text}; {found}"
        result(text, code)
        return code

    def _read_back(self, settle: float, done: str) -> tuple[int, str]:
        """Return how many are missing in the campaign, and what to say about it; an error ends the run."""
        self._waits.report = lambda _: None
        if settle:
            say(f"waiting {settle:.0f} s before reading back")
            self._waits.sleep(settle)
        try:
            return verify(self._client, self._campaign, self._table, self._opt_outs)
        except errors.AltaError as error:
            fail(f"{error}; {done}, but not read back; run again with --verify", FAILED)

    def _added(self, choices: Choices) -> tuple[int, str]:
        """Send what is left, and return the exit code and the summary; an error ends the run."""
        before = self._done
        records = self._left(resend=choices.resend, skip=choices.skip)
        if self._done == self._total:
            return 0, f"{self._summary()}; there is nothing left to do"
        if before:
            say(f"continuing after {before:,} of {self._total:,}")
        try:
            self._send(records)
        except KeyboardInterrupt:
            unknown = self._ledger.state.unknown
            remedy = f"{self._where(unknown)} may or may not have been added: {LOOK}" if unknown else CONTINUE
            fail(f"interrupted; {self._summary()}; {remedy}", INTERRUPTED)
        except CannotContinue as error:
            fail(f"{error}; {self._summary()}", FAILED if self._done > before else USAGE)
        except (errors.Refused, errors.NotSent) as error:
            self._ledger.nothing_in_flight()
            code = USAGE if isinstance(error, UNUSABLE) and self._done == before else FAILED
            remedy = REMEDIES.get(type(error), "correct them and run the same command again")
            fail(f"{error}, for {self._where(len(self._taken))}; {self._summary()}; {remedy}", code)
        except errors.OutcomeUnknown as error:
            self._show(self._taken)
            where = f"{self._where(len(self._taken))} may or may not have been added"
            fail(f"{error.args[0]}: {where}; {self._summary()}; {LOOK}", FAILED)
        return (0 if self._done == self._total else FAILED), self._summary()

    def _left(self, *, resend: bool, skip: bool) -> Iterator[Mapping[str, object]]:
        """Return the records to send, depending on the option for a batch of unknown outcome."""
        unknown = self._ledger.unknown
        if not unknown and (resend or skip):
            raise InvalidInput(f"there is no batch of unknown outcome; leave out {'--resend' if resend else '--skip'}")
        if unknown and skip:
            self._ledger.handled(unknown, skipped=len(unknown))
        elif unknown and not resend:
            self._show(unknown)
            raise InvalidInput(f"{self._where(len(unknown))} were sent without a response and may be added: {LOOK}")
        return chain(unknown, self._records) if resend else self._records

    def _send(self, records: Iterator[Mapping[str, object]]) -> None:
        """Send records, showing the progress on a terminal; Ctrl-C waits for the response to a batch in flight."""
        handler = signal.signal(signal.SIGINT, self._interrupt)
        try:
            with StatusLine() as line:
                self._waits.report = lambda left: line.show(f"{self._progress()}; {_waiting(left)}", now=True)
                line.show(self._progress())
                for taken in self._portions(records):
                    self._taken = taken
                    wanted = [record for record in taken if record not in self._opt_outs]
                    if wanted:
                        self._client.add_prospects(
                            self._campaign, wanted, on_progress=lambda step: self._follow(step, line)
                        )
                    else:
                        self._ledger.handled(self._taken, skipped=len(self._taken))
        finally:
            signal.signal(signal.SIGINT, handler)

    def _portions(self, records: Iterator[Mapping[str, object]]) -> Iterator[Sequence[Mapping[str, object]]]:
        """Yield a batch at a time, with the records that are left out between its own."""
        taken: list[Mapping[str, object]] = []
        wanted = 0
        for record in records:
            taken.append(record)
            wanted += record not in self._opt_outs
            if wanted == MOST_PROSPECTS or len(taken) == MOST_TAKEN:
                yield taken
                taken, wanted = [], 0
        if taken:
            yield taken

    def _interrupt(self, _number: int, _frame: object) -> None:
        if not self._in_flight or self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def _follow(self, step: Progress, line: StatusLine) -> None:
        self._in_flight = step.event == "sending"  # first: from here on, Ctrl-C waits for the response
        if self._in_flight and _version(self._table.file) != self._checked:
            raise CannotContinue(f"{self._table.file} has changed; {CONTINUE}")
        if step.event == "sending":
            self._ledger.in_flight(self._taken)
        elif step.event == "waiting":
            self._ledger.nothing_in_flight()
        else:
            self._ledger.handled(self._taken, skipped=len(self._taken) - len(step.batch))
        if self._interrupted and not self._in_flight and self._done < self._total:
            raise KeyboardInterrupt
        if step.event == "added":
            line.show(self._progress())
        elif step.event == "waiting" and not line.visible:
            say(_waiting(step.wait))

    def _progress(self) -> str:
        """Return how many are added, and how long the rest will take."""
        minutes = _minutes(self._total - self._done)
        return f"{self._done:,} of {self._total:,} added{f', about {minutes:,} min left' if minutes else ''}"

    def _where(self, count: int) -> str:
        """Return the lines of the last records."""
        last = list(self._lines)[-count:]
        return f"lines {last[0]} to {last[-1]}" if count > 1 else f"line {last[0]}"

    def _show(self, batch: Sequence[Mapping[str, object]]) -> None:
        """List the last records, line by line."""
        for line, record in zip(list(self._lines)[-len(batch) :], batch, strict=True):
            if record in self._opt_outs:
                continue
            show("", f"  {self._table.file}:{line}: {' '.join(map(str, record.values()))[:100]}")

    def _summary(self) -> str:
        skipped = self._ledger.state.skipped
        return f"{self._done - skipped:,} of {self._total:,} prospects added{f', {skipped:,} skipped' * bool(skipped)}"


def _waiting(seconds: float) -> str:
    return f"waiting {seconds:.0f} s for the quota"
