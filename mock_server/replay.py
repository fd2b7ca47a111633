"""A request of the journal as something to run again: a curl line, a program, a test.

Law: no token gets out. A known one becomes the variable, or the place in the seed, that it is found by; whatever else
was sent as one becomes a word that is wrong as well.
"""

from __future__ import annotations

import base64
import json
import pprint
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server.journal import Entry

LEFT_OUT = {
    *("accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "cookie"),
    *("host", "keep-alive", "origin", "pragma", "proxy-authorization", "referer", "transfer-encoding", "user-agent"),
}
"""Headers that a client sends by itself, or that say nothing about the request."""

_TOKEN = "\0token"  # noqa: S105 - stands for one
_WRONG = "not-a-token"


def as_curl(entry: Entry, origin: str) -> str:
    """Return a command for a POSIX shell; `origin` is scheme and host. Its token is `$ALTA_API_TOKEN`."""
    words = ["curl", "-i", "-X", entry.method, shlex.quote(_url(entry, origin))]
    for name, value in _headers(entry):
        text = f"{name}: {value}"
        quoted = shlex.quote(text)
        if _TOKEN in value:
            before, _, after = text.partition(_TOKEN)
            quoted = f'{shlex.quote(before)}"$ALTA_API_TOKEN"{shlex.quote(after) if after else ""}'
        words += ["\\\n  -H", quoted]
    body = _body(entry)
    if not body:
        return " ".join(words)
    try:
        text = body.decode()
        if "\0" not in text:
            return " ".join([*words, "\\\n  --data-binary", shlex.quote(text)])
    except UnicodeDecodeError:
        pass
    return f"echo {base64.b64encode(body).decode()} | base64 -d | " + " ".join([*words, "\\\n  --data-binary", "@-"])


def as_program(entry: Entry, origin: str) -> str:
    """Return a Python program that uses `requests`; its token comes from `ALTA_API_TOKEN`."""
    call = _call(entry, repr(_url(entry, origin)), lambda text: _joined(text, 'os.environ["ALTA_API_TOKEN"]'))
    imports = "import os\n\nimport requests\n" if "os.environ" in call else "import requests\n"
    return f"{imports}\n{_notes(entry)}reply = {call}\nprint(reply.status_code, reply.headers, reply.text)\n"


def as_test(entry: Entry) -> str:
    """Return a test for pytest that sends the request to a fresh fake, and expects the same answer."""
    base, path = entry.known.contract.base_path, _target(entry)
    below = path.startswith(base + "/")
    url = "alta_server.url + " + repr(path[len(base) :]) if below else repr(path)
    url = url if below else f'alta_server.url.removesuffix("{base}") + {url}'
    token = _known_token(entry)
    lines = [f"def test_request_{entry.number}(alta_mock, alta_server):"]
    if token is not None:
        place = list(entry.known.redact.tokens).index(token)
        lines.append(f"    token = list(alta_mock.seed.tokens)[{place}]")
    forced = entry.outcome.forced
    if forced and forced.fault:
        lines.append(f"    alta_mock.fault({forced.fault.name!r})")
    elif forced and forced.source == "queue":
        lines.append(f"    alta_mock.next({forced.status}, allow_undocumented=True)")
    elif _refused_by_quota(entry):
        lines.append(f"    alta_mock.next({entry.status})")
    call = _call(entry, url, lambda text: _joined(text, "token")).replace("\n", "\n    ")
    lines += [f"    reply = {call}", "", f"    assert reply.status_code == {entry.status}"]
    rules = [(one.rule, one.pointer) for one in entry.violations]
    if rules and not _refused_by_quota(entry):
        expected = pprint.pformat(rules, width=100).replace("\n", "\n    ")
        lines.append(f"    assert [(one.rule, one.pointer) for one in alta_mock.requests[-1].violations] == {expected}")
    return "import requests\n\n\n" + _notes(entry) + "\n".join(lines) + "\n"


def _refused_by_quota(entry: Entry) -> bool:
    return any(one.rule == "rate-limit" for one in entry.violations)


def _target(entry: Entry) -> str:
    query = entry.known.redact(entry.request.query)
    return entry.path + (f"?{query}" if query else "")


def _url(entry: Entry, origin: str) -> str:
    return origin + _target(entry)


def _body(entry: Entry) -> bytes:
    """Return the body without tokens."""
    raw = entry.request.body or b""
    text = raw.decode(errors="replace")
    clean = entry.known.redact(text)
    return raw if clean == text else clean.encode()


def _headers(entry: Entry) -> list[tuple[str, str]]:
    """Return the headers that make the request what it is, tokens taken out of them."""
    return [
        (name, _authorization(entry, value) if name == "authorization" else entry.known.redact(value))
        for name, value in entry.request.headers
        if name not in LEFT_OUT and not name.startswith(("sec-", "x-forwarded-"))
    ]


def _authorization(entry: Entry, value: str) -> str:
    token = _token_in(entry, value)
    if token is not None:
        return value.replace(token, _TOKEN)
    scheme, space, _ = value.partition(" ")
    return f"{scheme} {_WRONG}" if space else _WRONG


def _token_in(entry: Entry, value: str) -> str | None:
    _, _, token = value.strip().rpartition(" ")
    return token if entry.known.redact.knows(token) else None


def _known_token(entry: Entry) -> str | None:
    found = [_token_in(entry, value) for value in entry.request.all("authorization")]
    return next((token for token in found if token is not None), None)


def _notes(entry: Entry) -> str:
    counted = Counter(name for name, _ in _headers(entry))
    return "".join(f"# {name} was sent {times} times, this sends one\n" for name, times in counted.items() if times > 1)


def _call(entry: Entry, url: str, text_of: Callable[[str], str]) -> str:
    """Return the call of `requests`; `text_of` writes a text that may have the token in it."""
    headers = dict(_headers(entry))
    body, argument = _body(entry), None
    value = _plain_json(body)
    if value is not None:
        argument = "json=" + pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n         ")
        if headers.get("content-type") == "application/json":
            del headers["content-type"]
    elif body:
        argument = f"data={body!r}"
    lines = ["requests.request(", f"{entry.method!r},", f"{url},"]
    if headers:
        members = ", ".join(f"{name!r}: {text_of(value)}" for name, value in headers.items())
        lines.append(f"headers={{{members}}},")
    if argument:
        lines.append(f"{argument},")
    return "\n    ".join([*lines, "timeout=10,"]) + "\n)"


def _plain_json(body: bytes) -> Any:
    """Return the value of a body that `json=` would send with the same meaning, None for any other."""
    try:
        value = json.loads(body)
        again = {
            json.dumps(value, ensure_ascii=escaped, separators=separators, allow_nan=False)
            for escaped in (True, False)
            for separators in ((", ", ": "), (",", ":"))
        }
        return value if value is not None and body.decode() in again else None
    except (ValueError, RecursionError):
        return None


def _joined(text: str, token: str) -> str:
    """Write a text in Python, with an expression where the token stands."""
    if _TOKEN not in text:
        return repr(text)
    before, _, after = text.partition(_TOKEN)
    return " + ".join([repr(before)] * bool(before) + [token] + [repr(after)] * bool(after))
