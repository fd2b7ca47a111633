"""The operations of the API, each described once; `AltaClient` and `AsyncAltaClient` carry them out.

A method is named after the `operationId`, its arguments after the parameters and members of the contract; objects are
returned as sent (`alta_client.objects`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import UUID

from alta_client import _inputs as inputs
from alta_client._batches import MOST_OPT_OUTS, MOST_PROSPECTS, Progress, Records, batches, encoded, in_batches
from alta_client._errors import InvalidInput
from alta_client._messages import Listing, Request, Steps
from alta_client._methods import listing, operation
from alta_client._policy import Policy, Report

if TYPE_CHECKING:
    from alta_client import objects

Id: TypeAlias = "str | UUID"
Status: TypeAlias = Literal["sent", "draft"]
MessageType: TypeAlias = Literal["manual", "campaign", "reply_agent", "received"]
IdentifierType: TypeAlias = Literal["email", "linkedin", "phone", "sms", "whatsapp", "web_chat"]
EntityType: TypeAlias = Literal["emailThread", "linkedinConversation"]

MOST_OBJECTS = 100
"""Maximum number of objects of a page."""


class Operations:
    """The 28 operations, and `add_prospects`, which sends as many batches as necessary.

    Lists take `limit`, the number of objects of a page (100), and `cursor`, the page to begin at.
    """

    _policy: Policy

    def _get(self, kind: str, path: str, value: Id) -> Steps[Any]:
        return self._policy.result(Request("GET", f"{path}/{inputs.uuid(kind, value)}", returns=True))

    def _write(self, path: str, body: Mapping[str, object] | None = None, method: str = "POST") -> Steps[None]:
        return self._policy.result(Request(method, path, None if body is None else _json(body)))

    # --- Campaigns ----------------------------------------------------------------------------------------------------

    @listing
    def list_campaigns(self, *, limit: int = MOST_OBJECTS, cursor: str | None = None) -> Listing[objects.Campaign]:
        """Yield the campaigns."""
        return _listing("/campaigns", limit, cursor)

    @operation
    def create_campaign(self, name: str, *, description: str | None = None) -> Steps[objects.Campaign]:
        """Create a campaign, as a draft."""
        body = _json(_known(name=name, description=description))
        return self._policy.result(Request("POST", "/campaigns", body, returns=True))

    @operation
    def get_campaign(self, campaign_id: Id) -> Steps[objects.Campaign]:
        """Return a campaign."""
        return self._get("campaign", "/campaigns", campaign_id)

    @operation
    def pause_campaign(self, campaign_id: Id, *, pause_prospects: bool | None = None) -> Steps[None]:
        """Pause a campaign, and its active prospects if asked to."""
        path = f"/campaigns/{inputs.uuid('campaign', campaign_id)}/pause"
        return self._write(path, _known(pauseProspects=pause_prospects))

    @operation
    def resume_campaign(self, campaign_id: Id, *, resume_prospects: bool | None = None) -> Steps[None]:
        """Resume a campaign, and its paused prospects if asked to."""
        path = f"/campaigns/{inputs.uuid('campaign', campaign_id)}/resume"
        return self._write(path, _known(resumeProspects=resume_prospects))

    @operation
    def add_prospects_to_campaign(self, campaign_id: Id, data: Sequence[Mapping[str, object]]) -> Steps[None]:
        """Add one batch of 1 to 20 prospects, which the server checks; `add_prospects` adds any number."""
        path = f"/campaigns/{inputs.uuid('campaign', campaign_id)}/prospects"
        return self._policy.result(Request("POST", path, _json({"data": [dict(one) for one in data]}), narrow=True))

    @operation
    def add_prospects(
        self,
        campaign_id: Id,
        prospects: Iterable[Mapping[str, object]],
        *,
        validate: bool = True,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> Steps[int]:
        """Add prospects to a campaign, in order, in batches of 20, and return their number.

        The documented limits allow 200 prospects a minute.

        Args:
            campaign_id: A UUID.
            prospects: A sequence is checked as a whole before anything is sent, any other iterable batch by batch.
            validate: Whether records are checked before they are sent.
            on_progress: Called before and after each batch, and before each wait.

        Raises:
            InvalidInput: The campaign id is not a UUID, there are no prospects, or a prospect cannot be sent.
            RequestError: A batch was not added, or it is unknown whether it was; `added` says how many were.
        """
        path = f"/campaigns/{inputs.uuid('campaign', campaign_id)}/prospects"
        if isinstance(prospects, Mapping | str | bytes) or not isinstance(prospects, Iterable):
            raise InvalidInput(f"got {type(prospects).__name__}; expected a list of dictionaries, or the like")
        checked = isinstance(prospects, Sequence)
        if checked:
            for number, batch in enumerate(batches(prospects, MOST_PROSPECTS)):
                encoded(batch, number * MOST_PROSPECTS, validate=validate)
        report = on_progress or (lambda _: None)

        def batch_of(batch: Records, added: int) -> Steps[None]:
            body = b'{"data": ' + encoded(batch, added, validate=validate and not checked) + b"}"
            request = Request("POST", path, body, narrow=True)
            step: Report = lambda event, wait=0.0: report(Progress(event, added, batch, wait))  # noqa: E731 - typed
            yield from self._policy.exchange(request, report=step)

        return in_batches(
            prospects, MOST_PROSPECTS, batch_of, lambda batch, added: report(Progress("added", added, batch))
        )

    # --- Prospects, persons, companies, reps, calls -------------------------------------------------------------------

    @listing
    def list_prospects(
        self, *, campaign_id: Id | None = None, limit: int = MOST_OBJECTS, cursor: str | None = None
    ) -> Listing[objects.Prospect]:
        """Yield the prospects, of a campaign or of all."""
        return _listing("/prospects", limit, cursor, campaignId=campaign_id)

    @operation
    def get_prospect(self, prospect_id: Id) -> Steps[objects.Prospect]:
        """Return a prospect."""
        return self._get("prospect", "/prospects", prospect_id)

    @operation
    def pause_prospect(self, prospect_id: Id) -> Steps[None]:
        """Pause a prospect."""
        return self._write(f"/prospects/{inputs.uuid('prospect', prospect_id)}/pause")

    @operation
    def resume_prospect(self, prospect_id: Id) -> Steps[None]:
        """Resume a prospect."""
        return self._write(f"/prospects/{inputs.uuid('prospect', prospect_id)}/resume")

    @listing
    def list_persons(self, *, limit: int = MOST_OBJECTS, cursor: str | None = None) -> Listing[objects.Person]:
        """Yield the persons."""
        return _listing("/persons", limit, cursor)

    @operation
    def get_person(self, person_id: Id) -> Steps[objects.Person]:
        """Return a person."""
        return self._get("person", "/persons", person_id)

    @listing
    def list_companies(self, *, limit: int = MOST_OBJECTS, cursor: str | None = None) -> Listing[objects.Company]:
        """Yield the companies."""
        return _listing("/companies", limit, cursor)

    @operation
    def get_company(self, company_id: Id) -> Steps[objects.Company]:
        """Return a company."""
        return self._get("company", "/companies", company_id)

    @listing
    def list_reps(
        self, *, owned_by_id: Id | None = None, limit: int = MOST_OBJECTS, cursor: str | None = None
    ) -> Listing[objects.Rep]:
        """Yield the reps, of an owner or of all."""
        return _listing("/reps", limit, cursor, ownedById=owned_by_id)

    @operation
    def get_rep(self, rep_id: Id) -> Steps[objects.Rep]:
        """Return a rep."""
        return self._get("rep", "/reps", rep_id)

    @listing
    def list_calls(self, *, limit: int = MOST_OBJECTS, cursor: str | None = None) -> Listing[objects.Call]:
        """Yield the calls."""
        return _listing("/calls", limit, cursor)

    @operation
    def get_call(self, call_id: Id) -> Steps[objects.Call]:
        """Return a call."""
        return self._get("call", "/calls", call_id)

    # --- The inbox ----------------------------------------------------------------------------------------------------

    @listing
    def list_email_messages(  # noqa: PLR0913 - the filters
        self,
        *,
        email_thread_id: Id | None = None,
        campaign_id: Id | None = None,
        prospect_id: Id | None = None,
        rep_id: Id | None = None,
        status: Status | None = None,
        type: MessageType | None = None,  # noqa: A002 - the name of the parameter
        tag: str | None = None,
        last_per_thread: bool = False,
        limit: int = MOST_OBJECTS,
        cursor: str | None = None,
    ) -> Listing[objects.EmailMessage]:
        """Yield the email messages that all filters match."""
        ids = {"emailThreadId": email_thread_id, "campaignId": campaign_id, "prospectId": prospect_id, "repId": rep_id}
        texts = {"status": status, "type": type, "tag": tag, "lastPerThread": "true" if last_per_thread else None}
        return _listing("/inbox/email/messages", limit, cursor, **ids, **texts)

    @operation
    def get_email_message(self, email_message_id: Id) -> Steps[objects.EmailMessage]:
        """Return an email message."""
        return self._get("email message", "/inbox/email/messages", email_message_id)

    @listing
    def list_linkedin_messages(  # noqa: PLR0913 - the filters
        self,
        *,
        prospect_id: Id | None = None,
        campaign_id: Id | None = None,
        rep_id: Id | None = None,
        status: Status | None = None,
        type: MessageType | None = None,  # noqa: A002 - the name of the parameter
        tag: str | None = None,
        unread: bool = False,
        limit: int = MOST_OBJECTS,
        cursor: str | None = None,
    ) -> Listing[objects.LinkedInMessage]:
        """Yield the LinkedIn messages that all filters match; without `status` those that are sent."""
        ids = {"prospectId": prospect_id, "campaignId": campaign_id, "repId": rep_id}
        texts = {"status": status, "type": type, "tag": tag, "unread": "true" if unread else None}
        return _listing("/inbox/linkedin/messages", limit, cursor, **ids, **texts)

    @operation
    def get_linkedin_message(self, linkedin_message_id: Id) -> Steps[objects.LinkedInMessage]:
        """Return a LinkedIn message."""
        return self._get("LinkedIn message", "/inbox/linkedin/messages", linkedin_message_id)

    # --- Tags, opt-outs, the assistant --------------------------------------------------------------------------------

    @operation
    def assign_tags(self, entity_id: Id, entity_type: EntityType, tags: Sequence[str]) -> Steps[None]:
        """Give tags to an email thread or a LinkedIn conversation."""
        return self._write("/tags/assign", _tags(entity_id, entity_type, tags))

    @operation
    def unassign_tags(self, entity_id: Id, entity_type: EntityType, tags: Sequence[str]) -> Steps[None]:
        """Take tags from an email thread or a LinkedIn conversation."""
        return self._write("/tags/unassign", _tags(entity_id, entity_type, tags))

    @listing
    def list_communication_opt_outs(
        self,
        *,
        identifier_type: IdentifierType | None = None,
        search: str | None = None,
        limit: int = MOST_OBJECTS,
        cursor: str | None = None,
    ) -> Listing[objects.CommunicationOptOut]:
        """Yield the opt-outs, of a type or all, whose text matches."""
        path = "/dnc/communication-opt-outs"
        return _listing(path, limit, cursor, identifierType=identifier_type, search=search)

    @operation
    def add_communication_opt_outs(
        self, identifiers: Iterable[objects.Identifier], *, pause_active_prospect_workflows: bool | None = None
    ) -> Steps[int]:
        """Opt any number of identifiers out, in batches of 500, and return their number.

        Raises:
            InvalidInput: There are none, or one cannot be sent.
            RequestError: A batch was not added, or it is unknown whether it was; `added` says how many were.
        """

        def batch_of(batch: Records, _added: int) -> Steps[None]:
            pause = _known(pauseActiveProspectWorkflows=pause_active_prospect_workflows)
            return self._write("/dnc/communication-opt-outs", {"identifiers": [dict(one) for one in batch], **pause})

        return in_batches(identifiers, MOST_OPT_OUTS, batch_of)

    @operation
    def delete_communication_opt_out(self, identifier: str, identifier_type: IdentifierType) -> Steps[None]:
        """Take an identifier from the opt-outs."""
        body = {"identifier": identifier, "identifierType": identifier_type}
        return self._write("/dnc/communication-opt-outs", body, "DELETE")

    @operation
    def trigger_assistant_call(  # noqa: PLR0913 - the members of the body
        self,
        assistant_id: str,
        name: str,
        phone_number: str,
        *,
        email: str | None = None,
        timezone: str | None = None,
        data: Mapping[str, object] | None = None,
        call_transfer: objects.CallTransfer | None = None,
    ) -> Steps[None]:
        """Let an assistant call a person."""
        optional = _known(email=email, timezone=timezone, data=data, callTransfer=call_transfer)
        body = {"assistantId": assistant_id, "name": name, "phoneNumber": phone_number, **optional}
        return self._write("/assistant/calls", body)


def _listing(path: str, limit: int, cursor: str | None, **filters: Id | None) -> Listing[Any]:
    """Describe a list; filters whose name ends in Id are UUIDs."""
    if type(limit) is not int or not 1 <= limit <= MOST_OBJECTS:
        raise InvalidInput(f"limit={limit!r} is not valid; give 1 to {MOST_OBJECTS}")
    texts = {
        name: inputs.uuid(name.removesuffix("Id"), value) if name.endswith("Id") else str(value)
        for name, value in filters.items()
        if value is not None
    }
    return Listing(path, {"limit": str(limit), **texts, **({} if cursor is None else {"cursor": cursor})})


def _known(**members: object) -> dict[str, object]:
    """Return the members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def _tags(entity_id: Id, entity_type: str, tags: Sequence[str]) -> dict[str, object]:
    return {"entityId": inputs.uuid("entity", entity_id), "entityType": entity_type, "tags": list(tags)}


def _json(body: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInput(f"the body cannot be sent as JSON: {error}") from error
