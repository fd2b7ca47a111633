"""The command `alta-add`: adds the prospects of a file to a campaign, and continues where it was interrupted.

Exit codes: 0 all are added, 1 not all, 2 nothing could be done (input, settings, token, campaign, no connection),
130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from alta_client._errors import AltaError, InvalidInput
from alta_client.add.output import INTERRUPTED, USAGE, fail
from alta_terminal import colour, unexpected

EXAMPLES = """\b
Examples:
  alta-add people.csv
  alta-add people.csv --dry-run
  alta-add people.csv --map 'Work Email=email' --map 'Notes='
  alta-add people.csv --campaign-name 'Q3 outreach' --skip-opted-out --verify
  alta-add people.csv --resend
"""

HINTS = {
    "--base-url": "set ALTA_BASE_URL to https://api.altahq.com/v1, or to http://127.0.0.1:8080/v1 for alta-mock",
    "--campaign": "give the UUID of a campaign or --campaign-name, or set ALTA_CAMPAIGN_ID",
    "ALTA_API_TOKEN": "set the variable to your token",
}
"""What to do about a missing setting."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process with its exit code; an error is one line on standard error."""
    try:
        sys.exit(command.main(arguments, prog_name="alta-add", standalone_mode=False, color=colour()))
    except AltaError as error:
        fail(str(error), USAGE)
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror}", USAGE)
    except click.ClickException as error:
        fail(f"{error.format_message().rstrip('.')} (see alta-add --help)", USAGE)
    except (KeyboardInterrupt, click.Abort):
        fail("interrupted; run the same command again to continue", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a user gets a line, not a traceback
        fail(unexpected(error), USAGE)


def _names(_context: object, _option: object, pairs: tuple[str, ...]) -> dict[str, str]:
    """Read `COLUMN=FIELD`; only the name of a column may contain an equals sign."""
    from alta_client.add.table import field_of  # noqa: PLC0415 - --help need not wait for it

    names = {}
    for pair in pairs:
        column, equals, field = (part.strip() for part in pair.rpartition("="))
        if not equals or not column:
            raise click.BadParameter(f"{pair!r} is not a mapping; write it like 'Work Email=email'")
        if column in names:
            raise click.BadParameter(f"{column!r} is mapped twice; map it once")
        names[column] = field_of(field)
    return names


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=EXAMPLES)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--campaign", metavar="ID", envvar="ALTA_CAMPAIGN_ID", show_envvar=True, help="Campaign to add to.")
@click.option("--campaign-name", metavar="NAME", help="Name of the campaign, in place of its id.")
@click.option("--base-url", metavar="URL", envvar="ALTA_BASE_URL", show_envvar=True, help="Base URL, ending in /v1.")
@click.option(
    "--account-id", metavar="ID", envvar="ALTA_ACCOUNT_ID", show_envvar=True, help="Account, for users with several."
)
@click.option(
    "--map",
    "names",
    metavar="COLUMN=FIELD",
    multiple=True,
    callback=_names,
    help="Read a column as a field; without a field, leave it out.",
)
@click.option("--dry-run", is_flag=True, help="Check the file without sending anything.")
@click.option("--resend", is_flag=True, help="Send a batch again whose outcome is unknown.")
@click.option("--skip", is_flag=True, help="Continue after such a batch without sending it again.")
@click.option("--skip-opted-out", is_flag=True, help="Leave out who is opted out by email, linkedinUrl or phone.")
@click.option("--verify", is_flag=True, help="Read the campaign back, and list who is missing.")
@click.option(
    "--settle",
    metavar="SECONDS",
    type=click.FloatRange(0, 3600),
    default=0,
    help="Wait before reading back: prospects may become visible later.",
)
@click.pass_context
def command(  # noqa: PLR0913 - the options
    context: click.Context,
    /,
    file: Path,
    *,
    names: dict[str, str],
    dry_run: bool,
    campaign: str | None,
    campaign_name: str | None,
    base_url: str | None,
    account_id: str | None,
    **choices: Any,
) -> int:
    """Add the prospects of FILE, CSV or JSON lines, to a campaign.

    The token is read from ALTA_API_TOKEN. The progress is kept in FILE.alta-add.json: run the same command again to
    continue.
    """
    if choices["resend"] and choices["skip"]:
        raise click.UsageError("--resend and --skip exclude each other; use one of them")
    if campaign_name and context.get_parameter_source("campaign") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--campaign and --campaign-name exclude each other; use one of them")
    if choices["settle"] and not choices["verify"]:
        raise click.UsageError("--settle is the time before reading back; add --verify")
    from alta_client.add.run import Choices, Waits, add, campaign_called, check  # noqa: PLC0415 - --help need not wait
    from alta_client.add.table import Table  # noqa: PLC0415 - the same

    table = Table(file.resolve() if file.exists() else file, names)  # links to a file share its progress
    if dry_run:
        return check(table, file)
    token = os.environ.get("ALTA_API_TOKEN", "")
    for value, (name, hint) in zip((base_url, campaign_name or campaign, token), HINTS.items(), strict=True):
        if not value:
            raise InvalidInput(f"{name} is missing; {hint}")
    from alta_client._client import AltaClient  # noqa: PLC0415 - --help need not wait for it

    waits = Waits()
    with AltaClient(base_url or "", token, account_id=account_id or None, sleep=waits.sleep) as client:
        chosen = campaign_called(client, campaign_name) if campaign_name else campaign or ""
        return add(client, waits, chosen, table, Choices(**choices))
