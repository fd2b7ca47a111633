"""The journal as files: JSON lines for programs, HAR for the network panel of a browser."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import harfile

from mock_server.contract.limits import SECOND
from mock_server.messages.http import phrase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mock_server.journal.entries import Entry


def json_lines(entries: Iterable[Entry]) -> str:
    """Return entries as JSON objects, one on each line."""
    return "".join(json.dumps(entry.as_dict(), ensure_ascii=False) + "\n" for entry in entries)


def har(entries: Iterable[Entry], origin: str) -> str:
    """Return an HTTP Archive 1.2; `origin` is the scheme and host of its URLs."""
    text = io.StringIO()
    creator = harfile.Creator(name="alta-mock", version=version("alta-mock"))
    with harfile.HarFile.open(text, creator=creator) as archive:
        for entry in entries:
            shown = entry.as_dict()
            query = f"?{shown['query']}" if shown["query"] else ""
            sent = dict(shown["requestHeaders"])
            headers = {name.lower(): value for name, value in shown["responseHeaders"]}
            archive.add_entry(
                startedDateTime=datetime.fromtimestamp(entry.outcome.at / SECOND, tz=UTC),
                time=0,
                request=harfile.Request(
                    method=entry.method,
                    url=origin + entry.path + query,
                    httpVersion="HTTP/1.1",
                    headers=[harfile.Record(name, value) for name, value in shown["requestHeaders"]],
                    queryString=[
                        harfile.Record(name, value) for name, value in parse_qsl(shown["query"], errors="replace")
                    ],
                    postData=harfile.PostData(sent.get("content-type", ""), text=shown["requestBody"])
                    if shown["requestBody"]
                    else None,
                    bodySize=len(entry.request.body or b""),
                ),
                response=harfile.Response(
                    status=entry.status,
                    statusText=phrase(entry.status),
                    httpVersion="HTTP/1.1",
                    headers=[harfile.Record(name, value) for name, value in shown["responseHeaders"]],
                    content=harfile.Content(
                        size=len(entry.outcome.reply.body),
                        mimeType=headers.get("content-type", ""),
                        text=shown["responseBody"],
                    ),
                    bodySize=len(entry.outcome.reply.body),
                ),
                timings=harfile.Timings(send=0, wait=0, receive=0),
                comment="; ".join(str(violation) for violation in entry.violations) or None,
            )
    return text.getvalue()
