"""Sequences of requests against a model that knows only the documentation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from mock_server import AltaMock, Clock
from tests.api.conftest import CONVERSATION, EMAILS, LINKEDIN, OPT_OUTS, THREAD, WITH_BODY, Api
from tests.store.kinds import SHARED, url_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # ten thousand steps take a while on a busy machine

RUNS, STEPS = 120, 100
MOCK = AltaMock(clock=Clock(lambda: 0), rate_limit="off", account_rate_limit="off")
LISTS = {"emailThread": EMAILS, "linkedinConversation": LINKEDIN}

emails = st.sampled_from(["ada@example.com", "Ada@Example.com", "nora@northwind.example", "zoe@example.com"])
flags = st.sampled_from([None, False, True])
tags = st.lists(st.sampled_from(["hot", "cold", "new"]), min_size=1, max_size=3)
entities = st.sampled_from([("emailThread", THREAD), ("linkedinConversation", CONVERSATION)])
limits = st.sampled_from([1, 3, 10, 100])


class WholeApi(RuleBasedStateMachine):
    """Every operation that changes something, in any order, and every list that shows it."""

    campaigns: Bundle[str] = Bundle("campaigns")
    prospects: Bundle[str] = Bundle("prospects")

    def __init__(self) -> None:
        """Begin with what the seed has."""
        super().__init__()
        MOCK.reset()
        self.api = Api(MOCK)
        found = self.api.get("/campaigns?limit=100")["data"]
        self.status = {one["id"]: one["status"] for one in found if not one["name"].startswith("Always")}
        self.launched: set[str] = set()
        self.state = {one["id"]: one["status"] for one in MOCK.list("prospects") if one["campaignId"] in self.status}
        persons = {one["id"]: (one.get("email") or "").lower() for one in MOCK.list("persons")}
        self.email = {one["id"]: persons[one["personId"]] for one in MOCK.list("prospects")}
        self.campaign = {one["id"]: one["campaignId"] for one in MOCK.list("prospects")}
        self.opted_out = [(one["identifier"], one["identifierType"]) for one in self.pages(OPT_OUTS, 100)]
        self.tags: dict[tuple[str, str], set[str]] = {("emailThread", THREAD): set()}
        self.tags["linkedinConversation", CONVERSATION] = set()
        self.numbers = [one["to"] for one in self.pages("/calls", 100)]

    @initialize(target=campaigns)
    def know_campaigns(self) -> MultipleResults[str]:
        """Take the campaigns of the seed."""
        return multiple(*self.status)

    @initialize(target=prospects)
    def know_prospects(self) -> MultipleResults[str]:
        """Take the prospects of the seed."""
        return multiple(*self.state)

    @rule(target=campaigns, name=st.text(max_size=255))
    def create_campaign(self, name: str) -> str:
        """A new campaign is a draft."""
        made: str = self.api.post("/campaigns", {"name": name})["id"]
        self.status[made] = "draft"
        return made

    @rule(campaign=campaigns, too=flags)
    def pause_campaign(self, campaign: str, *, too: bool | None) -> None:
        """An active campaign is paused, and its active prospects if the call says so."""
        self.api.post(f"/campaigns/{campaign}/pause", None if too is None else {"pauseProspects": too})
        if self.status[campaign] == "active":
            self.status[campaign] = "paused"
        self.change([one for one in self.state if too and self.campaign[one] == campaign], "paused")

    @rule(campaign=campaigns, too=flags)
    def resume_campaign(self, campaign: str, *, too: bool | None) -> None:
        """A paused or completed campaign becomes active, and its paused prospects if the call says so."""
        self.api.post(f"/campaigns/{campaign}/resume", None if too is None else {"resumeProspects": too})
        if self.status[campaign] in {"paused", "completed"}:
            self.status[campaign] = "active"
            self.launched.add(campaign)
        self.change([one for one in self.state if too and self.campaign[one] == campaign], "active")

    @rule(target=prospects, campaign=campaigns, batch=st.lists(emails, min_size=1, max_size=3))
    def add_prospects(self, campaign: str, batch: list[str]) -> MultipleResults[str]:
        """Each record is a new prospect, in order, with a person of its own."""
        self.api.post(f"/campaigns/{campaign}/prospects", {"data": [{"email": email} for email in batch]})
        added = self.pages(f"/prospects?campaignId={campaign}", 100)[-len(batch) :]
        assert [self.api.get(f"/persons/{one['personId']}")["email"] for one in added] == batch
        for one, email in zip(added, batch, strict=True):
            assert one["id"] not in self.state
            self.state[one["id"]], self.email[one["id"]] = "active", email.lower()
            self.campaign[one["id"]] = campaign
        return multiple(*(one["id"] for one in added))

    @rule(prospect=prospects, verb=st.sampled_from(["pause", "resume"]))
    def change_prospect(self, prospect: str, verb: str) -> None:
        """A prospect is paused or resumed."""
        self.api.post(f"/prospects/{prospect}/{verb}")
        self.change([prospect], {"pause": "paused", "resume": "active"}[verb])

    @rule(identifiers=st.lists(emails, max_size=2), too=flags)
    def opt_out(self, identifiers: list[str], *, too: bool | None) -> None:
        """An identifier is listed once, and pauses the prospects that it matches unless the call says otherwise."""
        body = {"identifiers": [{"identifier": one, "identifierType": "email"} for one in identifiers]}
        self.api.post(OPT_OUTS, body if too is None else {**body, "pauseActiveProspectWorkflows": too})
        self.opted_out = list(dict.fromkeys([*self.opted_out, *((one, "email") for one in identifiers)]))
        named = {one.lower() for one in identifiers} if too is not False else set()
        self.change([one for one in self.state if self.email[one] in named], "paused")

    @rule(identifier=emails, kind=st.sampled_from(["email", "sms"]))
    def delete_opt_out(self, identifier: str, kind: str) -> None:
        """What is listed is removed; anything else is not found."""
        reply = self.api.send("DELETE", OPT_OUTS, {"identifier": identifier, "identifierType": kind})
        assert reply.status == (200 if (identifier, kind) in self.opted_out else 404)
        self.opted_out = [one for one in self.opted_out if one != (identifier, kind)]

    @rule(entity=entities, names=tags, assign=st.booleans())
    def change_tags(self, entity: tuple[str, str], names: list[str], *, assign: bool) -> None:
        """Tags are assigned or removed."""
        body = {"entityType": entity[0], "entityId": entity[1], "tags": names}
        self.api.post("/tags/assign" if assign else "/tags/unassign", body)
        self.tags[entity] = self.tags[entity] | set(names) if assign else self.tags[entity] - set(names)

    @rule(number=st.text(max_size=5))
    def call(self, number: str) -> None:
        """An assistant's call is a call."""
        self.api.post("/assistant/calls", {"assistantId": "a", "name": "Zoe", "phoneNumber": number})
        self.numbers.append(number)

    @rule(name=st.sampled_from(sorted(WITH_BODY)))
    def refuse(self, name: str) -> None:
        """A body that is no object is refused."""
        sent = WITH_BODY[name]
        assert self.api.send(sent.method, sent.target, []).status == 400

    @rule(limit=limits)
    def list_campaigns(self, limit: int) -> None:
        """The campaigns have their status, and those that were launched their time."""
        listed = [one for one in self.pages("/campaigns", limit) if one["id"] in self.status]
        assert [(one["id"], one["status"]) for one in listed] == list(self.status.items())
        assert {one["id"] for one in listed if "launchedAt" in one} == self.launched

    @rule(campaign=campaigns, limit=limits)
    def list_prospects(self, campaign: str, limit: int) -> None:
        """The prospects of a campaign are those that were added, and have their state."""
        listed = [one["id"] for one in self.pages(f"/prospects?campaignId={campaign}", limit)]
        assert listed == [one for one in self.state if self.campaign[one] == campaign]
        assert {one["id"]: one["status"] for one in MOCK.list("prospects") if one["id"] in self.state} == self.state

    @rule(entity=entities, tag=st.sampled_from(["hot", "cold", "new"]))
    def list_tagged(self, entity: tuple[str, str], tag: str) -> None:
        """The messages of a thread or conversation are found by its tags, and no others."""
        assert bool(self.pages(f"{LISTS[entity[0]]}?tag={tag}", 100)) == (tag in self.tags[entity])

    @rule(limit=limits)
    def list_the_others(self, limit: int) -> None:
        """Opt-outs and calls are listed in order of creation."""
        listed = [(one["identifier"], one["identifierType"]) for one in self.pages(OPT_OUTS, limit)]
        assert listed == self.opted_out
        assert [one["to"] for one in self.pages("/calls", limit)] == self.numbers

    def change(self, prospects: list[str], state: str) -> None:
        """Put prospects into a state."""
        self.state.update(dict.fromkeys(prospects, state))

    def pages(self, target: str, limit: int) -> list[Any]:
        """Return the objects of all pages of a list."""
        path = target.partition("?")[0]
        page = self.api.get(f"{target}{'&' if '?' in target else '?'}limit={limit}")
        found = page["data"]
        while page["hasMore"]:
            page = self.api.get(f"{path}?cursor={page['next']}")
            found += page["data"]
        return list(found)


WholeApi.TestCase.settings = settings(
    max_examples=RUNS,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
)
TestWholeApi = WholeApi.TestCase
"""The same sequences of requests in every run; a failure is shown as found, since shortening it takes minutes."""


@pytest.mark.parametrize("kind", SHARED)
def test_a_database_makes_no_difference(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few such sequences over each store in a database."""
    store = url_of(kind, tmp_path)
    with AltaMock(clock=Clock(lambda: 0), rate_limit="off", account_rate_limit="off", store=store) as mock:
        monkeypatch.setattr(sys.modules[__name__], "MOCK", mock)
        run_state_machine_as_test(WholeApi, settings=settings(WholeApi.TestCase.settings, max_examples=8))
