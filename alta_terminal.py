"""How the commands behave at a terminal: when they colour what they print, and how they show that they are at work."""

from __future__ import annotations

import os
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self, TextIO

    Paint = Callable[[str, str | int], str]

COLOURS: dict[str | int, str] = {
    **dict.fromkeys(("kept", "pass", 0), "green"),
    **dict.fromkeys(("broken", "fail", 1, 2), "red"),
    **dict.fromkeys(("not exercised", "warning", 3, 130), "yellow"),
}
"""By verdict, and by exit code."""

USUAL_WIDTH = 80
"""Columns of a terminal that does not tell."""

OFTEN = 0.1
"""Seconds between two changes of a line, which nobody reads faster."""


def colour(environ: Mapping[str, str] = os.environ) -> bool | None:
    """Tell what is wanted: True for colour everywhere, False for none, None for colour where a terminal shows it.

    NO_COLOR (https://no-color.org) wins over FORCE_COLOR and CLICOLOR_FORCE, of which 0 asks for nothing. As `color` of
    click's context the answer decides for all that `click.echo` prints.
    """
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in {"", "0"} for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return False if environ.get("TERM") == "dumb" else None


def paint(text: str, verdict: str | int) -> str:
    """Give a text the colour of a verdict or of an exit code; `click.echo` takes it away where there is to be none."""
    return click.style(text, fg=COLOURS[verdict])


def plain(text: str, _verdict: str | int) -> str:
    """Leave a text as it is, for a report that is not printed by `click.echo`."""
    return text


def visible(text: str) -> str:
    """Return a text with question marks for what is not printable, which a terminal would obey."""
    return "".join(one if one.isprintable() else "?" for one in text)


def is_terminal(stream: TextIO | None, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a stream is a terminal whose cursor can go back; there is no stream under pythonw."""
    with suppress(ValueError):  # it is closed
        return stream is not None and stream.isatty() and environ.get("TERM") != "dumb"
    return False


def paints(stream: TextIO | None) -> bool:
    """Tell, once for all that is written to a stream past `click.echo`, whether it is to be coloured.

    A console of Windows shows colours by way of `click.echo` only.
    """
    wanted = colour()
    return is_terminal(stream) and os.name != "nt" if wanted is None else wanted


class StatusLine:
    """One line on a terminal that is written over and over, and gone at the end; nothing where there is no terminal.

    Args:
        stream: Where to; standard error if it is not given.
        environ: Tells what kind of terminal it is.
        clock: Returns seconds; the line changes ten times in one at most.
    """

    def __init__(
        self,
        stream: TextIO | None = None,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self.visible = is_terminal(self._stream, environ)
        self._clock = clock
        self._shown = 0
        self._at = -OFTEN

    def __enter__(self) -> Self:
        """Return the line itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Take the line away."""
        self.clear()

    def show(self, text: str, *, now: bool = False) -> None:
        """Write a text over the last one, unless that has only just been written; with `now` even then."""
        if now or self._clock() - self._at >= OFTEN:
            self._at = self._clock()
            self._write(text)

    def clear(self) -> None:
        """Take the line away, for now."""
        self._write("")

    def _write(self, text: str) -> None:
        if not self.visible or (not text and not self._shown):
            return
        text = text[: self._width() - 1]  # in the last column some terminals begin a new line
        with suppress(OSError, ValueError):  # nobody listens any more
            self._stream.write(f"\r{text:{self._shown}}" + ("" if text else "\r"))
            self._stream.flush()
        self._shown = len(text)

    def _width(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or USUAL_WIDTH
        except (OSError, ValueError):
            return USUAL_WIDTH
