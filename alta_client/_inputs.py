"""What arguments must be; each function returns what is sent, or raises InvalidInput."""

from __future__ import annotations

import re
from urllib.parse import urlsplit
from uuid import UUID

from alta_client._errors import InvalidInput

LONGEST = 10**7
"""Seconds; `timeout` and `max_wait` must be smaller."""

_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_UUID_EXAMPLE = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
_LIKE = "write it like https://api.altahq.com/v1"
_HEADER_TEXT = re.compile("[!-~]+", re.ASCII)


def base_url(value: object) -> str:
    """Return a base URL without a slash at its end."""
    text = value if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise InvalidInput(f"the base URL is malformed; {_LIKE}") from None
    if parts.username is not None:
        raise InvalidInput("the base URL contains a user name; leave it out, the token suffices")
    if not usable or not text.isprintable() or any(one in text for one in "?# "):
        raise InvalidInput(f"the base URL {text!r:.80} is malformed; {_LIKE}")
    url = text.rstrip("/")
    if not parts.path.rstrip("/").endswith("/v1"):
        raise InvalidInput(f"the base URL {text!r:.80} lacks the version; did you mean {url}/v1?")
    return url


def headers(token: object, account_id: object) -> dict[str, str]:
    """Return the headers of every request, without the token, which is checked."""
    header_text("token", token)
    account = {} if account_id is None else {"x-account-id": header_text("account id", account_id)}
    return {"Accept": "application/json", **account}


def header_text(name: str, text: object) -> str:
    """Return the text of a header."""
    if not isinstance(text, str) or not _HEADER_TEXT.fullmatch(text):
        raise InvalidInput(f"the {name} is {'malformed' if text else 'empty'}; give printable ASCII without spaces")
    return text


def seconds(name: str, value: object) -> float:
    """Return a time."""
    if type(value) not in {int, float} or not 0 < value < LONGEST:  # type: ignore[operator]  # the type is one of the two
        raise InvalidInput(f"{name}={value!r} is not valid; give seconds, more than 0 and less than {LONGEST}")
    return value  # type: ignore[return-value]  # the same


def uuid(name: str, value: str | UUID) -> str:
    """Return an id, in the case that was given."""
    text = str(value)
    if not _UUID.fullmatch(text):
        raise InvalidInput(f"the {name} id {text!r:.80} is not a valid UUID; write it like {_UUID_EXAMPLE}")
    return text
