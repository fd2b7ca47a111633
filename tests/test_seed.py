"""The seed: what is there out of the box, and how a mistake in one is told."""

from __future__ import annotations

import re

import pytest

from mock_server import MockError
from mock_server.contract.documents import Document
from mock_server.store.seed import Seed
from tests.conftest import CAMPAIGN, FOREIGN_CAMPAIGN, ROOT, SECOND_CAMPAIGN

GOOD = (ROOT / "fixtures/seed.yaml").read_text(encoding="utf-8")


def test_the_fixed_ids_and_tokens_are_there() -> None:
    """The banner, the README and other people's tests name them."""
    seed = Seed.load()
    acme, globex = seed.accounts

    assert {CAMPAIGN, SECOND_CAMPAIGN} <= {campaign.id for campaign in acme.campaigns}
    assert [campaign.id for campaign in globex.campaigns] == [FOREIGN_CAMPAIGN]
    assert {campaign.status for campaign in acme.campaigns} == {"draft", "active", "paused", "completed"}
    assert any(campaign.is_archived for campaign in acme.campaigns)
    assert {token: (one.accounts, one.expired) for token, one in seed.tokens.items()} == {
        "test-token": (("acme",), False),
        "test-token-2": (("acme",), False),
        "test-token-readonly": (("acme",), False),
        "test-token-expired": (("acme",), True),
        "other-token": (("globex",), False),
        "multi-token": (("acme", "globex"), False),
    }
    assert {campaign.id[-3:]: campaign.answer for campaign in acme.campaigns if campaign.answer} == {
        str(status): status for status in (400, 401, 403, 404, 429, 500)
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("id: " + CAMPAIGN, "id: nope", "/accounts/0/campaigns/0/id: got a string of 4 characters; format wants"),
        ("status: draft", "status: drafted", 'enum wants enum ["draft"'),
        ("isArchived: true", "isArchived: 1", "got the number 1; type wants boolean"),
        ("id: " + SECOND_CAMPAIGN, "id: " + CAMPAIGN.upper(), "another campaign has this name"),
        ("id: globex", "id: acme", "another account has this name"),
        ("token: test-token-2", "token: test-token", "another token has this name"),
        ("accounts: [globex]", "accounts: [initech]", "there is no account 'initech'; the accounts are acme, globex"),
        ("token: other-token", "token: 'other token'", "/tokens/4/token: "),
        ("token: other-token", "token: x", "/tokens/4/token: got 1 character"),
        ("user: Hank", "usr: Hank", "/tokens/4: "),
        ("answer: 429", "answer: 200", "minimum wants minimum 400"),
    ],
)
def test_a_mistake_is_told_with_its_line(old: str, new: str, message: str) -> None:
    """The line is the one that was changed, or that of its object."""
    line = GOOD[: GOOD.index(old)].count("\n") + 1
    with pytest.raises(MockError, match=re.escape(message)) as caught:
        Seed.of(Document.parse(GOOD.replace(old, new, 1), "seed.yaml"))

    assert str(caught.value).startswith(f"seed.yaml:{line}: ")
