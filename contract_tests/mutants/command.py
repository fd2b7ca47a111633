"""The command `alta-mock score`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from mock_server.cli.options import examples, file_option, names_option, needing_extra, random_seed, report_files
from mock_server.cli.output import Files

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def _names(_context: object) -> Iterable[str]:
    """Return the names that `--only` completes; those of clients contain a space, which a shell would cut."""
    from contract_tests.mutants.catalogue import MUTANTS  # noqa: PLC0415 - --help need not wait for it

    return ["correct", *MUTANTS]


def _rules(_context: object) -> Iterable[str]:
    from contract_tests.provider.rules import RULES  # noqa: PLC0415 - --help need not wait for it
    from mock_server.journal.rules import RULES as CONSUMER_RULES  # noqa: PLC0415 - the same

    return [*RULES, *CONSUMER_RULES]


@click.command(
    epilog=examples(
        "alta-mock score",
        "alta-mock score --jobs 2 --junit score.xml",
        "alta-mock score --only 21-accepted --without body",
    )
)
@names_option("--only", "NAME,...", _names, "Score these mutants only.")
@click.option("--all", "every", is_flag=True, help="Score all derived mutants, not a random sample of them.")
@names_option("--without", "RULE,...", _rules, "Leave out these rules, to see which mutants survive.")
@file_option("--mutants", "Python file with more mutants.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", default=os.cpu_count(), show_default=True, help="Processes."
)
@random_seed
@report_files
def score(  # noqa: PLR0913 - click passes each option
    *,
    only: tuple[str, ...],
    every: bool,
    without: tuple[str, ...],
    mutants: Path | None,
    jobs: int,
    random_seed: int,
    files: Files,
) -> int:
    """Measure how many known mutants the rules catch.

    Mutants are providers and clients with one defect each, which the rules must catch; equivalent mutants differ within
    the contract, and must pass.

    Exit codes: 0 every mutant is caught and nothing that is right is accused, 1 otherwise, 2 a mistake, 130
    interrupted.
    """
    with needing_extra():
        from contract_tests.mutants import score as scoring  # noqa: PLC0415 - --help need not wait for it

    wanted = scoring.Wanted(only, frozenset(without), mutants, random_seed, every)
    return scoring.score(wanted, jobs, files)
