"""The pages and their files, by path.

The pages contain no state of the mock: their scripts request it from the control API, so that whoever may not use that
API sees nothing here either.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.contract.contract import Contract
from mock_server.fake import Fake
from mock_server.handlers import OBJECTS, SAMPLE
from mock_server.messages.http import JSON, ApiReply, ApiRequest, phrase
from mock_server.messages.injected import FAULTS

if TYPE_CHECKING:
    from jinja2 import Environment

STATIC = Path(__file__).parent / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""The Content-Security-Policy: nothing from or to another host, no inline script or style."""

TRUSTED_TYPES = "; require-trusted-types-for 'script'; trusted-types 'none'"
"""The browser also refuses to let a script turn text into markup."""

ICONS = ("/apple-touch-icon.png", "/apple-touch-icon-precomposed.png")
UNASKED = (*ICONS, "/.well-known/appspecific/com.chrome.devtools.json")
"""Files that browsers request by themselves: a 404 that is not in the journal."""

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Media types by suffix; `mimetypes` would depend on the system."""


class Pages:
    """The live page, the API reference, and their files.

    Args:
        mock: The mock whose contract the reference shows.
    """

    def __init__(self, mock: Fake) -> None:
        self._mock = mock
        self._pages = {"/": self._page, "/docs": self._reference, "/openapi.json": self._document}
        files = [*STATIC.iterdir(), *(_renderer() / name for name in ("swagger-ui.css", "swagger-ui-bundle.js"))]
        self._files = {"/favicon.ico": STATIC / "icon.svg"} | {f"/assets/{file.name}": file for file in files}
        self.paths = frozenset([*self._pages, *self._files, *UNASKED])

    def serves(self, request: ApiRequest) -> bool:
        """Return whether a request is for a page or one of its files."""
        return request.method in {"GET", "HEAD"} and request.path in self.paths

    def answer(self, request: ApiRequest, _peer: str = "", mount: str = "") -> ApiReply:
        """Answer a request; `mount` is the path in front of the pages' own."""
        if request.path in UNASKED:
            return _reply(b"", "text/plain", status=404)
        file = self._files.get(request.path)
        return _reply(file.read_bytes(), KINDS[file.suffix]) if file else self._pages[request.path](mount)

    def prepare(self) -> None:
        """Import and compile the templates, so that the first visitor need not wait for that."""
        self._page("")

    def _page(self, mount: str) -> ApiReply:
        statuses = [(status, phrase(status)) for status in self._mock.documented if status >= 400]  # noqa: PLR2004 - errors
        contract = self._mock.contract
        path = next((one.path for one in contract.operations if one.id == SAMPLE.operation), "")
        base_path = mount + contract.base_path
        html = _render(
            "page.html",
            mount,
            statuses=statuses,
            faults=FAULTS,
            kinds=OBJECTS,
            operations_by_tag=_by_tag(contract),
            base_path=base_path,
            path=path,
        )
        return _reply(html, "text/html", POLICY + TRUSTED_TYPES)

    def _reference(self, mount: str) -> ApiReply:
        return _reply(_render("reference.html", mount), "text/html")

    def _document(self, mount: str) -> ApiReply:
        """Return the effective contract, with this server as its only one."""
        here = {"url": mount + self._mock.contract.base_path or "/", "description": "This fake."}
        document = {**self._mock.contract.document, "servers": [here]}
        return _reply(json.dumps(document, ensure_ascii=False).encode(), JSON)


def _by_tag(contract: Contract) -> dict[str, list[str]]:
    """Return the ids of the operations by the first tag of each; those without one are others."""
    found: dict[str, list[str]] = {}
    for item in contract.document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict) and "operationId" in operation:
                found.setdefault(next(iter(operation.get("tags", [])), "Other"), []).append(operation["operationId"])
    return found


@cache
def _templates() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - only the pages need it

    loader = PackageLoader("mock_server.web")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _render(name: str, mount: str, **values: Any) -> bytes:
    return _templates().get_template(name).render(version=version("alta-mock"), mount=mount, **values).encode()


def _renderer() -> Path:
    """Return the folder of Swagger UI, without importing its package, which would import web frameworks."""
    found = find_spec("swagger_ui")
    return Path(str(found and found.origin)).parent / "static"


def _reply(body: bytes, kind: str, policy: str = POLICY, status: int = 200) -> ApiReply:
    headers = (
        ("Content-Type", kind if kind == JSON else f"{kind}; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Cache-Control", "no-cache"),
    )
    return ApiReply(status, headers, body)
