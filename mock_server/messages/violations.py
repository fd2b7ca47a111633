"""Why a request was refused, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field

from mock_server.messages.pointers import Place


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference between a request and the contract.

    Attributes:
        rule: The JSON Schema keyword, or the name of a rule that has none.
        place: `path`, `query`, `header` or `body`.
        pointer: JSON Pointer (RFC 6901) into that part; outside the body, `/` and the name.
        got: A short description of what was sent, safe to show: no long text, no token.
        source: Where in the effective contract the rule is stated; empty for rules that are not.
    """

    rule: str
    place: str
    pointer: str
    got: str
    wanted: str
    source: Place = field(default=(), compare=False)

    def __str__(self) -> str:
        """Return one line, the form of the log and of `X-Alta-Mock-Why`."""
        where = self.pointer if self.pointer and self.place == "body" else self.place + self.pointer
        return f"{self.rule} {where}: got {self.got}; wanted {self.wanted}"
