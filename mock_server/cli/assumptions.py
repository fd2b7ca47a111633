"""`alta-mock assumptions`: prints what the vendor leaves open."""

from __future__ import annotations

import click

from mock_server.cli import options
from mock_server.cli.output import show


@click.command(
    epilog=options.examples("alta-mock assumptions", "alta-mock assumptions --assume list-order=newest-first")
)
@options.assume_option
def assumptions(assume: dict[str, str]) -> None:
    """Print what the vendor leaves open.

    Each question comes with its choices: what the fake does, and why the documentation allows it. An asterisk marks the
    choice that is in force with these options and variables.
    """
    from mock_server.contract.assumptions import load  # noqa: PLC0415 - --help need not wait for it

    for one in load():
        chosen = assume.get(one.id, one.ours.id)
        lines = [one.id, f"  Question: {one.question}"]
        for choice in one.choices:
            name = f" {choice.id}:" if choice.id else ""
            lines += [f"  {'*' if choice.id == chosen else ' '}{name} {choice.happens}", f"      Because: {choice.why}"]
        lines.append(f"  Fixed: {one.fixed}" if one.fixed else f"  Advice: {one.advice}")
        show("\n".join(lines) + "\n")
