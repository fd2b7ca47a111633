"""The access log: one line for each request, as text or JSON, without tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TextIO

import click

from alta_terminal import escaped
from mock_server.contract.limits import SECOND
from mock_server.messages.http import ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.messages.redaction import Redactor


class Log:
    """Writes lines to a stream, and flushes each.

    Args:
        stream: The stream.
        form: `text` or `json`.
        redact: Removes the tokens.
        colour: Whether statuses are coloured by their class; not in JSON.
    """

    def __init__(self, stream: TextIO, form: str, redact: Redactor, *, colour: bool = False) -> None:
        self._stream: TextIO | None = stream
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._json = form == "json"
        self._redact = redact
        self._status: Callable[[int], str] = _coloured if colour else str

    def request(self, request: ApiRequest, outcome: Outcome, ms: float) -> None:
        """Write the line of a request that took some milliseconds."""
        self._write(_json(request, outcome, ms) if self._json else _text(request, outcome, ms, self._status))

    def note(self, status: int, text: str) -> None:
        """Write a line about bytes that got a response although they are not a request."""
        self._write(json.dumps({"status": status, "why": text}) if self._json else f"{self._status(status)} {text}")

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        line = self._redact(line) + "\n"
        try:
            self._stream.write(line.encode(self._encoding, "backslashreplace").decode(self._encoding))
            self._stream.flush()
        except (OSError, ValueError):  # the reader is gone; the server goes on
            self._stream = None


@cache
def _coloured(status: int) -> str:
    """Return a status in the colour of its class; cached, since there are few."""
    return click.style(status, fg={2: "green", 3: "cyan", 4: "yellow", 5: "red"}.get(status // 100))


def _text(request: ApiRequest, outcome: Outcome, ms: float, shown: Callable[[int], str]) -> str:
    time = _clock_face(outcome.at // SECOND)
    reason = outcome.why(most=1)
    why = f"  {escaped(reason)}" if reason else ""
    method, path = escaped(request.method), escaped(request.path)
    return f"{time} {method} {path} {shown(outcome.reply.status)} {ms:.1f} ms{why}"


def _json(request: ApiRequest, outcome: Outcome, ms: float) -> str:
    return json.dumps(
        {
            "time": datetime.fromtimestamp(outcome.at / SECOND, tz=UTC).isoformat(timespec="milliseconds"),
            "method": request.method,
            "path": request.path,
            "status": outcome.reply.status,
            "operation": outcome.operation,
            "rule": outcome.violations[0].rule if outcome.violations else None,
            "injected": str(outcome.injected) if outcome.injected else None,
            "lost": outcome.lost,
            "why": outcome.why(most=1) or None,
            "ms": round(ms, 3),
        }
    )


@lru_cache(maxsize=8)
def _clock_face(second: int) -> str:
    return datetime.fromtimestamp(second, tz=UTC).strftime("%H:%M:%S")
