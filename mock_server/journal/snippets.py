"""A recorded request as code that sends it again: a curl command, a program, a test.

Rule 1: the code sends the same request, or says that it does not.
Rule 2: it contains no token. A known token becomes a variable or its position in the seed; any other becomes a text
that is not a token either.
"""

from __future__ import annotations

import base64
import json
import pprint
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import ceil
from typing import Any
from urllib.parse import quote

from mock_server.journal.entries import SAMPLE_HEADER, Entry
from mock_server.messages.http import JSON, MAX_BODY

LEFT_OUT = {
    *("accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "cookie"),
    *("host", "keep-alive", "origin", "pragma", "proxy-authorization", "referer", "transfer-encoding", "user-agent"),
    SAMPLE_HEADER,
}
"""Headers that clients add by themselves, or that do not matter."""

LONGEST_ARGUMENT = 100_000
"""Maximum number of bytes of a body in a command; Linux allows 128 KiB in one argument."""

LONGEST_VALUE = 10_000
"""Maximum number of bytes of a body that is written as a Python value; nesting indents each line of a longer one."""

_TOKEN = "\0token"  # noqa: S105 - stands for one
_WRONG = "not-a-token"


def as_curl(entry: Entry, origin: str) -> str:
    """Return a command for a POSIX shell; `origin` is scheme and host. Its token is `$ALTA_API_TOKEN`."""
    tokens = {_TOKEN: "ALTA_API_TOKEN"}
    body = entry.request.body or None
    command = curl_command(entry.method, origin + _target(entry), _headers(entry), body, tokens=tokens, lines=True)
    if entry.request.body is None:
        command = f"head -c {MAX_BODY + 1} /dev/zero | {command} \\\n  --data-binary @-"
    return _warning(entry) + command


def curl_command(  # noqa: PLR0913 - the parts of a request
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes | None,
    *,
    tokens: Mapping[str, str],
    lines: bool = False,
) -> str:
    """Return a command for a POSIX shell that sends a request with curl.

    Args:
        method: The method of the request.
        url: Its URL.
        headers: Its headers; those that curl adds by itself are not needed.
        body: Its body; None for a request without a body.
        tokens: The shell variables that replace texts in the URL and in headers, by text.
        lines: Whether the command may have line breaks.
    """
    separator = " \\\n  " if lines else " "
    words = ["curl"] if method == "HEAD" else ["curl", "-i"]
    words += ["-g"] if set(url) & set("{}[]") else []  # or curl takes them for patterns
    words += ["--path-as-is"] if "/." in url else []
    words += ["-I"] if method == "HEAD" else ["-X", shlex.quote(method)]
    command = " ".join([*words, _shell_word(url, tokens)])
    for name, value in headers:
        command += separator + "-H " + _shell_word(f"{name}: {value}" if value else f"{name};", tokens)
    if body is None:
        return command
    text = _text(body)
    if text is not None and (lines or text.isprintable()):
        return f"{command}{separator}--data-raw {shlex.quote(text)}"
    return f"echo {base64.b64encode(body).decode()} | base64 -d | {command}{separator}--data-binary @-"


def _shell_word(text: str, tokens: Mapping[str, str]) -> str:
    """Quote a text, with variables for the tokens in it."""
    known = "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))
    parts = re.split(f"({known or '(?!)'})", text)
    quoted = (f'"${tokens[part]}"' if part in tokens else shlex.quote(part) for part in parts if part)
    return "".join(quoted) or "''"


def as_program(entry: Entry, origin: str) -> str:
    """Return a Python program that uses `requests`; its token comes from `ALTA_API_TOKEN`."""
    if trouble := _trouble(entry):
        return trouble
    call = _call(entry, repr(origin + _target(entry)), 'os.environ["ALTA_API_TOKEN"]')
    imports = "import os\n\nimport requests\n" if "os.environ" in call else "import requests\n"
    return f"{_warning(entry)}{imports}\nreply = {call}\nprint(reply.status_code, reply.headers, reply.text)\n"


def as_test(entry: Entry) -> str:
    """Return a test for pytest that sends the request to a new fake, and expects the same response."""
    if trouble := _trouble(entry):
        return trouble
    base, target = entry.known.contract.base_path, _target(entry)
    below = target.startswith(base + "/")
    url = f"alta_server.url + {target.removeprefix(base)!r}" if below else f"alta_server.origin + {target!r}"
    injected = entry.outcome.injected
    seconds = ceil(injected.fault.seconds) if injected and injected.fault else 0
    call = _call(entry, url, "token", 10 + seconds)
    lines = [*_before(entry), *_injected_again(entry)]
    if entry.outcome.lost:
        lines += ["with pytest.raises(requests.RequestException):", *(f"    {line}" for line in call.splitlines())]
    else:
        lines += [*f"reply = {call}".splitlines(), "", *_expected(entry)]
    test = [f"def test_request_{entry.number}(alta_mock, alta_server):", *(f"    {line}".rstrip() for line in lines)]
    if entry.known.files:
        settings = ", ".join(f"{name}={file!r}" for name, file in entry.known.files.items())
        test.insert(0, f"@pytest.mark.alta({settings})")
    text = "\n".join(test) + "\n"
    return _warning(entry) + ("import pytest\n" if "pytest." in text else "") + f"import requests\n\n\n{text}"


def _before(entry: Entry) -> list[str]:
    """Return the line that finds the token in the seed, if a known one was sent."""
    found = [_token_in(entry, value) for value in entry.unredacted.all("authorization")]
    places = [list(entry.known.redact.tokens).index(token) for token in found if token is not None]
    return [f"token = list(alta_mock.seed.tokens)[{places[0]}]"] if places else []


def _injected_again(entry: Entry) -> list[str]:
    """Return the line that injects the same response or fault, or the 429 of the quota."""
    injected = entry.outcome.injected
    if injected and injected.fault:
        seconds = f", seconds={injected.fault.seconds!r}" if injected.fault.seconds else ""
        return [f"alta_mock.fault({injected.fault.name!r}{seconds})"]
    if injected and injected.source == "queue":
        given = {"retry_after": injected.retry_after, "body": injected.body, "headers": dict(injected.headers) or None}
        more = "".join(f", {name}={value!r}" for name, value in given.items() if value is not None)
        return [f"alta_mock.next({injected.status}, allow_undocumented=True{more})"]
    return [f"alta_mock.next({entry.status})"] if _refused_by_quota(entry) else []


def _expected(entry: Entry) -> list[str]:
    """Return the lines that assert the status and the violations."""
    lines = [f"assert reply.status_code == {entry.status}"]
    rules = [(one.rule, one.pointer) for one in entry.violations]
    if rules and not _refused_by_quota(entry):
        got = "[(one.rule, one.pointer) for one in alta_mock.requests[-1].violations]"
        lines += f"assert {got} == {pprint.pformat(rules, width=100)}".splitlines()
    return lines


def _refused_by_quota(entry: Entry) -> bool:
    return any(one.rule == "rate-limit" for one in entry.violations)


def _trouble(entry: Entry) -> str:
    """Return why `requests` cannot send it again; empty if it can."""
    counted = Counter(name for name, _ in _headers(entry))
    doubled = [name for name, times in counted.items() if times > 1]
    if doubled:
        return f"# requests cannot send the header {doubled[0]} twice; copy it as curl\n"
    return "# requests changes such a path; copy it as curl\n" if "/." in entry.path else ""


def _warning(entry: Entry) -> str:
    """Return a comment if a token was removed that no variable replaces; else an empty text."""
    shown, sent = entry.request, entry.unredacted
    pairs = zip(shown.headers, sent.headers, strict=True)
    changed = any(pair != other for pair, other in pairs if pair[0] not in {*LEFT_OUT, "authorization"})
    same = (shown.path, shown.query, shown.body) == (sent.path, sent.query, sent.body)
    return (
        "" if same and not changed else "# *** stands for a token that was sent: this is not quite the same request\n"
    )


def _target(entry: Entry) -> str:
    shown, sent = entry.request, entry.unredacted
    target = shown.path + (f"?{shown.query}" if shown.query else "")
    clean = (shown.path, shown.query) == (sent.path, sent.query)
    return target if clean else quote(target, safe="/?%:@!$&'()*+,;=~[]{}|")


def _text(body: bytes) -> str | None:
    """Return a body as an argument of a command; None if it is too long or not text."""
    try:
        return body.decode() if len(body) <= LONGEST_ARGUMENT and b"\0" not in body else None
    except UnicodeDecodeError:
        return None


def _headers(entry: Entry) -> list[tuple[str, str]]:
    """Return the headers that matter, without tokens."""
    pairs = zip(entry.request.headers, entry.unredacted.headers, strict=True)
    return [
        (name, _authorization(entry, sent) if name == "authorization" else value)
        for (name, value), (_, sent) in pairs
        if name not in LEFT_OUT and not name.startswith(("sec-", "x-forwarded-"))
    ]


def _authorization(entry: Entry, value: str) -> str:
    token = _token_in(entry, value)
    scheme, space, _ = value.partition(" ")
    known_scheme = scheme.lower() in {"bearer", "basic", "digest"}
    if token is not None and (value == token or known_scheme):
        return value.replace(token, _TOKEN)
    return f"{scheme} {_WRONG}" if space and known_scheme else _WRONG


def _token_in(entry: Entry, value: str) -> str | None:
    _, _, token = value.strip().rpartition(" ")
    return token if entry.known.redact.knows(token) else None


def _call(entry: Entry, url: str, token: str, timeout: int = 10) -> str:
    """Return the call of `requests`; `url` and `token` are expressions."""
    headers = dict(_headers(entry))
    argument = _argument(entry, headers.get("content-type"))
    if argument.startswith("json="):
        del headers["content-type"]  # `json=` adds it
    lines = ["requests.request(", f"{entry.method!r},", f"{url},"]
    if headers:
        members = ", ".join(f"{name!r}: {_joined(value, token)}" for name, value in headers.items())
        lines.append(f"headers={{{members}}},")
    if argument:
        lines.append(f"{argument},")
    return "\n    ".join([*lines, f"timeout={timeout},"]) + "\n)"


def _argument(entry: Entry, content_type: str | None) -> str:
    """Return the argument for the body: `json=` if that sends the same value, else `data=`; empty without a body."""
    body = entry.request.body
    if body is None:
        return f'data=b"\\0" * {MAX_BODY + 1}'
    if content_type == JSON and len(body) <= LONGEST_VALUE:
        with suppress(ValueError, RecursionError):  # invalid JSON, or deeper than pprint writes
            value = json.loads(body)
            if value is not None and body.decode() in _spellings(value):
                return "json=" + pprint.pformat(value, width=100, sort_dicts=False).replace("\n", "\n         ")
    return f"data={body!r}" if body else ""


def _spellings(value: Any) -> set[str]:
    """Return the texts that `json=` may send for a value, equivalent to the server."""
    return {
        json.dumps(value, ensure_ascii=escaped, separators=separators, allow_nan=False)
        for escaped in (True, False)
        for separators in ((", ", ": "), (",", ":"))
    }


def _joined(text: str, token: str) -> str:
    """Return a text as a Python expression, with an expression in place of the token."""
    if _TOKEN not in text:
        return repr(text)
    before, _, after = text.partition(_TOKEN)
    return " + ".join([repr(before)] * bool(before) + [token] + [repr(after)] * bool(after))
