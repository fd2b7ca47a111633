"""The command `alta-mock diff`."""

from __future__ import annotations

import click

from mock_server.cli.options import complete_files, examples, needing_extra, report_files
from mock_server.cli.output import Files, conclude
from mock_server.messages.errors import MockError


@click.command(
    epilog=examples(
        "alta-mock diff bundled new.yaml",
        "alta-mock diff old.json new.json --for provider",
        "alta-mock diff bundled - --json diff.json",
    )
)
@click.argument("old", metavar="OLD", type=click.Path())
@click.argument("new", metavar="NEW", type=click.Path())
@click.option(
    "--for",
    "side",
    type=click.Choice(["consumer", "provider"]),
    default="consumer",
    show_default=True,
    help="Side whose breaking differences make the exit code 1.",
)
@click.option("--overlay", metavar="FILE", shell_complete=complete_files, help="Overlay applied to both documents.")
@click.option("--published", is_flag=True, help="Compare the documents as they are, without an overlay.")
@report_files
def diff(  # noqa: PLR0913 - click passes each option
    *, old: str, new: str, side: str, overlay: str | None, published: bool, files: Files
) -> int:
    """Compare two OpenAPI documents by what they allow.

    Each difference comes with whom it breaks: consumers, providers, both or nobody. OLD and NEW are OpenAPI 3
    documents: files, "-" for standard input, or "bundled" for the one that alta-mock has. Requests and responses that
    one of them allows and the other does not are differences; order, descriptions, examples and references are none.

    Exit codes: 0 nothing breaks the side, 1 something does, 2 a document cannot be compared.
    """
    from pathlib import Path  # noqa: PLC0415 - --help need not wait for it

    from contract_tests.diff import documents, presentation  # noqa: PLC0415 - the same
    from contract_tests.diff.operations import compare  # noqa: PLC0415 - the same
    from mock_server.contract import bundled_files  # noqa: PLC0415 - the same
    from mock_server.contract.documents import Document  # noqa: PLC0415 - the same

    if old == new == documents.STDIN:
        raise MockError("OLD and NEW are both standard input; name a file for one of them")
    if overlay and published:
        raise MockError("--overlay and --published exclude each other; leave one out")
    read = documents.read(old), documents.read(new)
    changes = (
        None if published else Document.read(Path(overlay) if overlay else bundled_files.data("openapi.overlay.yaml"))
    )
    apis = documents.pair(*read, changes, must_fit=overlay is not None)
    with needing_extra():
        result = compare(*apis[:2])
    return conclude(presentation.presented(result, *apis[:2], side, apis[2]), files)
