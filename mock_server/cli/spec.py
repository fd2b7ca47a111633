"""`alta-mock spec`: prints the contract."""

from __future__ import annotations

from pathlib import Path

import click

from mock_server.cli import options
from mock_server.cli.output import show


@click.command(
    epilog=options.examples(
        "alta-mock spec > alta.json && npx openapi-typescript alta.json", "alta-mock spec --published"
    )
)
@click.option("--published", is_flag=True, help="Print the published document alone, without the overlay.")
@options.openapi_option
@options.overlay_option
def spec(*, published: bool, openapi: str | None, overlay: str | None) -> None:
    """Print the contract as one OpenAPI document, in JSON.

    It is what the vendor publishes plus what the overlay adds.
    """
    import json  # noqa: PLC0415 - --help need not wait for it

    from mock_server.contract.contract import Contract  # noqa: PLC0415 - the same

    contract = Contract.load(Path(openapi) if openapi else None, Path(overlay) if overlay else None)
    value = contract.published.value if published else contract.document
    show(json.dumps(value, indent=2, ensure_ascii=False))
