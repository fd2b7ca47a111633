"""An independent oracle and the fake agree on every body, and on what is wrong with it.

The oracle is the published schema, compiled with jsonschema, and the rule of the prose in ten lines. The fake compiles
the overlay with jsonschema-rs instead; the oracle uses neither.
"""

from __future__ import annotations

import copy
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract_tests.fake import CAMPAIGN, TOKEN
from mock_server import AltaMock
from mock_server.contract import bundled_files
from mock_server.messages.http import ApiRequest
from mock_server.messages.pointers import pointer

CASES = 1000
"""Bodies for each of the four kinds of change, 4,000 in all."""

DECLARED = ("firstName", "lastName", "company", "jobTitle", "email", "linkedinUrl")
CONTACTS = ("email", "linkedinUrl", "phone")
NAMES = ("firstName", "lastName", "company")

Finding = tuple[str, str]
"""A rule and the JSON Pointer to where it is broken."""

document = yaml.safe_load(bundled_files.data("openapi.yaml").read_text(encoding="utf-8"))
published = jsonschema.Draft202012Validator(
    {"$ref": "#/components/schemas/AddProspectsToCampaignRequest", "components": document["components"]},
    format_checker=jsonschema.FormatChecker(),
)


def visible(value: Any) -> bool:
    """Return whether a value is a text with a character outside White_Space, which is Zs, Zl, Zp and six controls."""
    return isinstance(value, str) and any(
        unicodedata.category(character) not in {"Zs", "Zl", "Zp"} and character not in "\t\n\v\f\r\x85"
        for character in value
    )


def keeps_the_prose_rule(record: dict[str, Any]) -> bool:
    """Return whether a record has a contact method (email, linkedinUrl, phone) or a full identity."""
    return any(visible(record.get(name)) for name in CONTACTS) or all(visible(record.get(name)) for name in NAMES)


def judged(body: Any) -> set[Finding]:
    """Return what the oracle finds wrong with a body; the type of phone is by assumption phone-type."""
    found = {(str(error.validator), pointer(*error.absolute_path)) for error in published.iter_errors(body)}
    records = body.get("data") if isinstance(body, dict) else None
    for index, record in enumerate(records if isinstance(records, list) else []):
        if isinstance(record, dict):
            if not keeps_the_prose_rule(record):
                found.add(("contact-or-identity", pointer("data", index)))
            if "phone" in record and not isinstance(record["phone"], str):
                found.add(("type", pointer("data", index, "phone")))
    return found


mock = AltaMock(rate_limit="off", account_rate_limit="off")


def answered(body: Any) -> tuple[int, set[Finding]]:
    """Return the status of the fake, and what it finds wrong."""
    mock.reset()
    headers = (("authorization", f"Bearer {TOKEN}"), ("content-type", "application/json"))
    raw = json.dumps(body).encode()
    outcome = mock.handle(ApiRequest("POST", f"/v1/campaigns/{CAMPAIGN}/prospects", "", headers, raw))
    return outcome.reply.status, {(one.rule, one.pointer) for one in outcome.violations}


character = st.characters(exclude_categories=["Cs"])
blank = st.text(st.sampled_from(" \t\n\r\v\f\x85\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000"), max_size=3)
almost_blank = st.sampled_from(["\0", "\x1c", "\x1f", "\u200b", "\u2060", "\ufeff", "\u180e", " x", "\u00a0."])
long = st.builds(lambda one, length: one * length, character, st.sampled_from([254, 255, 256, 257]))
text: st.SearchStrategy[Any] = st.one_of(st.text(character, min_size=1, max_size=8), blank, almost_blank, long)
other: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)
) | (st.lists(st.integers(), max_size=2) | st.dictionaries(st.text(character, max_size=3), st.integers(), max_size=2))
record = st.one_of(
    st.fixed_dictionaries({"email": st.just("ada@example.com")}, optional=dict.fromkeys(NAMES, text)),
    st.fixed_dictionaries(dict.fromkeys(NAMES, st.just("Ada")), optional={"jobTitle": text, "note": other}),
    st.fixed_dictionaries({"phone": st.just("1")}, optional={"linkedinUrl": text}),
)


@st.composite
def batches(draw: st.DrawFn, sizes: tuple[int, ...] = (1, 1, 1, 2, 3, 20)) -> list[Any]:
    """Generate a list of one of these sizes, of at most three different valid records."""
    kinds = draw(st.lists(record, min_size=1, max_size=3))
    return [copy.deepcopy(kinds[index % len(kinds)]) for index in range(draw(st.sampled_from(sizes)))]


batch: st.SearchStrategy[Any] = batches()
body_of: st.SearchStrategy[Any] = batch.map(lambda records: {"data": records})


@st.composite
def with_another_value(draw: st.DrawFn) -> Any:
    """Generate a valid body, then set one field of one record to a value near its boundary."""
    body = draw(body_of)
    target = draw(st.sampled_from(body["data"]))
    target[draw(st.sampled_from([*DECLARED, "phone", "undeclared"]))] = draw(text | other)
    return body


@st.composite
def with_less(draw: st.DrawFn) -> Any:
    """Generate a valid body, then remove or empty one field of one record."""
    body = draw(body_of)
    target = draw(st.sampled_from(body["data"]))
    name = draw(st.sampled_from(sorted(target)))
    if draw(st.booleans()):
        target[name] = draw(blank)
    else:
        del target[name]
    return body


@st.composite
def with_another_frame(draw: st.DrawFn) -> Any:
    """Generate a body in which the body itself, `data` or a record is something else."""
    body = draw(body_of)
    kind = draw(st.sampled_from(["body", "data", "record", "missing", "renamed", "extra", "extra"]))
    if kind == "body":
        return draw(text | other | batch)
    if kind == "data":
        body["data"] = draw(text | other)
    elif kind == "record":
        body["data"][draw(st.integers(0, len(body["data"]) - 1))] = draw(text | other)
    elif kind == "extra":
        body[draw(st.text(character, max_size=5).filter(lambda name: name != "data"))] = draw(other)
    else:
        records = body.pop("data")
        if kind == "renamed":
            body[draw(st.sampled_from(["prospects", "Data", "records", ""]))] = records
    return body


@st.composite
def with_another_size(draw: st.DrawFn) -> Any:
    """Generate a body with a number of records near a bound, at most one of them empty."""
    records: list[Any] = draw(batches((0, 1, 2, 19, 20, 21, 22)))
    emptied = draw(st.sampled_from([None, 0, len(records) // 2, len(records) - 1]))
    if records and emptied is not None:
        records[emptied] = {}
    return {"data": records}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "bodies", [with_another_value, with_less, with_another_frame, with_another_size], ids=lambda one: one.__name__
)
def test_the_fake_and_the_oracle_agree(
    bodies: Callable[[], st.SearchStrategy[Any]], exploring_seed: int | None
) -> None:
    """They agree on the status, on every broken rule and where it is broken; nothing is stored partially."""
    seen = {200: 0, 400: 0}

    @settings(
        max_examples=CASES,
        derandomize=exploring_seed is None,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(bodies())
    def agree(body: Any) -> None:
        wrong = judged(body)
        status, found = answered(body)
        seen[status] += 1

        assert found == wrong
        assert status == (400 if wrong else 200)
        assert mock.prospects(CAMPAIGN) == ([] if wrong else body["data"])

    agree()
    assert min(seen.values()) > CASES // 20, f"too few bodies on one side of the boundary: {seen}"
