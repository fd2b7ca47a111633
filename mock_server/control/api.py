"""The control API below `/_mock`: what a test or the page asks of an alta-mock that runs elsewhere.

`openapi.yaml` describes it; requests are validated against that document by the same code as the vendor's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from mock_server.contract import bundled_files
from mock_server.contract.assumptions import Assumption, switches
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.limits import SECOND
from mock_server.control.guard import Guard, Refused, check_type, host_of
from mock_server.fake import Fake
from mock_server.handlers import HANDLERS, SAMPLE
from mock_server.journal.annotated_body import annotated
from mock_server.journal.snippets import as_curl, as_program, as_test
from mock_server.messages.call import Call
from mock_server.messages.errors import ApiError, MockError, RateLimited, StoreUnavailable, UnknownObject
from mock_server.messages.http import JSON, ApiReply, ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.json_text import to_json
from mock_server.pipeline.decoding import decode
from mock_server.state import Search
from mock_server.store.seed import Token


class Control:
    """Answers the control API of a mock.

    Args:
        mock: The mock.
        token: What another machine must send as a bearer token; without one no other machine is allowed.

    Attributes:
        contract: The document of the control API.

    Raises:
        MockError: No header could carry the token.
    """

    def __init__(self, mock: Fake, token: str | None = None) -> None:
        self.contract = _contract(tuple(mock.documented), tuple(one.id for one in mock.contract.operations))
        self._mock = mock
        self._guard = Guard(token)
        self._operations: dict[str, Callable[[Call, str], Any]] = {
            "getMockHealth": lambda *_: {"status": "ok"},
            "getMockDocument": self._document,
            "resetMock": lambda *_: mock.reset(),
            "listMockCampaigns": lambda *_: {"data": mock.campaigns()},
            "listMockProspects": lambda call, _: {
                "data": mock.prospects(call.path["campaignId"], call.query.get("last"))
            },
            "listMockObjects": self._list,
            "createMockObject": lambda call, _: mock.objects.create(
                call.path["kind"], call.body, call.query.get("account")
            ),
            "triggerMockEvent": self._trigger,
            "listMockTokens": lambda *_: {"data": [_token(one) for one in mock.seed.tokens.values()]},
            "listMockRequests": self._requests,
            "getMockRequest": self._request,
            "clearMockRequests": lambda *_: mock.journal.clear(),
            "listMockLimits": lambda *_: {"data": mock.quotas()},
            "getMockClock": lambda *_: self._time(),
            "advanceMockClock": self._advance,
            "listInjectedResponses": self._injected,
            "addInjectedResponse": self._add_next,
            "clearInjectedResponses": lambda *_: mock.clear_injected(),
            "listMockAssumptions": lambda *_: self._assumptions(),
            "chooseMockAssumptions": self._assume,
        }

    def serves(self, request: ApiRequest) -> bool:
        """Return whether a request is for the control API."""
        base = self.contract.base_path
        return request.path == base or request.path.startswith(base + "/")

    def answer(self, request: ApiRequest, peer: str, mount: str = "") -> ApiReply:
        """Answer a request from an IP address; `mount` is the path in front of the API's own."""
        try:
            self._guard.check_sender(request, peer)
            operation, path = self.contract.route(request.method, request.path)
            if operation.body:
                check_type(request)
            self._mock.store.refresh()
            call = decode(request, operation, path)
            origin = f"http://{host_of(request)}{mount}"
            if operation.id == "exportMockRequests":
                from mock_server.journal.har import har  # noqa: PLC0415 - serving need not wait for its library

                return _reply(200, har(self._mock.requests, origin).encode())
            return _reply(200, to_json(self._operations[operation.id](call, origin) or {}))
        except Refused as refused:
            return _refusal(*refused.args)
        except StoreUnavailable:
            raise
        except UnknownObject as error:
            return _refusal(404, "NotFound", str(error))
        except MockError as error:
            return _refusal(400, "ValidationError", str(error))
        except ApiError as error:
            text = "; ".join(self._mock.redact(str(violation)) for violation in error.violations)
            return _refusal(error.status, error.code, text or error.message, *error.headers)

    def _document(self, _: Call, origin: str) -> Any:
        here = {"url": urlsplit(origin).path + self.contract.base_path, "description": "This fake."}
        return {**self.contract.document, "servers": [here]}

    def _list(self, call: Call, _: str) -> Any:
        query = {**call.query}
        search = Search(
            account=query.pop("account", None),
            words=query.pop("search", "").split(),
            skip=int(query.pop("skip")),
            last=int(query.pop("last")),
            expand=query.pop("expand", False),
            where={name: value.lower() for name, value in query.items()},
        )
        return {"data": self._mock.objects.list(call.path["kind"], search)}

    def _trigger(self, call: Call, _: str) -> Any:
        fields = {**call.body}
        return self._mock.objects.trigger(fields.pop("event"), fields.pop("prospectId"), fields)

    def _requests(self, call: Call, _: str) -> Any:
        after, brief = int(call.query.get("after", 0)), call.query.get("brief", False)
        entries, recorded = self._mock.journal.look(after)
        return {
            "data": [entry.summary() if brief else entry.as_dict() for entry in entries],
            "findings": [one.as_dict() for one in self._mock.findings() if one.requests[-1] > after],
            "oldest": recorded.oldest,
            "newest": recorded.newest,
            "cleared": recorded.cleared,
            "server": self._mock.store.identity,
        }

    def _request(self, call: Call, origin: str) -> Any:
        entry = self._mock.journal.entry(int(call.path["number"]))
        if entry is None:
            raise Refused(404, "NotFound", f"request {call.path['number']} is not remembered")
        whole = entry.as_dict()
        return {
            **whole,
            "bodyKept": entry.request.body is not None,
            "requestLines": [asdict(line) for line in annotated(whole["requestBody"], entry.violations)],
            "responseLines": [asdict(line) for line in annotated(whole["responseBody"])],
            "findings": [one.as_dict() for one in self._mock.findings() if entry.number in one.requests],
            "copies": {"curl": as_curl(entry, origin), "requests": as_program(entry, origin), "pytest": as_test(entry)},
        }

    def _advance(self, call: Call, _: str) -> Any:
        self._mock.clock.advance(float(call.body["seconds"]))
        return self._time()

    def _time(self) -> Any:
        time = datetime.fromtimestamp(self._mock.clock.time_ns() / SECOND, tz=UTC)
        return {"time": time.isoformat(timespec="milliseconds"), "advanced": self._mock.clock.advanced}

    def _assumptions(self) -> Any:
        chosen = self._mock.choices.chosen
        return {"data": [_assumption(one, chosen.get(one.id, one.ours.id)) for one in switches().values()]}

    def _assume(self, call: Call, _: str) -> Any:
        self._mock.assume(call.body)
        return self._assumptions()

    def _injected(self, *_: object) -> Any:
        return {"data": [_shown(one, self._mock.documented) for one in self._mock.injected()]}

    def _add_next(self, call: Call, _: str) -> None:
        wanted = call.body
        times = int(wanted.get("times", 1))
        if "fault" in wanted:
            seconds = float(wanted.get("seconds", 1))
            self._mock.fault(wanted["fault"], times=times, operation=wanted.get("operation"), seconds=seconds)
            return
        self._mock.next(
            int(wanted["status"]),
            times=times,
            operation=wanted.get("operation"),
            retry_after=wanted.get("retryAfter"),
            body=wanted.get("body"),
            headers=wanted.get("headers"),
            allow_undocumented=wanted.get("allowUndocumented", False),
        )


