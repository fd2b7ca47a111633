"""The page and the API reference as they come over HTTP; what a browser makes of them is in tests/browser."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING

import pytest
import requests

from mock_server import AltaMock
from mock_server.messages.http import ApiRequest
from mock_server.web.views import STATIC, UNASKED, Pages
from tests.conftest import CAMPAIGN, ROOT, request_of

if TYPE_CHECKING:
    from pathlib import Path

    from mock_server.messages.http import ApiReply

EVERYTHING = [
    ("/", "text/html; charset=utf-8"),
    ("/docs", "text/html; charset=utf-8"),
    ("/openapi.json", "application/json"),
    ("/favicon.ico", "image/svg+xml; charset=utf-8"),
    ("/assets/page.css", "text/css; charset=utf-8"),
    ("/assets/page.js", "text/javascript; charset=utf-8"),
    ("/assets/objects.js", "text/javascript; charset=utf-8"),
    ("/assets/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
]


def get(mock: AltaMock, path: str) -> ApiReply:
    """Request a page."""
    return Pages(mock).answer(ApiRequest("GET", path))


@pytest.mark.parametrize(("path", "kind"), EVERYTHING)
def test_both_transports_serve_a_browser(mock: AltaMock, path: str, kind: str) -> None:
    """The same bytes with the same headers; none of it is in the journal."""
    with mock.serve() as live:
        origin = live.origin
        by_socket = requests.get(origin + path, timeout=10)
        head = requests.head(origin + path, timeout=10)
    by_wsgi = mock.app.test_client().get(path)

    assert (by_socket.status_code, by_socket.headers["Content-Type"]) == (200, kind)
    assert (by_wsgi.status_code, by_wsgi.headers["Content-Type"]) == (200, kind)
    assert by_socket.content == by_wsgi.data == get(mock, path).body
    assert (head.status_code, head.content) == (200, b"")
    assert mock.requests == []


@pytest.mark.parametrize("path", [path for path, _ in EVERYTHING])
def test_each_response_has_a_strict_policy(mock: AltaMock, path: str) -> None:
    """Nothing from another host, nothing inline, no frame, no sniffing."""
    reply = get(mock, path)
    policy = dict(part.split(" ", 1) for part in str(reply.header("Content-Security-Policy")).split("; "))

    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["img-src"] == "'self' data:"
    assert policy.get("trusted-types") == ("'none'" if path == "/" else None)
    assert reply.header("Cache-Control") == "no-cache"
    assert reply.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert (path == "/") is ("require-trusted-types-for" in policy)
    assert reply.header("X-Content-Type-Options") == "nosniff"
    assert reply.header("Referrer-Policy") == "no-referrer"


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_a_page_has_nothing_inline_and_nothing_from_another_host(mock: AltaMock, path: str) -> None:
    """No script, style or handler in the markup, and every address is one of ours."""
    html = get(mock, path).body.decode()

    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", html) == []
    assert [url for url in re.findall(r'(?:src|href)="([^"]*)"', html) if not re.match(r"/(?!/)", url)] == []
    assert all(get(mock, url).status == 200 for url in re.findall(r'"(/assets/[^"]*)"', html))


def test_a_file_that_a_browser_requests_by_itself_is_not_in_the_journal(mock: AltaMock) -> None:
    """Opening its tools causes no finding."""
    with mock.serve() as live:
        for name in UNASKED:
            assert requests.get(live.origin + name, timeout=10).status_code == 404

    assert mock.requests == []


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [("POST", "/", 404), ("GET", "/docs/", 404), ("GET", "/assets/../views.py", 404), ("PUT", "/docs", 404)],
)
def test_everything_else_is_the_apis(mock: AltaMock, method: str, path: str, expected: int) -> None:
    """A consumer that forgets the path gets the 404 of the API, and no other file is served."""
    request = ApiRequest(method, path)

    assert not Pages(mock).serves(request)
    assert mock.answer(request).status == expected


def test_the_reference_is_the_effective_contract_at_this_fake(mock: AltaMock) -> None:
    """So that nobody sends a trial request to the vendor."""
    document = json.loads(get(mock, "/openapi.json").body)

    assert document["servers"] == [{"url": "/v1", "description": "This fake."}]
    assert {**document, "servers": None} == {**json.loads(json.dumps(mock.contract.document)), "servers": None}


@pytest.mark.slow
@pytest.mark.timeout(120)  # a compiler, on a busy machine
def test_the_scripts_are_checked() -> None:
    """The compiler of TypeScript, which knows what a browser has, finds no mistake."""
    compiler = ROOT / "examples" / "typescript" / "node_modules" / ".bin" / "tsc"
    assert compiler.exists(), "the compiler is missing: make test, or npm ci in examples/typescript"
    words = ["--allowJs", "--checkJs", "--noEmit", "--strict", "--noImplicitAny", "false", "--target", "es2023"]
    words += ["--module", "es2022", "--moduleResolution", "bundler", "--moduleDetection", "force"]
    words += ["--lib", "es2023,dom,dom.iterable"]
    done = subprocess.run([compiler, *words, *STATIC.glob("*.js")], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_page_is_small(mock: AltaMock) -> None:
    """All that the first paint needs is below 100 kB."""
    sizes = [len(get(mock, path).body) for path in ("/", *(f"/assets/{file.name}" for file in STATIC.iterdir()))]

    assert len(sizes) >= 4
    assert sum(sizes) < 100_000


def test_the_page_holds_nothing_of_the_fakes_state(mock: AltaMock) -> None:
    """No token, no campaign, no prospect: only the control API has them."""
    mock.answer(request_of({"data": [{"email": "secret@example.com"}]}))
    assert mock.prospects(CAMPAIGN)
    shown = b"".join(get(mock, path).body for path in ("/", "/docs", "/openapi.json"))

    assert not any(token.encode() in shown for token in mock.seed.tokens)
    assert not any(campaign["name"].encode() in shown for campaign in mock.campaigns())
    assert b"secret" not in shown


def test_statuses_come_from_the_contract(tmp_path: Path, second_operation: Path) -> None:
    """The page has a button for each documented error, and for each fault."""
    overlay = tmp_path / "none.yaml"
    overlay.write_text("overlay: 1.0.0\ninfo: {title: none, version: '1'}\nactions: [{target: $.info, update: {}}]\n")
    html = get(AltaMock(openapi=second_operation, overlay=overlay), "/").body.decode()

    assert re.findall(r'data-status="(\d+)"', html) == ["400", "401", "404", "429"]
    assert "drop_after_commit" in re.findall(r'data-fault="(\w+)"', html)
