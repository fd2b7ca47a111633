"""`alta-mock trigger`: lets an event happen in a fake that is running."""

from __future__ import annotations

from typing import Any

import click

from mock_server.cli import options
from mock_server.cli.output import show
from mock_server.messages.errors import MockError

EVENTS = ("email-reply", "linkedin-reply", "call", "opt-out")
TIMEOUT = 10
"""Seconds to wait for the fake."""


@click.command(
    epilog=options.examples(
        "alta-mock trigger opt-out --prospect 30000000-0000-4000-8000-000000000001",
        "alta-mock trigger email-reply --body 'Tell me more.' \\",
        "  --prospect 30000000-0000-4000-8000-000000000001",
    )
)
@click.argument("event", type=click.Choice(EVENTS))
@click.option("--prospect", required=True, metavar="ID", help="Prospect that it happens to, from listProspects.")
@click.option("--body", metavar="TEXT", help="Body of an email-reply.")
@click.option("--subject", metavar="TEXT", help="Subject of an email-reply.")
@click.option("--text", metavar="TEXT", help="Text of a linkedin-reply.")
@click.option("--seconds", type=int, metavar="N", help="Duration of a call.")
@click.option("--summary", metavar="TEXT", help="Summary of a call.")
@click.option(
    "--url",
    envvar="ALTA_BASE_URL",
    show_envvar=True,
    default="http://127.0.0.1:8080/v1",
    metavar="URL",
    show_default=True,
    help="Base URL of the fake.",
)
@options.control_token
def trigger(*, event: str, prospect: str, url: str, control_token: str | None, **fields: Any) -> None:
    """Let an event happen to a prospect of a running fake.

    The events are email-reply, linkedin-reply, call and opt-out. Prints the object that the event leaves, as JSON.
    """
    import json  # noqa: PLC0415 - --help need not wait for it

    sent = {name: value for name, value in fields.items() if value is not None}
    found = _post(url, control_token, {"event": event, "prospectId": prospect, **sent})
    show(json.dumps(found, indent=2, ensure_ascii=False))


def _post(url: str, control_token: str | None, event: dict[str, Any]) -> dict[str, Any]:
    """Send an event to the control API beside a base URL.

    Raises:
        MockError: It is not the control API that answers, or it refuses the event.
    """
    import requests  # noqa: PLC0415 - --help need not wait for it

    with requests.Session() as session:
        session.trust_env = False  # a proxy cannot reach this machine, and a .netrc would replace the token
        if control_token:
            session.headers["Authorization"] = f"Bearer {control_token}".encode()
        try:
            reply = session.post(f"{url.rstrip('/').removesuffix('/v1')}/_mock/events", json=event, timeout=TIMEOUT)
            answer = reply.json()
        except requests.RequestException as error:
            raise MockError(f"no alta-mock answers at {url}; start alta-mock serve, or choose another --url") from error
    if not (isinstance(answer, dict) and reply.ok):
        raise MockError(
            f"{url}: {answer.get('message', answer) if isinstance(answer, dict) else 'this is not an alta-mock'}"
        )
    return answer
