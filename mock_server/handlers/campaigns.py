"""Campaigns, and the prospects that are added to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mock_server.handlers.handler import Context, Result
from mock_server.messages.call import Call
from mock_server.store.base import Batch, Transaction

KIND = "campaign"
READ = "Campaign.ReadCampaign"
EDIT = "Campaign.EditCampaign"
"""Permissions by the names that the vendor documents for its MCP server; that v1 has the same ones is assumed."""


def add_prospects(call: Call, context: Context) -> Result:
    """Add every record of a batch to the campaign, in order, duplicates as sent.

    https://docs.altahq.com/api-reference/campaigns/add-prospects - what happens to duplicates and to campaigns that
    are not active is not documented: assumptions `duplicates` and `campaign-status`.
    """
    context.transaction.submit(context.found["id"], Batch(call.raw, "data", len(call.body["data"])))
    return Result()


def prospects(transaction: Transaction, campaign_id: str, last: int | None = None) -> list[dict[str, Any]]:
    """Return the records added to a campaign, as sent, in order; with `last`, only that many of the newest."""
    batches = transaction.submissions(campaign_id)
    if last is None:
        return [record for batch in batches for record in batch.records()]
    return _newest(batches, last)


def summaries(transaction: Transaction) -> Iterable[dict[str, Any]]:
    """Return the campaigns of an account, each with the number of records added to it."""
    for campaign in transaction.objects(KIND):
        added = sum(batch.size for batch in transaction.submissions(campaign["id"]))
        yield {**campaign, "prospects": added}


def _newest(batches: Sequence[Batch], count: int) -> list[dict[str, Any]]:
    """Return the last records of batches, without parsing the other batches."""
    found: list[list[Any]] = []
    for batch in reversed(batches):
        if count <= 0:
            break
        found.append(batch.records()[-count:])
        count -= batch.size
    return [record for records in reversed(found) for record in records]
