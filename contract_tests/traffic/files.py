"""Files of recorded traffic, read one record after the other: HAR, and the journal as JSON or as lines of JSON.

Rule: a file is never held in memory, and no message repeats what a file contains, since it contains tokens.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Iterator
from typing import IO, Any

import ijson  # type: ignore[import-untyped]  # it has no types

from mock_server.messages.errors import MockError

STDIN = "-"

HEAD = 64 * 1024
"""Bytes by which the kind of a file is recognised."""

CHUNK = 16 * 1024
"""Bytes that are read at once, which is how exactly the position of a mistake is known."""

KINDS = "write a HAR file, or the journal of alta-mock as JSON or as lines of JSON (`alta-mock serve --log json`)"

_ARCHIVE, _JOURNAL = "log.entries.item", "requests.item"


def records(name: str) -> Iterator[Any]:
    """Yield the records of a file, or of standard input, as they are.

    Raises:
        MockError: It cannot be read, is of another kind, or is broken; names the position.
    """
    shown = "standard input" if name == STDIN else name
    try:
        source = _Source(name)
        with io.BufferedReader(source, CHUNK) as file:
            yield from _records(file, source, shown)
    except OSError as error:
        raise MockError(f"cannot read {shown}: {error.strerror}; name another file") from error


def _records(file: IO[bytes], source: _Source, shown: str) -> Iterator[Any]:
    head = source.head
    if head.startswith(b"\xef\xbb\xbf"):
        file.read(3)
        head = head[3:]
    kind = _kind(head.lstrip(), shown)
    if kind is None:
        yield from _lines(file, shown)
        return
    number = 0
    try:
        for record in ijson.items(file, kind, buf_size=CHUNK, use_float=True):
            number += 1
            yield record
    except ijson.IncompleteJSONError as error:
        place = f"after record {number} of it, near byte {source.position:,}"
        if any(text in str(error) for text in ("premature EOF", "ncomplete JSON")):
            raise MockError(f"{shown} ends too early, {place}; record it again, or export it again") from error
        raise MockError(f"{shown} is not valid JSON {place}; export it again") from error
    except (ijson.JSONError, UnicodeDecodeError, ValueError, OverflowError) as error:
        place = f"after record {number} of it, near byte {source.position:,}"
        raise MockError(f"{shown} is not valid JSON {place}; export it again") from error


def _kind(head: bytes, shown: str) -> str | None:
    """Return where the records of a JSON document are; None if the file has a record in each line."""
    if not head.startswith(b"{"):
        raise MockError(f"{shown} {_what_else(head)}")
    line, _, more = head.partition(b"\n")
    first = re.match(rb'\{\s*"([^"]*)"', head)
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        if not more and first and first[1] in {b"number", b"time"}:
            return None  # the line is longer than the head
    else:
        if isinstance(value, dict) and ({"method", "request"} & value.keys() or more.strip()):
            return None
    if first and first[1] == b"log":
        return _ARCHIVE
    if re.search(rb'"requests"\s*:', head):
        return _JOURNAL
    if re.search(rb'"log"\s*:', head):
        return _ARCHIVE
    raise MockError(f"{shown} is JSON, but no recorded traffic: it has no log.entries and no requests; {KINDS}")


def _what_else(head: bytes) -> str:
    """Return what a file is that does not begin with an object of JSON, and what to do."""
    if not head:
        return f"is empty; {KINDS}"
    remedy = KINDS
    if head.startswith((b"\x1f\x8b", b"\x78", b"PK")):
        remedy = "it is compressed, so unpack it first"
    elif head.startswith(b"["):
        remedy = "it is an array of JSON, so write its items as lines: jq -c '.[]' FILE"
    elif re.match(rb"[0-9]+:[0-9]+:[a-z]", head):
        remedy = "if mitmproxy wrote it, convert it: mitmdump -n -r FILE --set hardump=traffic.har"
    return f"is no recorded traffic: it does not begin with an object of JSON; {remedy}"


def _lines(file: IO[bytes], shown: str) -> Iterator[Any]:
    for number, line in enumerate(file, 1):
        if line.strip():
            try:
                yield json.loads(line.rstrip())
            except (ValueError, RecursionError) as error:
                column = f", column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
                raise MockError(f"{shown}:{number}{column}: not valid JSON; write one object in each line") from error


class _Source(io.RawIOBase):
    """A file or standard input, whose first bytes are known before they are read.

    Attributes:
        head: Its first bytes.
        position: How many bytes were read.
    """

    def __init__(self, name: str) -> None:
        self._file: IO[bytes] = sys.stdin.buffer if name == STDIN else open(name, "rb")  # noqa: SIM115, PTH123 - closed by `close`; "-" is no path
        self._own = name != STDIN
        self.position = 0
        self.head = self._file.read(HEAD)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        rest = self.head[self.position : self.position + size]
        data = rest or self._file.read(size)
        self.position += len(data)
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if self._own:
            self._file.close()
        super().close()
