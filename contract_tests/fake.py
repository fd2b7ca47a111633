"""The fake under test, behind one of its transports, on a clock that moves with every request."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis import Config

from contract_tests.provider.rules import Given
from mock_server import AltaMock, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mock_server.messages.http import ApiRequest
    from mock_server.messages.outcome import Outcome

CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
TOKEN = "test-token"  # noqa: S105 - the seeded token is public
SECOND_CAMPAIGN = "5b1c7d0e-93a4-4f62-8a57-2f6f0c9d1e24"
FOREIGN_CAMPAIGN = "a7e4c2f8-61d3-4be0-9c15-7d20f4b8e913"

TICK = 6
"""Seconds that go by with each request: ten of them in a window of sixty, so that the limiter, on, lets all pass."""


def seeded(url: str, **changes: Any) -> Given:
    """Return what is known of a fake as it is out of the box."""
    known = {
        "token": TOKEN,
        "campaign_id": CAMPAIGN,
        "second_token": "test-token-2",
        "second_campaign_id": SECOND_CAMPAIGN,
        "other_account_token": "other-token",
        "foreign_campaign_id": FOREIGN_CAMPAIGN,
    }
    return Given(**{"url": url, **known, **changes})


TRANSPORTS = ("in-process", "socket")
IDS = ("pinned", "free")


@dataclass(frozen=True)
class Target:
    """A fake that can be sent requests, and the schema that Schemathesis sends them by.

    Attributes:
        mock: The engine behind the transport.
        schema: Schemathesis' view of the effective contract, wired to the transport.
    """

    mock: AltaMock
    schema: Any


@contextmanager
def open_target(transport: str, ids: str, *, tick: float = TICK, seed: int | None = None) -> Iterator[Target]:
    """Start a fake behind a transport.

    Args:
        transport: `in-process`, through WSGI, or `socket`.
        ids: `pinned`, every request to a known campaign, or `free`, to whatever is generated.
        tick: Seconds that the clock goes on before each request; it does not move otherwise.
        seed: Explore by this seed; None generates the same requests every time.
    """
    mock = AltaMock(clock=Clock(lambda: 0))
    schema = schemathesis.openapi.from_dict(mock.contract.document, config=_config(ids, seed))
    if transport == "in-process":
        schema.app = ticking(mock.app, mock.clock, tick)
        yield Target(mock, schema)
        return
    handle = mock.handle

    def ticked(request: ApiRequest, transport: str = "python") -> Outcome:
        mock.clock.advance(tick)
        return handle(request, transport)

    mock.handle = ticked  # type: ignore[method-assign]  # every request of the socket comes through here
    with mock.serve() as server:
        schema.config.update(base_url=server.url)
        yield Target(mock, schema)


def ticking(app: Callable[..., Any], clock: Clock, seconds: float) -> Callable[..., Any]:
    """Wrap a WSGI application so that the clock goes on before each request, those of checks included."""

    def wrapped(environ: Any, start_response: Any) -> Any:
        clock.advance(seconds)
        return app(environ, start_response)

    return wrapped


def _config(ids: str, seed: int | None) -> Config:
    settings: dict[str, Any] = {
        "headers": {"Authorization": f"Bearer {TOKEN}"},
        "cache": {"enabled": False},
        "analysis": {"constants": {"enabled": False}},  # black box: no literals out of our source
        "generation": {"database": "none", "mode": "all", "max-examples": 100, "deterministic": seed is None},
    }
    if seed is not None:
        settings["seed"] = seed
    if ids == "pinned":
        settings["parameters"] = {"path.campaignId": CAMPAIGN}
    return Config.from_dict(settings)
