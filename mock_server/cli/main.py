"""The command `alta-mock`.

Exit codes: 0 fine, 1 a contract was broken, 2 usage or target unusable, 3 nothing was proven, 130 interrupted.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

import alta_terminal as terminal
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mock_server.mock import AltaMock

USAGE = 2
INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> None:
    """Run the command and end the process with its exit code; a mistake is one line on standard error."""
    try:
        color = terminal.colour()
        sys.exit(commands.main(arguments, prog_name="alta-mock", standalone_mode=False, color=color))
    except MockError as error:
        _fail(str(error))
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(USAGE)
    except click.ClickException as error:
        command = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "alta-mock"
        _fail(f"{_lower(error.format_message())} ({command} --help lists what there is)")
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)


def _fail(text: str) -> NoReturn:
    click.echo(f"alta-mock: {' '.join(text.split())}", err=True)
    sys.exit(USAGE)


def _print(text: str) -> None:
    """Print to standard output; if nobody reads on, end in peace."""
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(0) from None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")


def parse_address(text: str) -> tuple[str, int]:
    """Read `host:port`, `[::1]:port` or `:port`, which is the loopback address.

    Raises:
        MockError: It has another form.
    """
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]/@ ]*)):([0-9]{1,5})", text, re.ASCII)
    if not found or int(found[3]) > 65535:  # noqa: PLR2004 - the last port there is
        raise MockError(f"{text!r} is no address; write host:port, for example 127.0.0.1:8080")
    return found[1] or found[2] or "127.0.0.1", int(found[3])


def _checked(check: Callable[[str], Any]) -> Callable[..., str | None]:
    """Make a callback that refuses what a function refuses, in a message that names option and variable."""

    def callback(_context: object, _option: object, text: str | None) -> str | None:
        try:
            if text is not None:
                check(text)
        except MockError as error:
            raise click.BadParameter(str(error)) from error
        return text

    return callback


def _limit(text: str) -> None:
    from mock_server.contract.limits import Limit  # noqa: PLC0415 - --help need not wait for it

    Limit.parse(text)


def _names(_context: object, _option: object, text: str) -> tuple[str, ...]:
    """Read names with commas between them."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _statuses(names: tuple[str, ...]) -> tuple[int, ...]:
    """Read statuses."""
    for name in names:
        if not re.fullmatch("[1-5][0-9][0-9]", name, re.ASCII):
            raise click.BadParameter(f"{name!r} is no status; write them like 200,429", param_hint="'--require'")
    return tuple(map(int, names))


_files = click.Path().shell_complete
"""Lets the shell complete the name of a file, whatever type the value has."""


def _completed(names: Callable[[click.Context], Iterable[str]]) -> Callable[..., list[str]]:
    """Make a completion of the last of some names with commas between them; there is none without the kit's extra."""

    def complete(context: click.Context, _option: object, incomplete: str) -> list[str]:
        before, comma, begun = incomplete.rpartition(",")
        with contextlib.suppress(MockError):
            return [before + comma + name for name in names(context) if name.startswith(begun) and " " not in name]
        return []

    return complete


def _provider_rules(_context: object) -> Mapping[str, Any]:
    rules: Mapping[str, Any] = _needing_verify("contract_tests.provider.verify").RULES
    return rules


def _consumer_rules(_context: object) -> Mapping[str, Any]:
    rules: Mapping[str, Any] = _needing_verify("contract_tests.consumer.rules").RULES
    return rules


def _required(context: click.Context) -> Iterable[str]:
    """Return what `exec --require` may name."""
    if context.params.get("consumer"):
        return _consumer_rules(context)
    from mock_server.pipeline.injection import ERRORS  # noqa: PLC0415 - only a completion needs it

    return map(str, sorted({200, *ERRORS}))


def _mutant_names(_context: object) -> Iterable[str]:
    """Return what `score --only` may name; clients, whose names have a space, are not completed."""
    return ["correct", *_needing_verify("contract_tests.mutants.catalogue").MUTANTS]


