"""One recorded request with its response, whatever tool has recorded it.

A tool may leave anything out: headers, bodies, times, the response. What is not recorded is None, so that it is not
judged; it never counts as a breach.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import SplitResult, urlsplit

from mock_server.contract.limits import SECOND
from mock_server.messages.http import Headers

MOST_UNPACKED = 16 * 1024 * 1024
"""Bytes of a compressed body that are unpacked."""

NO_RESPONSE = 0
"""In place of a status: the request was aborted, or its response lost."""

NOT_SENT = {
    "malformed": "not a request with a URL and a method",
    "websocket": "WebSocket connections",
    "preflight": "OPTIONS, which browsers send before requests to another host (CORS)",
    "cached": "answered from the cache of a browser",
}
"""What is left out although its host may be the API's."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INJECTED = re.compile(r"(?:^|; )(?:injected \w+: requested by|response lost: \w+)")
"""In the comment of a HAR file that the journal of alta-mock was exported to."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One record of a file.

    Attributes:
        number: Of the record in its file, from 1.
        began: Nanoseconds since the epoch at which the request was sent; None if not recorded.
        ended: The same of the end of the response.
        origin: Scheme, host and port of the URL; None in a journal, which has the requests to one fake only.
        headers: Of the request, names in lower case; None if not recorded.
        body: Of the request; None if not recorded.
        status: Of the response; 0 without one.
        reply_headers: Of the response, names as recorded; None if not recorded.
        reply_body: Of the response, unpacked; None if not recorded.
        keeps_case: Whether the case of header names is what the server sent.
        account: Whose request it is, if a journal says so.
        injected: Whether a test asked the fake for the response.
        left_out: A key of `NOT_SENT`; empty if it is to be judged.
    """

    source: str
    number: int
    began: int | None = None
    ended: int | None = None
    origin: str | None = None
    method: str = ""
    path: str = ""
    query: str = ""
    headers: Headers | None = None
    body: bytes | None = None
    status: int = NO_RESPONSE
    reply_headers: Headers | None = None
    reply_body: bytes | None = None
    keeps_case: bool = False
    account: str | None = None
    injected: bool = False
    left_out: str = ""

    @property
    def size(self) -> int:
        """The bytes of its bodies."""
        return len(self.body or b"") + len(self.reply_body or b"")


def shown_time(began: int | None) -> str | None:
    """Return a time in nanoseconds since the epoch as text, in UTC."""
    if began is None:
        return None
    return (_EPOCH + timedelta(microseconds=began // 1000)).isoformat(timespec="milliseconds")


def captured(source: str, number: int, record: Any) -> Captured:
    """Read a record: an entry of a HAR file, an entry of the journal, or a line of the log."""
    try:
        if isinstance(record, Mapping) and isinstance(record.get("request"), Mapping):
            return _of_archive(source, number, record)
        if isinstance(record, Mapping) and isinstance(record.get("method"), str):
            return _of_journal(source, number, record)
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError):
        pass  # a member of another type than the format says
    return Captured(source, number, left_out="malformed")


def _of_archive(source: str, number: int, record: Mapping[str, Any]) -> Captured:
    request, reply = record["request"], record.get("response") or {}
    parts = urlsplit(request["url"])
    method = str(request["method"])
    headers, reply_headers = _headers(request.get("headers")), _headers(reply.get("headers"))
    began, ended = _times(record)
    status = int(reply.get("status") or NO_RESPONSE)
    http2 = str(reply.get("httpVersion", "")).lower().startswith(("h2", "h3", "http/2", "http/3"))
    return Captured(
        source,
        number,
        began,
        ended,
        origin_of(parts),
        method,
        parts.path or "/",
        parts.query,
        None if headers is None else tuple((name.lower(), value) for name, value in headers),
        _request_body(request, headers),
        max(status, NO_RESPONSE),
        reply_headers,
        _reply_body(reply, reply_headers or ()),
        http2 or any(name != name.lower() for name, _ in headers or ()),
        injected=bool(_INJECTED.search(str(record.get("comment") or ""))),
        left_out=_left_out(record, parts, method),
    )


def _left_out(record: Mapping[str, Any], parts: SplitResult, method: str) -> str:
    if record.get("_resourceType") == "websocket" or parts.scheme in {"ws", "wss"}:
        return "websocket"
    if record.get("_fromCache"):
        return "cached"
    return "preflight" if method.upper() == "OPTIONS" else ""


def origin_of(parts: SplitResult) -> str:
    """Return scheme, host and port of a URL, without a password and without the usual port."""
    port = parts.port
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port not in {None, usual} else ''}"


