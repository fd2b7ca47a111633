"""The inbox: email messages in threads, LinkedIn messages in conversations, and the tags of both.

https://docs.altahq.com/api-reference/email-messages/list, https://docs.altahq.com/api-reference/linkedin-messages/list
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from mock_server.handlers.handler import Context, Result
from mock_server.handlers.paging import Keep, page
from mock_server.handlers.people import PROSPECT
from mock_server.messages.call import Call
from mock_server.store.base import Where

EMAIL = "email_message"
LINKEDIN = "linkedin_message"
THREADS = {EMAIL: "emailThreadId", LINKEDIN: "conversationId"}
"""The member that names the thread or conversation of a message."""

TAGGED = {EMAIL: "emailThread", LINKEDIN: "linkedinConversation"}
"""The `entityType` of the thread or conversation of a message: the kind of what keeps its tags, under its id."""


def list_email_messages(call: Call, context: Context) -> Result:
    """Return email messages by thread, campaign, prospect, rep, status, type or tag, or the last of each thread."""
    return _page(call, context, EMAIL, "emailThreadId")


def list_linkedin_messages(call: Call, context: Context) -> Result:
    """Return LinkedIn messages by prospect, campaign, rep, status, type or tag, or only unread ones."""
    return _page(call, context, LINKEDIN)


def assign_tags(call: Call, context: Context) -> Result:
    """Add tags to a thread or conversation, known or not: assumption `tag-entity-unknown`."""
    tags = _tags(context, call.body["entityType"], call.body["entityId"])
    _keep_tags(context, call, [*tags, *(tag for tag in call.body["tags"] if tag not in tags)])
    return Result()


def unassign_tags(call: Call, context: Context) -> Result:
    """Remove tags from a thread or conversation.

    https://docs.altahq.com/api-reference/tags/unassign
    """
    tags = _tags(context, call.body["entityType"], call.body["entityId"])
    _keep_tags(context, call, [tag for tag in tags if tag not in call.body["tags"]])
    return Result()


def _keep_tags(context: Context, call: Call, tags: list[str]) -> None:
    context.transaction.put(call.body["entityType"], {"id": call.body["entityId"].lower(), "tags": tags})


def _tags(context: Context, entity: str, thread: str) -> list[str]:
    found = context.transaction.get(entity, thread.lower())
    return list(found["tags"]) if found else []


def _page(call: Call, context: Context, kind: str, *equal: str) -> Result:
    """Return a page of messages, by filters that both kinds have and by some more that a member must equal."""
    equal = (*equal, "prospectId", "repId", "status", "type")
    return page(call, context, kind, equal=equal, among=partial(_among, kind), keep=partial(_kept, kind))


def _among(kind: str, filters: Mapping[str, str], context: Context) -> Where:
    """Return what messages of a campaign, and those with a tag, have in common."""
    where: dict[str, str | frozenset[str]] = {}
    thread = THREADS[kind]
    if "campaignId" in filters:
        _note_campaigns(context, kind)
        where["campaignId"] = filters["campaignId"].lower()
    if "tag" in filters:
        threads = context.transaction.objects(
            TAGGED[kind], {"id": filters[thread].lower()} if thread in filters else {}
        )
        where[thread] = frozenset(one["id"] for one in threads if filters["tag"] in one["tags"])
    return where


def _note_campaigns(context: Context, kind: str) -> None:
    """Give new messages the campaign of their prospects, a member that is not shown, so that it can be searched for."""
    for message in context.transaction.objects(kind, {"campaignId": None}):
        prospect = context.transaction.get(PROSPECT, message.get("prospectId", "")) or {}
        context.transaction.put(kind, {**message, "campaignId": prospect.get("campaignId", "")})


def _kept(kind: str, filters: Mapping[str, str], context: Context) -> Keep:
    """Return the test for the filters that no member of a message answers."""
    thread, unread, last = THREADS[kind], "unread" in filters, "lastPerThread" in filters
    return lambda message: (
        (not unread or bool(message.get("unread"))) and (not last or _is_last(context, kind, message, thread))
    )


def _is_last(context: Context, kind: str, message: Mapping[str, Any], thread: str) -> bool:
    """Return whether a message is the newest of its thread; one without a thread is."""
    if thread not in message:
        return True
    _, newest = next(context.transaction.rows(kind, {thread: message[thread]}, backwards=True))
    return bool(newest["id"] == message["id"])