def _setting(flag: str, *names: str, **options: Any) -> Callable[[Any], Any]:
    """Make an option with its environment variable, named after the flag."""
    variable = "ALTA_MOCK_" + flag.removeprefix("--").replace("-", "_").upper()
    return click.option(flag, *names, envvar=variable, show_envvar=True, **options)


def _file(flag: str, help: str) -> Callable[[Any], Any]:  # noqa: A002 - click's word
    """Make an option that names a file."""
    return click.option(flag, type=click.Path(path_type=Path), metavar="FILE", help=help)


def _listed(
    flag: str,
    metavar: str,
    known: Callable[[click.Context], Iterable[str]],
    help: str,  # noqa: A002 - click's word
) -> Callable[[Any], Any]:
    """Make an option that takes names with commas between them."""
    return click.option(flag, metavar=metavar, default="", callback=_names, shell_complete=_completed(known), help=help)


def _examples(*lines: str) -> str:
    """Return what stands below the help of a command; the lines are not wrapped."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_examples("alta-mock serve", "alta-mock exec --strict -- npm test", "alta-mock verify --help"),
)
@click.version_option(package_name="alta-mock", prog_name="alta-mock")
def commands() -> None:
    """The Alta API on your own machine: a faithful fake server and a contract-testing kit."""


def _in_place(flag: str, what: str) -> Callable[[Any], Any]:
    """Make a setting that names a file in place of a bundled one."""
    return _setting(flag, metavar="FILE", shell_complete=_files, help=f"{what} in place of the bundled one.")


_OF_A_LIMIT: dict[str, Any] = {"callback": _checked(_limit), "metavar": "N/Ss|off", "show_default": True}

_OPENAPI = _in_place("--openapi", "A published OpenAPI 3.1 document")
_OVERLAY = _in_place("--overlay", "An overlay")


def _mock_settings(command: Any) -> Any:
    """Add the settings that every command has that starts a fake."""
    for option in reversed(
        (
            _in_place("--data", "A seed of accounts, campaigns and tokens"),
            _OPENAPI,
            _OVERLAY,
            _setting("--rate-limit", help="The limit of each operation.  [contract: 10/60s]", **_OF_A_LIMIT),
            _setting("--account-rate-limit", help="The limit over all operations.  [contract: 100/60s]", **_OF_A_LIMIT),
            _setting("--no-why", is_flag=True, help="Leave out the header X-Alta-Mock-Why."),
        )
    ):
        command = option(command)
    return command


def _report_files(command: Any) -> Any:
    """Add the options of report files, which every command has that examines something."""
    for name, reader in (("--junit", "CI"), ("--json", "programs")):
        command = _file(name, f"Write a report for {reader}.")(command)
    return command


def _random_seed(command: Any) -> Any:
    """Add the option that makes random choices others."""
    kind, told = click.IntRange(0), "The seed of random choices."
    return click.option("--random-seed", type=kind, metavar="N", default=0, show_default=True, help=told)(command)


@commands.command(
    epilog=_examples(
        "alta-mock serve",
        "alta-mock serve --bind 127.0.0.1:9000 --rate-limit 3/10s",
        "alta-mock serve --data my-seed.yaml --log json > requests.jsonl",
    )
)
@_setting(
    "--bind",
    callback=_checked(parse_address),
    default="127.0.0.1:8080",
    metavar="HOST:PORT",
    show_default=True,
    help="Where to listen.",
)
@_setting("--control-token", metavar="TOKEN", help="Let other machines use the control API, /_mock, by this token.")
@_setting(
    "--log",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="The form of log lines.",
)
@_mock_settings
def serve(bind: str, form: str, control_token: str | None, no_why: bool, **settings: Any) -> None:  # noqa: FBT001 - click calls it
    """Serve the fake Alta API until it is told to stop."""
    import asyncio  # noqa: PLC0415 - --help need not wait for the server's imports

    from mock_server.journal.access_log import Log  # noqa: PLC0415 - the same
    from mock_server.mock import AltaMock  # noqa: PLC0415 - the same
    from mock_server.transports.asgi import Server, listen, origin_of  # noqa: PLC0415 - the same
    from mock_server.transports.dispatch import Dispatcher  # noqa: PLC0415 - the same

    _allow_many_connections()
    address = parse_address(bind)
    mock = AltaMock(why=not no_why, **settings)
    listening = listen(*address, control_token)
    click.echo(banner(mock, origin_of(listening)), err=True)
    log = Log(sys.stdout, form, mock.redact, colour=terminal.paints(sys.stdout))
    server = Server(Dispatcher(mock, "socket", control_token, log), listening)
    # What was loaded stays, so the collector need not look through it again and again, nor through the journal: little
    # here is ever part of a circle.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
    # Who looks at the journal, in a thread, gives way to the API after 0.5 ms instead of 5, but within a call of json.
    sys.setswitchinterval(0.0005)
    asyncio.run(_until_told(server))


def _allow_many_connections() -> None:
    """Raise the limit of open files to what the system lets a user have: each connection is one."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows, nor such a limit
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS has a lower limit than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _until_told(server: Any) -> None:
    """Serve until SIGINT or SIGTERM; a second one ends the process at once."""
    import asyncio  # noqa: PLC0415 - see serve

    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def told(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, told)
    await server.run(stop)


