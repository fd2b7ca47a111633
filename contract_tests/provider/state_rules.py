"""Rules about what a provider keeps, read back by documented operations, and the procedures that do so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.provider.derived import TAG
from contract_tests.provider.discovery import lists
from contract_tests.provider.documented import operations
from contract_tests.provider.page_rules import read, walk
from contract_tests.provider.plan import NEEDS_WRITE
from contract_tests.provider.probes import NotExercised
from contract_tests.provider.rule import Rule
from contract_tests.provider.session import Session
from contract_tests.provider.wire import NOT_FOUND, Request
from contract_tests.sources import ADD, OBJECTS

MOST_PAGES = 30  # of 100 objects that are searched for what was added

PERSON = {
    "firstName": "firstName",
    "lastName": "lastName",
    "email": "email",
    "title": "jobTitle",
    "linkedinUrl": "linkedinUrl",
}
"""The members of a person, each with that of the record which it comes from."""

STATEMENTS = {
    "prospects-are-stored": "Accepted prospects are listed once, whole and in order; of a refused batch, none is.",
    "campaigns-agree": "A new campaign is read as it was created, by id and in the list; pause and resume show.",
    "opt-outs-agree": "An opt-out is listed once, also by its type and text, until it is deleted, which works once.",
    "tags-agree": "A message is found by a tag from the time at which its thread is tagged until the tag is removed.",
    "accounts-are-separate": "No list of an account shows an object of another account.",
}


def measure_prospects(session: Session) -> None:
    """Add prospects, and read them back."""
    _need(session, "listProspects", "getPerson", writes=True)
    campaign, make = session.target.campaign_id, session.make.of("addProspectsToCampaign")
    before = set(_prospects(session, campaign))
    batch = [_record(session, number) for number in range(3)]
    request = make.request({"data": [*batch[:2], {"jobTitle": TAG}]})
    session.send_patiently(request)
    unauthorized = make.request({"data": batch}, token="nobody")  # noqa: S106 - not a secret
    session.send_patiently(unauthorized)
    accepted = make.request({"data": batch})
    if not session.send_patiently(accepted).accepted:
        raise NotExercised("valid prospects are refused")
    new = _settled(
        session, lambda: [one for one in _prospects(session, campaign).items() if one[0] not in before], len(batch)
    )
    people = [_person(session, person) for _, person in new]
    wanted = [{name: record.get(source) for name, source in PERSON.items()} for record in batch]
    right = people in (wanted, wanted[::-1])  # the order of a list is open
    _judge(session, "prospects-are-stored", "addProspectsToCampaign", accepted, right, f"{people}", f"{wanted}")


def measure_campaigns(session: Session) -> None:
    """Create a campaign and read it back; pause and resume another."""
    _need(session, "createCampaign", "getCampaign", "listCampaigns", writes=True)
    create = session.make.of("createCampaign").request({"name": f"{TAG} {session.make.uuid()}"})
    created = session.send_patiently(create).json or {}
    get = session.make.of("getCampaign")
    got = session.send_patiently(get.request(path=get.path(str(created.get("id"))))).json
    listed = _listed(session, "listCampaigns", {}, "id", created.get("id"))
    right = got == created and listed == [created]
    _judge(
        session, "campaigns-agree", "createCampaign", create, right, f"got {got}, listed {listed}", f"{created} in both"
    )
    for name, status in (("resumeCampaign", "active"), ("pauseCampaign", "paused"), ("resumeCampaign", "active")):
        _need(session, name, writes=True)
        make = session.make.of(name)
        session.send_patiently(make.request())
        shown = (session.send_patiently(get.request(path=get.path(make.id))).json or {}).get("status")
        _judge(session, "campaigns-agree", name, make.request(), shown == status, f"status {shown}", status)


def measure_opt_outs(session: Session) -> None:
    """List an opt-out, and delete it."""
    _need(session, "addCommunicationOptOuts", "deleteCommunicationOptOut", "listCommunicationOptOuts", writes=True)
    identity = {"identifier": f"{TAG}-{session.make.uuid()}@example.com", "identifierType": "email"}
    add = session.make.of("addCommunicationOptOuts").request({"identifiers": [identity]})
    delete = session.make.of("deleteCommunicationOptOut").request(identity)

    def found(**filters: str) -> int:
        text = identity["identifier"]
        return len(_listed(session, "listCommunicationOptOuts", filters, "identifier", text))

    session.send_patiently(add)
    filters: tuple[dict[str, str], ...] = (
        {},
        {"identifierType": "email"},
        {"search": identity["identifier"][:30]},
        {"identifierType": "phone"},
    )
    counts = [found(**one) for one in filters]
    _judge(
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
    _judge(
        session, "opt-outs-agree", "deleteCommunicationOptOut", delete, left == 0, f"listed {left} times", "not listed"
    )
    again = session.send_patiently(delete)
    _judge(
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
    _need(session, "assignTags", "unassignTags", "listEmailMessages", writes=True)
    messages = [one for page in walk(session, operations()["listEmailMessages"], {}) for one in page.objects]
    threads = [one["emailThreadId"] for one in messages if one.get("emailThreadId")]
    if not threads:
        raise NotExercised("no email message of the account has a thread")
    tag = f"{TAG}-{session.make.uuid()}"
    body = {"entityType": "emailThread", "entityId": threads[0], "tags": [tag]}
    for name, wanted in (("assignTags", {threads[0]}), ("unassignTags", set())):
        request = session.make.of(name).request(body)
        session.send_patiently(request)
        found = {
            one.get("emailThreadId") for one in read(session, operations()["listEmailMessages"], {"tag": tag}).objects
        }
        _judge(
            session,
            "tags-agree",
            name,
            request,
            found == wanted,
            f"messages of {found or 'no thread'}",
            f"{wanted or 'no thread'}",
        )


def measure_accounts(session: Session) -> None:
    """Compare the lists of two accounts."""
    other = session.target.other_account_token
    if other is None:
        raise NotExercised("needs --other-account-token")
    for operation in operations().values():
        if (
            operation.parameters.get("query")
            and session.report.serves(operation.id)
            and session.options.about(operation.id)
        ):
            ours, theirs = (read(session, operation, {"limit": 100}, token) for token in ("", other))
            shared = {*ours.ids} & {*theirs.ids}
            _judge(
                session,
                "accounts-are-separate",
                operation.id,
                theirs.request,
                not shared,
                f"{len(shared)} objects of both",
                "none",
            )


@dataclass(frozen=True, slots=True)
class Procedure:
    """What judges a rule, and the operations that it is about."""

    measure: Callable[[Session], None]
    operations: tuple[str, ...]


PROCEDURES: Mapping[str, Procedure] = {
    "prospects-are-stored": Procedure(measure_prospects, ("addProspectsToCampaign",)),
    "campaigns-agree": Procedure(measure_campaigns, ("createCampaign", "pauseCampaign", "resumeCampaign")),
    "opt-outs-agree": Procedure(measure_opt_outs, ("addCommunicationOptOuts", "deleteCommunicationOptOut")),
    "tags-agree": Procedure(measure_tags, ("assignTags", "unassignTags")),
    "accounts-are-separate": Procedure(measure_accounts, tuple(one.id for one in lists())),
}
"""By rule."""

RULES = tuple(
    Rule(name, statement, ADD if name.startswith("prospects") else OBJECTS) for name, statement in STATEMENTS.items()
)


def _need(session: Session, *names: str, writes: bool) -> None:
    """Raise `NotExercised` if operations are not served, or must not be used."""
    if writes and not session.target.writes:
        raise NotExercised(NEEDS_WRITE)
    for name in names:
        if not session.report.serves(name):
            raise NotExercised(f"{name} is not served")


def _record(session: Session, number: int) -> dict[str, Any]:
    mark = f"{TAG}-{session.make.uuid()}"
    names = {"firstName": f"No. {number}", "lastName": "Zo\u00eb \u5c71", "company": TAG, "jobTitle": "VP \u2013 Sales"}
    return {**names, "email": f"{mark}@example.com", "linkedinUrl": f"https://www.linkedin.com/in/{mark}"}


def _prospects(session: Session, campaign: str) -> dict[Any, Any]:
    """Return the persons of the prospects of a campaign, by the ids of the prospects, in the order of the list."""
    operation = operations()["listProspects"]
    pages = walk(session, operation, {"campaignId": campaign, "limit": 100}, most=MOST_PAGES)
    return {str(one.get("id")): one.get("personId") for page in pages for one in page.objects}


def _person(session: Session, person: Any) -> dict[str, Any]:
    make = session.make.of("getPerson")
    found = session.send_patiently(make.request(path=make.path(str(person)))).json
    return {name: found.get(name) for name in PERSON} if isinstance(found, dict) else {}


def _settled(session: Session, look: Callable[[], list[Any]], count: int) -> list[Any]:
    """Look until there is a number of objects, or the time for a provider to settle is over."""
    found, waited = look(), 0.0
    while len(found) < count and waited < session.options.settle:
        session.wait(1.0, "until what was added is listed")
        waited += 1.0
        found = look()
    return found


def _listed(session: Session, name: str, filters: Mapping[str, str], member: str, value: Any) -> list[Any]:
    """Return the objects of a list that have a member."""
    pages = walk(session, operations()[name], {**filters, "limit": 100}, most=MOST_PAGES)
    return [one for page in pages for one in page.objects if one.get(member) == value]


def _judge(  # noqa: PLR0913, PLR0917 - a judgement has these parts
    session: Session,
    rule: str,
    operation: str,
    request: Request,
    right: bool,  # noqa: FBT001 - the judgement
    got: object,
    wanted: str,
) -> None:
    session.report.exercised(rule, operation)
    if not right:
        session.report.add_breach(rule, "read back", request, got, wanted, operation)
