"""The journal as an HTTP Archive (HAR), for the network panel of a browser."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from urllib.parse import parse_qsl

import harfile

from mock_server.contract.limits import SECOND
from mock_server.journal.entries import Entry
from mock_server.messages.http import phrase


def har(entries: Iterable[Entry], origin: str) -> str:
    """Return an HTTP Archive 1.2; `origin` is the scheme and host of its URLs."""
    text = io.StringIO()
    creator = harfile.Creator(name="alta-mock", version=version("alta-mock"))
    with harfile.HarFile.open(text, creator=creator) as archive:
        for entry in entries:
            archive.add_entry(
                startedDateTime=datetime.fromtimestamp(entry.outcome.at / SECOND, tz=UTC),
                time=0,
                request=_request(entry, origin),
                response=_response(entry),
                timings=harfile.Timings(send=0, wait=0, receive=0),
                comment=entry.outcome.why(most=len(entry.violations)) or None,
            )
    return text.getvalue()


def _request(entry: Entry, origin: str) -> harfile.Request:
    sent, body = entry.request, (entry.request.body or b"").decode(errors="replace")
    content_type = next(iter(sent.all("content-type")), "")
    return harfile.Request(
        method=sent.method,
        url=f"{origin}{sent.path}{'?' if sent.query else ''}{sent.query}",
        httpVersion="HTTP/1.1",
        headers=_records(sent.headers),
        queryString=_records(parse_qsl(sent.query, errors="replace")),
        postData=harfile.PostData(content_type, text=body) if body else None,
        bodySize=len(sent.body or b""),
    )


def _response(entry: Entry) -> harfile.Response:
    shown, size = entry.as_dict(), len(entry.outcome.reply.body)
    content_type = entry.outcome.reply.header("Content-Type") or ""
    return harfile.Response(
        status=entry.status,
        statusText=phrase(entry.status),
        httpVersion="HTTP/1.1",
        headers=_records(shown["responseHeaders"]),
        content=harfile.Content(size=size, mimeType=content_type, text=shown["responseBody"]),
        bodySize=size,
    )


def _records(pairs: Iterable[Sequence[str]]) -> list[harfile.Record]:
    return [harfile.Record(name, value) for name, value in pairs]
