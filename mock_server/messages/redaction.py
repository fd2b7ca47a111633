"""Removes tokens from everything that is shown: log lines, headers, the journal, reports."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import unquote

from mock_server.messages.http import ApiRequest
from mock_server.messages.violations import Violation

HIDDEN = "***"
SECRET = {"authorization", "proxy-authorization", "cookie"}
"""Headers whose values are never shown."""


class Redactor:
    """Replaces the known tokens in any text, and unknown ones where they follow the word Bearer."""

    def __init__(self, tokens: Iterable[str], *others: str) -> None:
        self.tokens, self._secrets = tuple(tokens), others
        self.hide(*self.tokens)

    def hide(self, *secrets: str) -> None:
        """Replace these texts as well, from now on."""
        self._secrets += secrets
        known = "|".join(re.escape(token) for token in sorted(self._secrets, key=len, reverse=True))
        end = r"(?=[:;,]?(?:[\s&\"']|$))"  # punctuation after a token stays
        shown = rf"(?:<token>|[*]{{3}}){end}"
        self._pattern = re.compile(rf"((?i:bearer)(?: |%20|\+)+)(?!{shown})[^\s&\"']+?{end}|{known or '(?!)'}")

    def knows(self, text: str) -> bool:
        """Return whether a text is one of the tokens."""
        return text in self.tokens

    def __call__(self, text: str) -> str:
        """Return the text without tokens, also percent-encoded ones and those escaped as in JSON."""
        if self._is_clean(text):
            return text  # nearly always, and ten times as fast
        for plain_of in (str, unquote, _unescaped):
            plain = plain_of(text)
            if self._pattern.search(plain):
                text = self._pattern.sub(rf"\g<1>{HIDDEN}", plain)
        return text

    def request(self, request: ApiRequest) -> ApiRequest:
        """Return a request without tokens."""
        text = (request.body or b"").decode(errors="replace")
        clean = self(text)
        headers = tuple((self(name), HIDDEN if name in SECRET else self(value)) for name, value in request.headers)
        body = request.body if clean == text else clean.encode()
        return ApiRequest(self(request.method), self(request.path), self(request.query), headers, body)

    def violation(self, violation: Violation) -> Violation:
        """Return a violation without tokens."""
        if self._is_clean(violation.got) and self._is_clean(violation.pointer):
            return violation
        return replace(violation, got=self(violation.got), pointer=self(violation.pointer))

    def _is_clean(self, text: str) -> bool:
        return (
            "%" not in text
            and "\\u" not in text
            and "earer" not in text.lower()
            and not any(secret in text for secret in self._secrets)
        )


_ESCAPED = re.compile(r"\\u00([0-7][0-9a-fA-F])")


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
