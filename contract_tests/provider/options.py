"""The options about the target: of `alta-mock verify`, and with `--alta-` of pytest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from mock_server.messages.errors import MockError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from contract_tests.provider.target import Target
    from mock_server.contract.limits import Limit


@dataclass(frozen=True, slots=True)
class TargetOption:
    """An option about the target.

    Attributes:
        metavar: What stands for the value; empty for a switch.
        variable: The environment variable of a required option of the command; None for an optional one.
    """

    name: str
    help: str
    metavar: str = ""
    variable: str | None = None
    default: str | None = None

    @property
    def key(self) -> str:
        """The name of the parameter."""
        return self.name.replace("-", "_")


TARGET_OPTIONS = (
    TargetOption("url", "Base URL, which ends in /v1.", "URL", "ALTA_BASE_URL"),
    TargetOption("token", "Valid token.", "TOKEN", "ALTA_API_TOKEN"),
    TargetOption("campaign-id", "Campaign of its account.", "ID", "ALTA_CAMPAIGN_ID"),
    TargetOption("second-token", "Token of another user of the same account.", "TOKEN"),
    TargetOption("second-campaign-id", "Another campaign of the same account.", "ID"),
    TargetOption("other-account-token", "Token of another account.", "TOKEN"),
    TargetOption("foreign-campaign-id", "Campaign of that other account.", "ID"),
    TargetOption("rate-limit", "Expected limit on adding prospects.", "N/Ss|off", default="10/60s"),
    TargetOption("account-rate-limit", "Expected limit across all operations.", "N/Ss|off", default="100/60s"),
    TargetOption("allow-get", "Send GET /campaigns as well, to measure the limit across all operations."),
    TargetOption("write", "Add prospects on another machine."),
    TargetOption("reject-only", "Send only requests that must be refused."),
)


def target_of(values: Mapping[str, Any]) -> Target:
    """Return the target that the values of the options, by their keys, describe.

    Raises:
        MockError: A value cannot be used, or no option permits to send requests to another machine.
    """
    from contract_tests.provider.plan import planned_records  # noqa: PLC0415 - --help need not wait for it
    from contract_tests.provider.probes import TAG  # noqa: PLC0415 - as above
    from contract_tests.provider.target import Target  # noqa: PLC0415 - as above
    from mock_server.control.guard import is_loopback  # noqa: PLC0415 - as above

    fields = dict(values)
    write, reject_only = fields.pop("write"), fields.pop("reject_only")
    if write and reject_only:
        raise MockError("--write and --reject-only exclude each other; use one of them")
    host = _host(fields["url"])
    for name in ("token", "second_token", "other_account_token"):
        _check_token(name, fields[name])
    for name in ("campaign_id", "second_campaign_id", "foreign_campaign_id"):
        _check_uuid(name, fields[name])
    for name in ("rate_limit", "account_rate_limit"):
        fields[name] = _limit(name, fields[name])
    fields["url"] = fields["url"].rstrip("/")
    target = Target(**fields, local=is_loopback(host), writes=not reject_only)
    if not target.local and not (write or reject_only):
        raise MockError(
            f"{host} is not this machine: use --reject-only to send only requests that must be refused, or --write to"
            f" add about {planned_records(target)} prospects there, tagged {TAG}"
        )
    return target


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


def _limit(name: str, text: str) -> Limit | None:
    from mock_server.contract.limits import Limit  # noqa: PLC0415 - --help need not wait for it

    try:
        return Limit.parse(text)
    except MockError as error:
        raise MockError(f"{_flag(name)}: {error}") from error


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
