"""The provider to verify: its address, its credentials and the limits it is expected to have."""

from __future__ import annotations

from dataclasses import dataclass

from mock_server.contract.limits import Limit
from mock_server.messages.redaction import Redactor

RATE_LIMIT, ACCOUNT_RATE_LIMIT = Limit(10, 60), Limit(100, 60)
"""The documented limits."""

SHORTEST_SECRET = 6
"""Characters of the shortest part of a token that is redacted."""


@dataclass(frozen=True, slots=True)
class Target:
    """A provider to verify.

    Attributes:
        url: The base URL, which ends in the version.
        second_token: A token of another user of the same account.
        second_campaign_id: Another campaign of the same account.
        other_account_token: A token of another account.
        foreign_campaign_id: A campaign of that other account.
        rate_limit: Expected limit on adding prospects; None if it is not judged.
        account_rate_limit: Expected limit across all operations; None if it is not judged.
        allow_get: Whether `GET /campaigns` may be sent, to measure the latter.
        writes: Whether valid requests may be sent.
        local: Whether it runs on this machine, where a wrong method does no harm.
    """

    url: str
    token: str
    campaign_id: str
    second_token: str | None = None
    second_campaign_id: str | None = None
    other_account_token: str | None = None
    foreign_campaign_id: str | None = None
    rate_limit: Limit | None = RATE_LIMIT
    account_rate_limit: Limit | None = ACCOUNT_RATE_LIMIT
    allow_get: bool = False
    writes: bool = True
    local: bool = True

    @property
    def tokens(self) -> list[str]:
        """All tokens, which must not appear in any output."""
        return [token for token in (self.token, self.second_token, self.other_account_token) if token]

    def redactor(self) -> Redactor:
        """Return a redactor of the tokens and of the wrong tokens that probes make of them."""
        derived = [
            part
            for token in self.tokens
            for part in (token, token[:-1], token[1:], token[: len(token) // 2], token.swapcase())
            if len(part) >= SHORTEST_SECRET
        ]
        return Redactor([*derived, *self.tokens])
