"""`alta-mock serve`: the fake on a socket, and the banner that says how to use it."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click

import alta_terminal as terminal
from mock_server.cli import options
from mock_server.cli.output import UNUSABLE, say
from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from multiprocessing.connection import Connection

    from mock_server.mock import AltaMock


def parse_address(text: str) -> tuple[str, int]:
    """Read `host:port`, `[::1]:port` or `:port`, which is the loopback address.

    Raises:
        MockError: It has another form.
    """
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.]+)\]|([^:\[\]/@ ]*)):([0-9]{1,5})", text, re.ASCII)
    if not found or int(found[3]) > 65535:  # noqa: PLR2004 - the highest port
        raise MockError(f"{text!r} is not a valid address; write host:port, for example 127.0.0.1:8080")
    return found[1] or found[2] or "127.0.0.1", int(found[3])


@click.command(
    epilog=options.examples(
        "alta-mock serve",
        "alta-mock serve --bind 127.0.0.1:9000 --rate-limit 3/10s",
        "alta-mock serve --data my-seed.yaml --log json > requests.jsonl",
    )
)
@options.setting(
    "--bind",
    callback=options.checked(parse_address),
    default="127.0.0.1:8080",
    metavar="HOST:PORT",
    show_default=True,
    help="Address to listen on.",
)
@options.control_token
@options.setting(
    "--log",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Form of the log lines.",
)
@options.setting(
    "--workers",
    type=click.IntRange(1, 64),
    metavar="N",
    default=1,
    show_default=True,
    help="Processes; more than one need a shared --store.",
)
@options.mock_settings
def serve(*, bind: str, form: str, workers: int, no_why: bool, **given: Any) -> None:
    """Serve the fake Alta API until it is stopped."""
    # Hardly anything here is ever part of a cycle, so the collector need not look often.
    gc.set_threshold(100_000, 50, 100)
    from mock_server.mock import AltaMock  # noqa: PLC0415 - --help need not wait for the server's imports
    from mock_server.transports.server import listen, origin_of  # noqa: PLC0415 - the same

    _allow_many_connections()
    address = parse_address(bind)
    settings = {"why": not no_why, **given}
    mock = AltaMock(**settings)
    if workers > 1 and not mock.store.waits:
        raise MockError(
            f"--workers: {workers} processes share no memory; choose --store sqlite:///FILE or postgresql://"
        )
    listening = listen(*address, mock.config.control_token)
    click.echo(terminal.output(banner(mock, origin_of(listening))), err=True)
    if workers == 1:
        answer(mock, listening, form)
        return
    from mock_server.transports.workers import supervise  # noqa: PLC0415 - only these processes need it

    mock.store.close()
    supervise(workers, work, listening, form, settings)


def work(listening: socket.socket, life: Connection, form: str, settings: Mapping[str, Any]) -> None:
    """Answer at a socket, in a process of its own, until the parent closes the pipe."""
    from mock_server.mock import AltaMock  # noqa: PLC0415 - see serve

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to the parent, too
    try:
        answer(AltaMock(**settings), listening, form, life)
    except MockError as error:
        say(str(error))
        sys.exit(UNUSABLE)


def answer(mock: AltaMock, listening: socket.socket, form: str, life: Connection | None = None) -> None:
    """Answer at a socket until a signal, or until the parent closes the pipe."""
    from mock_server.journal.access_log import Log  # noqa: PLC0415 - see serve
    from mock_server.transports.dispatch import Dispatcher  # noqa: PLC0415 - see serve
    from mock_server.transports.server import Server, run  # noqa: PLC0415 - see serve

    log = Log(sys.stdout, form, mock.redact, colour=terminal.paints(sys.stdout))
    server = Server(Dispatcher(mock, "socket", mock.config.control_token, log), listening)
    gc.freeze()  # what is loaded by now stays, so the collector need not visit it again and again
    # A thread that reads the journal yields to the API after 0.5 ms instead of 5, except within a call of json.
    sys.setswitchinterval(0.0005)
    run(_serve_until_signalled(server, life))


def _allow_many_connections() -> None:
    """Raise the limit of open files to the maximum for a user: each connection is one."""
    try:
        import resource  # noqa: PLC0415 - Windows has neither the module nor such a limit
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # the real limit of macOS is lower than the one it reports
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _serve_until_signalled(server: Any, life: Connection | None) -> None:
    """Serve until SIGINT or SIGTERM; a second signal ends the process at once. A worker also ends with its parent."""
    import asyncio  # noqa: PLC0415 - see serve

    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def signalled(number: int, _frame: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    for number in (signal.SIGTERM,) if life else (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signalled)
    if life:
        from mock_server.transports.workers import when_closed  # noqa: PLC0415 - see serve

        when_closed(life, lambda: loop.call_soon_threadsafe(stop.set))
    await server.run(stop)


def banner(mock: AltaMock, origin: str) -> str:
    """Return what a new user needs: base URL, tokens, objects, a curl line to paste, and the page."""
    from importlib.metadata import version  # noqa: PLC0415 - see serve

    from mock_server.handlers import SAMPLE  # noqa: PLC0415 - see serve

    url = origin + mock.contract.base_path
    width = max(map(len, mock.seed.tokens))
    lines = [f"alta-mock {version('alta-mock')}: the Alta API, faked, at {url}", "", "Tokens"]
    lines += [f"  {token.token:{width}}  {token.note}" for token in mock.seed.tokens.values()]
    for account in mock.seed.accounts:
        lines += ["", f"{SAMPLE.kind.capitalize()}s of {account.name}"]
        for kind, value in account.objects:
            if kind == SAMPLE.kind:
                archived = ", archived" if value["isArchived"] else ""
                lines.append(f"  {value['id']}  {value['name']} ({value['status']}{archived})")
    if chosen := mock.choices.chosen:
        lines += ["", f"Assumes {', '.join(f'{name}={choice}' for name, choice in chosen.items())}"]
    # The address that stands for all interfaces cannot be opened.
    here = origin.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
    lines += [*_try_it(mock, here + mock.contract.base_path), ""]
    lines += [f"Look at it in a browser: {here}/ (and {here}/docs, the API reference)", "", "Stop it with Ctrl-C."]
    return "\n".join(lines)


def _try_it(mock: AltaMock, url: str) -> list[str]:
    """Return lines to paste: a curl line with the sample request, and the variables that a program needs."""
    import json  # noqa: PLC0415 - see serve

    from mock_server.cli.process import settings  # noqa: PLC0415 - see serve
    from mock_server.handlers import SAMPLE  # noqa: PLC0415 - see serve

    credentials = mock.default_credentials()
    operation = next((one for one in mock.contract.operations if one.id == SAMPLE.operation), None)
    if credentials is None or operation is None:
        return []
    token, object_id = credentials
    path = "/".join(object_id if segment is None else segment for segment in operation.segments)
    words = ["curl", "-i", f"{url}/{path}", "-H", f"Authorization: Bearer {token}"]
    words += ["-H", "Content-Type: application/json", "-d", json.dumps(SAMPLE.body, separators=(",", ":"))]
    variables = settings(mock, url)
    if os.name == "nt":
        line, exports = subprocess.list2cmdline(words), [f"set {name}={value}" for name, value in variables.items()]
    else:
        assignments = shlex.join(f"{name}={value}" for name, value in variables.items())
        line, exports = shlex.join(words), [f"export {assignments}"]
    return ["", "Try it", f"  {line}", "", "For your program", *(f"  {export}" for export in exports)]
