"""Schemathesis as a rule: its requests are sent by the session, and each of its failures is a breach.

The provider is judged by the published document and the documented actions of the overlay. A body that only an
assumption refuses and refusals by HTTP itself are never failures.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import schemathesis
from schemathesis import Config
from schemathesis.engine import from_schema
from schemathesis.engine.events import Interrupted, ScenarioFinished

from contract_tests.provider.documented import documented, operations
from contract_tests.provider.operation_rules import CURSOR
from contract_tests.provider.probes import BEFORE, NotExercised
from contract_tests.provider.response_rules import TOLERATED
from contract_tests.provider.rules import SCHEMATHESIS
from contract_tests.provider.session import Session
from contract_tests.provider.wire import NO_RESPONSE, Request, Response
from mock_server.contract.contract import Contract
from mock_server.contract.operation import Operation
from mock_server.handlers import SAMPLE

RANDOM_CASES = 40
"""Random requests that add prospects; the only ones sent to a provider whose limits take real time."""

FEW_CASES = 10
"""Random requests of each other operation."""

DISABLED_CHECKS = ("ignored_auth", "unsupported_method", "use_after_free", "ensure_resource_availability")
"""Checks that our own rules do better, or that need several operations."""


def explore(session: Session) -> None:
    """Let Schemathesis send requests to the provider of a session, if it is on this machine."""
    if not (session.target.writes and session.target.local):
        raise NotExercised("its prospects have no tag: needs a provider on this machine")
    about = [one for one in operations().values() if _is_explored(session, one)]
    target = session.target
    others = [one for one in about if one.id != SAMPLE.operation]
    _explore(session, [one for one in about if one not in others], target.campaign_id, RANDOM_CASES)
    _explore(session, others, target.second_campaign_id or target.campaign_id, FEW_CASES)


def _explore(session: Session, about: Sequence[Operation], campaign: str, cases: int) -> None:
    """Let Schemathesis send requests for some operations, a number of random ones for each."""
    if not about:
        return
    by_label = {f"{one.method} {one.path}": one for one in about}
    document = copy.deepcopy(documented().document)  # Schemathesis puts responses in place of references
    config = _config(session, {**session.make.known, "campaignId": campaign}, cases)
    whole = schemathesis.openapi.from_dict(document, config=config)
    schema = whole.include(operation_id=[one.id for one in about])
    lost: list[BaseException] = []
    schema.app = _relay(session, lost)
    reported: set[tuple[str, str, int]] = set()
    for event in from_schema(schema).execute():
        if lost:
            raise lost[0]
        if isinstance(event, Interrupted):
            raise KeyboardInterrupt
        if isinstance(event, ScenarioFinished):
            operation = by_label[event.recorder.label]
            for _ in event.recorder.interactions:
                session.report.exercised(SCHEMATHESIS.id, operation.id)
            for name, what, case, interaction in _failures(event.recorder):
                status = interaction.response.status_code
                failure = (operation.id, name, status)
                if failure not in reported and not _is_open(name, operation, case, status):
                    reported.add(failure)
                    request = _request_of(session, case, interaction.request)
                    wanted = "a documented response"
                    session.report.add_breach(SCHEMATHESIS.id, what, request, status, wanted, operation.id)
    if lost:
        raise lost[0]


def body_validator(document: Any, operation: str = SAMPLE.operation) -> jsonschema.Draft202012Validator:
    """Return a validator of the body of an operation, by an OpenAPI document.

    It is compiled with another library than the one that the fake validates with.
    """
    found = [one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)]
    (declared,) = [one for one in found if one.get("operationId") == operation]
    schema = declared["requestBody"]["content"]["application/json"]["schema"]
    checker = jsonschema.FormatChecker()
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]}, format_checker=checker)


def _is_explored(session: Session, operation: Operation) -> bool:
    """Return whether requests for an operation are generated.

    Where limits take real time, only those that add prospects are; a campaign that others need is not paused.
    """
    if not session.options.about(operation.id) or not session.report.serves(operation.id):
        return False
    if operation.id == SAMPLE.operation:
        return True
    names = operation.path_names.values()
    pauses = operation.id in BEFORE and "campaignId" in names and not session.target.second_campaign_id
    return not (pauses or session.options.patient) and all(name in session.make.known for name in names)


def _config(session: Session, ids: Mapping[str, str], cases: int) -> Config:
    target, options = session.target, session.options
    return Config.from_dict(
        {
            "headers": {"Authorization": f"Bearer {target.token}"},
            "parameters": {f"path.{name}": known for name, known in ids.items()},
            "cache": {"enabled": False},
            "analysis": {"constants": {"enabled": False}},
            "seed": options.seed,
            "generation": {"database": "none", "mode": "all", "max-examples": cases},
            "checks": {name: {"enabled": False} for name in DISABLED_CHECKS},
            "phases": {
                "stateful": {"enabled": False},
                "coverage": {"enabled": not options.patient, "unexpected-methods": []},
            },
        }
    )


def _relay(session: Session, lost: list[BaseException]) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application that sends its requests by the session."""
    ours = Contract.load().base_path
    base = urlsplit(session.target.url).path.rstrip("/")

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        names = {name: name[5:].replace("_", "-").title() for name in environ if name[:5] == "HTTP_"}
        headers = [(name, environ[key]) for key, name in names.items() if name not in {"Host", "Content-Length"}]
        if environ.get("CONTENT_TYPE"):
            headers.append(("Content-Type", environ["CONTENT_TYPE"]))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        path = base + (environ.get("REQUEST_URI") or environ["PATH_INFO"]).removeprefix(ours)
        path += f"?{environ['QUERY_STRING']}" if environ.get("QUERY_STRING") else ""
        try:
            request = Request(environ["REQUEST_METHOD"], path, tuple(headers), body)
            response = session.send_patiently(request, own_rule=True)
        except BaseException as error:  # noqa: BLE001 - raised again by `explore`; Schemathesis would swallow it
            lost.append(error)
            response = Response(NO_RESPONSE, trouble=str(error))
        if response.status == NO_RESPONSE:
            raise ConnectionResetError(response.trouble)
        kept = [(name, value) for name, value in response.headers if name not in {"connection", "transfer-encoding"}]
        start_response(f"{response.status} ", kept)
        return [response.body]

    return app


