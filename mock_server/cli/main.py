"""The command `alta-mock`.

Exit codes: 0 fine, 1 a contract is broken, 2 usage or target unusable, 3 nothing is proven, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections import UserDict
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import click

import alta_terminal as terminal
from mock_server.cli.options import examples, needing_extra
from mock_server.cli.output import INTERRUPTED, UNUSABLE
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.metadata import EntryPoints

GROUP = "alta_mock.commands"
"""Entry-point group of the commands of other packages."""

OWN = {
    "assumptions": "mock_server.cli.assumptions:assumptions",
    "exec": "mock_server.cli.exec:execute",
    "serve": "mock_server.cli.serve:serve",
    "spec": "mock_server.cli.spec:spec",
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
    except MockError as error:
        _fail(str(error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(UNUSABLE)
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "alta-mock"
        _fail(f"{_text(error)} (see {command} --help)")
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)


def _text(error: click.ClickException) -> str:
    """Return the text of an error; that of a value begins with the option, or the variable, that it comes from."""
    if isinstance(error, click.BadParameter) and error.message and error.ctx and isinstance(error.param, click.Option):
        source = error.ctx.get_parameter_source(str(error.param.name))
        name = error.param.envvar if source is click.core.ParameterSource.ENVIRONMENT else error.param.opts[0]
        return f"{name}: {error.message.rstrip('.')}"
    text = error.format_message()
    return text[:1].lower() + text[1:].rstrip(".")


def _fail(text: str) -> NoReturn:
    click.echo(f"alta-mock: {' '.join(text.split())}", err=True)
    sys.exit(UNUSABLE)
