"""The provider to verify: its address, its credentials and the limits it is expected to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from mock_server.contract.limits import Limit
from mock_server.control.guard import is_loopback
from mock_server.messages.errors import MockError
from mock_server.messages.redaction import Redactor

RATE_LIMIT, ACCOUNT_RATE_LIMIT = Limit(10, 60), Limit(100, 60)
"""The documented limits."""

SHORTEST_SECRET = 6  # characters of the shortest part of a token that is redacted


@dataclass(frozen=True, slots=True)
class Target:
    """A provider to verify; `TARGET_OPTIONS` describes its fields. A limit of None is not judged."""

    url: str
    token: str
    campaign_id: str
    second_token: str | None = None
    second_campaign_id: str | None = None
    other_account_token: str | None = None
    foreign_campaign_id: str | None = None
    multi_account_token: str | None = None
    account_id: str | None = None
    rate_limit: Limit | None = RATE_LIMIT
    account_rate_limit: Limit | None = ACCOUNT_RATE_LIMIT
    write: bool = False
    reject_only: bool = False
    local: bool = True  # whether it runs on this machine, where a wrong method does no harm

    @property
    def writes(self) -> bool:
        """Whether valid requests may be sent."""
        return not self.reject_only

    @property
    def tokens(self) -> list[str]:
        """All tokens, which must not appear in any output."""
        return [
            token
            for token in (self.token, self.second_token, self.other_account_token, self.multi_account_token)
            if token
        ]

    def redactor(self) -> Redactor:
        """Return a redactor of the tokens and of the wrong tokens that probes make of them."""
        derived = [
            part
            for token in self.tokens
            for part in (token, token[:-1], token[1:], token[: len(token) // 2], token.swapcase())
            if len(part) >= SHORTEST_SECRET
        ]
        return Redactor([*derived, *self.tokens])


def target_of(values: Mapping[str, Any]) -> Target:
    """Return the target that the values of `TARGET_OPTIONS`, by their keys, describe, or raise `MockError`."""
    fields = dict(values)
    if fields["write"] and fields["reject_only"]:
        raise MockError("--write and --reject-only exclude each other; use one of them")
    host = _host(fields["url"])
    for name in ("token", "second_token", "other_account_token", "multi_account_token", "account_id"):
        _check_token(name, fields[name])
    for name in ("campaign_id", "second_campaign_id", "foreign_campaign_id"):
        _check_uuid(name, fields[name])
    for name in ("rate_limit", "account_rate_limit"):
        try:
            fields[name] = Limit.parse(fields[name])
        except MockError as error:
            raise MockError(f"{_flag(name)}: {error}") from error
    fields["url"] = fields["url"].rstrip("/")
    return Target(**fields, local=is_loopback(host))


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = urlsplit(""), False
    if parts.username is not None:
        raise MockError("--url contains a user name; remove it, the token is enough")
    if not usable or parts.query or parts.fragment or not (url.isprintable() and url.isascii()):
        raise MockError(f"--url: {url!r} is not a valid base URL; write it like http://127.0.0.1:8080/v1")
    return parts.hostname or ""


def _check_token(name: str, token: str | None) -> None:
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise MockError(f"{_flag(name)} is empty or malformed; write printable ASCII, without Bearer")


def _check_uuid(name: str, text: str | None) -> None:
    try:
        valid = text is None or str(UUID(text)) == text.lower()
    except ValueError:
        valid = False
    if not valid:
        example = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
        raise MockError(f"{_flag(name)}: {text!r} is not a valid UUID; write it like {example}")


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
