"""Colours and a status line for the commands of all packages."""

from __future__ import annotations

import os
import re
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self, TextIO

COLOURS: dict[str | int, str] = {
    **dict.fromkeys(("kept", "pass", 0), "green"),
    **dict.fromkeys(("broken", "fail", 1, 2), "red"),
    **dict.fromkeys(("not exercised", "warning", "hint", 3, 130), "yellow"),
}
"""Colour of each verdict and each exit code."""

_KEPT = re.compile("(\x1b\\[(?:3[123]|0)m|\n)")

WIDTH = 80
"""Columns of a terminal that does not report its width."""

INTERVAL = 0.1
"""Seconds between two changes of a status line."""


def colour(environ: Mapping[str, str] = os.environ) -> bool | None:
    """Return True for colours everywhere, False for none, None for colours on terminals: click's `color`.

    NO_COLOR (https://no-color.org) wins over FORCE_COLOR and CLICOLOR_FORCE, which `0` leaves unset.
    """
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return False if environ.get("TERM") == "dumb" else None


def paint(text: str, verdict: str | int) -> str:
    """Return a text in the colour of a verdict or exit code, which `click.echo` removes where it is not wanted."""
    return click.style(escaped(text), fg=COLOURS[verdict])


def unexpected(error: Exception, environ: Mapping[str, str] = os.environ) -> str:
    """Return one line about a bug of a command; raises the error if ALTA_MOCK_DEBUG is set.

    The line lacks the text of the error, which may contain a token.
    """
    if environ.get("ALTA_MOCK_DEBUG"):
        raise error
    frame = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" in {Path(one.filename).name}:{one.lineno}" for one in frame)
    return f"unexpected {type(error).__name__}{where}; report it, with the traceback that ALTA_MOCK_DEBUG=1 shows"


def escaped(text: str) -> str:
    """Return a text with escapes in place of characters that are not printable, which a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def output(text: str) -> str:
    """Return a text as the commands print it: escaped, except for line breaks and the colours of `paint`."""
    return "".join(part if index % 2 else escaped(part) for index, part in enumerate(_KEPT.split(text)))


def is_terminal(stream: TextIO | None, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a stream, which may be missing or closed, is a terminal whose cursor can go back."""
    with suppress(ValueError):
        return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"
    return False


def paints(stream: TextIO | None) -> bool:
    """Return whether to colour what is written to a stream without `click.echo`, which Windows needs for colours."""
    wanted = colour()
    return is_terminal(stream) and os.name != "nt" if wanted is None else wanted


class StatusLine:
    """A line on a terminal that is overwritten and finally removed; elsewhere nothing is written.

    Args:
        stream: Standard error by default.
        environ: Contains the kind of terminal.
        clock: Returns seconds; the line changes ten times a second at most.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream, self._clock = stream or sys.stderr, clock
        self.visible = is_terminal(self._stream, environ)
        self._length, self._changed = 0, -INTERVAL

    def __enter__(self) -> Self:
        """Return the line itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Remove the line."""
        self.clear()

    def show(self, text: str, *, now: bool = False) -> None:
        """Show a text, unless the last change is too recent; with `now` in any case."""
        if now or self._clock() - self._changed >= INTERVAL:
            self._changed = self._clock()
            self._write(text)

    def clear(self) -> None:
        """Remove the line until the next text."""
        self._write("")

    def _write(self, text: str) -> None:
        if not self.visible or (not text and not self._length):
            return
        text = escaped(text)[: self._width() - 1]  # some terminals break the line after the last column
        with suppress(OSError, ValueError):  # the stream is closed
            self._stream.write(f"\r{text:{self._length}}" + ("" if text else "\r"))
            self._stream.flush()
        self._length = len(text)

    def _width(self) -> int:
        with suppress(OSError, ValueError):
            return os.get_terminal_size(self._stream.fileno()).columns or WIDTH
        return WIDTH
