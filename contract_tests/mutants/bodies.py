"""Mutants of the body: its schema, its records and their fields."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from contract_tests.fake import TOKEN
from contract_tests.mutants.bench import RECORD, REQUEST, ROBUST, Bench, bearer, error, mutant, register
from contract_tests.provider.probes import CONTACTS, FIELDS, IDENTITY
from contract_tests.sources import ADD
from mock_server.messages.http import ApiRequest

EMPTY = b'{"data": []}'
GOOD = b'{"data": [{"email": "a@example.com"}]}'
PHONE = {"phone": "1"}
"""The shortest valid record."""
DECLARED = {*FIELDS, "phone"}

ANY_TYPE = ["string", "number", "boolean", "array", "object"]


def _with_property(bench: Bench, name: str, change: dict[str, Any]) -> None:
    bench.schema(lambda schemas: schemas["ProspectRecord"]["properties"][name].update(change))


def _with_contacts(bench: Bench, change: Callable[[list[Any]], object]) -> None:
    bench.schema(lambda schemas: change(schemas["ProspectRecord"]["then"]["anyOf"]))


def _field(name: str) -> None:
    short, source = name.lower(), f"{RECORD}/properties/{name}"
    add = partial(register, source, _with_property)
    add(f"{short}-unbounded", f"{name} of any length is accepted.", name, {"maxLength": 10**9})
    add(f"{short}-254", f"{name} of 255 characters is refused.", name, {"maxLength": 254})
    add(f"{short}-256", f"{name} of 256 characters is accepted.", name, {"maxLength": 256})
    add(f"{short}-untyped", f"{name} of any type is accepted.", name, {"type": ANY_TYPE})
    add(f"{short}-nullable", f"{name} may be null.", name, {"type": ["string", "null"]})
    statement = f"The length of {name} is counted in bytes, not in characters."
    add = partial(register, source, Bench.refuse_record)
    add(f"{short}-in-bytes", statement, lambda record: len(str(record.get(name, "")).encode()) > 255)


def _contact(place: int, name: str) -> None:
    """Register the mutants of a field that is a contact by itself."""
    short = name.lower()
    optional: dict[str, Any] = {"properties": {name: {}}}
    add(f"{short}-is-no-contact", f"A prospect with only {name} is refused.", lambda ways: ways.pop(place))
    add(f"empty-{short}-counts", f"An empty {name} is a contact.", lambda ways: ways[place].update(optional))


def _part_of_identity(name: str) -> None:
    """Register the mutants of a field that is a part of an identity."""
    short = name.lower()
    add(f"identity-without-{short}", f"An identity needs no {name}.", lambda ways: ways[3]["required"].remove(name))
    statement = f"An identity may have an empty {name}."
    add(f"empty-{short}-counts", statement, lambda ways: ways[3]["properties"].pop(name))


add = partial(register, ADD, _with_contacts)
for _name in FIELDS:
    _field(_name)
for _place, _name in enumerate(CONTACTS):
    _contact(_place, _name)
for _name in IDENTITY:
    _part_of_identity(_name)
add("jobtitle-is-enough", "jobTitle alone is a contact.", lambda ways: ways.append({"required": ["jobTitle"]}))
add("firstname-is-enough", "firstName alone is a contact.", lambda ways: ways.append({"required": ["firstName"]}))
add("identity-is-not-enough", "A full identity is refused.", lambda ways: ways.pop(3))
add = partial(register, ADD, Bench.schema)
add("no-contact-rule", "Prospects without any contact are accepted.", lambda s: s["ProspectRecord"].pop("then"))


def _with_data(bench: Bench, change: dict[str, int]) -> None:
    bench.schema(lambda schemas: schemas["AddProspectsToCampaignRequest"]["properties"]["data"].update(change))


add = partial(register, REQUEST, _with_data)
add("21-accepted", "21 prospects are accepted.", {"maxItems": 21})
add("no-bound", "Any number of prospects is accepted.", {"maxItems": 10**6})
add("19-at-most", "20 prospects are refused.", {"maxItems": 19})
add("two-at-least", "A single prospect is refused.", {"minItems": 2})
add("none-accepted", "An empty list is accepted.", {"minItems": 0})


@mutant(REQUEST)
def the_first_empty_batch_is_accepted(bench: Bench) -> None:
    """The first request without prospects is accepted, as if the check were loaded on first use."""
    seen: list[bool] = []

    def first(request: ApiRequest) -> ApiRequest:
        if request.body != EMPTY or bearer(request) != TOKEN or seen:
            return request
        seen.append(True)
        return replace(request, body=GOOD)

    bench.on_request(first)


@mutant(REQUEST)
def no_records_are_none(bench: Bench) -> None:
    """An empty list is accepted if it is written without other members."""
    bench.on_text(lambda raw: GOOD if raw == EMPTY else raw)


@mutant(ADD)
def only_a_reserved_phone_is_refused(bench: Bench) -> None:
    """A prospect is refused that has only a phone, of a range that belongs to nobody."""
    bench.refuse_record(lambda record: record.keys() == {"phone"} and record["phone"][:8] == "+44 1632")


@mutant(ADD)
def a_null_company_is_passed_over(bench: Bench) -> None:
    """An identity may have a company that is null if first and last name are one long name."""

    def completed(record: dict[str, Any]) -> dict[str, Any]:
        name = record.get("firstName")
        same = record.keys() == {*IDENTITY} and name == record["lastName"] and len(str(name)) > 9
        return PHONE if same and record["company"] is None else record

    bench.on_record(completed)


@mutant(ADD)
def e_mail_is_a_contact(bench: Bench) -> None:
    """The property e-mail is as good as email."""
    bench.on_record(lambda record: PHONE if "e-mail" in record else record)


def _present(body: Any) -> list[Any]:
    return [record for record in body["data"] if record is not None]


add = partial(register, REQUEST, Bench.on_body)
add("data-is-optional", "A body without data is accepted.", lambda b: b if "data" in b else {"data": [PHONE]})
add("prospects-is-as-good", "The array may be called prospects.", lambda b: {"data": b.get("prospects", b.get("data"))})
add("names-in-any-case", "Data is as good as data.", lambda body: {k.lower(): v for k, v in body.items()})
add(
    "one-record-is-a-list",
    "A single record in place of the list is accepted.",
    lambda body: {"data": [body["data"]]} if isinstance(body["data"], dict) else body,
)
add("a-list-is-a-body", "A list is accepted as a body.", lambda b: {"data": b} if isinstance(b, list) else b)
add("null-data-is-accepted", "Data that is null is accepted.", lambda b: {"data": [PHONE]} if b["data"] is None else b)
add("null-is-a-body", "A body that is null is accepted.", lambda b: {"data": [PHONE]} if b is None else b)
add = partial(register, RECORD, Bench.on_body)
add("null-records-are-passed-over", "Records that are null are left out.", lambda b: {"data": _present(b) or [PHONE]})
add("a-null-behind-others", "A null is left out if there are others.", lambda b: {"data": _present(b) or b["data"]})
add(
    "texts-are-records",
    "A text in place of a record is read as an email.",
    lambda body: {"data": [{"email": one} if isinstance(one, str) else one for one in body["data"]]},
)


def _validating(bench: Bench, validated: slice) -> None:
    def changed(body: Any) -> Any:
        kept = body["data"][validated]
        return {**body, "data": [record if record in kept else PHONE for record in body["data"]]}

    bench.on_body(changed)


add = partial(register, ADD, _validating)
add("first-only", "Only the first record is validated.", slice(0, 1))
add("last-only", "Only the last record is validated.", slice(-1, None))
add("all-but-the-last", "The last of twenty records is not validated.", slice(0, 19))
add("all-but-the-first", "The first of many records is not validated.", slice(1, None))
add("ten-only", "Only the first ten records are validated.", slice(0, 10))


def _has_contact(record: Any) -> bool:
    return any(record.get(name) for name in CONTACTS)


@mutant(ADD)
def all_but_the_eleventh(bench: Bench) -> None:
    """The eleventh of twenty records is not validated."""

    def changed(body: Any) -> Any:
        data = list(body["data"])
        if len(data) == 20 and not _has_contact(data[10]):
            data[10] = PHONE
        return {**body, "data": data}

    bench.on_body(changed)


@mutant(ADD)
def bad_records_are_left_out(bench: Bench) -> None:
    """Invalid records are left out, and the others are accepted."""

    def valid(record: Any) -> bool:
        return _has_contact(record) or all(record.get(name) for name in IDENTITY)

    bench.on_body(lambda body: {"data": [record for record in body["data"] if valid(record)] or body["data"]})


def _on_values(bench: Bench, matches: Callable[[Any], bool], change: Callable[[Any], Any]) -> None:
    bench.on_record(lambda record: {name: change(v) if matches(v) else v for name, v in record.items()})


def _on_fields(bench: Bench, kind: type) -> None:
    bench.on_record(lambda record: {k: str(v) if type(v) is kind and k in FIELDS else v for k, v in record.items()})


def _completed(bench: Bench, matches: Callable[[dict[str, Any]], bool]) -> None:
    """Add a contact to the records that match."""
    bench.on_record(lambda record: {**record, **PHONE} if matches(record) else record)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


add = partial(register, RECORD, _on_values)
add("very-long-texts-are-accepted", "Very long texts are accepted.", _is_text, lambda t: t[:9] if len(t) > 1000 else t)
add("graphemes", "Combining marks are not counted.", _is_text, lambda text: text.replace("\u0301", ""))
add("trims-before-it-counts", "White space at both ends is not counted.", _is_text, lambda text: text.strip() or text)
add("shortens-silently", "Long texts are cut off and accepted.", _is_text, lambda text: text[:255])
add = partial(register, RECORD, _on_fields)
add("numbers-become-texts", "Numbers are converted to texts and accepted.", int)
add("booleans-become-texts", "Booleans are converted to texts and accepted.", bool)
add = partial(register, RECORD, Bench.on_record)
add(
    "nulls-are-left-out",
    "Fields that are null count as missing.",
    lambda record: {name: v for name, v in record.items() if v is not None or name not in FIELDS},
)
add = partial(register, ADD, _completed)
add("three-empty-names-are-an-identity", "An empty identity is enough.", lambda r: [*map(r.get, IDENTITY)] == [""] * 3)
add("null-is-a-contact", "A contact may be null.", lambda r: None in [r.get(name, "") for name in CONTACTS])
add("any-key-is-a-contact", "An undeclared property is a contact.", lambda r: bool(r) and not r.keys() & DECLARED)


def _texts(record: dict[str, Any]) -> list[str]:
    return [value for value in record.values() if isinstance(value, str)]


add = partial(register, ADD, Bench.refuse_record)
add("every-field-at-once-is-refused", "A prospect with every field is refused.", lambda r: r.keys() >= DECLARED)
add(
    "hyphens-in-profiles-are-refused",
    "The address of a profile with a hyphen in its name is refused.",
    lambda record: re.fullmatch("https://.*/in/[a-z]+-[a-z-]+", str(record.get("linkedinUrl"))),
)
add("ascii-only", "Texts outside ASCII are refused.", lambda r: any(not t.isascii() and len(t) < 99 for t in _texts(r)))
add("arabic-is-refused", "Arabic names are refused.", lambda r: re.search("[\u0600-\u06ff]", str(r.get("firstName"))))
add("empty-job-titles-are-refused", "An empty jobTitle is refused.", lambda record: record.get("jobTitle") == "")
add("no-line-ends", "Texts with a line end are refused.", lambda r: any("\n" in text for text in _texts(r)))
add = partial(register, RECORD, Bench.refuse_record)
add(
    "utf16-units",
    "Lengths are counted in UTF-16 units.",
    lambda record: any(len(str(record.get(name, "")).encode("utf-16-le")) > 510 for name in FIELDS),
)
add = partial(register, f"{RECORD}/additionalProperties", Bench.refuse_record)
add("undeclared-is-refused", "Undeclared properties of a record are refused.", lambda r: r.keys() - DECLARED)
add(
    "nested-is-refused",
    "Undeclared objects and lists are refused.",
    lambda record: any(isinstance(v, dict | list) and name not in FIELDS for name, v in record.items()),
)
add(
    "long-undeclared-is-refused",
    "Undeclared texts over 255 characters are refused.",
    lambda record: len(json.dumps({name: v for name, v in record.items() if name not in FIELDS})) > 300,
)
add = partial(register, REQUEST, Bench.refuse_body)
add("undeclared-beside-data-is-refused", "Anything beside data is refused.", lambda b: len(b) > 1 and "data" in b)
add = partial(register, ADD, Bench.fail_on_text)
add("no-apostrophes", "A name with an apostrophe is a server error.", lambda raw: b"O'Brien" in raw)
add = partial(register, ROBUST, Bench.fail_on_text)
add("500-on-bodies-of-8-kb", "A body of 6 to 9 kB is a server error.", lambda raw: 6_000 < len(raw) < 9_000)


@mutant(ADD)
def bodies_of_100_kb(bench: Bench) -> None:
    """Bodies over 100 kB are refused."""
    bench.on_request(lambda request: error(413) if len(request.body or b"") > 100_000 else request)
