"""Connections to PostgreSQL that give up when it hangs: its own timeouts and those of TCP do not cover that."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import psycopg

from mock_server.store.database import SECONDS

STEP = 0.1
"""Seconds after which psycopg asks again whether to wait."""


class Silence(psycopg.OperationalError, TimeoutError):
    """The server has said nothing for too long."""


class TimedConnection(psycopg.Connection[Any]):
    """A connection that closes, and raises Silence, when the server has been silent for `seconds`."""

    seconds: float = SECONDS

    def wait(self, gen: Any, *_: Any, **__: Any) -> Any:
        """Wait until the server has answered."""
        try:
            return super().wait(_limited(gen, self.seconds), STEP)
        except Silence:
            self.close()
            raise


def _limited(steps: Generator[Any, Any, Any], seconds: float) -> Generator[Any, Any, Any]:
    """Return the steps of a wait, of which only so many seconds may be silent one after the other."""
    try:
        wanted, silent = next(steps), 0
        while True:
            ready = yield wanted
            silent = 0 if ready else silent + 1
            if silent * STEP > seconds:
                raise Silence(f"PostgreSQL has not answered for {seconds:g} s")
            wanted = steps.send(ready)
    except StopIteration as done:
        return done.value
