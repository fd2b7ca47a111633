"""Campaigns, and the prospects that are added to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mock_server.handlers.handler import Context, Result
from mock_server.handlers.people import ACTIVE, PAUSED, PROSPECT, change_all
from mock_server.messages.call import Call
from mock_server.store.base import Batch, Transaction
from mock_server.store.objects import timestamp

KIND = "campaign"


def create(call: Call, context: Context) -> Result:
    """Create a draft; the description is accepted, but a campaign has no such member.

    https://docs.altahq.com/api-reference/campaigns/create - assumption `new-campaign`.
    """
    campaign = context.create(KIND, name=call.body["name"], status="draft", isArchived=False)
    return Result(body=context.shown(campaign))


def pause(call: Call, context: Context) -> Result:
    """Pause an active campaign, and its active prospects if the call asks for that; one in another state stays.

    https://docs.altahq.com/api-reference/campaigns/pause - assumption `other-states`.
    """
    campaign = context.found
    if campaign["status"] == "active":
        context.update(campaign, status="paused")
    if _asks(call, "pauseProspects"):
        change_all(context, {"campaignId": campaign["id"]}, ACTIVE, PAUSED)
    return Result()


def resume(call: Call, context: Context) -> Result:
    """Resume a paused or completed campaign, and its paused prospects if the call asks for that.

    https://docs.altahq.com/api-reference/campaigns/resume - assumption `other-states`.
    """
    campaign = context.found
    if campaign["status"] in {"paused", "completed"}:
        launched = campaign.get("launchedAt", timestamp(context.now))
        context.update(campaign, status="active", launchedAt=launched)
    if _asks(call, "resumeProspects"):
        change_all(context, {"campaignId": campaign["id"]}, PAUSED, ACTIVE)
    return Result()


def add_prospects(call: Call, context: Context) -> Result:
    """Add every record of a batch to the campaign, in order, duplicates as sent.

    https://docs.altahq.com/api-reference/campaigns/add-prospects - what happens to duplicates and to campaigns that
    are not active is not documented: assumptions `duplicates` and `campaign-status`.
    """
    batch = Batch(call.raw, "data", len(call.body["data"]), context.now)
    context.transaction.submit(context.found["id"], batch)
    return Result()


def prospects(transaction: Transaction, campaign_id: str, last: int | None = None) -> list[dict[str, Any]]:
    """Return the records added to a campaign, as sent, in order; with `last`, only that many of the newest."""
    batches = transaction.submissions(campaign_id)
    if last is None:
        return [record for batch in batches for record in batch.records()]
    return _newest(batches, last)


def summaries(transaction: Transaction) -> Iterable[dict[str, Any]]:
    """Return the campaigns of an account, each with the number of its prospects."""
    for campaign in transaction.objects(KIND):
        yield {**campaign, "prospects": transaction.count(PROSPECT, "campaignId", campaign["id"])}


def _asks(call: Call, member: str) -> bool:
    return bool(call.body and call.body.get(member))


def _newest(batches: Sequence[Batch], count: int) -> list[dict[str, Any]]:
    """Return the last records of batches, without parsing the other batches."""
    found: list[list[Any]] = []
    for batch in reversed(batches):
        if count <= 0:
            break
        found.append(batch.records()[-count:])
        count -= batch.size
    return [record for records in reversed(found) for record in records]
