"""Pages of a list: opaque cursors, and the objects between them.

https://docs.altahq.com/api-reference/pagination - a cursor alone continues with the filters of the first request.

Rule 1: a cursor is bound to its account, its list and its filters; it also keeps the number of objects of a page.
Rule 2: a page begins behind a position, so nothing is repeated or left out when objects are added between two pages.
Rule 3: the page that `previous` of a page leads to is the one whose `next` leads to that page.
"""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

from mock_server.contract.assumptions import Question
from mock_server.handlers.handler import Context, Result
from mock_server.messages.call import Call
from mock_server.messages.errors import BadRequest
from mock_server.messages.violations import Violation
from mock_server.store.base import Where

_SEAL = 6
"""Bytes in front of a cursor's content by which an altered cursor is recognised. They keep nothing secret."""

Keep = Callable[[Mapping[str, Any]], bool]
"""Whether an object is in a list."""


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a page begins: behind the object at a position, or, backwards, in front of it."""

    account: str
    kind: str
    filters: Mapping[str, str]
    limit: int
    position: int | None = None
    backwards: bool = False

    def encoded(self, position: int, context: Context, *, backwards: bool) -> str:
        """Return the text of a cursor of the same list at another position."""
        members = [self.account, self.kind, self.filters, self.limit, position, backwards]
        content = json.dumps(members, separators=(",", ":"), sort_keys=True).encode()
        return context.choices[FORM].text(content)


@dataclass(frozen=True, slots=True)
class _Form:
    """The text of a cursor: a prefix, and the base64 of its seal and its content, which is at least so many bytes."""

    prefix: str = ""
    least: int = 0

    def text(self, content: bytes) -> str:
        """Return the text of a cursor with a content, which ends in no white space."""
        padded = content.ljust(self.least)
        seal = blake2b(padded, digest_size=_SEAL, key=b"alta-mock").digest()
        return self.prefix + urlsafe_b64encode(seal + padded).decode().rstrip("=")


FORM = Question("cursor-form", {"short": _Form(), "long": _Form("page+/=&?%20", 1480)})
ORDER = Question("list-order", {"oldest-first": False, "newest-first": True})
PREVIOUS = Question("previous", {"present": True, "absent": False})
PAGE_SIZE: Question[Callable[[int], int]] = Question(
    "page-size", {"full": lambda limit: limit, "short": lambda limit: max(1, limit - 1)}
)
"""Objects of a page that is not the last, by the limit."""


def page(  # noqa: PLR0913 - the first say what, the others which
    call: Call,
    context: Context,
    kind: str,
    *,
    equal: Collection[str] = (),
    among: Callable[[Mapping[str, str], Context], Where] | None = None,
    keep: Callable[[Mapping[str, str], Context], Keep] | None = None,
) -> Result:
    """Return one page of the objects of a kind, in order of creation unless another order is assumed.

    Args:
        call: Its query has `limit`, maybe `cursor`, and filters.
        context: The context of the call.
        kind: The kind of the objects.
        equal: Filters that a member of the same name must equal; UUIDs do so in either case.
        among: Makes of the filters what else members must have.
        keep: Makes of the filters the test for all others.

    Raises:
        BadRequest: The cursor is not one of this list, or its filters were others.
    """
    cursor = _cursor(call, context, kind)
    where: Where = {name: value.lower() for name, value in cursor.filters.items() if name in equal}
    where = {**where, **among(cursor.filters, context)} if among else where
    size = context.choices[PAGE_SIZE](cursor.limit)
    newest_first = context.choices[ORDER]
    test = keep(cursor.filters, context) if keep else None

    def rows(start: int | None, *, backwards: bool) -> Iterator[tuple[int, Mapping[str, Any]]]:
        found = context.transaction.rows(kind, where, start, backwards=backwards != newest_first)
        return (row for row in found if test(row[1])) if test else found

    found = list(islice(rows(cursor.position, backwards=cursor.backwards), size + 1))
    further, found = len(found) > size, found[:size]
    if cursor.backwards:
        found.reverse()
    position = cursor.position or 0
    before_position = position - 1 if newest_first else position + 1
    first, last = (found[0][0], found[-1][0]) if found else (before_position, position)
    if cursor.backwards:
        before, after = further, any(True for _ in rows(last, backwards=False))
    else:
        before, after = cursor.position is not None and any(True for _ in rows(first, backwards=True)), further
    body: dict[str, Any] = {"data": [context.shown(value) for _, value in found], "hasMore": after}
    if after:
        body["next"] = cursor.encoded(last, context, backwards=False)
    if before and context.choices[PREVIOUS]:
        body["previous"] = cursor.encoded(first, context, backwards=True)
    return Result(body=body)


def _cursor(call: Call, context: Context, kind: str) -> _Cursor:
    """Return where the page of a call begins: at its cursor, or at the beginning of the list."""
    filters = {name: value for name, value in call.query.items() if name not in {"limit", "cursor"}}
    if "cursor" not in call.query:
        return _Cursor(context.caller.account, kind, filters, int(call.query["limit"]))
    cursor = _decoded(call.query["cursor"], context.choices[FORM])
    if cursor is None or (cursor.account, cursor.kind) != (context.caller.account, kind):
        raise _refused("cursor-unknown", "another text", "next or previous of a page of this list")
    if any(cursor.filters.get(name) != value for name, value in filters.items() if name not in call.defaults):
        raise _refused(
            "cursor-filters", "a cursor of a list with other filters", "the filters of the first page, or none"
        )
    limit = cursor.limit if "limit" in call.defaults else int(call.query["limit"])
    return _Cursor(cursor.account, kind, cursor.filters, limit, cursor.position, cursor.backwards)


def _decoded(text: str, form: _Form) -> _Cursor | None:
    """Return the cursor that a text encodes; None if it encodes none."""
    try:
        encoded = text.removeprefix(form.prefix).encode("ascii")
        content = urlsafe_b64decode(encoded + b"=" * (-len(encoded) % 4))[_SEAL:].rstrip()
    except (binascii.Error, UnicodeEncodeError):
        return None
    return _Cursor(*json.loads(content)) if text == form.text(content) else None


def _refused(rule: str, got: str, wanted: str) -> BadRequest:
    return BadRequest(Violation(rule, "query", "/cursor", got, wanted))
