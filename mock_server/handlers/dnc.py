"""Do not contact: identifiers of people who must not be contacted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mock_server.contract.assumptions import Question
from mock_server.handlers.handler import Context, Result
from mock_server.handlers.paging import Keep, page
from mock_server.handlers.people import ACTIVE, PAUSED, PERSON, change_all
from mock_server.messages.call import Call
from mock_server.messages.errors import NotFound
from mock_server.messages.violations import Violation

KIND = "communication-opt-out"

AGAIN = Question("opt-out-again", {"keep": False, "replace": True})
"""Whether a new entry replaces the one of an identifier that is listed."""

LABEL = Question("opt-out-label", {"label": True, "dropped": False})
"""Whether the name that is sent with an identifier becomes its label."""

MATCHED = {"email": "email", "linkedin": "linkedinUrl", "phone": "phone", "sms": "phone", "whatsapp": "phone"}
"""The member of a person that an identifier of a type is compared with."""


def list_opt_outs(call: Call, context: Context) -> Result:
    """Return the identifiers, by type or by a part of their text.

    https://docs.altahq.com/api-reference/dnc/list
    """
    return page(call, context, KIND, equal=("identifierType",), keep=_searched)


def add_opt_outs(call: Call, context: Context) -> Result:
    """Add identifiers, and pause the active prospects that they match, unless the call says otherwise.

    https://docs.altahq.com/api-reference/dnc/add - one that is listed stays as it is: assumption `opt-out-again`.
    """
    for added in call.body["identifiers"]:
        opt_out(context, added["identifier"], added["identifierType"], added.get("name"))
    if call.body.get("pauseActiveProspectWorkflows", True):
        pause_matching(context, call.body["identifiers"])
    return Result()


def delete_opt_out(call: Call, context: Context) -> Result:
    """Remove an identifier.

    https://docs.altahq.com/api-reference/dnc/delete
    """
    listed = _listed(context, call.body["identifier"], call.body["identifierType"])
    if listed is None:
        got, wanted = "an identifier that is not listed", "one that is, with its type"
        raise NotFound(Violation("object-unknown", "body", "/identifier", got, wanted))
    context.transaction.delete(KIND, listed["id"])
    return Result()


def opt_out(
    context: Context, identifier: str, identifier_type: str, label: str | None, *, manually: bool = True
) -> Mapping[str, Any]:
    """List an identifier, unless it is listed already; return what is listed."""
    listed = _listed(context, identifier, identifier_type)
    if listed and not context.choices[AGAIN]:
        return listed
    if listed:
        context.transaction.delete(KIND, listed["id"])
    more = {"label": label} if label is not None and context.choices[LABEL] else {}
    return context.create(KIND, identifier=identifier, identifierType=identifier_type, isManuallyAdded=manually, **more)


def pause_matching(context: Context, identifiers: Iterable[Mapping[str, Any]]) -> None:
    """Pause the active prospects of the persons whom identifiers name, in either case."""
    for one in identifiers:
        member, text = MATCHED.get(one["identifierType"]), one["identifier"]
        for person in context.transaction.alike(PERSON, member, text) if member and text else ():
            change_all(context, {"personId": person["id"]}, ACTIVE, PAUSED)


def identifiers(objects: Iterable[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """Return the types and texts of the identifiers among objects with their kinds."""
    return [(one["identifierType"], one["identifier"]) for kind, one in objects if kind == KIND]


def _listed(context: Context, identifier: str, identifier_type: str) -> Mapping[str, Any] | None:
    # By the identifier alone: a database may choose the index of the types, which finds nearly everything.
    found = context.transaction.objects(KIND, {"identifier": identifier})
    return next((one for one in found if one["identifierType"] == identifier_type), None)


def _searched(filters: Mapping[str, str], _: Context) -> Keep:
    search = filters.get("search", "").lower()
    return lambda listed: search in listed["identifier"].lower()
