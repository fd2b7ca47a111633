"""What `alta-add` says, without what a terminal would obey; nobody need listen."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

import click

from alta_terminal import colour, paint, visible

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def fail(text: str, code: int) -> NoReturn:
    """Say how it ended, and end with an exit code."""
    say(text, code)
    sys.exit(code)


def say(text: str, code: int | None = None) -> None:
    """Say it on standard error in one line; with an exit code in its colour."""
    name = "alta-add:" if code is None else paint("alta-add:", code)
    with contextlib.suppress(OSError, AttributeError):
        click.echo(f"{name} {visible(' '.join(text.split()))}", err=True, color=colour())


def show(text: str) -> None:
    """Show a line on standard error as it is, but for what is not printable."""
    with contextlib.suppress(OSError, AttributeError):
        click.echo(visible(text), err=True)


def result(text: str, code: int) -> None:
    """Print the result; if standard output is full or closed, what was done is done all the same."""
    try:
        click.echo(paint(text, code))
        sys.stdout.flush()
    except (OSError, AttributeError):
        with contextlib.suppress(OSError, AttributeError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
