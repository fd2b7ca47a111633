"""The seed: the bundled one, and how mistakes are reported."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest

from mock_server import AltaMock, MockError
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.store.seed import Seed, list_names
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, ROOT, SECOND_CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

GOOD = (ROOT / "fixtures/seed.yaml").read_text(encoding="utf-8")


def test_the_fixed_ids_and_tokens_are_there() -> None:
    """The banner, the README and other people's tests name them."""
    seed = Seed.load(None, Contract.load())
    acme, globex = seed.accounts

    campaigns = [value for kind, value in acme.objects if kind == "campaign"]
    assert {CAMPAIGN, SECOND_CAMPAIGN} <= {campaign["id"] for campaign in campaigns}
    assert [value["id"] for kind, value in globex.objects if kind == "campaign"] == [FOREIGN_CAMPAIGN]
    assert {campaign["status"] for campaign in campaigns} == {"draft", "active", "paused", "completed"}
    assert [campaign["name"] for campaign in campaigns if campaign["isArchived"]] == ["Trade fair"]
    assert {token: (one.accounts, one.expired) for token, one in seed.tokens.items()} == {
        "test-token": (("acme",), False),
        "test-token-2": (("acme",), False),
        "test-token-readonly": (("acme",), False),
        "test-token-expired": (("acme",), True),
        "other-token": (("globex",), False),
        "multi-token": (("acme", "globex"), False),
    }
    assert {(account, campaign[-3:]): status for (account, campaign), status in seed.bound.items()} == {
        ("acme", str(status)): status for status in (400, 401, 403, 404, 429, 500)
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: " + CAMPAIGN, "id: nope", "/accounts/0/campaigns/0/id: got a string of 4 characters; format wants"),
        ("status: draft", "status: drafted", 'enum wants one of "draft", "active"'),
        ("isArchived: true", "isArchived: 1", "got the number 1; type wants boolean"),
        ("id: " + SECOND_CAMPAIGN, "id: " + CAMPAIGN.upper(), "another campaign has this name"),
        ("id: globex", "id: acme", "another account has this name"),
        ("token: test-token-2", "token: test-token", "another token has this name"),
        ("accounts: [globex]", "accounts: [initech]", "unknown account 'initech'; choose one of acme, globex"),
        ("token: other-token", "token: 'other token'", "/tokens/4/token: "),
        ("token: other-token", "token: x", "/tokens/4/token: got 1 character"),
        ("user: Hank", "usr: Hank", "/tokens/4: "),
        ("answer: 429", "answer: 200", "minimum wants minimum 400"),
    ],
)
def test_a_mistake_is_reported_with_its_line(old: str, new: str, message: str) -> None:
    """The line is that of the changed value, or of its object."""
    line = GOOD[: GOOD.index(old)].count("\n") + 1
    with pytest.raises(MockError, match=re.escape(message)) as caught:
        Seed.of(Document.parse(GOOD.replace(old, new, 1), "seed.yaml"))

    assert str(caught.value).startswith(f"seed.yaml:{line}: ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title: Operations Lead", "titel: Operations Lead", "/accounts/0/persons/0: got the member 'titel'; "),
        (
            "callType: outbound",
            "callType: outgoing",
            "/accounts/0/calls/0/callType: got a string of 8 characters; enum",
        ),
        ("type: received", "type: answer", "/accounts/0/emailMessages/1/type: got "),
        ("personId: 10000000", "personId: 19000000", "/accounts/0/prospects/0/personId: the account has no person '19"),
        ("repId: 40000000", "repId: 49000000", "/accounts/0/emailMessages/0/repId: the account has no rep '49"),
        ("id: a0000000-0000-4000-8000-000000000002", "id: a0000000-0000-4000-8000-000000000001", "another "),
    ],
)
def test_a_mistake_in_an_object_is_reported_with_its_line(old: str, new: str, message: str) -> None:
    """One line has the file, the line, the pointer, and what to do."""
    line = GOOD[: GOOD.index(old)].count("\n") + 1
    with pytest.raises(MockError, match=re.escape(message)) as caught:
        Seed.of(Document.parse(GOOD.replace(old, new, 1), "seed.yaml"), Contract.load().objects)

    text = str(caught.value)
    assert abs(int(text.split(":")[1]) - line) <= 1  # an unknown member is reported at its object
    assert text.startswith("seed.yaml:")
    assert "\n" not in text
    assert any(remedy in text for remedy in (" wants ", "add it", "each needs its own"))


