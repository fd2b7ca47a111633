"""What each operation does with a valid call; one module a resource.

This is the only package that names operations and resources. A handler gets the decoded call and a context, and returns
a result; `HANDLERS` declares, by `operationId`, which object its path names and which permission it needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.handlers import campaigns
from mock_server.handlers.handler import Handler, Sample

HANDLERS: Mapping[str, Handler] = {
    "addProspectsToCampaign": Handler(campaigns.add_prospects, finds=campaigns.KIND, permission=campaigns.EDIT),
}

SAMPLE = Sample("addProspectsToCampaign", campaigns.KIND, {"data": [{"email": "ada@example.com"}]})
