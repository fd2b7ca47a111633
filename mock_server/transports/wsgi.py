"""The Flask transport: WSGI in, the road, WSGI out."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Flask, Response, request

from mock_server.control.api import Control, is_control
from mock_server.messages.http import MAX_BODY, METHODS, ApiRequest
from mock_server.web import Pages

if TYPE_CHECKING:
    from mock_server.messages.http import ApiReply, Headers
    from mock_server.mock import AltaMock


def create_app(mock: AltaMock) -> Flask:
    """Make the WSGI application of a mock; whatever its path, the road decides."""
    app = Flask("mock_server", static_folder=None)
    control, pages = Control(mock), Pages(mock)
    app.url_map.merge_slashes = False
    app.config["PROPAGATE_EXCEPTIONS"] = True  # a bug of ours fails the test that met it

    @app.route("/", defaults={"path": ""}, methods=METHODS, provide_automatic_options=False)
    @app.route("/<path:path>", methods=METHODS, provide_automatic_options=False)
    def api(path: str) -> Response:  # noqa: ARG001 - the raw path is read instead
        asked = _request()
        if is_control(asked):
            reply = control.answer(asked, request.remote_addr or "127.0.0.1")
        elif pages.serves(asked):
            reply = pages.answer(asked)
        else:
            reply = mock.handle(asked, "wsgi").reply
        return _spoilt(mock, reply) if reply.fault else Response(reply.body, reply.status, list(reply.headers))

    for status in (404, 405):  # a path with a line break, a method that no router knows: the road's to refuse
        app.register_error_handler(status, lambda _: api(""))
    return app


def _spoilt(mock: AltaMock, reply: ApiReply) -> Response:
    """Make a fault as far as WSGI lets one: a lost connection is an exception, which a client in process gets."""
    if reply.fault and reply.fault.name in {"reset", "drop_after_commit"}:
        raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    response = Response(reply.body, reply.status, list(reply.headers))
    if reply.fault and reply.fault.name == "truncate":
        response.response = [reply.body[: len(reply.body) // 2]]
        response.headers["Content-Length"] = str(len(reply.body))
    elif reply.fault:
        mock.clock.sleep(reply.fault.seconds)  # a delay, by the fake's time: nothing in process waits
    return response


def _request() -> ApiRequest:
    """Read the request at hand, its path undecoded where the server hands it over."""
    target = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI")
    if target:
        path = _origin_form(str(target)).partition("?")[0]
    else:
        path = quote(request.environ.get("PATH_INFO", ""), safe="/:@!$&'()*+,;=~", encoding="latin-1")
    query = request.environ.get("QUERY_STRING", "")  # raw by the rules of WSGI, and there if the target has none
    body = request.stream.read(MAX_BODY + 1)
    return ApiRequest(
        method=request.method,
        path=path,
        query=query,
        headers=_headers(),
        body=body if len(body) <= MAX_BODY else None,
    )


def _origin_form(target: str) -> str:
    """Return a request target without scheme and host, which a client may send too (RFC 9112, 3.2.2)."""
    if target.startswith("/") or "://" not in target:
        return target
    _, slash, rest = target.partition("://")[2].partition("/")
    return slash + rest


def _headers() -> Headers:
    """Read the headers; those sent twice were joined with a comma by the server, and match nothing that way."""
    return tuple((name.lower(), value) for name, value in request.headers)