def _failures(recorder: Any) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield the name and the message of each failed check, its case and its interaction."""
    for case_id, checks in recorder.checks.items():
        interaction = recorder.interactions.get(case_id)
        for check in checks if interaction and interaction.response else ():
            if check.failure_info:
                failure = check.failure_info.failure
                what = " ".join(f"{failure.title}: {failure.message}".split())[:200]
                yield check.name, what, recorder.cases[case_id].value, interaction


def _is_open(name: str, operation: Operation, case: Any, status: int) -> bool:
    """Return whether a failure is about something that the contract leaves open."""
    if status in TOLERATED:
        return True
    if name == "positive_data_acceptance" and (operation.id in BEFORE or CURSOR in (case.query or {})):
        return True  # some operations are only for some states, and only a provider can make a cursor
    if name not in {"positive_data_acceptance", "negative_data_rejection"} or operation.body is None:
        return False
    bodies = (case.body, _with_text_phones(case.body))  # the type of a phone is open
    validators = [body_validator(contract.document, operation.id) for contract in (documented(), Contract.load())]
    return len({bool(validator.is_valid(body)) for validator in validators for body in bodies}) > 1


def _with_text_phones(body: Any) -> Any:
    """Return a body whose phones are texts, whatever type they had."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        return body

    def changed(record: Any) -> Any:
        odd = isinstance(record, dict) and not isinstance(record.get("phone", ""), str | None)
        return {**record, "phone": "1"} if odd else record

    return {**body, "data": [changed(record) for record in body["data"]]}


def _request_of(session: Session, case: Any, sent: Any) -> Request:
    """Return the request of a case."""
    try:
        body = case.body if isinstance(case.body, bytes) else json.dumps(case.body).encode()
    except (TypeError, ValueError):
        body = None
    authorization = ("Authorization", f"Bearer {session.target.token}")
    headers = (authorization, ("Content-Type", case.media_type or "application/json"))
    return Request(sent.method, "/" + sent.uri.split("://", 1)[-1].partition("/")[2], headers, body)
