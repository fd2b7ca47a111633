"""Campaigns, and the prospects that are added to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mock_server.contract.assumptions import Question
from mock_server.handlers.handler import Context, Result
from mock_server.handlers.people import ACTIVE, PAUSED, PROSPECT, change_all
from mock_server.messages.call import Call
from mock_server.messages.errors import BadRequest
from mock_server.messages.violations import Violation
from mock_server.store.base import Batch, Transaction
from mock_server.store.objects import timestamp

KIND = "campaign"

NEW: Question[str] = Question("new-campaign", {"draft": "draft", "active": "active"})
"""The status of a new campaign."""

ACCEPTS: Question[Callable[[Mapping[str, Any]], bool]] = Question(
    "campaign-status",
    {
        "accepted": lambda _: True,
        "not-archived": lambda campaign: not campaign["isArchived"],
        "only-active": lambda campaign: campaign["status"] == "active" and not campaign["isArchived"],
    },
)
"""Whether a campaign accepts prospects."""

OTHER_STATES = Question("other-states", {"accepted": True, "refused": False})
"""Whether a campaign can be paused that is not active, or resumed that is not paused."""

PROSPECTS_TOO = Question("prospects-too", {"no": False, "yes": True})
"""Whether prospects are paused or resumed with their campaign by default."""


def create(call: Call, context: Context) -> Result:
    """Create a draft; the description is accepted, but a campaign has no such member.

    https://docs.altahq.com/api-reference/campaigns/create - assumption `new-campaign`.
    """
    status = context.choices[NEW]
    launched = {"launchedAt": timestamp(context.now)} if status == "active" else {}
    campaign = context.create(KIND, name=call.body["name"], status=status, isArchived=False, **launched)
    return Result(body=context.shown(campaign))


def pause(call: Call, context: Context) -> Result:
    """Pause an active campaign, and its active prospects if the call asks for that; one in another state stays.

    https://docs.altahq.com/api-reference/campaigns/pause - assumption `other-states`.
    """
    campaign = context.found
    if campaign["status"] == "active":
        context.update(campaign, status="paused")
    elif not context.choices[OTHER_STATES]:
        raise _refused("a campaign that is not active", "an active one")
    if _asks(call, "pauseProspects", context):
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
    elif not context.choices[OTHER_STATES]:
        raise _refused("a campaign that is not paused", "a paused one")
    if _asks(call, "resumeProspects", context):
        change_all(context, {"campaignId": campaign["id"]}, PAUSED, ACTIVE)
    return Result()


def add_prospects(call: Call, context: Context) -> Result:
    """Add every record of a batch to the campaign, in order, duplicates as sent.

    https://docs.altahq.com/api-reference/campaigns/add-prospects - what happens to duplicates and to campaigns that
    are not active is not documented: assumptions `duplicates` and `campaign-status`.
    """
    campaign = context.found
    if (campaign["status"] != "active" or campaign["isArchived"]) and not context.choices[ACCEPTS](campaign):
        raise _refused("a campaign that accepts no prospects", "an active one")
    batch = Batch(call.raw, "data", len(call.body["data"]), context.now)
    context.transaction.submit(campaign["id"], batch)
    return Result()


def prospects(transaction: Transaction, campaign_id: str, last: int | None = None) -> list[dict[str, Any]]:
    """Return the records added to a campaign, as sent, in order; with `last`, only that many of the newest."""
    records = [record for batch in transaction.submissions(campaign_id, last) for record in batch.records()]
    return records if last is None else records[max(len(records) - last, 0) :]


def summaries(transaction: Transaction) -> Iterable[dict[str, Any]]:
    """Return the campaigns of an account, each with the number of its prospects."""
    for campaign in transaction.objects(KIND):
        yield {**campaign, "prospects": transaction.count(PROSPECT, "campaignId", campaign["id"])}


def _asks(call: Call, member: str, context: Context) -> bool:
    asked = (call.body or {}).get(member)
    return context.choices[PROSPECTS_TOO] if asked is None else bool(asked)


def _refused(got: str, wanted: str) -> BadRequest:
    return BadRequest(Violation("campaign-state", "path", "/campaignId", got, wanted))
