"""The pages and their files, by path."""

from __future__ import annotations

import json
from functools import cache, partial
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.handlers import SAMPLE
from mock_server.messages.http import ApiReply, phrase
from mock_server.messages.injected import FAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jinja2 import Environment

    from mock_server.fake import Fake
    from mock_server.messages.http import ApiRequest

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
"""The Content-Security-Policy: nothing from or to another host, no inline script or style."""

TRUSTED_TYPES = {"require-trusted-types-for": "'script'", "trusted-types": "'none'"}
"""The browser also refuses to let a script turn text into markup."""

UNASKED = (
    "apple-touch-icon.png",
    "apple-touch-icon-precomposed.png",
    ".well-known/appspecific/com.chrome.devtools.json",
)
"""Files that browsers request by themselves: a 404 that is not in the journal."""

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Media types by suffix; `mimetypes` would depend on the system."""

RENDERER = ("swagger-ui.css", "swagger-ui-bundle.js")
"""The files of Swagger UI in the package swagger-ui-py."""


class Pages:
    """The live page, the API reference, and their files.

    Args:
        mock: The mock whose contract the reference shows.
    """

    def __init__(self, mock: Fake) -> None:
        self._mock = mock
        self._pages: dict[str, Callable[[str], ApiReply]] = {
            "/": self._page,
            "/docs": self._reference,
            "/openapi.json": self._document,
            "/favicon.ico": lambda _: _file(STATIC / "icon.svg"),
            **{f"/{name}": lambda _: _reply(b"", "text/plain", POLICY, 404) for name in UNASKED},
            **{f"/assets/{file.name}": partial(_static, file) for file in STATIC.iterdir()},
            **{f"/assets/{name}": partial(_of_renderer, name) for name in RENDERER},
        }

    def __iter__(self) -> Iterator[str]:
        """Iterate over the paths."""
        return iter(self._pages)

    def serves(self, request: ApiRequest) -> bool:
        """Return whether a request is for a page or one of its files."""
        return request.method in {"GET", "HEAD"} and request.path in self._pages

    def answer(self, request: ApiRequest, _peer: str = "", mount: str = "") -> ApiReply:
        """Answer a request; `mount` is the path in front of the pages' own."""
        return self._pages[request.path](mount)

    def prepare(self) -> None:
        """Import and compile the templates, so that the first visitor need not wait for that."""
        self._page("")

    def _page(self, mount: str) -> ApiReply:
        statuses = [(status, phrase(status)) for status in self._mock.documented if status >= 400]  # noqa: PLR2004 - errors
        contract = self._mock.contract
        path = next((one.path for one in contract.operations if one.id == SAMPLE.operation), "")
        base_path = mount + contract.base_path
        html = _render("page.html", mount, statuses=statuses, faults=FAULTS, base_path=base_path, path=path)
        return _reply(html, "text/html; charset=utf-8", POLICY | TRUSTED_TYPES)

    def _reference(self, mount: str) -> ApiReply:
        return _reply(_render("reference.html", mount), "text/html; charset=utf-8", POLICY)

    def _document(self, mount: str) -> ApiReply:
        """Return the effective contract, with this server as its only one."""
        here = {"url": mount + self._mock.contract.base_path or "/", "description": "This fake."}
        document = {**self._mock.contract.document, "servers": [here]}
        return _reply(json.dumps(document, ensure_ascii=False).encode(), "application/json", POLICY)


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only the pages need it

    loader = PackageLoader("mock_server.web")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _render(name: str, mount: str, **values: Any) -> bytes:
    return _templates().get_template(name).render(version=version("alta-mock"), mount=mount, **values).encode()


def _of_renderer(name: str, _: str) -> ApiReply:
    """Return a file of Swagger UI, without importing its package, which would import web frameworks."""
    found = find_spec("swagger_ui")
    folders = list(found.submodule_search_locations or ()) if found else []
    return _file(Path(folders[0]) / "static" / name)


def _static(file: Path, _: str) -> ApiReply:
    return _file(file)


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
