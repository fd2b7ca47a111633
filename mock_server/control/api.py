"""The control API below `/_mock`: what a test or the page asks of a fake that runs elsewhere.

It is described by `control.openapi.yaml` and held against it by the same code that holds the vendor's. Its security:
answered only to this machine, by a name of this machine, or with the control token; never to a web page of another
origin; writes only as application/json, which a form cannot send; no CORS.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.limits import SECOND
from mock_server.handlers import HANDLERS, SAMPLE
from mock_server.journal.annotated_body import layout
from mock_server.journal.har import har
from mock_server.journal.snippets import as_curl, as_program, as_test
from mock_server.messages.errors import ApiError, MockError
from mock_server.messages.http import JSON, ApiReply
from mock_server.messages.json_text import to_json
from mock_server.pipeline.decoding import decode

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server.contract.operation import Operation
    from mock_server.journal.annotated_body import Line
    from mock_server.messages.call import Call
    from mock_server.messages.http import ApiRequest
    from mock_server.messages.injected import Injected
    from mock_server.mock import AltaMock
    from mock_server.store.seed import Token

PREFIX = "/_mock"

_LOOPBACK_HOST = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?", re.IGNORECASE)


class Refused(Exception):
    """The control API does not answer this: status, identifier and text."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error


class Control:
    """Answers the control API of a mock.

    Args:
        mock: The mock.
        token: What another machine must send as a bearer token; None lets no other machine in.

    Raises:
        MockError: No header could carry the token.
    """

    def __init__(self, mock: AltaMock, token: str | None = None) -> None:
        if token and not re.fullmatch("[!-~]+", token):
            raise MockError("the control token cannot be sent in a header; use printable ASCII without spaces")
        self._mock = mock
        self._token = token
        self._id = uuid4().hex
        self._contract = _contract(tuple(mock.documented))
        self._answers: dict[str, Callable[[Call, str], Any]] = {
            "getHealth": lambda *_: {"status": "ok"},
            "getDocument": lambda *_: self._contract.document,
            "reset": lambda *_: mock.reset(),
            "listCampaigns": lambda *_: {"data": mock.campaigns()},
            "listProspects": self._prospects,
            "listTokens": lambda *_: {"data": [_token(one) for one in mock.seed.tokens.values()]},
            "listRequests": self._requests,
            "getRequest": self._request,
            "clearRequests": lambda *_: mock.journal.clear(),
            "listLimits": lambda *_: {"data": mock.quotas()},
            "getClock": lambda *_: self._time(),
            "advanceClock": self._advance,
            "listNext": lambda *_: {"data": [_shown(one, mock.documented) for one in mock.injected()]},
            "addNext": self._add_next,
            "clearNext": lambda *_: mock.clear_injected(),
        }

    def answer(self, request: ApiRequest, peer: str) -> ApiReply:
        """Answer a request that came from a peer, an IP address."""
        try:
            self._refuse_strangers(request, peer)
            operation, path = self._contract.route(request.method, request.path)
            _refuse_forms(request, operation)
            call = decode(request, operation, path)
            if operation.id == "exportRequests":
                return _reply(200, har(self._mock.requests, _origin(request)).encode())
            return _reply(200, to_json(self._answers[operation.id](call, _origin(request)) or {}))
        except Refused as refused:
            return _reply(refused.status, _error(refused.error, str(refused)))
        except MockError as error:
            return _reply(400, _error("ValidationError", str(error)))
        except ApiError as error:
            text = "; ".join(self._mock.redact(str(violation)) for violation in error.violations)
            return _reply(error.status, _error(error.code, text or error.message), *error.headers)

    def _refuse_strangers(self, request: ApiRequest, peer: str) -> None:
        host, origins = _host(request), request.all("origin")
        if any(origin.lower() not in {f"http://{host}", f"https://{host}"} for origin in origins):
            raise Refused(403, "Forbidden", "a web page of another origin may not use the control API")
        if set(request.all("sec-fetch-site")) - {"same-origin", "none"}:
            raise Refused(403, "Forbidden", "a web page of another site may not use the control API")
        if self._has_token(request):
            return
        if not is_loopback(peer):
            raise Refused(403, "Forbidden", "from another machine the control API needs the control token")
        if not _LOOPBACK_HOST.fullmatch(host):
            raise Refused(403, "Forbidden", "the control API answers as localhost or 127.0.0.1 only")

    def _has_token(self, request: ApiRequest) -> bool:
        sent = request.all("authorization")
        if not self._token or len(sent) != 1:
            return False
        scheme, _, token = sent[0].partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token.encode())

    def _prospects(self, call: Call, _: str) -> Any:
        try:
            return {"data": self._mock.prospects(call.path["campaignId"], call.query.get("last"))}
        except MockError as error:
            raise Refused(404, "NotFound", str(error)) from error

    def _requests(self, call: Call, _: str) -> Any:
        after, brief = int(call.query.get("after", 0)), call.query.get("brief", False)
        entries, recorded = self._mock.journal.look(after)
        return {
            "data": [entry.summary() if brief else entry.as_dict() for entry in entries],
            "findings": [one.as_dict() for one in self._mock.findings() if one.requests[-1] > after],
            "oldest": recorded.oldest,
            "newest": recorded.newest,
            "server": self._id,
        }

    def _request(self, call: Call, origin: str) -> Any:
        entry = self._mock.journal.entry(int(call.path["number"]))
        if entry is None:
            raise Refused(404, "NotFound", f"request {call.path['number']} is not remembered")
        whole = entry.as_dict()
        return {
            **whole,
            "bodyKept": entry.request.body is not None,
            "requestLines": [_line(line) for line in layout(whole["requestBody"], entry.violations)],
            "responseLines": [_line(line) for line in layout(whole["responseBody"])],
            "findings": [one.as_dict() for one in self._mock.findings() if entry.number in one.requests],
            "copies": {
                "curl": as_curl(entry, origin),
                "requests": as_program(entry, origin),
                "pytest": as_test(entry),
            },
        }

    def _advance(self, call: Call, _: str) -> Any:
        self._mock.clock.advance(float(call.body["seconds"]))
        return self._time()

    def _time(self) -> Any:
        time = datetime.fromtimestamp(self._mock.clock.time_ns() / SECOND, tz=UTC)
        return {"time": time.isoformat(timespec="milliseconds"), "advanced": self._mock.clock.advanced}

    def _add_next(self, call: Call, _: str) -> None:
        wanted = call.body
        times = int(wanted.get("times", 1))
        if "fault" in wanted:
            self._mock.fault(wanted["fault"], times=times, seconds=float(wanted.get("seconds", 1)))
            return
        self._mock.next(
            int(wanted["status"]),
            times=times,
            retry_after=wanted.get("retryAfter"),
            body=wanted.get("body"),
            headers=wanted.get("headers"),
            allow_undocumented=wanted.get("allowUndocumented", False),
        )


