"""The help of every command: its width, and its examples."""

from __future__ import annotations

import contextlib
import re
import shlex

import click
import pytest

from alta_client.add.cli import command as alta_add
from mock_server.cli.main import commands

COMMANDS: dict[str, click.Command] = {
    "alta-add": alta_add,
    "alta-mock": commands,
    **{f"alta-mock {name}": one for name, one in commands.commands.items()},
}


def shown(name: str) -> str:
    """Return the help of a command."""
    group = click.Context(commands, **commands.context_settings)  # the settings also apply to its commands
    command = COMMANDS[name]
    return command.get_help(click.Context(command, group, name, **command.context_settings))


def examples(name: str) -> list[str]:
    """Return the examples below the help of a command, a line each."""
    _, _, below = (COMMANDS[name].epilog or "").partition("Examples:\n")
    return [line.strip() for line in re.sub(r" \\\n +", " ", below).splitlines()]


@pytest.mark.parametrize("width", [80, 100, 200])
@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits(name: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any width up to 100 columns no description is cut, and no example is wrapped."""
    monkeypatch.setenv("COLUMNS", str(width))
    usage, *lines = shown(name).splitlines()

    assert max(map(len, [usage, *lines])) < min(width, 100)
    assert not any(line.endswith("...") for line in lines)
    assert lines[lines.index("  Examples:") + 1 :] == [
        f"  {line}" for line in (COMMANDS[name].epilog or "").splitlines()[2:]
    ]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_a_sentence(name: str) -> None:
    """It has a capital, a full stop, and no type name in place of a value's name."""
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            assert re.match(r"[A-Z].*\.(  \[.*\])?$", option.help or ""), option.name
            assert option.is_flag or option.metavar or isinstance(option.type, click.Choice), option.name


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_understood(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser accepts each option and value; examples that need a provider read it from the variables."""
    for variable in ("ALTA_BASE_URL", "ALTA_API_TOKEN", "ALTA_CAMPAIGN_ID"):
        monkeypatch.setenv(variable, "given")
    assert examples(name)
    for line in examples(name):
        words = shlex.split(re.split(r" > | && ", line)[0])
        assert words[0] == name.split(maxsplit=1)[0]
        if words[0] == "alta-add":
            alta_add.make_context(words[0], words[1:])
            continue
        assert name in {"alta-mock", " ".join(words[:2])}
        with contextlib.suppress(click.exceptions.Exit):  # raised by --help
            commands.commands[words[1]].make_context(words[1], words[2:])
