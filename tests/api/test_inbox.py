"""The inbox: filters of messages, and tags."""

from __future__ import annotations

from typing import Any

import pytest

from mock_server import AltaMock
from tests.api.conftest import CONVERSATION, EMAILS, LINKEDIN, PROSPECT, REP, THREAD, Api
from tests.conftest import SECOND_CAMPAIGN, UNKNOWN_CAMPAIGN

IDS = {"emailThreadId": THREAD, "prospectId": PROSPECT, "repId": REP, "campaignId": SECOND_CAMPAIGN}
TAG = {"entityId": THREAD, "entityType": "emailThread", "tags": ["hot", "new"]}


def seeded(mock: AltaMock, kind: str) -> list[dict[str, Any]]:
    """Return all messages of Acme."""
    messages = mock.list(kind)
    return [one for one in messages if not one["id"].endswith("0000000101") and not one["id"].endswith("0000000102")]


def expected(mock: AltaMock, kind: str, name: str, value: str) -> list[str]:
    """Return the ids of the messages of a filter, found the slow way."""
    campaigns = {one["id"]: one["campaignId"] for one in mock.list("prospects")}
    found = [{**one, "campaignId": campaigns.get(one.get("prospectId"))} for one in seeded(mock, kind)]
    return [one["id"] for one in found if one.get(name) == value]


@pytest.mark.parametrize("name", [*IDS, "status", "type"])
def test_email_messages_by_member(api: Api, name: str) -> None:
    """Without a filter drafts are listed, too (assumption unknown-filter-id)."""
    values = {"status": ["sent", "draft"], "type": ["manual", "campaign", "reply_agent", "received"]}
    for value in values.get(name) or [IDS[name]]:
        wanted = expected(api.mock, "email_messages", name, value)
        assert wanted
        assert api.ids(f"{EMAILS}?{name}={value}") == wanted
    if name in IDS:
        assert api.ids(f"{EMAILS}?{name}={UNKNOWN_CAMPAIGN}") == []
    assert api.ids(EMAILS) == [one["id"] for one in seeded(api.mock, "email_messages")]


@pytest.mark.parametrize("name", ["prospectId", "repId", "campaignId", "type"])
def test_linkedin_messages_by_member(api: Api, name: str) -> None:
    """Only sent messages are listed, unless drafts are asked for."""
    prospect = "30000000-0000-4000-8000-000000000007"
    value = {**IDS, "prospectId": prospect, "repId": REP[:-1] + "2", "type": "received"}[name]
    drafts = expected(api.mock, "linkedin_messages", "status", "draft")
    wanted = [one for one in expected(api.mock, "linkedin_messages", name, value) if one not in drafts]

    assert wanted
    assert api.ids(f"{LINKEDIN}?{name}={value}") == wanted
    assert api.ids(f"{LINKEDIN}?status=draft") == drafts
    assert api.ids(LINKEDIN) == api.ids(f"{LINKEDIN}?status=sent")
    assert not set(drafts) & set(api.ids(LINKEDIN))


def test_filters_are_combined(api: Api) -> None:
    """A message is listed if it has all that is asked for."""
    query = f"type=received&status=sent&repId={REP}&campaignId={SECOND_CAMPAIGN}"
    wanted = [set(api.ids(f"{EMAILS}?{one}")) for one in query.split("&")]

    assert set(api.ids(f"{EMAILS}?{query}")) == set.intersection(*wanted) != set()


def test_the_last_message_of_each_thread(api: Api) -> None:
    """A reply replaces the one before it (assumption last-per-thread-name)."""
    before = api.get(f"{EMAILS}?lastPerThread=true&limit=100")["data"]
    reply = api.mock.events.email_reply(PROSPECT, body="Yes")
    after = api.ids(f"{EMAILS}?lastPerThread=true")
    (replaced,) = [one["id"] for one in before if one["emailThreadId"] == THREAD]

    assert len({one["emailThreadId"] for one in before}) == len(before)
    assert (reply["emailThreadId"], reply["type"]) == (THREAD, "received")
    assert after == [one["id"] for one in before if one["id"] != replaced] + [reply["id"]]


def test_unread_messages(api: Api) -> None:
    """A reply is unread; reading it by the API does not change that; whether it is, is no member."""
    before = api.ids(f"{LINKEDIN}?unread=true")
    reply = api.mock.events.linkedin_reply("30000000-0000-4000-8000-000000000007")
    read = api.get(f"{LINKEDIN}/{reply['id']}")

    assert "unread" not in read
    assert read["conversationId"] == CONVERSATION
    assert api.ids(f"{LINKEDIN}?unread=true") == [*before, reply["id"]]
    assert before


def test_tags_are_assigned_and_removed(api: Api) -> None:
    """The filter finds the messages of the thread; a tag that is assigned twice is gone when it is removed once."""
    assert api.post("/tags/assign", TAG) == {}
    api.post("/tags/assign", {**TAG, "entityId": THREAD.upper(), "tags": ["hot", "hot"]})
    tagged = api.ids(f"{EMAILS}?tag=hot")
    assert api.post("/tags/unassign", {**TAG, "tags": ["hot", "other"]}) == {}

    assert tagged == api.ids(f"{EMAILS}?emailThreadId={THREAD}")
    assert api.ids(f"{EMAILS}?tag=hot") == []
    assert api.ids(f"{EMAILS}?tag=new") == tagged
    assert api.ids(f"{EMAILS}?tag=new&emailThreadId={THREAD.upper()}") == tagged
    assert api.ids(f"{EMAILS}?tag=new&emailThreadId={UNKNOWN_CAMPAIGN}") == []
    assert api.ids(f"{EMAILS}?tag=NEW") == api.ids(f"{EMAILS}?tag=") == []


def test_a_tag_is_of_a_thread_or_of_a_conversation(api: Api) -> None:
    """The same id as the other type is another one."""
    api.mock.create("linkedin_message", conversation_id=THREAD, prospect_id=PROSPECT, status="sent")
    conversation = {"entityId": CONVERSATION, "entityType": "linkedinConversation", "tags": ["hot"]}
    api.post("/tags/assign", TAG)
    api.post("/tags/assign", conversation)
    tagged = api.get(f"{LINKEDIN}?tag=hot")["data"]

    assert {one["conversationId"] for one in tagged} == {CONVERSATION}


def test_an_unknown_thread_may_have_tags(api: Api) -> None:
    """They are kept until it exists (assumption tag-entity-unknown)."""
    api.post("/tags/assign", {**TAG, "entityId": UNKNOWN_CAMPAIGN})
    none = api.ids(f"{EMAILS}?tag=hot")
    made = api.mock.create("email_message", email_thread_id=UNKNOWN_CAMPAIGN, prospect_id=PROSPECT)

    assert none == []
    assert api.ids(f"{EMAILS}?tag=hot") == [made["id"]]


def test_a_draft_has_a_time(api: Api) -> None:
    """It is that of its creation (assumption draft-sent-at)."""
    made = api.mock.create("email_message", status="draft", prospect_id=PROSPECT)

    assert api.get(f"{EMAILS}/{made['id']}")["sentAt"] == "2026-01-01T00:00:00Z"
