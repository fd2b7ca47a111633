"""The API's rules about a prospect, checked before it is sent.

https://docs.altahq.com/api-reference/campaigns/add-prospects - strings of at most 255 characters, and a contact method
or a full identity. Stricter than documented, to be safe: white space is not a contact, and a phone is a string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from alta_client.objects import ProspectRecord

LONGEST = 255
"""Maximum number of characters (code points); `phone` has no documented bound."""

CONTACTS = ("email", "linkedinUrl", "phone")
IDENTITY = ("firstName", "lastName", "company")

_VISIBLE = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")


FIELDS = tuple(ProspectRecord.__annotations__)
"""The members that the contract declares."""


def problems(record: object) -> list[str]:
    """Return what is wrong with a record, a line for each problem."""
    if type(record) is not dict and not isinstance(record, Mapping):  # the second takes ten times as long
        return [f"got {type(record).__name__}; expected a mapping of fields"]
    found = [] if all(isinstance(name, str) for name in record) else ["the name of a field is not a string"]
    for name in FIELDS:
        value = record.get(name, "")
        if not isinstance(value, str):
            got = type(value).__name__
            found.append(f"{name}: got {got}; expected a string; leave the field out if it has no value")
        elif len(value) > LONGEST and name != "phone":
            found.append(f"{name}: got {len(value)} characters; expected at most {LONGEST}")
    if not (any(_is_text(record, name) for name in CONTACTS) or all(_is_text(record, name) for name in IDENTITY)):
        found.append(f"expected one of {', '.join(CONTACTS)}, or all of {', '.join(IDENTITY)}")
    return found


def encode(record: Mapping[str, object]) -> bytes:
    """Return a record as JSON in UTF-8; raise ValueError if it contains what JSON cannot represent."""
    return encode_all([record])[1:-1]


def encode_all(records: Iterable[Mapping[str, object]]) -> bytes:
    """Return records as a JSON array in UTF-8, which is faster than one by one; raise ValueError as `encode` does."""
    try:
        return json.dumps(list(map(dict, records)), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it contains half a surrogate pair, which is not text") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"it is not JSON: {error}") from None


def _is_text(record: Mapping[str, object], name: str) -> bool:
    value = record.get(name)
    return isinstance(value, str) and _VISIBLE.search(value) is not None
