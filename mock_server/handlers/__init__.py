"""What the operations do once a request is known to be right, by `operationId`; one module for each resource.

A behaviour returns the JSON value of its 200, or None for the answer recorded in `fixtures/responses/`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mock_server.handlers.campaigns import add_prospects_to_campaign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mock_server.messages.http import Call
    from mock_server.store import Store

    Handler = Callable[[Call, Store], Any]

HANDLERS: Mapping[str, Handler] = {"addProspectsToCampaign": add_prospects_to_campaign}
