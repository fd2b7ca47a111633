"""Rules about reading lists: the size of pages, their cursors, and pages that are read again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from mock_server.contract.operation import Parameter
from mock_server.journal.entries import Body, Entry
from mock_server.journal.rule import PAGES, PRACTICE, Breach, Look, rule
from mock_server.journal.traffic import carried_out

MANY = 200
"""Objects of one list after which its pages should be larger than by default."""

BAD_CURSOR = {"cursor-unknown", "cursor-filters"}
"""Why a cursor is refused."""


class Page(NamedTuple):
    """What a response brought of a list: the number of objects, and the cursors of the pages around them."""

    size: int = 0
    next: str | None = None
    previous: str | None = None

    @property
    def cursors(self) -> list[str]:
        """The cursors that may be sent next."""
        return [cursor for cursor in (self.next, self.previous) if cursor]


class Walk(NamedTuple):
    """The small pages of a list so far: the number of the first request, how many there were, and their objects."""

    first: int
    requests: int = 0
    objects: int = 0


@rule("the limit counts requests, not objects", PRACTICE, "hint", of="traffic", finding=True)
def small_pages() -> Look:
    """Hundreds of objects are not read in pages of the default size."""
    walks: dict[tuple[str | None, str], Walk] = {}  # by the cursor that goes on with it

    def look(entry: Entry) -> list[Breach] | None:
        declared = parameters_of(entry)
        if "cursor" not in declared or "limit" not in declared:
            return None
        default, most = declared["limit"].default, declared["limit"].maximum
        page, cursor = page_of(entry), query_of(entry).get("cursor", "")
        if not page.size or default is None or page.size > default:
            return []
        before = walks.get((entry.account, cursor), Walk(entry.number))
        walk = Walk(before.first, before.requests + 1, before.objects + page.size)
        if page.next:
            walks[entry.account, page.next] = walk
        if not before.objects < MANY <= walk.objects:
            return []
        larger = f"limit={most}" if most else "a larger limit"
        text = f"read {walk.objects} objects in {walk.requests} requests, {default} in each; send {larger}"
        return [Breach(text, (walk.first, entry.number))]

    return look


@rule(PAGES, of="traffic", finding=True)
def cursors_as_given() -> Look:
    """A cursor is sent as a page gave it, to the same list, with the filters of the first page or none."""
    given: dict[str, int] = {}

    def look(entry: Entry) -> list[Breach] | None:
        cursor = query_of(entry).get("cursor")
        given.update(dict.fromkeys(page_of(entry).cursors, entry.number))
        if cursor is None or "cursor" not in parameters_of(entry):
            return None
        refused = BAD_CURSOR.intersection(violation.rule for violation in entry.violations)
        number = given.get(cursor)
        if number is None:
            text = "sent a cursor that no page gave; send next as it is, percent-encoded"
        elif "cursor-filters" in refused:
            text = (
                f"sent the cursor of request {number} with other filters; send it alone, or with those of that request"
            )
        else:
            text = f"sent the cursor of request {number} to another list or account; send it to its own"
        return [Breach(text, (*filter(None, [number]), entry.number))] if refused else []

    return look


@rule("what is read twice counts twice, and is processed twice", PRACTICE, "warning", of="traffic", finding=True)
def pages_read_once() -> Look:
    """No page is read again by the same cursor, unless a response was an error or lost; the last page may be."""
    unread: defaultdict[str | None, Counter[tuple[str | None, str]]] = defaultdict(Counter)
    read: defaultdict[str | None, dict[tuple[str | None, str], int]] = defaultdict(dict)

    def look(entry: Entry) -> list[Breach] | None:
        if not carried_out(entry) or entry.outcome.reply.fault:
            unread.pop(entry.account, None)  # whoever begins again does so rightly
            read.pop(entry.account, None)
            return None
        page, cursor = page_of(entry), query_of(entry).get("cursor")
        unread[entry.account].update((entry.operation, one) for one in page.cursors)
        if cursor is None or page.next is None:
            return None
        key = entry.operation, cursor
        if unread[entry.account][key]:
            unread[entry.account][key] -= 1
            read[entry.account][key] = entry.number
        elif number := read[entry.account].pop(key, None):
            text = f"read the page of request {number} again; go on with its next"
            return [Breach(text, (number, entry.number))]
        return []

    return look


def parameters_of(entry: Entry) -> Mapping[str, Parameter]:
    """Return the parameters of a query that the operation declares."""
    return {one.name: one for one in entry.contract.parameters.get("query", ())} if entry.contract else {}


def query_of(entry: Entry) -> Mapping[str, str]:
    """Return the parameters of a query."""
    return dict(parse_qsl(entry.unredacted.query, keep_blank_values=True, errors="replace"))


def page_of(entry: Entry) -> Page:
    """Return what a response brought of a list; nothing if it brought no page."""
    if entry.method != "GET" or not carried_out(entry) or entry.outcome.reply.fault:
        return Page()
    page = Body.of(entry.outcome.reply.body).value if "cursor" in parameters_of(entry) else None
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        return Page()
    return Page(len(page["data"]), page.get("next"), page.get("previous"))