def _headers(pairs: Any) -> Headers | None:
    """Return the headers as recorded, without the pseudo-headers of HTTP/2; None if there are none."""
    if not pairs:
        return None
    if isinstance(pairs, Mapping):  # no HAR, but some tools write it
        pairs = [{"name": name, "value": value} for name, value in pairs.items()]
    found = tuple((str(one["name"]), str(one.get("value") or "")) for one in pairs)
    return tuple((name, value) for name, value in found if not name.startswith(":"))


def _times(record: Mapping[str, Any]) -> tuple[int | None, int | None]:
    began = _time(record.get("startedDateTime"))
    took = record.get("time")
    if began is None or not isinstance(took, int | float) or took < 0:
        return began, began
    return began, began + int(took * 1_000_000)


def _time(text: Any) -> int | None:
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    since = (time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds * 1000


def _request_body(request: Mapping[str, Any], headers: Headers | None) -> bytes | None:
    sent = request.get("postData")
    if isinstance(sent, Mapping) and isinstance(sent.get("text"), str):
        if not sent["text"] and (sent.get("params") or _announced(request, headers)):
            return None
        return _bytes(sent["text"], sent.get("encoding"))
    return None if sent or _announced(request, headers) else b""


def _announced(request: Mapping[str, Any], headers: Headers | None) -> bool:
    """Return whether a request may have a body that is not recorded."""
    length = next((value for name, value in headers or () if name.lower() == "content-length"), None)
    if length is not None:
        return length.strip() != "0"
    size = request.get("bodySize", -1)
    unknown = size is None or size < 0
    return size > 0 if not unknown else request["method"].upper() not in {"GET", "HEAD"}


def _reply_body(reply: Mapping[str, Any], headers: Headers) -> bytes | None:
    content = reply.get("content") or {}
    text, size = content.get("text"), content.get("size")
    if not isinstance(text, str):
        return b"" if size == 0 and "text" not in content and not content.get("comment") else None
    raw = _bytes(text, content.get("encoding"))
    if raw is None or (not raw and isinstance(size, int | float) and size > 0):
        return None
    coding = ",".join(value for name, value in headers if name.lower() == "content-encoding").strip().lower()
    return _unpacked(raw, coding) if coding not in {"", "identity"} else raw


def _bytes(text: str, encoding: Any) -> bytes | None:
    if encoding == "base64":
        try:
            return base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return None
    return text.encode(errors="replace")


def _unpacked(raw: bytes, coding: str) -> bytes | None:
    """Return a body that a tool may have unpacked already; None if it is packed in a way that is not supported."""
    for wbits in (31,) if "gzip" in coding else (15, -15) if "deflate" in coding else ():
        try:
            return zlib.decompressobj(wbits).decompress(raw, MOST_UNPACKED)
        except zlib.error:
            pass
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    return None if "\ufffd" in text or "\0" in text else raw


def _of_journal(source: str, number: int, record: Mapping[str, Any]) -> Captured:
    began = _time(record.get("time"))
    whole = "requestHeaders" in record
    lost = bool(record.get("lost"))
    return Captured(
        source,
        number,
        began,
        began,
        None,
        record["method"],
        record["path"],
        record.get("query") or "",
        tuple((name.lower(), value) for name, value in record["requestHeaders"]) if whole else None,
        record["requestBody"].encode(errors="replace") if whole else None,
        NO_RESPONSE if lost else int(record.get("status") or NO_RESPONSE),
        tuple((name, value) for name, value in record["responseHeaders"]) if whole and not lost else None,
        record["responseBody"].encode(errors="replace") if whole and not lost else None,
        keeps_case=True,
        account=record.get("account"),
        injected=bool(record.get("injected")),
        left_out="preflight" if record["method"].upper() == "OPTIONS" else "",
    )


def json_of(body: bytes | None) -> Any:
    """Return the value of a body; None if it is not recorded or not JSON."""
    try:
        return json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
