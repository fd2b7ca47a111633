"""Rules about accounts: none sees or changes what is another one's, and the procedures that try."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from contract_tests.provider.derived import TAG
from contract_tests.provider.discovery import lists
from contract_tests.provider.documented import operations
from contract_tests.provider.page_rules import LARGEST, Page, read
from contract_tests.provider.probes import NotExercised
from contract_tests.provider.readback import Procedure, identity, judge, listed, need, prospects, record, threads
from contract_tests.provider.rule import Rule
from contract_tests.provider.session import Session
from contract_tests.sources import OBJECTS


def measure_lists(session: Session) -> None:
    """Compare the lists of two accounts; let the other one ask for the prospects of a campaign of the first."""
    other = session.make.need("other_account_token")
    for operation in lists():
        if session.report.serves(operation.id) and session.options.about(operation.id):
            ours, theirs = (read(session, operation, {"limit": LARGEST}, token) for token in ("", other))
            shared = {*ours.ids} & {*theirs.ids}
            got = f"{len(shared)} objects of both"
            judge(session, "accounts-are-separate", operation.id, theirs.request, not shared, got, "none")
    if session.report.serves("listProspects") and session.options.about("listProspects"):
        make = session.make.of("listProspects")
        known = [one.get("campaignId") for one in read(session, make.operation, {}).objects]
        query = urlencode({"campaignId": known[0] if known else session.target.campaign_id})
        request = make.request(path=f"{make.path()}?{query}", token=other)
        page = Page(request, session.send_patiently(request))
        got = f"{len(page.ids)} prospects of a campaign of another account"
        judge(session, "accounts-are-separate", make.operation.id, request, not page.ids, got, "none, or a refusal")


def measure_writes(session: Session) -> None:
    """Let another account change what is ours, and read it; another rule judges how that is answered."""
    other = session.make.need("other_account_token")
    need(session, writes=True)
    missing = []
    for name, measured in WRITES.items():
        if session.options.about(name):
            try:
                measured(session, other)
            except NotExercised as error:
                missing.append(str(error))
    if missing:
        raise NotExercised("; ".join(missing))


def _added(session: Session, other: str) -> None:
    """Add a prospect to a campaign with the token of another account."""
    need(session, "listProspects", writes=True)
    campaign, make = session.target.campaign_id, session.make.of("addProspectsToCampaign")
    before = prospects(session, campaign)
    request = make.request({"data": [record(session, 0)]}, token=other)
    session.send_patiently(request)
    new = len(prospects(session, campaign)) - len(before)
    judge(session, NO_FOREIGN_WRITE, make.operation.id, request, new == 0, f"{new} prospects more", "none")


def _paused(session: Session, other: str) -> None:
    """Pause a campaign with the token of another account."""
    need(session, "resumeCampaign", "getCampaign", writes=True)
    make, get = session.make.of("pauseCampaign"), session.make.of("getCampaign")
    session.send_patiently(session.make.of("resumeCampaign").request())
    request = make.request(token=other)
    session.send_patiently(request)
    status = (session.send_patiently(get.request(path=get.path(make.id))).json or {}).get("status")
    judge(session, NO_FOREIGN_WRITE, make.operation.id, request, status == "active", f"status {status}", "active")


def _opted_in(session: Session, other: str) -> None:
    """Delete an opt-out with the token of another account."""
    need(session, "addCommunicationOptOuts", "listCommunicationOptOuts", writes=True)
    make, one = session.make.of("deleteCommunicationOptOut"), identity(session)
    session.send_patiently(session.make.of("addCommunicationOptOuts").request({"identifiers": [one]}))
    request = make.request(one, token=other)
    session.send_patiently(request)
    count = len(listed(session, "listCommunicationOptOuts", {}, "identifier", one["identifier"]))
    judge(session, NO_FOREIGN_WRITE, make.operation.id, request, count == 1, f"listed {count} times", "listed once")
    session.send_patiently(make.request(one))


def _tagged(session: Session, other: str) -> None:
    """Tag a thread with the token of another account."""
    need(session, "listEmailMessages", writes=True)
    make, messages = session.make.of("assignTags"), operations()["listEmailMessages"]
    tag = f"{TAG}-{session.make.uuid()}"
    request = make.request({"entityType": "emailThread", "entityId": threads(session)[0], "tags": [tag]}, token=other)
    session.send_patiently(request)
    found = len(read(session, messages, {"tag": tag}).ids)
    judge(session, NO_FOREIGN_WRITE, make.operation.id, request, found == 0, f"{found} messages with the tag", "none")


NO_FOREIGN_WRITE = "no-foreign-writes"
WRITES = {
    "addProspectsToCampaign": _added,
    "pauseCampaign": _paused,
    "deleteCommunicationOptOut": _opted_in,
    "assignTags": _tagged,
}

PROCEDURES: Mapping[str, Procedure] = {
    "accounts-are-separate": Procedure(measure_lists, tuple(one.id for one in lists())),
    NO_FOREIGN_WRITE: Procedure(measure_writes, tuple(WRITES)),
}
"""By rule."""

RULES = (
    Rule("accounts-are-separate", "No list of an account shows an object of another account.", OBJECTS),
    Rule(NO_FOREIGN_WRITE, "What an account sends changes nothing of another account.", OBJECTS),
)