@lru_cache(maxsize=8)
def _contract(documented: tuple[int, ...], operations: tuple[str, ...]) -> Contract:
    """Read the document; insert the statuses and operations that the contract of the mock documents, and choices."""
    document = Document.read(bundled_files.package_file("control/openapi.yaml"))
    value = copy.deepcopy(document.value)
    injected = value["components"]["schemas"]["Next"]
    injected["properties"]["operation"]["enum"] = list(operations)
    assumed = value["paths"]["/assume"]["post"]["requestBody"]["content"][JSON]["schema"]
    assumed["properties"] = {name: {"enum": [choice.id for choice in one.choices]} for name, one in switches().items()}
    if RateLimited.status not in documented:
        examples = value["paths"]["/next"]["post"]["requestBody"]["content"][JSON]["examples"]
        del examples["rate-limited-twice"]
    choice = injected["oneOf"][0]
    choice["title"] = f"a status of {', '.join(map(str, documented))}"
    choice["properties"]["status"]["enum"] = list(documented)
    return Contract.of(replace(document, value=value))


def _token(token: Token) -> dict[str, Any]:
    return {
        "token": token.token,
        "user": token.user,
        "accounts": list(token.accounts),
        "mayAdd": not token.expired and HANDLERS[SAMPLE.operation].permission in token.permissions,
        "note": token.note,
    }


def _assumption(one: Assumption, chosen: str) -> dict[str, Any]:
    choices = [{"id": choice.id, "happens": choice.happens, "why": choice.why} for choice in one.choices]
    return {"id": one.id, "question": one.question, "chosen": chosen, "choices": choices, "advice": one.advice}


def _shown(injected: Injected, documented: list[int]) -> dict[str, Any]:
    fault, status = injected.fault, injected.status
    shown = {
        "times": injected.times,
        "operation": injected.operation,
        "fault": fault and fault.name,
        "seconds": fault and (fault.seconds or None),
        "status": status,
        "allowUndocumented": True if status and status not in documented else None,
        "headers": dict(injected.headers) or None,
        "retryAfter": injected.retry_after,
    }
    return {name: value for name, value in shown.items() if value is not None}


def _reply(status: int, body: bytes, *headers: tuple[str, str]) -> ApiReply:
    fixed = (("Content-Type", JSON), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"))
    return ApiReply(status, (*fixed, *headers), body)


def _refusal(status: int, error: str, message: str, *headers: tuple[str, str]) -> ApiReply:
    return _reply(status, to_json({"error": error, "message": message}), *headers)
