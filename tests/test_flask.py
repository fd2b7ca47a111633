"""alta-mock as a Flask application: from the environment, in another application, and below WSGI servers."""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest
import requests
from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from mock_server import AltaMock, MockError, create_app
from mock_server.config import Config
from mock_server.pipeline.hooks import Hooks
from tests.conftest import CAMPAIGN, ONE, ROOT, prospects_path

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

GOOD = {"Authorization": "Bearer test-token"}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all settings from the environment."""
    for name in list(os.environ):
        if name.startswith("ALTA_MOCK_"):
            monkeypatch.delenv(name)


def test_the_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of `alta-mock serve`."""
    monkeypatch.setenv("ALTA_MOCK_RATE_LIMIT", "1/60s")
    monkeypatch.setenv("ALTA_MOCK_NO_WHY", "1")
    monkeypatch.setenv("ALTA_MOCK_CONTROL_TOKEN", "right")
    client = create_app().test_client()
    replies = [client.post(prospects_path(), json=ONE, headers=GOOD) for _ in range(2)]
    remote = {"base_url": "http://build.example", "environ_overrides": {"REMOTE_ADDR": "192.0.2.7"}}
    refused = client.get("/_mock/health", **remote)
    allowed = client.get("/_mock/health", headers={"Authorization": "Bearer right"}, **remote)

    assert [reply.status_code for reply in replies] == [200, 429]
    assert "X-Alta-Mock-Why" not in replies[1].headers
    assert (refused.status_code, allowed.status_code) == (403, 200)


def test_every_variable_is_read(tmp_path: Path) -> None:
    """An empty one counts as unset."""
    file = tmp_path / "file.yaml"
    file.touch()
    texts = {"data": str(file), "openapi": str(file), "overlay": str(file), "rate_limit": "1/2s", "store": "memory"}
    texts |= {"account_rate_limit": "off", "control_token": "token", "visible_after": "90s"}
    variables = {f"ALTA_MOCK_{name.upper()}": text for name, text in texts.items()}
    variables["ALTA_MOCK_ASSUME"] = "window=sliding list-order=newest-first"
    assumed = {"window": "sliding", "list-order": "newest-first"}

    read = Config.from_environ({**variables, "ALTA_MOCK_NO_WHY": "TRUE"})
    assert read == Config.of({**texts, "assume": assumed, "why": False})
    assert Config.from_environ({**dict.fromkeys(variables, ""), "ALTA_MOCK_NO_WHY": "0"}) == Config()


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("ALTA_MOCK_DATA", "nowhere.yaml", "give the path of one"),
        ("ALTA_MOCK_OPENAPI", "nowhere.yaml", "give the path of one"),
        ("ALTA_MOCK_OVERLAY", "nowhere.yaml", "give the path of one"),
        ("ALTA_MOCK_RATE_LIMIT", "10/min", "10/60s"),
        ("ALTA_MOCK_ACCOUNT_RATE_LIMIT", "10/min", "10/60s"),
        ("ALTA_MOCK_VISIBLE_AFTER", "soon", "90s"),
        ("ALTA_MOCK_NO_WHY", "maybe", "write 1 or 0"),
    ],
)
def test_a_variable_that_cannot_be_used(variable: str, value: str, remedy: str) -> None:
    """The message names the variable, the value and the remedy."""
    with pytest.raises(MockError) as caught:
        Config.from_environ({variable: value})

    assert all(text in str(caught.value) for text in (f"{variable}: ", repr(value), remedy))


def test_one_rule_for_each_operation(second_operation: Path, tmp_path: Path) -> None:
    """The endpoint is the operation's id; the control API and the pages have rules as well."""
    overlay = tmp_path / "none.yaml"
    overlay.write_text("overlay: 1.0.0\ninfo: {title: none, version: '1'}\nactions: [{target: $.info, update: {}}]\n")
    mock = AltaMock(openapi=second_operation, overlay=overlay)
    rules = {rule.endpoint: rule for rule in mock.app.url_map.iter_rules()}

    for operation in mock.contract.operations:
        rule = rules[operation.id]
        assert rule.rule == "/v1" + re.sub(r"{(\w+)}", r"<\1>", operation.path)
        assert (rule.methods or set()) - {"HEAD"} == {operation.method}
    assert rules["getMockHealth"].rule == "/_mock/health"
    assert {rule.rule for rule in mock.app.url_map.iter_rules("page")} > {"/", "/docs", "/assets/page.js"}


@pytest.mark.slow
def test_flask_routes_lists_the_operations() -> None:
    """The `flask` command needs only the name of the package."""
    command = [sys.executable, "-m", "flask", "--app", "mock_server", "routes"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)

    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["addProspectsToCampaign", "POST", "/v1/campaigns/<campaignId>/prospects"] in lines


