"""Rules about reading a whole list: to its end, past errors, whatever its objects are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mock_server.journal.entries import Body, Entry
from mock_server.journal.rule import ERRORS, PAGES, REFERENCE, Breach, Run, rule
from mock_server.journal.rules_reading import page_of, parameters_of, query_of
from mock_server.journal.traffic import carried_out

NO_CURSORS = {"", "null", "none", "undefined", "nan"}
"""What becomes of a `next` that is not there."""


@dataclass(slots=True)
class ReadList:
    """What was read of a list.

    Attributes:
        first: The first request.
        limit: The size of a page that it asks for.
        ids: The ids of the objects.
        before: How many objects there were before the last page that was read.
        last: The size of the page that is the last one; None if it was not read.
        numbers: The requests.
    """

    first: Entry
    limit: int
    ids: set[str] = field(default_factory=set)
    before: int = 0
    last: int | None = None
    numbers: list[int] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether a page was read that is the last one."""
        return self.last is not None


def lists_of(entries: Iterable[Entry]) -> dict[str, ReadList]:
    """Return what was read of each list, by operation and filters; a cursor alone continues its list."""
    found: dict[str, ReadList] = {}
    of_cursor: dict[str, str] = {}
    for entry in entries:
        if "cursor" not in parameters_of(entry) or not carried_out(entry) or entry.outcome.reply.fault:
            continue
        query, page = query_of(entry), page_of(entry)
        filters = sorted(f"{name}={value}" for name, value in query.items() if name not in {"limit", "cursor"})
        cursor = query.get("cursor", "")
        name = of_cursor.get(cursor) or f"{entry.operation}?{'&'.join(filters)}"
        limit = int(query.get("limit") or parameters_of(entry)["limit"].default or 1)
        read = found.setdefault(name, ReadList(entry, limit))
        read.before = len(read.ids)
        read.ids.update(str(one.get("id")) for one in objects_of(entry))
        read.last = page.size if page.next is None else read.last
        read.numbers.append(entry.number)
        of_cursor.update(dict.fromkeys(page.cursors, name))
    return found


def objects_of(entry: Entry) -> Sequence[Mapping[str, object]]:
    """Return the objects of a page."""
    value = Body.of(entry.outcome.reply.body).value
    data = value.get("data") if isinstance(value, dict) else None
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


@rule(PAGES, of="run")
def reads_to_the_end(run: Run) -> list[Breach] | None:
    """A list is read until hasMore is false and no further, however many objects a page has."""
    reads = [entry for entry in run.entries if entry.method == "GET" and "cursor" in parameters_of(entry)]
    if not reads or run.succeeded is None:
        return None
    for entry in reads:
        if query_of(entry).get("cursor", "-").strip().lower() in NO_CURSORS:
            return [Breach("went on after the last page; end where hasMore is false", (entry.number,))]
    for name, read in lists_of(run.entries).items():
        wanted = run.wanted.get(name)
        if run.succeeded and wanted and not read.whole and len(read.ids) <= wanted:
            text = f"stopped after {len(read.ids)} objects although hasMore was true, and reported success"
            return [Breach(f"{text}; only hasMore says whether there is more", tuple(read.numbers[-1:]))]
    return []


@rule(ERRORS, of="run")
def no_error_is_an_empty_list(run: Run) -> list[Breach] | None:
    """After an error a page is read again, or failure is reported: an error does not mean that there is no more."""
    failed = [
        (index, entry)
        for index, entry in enumerate(run.entries)
        if entry.method == "GET" and "cursor" in parameters_of(entry) and (entry.status >= 400 or entry.outcome.lost)  # noqa: PLR2004 - the errors of HTTP
    ]
    if not failed or run.succeeded is None:
        return None
    for index, entry in failed:
        cursor = query_of(entry).get("cursor")
        again = any(
            later.operation == entry.operation
            and carried_out(later)
            and query_of(later).get("cursor") in {cursor, None}
            for later in run.entries[index + 1 :]
        )
        if run.succeeded and not again:
            what = "a lost response" if entry.outcome.lost else f"a {entry.status}"
            text = f"took {what} for the end of a list, and reported success; read the page again, or report failure"
            return [Breach(text, (entry.number,))]
    return []


@rule(REFERENCE, of="run")
def takes_any_object(run: Run) -> list[Breach] | None:
    """Pages of any number of objects are read, with undeclared members, without optional ones, and with null."""
    if run.usual is None or run.succeeded is None or not any("cursor" in parameters_of(one) for one in run.entries):
        return None
    if not all(carried_out(entry) and not entry.outcome.reply.fault for entry in run.entries):
        return None
    if run.succeeded or run.entries[-1].method != "GET":
        return []
    text = f"{run.ending or 'reported failure'} after a page that the contract allows"
    return [Breach(f"{text}; require no optional member, and ignore unknown ones", (run.entries[-1].number,))]
