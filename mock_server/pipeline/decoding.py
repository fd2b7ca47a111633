"""Decodes a request by its operation: parameters and body, or every violation of the contract."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote

from mock_server.contract.assumptions import Choices, Question
from mock_server.contract.operation import Operation, Parameter
from mock_server.contract.schemas import first_violation, violations
from mock_server.messages.call import Call
from mock_server.messages.errors import ApiError, BadRequest, NotFound, PayloadTooLarge, UnsupportedMediaType
from mock_server.messages.http import JSON, MAX_BODY, ApiRequest
from mock_server.messages.json_text import UnreadableBody, read_json
from mock_server.messages.pointers import pointer
from mock_server.messages.violations import Violation

MANY = 500
"""Members of a body up to which every violation is reported; beyond that, the first. 20 full records have 140."""

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,308})(\.[0-9]{1,308})?", re.ASCII)


MALFORMED_ID = Question[type[ApiError]]("malformed-id", {"400": BadRequest, "404": NotFound})
CONTENT_TYPE = Question[type[ApiError]]("content-type", {"400": BadRequest, "415": UnsupportedMediaType})
BODY_SIZE = Question("body-size", {"1-MiB": MAX_BODY, "200-kB": 200_000})
UNKNOWN_PARAMETER = Question("unknown-parameter", {"ignored": False, "refused": True})

_SMALLEST_BOUND = min(BODY_SIZE.values.values())


def decode(request: ApiRequest, operation: Operation, path: Mapping[str, str], choices: Choices | None = None) -> Call:
    """Return the parameters and the body of a valid request, or raise what it is refused with."""
    choices = choices or Choices()
    if request.body is None or (len(request.body) > _SMALLEST_BOUND and len(request.body) > choices[BODY_SIZE]):
        bound = choices[BODY_SIZE]
        raise PayloadTooLarge(
            Violation("body-size", "body", "", f"a body of over {bound} bytes", f"at most {bound} bytes")
        )
    found: list[Violation] = []
    declared = operation.parameters.items()
    values = {place: _parameters(request, parameters, place, path, found) for place, parameters in declared}
    if request.query and (unknown := _unknown(request, operation)) and choices[UNKNOWN_PARAMETER]:
        found.append(
            Violation("parameter-unknown", "query", pointer(unknown), "an unknown parameter", "a documented one")
        )
    body = _body(request, operation, found)
    if found:
        raise _refusal(found, choices)(*found)
    query = values.get("query", {})
    defaults = frozenset(query) - parse_qs(request.query, keep_blank_values=True).keys() if query else frozenset()
    return Call(values.get("path", {}), query, body, request.body, defaults)


def _refusal(found: Sequence[Violation], choices: Choices) -> type[ApiError]:
    """Return what a request with these violations is refused with."""
    if any(violation.place == "path" for violation in found):
        return choices[MALFORMED_ID]
    if all(violation.rule in {"content-type", "content-encoding"} for violation in found):
        return choices[CONTENT_TYPE]
    return BadRequest


def _unknown(request: ApiRequest, operation: Operation) -> str | None:
    """Return the first query parameter that the operation does not declare."""
    declared = {parameter.name for parameter in operation.parameters.get("query", ())}
    sent = parse_qs(request.query, keep_blank_values=True, errors="replace")
    return next((name for name in sent if name not in declared), None)


def _parameters(
    request: ApiRequest, declared: Sequence[Parameter], place: str, path: Mapping[str, str], found: list[Violation]
) -> dict[str, Any]:
    try:
        texts = _texts(request, place, path)
    except UnicodeDecodeError:
        found.append(Violation("encoding", place, "", "percent-encoded bytes that are not UTF-8", "UTF-8"))
        return {}
    values = {}
    for parameter in declared:
        where = pointer(parameter.name)
        sent = [text for name, text in texts if name == parameter.name]
        if len(sent) > 1:
            found.append(Violation("parameter-doubled", place, where, f"{len(sent)} values", "one"))
        elif sent:
            values[parameter.name] = value = _value(parameter, sent[0])
            if not parameter.schema.allows(value):
                found.extend(violations(parameter.schema, value, place, (parameter.name,)))
        elif parameter.required:
            source = (*parameter.source, "required")
            found.append(Violation("required", place, where, "nothing", parameter.name, source))
        elif parameter.default is not None:
            values[parameter.name] = parameter.default
    return values


def _texts(request: ApiRequest, place: str, path: Mapping[str, str]) -> list[tuple[str, str]]:
    if place == "path":
        return [(name, unquote(raw, errors="strict")) for name, raw in path.items()]
    if place == "query":
        return parse_qsl(request.query, keep_blank_values=True, errors="strict")
    return list(request.headers)


def _value(parameter: Parameter, text: str) -> Any:
    """Parse the text of a parameter as the type of its schema; else leave it for the schema to refuse."""
    if parameter.types & {"integer", "number"} and _NUMBER.fullmatch(text):
        number = json.loads(text)
        whole = isinstance(number, float) and number.is_integer() and "integer" in parameter.types
        return int(number) if whole else number
    if "boolean" in parameter.types and text in {"true", "false"}:
        return text == "true"
    return text


def _body(request: ApiRequest, operation: Operation, found: list[Violation]) -> Any:
    if operation.body is None or not (request.body or operation.body_required):
        return None
    if wrong := _unreadable_headers(request):
        found.append(wrong)
        return None
    try:
        value = read_json(request.body or b"")
    except UnreadableBody as unreadable:
        found.append(unreadable.violation)
        return None
    if not operation.body.allows(value):
        found.extend((violations if _has_few_members(value) else first_violation)(operation.body, value))
    return value


def _has_few_members(value: Any) -> bool:
    waiting, count = [value], 0
    while waiting and count <= MANY:
        count += 1
        value = waiting.pop()
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return count <= MANY


def _unreadable_headers(request: ApiRequest) -> Violation | None:
    """Return what is wrong with the headers that describe the body."""
    where = "/content-type"
    sent = request.all("content-type")
    if len(sent) != 1:
        return Violation("content-type", "header", where, f"{len(sent) or 'no'} Content-Type headers", JSON)
    if sent[0].partition(";")[0].strip().lower() != JSON:
        return Violation("content-type", "header", where, "another content type", JSON)
    coded = [value for value in request.all("content-encoding") if value.strip().lower() not in {"", "identity"}]
    if coded:
        return Violation("content-encoding", "header", "/content-encoding", "an encoded body", "a plain one")
    return None
