"""The people that batches add: each record makes a prospect of a campaign, its person, and its company.

Batches are kept as they are sent and become objects when somebody asks for objects, so that adding stays cheap.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from mock_server.contract.assumptions import Question
from mock_server.handlers.handler import Context

PROSPECT = "prospect"
PERSON = "person"
COMPANY = "company"

ACTIVE = "active"
PAUSED = "paused"
"""States of a prospect, which the vendor documents no member for: `status` is kept, but not shown."""


MEMBERS = {
    "firstName": "firstName",
    "lastName": "lastName",
    "email": "email",
    "title": "jobTitle",
    "linkedinUrl": "linkedinUrl",
    "phone": "phone",  # not a member of Person: kept for opt-outs, not shown
}
"""The members of a person, each with the member of a record that it comes from."""


def _merge(context: Context, person: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    changed = {member: record[name] for member, name in MEMBERS.items() if record.get(name)}
    context.update(person, **changed)


DUPLICATES: Question[Callable[[Context, Mapping[str, Any], Mapping[str, Any]], None] | None] = Question(
    "duplicates", {"keep": None, "merge": _merge, "ignore": lambda *_: None}
)
"""What becomes of the person of a prospect that is added again; None if it is added like any other."""


def enrol_new(context: Context) -> None:
    """Make the objects of the batches that were added since the last call, in order, at the time of each batch.

    If the transaction is behind, some are left for the next one.
    """
    for campaign_id, batch in context.transaction.take_new():
        then = replace(context, now=batch.at)
        for record in batch.records():
            enrol(then, campaign_id, record)


def enrol(context: Context, campaign_id: str, record: Mapping[str, Any]) -> None:
    """Make a prospect of a record; one that is in the campaign already is added again: assumption `duplicates`.

    The company is one of the same name, else a new one. Person and company are linked by no documented member; the
    prospect keeps the record as sent, which is not shown.
    """
    if (treat := context.choices[DUPLICATES]) and (known := _known(context, campaign_id, record)):
        treat(context, known, record)
        return
    company = record.get("company")
    if isinstance(company, str) and company and not context.transaction.objects(COMPANY, {"name": company}):
        context.create(COMPANY, name=company, industries=[])
    person = context.create(PERSON, **{member: record.get(name) for member, name in MEMBERS.items()})
    context.create(PROSPECT, personId=person["id"], campaignId=campaign_id, status=ACTIVE, record=record)


def _known(context: Context, campaign_id: str, record: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the person of a prospect of the campaign with a contact of the record."""
    for member in ("email", "linkedinUrl", "phone"):
        text = record.get(member)
        for person in context.transaction.objects(PERSON, {member: text}) if text and isinstance(text, str) else ():
            if context.transaction.objects(PROSPECT, {"personId": person["id"], "campaignId": campaign_id}):
                return person
    return None


def change_all(context: Context, where: Mapping[str, str], before: str, after: str) -> None:
    """Change the state of the prospects that have these members and are in the state before."""
    for prospect in context.transaction.objects(PROSPECT, {**where, "status": before}):
        context.update(prospect, status=after)
