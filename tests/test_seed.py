"""The seed: the bundled one, and how mistakes are reported."""

from __future__ import annotations

import re

import pytest

from mock_server import MockError
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.store.seed import Seed
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, ROOT, SECOND_CAMPAIGN

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
