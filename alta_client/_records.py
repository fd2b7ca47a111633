"""What a prospect must be, by the rules of the API, so that a bad one is found before it is sent.

https://docs.altahq.com/api-reference/campaigns/add-prospects - texts of at most 255 characters, and a contact method
or a full identity. That white space is no contact, and that a phone is a text, is not documented but cautious.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TypedDict

LONGEST = 255
"""Characters (code points) of a text at most; `phone` has no documented bound."""

BOUNDED = ("firstName", "lastName", "company", "jobTitle", "email", "linkedinUrl")
CONTACTS = ("email", "linkedinUrl", "phone")
IDENTITY = ("firstName", "lastName", "company")
FIELDS = (*BOUNDED, "phone")

_VISIBLE = re.compile(r"[^\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")


class Prospect(TypedDict, total=False):
    """A person to add; the API accepts other fields besides, which a plain dictionary can hold."""

    firstName: str
    lastName: str
    company: str
    jobTitle: str
    email: str
    linkedinUrl: str
    phone: str


def problems(record: object) -> list[str]:
    """Return what is wrong with a record, each in one line; nothing for one that the API accepts."""
    if not isinstance(record, Mapping):
        return [f"got {type(record).__name__}; wanted a mapping of fields"]
    found = [] if all(isinstance(name, str) for name in record) else ["got a name of a field that is no text"]
    for name in FIELDS:
        value = record.get(name, "")
        if not isinstance(value, str):
            found.append(f"{name}: got {type(value).__name__}; wanted a text, or no such field")
        elif len(value) > LONGEST and name in BOUNDED:
            found.append(f"{name}: got {len(value)} characters; wanted at most {LONGEST}")
    if not (any(_is_text(record, name) for name in CONTACTS) or all(_is_text(record, name) for name in IDENTITY)):
        found.append(f"wanted one of {', '.join(CONTACTS)}, or all of {', '.join(IDENTITY)}")
    return found


def encode(record: Mapping[str, object]) -> bytes:
    """Return a record as JSON in UTF-8.

    Raises:
        ValueError: It holds something that JSON does not have.
    """
    try:
        return json.dumps(dict(record), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which is no text") from None
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except (TypeError, ValueError) as error:
        raise ValueError(f"it is no JSON: {error}") from None


def _is_text(record: Mapping[str, object], name: str) -> bool:
    value = record.get(name)
    return isinstance(value, str) and _VISIBLE.search(value) is not None
