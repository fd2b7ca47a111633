"""Rules about every response."""

from __future__ import annotations

from contract_tests.provider.documented import Routed
from contract_tests.provider.rule import response_rule
from contract_tests.provider.wire import NO_RESPONSE, Request, Response
from contract_tests.sources import ERRORS, HTTP
from mock_server.contract.schemas import first_violation

SERVER_ERROR = 500
METHOD_NOT_ALLOWED = 405

IDENTIFIERS = {400: "ValidationError", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}
DOCUMENTED = {200, *IDENTIFIERS, SERVER_ERROR}
TOLERATED = {METHOD_NOT_ALLOWED, 406, 408, 411, 413, 414, 415, 417, 431}
"""Refusals by HTTP itself, which a server may send before the API sees a request."""


@response_rule(ERRORS)
def no_server_error(_: Request, response: Response, __: Routed) -> tuple[str, str] | None:
    """No request is answered with a 5xx; a 5xx for a probe breaks the rule of the probe."""
    return (str(response), "no 5xx") if response.status >= SERVER_ERROR else None


@response_rule(ERRORS)
def documented_status(_: Request, response: Response, routed: Routed) -> tuple[str, str] | None:
    """Every status is documented for the operation, or is a refusal by HTTP itself."""
    documented = set(routed.operation.responses) if routed.operation else DOCUMENTED
    if response.status in documented | TOLERATED | {NO_RESPONSE} or response.status >= SERVER_ERROR:
        return None
    return str(response), f"one of {', '.join(map(str, sorted(documented)))}"


@response_rule("openapi.yaml#/paths")
def success_schema(_: Request, response: Response, routed: Routed) -> tuple[str, str] | None:
    """The body of a success keeps the documented schema of its operation, as application/json in UTF-8."""
    schema = routed.operation and routed.operation.responses.get(response.status)
    if not schema or not response.succeeded:
        return None
    kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return f"{response.status} as {kind or 'no content type'}", "application/json"
    if response.json is None or not response.in_utf_8:
        return str(response), "JSON in UTF-8"
    wrong = first_violation(schema, response.json)
    return (f"{response.status}: {wrong[0]}", "a body as the schema says") if wrong else None


@response_rule("openapi.yaml#/components/schemas/Error")
def error_body(_: Request, response: Response, __: Routed) -> tuple[str, str] | None:
    """The body of every refusal is a JSON object with the texts `error` and `message`."""
    body = response.json if isinstance(response.json, dict) else {}
    if response.status not in IDENTIFIERS or all(isinstance(body.get(name), str) for name in ("error", "message")):
        return None
    return str(response), "an object with the texts error and message"


@response_rule("https://docs.altahq.com/api-reference/objects/error")
def error_identifier(_: Request, response: Response, __: Routed) -> tuple[str, str] | None:
    """The `error` of a refusal is the identifier of its status."""
    wanted = IDENTIFIERS.get(response.status)
    error = response.error
    if wanted is None or error in {None, wanted}:
        return None
    return f'{response.status} with the error "{error}"', f'"{wanted}"'


@response_rule("openapi.yaml#/components/responses")
def error_content_type(_: Request, response: Response, __: Routed) -> tuple[str, str] | None:
    """Refusals are sent as application/json, in UTF-8."""
    if response.status not in IDENTIFIERS:
        return None
    kind = (response.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return f"{response.status} as {kind or 'no content type'}", "application/json"
    return None if response.in_utf_8 else (f"{response.status} in another encoding", "UTF-8")


@response_rule(f"{HTTP}, 15.5.6")
def allow_names_the_methods(request: Request, response: Response, routed: Routed) -> tuple[str, str] | None:
    """A 405 has the header Allow with the documented methods of the path, and without the refused method."""
    allow = response.header("allow")
    named = {word.strip().upper() for word in (allow or "").split(",")}
    right = allow is not None and routed.methods <= named and request.method not in named
    if response.status != METHOD_NOT_ALLOWED or right:
        return None
    wanted = f"{', '.join(sorted(routed.methods))} in it" if routed.methods else "Allow with other methods"
    return f"405 with Allow: {allow or '(none)'}", wanted


@response_rule("openapi.yaml#/paths")
def success_is_no_error(_: Request, response: Response, __: Routed) -> tuple[str, str] | None:
    """The body of a 200 is not that of an error."""
    if not response.accepted or response.error not in IDENTIFIERS.values():
        return None
    return f'200 with the error "{response.error}"', "no error"


@response_rule("a server that does not respond blocks its clients")
def answers_in_time(_: Request, response: Response, __: Routed) -> tuple[str, str] | None:
    """Every request is answered within ten seconds."""
    return (response.trouble, "a response") if response.timed_out else None