OBJECTS = """
    campaigns: [{id: 6f1c1f2e-0000-4000-8000-000000000001, name: x}]
    reps: [{}]
    persons: [{id: 6f1c1f2e-0000-4000-8000-000000000002}]
    companies: [{}]
    prospects: [{personId: 6F1C1F2E-0000-4000-8000-000000000002, campaignId: 6f1c1f2e-0000-4000-8000-000000000001}]
    calls: [{}]
    emailMessages: [{}]
    linkedinMessages: [{conversationId: conv_ABC123}]
    optOuts: [{}]
"""


def test_any_list_may_be_left_out_and_any_kind_be_there(tmp_path: Path) -> None:
    """What an object lacks is filled in, and the API shows it; a conversation may have any id."""
    tokens, file = "tokens: [{token: my-token, accounts: [a]}]", tmp_path / "seed.yaml"
    file.write_text(f"accounts:\n  - id: a\n{OBJECTS}\n{tokens}", encoding="utf-8")
    full = AltaMock(data=file)
    file.write_text(f"accounts: [{{id: a}}]\n{tokens}\n", encoding="utf-8")
    empty = AltaMock(data=file)

    for kind in list_names():
        assert (len(full.list(kind)), empty.list(kind)) == (1, [])
    (message,) = full.list("linkedin_messages")
    assert message["conversationId"] == "conv_ABC123"
    assert full.list("prospects")[0]["personId"] == full.list("persons")[0]["id"]


def test_the_bundled_seed_has_enough_of_everything() -> None:
    """Acme has more than two pages of calls and messages, of every type and status."""
    acme = [value for account, _, value in Seed.load(None, Contract.load()).objects() if account == "acme"]
    of_kind = {kind: [one for one in acme if one["objectType"] == kind] for kind in list_names().values()}

    assert all(len(of_kind[kind]) >= 25 for kind in ("call", "email_message", "linkedin_message"))
    assert {one["callType"] for one in of_kind["call"]} == {"inbound", "outbound", "web"}
    assert {one["identifierType"] for one in of_kind["communication-opt-out"]} == {
        *Contract.load().objects["communication-opt-out"].members["identifierType"]["enum"]
    }
    for kind in ("email_message", "linkedin_message"):
        assert {one["type"] for one in of_kind[kind]} == {"manual", "campaign", "reply_agent", "received"}
        assert {one["status"] for one in of_kind[kind]} == {"sent", "draft"}
    assert {one["status"] for one in of_kind["prospect"]} == {"active", "paused"}


def test_the_bundled_messages_are_consistent() -> None:
    """A thread is one prospect's and one rep's, in order of time; who writes is who the type says."""
    known = {value["id"]: value for _, _, value in Seed.load(None, Contract.load()).objects()}
    threads: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for one in known.values():
        if "sentAt" in one or "happenedAt" in one:
            threads[one.get("emailThreadId") or one["conversationId"]].append(one)
            assert one["type"] != "received" or one["status"] == "sent"
        if "sentAt" in one:
            person = known[known[one["prospectId"]]["personId"]]
            names = [f"{person['firstName']} {person['lastName']}", known[one["repId"]]["name"]]
            people = [one["from"]["name"], one["recipients"]["to"][0]["name"]]
            assert people == (names if one["type"] == "received" else names[::-1])
            assert person["email"] in {one["from"]["email"], one["recipients"]["to"][0]["email"]}

    for messages in threads.values():
        times = [one.get("sentAt") or one["happenedAt"] for one in messages]
        assert times == sorted(times)
        assert len({(one["prospectId"], one["repId"]) for one in messages}) == 1
        assert messages[0]["type"] in {"campaign", "manual"}


def test_what_a_seed_leaves_out_has_a_default() -> None:
    """A campaign is active and not archived, a token has all permissions, an account's name is its id."""
    text = """
        accounts: [{id: a, campaigns: [{id: 6F1C1F2E-0000-4000-8000-000000000001, name: x}]}]
        tokens: [{token: my-token, accounts: [a]}]
    """
    seed = Seed.of(Document.parse(text, "seed.yaml"))

    campaign = {"id": "6f1c1f2e-0000-4000-8000-000000000001", "name": "x", "status": "active", "isArchived": False}
    then = "2026-01-05T08:00:00Z"
    common = {"objectType": "campaign", "createdAt": then, "updatedAt": then}
    assert list(seed.objects()) == [("a", "campaign", campaign | common)]
    assert seed.accounts[0].name == "a"
    assert seed.tokens["my-token"].permissions == {"Campaign.ReadCampaign", "Campaign.EditCampaign"}
    assert not seed.tokens["my-token"].expired
    assert seed.tokens["my-token"].user == "user 1"
