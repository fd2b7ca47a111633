"""The output of `alta-add`: nothing that a terminal would obey, and no failure if a stream is closed."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import NoReturn

import click

from alta_terminal import colour, escaped, paint

FAILED, USAGE, INTERRUPTED = 1, 2, 130


def fail(text: str, code: int) -> NoReturn:
    """Print how the run ended, and end with an exit code."""
    say(text, code)
    sys.exit(code)


def say(text: str, code: int | None = None) -> None:
    """Print a line to standard error, in the colour of an exit code if there is one."""
    name = "alta-add:" if code is None else paint("alta-add:", code)
    show(f"{name} ", " ".join(text.split()))


def show(prefix: str, text: str) -> None:
    """Print a line to standard error, with what follows the prefix escaped, and without the token."""
    token = os.environ.get("ALTA_API_TOKEN")
    text = text.replace(token, "***") if token else text  # a server may repeat it
    with contextlib.suppress(OSError, AttributeError):
        click.echo(prefix + escaped(text), err=True, color=colour())


def result(text: str, code: int) -> None:
    """Print the result; a full or closed standard output changes nothing about it."""
    try:
        click.echo(paint(text, code))
        sys.stdout.flush()
    except (OSError, AttributeError):
        with contextlib.suppress(OSError, AttributeError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
