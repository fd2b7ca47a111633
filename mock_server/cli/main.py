"""The command `alta-mock`.

Exit codes: 0 fine, 1 a contract is broken, 2 usage or target unusable, 3 nothing is proven, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections import UserDict
from importlib import import_module
from typing import TYPE_CHECKING

import click

import alta_terminal as terminal
from mock_server.cli.options import examples, needing_extra
from mock_server.cli.output import INTERRUPTED, UNUSABLE, line_of, say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoints

GROUP = "alta_mock.commands"
"""Entry-point group of the commands of other packages."""

OWN = {
    "assumptions": "mock_server.cli.assumptions:assumptions",
    "exec": "mock_server.cli.exec:execute",
    "serve": "mock_server.cli.serve:serve",
    "store": "mock_server.cli.store:store",
    "spec": "mock_server.cli.spec:spec",
    "trigger": "mock_server.cli.trigger:trigger",
}


def _others() -> EntryPoints:
    from importlib.metadata import entry_points  # noqa: PLC0415 - a third of the time that a command takes to start

    return entry_points(group=GROUP)


class Commands(UserDict[str, click.Command]):
    """The commands by name, each imported when it is used."""

    def __missing__(self, name: str) -> click.Command:
        """Import a command.

        Raises:
            KeyError: The command is unknown.
            MockError: A library that it needs is not installed.
        """
        with needing_extra():
            if name in OWN:
                module, _, attribute = OWN[name].partition(":")
                self.data[name] = getattr(import_module(module), attribute)
            else:
                self.data[name] = _others()[name].load()
        return self.data[name]

    def __contains__(self, name: object) -> bool:
        """Return whether the command exists, without importing it."""
        return name in OWN or name in _others().names

    def __iter__(self) -> Iterator[str]:
        """Yield the names."""
        return iter(sorted({*OWN, *_others().names}))

    def __len__(self) -> int:
        """Return the number of commands."""
        return len(list(iter(self)))


@click.group(
    commands=Commands(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples("alta-mock serve", "alta-mock exec --strict -- npm test", "alta-mock verify --help"),
)
@click.version_option(package_name="alta-mock", prog_name="alta-mock")
def commands() -> None:
    """The Alta API on your own machine: a faithful fake server and a contract-testing kit."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process with its exit code; an error is one line on standard error."""
    try:
        color = terminal.colour()
        sys.exit(commands.main(arguments, prog_name="alta-mock", standalone_mode=False, color=color))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(UNUSABLE)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - a user gets a line, not a traceback
        context = error.ctx if isinstance(error, click.UsageError) else None
        help_of = context.command_path if context else "alta-mock"
        say(line_of(error) + (f" (see {help_of} --help)" if isinstance(error, click.ClickException) else ""))
        sys.exit(UNUSABLE)
