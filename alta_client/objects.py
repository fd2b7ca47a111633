"""The objects of the API, generated from the contract by `make types`."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict


class ProspectRecord(TypedDict):
    """
    A prospect record with contact information. Must include at least one contact method or full identity.
    """

    firstName: NotRequired[str]
    """The prospect's first name."""

    lastName: NotRequired[str]
    """The prospect's last name."""

    company: NotRequired[str]
    """The prospect's company name."""

    jobTitle: NotRequired[str]
    """The prospect's job title."""

    email: NotRequired[str]
    """The prospect's email address."""

    linkedinUrl: NotRequired[str]
    """The prospect's LinkedIn profile URL."""

    phone: NotRequired[str]
    """The prospect's phone number."""


class TagsRequest(TypedDict):
    entityId: str
    entityType: Literal["emailThread", "linkedinConversation"]
    tags: list[str]


class Identifier(TypedDict):
    identifier: str
    name: NotRequired[str]
    identifierType: Literal["email", "linkedin", "phone", "sms", "whatsapp", "web_chat"]


class AddCommunicationOptOutsRequest(TypedDict):
    identifiers: list[Identifier]
    pauseActiveProspectWorkflows: NotRequired[bool]
    """Also pause the active prospects that match."""


class DeleteCommunicationOptOutRequest(TypedDict):
    identifier: str
    identifierType: Literal["email", "linkedin", "phone", "sms", "whatsapp", "web_chat"]


class CallTransfer(TypedDict):
    phoneNumber: NotRequired[str]
    description: NotRequired[str]
    message: NotRequired[str]
    messageToReceiver: NotRequired[str]


class TriggerAssistantCallRequest(TypedDict):
    assistantId: str
    name: str
    """The name of the person to call."""

    phoneNumber: str
    """The number to call, preferably in E.164 format."""

    email: NotRequired[str]
    timezone: NotRequired[str]
    """For example America/New_York."""

    data: NotRequired[dict[str, Any]]
    """Context of the call, as keys and values."""

    callTransfer: NotRequired[CallTransfer]


class PaginatedList(TypedDict):
    hasMore: bool
    """Whether there are more results after this page."""

    next: NotRequired[str]
    """The cursor of the next page."""

    previous: NotRequired[str]
    """The cursor of the previous page."""


class BaseEntity(TypedDict):
    id: str
    objectType: str
    createdAt: str
    updatedAt: str


class Campaign(BaseEntity):
    objectType: Literal["campaign"]
    name: str
    status: Literal["draft", "active", "paused", "completed"]
    isArchived: bool
    launchedAt: NotRequired[str]


class Prospect(BaseEntity):
    """
    The enrolment of one person in one campaign.
    """

    objectType: Literal["prospect"]
    personId: str
    campaignId: str


class Person(BaseEntity):
    objectType: Literal["person"]
    firstName: NotRequired[str | None]
    lastName: NotRequired[str | None]
    email: NotRequired[str | None]
    title: NotRequired[str | None]
    linkedinUrl: NotRequired[str | None]
    photoUrl: NotRequired[str | None]
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    country: NotRequired[str | None]


class Company(BaseEntity):
    objectType: Literal["company"]
    name: NotRequired[str | None]
    website: NotRequired[str | None]
    domain: NotRequired[str | None]
    logoUrl: NotRequired[str | None]
    industries: list[str]
    city: NotRequired[str | None]
    state: NotRequired[str | None]
    country: NotRequired[str | None]


class Rep(BaseEntity):
    objectType: Literal["rep"]
    name: str
    ownedById: NotRequired[str]
    """The id of the user that owns the rep."""


Call = TypedDict(
    "Call",
    {
        "id": str,
        "objectType": Literal["call"],
        "createdAt": str,
        "updatedAt": str,
        "from": str,
        "to": str,
        "callType": Literal["inbound", "outbound", "web"],
        "duration": NotRequired[float],
        "summary": NotRequired[str],
        "startedAt": NotRequired[str],
        "endedAt": NotRequired[str],
        "prospectId": NotRequired[str],
    },
)


class ContactInfo(TypedDict):
    name: str
    email: str


class Recipients(TypedDict):
    to: list[ContactInfo]
    cc: NotRequired[list[ContactInfo]]
    bcc: NotRequired[list[ContactInfo]]


EmailMessage = TypedDict(
    "EmailMessage",
    {
        "id": str,
        "objectType": Literal["email_message"],
        "createdAt": str,
        "updatedAt": str,
        "emailThreadId": NotRequired[str],
        "subject": str,
        "body": str,
        "from": NotRequired[ContactInfo | None],
        "type": NotRequired[Literal["manual", "campaign", "reply_agent", "received"]],
        "status": NotRequired[Literal["sent", "draft"]],
        "prospectId": NotRequired[str],
        "repId": NotRequired[str],
        "recipients": Recipients,
        "sentAt": str,
    },
)


class LinkedInMessage(BaseEntity):
    objectType: Literal["linkedin_message"]
    conversationId: NotRequired[str]
    text: str
    type: Literal["manual", "campaign", "reply_agent", "received"]
    status: Literal["sent", "draft"]
    prospectId: NotRequired[str]
    repId: NotRequired[str]
    happenedAt: NotRequired[str]


class CommunicationOptOut(BaseEntity):
    objectType: Literal["communication-opt-out"]
    identifier: str
    identifierType: Literal["email", "linkedin", "phone", "sms", "whatsapp", "web_chat"]
    isManuallyAdded: bool
    """False for an opt-out that came in by itself, for example by an unsubscribe."""

    label: NotRequired[str]


class Error(TypedDict):
    error: str
    """Error type."""

    message: str
    """Human-readable error message."""


class AddProspectsToCampaignRequest(TypedDict):
    data: list[ProspectRecord]
    """Array of prospect records to add. Each must have at least one contact method (email, linkedinUrl, phone) or full identity (firstName, lastName, company)."""
