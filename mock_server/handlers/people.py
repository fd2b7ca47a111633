"""The people that batches add: each record makes a prospect of a campaign, its person, and its company.

Batches are kept as they are sent and become objects when somebody asks for objects, so that adding stays cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mock_server.handlers.handler import Context

PROSPECT = "prospect"
PERSON = "person"
COMPANY = "company"

ACTIVE = "active"
PAUSED = "paused"
"""States of a prospect, which the vendor documents no member for: `status` is kept, but not shown."""


def enrol_new(context: Context) -> None:
    """Make the objects of the batches that were added since the last call, in order, at the time of each batch."""
    for campaign_id, batch in context.transaction.take_new():
        then = replace(context, now=batch.at)
        for record in batch.records():
            enrol(then, campaign_id, record)


def enrol(context: Context, campaign_id: str, record: Mapping[str, Any]) -> None:
    """Make a prospect of a record. Nobody is matched or merged: assumption `duplicates`.

    The company is one of the same name, else a new one. Person and company are linked by no documented member; the
    prospect keeps the record as sent, which is not shown.
    """
    company = record.get("company")
    if isinstance(company, str) and company and not context.transaction.objects(COMPANY, {"name": company}):
        context.create(COMPANY, name=company, industries=[])
    person = context.create(
        PERSON,
        firstName=record.get("firstName"),
        lastName=record.get("lastName"),
        email=record.get("email"),
        title=record.get("jobTitle"),
        linkedinUrl=record.get("linkedinUrl"),
        phone=record.get("phone"),  # not a member of Person: kept for opt-outs, not shown
    )
    context.create(PROSPECT, personId=person["id"], campaignId=campaign_id, status=ACTIVE, record=record)


def change_all(context: Context, where: Mapping[str, str], before: str, after: str) -> None:
    """Change the state of the prospects that have these members and are in the state before."""
    for prospect in context.transaction.objects(PROSPECT, {**where, "status": before}):
        context.update(prospect, status=after)
