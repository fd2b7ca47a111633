"""What `alta-mock exec --consumer` runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from mock_server.cli.output import Files


def rule_ids(_context: object = None) -> Collection[str]:
    """Return the ids of all rules for consumers."""
    from mock_server.journal.rules import RULES  # noqa: PLC0415 - --help need not wait for it

    return RULES


def run(  # noqa: PLR0913 - the options of the command
    command: Sequence[str],
    *,
    expect: Path | None,
    require: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    timeout: float,
    files: Files,
    settings: Mapping[str, Any],
) -> int:
    """Run a command in every scenario, judge it by the rules, and return the exit code.

    Args:
        command: The words of the command.
        expect: A file with the prospects that must arrive; None if any may.
        require: Rules that must be exercised.
        only: Rules to judge by; empty for all.
        skip: Rules to leave out.
        timeout: Seconds for each scenario.
        files: The report files to write.
        settings: Settings of the fakes.

    Raises:
        MockError: An option is not valid, the command cannot be run, or a file cannot be written.
    """
    from contract_tests.consumer import check  # noqa: PLC0415 - a completion needs the rules only

    options = check.options_of(check.read_expected(expect), require, only, skip)
    return check.execute_consumer(command, options, timeout, files, settings)
