"""Prospects: people in a campaign's audience list."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mock_server.errors import Forbidden, NotFound
from mock_server.messages import Violation
from mock_server.seed import EDIT_CAMPAIGN
from mock_server.store.base import Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.messages import Call
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
    if store.find(call.account, "campaign", campaign_id) is None:
        got = "an id that no campaign of the account has"
        raise NotFound(Violation("campaign-unknown", "path", "/campaignId", got, "the id of a campaign"))
    if EDIT_CAMPAIGN not in call.permissions:
        raise Forbidden(
            Violation("permission", "header", "/authorization", "a user who may not edit campaigns", EDIT_CAMPAIGN)
        )
    records = call.body["data"]
    ids = _uuids(len(records))
    store.add(call.account, "prospect", [Record(next(ids), record, campaign_id) for record in records])


def _uuids(count: int) -> Iterator[str]:
    """Yield random UUIDs (version 4), all of one read of the system's randomness."""
    digits = os.urandom(16 * count).hex()
    for start in range(0, 32 * count, 32):
        one = digits[start : start + 32]
        yield f"{one[:8]}-{one[8:12]}-4{one[13:16]}-8{one[17:20]}-{one[20:]}"
