"""Mutants of HTTP connections and the framing of bodies."""

from __future__ import annotations

from functools import partial

from contract_tests.mutants.bench import JSON, Bench, error, register
from contract_tests.provider.wire import Request, Response


def _answering(bench: Bench, framing: str, status: int, path: str = "") -> None:
    bench.on_wire(
        lambda request, _: _response(status) if request.framing == framing and request.path.endswith(path) else None
    )


def _response(status: int) -> Response:
    return Response(status, (("content-type", JSON),), b"" if status == 200 else error(status).body)


def _rest(request: Request, before: Request | None) -> Response | None:
    rest = before is not None and before.body == b'{"data": [' and b"@" in (request.body or b"")
    return _response(400) if rest else None


add = partial(register, "RFC 9112", _answering)
add("chunked-is-refused", "A chunked body is read as an empty body.", "chunked", 400)
add("chunked-is-500", "A chunked body is a server error.", "chunked", 500)
add("long-body-is-accepted", "A body longer than its Content-Length is accepted.", "long", 200)
add("short-body-is-accepted", "A body shorter than its Content-Length is accepted.", "short", 200)
add("short-body-is-500", "A body shorter than its Content-Length is a server error.", "short", 500)
add("short-campaigns-are-500", "Creating a campaign fails so.", "short", 500, "/campaigns", operation="createCampaign")
add("long-tags-are-accepted", "Tags are assigned in spite of it.", "long", 200, "/assign", operation="assignTags")
add = partial(register, "RFC 9112", Bench.on_wire)
add("rest-of-a-body-is-a-request", "The unread rest of a refused body is read as the next request.", _rest)
