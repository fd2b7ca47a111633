"""What the options of several commands share; nothing here imports the server or the contract-testing kit."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mock_server.cli.output import Files, conclude_failed
from mock_server.contract.limits import Limit, parse_seconds
from mock_server.messages.errors import MockError
from mock_server.messages.extras import missing
from mock_server.messages.names import nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

    Decorator = Callable[[Any], Any]

complete_files = click.Path().shell_complete
"""Lets the shell complete the name of a file, whatever type the value has."""


def examples(*lines: str) -> str:
    """Return the examples below the help of a command; the lines are not wrapped."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def checked(check: Callable[[str], Any]) -> Callable[..., str | None]:
    """Return a callback that validates a value, so that the message names option and variable."""

    def callback(_context: object, _option: object, text: str | None) -> str | None:
        try:
            if text is not None:
                check(text)
        except MockError as error:
            raise click.BadParameter(str(error)) from error
        return text

    return callback


def setting(flag: str, *names: str, **options: Any) -> Decorator:
    """Return an option with an environment variable named after its flag."""
    variable = "ALTA_MOCK_" + flag.removeprefix("--").replace("-", "_").upper()
    return click.option(flag, *names, envvar=variable, show_envvar=True, **options)


def file_option(flag: str, text: str) -> Decorator:
    """Return an option that names a file, with a help text."""
    return click.option(flag, type=click.Path(path_type=Path), metavar="FILE", help=text)


def names_option(flag: str, metavar: str, known: Callable[[click.Context], Iterable[str]], text: str) -> Decorator:
    """Return a repeatable option that takes names separated by commas, of which the shell completes the last."""

    def names(_context: object, _option: object, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(part.strip() for text in texts for part in text.split(",") if part.strip())

    def complete(context: click.Context, _option: object, incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        with contextlib.suppress(MockError), needing_extra():
            return [before + comma + name for name in known(context) if name.startswith(begun) and " " not in name]
        return []

    return click.option(flag, metavar=metavar, multiple=True, callback=names, shell_complete=complete, help=text)


def known_names(names: Iterable[str], known: Collection[str], kind: str) -> frozenset[str]:
    """Return names of a kind, for example `rule`.

    Raises:
        MockError: A name is unknown; suggests the nearest.
    """
    for name in names:
        if name not in known:
            close = nearest(name, known, 0.4)
            remedy = f"did you mean {close}?" if close else f"choose one of {', '.join(known)}"
            raise MockError(f"unknown {kind} {name!r}; {remedy}")
    return frozenset(names)


def _replacing(flag: str, what: str) -> Decorator:
    return setting(flag, metavar="FILE", shell_complete=complete_files, help=f"{what} that replaces the bundled one.")


control_token = setting(
    "--control-token", metavar="TOKEN", help="Token with which other machines may use the control API, /_mock."
)

LIMIT: dict[str, Any] = {"callback": checked(Limit.parse), "metavar": "N/Ss|off", "show_default": True}
"""What options that take a rate limit have in common."""

data_option = _replacing("--data", "Seed of accounts, campaigns and tokens")
openapi_option = _replacing("--openapi", "Published OpenAPI 3.1 document")
overlay_option = _replacing("--overlay", "Overlay")


def _choices(_context: object, _option: object, texts: tuple[str, ...]) -> dict[str, str]:
    from mock_server.contract.assumptions import parse  # noqa: PLC0415 - --help need not wait for it

    try:
        return parse(texts)
    except MockError as error:
        raise click.BadParameter(str(error)) from error


def _complete_choice(_context: object, _option: object, incomplete: str) -> list[str]:
    from mock_server.contract.assumptions import switches  # noqa: PLC0415 - as above

    words = [f"{name}={choice.id}" for name, one in switches().items() for choice in one.choices]
    return [word for word in words if word.startswith(incomplete)]


assume_option = setting(
    "--assume",
    multiple=True,
    callback=_choices,
    shell_complete=_complete_choice,
    metavar="ID=CHOICE",
    help="What to assume where the documentation is silent; see `alta-mock assumptions`.",
)

assume_file_option = setting(
    "--assume-file",
    metavar="FILE",
    shell_complete=complete_files,
    help="Choices to assume, as `alta-mock check --write-assume` writes them.",
)


def mock_settings(command: Any) -> Any:
    """Add the settings of all commands that start a fake; what --assume-file names is part of `assume`."""

    @functools.wraps(command)
    def assuming(*words: Any, assume: dict[str, str], assume_file: str | None, **given: Any) -> Any:
        from mock_server.contract.assumptions import read_file  # noqa: PLC0415 - --help need not wait for it

        in_file = read_file(Path(assume_file)) if assume_file else {}
        return command(*words, assume={**in_file, **assume}, **given)

    options = (
        data_option,
        openapi_option,
        overlay_option,
        setting("--store", default="memory", metavar="URL", show_default=True, help="Where the state is kept."),
        setting("--rate-limit", help="Limit of each operation.  [contract: 10/60s]", **LIMIT),
        setting("--account-rate-limit", help="Limit across all operations.  [contract: 100/60s]", **LIMIT),
        setting(
            "--visible-after",
            callback=checked(parse_seconds),
            default="0s",
            metavar="Ns",
            show_default=True,
            help="Time until an added prospect is in lists.",
        ),
        assume_option,
        assume_file_option,
        setting("--no-why", is_flag=True, help="Leave out the header X-Alta-Mock-Why."),
    )
    decorated: Any = assuming
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def report_files(command: Callable[..., int]) -> Any:
    """Add the options `--json` and `--junit`; the command gets `files`, which also say so if an error ends it."""

    @functools.wraps(command)
    def reporting(*words: Any, json: Path | None, junit: Path | None, har: Path | None = None, **given: Any) -> int:
        files = Files(json, junit, har)
        files.check()
        try:
            return command(*words, files=files, **given)
        except Exception as error:
            conclude_failed(click.get_current_context().command_path, error, files)
            raise

    junit = file_option("--junit", "Write a report for CI.")
    return file_option("--json", "Write a report for programs.")(junit(reporting))


random_seed = click.option(
    "--random-seed", type=click.IntRange(0), metavar="N", default=0, show_default=True, help="Seed of random choices."
)


@contextlib.contextmanager
def needing_extra() -> Iterator[None]:
    """Report a missing library together with the command that installs its extra.

    Raises:
        MockError: Names what to install.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if str(error.name).startswith(("mock_server", "contract_tests")):
            raise  # a mistake of ours
        raise missing("this command", error) from error


def from_kit(name: str) -> Any:
    """Return what the contract-testing kit provides under a name of the entry-point group `alta_mock.kit`.

    Raises:
        MockError: The kit, or a library that it needs, is not installed.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - a third of the time that a command takes to start

    for entry in entry_points(group="alta_mock.kit", name=name):
        with needing_extra():
            return entry.load()
    raise MockError("the contract-testing kit is not installed; reinstall alta-mock")
