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
from mock_server.messages.http import MAX_BODY, ApiRequest
from mock_server.transports.dispatch import Dispatcher

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.sansio.app import App
    from flask.sansio.blueprints import BlueprintSetupState

    from mock_server.messages.http import ApiReply


def create_app(mock: Fake | None = None) -> Flask:
    """Return a Flask application that serves a mock, as `flask --app mock_server run` does.

    Args:
        mock: The mock; without it, one with the settings in the environment variables of `alta-mock serve`.

    Raises:
        MockError: A setting cannot be used.
    """
    app = Flask("mock_server", static_folder=None)
    if mock is None:
        mock = Fake(**asdict(Config.from_environ(os.environ)))
    _add_rules(app, _dispatcher(mock))
    return app


def create_blueprint(mock: Fake) -> Blueprint:
    """Return a blueprint that serves a mock in any application, also below a `url_prefix`."""
    blueprint, dispatcher = Blueprint("alta_mock", __name__), _dispatcher(mock)

    def register(state: BlueprintSetupState) -> None:
        name = f"{state.name_prefix}.{state.name}.".lstrip(".")
        _add_rules(state.app, dispatcher, (state.url_prefix or "").rstrip("/"), name, subdomain=state.subdomain)

    blueprint.record(register)
    return blueprint


def _dispatcher(mock: Fake) -> Dispatcher:
    return Dispatcher(mock, "wsgi", mock.config.control_token)


class _AnyText(BaseConverter):
    regex = r"(?s:.*)"
    part_isolating = False
    weight = 1000  # after every other rule of the application


class _AnyPath(Rule):
    """A rule whose variable matches any path, also one with line breaks or doubled slashes."""

    def get_converter(self, *_args: Any, **_options: Any) -> BaseConverter:
        return _AnyText(self.map)


def _add_rules(app: App, dispatcher: Dispatcher, prefix: str = "", name: str = "", **options: Any) -> None:
    for path, endpoint, method in _rules(dispatcher):
        app.url_map.add(Rule(prefix + path, endpoint=name + endpoint, methods=[method], **options))
        app.view_functions[name + endpoint] = partial(_respond, dispatcher, prefix)
    app.url_map.add(_AnyPath(f"{prefix}/<path:path>", endpoint=f"{name}other", **options))  # of any method
    app.view_functions[f"{name}other"] = partial(_respond, dispatcher, prefix)


def _rules(dispatcher: Dispatcher) -> Iterator[tuple[str, str, str]]:
    """Return path, endpoint and method of all that a request can be for."""
    for contract in (dispatcher.mock.contract, dispatcher.control.contract):
        for operation in contract.operations:
            parts = [
                re.sub(r"\W", "_", operation.path_names[at]).join("<>") if part is None else part
                for at, part in enumerate(operation.segments)
            ]
            yield f"{contract.base_path}/{'/'.join(parts)}", operation.id, operation.method
    for path in dispatcher.pages:
        yield path, "page", "GET"


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
    reply = dispatcher.part(api_request).respond(api_request, peer, mount)
    response = Response(reply.body, reply.status)
    response.headers = Headers(list(reply.headers))  # without the Content-Type that Flask adds
    if request.environ.get("SERVER_SOFTWARE", "").startswith("Werkzeug/"):
        response.headers.pop("Date", None)  # that server always adds its own
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
    """Return the path that alta-mock is mounted below, and the one below that, percent-encoded if the server lets us.

    Args:
        prefix: The `url_prefix` of the blueprint.
    """
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
    """Apply a fault as far as WSGI allows.

    A lost connection is an exception while the response is sent: servers close the connection, and a client in this
    process receives it.
    """
    if reply.fault and reply.fault.name in {"reset", "drop_after_commit"}:
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