def banner(mock: AltaMock, origin: str) -> str:
    """Return what a new user needs: base URL, tokens, campaigns, a curl line that works when pasted, and the page."""
    from importlib.metadata import version  # noqa: PLC0415 - see serve

    url = origin + mock.contract.base_path
    width = max(map(len, mock.seed.tokens))
    lines = [f"alta-mock {version('alta-mock')}: the Alta API, faked, at {url}", "", "Tokens"]
    lines += [f"  {token.token:{width}}  {token.note}" for token in mock.seed.tokens.values()]
    for account in mock.seed.accounts:
        lines += ["", f"Campaigns of {account.name}"]
        for _, campaign in account.objects:
            archived = ", archived" if campaign["isArchived"] else ""
            lines.append(f"  {campaign['id']}  {campaign['name']} ({campaign['status']}{archived})")
    # Every address of the machine is none to go to.
    here = origin.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    if "addProspectsToCampaign" in {operation.id for operation in mock.contract.operations}:
        lines += _try_it(mock, here + mock.contract.base_path)
    lines += ["", f"Look at it in a browser: {here}/ (and {here}/docs, the API reference)"]
    return "\n".join([*lines, "", "Stop it with Ctrl-C."])


def _try_it(mock: AltaMock, url: str) -> list[str]:
    """Return lines to paste: a curl line that adds a prospect, and what a program needs to know."""
    default_credentials = mock.default_credentials()
    if default_credentials is None:
        return []
    token, campaign = default_credentials
    headers = [f"Authorization: Bearer {token}", "Content-Type: application/json"]
    options = [word for header in headers for word in ("-H", header)]
    words = ["curl", "-i", f"{url}/campaigns/{campaign}/prospects", *options]
    words += ["-d", '{"data":[{"email":"ada@example.com"}]}']
    settings = {"ALTA_BASE_URL": url, "ALTA_API_TOKEN": token, "ALTA_CAMPAIGN_ID": campaign}
    if os.name == "nt":
        exports = [f"set {name}={value}" for name, value in settings.items()]
        return [
            "",
            "Try it",
            "  " + subprocess.list2cmdline(words),
            "",
            "For your program",
            *("  " + e for e in exports),
        ]
    exported = shlex.join(f"{name}={value}" for name, value in settings.items())
    return ["", "Try it", "  " + shlex.join(words), "", "For your program", "  export " + exported]


@commands.command(
    epilog=_examples("alta-mock spec > alta.json && npx openapi-typescript alta.json", "alta-mock spec --published")
)
@click.option("--published", is_flag=True, help="Print the published document alone, without the overlay.")
@_OPENAPI
@_OVERLAY
def spec(published: bool, openapi: str | None, overlay: str | None) -> None:  # noqa: FBT001 - click calls it
    """Print the contract as one OpenAPI document, in JSON.

    It is what the vendor publishes plus what the overlay adds.
    """
    import json  # noqa: PLC0415 - see serve

    from mock_server.contract.contract import Contract  # noqa: PLC0415 - see serve

    contract = Contract.load(Path(openapi) if openapi else None, Path(overlay) if overlay else None)
    value = contract.published.value if published else contract.document
    _print(json.dumps(value, indent=2, ensure_ascii=False))