@lru_cache(maxsize=8)
def _contract(documented: tuple[int, ...]) -> Contract:
    """Read the document, and fill in the statuses that the contract of the mock documents."""
    document = Document.read(bundled_files.package_file("control/openapi.yaml"))
    document.value["components"]["schemas"]["Next"]["oneOf"][0]["properties"]["status"]["enum"] = list(documented)
    return Contract.of(document)


def is_control(request: ApiRequest) -> bool:
    """Tell whether a request is for the control API."""
    return request.path == PREFIX or request.path.startswith(PREFIX + "/")


def is_loopback(address: str) -> bool:
    """Tell whether an IP address is of this machine alone; a name other than localhost is not."""
    try:
        return ipaddress.ip_address(address.split("%", maxsplit=1)[0]).is_loopback
    except ValueError:
        return address.lower() == "localhost"


def _refuse_forms(request: ApiRequest, operation: Operation) -> None:
    """Let nothing write that a form of a web page can send."""
    sent = request.all("content-type")
    if operation.body and not (len(sent) == 1 and sent[0].partition(";")[0].strip().lower() == JSON):
        raise Refused(415, "UnsupportedMediaType", f"a write to the control API must be {JSON}")


def _host(request: ApiRequest) -> str:
    sent = request.all("host")
    return sent[0].strip().lower() if len(sent) == 1 else ""


def _origin(request: ApiRequest) -> str:
    return f"http://{_host(request)}"


def _token(token: Token) -> dict[str, Any]:
    return {
        "token": token.token,
        "user": token.user,
        "accounts": list(token.accounts),
        "mayAdd": not token.expired and HANDLERS[SAMPLE.operation].permission in token.permissions,
        "note": token.note,
    }


def _line(line: Line) -> dict[str, Any]:
    return {"indent": line.indent, "text": line.text, "violations": list(line.violations)}


def _shown(injected: Injected, documented: list[int]) -> dict[str, Any]:
    shown: dict[str, Any] = {"times": injected.times}
    if injected.fault:
        shown["fault"] = injected.fault.name
        if injected.fault.seconds:
            shown["seconds"] = injected.fault.seconds
    else:
        shown["status"] = injected.status
        if injected.status not in documented:
            shown["allowUndocumented"] = True
    if injected.headers:
        shown["headers"] = dict(injected.headers)
    if injected.retry_after is not None:
        shown["retryAfter"] = injected.retry_after
    return shown


def _reply(status: int, body: bytes, *headers: tuple[str, str]) -> ApiReply:
    fixed = (("Content-Type", JSON), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
    return ApiReply(status, (*fixed, *headers), body)


def _error(error: str, message: str) -> bytes:
    return json.dumps({"error": error, "message": message}, ensure_ascii=False).encode()
