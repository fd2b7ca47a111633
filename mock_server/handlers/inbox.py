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

EMAIL = "email_message"
LINKEDIN = "linkedin_message"
THREADS = {EMAIL: "emailThreadId", LINKEDIN: "conversationId"}
"""The member that names the thread or conversation of a message."""

TAGGED = {EMAIL: "emailThread", LINKEDIN: "linkedinConversation"}
"""The `entityType` of the thread or conversation of a message: the kind of what keeps its tags, under its id."""


def list_email_messages(call: Call, context: Context) -> Result:
    """Return email messages by thread, campaign, prospect, rep, status, type or tag, or the last of each thread."""
    equal = ("emailThreadId", "prospectId", "repId", "status", "type")
    return page(call, context, EMAIL, equal=equal, keep=partial(_kept, EMAIL))


def list_linkedin_messages(call: Call, context: Context) -> Result:
    """Return LinkedIn messages by prospect, campaign, rep, status, type or tag, or only unread ones."""
    equal = ("prospectId", "repId", "status", "type")
    return page(call, context, LINKEDIN, equal=equal, keep=partial(_kept, LINKEDIN))


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


def _kept(kind: str, filters: Mapping[str, str], context: Context) -> Keep:
    """Return the test for the filters that no member of a message answers."""
    thread = THREADS[kind]
    campaign, tag = filters.get("campaignId", "").lower(), filters.get("tag")
    unread, last = "unread" in filters, "lastPerThread" in filters

    def keep(message: Mapping[str, Any]) -> bool:
        return (
            (not campaign or _campaign(context, message) == campaign)
            and (tag is None or tag in _tags(context, TAGGED[kind], message.get(thread, "")))
            and (not unread or bool(message.get("unread")))
            and (not last or _is_last(context, kind, message, thread))
        )

    return keep


def _campaign(context: Context, message: Mapping[str, Any]) -> str | None:
    prospect = context.transaction.get(PROSPECT, message.get("prospectId", ""))
    return prospect["campaignId"] if prospect else None


def _is_last(context: Context, kind: str, message: Mapping[str, Any], thread: str) -> bool:
    """Return whether a message is the newest of its thread; one without a thread is."""
    if thread not in message:
        return True
    _, newest = next(context.transaction.rows(kind, {thread: message[thread]}, backwards=True))
    return bool(newest["id"] == message["id"])
