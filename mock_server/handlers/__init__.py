"""What each operation does with a valid call; one module a resource.

This is the only package that names operations and resources. A handler gets the decoded call and a context, and returns
a result; `HANDLERS` declares, by `operationId`, which object its path names and which permission it needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from mock_server.contract.operation import Roles
from mock_server.handlers import calls, campaigns, dnc, inbox, prospects
from mock_server.handlers.handler import Context, Handler, Result, Sample
from mock_server.handlers.people import COMPANY, PERSON, PROSPECT, enrol_new
from mock_server.handlers.reading import get, listing
from mock_server.messages.call import Call

READ = "Campaign.ReadCampaign"
EDIT = "Campaign.EditCampaign"
"""Permissions by the names that the vendor documents for its MCP server: assumption `permission-name`."""


def _reads(function: Callable[[Call, Context], Result], finds: str | None = None) -> Handler:
    return Handler(function, finds, READ, enrol_new)


def _writes(function: Callable[[Call, Context], Result], finds: str | None = None) -> Handler:
    return Handler(function, finds, EDIT, enrol_new)


HANDLERS: Mapping[str, Handler] = {
    "listCampaigns": _reads(listing(campaigns.KIND)),
    "createCampaign": _writes(campaigns.create),
    "getCampaign": _reads(get, campaigns.KIND),
    "pauseCampaign": _writes(campaigns.pause, campaigns.KIND),
    "resumeCampaign": _writes(campaigns.resume, campaigns.KIND),
    "addProspectsToCampaign": Handler(campaigns.add_prospects, campaigns.KIND, EDIT),
    "listProspects": _reads(prospects.list_prospects),
    "getProspect": _reads(get, PROSPECT),
    "pauseProspect": _writes(prospects.pause, PROSPECT),
    "resumeProspect": _writes(prospects.resume, PROSPECT),
    "listPersons": _reads(listing(PERSON)),
    "getPerson": _reads(get, PERSON),
    "listCompanies": _reads(listing(COMPANY)),
    "getCompany": _reads(get, COMPANY),
    "listReps": _reads(listing("rep", "ownedById")),
    "getRep": _reads(get, "rep"),
    "listCalls": _reads(listing(calls.KIND)),
    "getCall": _reads(get, calls.KIND),
    "listEmailMessages": _reads(inbox.list_email_messages),
    "getEmailMessage": _reads(get, inbox.EMAIL),
    "listLinkedinMessages": _reads(inbox.list_linkedin_messages),
    "getLinkedinMessage": _reads(get, inbox.LINKEDIN),
    "assignTags": _writes(inbox.assign_tags),
    "unassignTags": _writes(inbox.unassign_tags),
    "listCommunicationOptOuts": _reads(dnc.list_opt_outs),
    "addCommunicationOptOuts": _writes(dnc.add_opt_outs),
    "deleteCommunicationOptOut": _writes(dnc.delete_opt_out),
    "triggerAssistantCall": _writes(calls.trigger),
}

SAMPLE = Sample("addProspectsToCampaign", campaigns.KIND, {"data": [{"email": "ada@example.com"}]})

ROLES = Roles(SAMPLE.operation, "addCommunicationOptOuts", "deleteCommunicationOptOut", dnc.MATCHED)

OBJECTS = {
    "prospects": "Prospects",
    "email_messages": "Email threads",
    "linkedin_messages": "LinkedIn conversations",
    "calls": "Calls",
    "opt_outs": "Opt-outs",
    "persons": "Persons",
    "companies": "Companies",
    "reps": "Reps",
}
"""The lists of objects that the page shows, by their names in the control API."""