@commands.command(epilog=_examples("alta-mock assumptions"))
def assumptions() -> None:
    """Print what the vendor leaves open.

    Each question comes with what the fake does there, and why.
    """
    from mock_server.contract.assumptions import load  # noqa: PLC0415 - see serve

    for one in load():
        _print(f"{one.id}\n  Question: {one.question}\n  We:       {one.ours}\n  Because:  {one.why}\n")


@commands.command(
    "exec",
    epilog=_examples(
        "alta-mock exec -- node script.mjs",
        "alta-mock exec --strict --require 200,429 -- node script.mjs",
        "alta-mock exec --consumer --expect people.json -- node add.mjs people.json",
    ),
    context_settings={"allow_interspersed_args": False},
)
@click.option("--strict", is_flag=True, help="Fail if the contract was broken, or if nothing was sent.")
@click.option("--consumer", is_flag=True, help="Run it once for each scenario, and judge how it behaves.")
@_listed(
    "--require",
    "NAME,...",
    _required,
    "Statuses that must be answered; with --consumer, rules that must be put to the test.",
)
@_file("--expect", "With --consumer: the prospects that must arrive, as JSON.")
@_listed("--only", "RULE,...", _consumer_rules, "With --consumer: judge by these rules.")
@_listed("--skip", "RULE,...", _consumer_rules, "With --consumer: leave these rules out.")
@click.option(
    "--timeout",
    type=click.FloatRange(1, 3600),
    metavar="SECONDS",
    default=90,
    show_default=True,
    help="With --consumer: the time for each scenario.",
)
@_file("--har", "Write the traffic as a HAR file, for a browser.")
@_report_files
@_mock_settings
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=_files)
def execute_command(  # noqa: PLR0913 - click calls it with each option
    command: tuple[str, ...],
    *,
    strict: bool,
    consumer: bool,
    require: tuple[str, ...],
    expect: Path | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    timeout: float,
    har: Path | None,
    json: Path | None,
    junit: Path | None,
    no_why: bool,
    **settings: Any,
) -> int:
    """Run COMMAND beside a fake of its own, and say what it sent.

    It finds the fake by ALTA_BASE_URL, ALTA_API_TOKEN and ALTA_CAMPAIGN_ID. Without --strict the exit code is the
    command's own; with it, 1 if the contract was broken, 3 if nothing was sent. With --consumer it is run once for each
    scenario, several at a time, and judged by rules: 0 it behaves, 1 it breaks one, 3 nothing is proven.
    """
    if consumer:
        if strict or har:
            raise click.UsageError("--strict and --har are not for --consumer, which judges and reports by itself")
        kit = _needing_verify("contract_tests.consumer.check")
        options = kit.options_of(kit.read_expected(expect), require, only, skip)
        files = {name: settings[name] for name in ("data", "openapi", "overlay")} | {"why": not no_why}
        code: int = kit.execute_consumer(command, options, timeout, kit.Files(json=json, junit=junit), files)
        return code
    if expect or only or skip:
        raise click.UsageError("--expect, --only and --skip are for --consumer")
    from mock_server.cli.exec import Options, execute  # noqa: PLC0415 - see serve
    from mock_server.mock import AltaMock  # noqa: PLC0415 - see serve

    asked = Options(strict=strict, require=_statuses(require), har=har, json=json, junit=junit)
    return execute(command, AltaMock(why=not no_why, **settings), asked)


def _needing_verify(module: str = "contract_tests.provider.command") -> Any:
    """Return a module of the kit, whose libraries are an extra."""
    from importlib import import_module  # noqa: PLC0415 - see serve

    try:
        return import_module(module)
    except ImportError as error:
        raise MockError(f"this command needs {error.name}: pip install 'alta-mock[verify]'") from error


