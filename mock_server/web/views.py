"""The few things that are served to a browser, each by its path."""

from __future__ import annotations

import json
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.messages.http import ApiReply, phrase
from mock_server.messages.injected import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

    from mock_server.messages.http import ApiRequest
    from mock_server.mock import AltaMock

STATIC = Path(__file__).parent / "static"

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
"""The Content-Security-Policy: nothing from elsewhere, nothing to elsewhere, no script or style in the page itself."""

TRUSTED_TYPES = {"require-trusted-types-for": "'script'", "trusted-types": "'none'"}
"""And no text that becomes markup: the browser stops our own script, should it ever try."""

UNASKED = (
    "apple-touch-icon.png",
    "apple-touch-icon-precomposed.png",
    ".well-known/appspecific/com.chrome.devtools.json",
)
"""What browsers look for by themselves: there is none, and it is no mistake of a consumer."""

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Media types by the end of a name; `mimetypes` would ask the system, which may think otherwise."""

RENDERER = ("swagger-ui.css", "swagger-ui-bundle.js")
"""The files of Swagger UI, as the package swagger-ui-py brings them."""


class Pages:
    """The page, the API reference, and what they are made of.

    Args:
        mock: Whose contract the reference shows.
    """

    def __init__(self, mock: AltaMock) -> None:
        self._mock = mock
        self._pages: dict[str, Callable[[], ApiReply]] = {
            "/": self._page,
            "/docs": self._reference,
            "/openapi.json": self._document,
            "/favicon.ico": lambda: _file(STATIC / "icon.svg"),
            **{f"/{name}": lambda: _reply(b"", "text/plain", POLICY, 404) for name in UNASKED},
            **{f"/assets/{file.name}": partial(_file, file) for file in STATIC.iterdir()},
            **{f"/assets/{name}": partial(_of_renderer, name) for name in RENDERER},
        }

    def serves(self, request: ApiRequest) -> bool:
        """Tell whether a request is for something of these; everything else is the API's."""
        return request.method in {"GET", "HEAD"} and request.path in self._pages

    def answer(self, request: ApiRequest) -> ApiReply:
        """Answer a request that is served here."""
        return self._pages[request.path]()

    def prepare(self) -> None:
        """Import and compile what makes the page, so that the first who opens it need not wait for that."""
        self._page()

    def _page(self) -> ApiReply:
        statuses = [(status, phrase(status)) for status in self._mock.documented if status >= 400]  # noqa: PLR2004 - errors
        contract = self._mock.contract
        path = next((one.path for one in contract.operations if one.id == "addProspectsToCampaign"), "")
        html = _render("page.html", statuses=statuses, faults=FAULTS, base_path=contract.base_path, path=path)
        return _reply(html, "text/html; charset=utf-8", POLICY | TRUSTED_TYPES)

    def _reference(self) -> ApiReply:
        return _reply(_render("reference.html"), "text/html; charset=utf-8", POLICY)

    def _document(self) -> ApiReply:
        """Return the effective contract, with this fake as its only server."""
        here = {"url": self._mock.contract.base_path or "/", "description": "This fake."}
        document = {**self._mock.contract.document, "servers": [here]}
        return _reply(json.dumps(document, ensure_ascii=False).encode(), "application/json", POLICY)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only for who looks

    loader = PackageLoader("mock_server.web")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _render(name: str, **values: Any) -> bytes:
    return _templates().get_template(name).render(version=version("alta-mock"), **values).encode()


def _of_renderer(name: str) -> ApiReply:
    """Return a file of Swagger UI; found without running the package, which would import web frameworks."""
    found = find_spec("swagger_ui")
    folders = list(found.submodule_search_locations or ()) if found else []
    return _file(Path(folders[0]) / "static" / name)


def _file(file: Path) -> ApiReply:
    return _reply(file.read_bytes(), f"{KINDS[file.suffix]}; charset=utf-8", POLICY)


def _reply(body: bytes, kind: str, policy: dict[str, str], status: int = 200) -> ApiReply:
    headers = (
        ("Content-Type", kind),
        ("Content-Security-Policy", "; ".join(f"{name} {value}" for name, value in policy.items())),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-cache"),
    )
    return ApiReply(status, headers, body)