def test_a_blueprint_in_another_application(mock: AltaMock) -> None:
    """The application keeps its own routes, errors and hooks; the endpoint of a request is its operation."""
    app = Flask("theirs")
    seen: list[tuple[str | None, bytes]] = []
    app.before_request(lambda: seen.append((request.endpoint, request.get_data())))
    app.add_url_rule("/<name>", view_func=lambda name: f"hello {name}")
    app.register_error_handler(404, lambda _: ("not ours", 404))
    app.register_blueprint(mock.blueprint(), url_prefix="/alta")
    client = app.test_client()
    added = client.post(f"/alta{prospects_path()}", json=ONE, headers=GOOD)
    unknown = client.get("/alta/v1/nowhere")

    assert (added.status_code, added.json) == (200, {})
    assert mock.prospects(CAMPAIGN) == ONE["data"]
    assert seen[0] == ("alta_mock.addProspectsToCampaign", json.dumps(ONE).encode())
    assert (unknown.status_code, unknown.json) == (404, {"error": "NotFound", "message": "Resource not found"})
    assert client.get("/you").text == "hello you"
    assert client.get("/no/where").text == "not ours"


def test_two_mocks_in_one_application(mock: AltaMock) -> None:
    """Each has its own prefix, which may have variables, and its own state."""
    other, app = AltaMock(), Flask("theirs")
    app.register_blueprint(mock.blueprint(), url_prefix="/one")
    app.register_blueprint(other.blueprint(), url_prefix="/two/<tenant>", name="two")
    reply = app.test_client().post(f"/two/x%20y{prospects_path()}", json=ONE, headers=GOOD)

    assert reply.status_code == 200
    assert (len(mock.requests), len(other.requests)) == (0, 1)
    assert other.requests[0].path == prospects_path()


def mounted(mock: AltaMock, how: str) -> Client:
    """Return a client of a mock that is mounted at /alta."""
    if how == "blueprint":
        app = Flask("theirs")
        app.register_blueprint(mock.blueprint(), url_prefix="/alta/")
        return Client(app)
    return Client(DispatcherMiddleware(Flask("theirs"), {"/alta": create_app(mock)}))


@pytest.mark.parametrize("how", ["blueprint", "middleware"])
@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/v1/a%2Fb%0A%ff", 404),
        ("GET", "//v1", 404),
        ("GET", "/v1/campaigns/x/prospects/", 404),
        ("PROPFIND", prospects_path(), 405),
        ("OPTIONS", prospects_path(), 405),
        ("POST", prospects_path() + "?x=%20", 401),
    ],
)
def test_a_mount_keeps_the_raw_path(mock: AltaMock, how: str, method: str, path: str, expected: int) -> None:
    """The pipeline gets the rest of the path after the prefix as sent, for every method."""
    reply = mounted(mock, how).open(f"/alta{path}", method=method)

    assert reply.status_code == expected
    assert set(reply.get_json()) == {"error", "message"}
    entry = mock.requests[0]
    assert (entry.method, entry.path + ("?" + entry.request.query if entry.request.query else "")) == (method, path)


@pytest.mark.parametrize("how", ["blueprint", "middleware"])
def test_pages_below_a_prefix(mock: AltaMock, how: str) -> None:
    """Every address that a page names, and every copy of a request, begins with the prefix."""
    client = mounted(mock, how)
    page, reference = client.get("/alta/").text, client.get("/alta/docs").text
    client.post(f"/alta{prospects_path()}", json=ONE, headers=GOOD)
    copies = client.get("/alta/_mock/requests/1").get_json()["copies"]

    for url in re.findall(r'(?:src|href)="([^"]*)"', page + reference):
        assert client.get(url).status_code == 200
    assert 'data-mount="/alta"' in page
    assert 'data-mount="/alta"' in reference
    assert 'data-base-path="/alta/v1"' in page
    assert client.get("/alta/openapi.json").get_json()["servers"][0]["url"] == "/alta/v1"
    assert client.get("/alta/_mock/openapi.json").get_json()["servers"][0]["url"] == "/alta/_mock"
    assert f"http://localhost/alta{prospects_path()}" in copies["curl"]
    assert client.get("/alta").headers["Location"].endswith("/alta/")


def test_a_proxy_that_removes_the_prefix(mock: AltaMock) -> None:
    """With X-Forwarded-Prefix, links still begin with the prefix."""
    client = Client(ProxyFix(mock.app.wsgi_app, x_prefix=1))
    headers = {**GOOD, "X-Forwarded-Prefix": "/alta"}

    assert client.post(prospects_path(), json=ONE, headers=headers).status_code == 200
    assert 'href="/alta/docs"' in client.get("/", headers=headers).text


