"""Prospects: people in a campaign's audience list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.messages.errors import Forbidden, NotFound
from mock_server.messages.http import Violation
from mock_server.store.base import Batch
from mock_server.store.seed import EDIT_CAMPAIGN

if TYPE_CHECKING:
    from mock_server.messages.http import Call
    from mock_server.store import Store


def add_prospects_to_campaign(call: Call, store: Store) -> None:
    """Add every record of a batch to the campaign, in order, duplicates as sent.

    https://docs.altahq.com/api-reference/campaigns/add-prospects - what becomes of duplicates and of campaigns that
    are not active is not documented: assumptions `duplicates` and `campaign-status`.

    Raises:
        NotFound: The account has no such campaign.
        Forbidden: The user may not edit campaigns.
    """
    campaign_id = call.path["campaignId"].lower()
    if store.get(call.account, "campaign", campaign_id) is None:
        got = "an id that no campaign of the account has"
        raise NotFound(Violation("campaign-unknown", "path", "/campaignId", got, "the id of a campaign"))
    if EDIT_CAMPAIGN not in call.permissions:
        got = "a user who may not edit campaigns"
        raise Forbidden(Violation("permission", "header", "/authorization", got, EDIT_CAMPAIGN))
    store.append(call.account, "prospect", campaign_id, Batch(call.raw, "data", len(call.body["data"])))
