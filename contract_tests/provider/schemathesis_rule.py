"""Schemathesis as one rule among the others: its requests go the same way, and each of its failures is a breach.

It is judged by what is documented: the published document, and of the overlay the documented actions only. A body that
only an assumption refuses is open, and so are refusals that are HTTP's own; neither is held against a provider.
"""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import schemathesis
from schemathesis import Config
from schemathesis.engine import from_schema
from schemathesis.engine.events import Interrupted, ScenarioFinished

from contract_tests.body_schema import body_validator
from contract_tests.provider.results import Breach
from contract_tests.provider.rules import TOLERATED, NotExercised
from contract_tests.provider.wire import NO_ANSWER, Sent
from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from contract_tests.provider.verify import Examiner

FUZZED = 40
"""Requests made at random; on a provider whose limits must be waited for they are all there are."""

NOT_ASKED = ("ignored_auth", "unsupported_method", "use_after_free", "ensure_resource_availability")
"""Checks that our own rules make better, or that one operation has no use for."""


def explore(examiner: Examiner) -> None:
    """Let Schemathesis examine a provider by way of an examiner.

    Raises:
        NotExercised: The provider is on another machine, or nothing may be added.
    """
    if not (examiner.given.writes and examiner.given.local):
        raise NotExercised("what it makes has no tag: needs a provider on this machine")
    schema = schemathesis.openapi.from_dict(documented().document, config=_config(examiner))
    lost: list[BaseException] = []
    schema.app = _relay(examiner, lost)
    told: set[tuple[str, int]] = set()
    for event in from_schema(schema).execute():
        if lost:
            raise lost[0]
        if isinstance(event, Interrupted):
            raise KeyboardInterrupt
        if isinstance(event, ScenarioFinished):
            for _ in event.recorder.interactions:
                examiner.keep_rule("schemathesis")
            for name, case, interaction, failure in _failures(event.recorder):
                status = interaction.response.status_code
                if (name, status) not in told and not _is_open(name, case, status):
                    told.add((name, status))
                    _report(examiner, case, interaction, failure)
    if lost:
        raise lost[0]


@cache
def documented() -> Contract:
    """Return the contract without what we assume."""
    overlay = Document.read(bundled_files.data("openapi.overlay.yaml"))
    value = copy.deepcopy(overlay.value)
    examples = "request-examples"  # which judge nothing
    value["actions"] = [
        one for one in value["actions"] if one["x-evidence"] == "documented" or one.get("x-assumption") == examples
    ]
    return Contract.of(Document.read(bundled_files.data("openapi.yaml")), Document(overlay.name, value, overlay.root))


def _config(examiner: Examiner) -> Config:
    given, options = examiner.given, examiner.options
    return Config.from_dict(
        {
            "headers": {"Authorization": f"Bearer {given.token}"},
            "parameters": {"path.campaignId": given.campaign_id},
            "cache": {"enabled": False},
            "analysis": {"constants": {"enabled": False}},
            "seed": options.seed,
            "generation": {"database": "none", "mode": "all", "max-examples": FUZZED},
            "checks": {name: {"enabled": False} for name in NOT_ASKED},
            "phases": {
                "stateful": {"enabled": False},
                "coverage": {"enabled": not options.patient, "unexpected-methods": []},
            },
        }
    )


def _relay(examiner: Examiner, lost: list[BaseException]) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application that sends what it is asked by way of the examiner."""
    ours = Contract.load().base_path
    base = urlsplit(examiner.given.url).path.rstrip("/")

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        headers = [
            (name[5:].replace("_", "-").title(), value) for name, value in environ.items() if name[:5] == "HTTP_"
        ]
        headers = [pair for pair in headers if pair[0] not in {"Host", "Content-Length"}]
        if environ.get("CONTENT_TYPE"):
            headers.append(("Content-Type", environ["CONTENT_TYPE"]))
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        target = base + (environ.get("REQUEST_URI") or environ["PATH_INFO"]).removeprefix(ours)
        try:
            with examiner.judged_elsewhere():
                got = examiner.send_patiently(Sent(environ["REQUEST_METHOD"], target, tuple(headers), body))
        except BaseException as error:  # noqa: BLE001 - it is raised again where Schemathesis does not swallow it
            lost.append(error)
            got = None
        if got is None or got.status == NO_ANSWER:
            raise ConnectionResetError(got.trouble if got else str(lost[-1]))
        kept = [(name, value) for name, value in got.headers if name not in {"connection", "transfer-encoding"}]
        start_response(f"{got.status} ", kept)
        return [got.body]

    return app


def _failures(recorder: Any) -> Iterable[tuple[str, Any, Any, Any]]:
    """Yield the checks that failed, each with its case and what was answered."""
    for case_id, checks in recorder.checks.items():
        for check in checks:
            interaction = recorder.interactions.get(case_id)
            if check.failure_info and interaction and interaction.response:
                yield check.name, recorder.cases[case_id].value, interaction, check.failure_info


def _is_open(name: str, case: Any, status: int) -> bool:
    """Tell whether a failure is about something that the contract leaves open."""
    if status in TOLERATED:
        return True
    bodies = (case.body, _with_text_phones(case.body))  # of what type a phone is, is open
    validators = [body_validator(contract.document) for contract in (documented(), Contract.load())]
    judged = {bool(validator.is_valid(body)) for validator in validators for body in bodies}
    return name in {"positive_data_acceptance", "negative_data_rejection"} and len(judged) > 1


def _with_text_phones(body: Any) -> Any:
    """Return a body whose phones are texts, if they are numbers or the like."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        return body

    def changed(record: Any) -> Any:
        odd = isinstance(record, dict) and not isinstance(record.get("phone", ""), str | None)
        return {**record, "phone": "1"} if odd else record

    return {**body, "data": [changed(record) for record in body["data"]]}


def _report(examiner: Examiner, case: Any, interaction: Any, failure: Any) -> None:
    """Write a failure down as a breach."""
    response, request = interaction.response, interaction.request
    body = case.body if isinstance(case.body, bytes) else _dumped(case.body)
    headers = (
        ("Authorization", f"Bearer {examiner.given.token}"),
        ("Content-Type", case.media_type or "application/json"),
    )
    sent = Sent(request.method, "/" + request.uri.split("://", 1)[-1].partition("/")[2], headers, body)
    what = " ".join(f"{failure.failure.title}: {failure.failure.message}".split())[:200]
    examiner.note("schemathesis", Breach(what, sent, "what the document says", str(response.status_code)))


def _dumped(body: Any) -> bytes | None:
    try:
        return json.dumps(body).encode()
    except (TypeError, ValueError):
        return None