def test_a_bug_of_ours_is_a_500_that_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """The response is the same as over a socket, also in another application."""

    def bug(*_: object) -> None:
        raise ZeroDivisionError

    mock = AltaMock(hooks=Hooks(inject=bug))
    reply = mounted(mock, "blueprint").post(f"/alta{prospects_path()}", json=ONE, headers=GOOD)

    assert reply.status_code == 500
    assert reply.text.startswith("This is a bug in alta-mock, not a response of the vendor: ZeroDivisionError")
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("how", ["blueprint", "middleware"])
@pytest.mark.parametrize(("fault", "stored"), [("connection_reset", 0), ("drop_after_commit", 1)])
def test_a_lost_connection_reaches_the_client(mock: AltaMock, how: str, fault: str, stored: int) -> None:
    """The surrounding application does not turn the exception into a 500."""
    mock.fault(fault)
    with pytest.raises(ConnectionResetError):
        mounted(mock, how).post(f"/alta{prospects_path()}", json=ONE, headers=GOOD)

    assert len(mock.prospects(CAMPAIGN)) == stored


def test_a_response_without_a_content_type_stays_one(mock: AltaMock) -> None:
    """Flask adds none."""
    mock.next(503, allow_undocumented=True, headers={"Content-Type": ""}, body="busy")
    reply = mock.app.test_client().post(prospects_path(), json=ONE, headers=GOOD)

    assert reply.status_code == 503
    assert "Content-Type" not in reply.headers


SERVERS = {
    "werkzeug": ["flask", "--app", "mock_server", "run", "--port", "{port}"],
    "waitress": ["waitress", "--listen", "127.0.0.1:{port}", "--threads", "4", "--call", "mock_server:create_app"],
    "gunicorn": ["gunicorn", "--bind", "127.0.0.1:{port}", "--threads", "4", "mock_server:create_app()"],
}
if os.name == "nt":
    del SERVERS["gunicorn"]  # gunicorn does not run on Windows


@contextmanager
def served(name: str) -> Iterator[int]:
    """Run a WSGI server on a free port, from when it responds until the end of the context."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", *(word.format(port=port) for word in SERVERS[name])]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with requests.Session() as session:
                retries = requests.adapters.Retry(total=12, connect=12, backoff_factor=0.02, backoff_max=2)
                session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
                session.get(f"http://127.0.0.1:{port}/_mock/health", timeout=10).raise_for_status()
            yield port
        finally:
            process.terminate()


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, list[str], bytes]:
    """Send one request; return the status, the names of the headers and the body of its response."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        headers = {**GOOD, "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        return reply.status, [name.lower() for name, _ in reply.getheaders()], reply.read()
    finally:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("server", SERVERS)
def test_a_wsgi_server_with_threads(server: str) -> None:
    """Exactly ten of twenty requests at once are within the limit; no header is doubled; faults and raw paths work."""
    with served(server) as port:
        with ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda _: ask(port, "POST", prospects_path(), ONE), range(20)))
        ask(port, "POST", "/_mock/clock/advance", {"seconds": 60})
        ask(port, "POST", "/_mock/next", {"fault": "drop_after_commit"})
        with pytest.raises((ConnectionError, http.client.HTTPException)) if server != "waitress" else nullcontext():
            ask(port, "POST", prospects_path(), ONE)
        ask(port, "POST", "/_mock/next", {"fault": "delay", "seconds": 0.05})
        replies += [ask(port, "POST", prospects_path(), ONE), ask(port, "PROPFIND", prospects_path())]
        ask(port, "POST", "/_mock/next", {"status": 429, "headers": {"Server": "theirs", "Date": "x"}})
        replies += [ask(port, "POST", prospects_path(), ONE)]
        replies += [ask(port, "GET", "/v1/a%2Fb?x=%20"), ask(port, "HEAD", "/v1"), ask(port, "GET", "/")]
        clock = json.loads(ask(port, "GET", "/_mock/clock")[2])
        entries = json.loads(ask(port, "GET", "/_mock/requests")[2])["data"]

    statuses = [status for status, _, _ in replies]
    assert sorted(statuses[:20]) == [200] * 10 + [429] * 10
    assert statuses[20:] == [200, 405, 429, 404, 404, 200]
    for _, names, _ in replies:
        assert len(names) == len(set(names))
        assert {"date", "content-length", "content-type"} <= set(names)
    assert clock["advanced"] == 60
    assert (entries[-2]["path"], entries[-2]["query"]) == ("/v1/a%2Fb", "x=%20")
    assert {entry["transport"] for entry in entries} == {"wsgi"}