@commands.command(
    epilog=_examples(
        "alta-mock verify --url http://127.0.0.1:8080/v1 --token test-token \\",
        "  --campaign-id 3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "alta-mock verify --reject-only --max-requests 40 --junit verify.xml",
        "alta-mock verify --only at-most-20,at-least-1",
    )
)
@click.option(
    "--url",
    envvar="ALTA_BASE_URL",
    show_envvar=True,
    required=True,
    metavar="URL",
    help="The base URL; it ends in /v1.",
)
@click.option(
    "--token", envvar="ALTA_API_TOKEN", show_envvar=True, required=True, metavar="TOKEN", help="A valid token."
)
@click.option(
    "--campaign-id",
    envvar="ALTA_CAMPAIGN_ID",
    show_envvar=True,
    required=True,
    metavar="ID",
    help="A campaign of its account.",
)
@click.option("--second-token", metavar="TOKEN", help="A token of another user of the same account.")
@click.option("--second-campaign-id", metavar="ID", help="Another campaign of the same account.")
@click.option("--other-account-token", metavar="TOKEN", help="A token of another account.")
@click.option("--foreign-campaign-id", metavar="ID", help="A campaign of that other account.")
@click.option("--rate-limit", default="10/60s", help="The limit that adding prospects is to have.", **_OF_A_LIMIT)
@click.option(
    "--account-rate-limit", default="100/60s", help="The limit that there is to be over all operations.", **_OF_A_LIMIT
)
@click.option("--allow-get", is_flag=True, help="Send GET /campaigns too, to measure the limit over all operations.")
@click.option("--write", "write_there", is_flag=True, help="Add prospects on another machine than this one.")
@click.option("--reject-only", is_flag=True, help="Send only what must be refused.")
@click.option("--max-requests", type=click.IntRange(1), metavar="N", help="Send so many requests at most.")
@_listed("--only", "RULE,...", _provider_rules, "Judge by these rules.")
@_listed("--skip", "RULE,...", _provider_rules, "Leave these rules out.")
@_random_seed
@_report_files
def verify(  # noqa: PLR0913 - click calls it with each option
    *,
    write_there: bool,
    reject_only: bool,
    max_requests: int | None,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    random_seed: int,
    json: Path | None,
    junit: Path | None,
    **given: Any,
) -> int:
    """Tell whether a server keeps the contract of the Alta API.

    It may be a fake, a staging system, or the vendor.

    Exit codes: 0 it does, 1 a rule is broken, 2 it cannot be examined, 3 nothing is proven, 130 interrupted.
    """
    kit = _needing_verify()
    options = kit.Options(
        only=kit.known_rules(only), skip=kit.known_rules(skip), max_requests=max_requests, seed=random_seed
    )
    files = kit.Files(json=json, junit=junit)
    given |= {name: kit.limit_of(given[name]) for name in ("rate_limit", "account_rate_limit")}
    code: int = kit.verify(kit.Given(**given), options, files, write_there=write_there, reject_only=reject_only)
    return code


@commands.command(
    epilog=_examples(
        "alta-mock score",
        "alta-mock score --jobs 2 --junit score.xml",
        "alta-mock score --only 21-accepted --without at-most-20",
    )
)
@_listed("--only", "NAME,...", _mutant_names, "Examine these defects and variants.")
@_listed(
    "--without",
    "RULE,...",
    lambda context: [*_provider_rules(context), *_consumer_rules(context)],
    "Leave these rules out, to see what slips through.",
)
@_file("--defects", "A Python file with more defects.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), metavar="N", default=os.cpu_count(), show_default=True, help="Processes."
)
@_random_seed
@_report_files
def score(  # noqa: PLR0913 - click calls it with each option
    *,
    only: tuple[str, ...],
    without: tuple[str, ...],
    defects: Path | None,
    jobs: int,
    random_seed: int,
    json: Path | None,
    junit: Path | None,
) -> int:
    """Tell what the rules are worth.

    They are held against providers and clients with one defect each, which they must catch, and against legal variants,
    which must pass.

    Exit codes: 0 every defect is caught and nobody is accused, 1 otherwise, 2 a mistake, 130 interrupted.
    """
    kit = _needing_verify("contract_tests.mutants.score")
    files = _needing_verify().Files(json=json, junit=junit)
    wanted = kit.Wanted(only, frozenset(without), defects, random_seed)
    code: int = kit.score(wanted, jobs, files)
    return code
