"""Prospects: persons in campaigns."""

from __future__ import annotations

from collections.abc import Mapping

from mock_server.contract.assumptions import Question
from mock_server.contract.limits import SECOND
from mock_server.handlers.handler import Context, Result
from mock_server.handlers.paging import Keep, page
from mock_server.handlers.people import ACTIVE, PAUSED, PROSPECT
from mock_server.messages.call import Call
from mock_server.store.objects import timestamp


def list_prospects(call: Call, context: Context) -> Result:
    """Return the prospects of all campaigns or of one; of an unknown one none: assumption `unknown-filter-id`.

    https://docs.altahq.com/api-reference/prospects/list - a prospect may appear after a while: assumption `visibility`.
    """
    return page(call, context, PROSPECT, equal=("campaignId",), keep=_visible)


def pause(_: Call, context: Context) -> Result:
    """Pause a prospect.

    https://docs.altahq.com/api-reference/prospects/pause
    """
    context.update(context.found, status=PAUSED)
    return Result()


def resume(_: Call, context: Context) -> Result:
    """Resume a prospect. Inferred from the page of its pause, which links to it."""
    context.update(context.found, status=ACTIVE)
    return Result()


VISIBLE_AFTER = Question("visibility", {"at-once": 0, "later": 3 * SECOND})
"""Nanoseconds until an added prospect is in lists, unless that is set."""


def _visible(_: Mapping[str, str], context: Context) -> Keep:
    delay = context.visible_after or context.choices[VISIBLE_AFTER]
    newest = timestamp(context.now - delay)
    return lambda prospect: not delay or prospect["createdAt"] <= newest
