"""Times and rate limits as they are written in settings."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mock_server.messages.errors import MockError

SECOND = 1_000_000_000
"""Nanoseconds of a second."""

_FORM = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,6})s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Limit:
    """A number of requests in a window of seconds."""

    requests: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Limit | None:
        """Read `10/60s`, ten requests in sixty seconds, or `off`, which is None.

        Raises:
            MockError: It has another form.
        """
        if text == "off":
            return None
        found = _FORM.fullmatch(text)
        if not found:
            raise MockError(f"{text!r} is not a valid limit; write N/Ss, for example 10/60s, or off")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        """Return the form that `parse` reads."""
        return f"{self.requests}/{self.seconds}s"


def parse_seconds(text: str) -> int:
    """Read `90s`, a whole number of seconds.

    Raises:
        MockError: It has another form.
    """
    found = re.fullmatch(r"([0-9]{1,7})s", text, re.ASCII)
    if not found:
        raise MockError(f"{text!r} is not a valid time; write Ns, for example 90s")
    return int(found[1])
