"""Calls, among them those that an assistant is asked to make."""

from __future__ import annotations

from mock_server.handlers.handler import Context, Result
from mock_server.messages.call import Call
from mock_server.store.objects import TEXTS, timestamp

KIND = "call"


def trigger(call: Call, context: Context) -> Result:
    """Make an outbound call at once, by any assistant: assumption `unknown-assistant`.

    https://docs.altahq.com/api-reference/assistant-calls/trigger
    """
    started = timestamp(context.now)
    context.create(KIND, **{"from": TEXTS["from"]}, to=call.body["phoneNumber"], callType="outbound", startedAt=started)
    return Result()
