"""The options about the target: of `alta-mock verify`, and with `--alta-` of pytest."""

from __future__ import annotations

from typing import Any

import click


def _required(flag: str, variable: str, metavar: str, text: str) -> click.Option:
    return click.Option([flag], envvar=variable, show_envvar=True, required=True, metavar=metavar, help=text)


def _limit(flag: str, default: str, text: str) -> click.Option:
    return click.Option([flag], default=default, show_default=True, metavar="N/Ss|off", help=text)


def _optional(flag: str, text: str, metavar: str | None = None) -> click.Option:
    """Return an option; a switch without a metavar."""
    how: dict[str, Any] = {"metavar": metavar} if metavar else {"is_flag": True}
    return click.Option([flag], help=text, **how)


TARGET_OPTIONS = (
    _required("--url", "ALTA_BASE_URL", "URL", "Base URL, which ends in /v1."),
    _required("--token", "ALTA_API_TOKEN", "TOKEN", "Valid token."),
    _required("--campaign-id", "ALTA_CAMPAIGN_ID", "ID", "Campaign of its account."),
    _optional("--second-token", "Token of another user of the same account.", "TOKEN"),
    _optional("--second-campaign-id", "Another campaign of the same account.", "ID"),
    _optional("--other-account-token", "Token of another account.", "TOKEN"),
    _optional("--foreign-campaign-id", "Campaign of that other account.", "ID"),
    _limit("--rate-limit", "10/60s", "Expected limit on adding prospects."),
    _limit("--account-rate-limit", "100/60s", "Expected limit across all operations."),
    _optional("--allow-get", "Send GET /campaigns as well, to measure the limit across all operations."),
    _optional("--write", "Add prospects on another machine."),
    _optional("--reject-only", "Send only requests that must be refused."),
)
