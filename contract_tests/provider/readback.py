"""What rules about state share: the documented operations that read back what a provider keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contract_tests.provider.derived import TAG
from contract_tests.provider.documented import operations
from contract_tests.provider.page_rules import walk
from contract_tests.provider.plan import NEEDS_WRITE
from contract_tests.provider.probes import NotExercised
from contract_tests.provider.session import Session
from contract_tests.provider.wire import Request

MOST_PAGES = 30  # of 100 objects that are searched for what was added

PERSON = {
    "firstName": "firstName",
    "lastName": "lastName",
    "email": "email",
    "title": "jobTitle",
    "linkedinUrl": "linkedinUrl",
}
"""The members of a person, each with that of the record which it comes from."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """What judges a rule, and the operations that it is about."""

    measure: Callable[[Session], None]
    operations: tuple[str, ...]


def need(session: Session, *names: str, writes: bool) -> None:
    """Raise `NotExercised` if operations are not served, or must not be used."""
    if writes and not session.target.writes:
        raise NotExercised(NEEDS_WRITE)
    for name in names:
        if not session.report.serves(name):
            raise NotExercised(f"{name} is not served")


def record(session: Session, number: int) -> dict[str, Any]:
    """Return a prospect that nothing else is."""
    mark = f"{TAG}-{session.make.uuid()}"
    names = {"firstName": f"No. {number}", "lastName": "Zo\u00eb \u5c71", "company": TAG, "jobTitle": "VP \u2013 Sales"}
    return {**names, "email": f"{mark}@example.com", "linkedinUrl": f"https://www.linkedin.com/in/{mark}"}


def identity(session: Session) -> dict[str, str]:
    """Return an opt-out that nothing else is."""
    return {"identifier": f"{TAG}-{session.make.uuid()}@example.com", "identifierType": "email"}


def threads(session: Session) -> list[str]:
    """Return the threads of the email messages, or raise `NotExercised`."""
    pages = walk(session, operations()["listEmailMessages"], {})
    found = [one["emailThreadId"] for page in pages for one in page.objects if one.get("emailThreadId")]
    if not found:
        raise NotExercised("no email message of the account has a thread")
    return found


def prospects(session: Session, campaign: str) -> dict[Any, Any]:
    """Return the persons of the prospects of a campaign, by the ids of the prospects, in the order of the list."""
    operation = operations()["listProspects"]
    pages = walk(session, operation, {"campaignId": campaign, "limit": 100}, most=MOST_PAGES)
    return {str(one.get("id")): one.get("personId") for page in pages for one in page.objects}


def person(session: Session, identifier: Any) -> dict[str, Any]:
    """Return what a person has of the record that it comes from."""
    make = session.make.of("getPerson")
    found = session.send_patiently(make.request(path=make.path(str(identifier)))).json
    return {name: found.get(name) for name in PERSON} if isinstance(found, dict) else {}


def people_of(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return what the persons of records must have."""
    return [{name: one.get(source) for name, source in PERSON.items()} for one in records]


def enrolled(session: Session, campaign: str, before: Collection[str], count: int) -> list[dict[str, Any]]:
    """Return the persons of the prospects that a campaign did not have before, a number of them, when they show."""
    new = settled(session, lambda: [it for it in prospects(session, campaign).items() if it[0] not in before], count)
    return [person(session, one) for _, one in new]


def settled(session: Session, look: Callable[[], list[Any]], count: int) -> list[Any]:
    """Look until there is a number of objects, or the time for a provider to settle is over."""
    found, waited = look(), 0.0
    while len(found) < count and waited < session.options.settle:
        session.wait(1.0, "until what was added is listed")
        waited += 1.0
        found = look()
    return found


def listed(session: Session, name: str, filters: Mapping[str, str], member: str, value: Any) -> list[Any]:
    """Return the objects of a list that have a member."""
    pages = walk(session, operations()[name], {**filters, "limit": 100}, most=MOST_PAGES)
    return [one for page in pages for one in page.objects if one.get(member) == value]


def judge(  # noqa: PLR0913, PLR0917 - a judgement has these parts
    session: Session,
    rule: str,
    operation: str,
    request: Request,
    right: bool,  # noqa: FBT001 - the judgement
    got: object,
    wanted: str,
) -> None:
    """Record whether what was read is right."""
    session.report.exercised(rule, operation)
    if not right:
        session.report.add_breach(rule, "read back", request, got, wanted, operation)
