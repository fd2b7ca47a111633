"""Rules about a finished run: what the consumer reported, against what it sent and was to send."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mock_server.journal.entries import Entry
from mock_server.journal.rule import PRACTICE, REFERENCE, Breach, Run, rule
from mock_server.journal.rules_limits import MOST_REFUSALS
from mock_server.journal.traffic import TOO_MANY, Fate, fate_of, is_lost, key_of, records_of

PERHAPS_ADDED = {Fate.ADDED, Fate.EITHER}


@rule("a program that hangs holds up everything that waits for it", PRACTICE, of="run")
def ends_by_itself(run: Run) -> list[Breach] | None:
    """A consumer ends by itself, and does not send requests without end."""
    if run.ended or (run.entries and all(entry.status == TOO_MANY for entry in run.entries[-MOST_REFUSALS:])):
        return [] if run.entries else None  # refused without end, which another rule judges
    text = f"did not end after {len(run.entries)} requests, and was stopped; give up, and say so"
    return [Breach(text, tuple(entry.number for entry in run.entries[-1:]))]


@rule("no idempotency key is documented, so a batch that is sent again may be added twice", PRACTICE, of="run")
def sends_nothing_twice(run: Run) -> list[Breach] | None:
    """What was added, or may have been since its response was lost, is not sent again."""
    sent: list[tuple[Entry, list[str]]] = []
    wanted = Counter(map(key_of, run.expected or ()))
    for entry in _adding(run):
        keys = [key_of(record) for record in records_of(entry)]
        here = [pair for pair in sent if pair[0].unredacted.path.lower() == entry.unredacted.path.lower()]
        for before, known in here:
            shared = set(known) & set(keys)
            if run.expected is None:
                again = shared and 2 * len(shared) >= min(len(keys), len(known))  # the input may have a few twice
            else:
                again = any(sum(old.count(key) for _, old in here) >= max(wanted[key], 1) for key in shared)
            if again:
                lost = "its response was lost, so look before you send it again"
                how = lost if fate_of(before) is Fate.UNKNOWN else "it had been added"
                text = f"sent records of request {before.number} again; {how}"
                return [Breach(text, (before.number, entry.number))]
        if fate_of(entry) in PERHAPS_ADDED or is_lost(entry):
            sent.append((entry, keys))
    return [] if sent else None


@rule("what is added is what the user meant to add", PRACTICE, of="run")
def records_untouched(run: Run) -> list[Breach] | None:
    """Records are sent whole and unchanged, in order, none left out, and no other."""
    adding = _adding(run)
    if run.expected is None or not adding:
        return None
    expected = [key_of(record) for record in run.expected]
    paths = dict.fromkeys(one.unredacted.path.lower() for one in adding)
    return next(filter(None, (_out_of_place(run, expected, path) for path in paths)), [])


def _out_of_place(run: Run, expected: list[str], path: str) -> list[Breach]:
    """Find what a run has sent to one path that is not as expected."""
    tried: set[str] = set()  # sent, and not added: those may be left out, or come later
    position = 0
    for entry in (one for one in _adding(run) if one.unredacted.path.lower() == path):
        keys = [key_of(record) for record in records_of(entry)]
        if any(key not in expected for key in keys):
            return [Breach("sent a record that was not to be sent, or changed one", (entry.number,))]
        if fate_of(entry) not in PERHAPS_ADDED:
            tried |= set(keys)
            continue
        for key in keys:
            at = expected.index(key, position) if key in expected[position:] else -1
            left_out = [one for one in expected[position:at] if one not in tried]
            if at >= 0 and not left_out:
                position = at + 1
            elif key not in tried:
                text = f"left {len(left_out)} records out" if at >= 0 else "sent one twice"
                return [Breach(f"{text}, or sent records out of order", (entry.number,))]
    if _undisturbed(run) and run.succeeded is not False and run.ended and position < len(expected):
        return [Breach(f"left the last {len(expected) - position} records out", (run.entries[-1].number,))]
    return []


@rule(REFERENCE, of="run")
def takes_any_success(run: Run) -> list[Breach] | None:
    """A 200 is a success whatever its body, of which nothing is documented: the consumer goes on, and ends well."""
    adding = _adding(run)
    known = run.expected is not None or run.usual is not None  # else it may have failed for reasons of its own
    if run.succeeded is None or not known or not adding or not _undisturbed(run) or run.entries[-1].status == TOO_MANY:
        return None
    if run.succeeded or run.entries[-1].method == "GET":
        return []
    how = run.ending or "reported failure"
    text = f"{how} right after a success; do not read what the body of a 200 does not promise"
    return [Breach(text, (adding[-1].number,))]


@rule("Retry-After may be a date (RFC 9110), and a proxy may leave it out or send HTML", PRACTICE, of="run")
def survives_any_429(run: Run) -> list[Breach] | None:
    """Who gets over a 429 with seconds does not end at one with a date, with HTML, without Retry-After or of a list."""
    refused = [entry for entry in run.entries if entry.status == TOO_MANY]
    if not run.patient or len(refused) != 1 or not _undisturbed(run) or run.succeeded is None:
        return None
    if run.succeeded or refused[0] is not run.entries[-1]:
        return []
    wait = refused[0].outcome.reply.header("Retry-After")
    how = f"with the Retry-After {wait!r}" if wait else "without Retry-After"
    text = f"ended at a 429 {how}; read seconds and dates, and pause without either"
    return [Breach(text, (refused[0].number,))]


@rule("who started it must learn what is missing", PRACTICE, of="run")
def reports_the_truth(run: Run) -> list[Breach] | None:
    """Whatever is refused, lost or left out is reported as a failure."""
    adding = _adding(run)
    if run.succeeded is None or not (adding or run.expected):
        return None
    if not run.succeeded:
        return []
    added = [key_of(record) for entry in adding if fate_of(entry) in PERHAPS_ADDED for record in records_of(entry)]
    for entry in adding:
        missing = not records_of(entry) or any(key_of(record) not in added for record in records_of(entry))
        if missing and fate_of(entry) in {Fate.REFUSED, Fate.UNKNOWN}:
            what = "lost a response" if is_lost(entry) else f"got a {entry.status}"
            return [Breach(f"{what}, and reported success (exit code 0); report failure", (entry.number,))]
    short = run.expected is not None and not set(added).issuperset(map(key_of, run.expected))
    if short or (run.expected is None and len(added) < (run.usual or 0)):
        return [Breach("left records out, and reported success", tuple(entry.number for entry in adding[-1:]))]
    return []


def _adding(run: Run) -> Sequence[Entry]:
    return [entry for entry in run.entries if entry.adds_prospects and entry.batch]


def _undisturbed(run: Run) -> bool:
    return all(fate_of(entry) is Fate.ADDED or entry.status == TOO_MANY for entry in run.entries)
