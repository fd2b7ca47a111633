"""Keeps the tokens, cookies and keys of recorded traffic out of everything that is shown.

Rule: each secret is replaced by a name made from its hash before anything else sees it, so that equal ones stay equal.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from urllib.parse import parse_qsl, quote, unquote_plus, urlencode

from contract_tests.traffic.captured import Captured
from mock_server.messages.names import plain
from mock_server.messages.redaction import HIDDEN, Redactor

MOST_SECRETS = 50
"""Secrets that are looked for outside their headers, the most recent ones."""

SHORTEST = 6
"""Characters of a secret that is looked for in other texts; a shorter one may be in any of them."""

_SECRET_HEADER = re.compile("(?i).*(?:auth|cookie|token|secret|password|api-?key).*")
_SECRET_PARAMETER = re.compile(".*(?:token|secret|password|signature|apikey|^auth|^key$).*")
_REMOVED = re.compile(r"(?i)\W*(?:redacted|removed|hidden|sanitized|x{3,})?\W*")
"""What tools write in place of an Authorization that they have removed."""

_PREFIX = "secret-"
UNKNOWN = f"{_PREFIX}{0:012}"
"""The name of a token that a tool has removed."""

LONGEST_SCHEME = 20
"""Characters of a word before a token that are kept."""

_NAMED = re.compile(_PREFIX + "[0-9a-f]{12}")


class Secrets(Redactor):
    """Replaces secrets by names, and the names by asterisks in what is shown.

    Attributes:
        tokens: The names of the recent tokens, for the rules that look for them.
    """

    def __init__(self) -> None:
        super().__init__(())
        self._names: OrderedDict[str, str] = OrderedDict()

    def knows(self, text: str) -> bool:
        """Return whether a text is the name of a token; whether the token is valid, traffic does not show."""
        return _NAMED.fullmatch(text) is not None

    def __call__(self, text: str) -> str:
        """Return a text to show: without secrets and without their names."""
        return _NAMED.sub(HIDDEN, super().__call__(self._replaced(text)))

    def taken_out(self, one: Captured) -> Captured:
        """Return a record with names in place of secrets in all of the request."""
        headers = one.headers and tuple(self._header(*pair) for pair in one.headers)
        for name, value in one.reply_headers or ():
            if name.lower() == "set-cookie":
                self._name(value.partition(";")[0].partition("=")[2])
        query = self._query(one.query) if one.query else ""
        if not any(secret in text for secret in self._names for text in self._texts(one)):
            return replace(one, headers=headers, query=query)
        body = one.body and self._replaced(one.body.decode(errors="replace")).encode()
        return replace(one, headers=headers, query=query, path=self._replaced(one.path), body=body)

    def _texts(self, one: Captured) -> Sequence[str]:
        return one.path, (one.body or b"").decode(errors="replace")

    def _header(self, name: str, value: str) -> tuple[str, str]:
        if not _SECRET_HEADER.fullmatch(name):
            return name, self._replaced(value)
        if name == "cookie":
            pairs = (part.partition("=") for part in value.split(";"))
            return name, "; ".join(f"{key.strip()}={self._name(text.strip())}" for key, _, text in pairs)
        if name != "authorization":
            return name, self._name(value)
        if _REMOVED.fullmatch(value):
            return name, f"Bearer {UNKNOWN}"
        *scheme, token = value.strip().split(" ")
        named = self._name(token)
        self.tokens = tuple(dict.fromkeys((*self.tokens, named)))[-MOST_SECRETS:]
        return name, " ".join([*(word[:LONGEST_SCHEME] for word in scheme), named])

    def _query(self, query: str) -> str:
        pairs = parse_qsl(query, keep_blank_values=True, errors="replace")
        hidden = [
            (name, self._name(value) if _SECRET_PARAMETER.fullmatch(plain(name)) else value) for name, value in pairs
        ]
        hidden = [(name, self._replaced(value)) for name, value in hidden]
        return query if hidden == pairs else urlencode(hidden, quote_via=quote)

    def _name(self, secret: str) -> str:
        """Return the name of a secret, and remember it."""
        if len(secret) < SHORTEST or _NAMED.fullmatch(secret) or secret == HIDDEN:
            return _named(secret) if secret else ""
        found = self._names.pop(secret, None) or _named(secret)
        self._names[secret] = found
        if len(self._names) > MOST_SECRETS:
            self._names.popitem(last=False)
        return found

    def _replaced(self, text: str) -> str:
        for secret, name in self._names.items():
            if secret in text:
                text = text.replace(secret, name)
            elif "%" in text and secret in (plain_text := unquote_plus(text)):
                text = plain_text.replace(secret, name)
        return text


def _named(secret: str) -> str:
    return (
        secret
        if _NAMED.fullmatch(secret)
        else _PREFIX + blake2b(secret.encode(errors="replace"), digest_size=6).hexdigest()
    )
