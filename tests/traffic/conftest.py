"""Recorded traffic, as tools write it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from contract_tests.traffic.results import Result
from contract_tests.traffic.run import check
from mock_server import AltaMock, Clock
from mock_server.journal.har import har
from tests.conftest import CAMPAIGN

VENDOR = "https://api.altahq.com"
LISTED = {"data": [], "hasMore": False}
DOCS_PAGE = Path(__file__).parent / "docs-page.har"
"""Recorded by Chromium on the page /docs of a fake."""

START = 1_769_904_017
"""When the fakes of these tests start: after their seed, and not at the beginning of a minute."""

AFTER_SEED = Clock(lambda: 0, epoch=START * 10**9)

Checked = Callable[..., Result]


def entry(
    method: str = "GET",
    path: str = "/v1/campaigns",
    body: Any = None,
    status: int = 200,
    reply: Any = LISTED,
    *,
    at: float = 0.0,
    took: float = 0.1,
    origin: str = VENDOR,
    headers: Mapping[str, str] | None = None,
    reply_headers: Mapping[str, str] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return an entry of a HAR file; a body of text is recorded as it is, any other as JSON."""
    sent = {"Authorization": "Bearer a-real-token", **(headers or {})}
    request: dict[str, Any] = {"method": method, "url": f"{origin}{path}", "httpVersion": "HTTP/1.1", "bodySize": 0}
    if body is not None:
        text = body if isinstance(body, str) else json.dumps(body)
        sent = {"Content-Type": "application/json", **sent}
        request |= {"postData": {"mimeType": "application/json", "text": text}, "bodySize": len(text)}
    text = reply if isinstance(reply, str) else json.dumps(reply)
    answered = {"Content-Type": "application/json", **(reply_headers or {})}
    seconds = int(at)
    time = f"2026-02-01T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{round(at % 1 * 1000):03}Z"
    return {
        "startedDateTime": time,
        "time": took * 1000,
        "request": {**request, "headers": pairs(sent)},
        "response": {
            "status": status,
            "httpVersion": "HTTP/1.1",
            "headers": pairs(answered),
            "content": {"size": len(text), "mimeType": "application/json", "text": text},
        },
        **more,
    }


def pairs(headers: Mapping[str, str]) -> list[dict[str, str]]:
    """Return headers as HAR has them."""
    return [{"name": name, "value": value} for name, value in headers.items()]


def add(record: Any = None, **how: Any) -> dict[str, Any]:
    """Return an entry that adds a prospect; takes what `entry` takes."""
    body = {"data": [record or {"email": "ada@example.com"}]}
    return entry("POST", f"/v1/campaigns/{CAMPAIGN}/prospects", how.pop("body", body), **{"reply": {}, **how})


def archive(entries: Sequence[Any], **more: Any) -> str:
    """Return a HAR file."""
    head = {"version": "1.2", "creator": {"name": "test", "version": "1"}, **more}
    return json.dumps({"log": {**head, "entries": list(entries)}})


def exported(mock: AltaMock, origin: str = "http://127.0.0.1:8080") -> str:
    """Return the journal of a fake as a HAR file."""
    return har(mock.requests, origin)


@pytest.fixture
def checked(tmp_path: Path) -> Checked:
    """Check entries of a HAR file, or the text of a file; takes what `check` takes."""

    def checked(traffic: Sequence[Any] | str, *base_urls: str, **how: Any) -> Result:
        file = tmp_path / "traffic.har"
        file.write_text(traffic if isinstance(traffic, str) else archive(traffic), encoding="utf-8")
        return check([str(file)], base_urls, **{"observing": False, **how})

    return checked


def broken(result: Result) -> list[tuple[str, str, int]]:
    """Return the side, the rule and the count of each mistake that is an error."""
    return [(one.side, one.rule, one.count) for one in result.mistakes if one.severity == "error"]
