"""`alta-mock store`: what a store keeps, and how it forgets it."""

from __future__ import annotations

from typing import Any

import click

from mock_server.cli import options
from mock_server.cli.output import show
from mock_server.messages.errors import MockError, OtherVersion


@click.group(
    epilog=options.examples(
        "alta-mock store info --store sqlite:///team.db", "alta-mock store reset --store sqlite:///team.db"
    )
)
def store() -> None:
    """Look at a shared store, or reset it."""


_url = options.setting("--store", "url", required=True, metavar="URL", help="sqlite:///FILE or postgresql://...")


@store.command()
@_url
def info(url: str) -> None:
    """Show what a store keeps."""
    from mock_server.contract.limits import SECOND  # noqa: PLC0415 - --help need not wait for it
    from mock_server.store import shown  # noqa: PLC0415 - the same

    opened = _shared(url)
    show(f"store: {shown(url)}")
    for name, count in opened.facts().items():
        show(f"{name}: {count}")
    show(f"clock advanced by: {opened.clock_offset() / SECOND:g} s")
    opened.close()


@store.command()
@_url
@options.data_option
@options.openapi_option
@options.overlay_option
def reset(url: str, **files: Any) -> None:
    """Return a store to the seed.

    No prospects, full quotas, an empty journal, the clock at real time. Servers that use the store go on.
    """
    from mock_server.mock import AltaMock  # noqa: PLC0415 - --help need not wait for it
    from mock_server.store import forget, shown  # noqa: PLC0415 - the same

    try:
        _shared(url).close()
    except OtherVersion:
        forget(url)
    with AltaMock(store=url, **files) as mock:
        mock.reset()
    show(f"store: {shown(url)} is as the seed")


def _shared(url: str) -> Any:
    from mock_server.store import open_store, shown  # noqa: PLC0415 - --help need not wait for it

    opened = open_store(url)
    if not opened.waits:
        raise MockError(f"--store: {shown(url)} is kept by no database; choose sqlite:///FILE or postgresql://...")
    return opened
