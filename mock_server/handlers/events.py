"""What the vendor does by itself, or other people do: each function makes the objects that an event leaves.

No request causes them, so no page describes them. They leave what an integration would read of such an event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mock_server.contract.limits import SECOND
from mock_server.handlers import calls, dnc
from mock_server.handlers.handler import Context
from mock_server.handlers.inbox import EMAIL, LINKEDIN, THREADS
from mock_server.handlers.people import PERSON
from mock_server.messages.errors import MockError
from mock_server.store.objects import TEXTS, timestamp

Event = Callable[..., Mapping[str, Any]]
"""Makes the objects of an event of a prospect, and returns the one that the API would show."""

DAY = 24 * 3600

REP = {"name": "Sales", "email": "sales@example.com"}
"""Who gets a reply where no message was sent before."""


def email_reply(
    context: Context,
    prospect: Mapping[str, Any],
    *,
    body: str = "Sounds good, tell me more.",
    subject: str | None = None,
) -> Mapping[str, Any]:
    """Receive an email in the prospect's last thread, else in a new one."""
    person, last = _person(context, prospect), _last(context, EMAIL, prospect)
    before = str(last.get("subject", "your message"))
    return context.create(
        EMAIL,
        **_continued(context, EMAIL, last),
        subject=subject or (before if before.startswith("Re: ") else f"Re: {before}"),
        body=body,
        **{"from": {"name": _name(person), "email": person.get("email") or "unknown@example.com"}},
        type="received",
        status="sent",
        prospectId=prospect["id"],
        recipients={"to": [last.get("from") or REP]},
        sentAt=timestamp(context.now),
    )


def linkedin_reply(
    context: Context, prospect: Mapping[str, Any], *, text: str = "Thanks for reaching out!"
) -> Mapping[str, Any]:
    """Receive a LinkedIn message in the prospect's last conversation, else in a new one; it is unread."""
    return context.create(
        LINKEDIN,
        **_continued(context, LINKEDIN, _last(context, LINKEDIN, prospect)),
        text=text,
        type="received",
        status="sent",
        unread=True,
        prospectId=prospect["id"],
        happenedAt=timestamp(context.now),
    )


def call(
    context: Context, prospect: Mapping[str, Any], *, seconds: int = 60, summary: str = "Asked to be called back."
) -> Mapping[str, Any]:
    """Receive a call that ends now, after a number of seconds, at most a day."""
    if not 0 <= seconds <= DAY:
        raise MockError(f"seconds={seconds} is out of bounds; choose 0 to {DAY}")
    return context.create(
        calls.KIND,
        **{"from": _person(context, prospect).get("phone") or TEXTS["to"]},
        to=TEXTS["from"],
        callType="inbound",
        duration=seconds,
        summary=summary,
        startedAt=timestamp(context.now - seconds * SECOND),
        endedAt=timestamp(context.now),
        prospectId=prospect["id"],
    )


def opt_out(context: Context, prospect: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the prospect's first contact method as opted out, as by an unsubscribe, and pause the person's prospects."""
    person = _person(context, prospect)
    contacts = [(kind, person[member]) for kind, member in dnc.MATCHED.items() if person.get(member)]
    if not contacts:
        raise MockError(f"the person of prospect {prospect['id']} has no email, linkedinUrl or phone to opt out")
    kind, identifier = contacts[0]
    listed = dnc.opt_out(context, identifier, kind, _name(person), manually=False)
    dnc.pause_matching(context, [{"identifier": identifier, "identifierType": kind}])
    return listed


EVENTS: Mapping[str, Event] = {
    "email-reply": email_reply,
    "linkedin-reply": linkedin_reply,
    "call": call,
    "opt-out": opt_out,
}


class Events:
    """What the vendor does by itself, or other people do. Each method returns the object that the event leaves.

    `prospect_id` is the id of a prospect, as `listProspects` returns it; an unknown one raises MockError.
    """

    def __init__(self, trigger: Callable[[str, str, Mapping[str, Any]], dict[str, Any]]) -> None:
        self._trigger = trigger

    def email_reply(self, prospect_id: str, **fields: str) -> dict[str, Any]:
        """Receive an email of the prospect, in the last thread; fields: `body`, `subject`."""
        return self._trigger("email-reply", prospect_id, fields)

    def linkedin_reply(self, prospect_id: str, **fields: str) -> dict[str, Any]:
        """Receive a LinkedIn message of the prospect, unread, in the last conversation; field: `text`."""
        return self._trigger("linkedin-reply", prospect_id, fields)

    def call(self, prospect_id: str, **fields: Any) -> dict[str, Any]:
        """Receive a call of the prospect; fields: `seconds` it took, `summary`."""
        return self._trigger("call", prospect_id, fields)

    def opt_out(self, prospect_id: str) -> dict[str, Any]:
        """List the prospect's contact as opted out, as by an unsubscribe."""
        return self._trigger("opt-out", prospect_id, {})


def _person(context: Context, prospect: Mapping[str, Any]) -> Mapping[str, Any]:
    return context.transaction.get(PERSON, prospect["personId"]) or {}


def _name(person: Mapping[str, Any]) -> str:
    names = [person[name] for name in ("firstName", "lastName") if person.get(name)]
    return " ".join(names) or person.get("email") or "Unknown"


def _last(context: Context, kind: str, prospect: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the newest message of a prospect; nothing if there is none."""
    found = context.transaction.rows(kind, {"prospectId": prospect["id"]}, backwards=True)
    return next((message for _, message in found), {})


def _continued(context: Context, kind: str, last: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that continue the thread of a message, or begin one."""
    thread = THREADS[kind]
    more = {"repId": last["repId"]} if "repId" in last else {}
    return {thread: last.get(thread) or context.new_id(thread), **more}
