"""Which part of alta-mock answers a request: the API, the control API or the pages. The same for ASGI and WSGI."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from mock_server.control.api import Control
from mock_server.fake import Fake
from mock_server.journal.access_log import Log
from mock_server.messages.errors import StoreUnavailable
from mock_server.messages.http import JSON, ApiReply, ApiRequest
from mock_server.messages.json_text import to_json
from mock_server.pipeline.replies import WHY
from mock_server.web.views import Pages

UNAVAILABLE = 503


def unavailable(error: StoreUnavailable) -> ApiReply:
    """Return the response while the database of the store cannot be used: ours, not the vendor's."""
    text = str(error).encode("unicode_escape").decode("ascii")
    body = to_json({"error": "StoreUnavailable", "message": str(error)})
    headers = (("Content-Type", JSON), ("Retry-After", "1"), (WHY, f"alta-mock, not the vendor: {text}"))
    return ApiReply(UNAVAILABLE, headers, body)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of alta-mock.

    `respond` gets the IP address of the client and the path that alta-mock is mounted below. A part that is `quick`
    never waits, so it may be called in an event loop.
    """

    respond: Callable[[ApiRequest, str, str], ApiReply]
    quick: bool = False

    def answer(self, request: ApiRequest, peer: str, mount: str = "") -> ApiReply:
        """Answer a request; an unexpected exception becomes a 500 that says whose bug it is."""
        try:
            return self.respond(request, peer, mount)
        except StoreUnavailable as error:
            return unavailable(error)
        except Exception as error:  # noqa: BLE001 - the server goes on
            traceback.print_exception(error, file=sys.stderr)
            text = f"This is a bug in alta-mock, not a response of the vendor: {type(error).__name__}. See its log.\n"
            return ApiReply(500, (("Content-Type", "text/plain; charset=utf-8"),), text.encode())


class Dispatcher:
    """Finds the part that answers a request, and logs the requests to the API.

    Without a control token other machines are refused; a token that no header could carry raises MockError.
    """

    def __init__(self, mock: Fake, transport: str, control_token: str | None, log: Log | None = None) -> None:
        self.mock, self.log, self._transport = mock, log, transport
        self.control, self.pages = Control(mock, control_token), Pages(mock)
        self._parts = Part(self._answer, quick=not mock.store.waits), Part(self.control.answer), Part(self.pages.answer)

    def part(self, request: ApiRequest) -> Part:
        """Return the part that answers a request."""
        api, control, pages = self._parts
        return control if self.control.serves(request) else pages if self.pages.serves(request) else api

    def note(self, status: int, problem: str) -> None:
        """Log bytes that are not a request."""
        if self.log:
            self.log.note(status, problem)

    def _answer(self, request: ApiRequest, _peer: str, _mount: str) -> ApiReply:
        started = time.perf_counter()
        try:
            outcome = self.mock.handle(request, self._transport)
        except StoreUnavailable as error:
            self.note(UNAVAILABLE, str(error))
            raise
        if self.log:
            self.log.request(request, outcome, (time.perf_counter() - started) * 1000)
        return outcome.reply
