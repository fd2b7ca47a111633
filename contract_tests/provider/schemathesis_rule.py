"""Schemathesis as a rule: its requests are sent by the session, and each of its failures is a breach.

The provider is judged by the published document and the documented actions of the overlay. A body that only an
assumption refuses and refusals by HTTP itself are never failures.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import schemathesis
from schemathesis import Config
from schemathesis.engine import from_schema
from schemathesis.engine.events import Interrupted, ScenarioFinished

from contract_tests.provider.documented import documented
from contract_tests.provider.probes import NotExercised
from contract_tests.provider.response_rules import TOLERATED
from contract_tests.provider.rules import SCHEMATHESIS
from contract_tests.provider.session import Session
from contract_tests.provider.wire import NO_RESPONSE, Request, Response
from mock_server.contract.contract import Contract
from mock_server.handlers import SAMPLE

RANDOM_CASES = 40  # random requests; the only ones sent to a provider whose limits take real time
DISABLED_CHECKS = ("ignored_auth", "unsupported_method", "use_after_free", "ensure_resource_availability")
"""Checks that our own rules do better, or that need several operations."""


def explore(session: Session) -> None:
    """Let Schemathesis send requests to the provider of a session, if it is on this machine."""
    if not (session.target.writes and session.target.local):
        raise NotExercised("its prospects have no tag: needs a provider on this machine")
    document = copy.deepcopy(documented().document)  # Schemathesis puts responses in place of references
    whole = schemathesis.openapi.from_dict(document, config=_config(session))
    schema = whole.include(operation_id=SAMPLE.operation)
    lost: list[BaseException] = []
    schema.app = _relay(session, lost)
    reported: set[tuple[str, int]] = set()
    for event in from_schema(schema).execute():
        if lost:
            raise lost[0]
        if isinstance(event, Interrupted):
            raise KeyboardInterrupt
        if isinstance(event, ScenarioFinished):
            for _ in event.recorder.interactions:
                session.report.exercised(SCHEMATHESIS.id)
            for name, what, case, interaction in _failures(event.recorder):
                status = interaction.response.status_code
                if (name, status) not in reported and not _is_open(name, case, status):
                    reported.add((name, status))
                    request = _request_of(session, case, interaction.request)
                    session.report.add_breach(SCHEMATHESIS.id, what, request, status, "a documented response")
    if lost:
        raise lost[0]


def body_validator(document: Any) -> jsonschema.Draft202012Validator:
    """Return a validator of the body of the operation that adds prospects, by an OpenAPI document.

    It is compiled with another library than the one that the fake validates with.
    """
    operations = [one for item in document["paths"].values() for one in item.values() if isinstance(one, dict)]
    (operation,) = [one for one in operations if one.get("operationId") == SAMPLE.operation]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    checker = jsonschema.FormatChecker()
    return jsonschema.Draft202012Validator({**schema, "components": document["components"]}, format_checker=checker)


def _config(session: Session) -> Config:
    target, options = session.target, session.options
    return Config.from_dict(
        {
            "headers": {"Authorization": f"Bearer {target.token}"},
            "parameters": {"path.campaignId": target.campaign_id},
            "cache": {"enabled": False},
            "analysis": {"constants": {"enabled": False}},
            "seed": options.seed,
            "generation": {"database": "none", "mode": "all", "max-examples": RANDOM_CASES},
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


def _is_open(name: str, case: Any, status: int) -> bool:
    """Return whether a failure is about something that the contract leaves open."""
    if status in TOLERATED:
        return True
    bodies = (case.body, _with_text_phones(case.body))  # the type of a phone is open
    validators = [body_validator(contract.document) for contract in (documented(), Contract.load())]
    judged = {bool(validator.is_valid(body)) for validator in validators for body in bodies}
    return name in {"positive_data_acceptance", "negative_data_rejection"} and len(judged) > 1


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
