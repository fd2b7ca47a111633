"""`alta-mock assumptions`: prints what the vendor leaves open."""

from __future__ import annotations

import click

from mock_server.cli import options
from mock_server.cli.output import show


@click.command(epilog=options.examples("alta-mock assumptions"))
def assumptions() -> None:
    """Print what the vendor leaves open.

    Each question comes with what the fake does there, and why.
    """
    from mock_server.contract.assumptions import load  # noqa: PLC0415 - --help need not wait for it

    for one in load():
        show(f"{one.id}\n  Question: {one.question}\n  We:       {one.ours}\n  Because:  {one.why}\n")
