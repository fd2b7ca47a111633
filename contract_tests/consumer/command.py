"""`alta-mock exec --consumer` and `--vary`: run a command many times, several at a time, and judge it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from contract_tests.consumer.scenarios import Played
    from contract_tests.consumer.vary import Task
    from mock_server.cli.output import Files


def run(  # noqa: PLR0913 - the options of the command
    command: Sequence[str],
    *,
    expect: Path | None,
    require: Sequence[str],
    only: Sequence[str],
    skip: Sequence[str],
    fail_on: frozenset[str],
    timeout: float,
    files: Files,
    settings: Mapping[str, Any],
) -> int:
    """Run a command in every scenario, at most `timeout` seconds, judge it by the rules, and return the exit code.

    Raises:
        MockError: An option is not valid, or the command cannot be run.
    """
    from contract_tests.consumer.check import options_of  # noqa: PLC0415 - a completion needs the rules only
    from contract_tests.consumer.processes import Command, play_all  # noqa: PLC0415 - the same
    from contract_tests.consumer.report import report_of  # noqa: PLC0415 - the same
    from contract_tests.consumer.results import judge  # noqa: PLC0415 - as above
    from mock_server.cli.output import INTERRUPTED, conclude  # noqa: PLC0415 - the same

    options = options_of(read_expected(expect), require, only, skip, fail_on)
    try:
        runs = play_all(Command(command, options, timeout, settings))
    except KeyboardInterrupt:
        return INTERRUPTED
    return conclude(report_of(judge(runs, options)), files)


def run_varied(  # noqa: PLR0913 - the options of the command
    command: Sequence[str],
    *,
    expect: Path | None,
    vary: str,
    random_seed: int,
    timeout: float,
    files: Files,
    settings: Mapping[str, Any],
) -> int:
    """Run a command under each reading of the documentation that its requests meet, and return the exit code.

    Raises:
        MockError: An option is not valid, or the command cannot be run.
    """
    from contract_tests.consumer.check import limits_of  # noqa: PLC0415 - as above
    from contract_tests.consumer.processes import Command, at_once  # noqa: PLC0415 - the same
    from contract_tests.consumer.results import Options  # noqa: PLC0415 - as above
    from contract_tests.consumer.vary import vary as vary_consumer  # noqa: PLC0415 - as above
    from contract_tests.consumer.vary_report import report_of  # noqa: PLC0415 - as above
    from mock_server.cli.output import INTERRUPTED, conclude  # noqa: PLC0415 - as above

    assumed = settings["assume"]
    kept = {name: settings[name] for name in ("data", "openapi", "overlay", "visible_after")}
    limits = limits_of(settings["rate_limit"], settings["account_rate_limit"])
    one = Command(command, Options(read_expected(expect)), timeout, {**kept, "why": False})
    numbers = count(1)

    def play(tasks: Sequence[Task]) -> list[Played]:
        plays = {}
        for task in tasks:
            name = f"{next(numbers)}-{task.scenario.name}-{'-'.join(task.reading)[:40]}".rstrip("-")
            scenario = replace(task.scenario, name=name)
            plays[name] = partial(one.play, scenario, None, assume={**assumed, **task.reading})
        return at_once(one, plays, "runs")

    try:
        varied = vary_consumer(play, combined=vary == "pairs", seed=random_seed, assumed=assumed, limits=limits)
    except KeyboardInterrupt:
        return INTERRUPTED
    return conclude(report_of(varied), files)


def read_expected(file: Path | None) -> Sequence[Mapping[str, Any]] | None:
    """Read the prospects that must arrive.

    Raises:
        MockError: The file cannot be read, or is not a JSON array of objects.
    """
    if file is None:
        return None
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise MockError(f"cannot read {file}: {error.strerror}; name another file") from error
    except (ValueError, RecursionError) as error:
        raise MockError(f"{file} is not valid JSON: {error}; write a JSON array of objects") from error
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise MockError(f"{file} is not a list of prospects; write a JSON array of objects, as they are to be sent")
    return value
