"""Scenes: what a fake answers to a consumer that plays in this process, to show one fault or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contract_tests.runs import Run, Surroundings, follow_script, until
from contract_tests.target import CAMPAIGN, TOKEN
from contract_tests.wrong_clients import right_client
from mock_server.forced import Forced, forced_fault

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from contract_tests.runs import Step
    from mock_server import AltaMock

ELSEWHERE = "5b1c7d0e-93a4-4f62-8a57-2f6f0c9d1e24"
"""Another campaign, which a redirect leads to."""

PEOPLE = [{"email": f"person.{number}@example.com", "firstName": "Ada"} for number in range(50)]

SCENES: dict[str, Callable[[AltaMock], list[Step]]] = {
    "ordinary": lambda _: [],
    "limited": lambda _: [None, Forced(status=429, retry_after="7")],
    "limited-by-date": lambda mock: [None, until(mock, 7)],
    "limited-untold": lambda _: [None, Forced(status=429, retry_after="soon")],
    "limited-forever": lambda _: [Forced(status=429, retry_after="3")] * 200,
    "bad-request": lambda _: [None, Forced(status=400)],
    "not-found": lambda _: [Forced(status=404)] * 3,
    "answer-lost": lambda _: [None, forced_fault("drop_after_commit")],
    "server-error": lambda _: [None, Forced(status=500)],
    "redirected": lambda _: [Forced(status=307, headers=(("Location", f"/v1/campaigns/{ELSEWHERE}/prospects"),))],
    "odd-success": lambda _: [None, forced_fault("malformed_json")],
}
"""By name, the steps that a fake follows."""


class Played:
    """One run of a client, and what came of its call.

    Attributes:
        run: What the rules see.
        result: What it returned, None if it raised.
        error: What it raised, None if it returned.
    """

    def __init__(self, mock: AltaMock, url: str, add: Callable[..., object], people: Sequence[Any]) -> None:
        at = Surroundings(url, TOKEN, CAMPAIGN, mock.clock.sleep, mock.clock.time)
        self.result: object = None
        self.error: Exception | None = None
        try:
            self.result = add(at, people)
        except Exception as error:  # noqa: BLE001 - a wrong client may raise anything
            self.error = error
        self.run = Run(mock.requests, mock.prospects(CAMPAIGN), people, self.error is None)


def play(
    mock: AltaMock,
    url: str,
    steps: Sequence[Step] = (),
    add: Callable[..., object] = right_client,
    people: Sequence[Any] = PEOPLE,
) -> Played:
    """Let a client add people to a fake, behind a URL, that answers by a script."""
    follow_script(mock, steps)
    return Played(mock, url, add, people)
