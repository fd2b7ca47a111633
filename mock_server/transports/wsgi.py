"""The WSGI transport: alta-mock as a Flask application, or as a blueprint of another one.

The URL map names every operation, for `flask routes` and for `request.endpoint`. It decides nothing: every rule, and
whatever matches none, leads to the same dispatcher as at the other transports.
"""

from __future__ import annotations

import errno
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter, Rule

from mock_server.config import Config
from mock_server.fake import Fake
from mock_server.messages.http import MAX_BODY, ApiReply, ApiRequest
from mock_server.messages.injected import RESETS
from mock_server.transports.dispatch import Dispatcher

if TYPE_CHECKING:
    from flask.sansio.app import App
    from flask.sansio.blueprints import BlueprintSetupState


def create_app(mock: Fake | None = None) -> Flask:
    """Return a Flask application that serves a mock.

    Without a mock it makes one with the settings in the environment variables of `alta-mock serve`; raises MockError
    if one cannot be used.
    """
    app = Flask("mock_server", static_folder=None)
    _add_rules(app, mock or Fake(**asdict(Config.from_environ(os.environ))))
    return app


def create_blueprint(mock: Fake) -> Blueprint:
    """Return a blueprint that serves a mock in any application, also below a `url_prefix`."""
    blueprint = Blueprint("alta_mock", __name__)

    def register(state: BlueprintSetupState) -> None:
        name = f"{state.name_prefix}.{state.name}.".lstrip(".")
        _add_rules(state.app, mock, (state.url_prefix or "").rstrip("/"), name, subdomain=state.subdomain)

    blueprint.record(register)
    return blueprint


class _AnyPath(BaseConverter):
    """Matches any path, also one with line breaks or doubled slashes, if no other rule of the application does."""

    regex, part_isolating, weight = "(?s:.*)", False, 1000


def _add_rules(app: App, mock: Fake, prefix: str = "", name: str = "", **options: Any) -> None:
    dispatcher = Dispatcher(mock, "wsgi", mock.config.control_token)
    app.url_map.converters["alta_mock"] = _AnyPath
    for path, endpoint, methods in _rules(dispatcher):
        app.url_map.add(Rule(prefix + path, endpoint=name + endpoint, methods=methods, **options))
        app.view_functions[name + endpoint] = partial(_respond, dispatcher, prefix)


def _rules(dispatcher: Dispatcher) -> Iterator[tuple[str, str, list[str] | None]]:
    """Yield path, endpoint and methods of everything that a request can be for; None is every method."""
    for contract in (dispatcher.mock.contract, dispatcher.control.contract):
        for operation in contract.operations:
            path = re.sub("{[^{}]+}", lambda found: re.sub(r"\W", "_", found[0][1:-1]).join("<>"), operation.path)
            yield contract.base_path + path, operation.id, [operation.method]
    for path in sorted(dispatcher.pages.paths):
        yield path, "page", ["GET"]
    yield "/<alta_mock:path>", "other", None


def _respond(dispatcher: Dispatcher, prefix: str, **_variables: str) -> Response:
    mount, path = _paths(prefix)
    api_request = ApiRequest(
        method=request.method,
        path=path,
        query=request.environ.get("QUERY_STRING", ""),
        headers=tuple((name.lower(), value) for name, value in request.headers),  # repeated ones joined by the server
        body=_body(),
    )
    peer = request.environ.get("REMOTE_ADDR", "127.0.0.1")  # a client in this process may leave it out
    reply = dispatcher.part(api_request).answer(api_request, peer, mount)
    response = Response(reply.body, reply.status)
    response.headers = Headers(list(reply.headers))  # without the Content-Type that Flask adds
    if request.environ.get("SERVER_SOFTWARE", "").startswith("Werkzeug/"):
        for name in ("Date", "Server"):
            response.headers.pop(name, None)  # that server always adds its own
    if reply.fault:
        _apply_fault(reply, response, dispatcher.mock)
    return response


def _body() -> bytes | None:
    """Read the body, also if the application has read it before; None if it is larger than `MAX_BODY`."""
    request.max_content_length = MAX_BODY + 1
    try:
        body = request.get_data()
    except RequestEntityTooLarge:
        return None
    return body if len(body) <= MAX_BODY else None


def _paths(prefix: str) -> tuple[str, str]:
    """Return the path that alta-mock is mounted below and the path below that, raw if the server passes it on."""
    script = request.environ.get("SCRIPT_NAME", "")
    target = request.environ.get("REQUEST_URI") or request.environ.get("RAW_URI")
    if target:
        raw = re.sub(r"^[^/?]*://[^/?]*", "", str(target)).partition("?")[0]  # no scheme and host (RFC 9112, 3.2.2)
    else:
        raw = quote(script + request.environ.get("PATH_INFO", ""), safe="/:@!$&'()*+,;=~", encoding="latin-1")
    outside = "" if unquote(raw, "latin-1").startswith(script) else script  # a proxy has removed it
    depth = ((script if not outside else "") + prefix).count("/")
    if not depth:
        return outside, raw
    segments = raw.split("/")
    return outside + "/".join(segments[: depth + 1]), "/" + "/".join(segments[depth + 1 :])


def _apply_fault(reply: ApiReply, response: Response, mock: Fake) -> None:
    """Apply a fault as far as WSGI allows: a server closes the connection at an exception while it sends."""
    if reply.fault and reply.fault.name in RESETS:
        response.response = _lose_connection(request.environ.get("werkzeug.socket"))
    elif reply.fault and reply.fault.name == "truncate":
        response.response = [reply.body[: len(reply.body) // 2]]
        response.headers["Content-Length"] = str(len(reply.body))
    elif reply.fault:
        wait = time.sleep if "SERVER_SOFTWARE" in request.environ else mock.clock.sleep  # no server: nothing waits
        wait(reply.fault.seconds)


def _lose_connection(connection: socket.socket | None) -> Iterator[bytes]:
    yield from ()
    if connection:
        connection.shutdown(socket.SHUT_RDWR)  # werkzeug's server would wait for the next request
    raise ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
