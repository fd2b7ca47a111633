"""Rules about the body of a request."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from contract_tests.provider.probes import (
    CLIENT_ERROR,
    CONTACTS,
    FIELDS,
    IDENTITY,
    LONGEST,
    OK,
    TAG,
    Probe,
    ProbeFactory,
    encoded,
    filled,
    good,
    some,
    value_of,
)
from contract_tests.provider.rule import rule
from contract_tests.sources import ADD, DOCUMENT, ERRORS, HTTP, JSON_TEXT


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


@rule(ADD)
def at_most_20(make: ProbeFactory) -> Iterator[Probe]:
    """More than 20 prospects are refused, 20 are accepted."""
    yield make.refused("21 records", *[good()] * 21)
    yield Probe("20 records", make.request({"data": [good()] * 20}), OK)
    yield make.refused("100 records", *[good()] * 100)


@rule(ADD)
def at_least_1(make: ProbeFactory) -> Iterator[Probe]:
    """A request without prospects is refused."""
    yield make.refused("no records")
    yield make.refused_body("no data", {})
    yield Probe("one record", make.request(), OK)


@rule(DOCUMENT + "ProspectRecord/properties")
def longest_text(make: ProbeFactory) -> Iterator[Probe]:
    """Each declared text has at most 255 characters."""
    for name in FIELDS:
        yield make.refused(f"{name} of 256 characters", filled(name, "a", LONGEST + 1))
    for name in FIELDS:
        yield make.accepted(f"{name} of 255 characters", filled(name, "a", LONGEST))
    yield make.refused("firstName of 5,000 characters", filled("firstName", "a", 5000))
    yield make.accepted("firstName of one character", filled("firstName", "a", 1))


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
def texts_are_texts(make: ProbeFactory) -> Iterator[Probe]:
    """A declared field that is a number, a boolean, a list or an object is refused."""
    kinds: Mapping[str, Any] = {"a number": 7, "true": True, "a list": ["a"], "an object": {"a": "b"}}
    order = [(name, what) for what in kinds for name in FIELDS]
    order.sort(key=lambda pair: (FIELDS.index(pair[0]) - list(kinds).index(pair[1])) % len(FIELDS))
    for name, what in order:
        yield make.refused(f"{name} that is {what}", {**some("phone", "jobTitle"), name: kinds[what]})
    yield make.accepted("a text of digits", good(firstName="7", jobTitle="true"))


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


@rule(DOCUMENT + "AddProspectsToCampaignRequest")
def data_is_a_list(make: ProbeFactory) -> Iterator[Probe]:
    """`data` is required, has exactly this name, and is a list."""
    yield make.refused_body("prospects instead of data", {"prospects": [good()]})
    yield make.refused_body("data that is null", {"data": None})
    yield make.refused_body("data that is one record", {"data": good()})
    yield make.refused_body("data that is a text", {"data": "a"})
    yield make.refused_body("data that is a number", {"data": 1})
    yield make.refused_body("Data instead of data", {"Data": [good()]})


@rule(DOCUMENT + "ProspectRecord")
def records_are_objects(make: ProbeFactory) -> Iterator[Probe]:
    """Each prospect is an object."""
    others: Mapping[str, Any] = {"null": None, "a text": "a@example.com", "a number": 1, "a list": [], "true": True}
    for what, record in others.items():
        yield make.refused(f"a record that is {what}", record)
    yield make.refused("a record that is null after a valid one", good(), None)


@rule(DOCUMENT + "AddProspectsToCampaignRequest")
def body_is_an_object(make: ProbeFactory) -> Iterator[Probe]:
    """The body is a JSON object."""
    bodies: Mapping[str, Any] = {"a list": [good()], "null": b"null", "a text": "a", "a number": b"7", "true": b"true"}
    for what, body in bodies.items():
        yield make.refused_body(f"a body that is {what}", body, CLIENT_ERROR)


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


@rule(f"{ERRORS}, {JSON_TEXT}")
def malformed_json_is_refused(make: ProbeFactory) -> Iterator[Probe]:
    """A body that is not valid JSON is refused with a 4xx."""
    valid = encoded({"data": [good()]})
    texts = {
        "a truncated body": valid[:-2],
        "an empty body": b"",
        "bytes after the JSON": valid + b"x",
        "two JSON texts": valid + valid,
        "a trailing comma": valid.replace(b"]}", b",]}"),
        "NaN": valid.replace(b'{"email"', b'{"n": NaN, "email"'),
        "Infinity": valid.replace(b'{"email"', b'{"n": -Infinity, "email"'),
        "single quotes": valid.replace(b'"', b"'"),
        "a line break within a text": valid.replace(b"@", b"\n@"),
        "plain text": b"hello",
        "invalid UTF-8": valid.replace(b"@", b"\xff\xfe@"),
    }
    for what, body in texts.items():
        yield make.refused_body(what, body, CLIENT_ERROR)
    yield Probe("white space around the JSON", make.request(b" \r\n\t" + valid + b"\n "), OK)


@rule(f"{ADD}; {HTTP}, 8.3.1; {JSON_TEXT}, 11")
def json_content_type(make: ProbeFactory) -> Iterator[Probe]:
    """Only the content type application/json is accepted, with parameters and in any case."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"):
        yield Probe(f"Content-Type: {kind}", make.request(content_type=kind), CLIENT_ERROR)
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
        yield Probe(f"Content-Type: {kind}", make.request(content_type=kind), OK)
