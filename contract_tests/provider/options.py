"""The options about the target: of `alta-mock verify`, and with `--alta-` of pytest."""

from __future__ import annotations

from typing import Any

import click

LIMIT: dict[str, Any] = {"metavar": "N/Ss|off", "show_default": True}
"""What options that take a rate limit have in common."""


def _option(flag: str, text: str, **how: Any) -> click.Option:
    return click.Option([flag], help=text, show_envvar=True, **how)


TARGET_OPTIONS = (
    _option("--url", "Base URL, which ends in /v1.", metavar="URL", envvar="ALTA_BASE_URL", required=True),
    _option("--token", "Valid token.", metavar="TOKEN", envvar="ALTA_API_TOKEN", required=True),
    _option("--campaign-id", "Campaign of its account.", metavar="ID", envvar="ALTA_CAMPAIGN_ID", required=True),
    _option("--second-token", "Token of another user of the same account.", metavar="TOKEN"),
    _option("--second-campaign-id", "Another campaign of the same account.", metavar="ID"),
    _option("--other-account-token", "Token of another account.", metavar="TOKEN"),
    _option("--foreign-campaign-id", "Campaign of that other account.", metavar="ID"),
    _option(
        "--multi-account-token", "Token of a user of several accounts, among them that of --token.", metavar="TOKEN"
    ),
    _option("--account-id", "That account, as x-account-id names it.", metavar="ID"),
    _option("--rate-limit", "Expected limit on adding prospects.", default="10/60s", **LIMIT),
    _option("--account-rate-limit", "Expected limit across all operations.", default="100/60s", **LIMIT),
    _option("--write", "Add prospects on another machine.", is_flag=True),
    _option("--reject-only", "Send only requests that must be refused.", is_flag=True),
)
