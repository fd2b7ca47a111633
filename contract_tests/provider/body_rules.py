"""Rules about the body of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from contract_tests.provider.derived import TAG
from contract_tests.provider.probes import (
    CLIENT_ERROR,
    CONTACTS,
    FIELDS,
    IDENTITY,
    LONGEST,
    OK,
    Probe,
    ProbeFactory,
    encoded,
    filled,
    good,
    some,
    value_of,
)
from contract_tests.provider.rule import has_body, rule
from contract_tests.sources import ADD, DOCUMENT, ERRORS, HTTP, JSON_TEXT

SIMILAR: Mapping[str, tuple[str, ...]] = {
    "email": ("Email", "EMAIL", "emailAddress", "email_address", "workEmail"),
    "linkedinUrl": ("linkedinURL", "linkedInUrl", "linkedin_url", "linkedin", "LinkedinUrl"),
    "phone": ("Phone", "phoneNumber", "phone_number", "mobile"),
}
"""Names that are no contact, although they look like those that are."""


@rule(ADD)
def accepts_each_contact(make: ProbeFactory) -> Iterator[Probe]:
    """A prospect with any one of email, linkedinUrl and phone, or with a full identity, is accepted."""
    for name in CONTACTS:
        yield make.accepted(f"only {name}", some(name))
    yield make.accepted("only firstName, lastName, company", some(*IDENTITY))
    yield make.accepted("every field", some(*FIELDS, "phone"))


@rule(ADD)
def contact_or_identity(make: ProbeFactory) -> Iterator[Probe]:
    """A prospect with neither a contact method nor a full identity is refused."""
    yield make.refused("an empty record", {})
    yield make.refused("only firstName and lastName", some("firstName", "lastName"))
    yield make.refused("only lastName and company", some("lastName", "company"))
    yield make.refused("only firstName and company", some("firstName", "company"))
    yield make.refused("only jobTitle", some("jobTitle"))
    yield make.refused("only an undeclared field", {"e-mail": value_of("email")})
    yield make.accepted("a partial identity and a contact", some("firstName", "email"))


@rule(DOCUMENT + "ProspectRecord/properties, which JSON Schema counts in code points")
def counts_characters(make: ProbeFactory) -> Iterator[Probe]:
    """Lengths are counted in characters (code points), not in bytes, UTF-16 units or graphemes."""
    for name in FIELDS:
        yield make.accepted(f"{name} of 255 characters of two bytes", filled(name, "\u00e9", LONGEST))
        yield make.accepted(f"{name} of 255 emoji, two UTF-16 units each", filled(name, "\U0001f600", LONGEST))
    yield make.refused("firstName of 256 characters of two bytes", filled("firstName", "\u00e9", LONGEST + 1))
    yield make.refused("company of 256 emoji", filled("company", "\U0001f600", LONGEST + 1))
    yield make.refused("jobTitle of 256 code points in 128 graphemes", filled("jobTitle", "e\u0301", LONGEST + 1))
    yield make.refused("lastName of 254 letters and four spaces", good(lastName="a" * 254 + "    "))


@rule(DOCUMENT + "ProspectRecord/properties")
def exact_names(make: ProbeFactory) -> Iterator[Probe]:
    """Properties have exactly their documented names."""
    yield make.refused_body("prospects instead of data", {"prospects": [good()]})
    yield make.refused_body("the list without data", [good()], CLIENT_ERROR)
    for name, others in SIMILAR.items():
        for other in others:
            yield make.refused(f"only {other}", {other: value_of(name)})
    for name in IDENTITY:
        record = {one: value_of(one) for one in IDENTITY if one != name}
        for other in ("jobTitle", "title", "domain", "website", "city"):
            yield make.refused(f"{other} instead of {name}", {**record, other: TAG})
    yield make.accepted("similar names beside a contact", good(Email=TAG, company_name=TAG))


@rule(ADD)
def empty_is_no_contact(make: ProbeFactory) -> Iterator[Probe]:
    """An empty text is neither a contact nor a name."""
    for name in CONTACTS:
        yield make.refused(f"only an empty {name}", {name: ""})
    for name in IDENTITY:
        yield make.refused(f"an identity with an empty {name}", {**some(*IDENTITY), name: ""})
    yield make.refused("an identity of three empty names", dict.fromkeys(IDENTITY, ""))
    yield make.accepted("an empty jobTitle beside a contact", good(jobTitle=""))


@rule(DOCUMENT + "ProspectRecord/properties")
def null_is_refused(make: ProbeFactory) -> Iterator[Probe]:
    """Null is not a text, a contact or a name."""
    for name in CONTACTS:
        yield make.refused(f"only a {name} that is null", {name: None})
    for name in FIELDS:
        yield make.refused(f"{name} that is null, beside a contact", {**some("phone", "jobTitle"), name: None})
    for name in IDENTITY:
        yield make.refused(f"an identity whose {name} is null", {**some(*IDENTITY), name: None})
    yield make.accepted("an undeclared field that is null", good(note=None))


@rule(ADD)
def every_record_counts(make: ProbeFactory) -> Iterator[Probe]:
    """One bad record anywhere in the batch refuses the whole request."""
    faults: Mapping[str, Any] = {
        "no contact": {"jobTitle": TAG},
        "a long text": filled("firstName", "a", LONGEST + 1),
        "a number for a text": good(company=7),
    }
    for index, where in ((19, "last"), (10, "middle"), (0, "first")):
        for what, bad in faults.items():
            records = [good()] * 20
            records[index] = bad
            yield make.refused(f"{what} in the {where} of 20 records", *records)


@rule(DOCUMENT + "ProspectRecord/additionalProperties")
def undeclared_is_accepted(make: ProbeFactory) -> Iterator[Probe]:
    """Undeclared properties of any type are accepted, in a record and beside `data`."""
    nested = {"a": [1, 2.5, None, {"b": True}], "long": "x" * 300}
    yield make.accepted("an undeclared text", good(note=TAG))
    yield make.accepted("undeclared values of every type", good(n=1, f=1.5, t=True, z=None, o=nested, a=[]))
    yield Probe("an undeclared property beside data", make.request({"data": [good()], "source": nested}), OK)


@rule(ADD)
def unicode_is_accepted(make: ProbeFactory) -> Iterator[Probe]:
    """Any text is accepted: scripts, emoji, right-to-left text, escapes, line breaks."""
    for text in ("Zo\u00eb", "\u5c71\u7530", "\u0645\u0631\u0645", "\U0001f469\u200d\U0001f4bb", 'O\'Brien\n"x"\t\\'):
        yield make.accepted(f"the name {json.dumps(text)}", good(firstName=text))
    escaped = b'{"data": [{"email": "\\u0061lta-mock-verify@example.com", "firstName": "\\ud83d\\ude00"}]}'
    yield Probe("escapes and a surrogate pair", make.request(escaped), OK)


@rule(ADD)
def large_body_is_accepted(make: ProbeFactory) -> Iterator[Probe]:
    """Twenty full prospects, 120 kB in all, are accepted."""
    record = {name: (value_of(name) + "\U0001f600" * LONGEST)[:LONGEST] for name in FIELDS}
    yield Probe("20 records of 120 kB", make.request({"data": [record] * 20}), OK)


@rule(f"{ERRORS}, {JSON_TEXT}", has_body)
def malformed_json_is_refused(make: ProbeFactory) -> Iterator[Probe]:
    """A body that is not valid JSON is refused with a 4xx."""
    valid = encoded(make.body(full=make.operation.batch is None))
    first = b'{"email"' if make.operation.batch else valid[:2]
    texts = {
        "a truncated body": valid[:-2],
        "an empty body": b"" if make.operation.body_required else valid,
        "bytes after the JSON": valid + b"x",
        "two JSON texts": valid + valid,
        "a trailing comma": valid.replace(b"]}", b",]}"),
        "NaN": valid.replace(first, b'{"n": NaN, ' + first[1:], 1),
        "Infinity": valid.replace(first, b'{"n": -Infinity, ' + first[1:], 1),
        "single quotes": valid.replace(b'"', b"'"),
        "a line break within a text": valid.replace(b"@", b"\n@"),
        "plain text": b"hello",
        "invalid UTF-8": valid.replace(b"@", b"\xff\xfe@"),
    }
    for what, body in texts.items():
        if body != valid:
            yield make.refused_body(what, body, CLIENT_ERROR)
    yield make.valid("white space around the JSON", b" \r\n\t" + encoded(make.body()) + b"\n ")


@rule(f"{ADD}; {HTTP}, 8.3.1; {JSON_TEXT}, 11", has_body)
def json_content_type(make: ProbeFactory) -> Iterator[Probe]:
    """Only the content type application/json is accepted, with parameters and in any case."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"):
        yield Probe(f"Content-Type: {kind}", make.request(make.body(full=True), content_type=kind), CLIENT_ERROR)
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
        yield make.valid(f"Content-Type: {kind}", content_type=kind)
