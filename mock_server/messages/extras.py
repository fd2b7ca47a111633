"""Libraries of an extra that is not installed, and the command that installs them."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from mock_server.messages.errors import MockError


def missing(user: str, error: ImportError, extra: str = "verify") -> MockError:
    """Return the error of something that needs a library of an extra."""
    return MockError(f"{user} needs {error.name}; install it: {command(extra)}")


def command(extra: str) -> str:
    """Return the command that adds an extra to alta-mock, from the source that it was installed from (PEP 610)."""
    from importlib.metadata import distribution  # noqa: PLC0415 - every command would wait 40 ms for these two
    from urllib.request import url2pathname  # noqa: PLC0415 - see above

    origin = json.loads(distribution("alta-mock").read_text("direct_url.json") or "{}")
    url, repository = origin.get("url"), origin.get("vcs_info")
    if origin.get("dir_info", {}).get("editable"):
        return f"pip install -e '{url2pathname(urlsplit(url).path)}[{extra}]'"
    if repository:
        url = f"{repository['vcs']}+{url}@{repository['commit_id']}"
    return f"pip install 'alta-mock[{extra}]{f' @ {url}' if url else ''}'"
