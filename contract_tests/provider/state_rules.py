"""Rules about what a provider keeps, read back by documented operations, and the procedures that do so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from contract_tests.provider.derived import TAG
from contract_tests.provider.discovery import singles
from contract_tests.provider.documented import operations
from contract_tests.provider.page_rules import LARGEST, Query, read, walk
from contract_tests.provider.probes import NotExercised, ProbeFactory
from contract_tests.provider.readback import (
    MOST_PAGES,
    Procedure,
    enrolled,
    identity,
    judge,
    listed,
    need,
    people_of,
    prospects,
    record,
    threads,
)
from contract_tests.provider.rule import Rule
from contract_tests.provider.session import Session
from contract_tests.provider.wire import NOT_FOUND
from contract_tests.sources import ADD, OBJECTS
from mock_server.contract.operation import Operation
from mock_server.handlers import SAMPLE

SIMULTANEOUS = (range(3), range(3, 6))  # the numbers of the prospects of each batch
PARTS = 3  # pages, at least, of a list that is read while objects are added

INSERTS: Mapping[str, tuple[bool, str, Callable[[Session], Any]]] = {
    "listProspects": (True, SAMPLE.operation, lambda session: {"data": [record(session, 0)]}),
    "listCampaigns": (False, "createCampaign", lambda session: {"name": f"{TAG} {session.make.uuid()}"}),
    "listCommunicationOptOuts": (
        False,
        "addCommunicationOptOuts",
        lambda session: {"identifiers": [identity(session)]},
    ),
}
"""The lists that objects can be added to: whether only those of the campaign are read, by which operation, what."""

STATEMENTS = {
    "prospects-are-stored": "Accepted prospects are listed once, whole and in order; of a refused batch, none is.",
    "batches-stay-apart": "Of batches that are sent at the same time, each prospect is listed once and whole.",
    "prospects-agree": "A prospect that is paused or resumed is read and listed as before.",
    "campaigns-agree": "A new campaign is read as it was created, by id and in the list; pause and resume show.",
    "opt-outs-agree": "An opt-out is listed once, also by its type and text, until it is deleted, which works once.",
    "tags-agree": "A message is found by a tag from the time at which its thread is tagged until the tag is removed.",
    "objects-agree": "An object that is read by its id is the one that its list shows.",
    "pages-are-stable": "While objects are added, the pages of a list leave none of the others out and repeat none.",
}


def measure_prospects(session: Session) -> None:
    """Add prospects, and read them back."""
    need(session, "listProspects", "getPerson", writes=True)
    campaign, make = session.target.campaign_id, session.make.of("addProspectsToCampaign")
    before = set(prospects(session, campaign))
    batch = [record(session, number) for number in range(3)]
    request = make.request({"data": [*batch[:2], {"jobTitle": TAG}]})
    session.send_patiently(request)
    unauthorized = make.request({"data": batch}, token="nobody")  # noqa: S106 - not a secret
    session.send_patiently(unauthorized)
    accepted = make.request({"data": batch})
    if not session.send_patiently(accepted).accepted:
        raise NotExercised("valid prospects are refused")
    people, wanted = enrolled(session, campaign, before, len(batch)), people_of(batch)
    right = people in (wanted, wanted[::-1])  # the order of a list is open
    judge(session, "prospects-are-stored", "addProspectsToCampaign", accepted, right, f"{people}", f"{wanted}")


def measure_campaigns(session: Session) -> None:
    """Create a campaign and read it back; pause and resume another."""
    need(session, "createCampaign", "getCampaign", "listCampaigns", writes=True)
    create = session.make.of("createCampaign").request({"name": f"{TAG} {session.make.uuid()}"})
    created = session.send_patiently(create).json or {}
    get = session.make.of("getCampaign")
    got = session.send_patiently(get.request(path=get.path(str(created.get("id"))))).json
    shown = listed(session, "listCampaigns", {}, "id", created.get("id"))
    right = got == created and shown == [created]
    judge(
        session, "campaigns-agree", "createCampaign", create, right, f"got {got}, listed {shown}", f"{created} in both"
    )
    for name, status in (("resumeCampaign", "active"), ("pauseCampaign", "paused"), ("resumeCampaign", "active")):
        need(session, name, writes=True)
        make = session.make.of(name)
        session.send_patiently(make.request())
        found = (session.send_patiently(get.request(path=get.path(make.id))).json or {}).get("status")
        judge(session, "campaigns-agree", name, make.request(), found == status, f"status {found}", status)


def measure_opt_outs(session: Session) -> None:
    """List an opt-out, and delete it."""
    need(session, "addCommunicationOptOuts", "deleteCommunicationOptOut", "listCommunicationOptOuts", writes=True)
    one = identity(session)
    add = session.make.of("addCommunicationOptOuts").request({"identifiers": [one]})
    delete = session.make.of("deleteCommunicationOptOut").request(one)

    def found(**filters: str) -> int:
        text = one["identifier"]
        return len(listed(session, "listCommunicationOptOuts", filters, "identifier", text))

    session.send_patiently(add)
    filters: tuple[dict[str, str], ...] = (
        {},
        {"identifierType": "email"},
        {"search": one["identifier"][:30]},
        {"identifierType": "phone"},
    )
    counts = [found(**chosen) for chosen in filters]
    judge(
        session,
        "opt-outs-agree",
        "addCommunicationOptOuts",
        add,
        counts == [1, 1, 1, 0],
        f"listed {counts}",
        "[1, 1, 1, 0]",
    )
    session.send_patiently(delete)
    left = found()
    judge(
        session, "opt-outs-agree", "deleteCommunicationOptOut", delete, left == 0, f"listed {left} times", "not listed"
    )
    again = session.send_patiently(delete)
    judge(
        session,
        "opt-outs-agree",
        "deleteCommunicationOptOut",
        delete,
        again.status == NOT_FOUND,
        again,
        "404 the second time",
    )


def measure_tags(session: Session) -> None:
    """Tag the thread of a message, and remove the tag."""
    need(session, "assignTags", "unassignTags", "listEmailMessages", writes=True)
    thread = threads(session)[0]
    tag = f"{TAG}-{session.make.uuid()}"
    body = {"entityType": "emailThread", "entityId": thread, "tags": [tag]}
    for name, wanted in (("assignTags", {thread}), ("unassignTags", set())):
        request = session.make.of(name).request(body)
        session.send_patiently(request)
        found = {
            one.get("emailThreadId") for one in read(session, operations()["listEmailMessages"], {"tag": tag}).objects
        }
        judge(
            session,
            "tags-agree",
            name,
            request,
            found == wanted,
            f"messages of {found or 'no thread'}",
            f"{wanted or 'no thread'}",
        )


def measure_together(session: Session) -> None:
    """Add two batches at the same time, and read them back; the order of their prospects is open."""
    need(session, "listProspects", "getPerson", writes=True)
    limits = [limit for limit in (session.target.rate_limit, session.target.account_rate_limit) if limit]
    if any(limit.requests < len(SIMULTANEOUS) for limit in limits):
        raise NotExercised("the limit does not allow two requests at the same time")
    campaign, make = session.target.campaign_id, session.make.of("addProspectsToCampaign")
    before = set(prospects(session, campaign))
    batches = [[record(session, number) for number in numbers] for numbers in SIMULTANEOUS]
    requests = [make.request({"data": batch}) for batch in batches]
    responses = session.at_once(requests, patiently=True)
    if not all(response.accepted for response in responses):
        raise NotExercised(f"two batches at the same time are answered {[one.status for one in responses]}")
    wanted = people_of([one for batch in batches for one in batch])
    people = enrolled(session, campaign, before, len(wanted))
    right = sorted(map(str, people)) == sorted(map(str, wanted))
    got = f"{len(people)} prospects, {sum(one in people for one in wanted)} of those that were sent"
    judge(session, "batches-stay-apart", make.operation.id, requests[0], right, got, f"{len(wanted)} that were sent")


def measure_objects(session: Session) -> None:
    """Read the known object of each kind by its id, and look it up in the first page of its list."""
    missing = []
    for single, operation in singles().items():
        if session.options.about(single) and all(map(session.report.serves, (single, operation.id))):
            try:
                _judge_object(session, single, operation)
            except NotExercised as error:
                missing.append(str(error))
    if missing:
        raise NotExercised("; ".join(missing))


def _judge_object(session: Session, single: str, operation: Operation) -> None:
    known = session.make.of(single).id.lower()
    objects = read(session, operation, {"limit": LARGEST}).objects
    shown = [one for one in objects if str(one.get("id")).lower() == known]
    if not shown:
        raise NotExercised(f"{known} is not in the first page of {operation.id}")
    _judge_same(session, "objects-agree", single, single, shown[0])


def measure_pausing(session: Session) -> None:
    """Pause and resume a prospect; no documented member shows which of both it is."""
    need(session, "getProspect", "listProspects", "pauseProspect", "resumeProspect", writes=True)
    shown = read(session, operations()["listProspects"], {}).objects
    if not shown:
        raise NotExercised("the account has no prospects")
    before = {name: value for name, value in shown[0].items() if name != "updatedAt"}
    identifier, filters = str(before.get("id")), {"campaignId": str(before.get("campaignId"))}
    for name in ("pauseProspect", "resumeProspect"):
        make = session.make.of(name)
        if not session.send_patiently(make.request(path=make.path(identifier))).accepted:
            raise NotExercised(f"{name} is refused")
        _judge_same(session, "prospects-agree", name, "getProspect", before)
        count = len(listed(session, "listProspects", filters, "id", identifier))
        request = make.request(path=make.path(identifier))
        judge(session, "prospects-agree", name, request, count == 1, f"listed {count} times", "listed once")


def measure_inserts(session: Session) -> None:
    """Add an object after each of the first pages of a list, and read on."""
    need(session, writes=True)
    missing = []
    for name, (filtered, creating, body) in INSERTS.items():
        if session.options.about(name):
            try:
                need(session, name, creating, writes=True)
                filters = {"campaignId": session.target.campaign_id} if filtered else {}
                _judge_inserts(session, operations()[name], filters, session.make.of(creating), body)
            except NotExercised as error:
                missing.append(str(error))
    if missing:
        raise NotExercised("; ".join(missing))


def _judge_inserts(
    session: Session, operation: Operation, filters: Query, creating: ProbeFactory, body: Callable[[Session], Any]
) -> None:
    pages = list(walk(session, operation, {**filters, "limit": LARGEST}, most=MOST_PAGES))
    known = [one for page in pages for one in page.ids]
    if pages[-1].member("hasMore") is True or len(known) < PARTS:
        raise NotExercised(f"{operation.id} has less than {PARTS} objects, or more than {LARGEST * MOST_PAGES}")
    size, walked = min(LARGEST, len(known) // PARTS), []
    for number, page in enumerate(walk(session, operation, {**filters, "limit": size}, most=LARGEST)):
        walked += page.ids
        if number < PARTS - 1:
            session.send_patiently(creating.request(body(session)))
    old = [one for one in walked if one in {*known}]
    right = old == known and len({*walked}) == len(walked)
    got = f"{len(walked)} objects, {len({*walked})} of them different, {len({*old})} of those before"
    judge(session, "pages-are-stable", operation.id, page.request, right, got, f"each of {len(known)} once, in order")


def _judge_same(session: Session, rule: str, operation: str, single: str, shown: Mapping[str, Any]) -> None:
    """Judge that an object which is read by its id has the members that it has elsewhere, as far as it shows them."""
    make = session.make.of(single)
    request = make.request(path=make.path(str(shown.get("id"))))
    response = session.send_patiently(request)
    got = response.json if isinstance(response.json, dict) else {}
    differing = sorted(name for name in shown if name in got and got[name] != shown[name])
    right = response.accepted and not differing
    judge(session, rule, operation, request, right, f"{response.status}, other {differing}", "200, as it is listed")


def _identity(session: Session) -> dict[str, str]:
    return {"identifier": f"{TAG}-{session.make.uuid()}@example.com", "identifierType": "email"}


PROCEDURES: Mapping[str, Procedure] = {
    "prospects-are-stored": Procedure(measure_prospects, ("addProspectsToCampaign",)),
    "batches-stay-apart": Procedure(measure_together, ("addProspectsToCampaign",)),
    "prospects-agree": Procedure(measure_pausing, ("pauseProspect", "resumeProspect")),
    "campaigns-agree": Procedure(measure_campaigns, ("createCampaign", "pauseCampaign", "resumeCampaign")),
    "opt-outs-agree": Procedure(measure_opt_outs, ("addCommunicationOptOuts", "deleteCommunicationOptOut")),
    "tags-agree": Procedure(measure_tags, ("assignTags", "unassignTags")),
    "objects-agree": Procedure(measure_objects, tuple(singles())),
    "pages-are-stable": Procedure(measure_inserts, tuple(INSERTS)),
}
"""By rule."""

RULES = tuple(
    Rule(name, statement, ADD if PROCEDURES[name].operations == (SAMPLE.operation,) else OBJECTS)
    for name, statement in STATEMENTS.items()
)
