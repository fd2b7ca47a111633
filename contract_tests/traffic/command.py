"""The command `alta-mock check`."""

from __future__ import annotations

from pathlib import Path

import click

from alta_terminal import StatusLine
from mock_server.cli.options import LIMIT, complete_files, examples, file_option, needing_extra, report_files
from mock_server.cli.output import Files, conclude, say
from mock_server.messages.errors import MockError


@click.command(
    epilog=examples(
        "alta-mock check traffic.har",
        "alta-mock check *.har --junit check.xml",
        "alta-mock check traffic.har --base-url https://api.example/v1",
        "alta-mock check traffic.har --write-assume vendor.yaml",
    )
)
@click.option(
    "--base-url",
    multiple=True,
    metavar="URL",
    help="Base URL of the API, repeatable.  [the vendor's, and /v1 on this machine]",
)
@click.option("--rate-limit", default="10/60s", help="Expected limit on adding prospects.", **LIMIT)
@click.option("--account-rate-limit", default="100/60s", help="Expected limit across all operations.", **LIMIT)
@click.option("--assumptions", is_flag=True, help="Say which open questions the traffic settles.")
@file_option("--write-assume", "Write the choices that the traffic settles, for --assume-file.")
@report_files
@click.argument("traffic", nargs=-1, required=True, shell_complete=complete_files)
def check(  # noqa: PLR0913 - click passes each option
    traffic: tuple[str, ...],
    *,
    base_url: tuple[str, ...],
    rate_limit: str,
    account_rate_limit: str,
    assumptions: bool,
    write_assume: Path | None,
    files: Files,
) -> int:
    """Hold recorded traffic against the contract of the Alta API.

    TRAFFIC is a HAR file of a browser or proxy, or the journal of alta-mock as JSON or as lines of JSON. Requests to
    other hosts are left out. Standard input is -.

    Exit codes: 0 the contract is kept, 1 it is broken, 2 the traffic is unusable, 3 nothing is proven, 130 interrupted.
    """
    with needing_extra():
        from contract_tests.traffic import report, run  # noqa: PLC0415 - --help need not wait for it

    if write_assume:
        Files(json=write_assume).check()
    observing = assumptions or write_assume is not None
    with StatusLine() as line:
        result = run.check(traffic, base_url, rate_limit, account_rate_limit, observing=observing, line=line)
    code = conclude(report.presented(result, assumptions=observing), files)
    if write_assume:
        try:
            write_assume.write_text(report.assume_file(result), encoding="utf-8")
        except OSError as error:
            raise MockError(f"cannot write {write_assume}: {error.strerror}; choose another file") from error
        say(f"wrote {write_assume}; use it with: alta-mock serve --assume-file {write_assume}")
    return code
