"""Every rule of the body, on both sides of its boundary, for every field, at every place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mock_server.contract.schemas import Schemas, violations
from mock_server.messages.violations import Violation
from mock_server.pipeline.decoding import MANY
from tests.conftest import FIELDS, error_of, request_of, why

if TYPE_CHECKING:
    from collections.abc import Callable

    from mock_server import AltaMock
    from mock_server.messages.http import ApiReply

    Send = Callable[..., ApiReply]

GOOD = {"email": "ada@example.com"}
ASTRAL = "\U0001f600"


def refused(reply: ApiReply, rule: str, at: str) -> bool:
    """Check that a reply is the vendor's 400 for one rule at one place; a failure names both."""
    assert (reply.status, why(reply).partition(": ")[0]) == (400, f"{rule} {at}")
    assert error_of(reply) == "ValidationError"
    return True


@pytest.mark.parametrize(
    ("count", "status"), [(0, 400), (1, 200), (2, 200), (19, 200), (20, 200), (21, 400), (500, 400)]
)
def test_one_to_twenty_prospects(judge: Send, count: int, status: int) -> None:
    """0 and 21 are refused, 1 and 20 are not."""
    assert judge({"data": [GOOD] * count}).status == status


@pytest.mark.parametrize("character", ["x", "é", "中", ASTRAL])
@pytest.mark.parametrize("field", FIELDS)
def test_255_code_points_and_not_one_more(judge: Send, field: str, character: str) -> None:
    """Code points count, not bytes or UTF-16 code units."""
    assert judge({"data": [{**GOOD, field: character * 255}]}).status == 200
    assert refused(judge({"data": [{**GOOD, field: character * 256}]}), "maxLength", f"/data/0/{field}")


def test_phone_has_no_documented_bound(judge: Send) -> None:
    """See assumption phone-type."""
    assert judge({"data": [{"phone": "1" * 10_000}]}).status == 200


@pytest.mark.parametrize("field", [*FIELDS, "phone"])
@pytest.mark.parametrize("value", [None, 7, 1.5, True, [], ["a"], {}])
def test_a_field_is_a_string_or_absent(judge: Send, field: str, value: Any) -> None:
    """Null is refused; for phone this is assumption phone-type."""
    reply = judge({"data": [{"email": "a", "phone": "1", field: value}]})

    assert refused(reply, "type", f"/data/0/{field}")


@pytest.mark.parametrize("field", ["email", "linkedinUrl", "phone"])
def test_each_contact_method_is_enough(judge: Send, field: str) -> None:
    """One character in any form is enough."""
    assert judge({"data": [{field: "x"}]}).status == 200
    assert judge({"data": [{field: " x "}]}).status == 200


@pytest.mark.parametrize("blank", ["", " ", "\t\r\n", "\u00a0", "\u2003\u3000", "\u0085\u2028\u2029"])
@pytest.mark.parametrize("field", ["email", "linkedinUrl", "phone"])
def test_a_blank_contact_does_not_count(judge: Send, field: str, blank: str) -> None:
    """An empty text does not by the documented rule, white space by assumption blank-contact."""
    assert refused(judge({"data": [{field: blank}]}), "contact-or-identity", "/data/0")
    assert judge({"data": [{field: blank, "firstName": "A", "lastName": "B", "company": "C"}]}).status == 200


@pytest.mark.parametrize("visible", ["\0", "\u200b", "\ufeff", "\x1c", "0"])
def test_what_is_not_white_space_is_a_contact(judge: Send, visible: str) -> None:
    """Unicode's White_Space decides, not that of a programming language (assumption blank-contact)."""
    assert judge({"data": [{"email": visible}]}).status == 200


@pytest.mark.parametrize("missing", ["firstName", "lastName", "company"])
@pytest.mark.parametrize("instead", [None, "", "  "])
def test_two_of_three_names_are_not_an_identity(judge: Send, missing: str, instead: str | None) -> None:
    """The third may be absent, empty or blank; a job title does not replace it."""
    identity: dict[str, Any] = {"firstName": "Ada", "lastName": "Lovelace", "company": "AE", "jobTitle": "Countess"}
    assert judge({"data": [identity]}).status == 200

    del identity[missing]
    if instead is not None:
        identity[missing] = instead

    assert refused(judge({"data": [identity]}), "contact-or-identity", "/data/0")


@pytest.mark.parametrize("bad", [{}, {"jobTitle": "x"}, {"linkedin_url": "x"}, {"Email": "x"}, {"emails": ["x"]}])
@pytest.mark.parametrize("at", [0, 1, 10, 18, 19])
def test_every_record_must_keep_the_rule(judge: Send, bad: dict[str, Any], at: int) -> None:
    """This holds for the first, middle and last record; the pointer names it."""
    batch = [*[GOOD] * at, bad, *[GOOD] * (19 - at)]

    assert refused(judge({"data": batch}), "contact-or-identity", f"/data/{at}")


@pytest.mark.parametrize(
    ("body", "rule", "at"),
    [
        ({}, "required", "body"),
        ({"Data": [GOOD]}, "required", "body"),
        ({"prospects": [GOOD]}, "required", "body"),
        ([GOOD], "type", "body"),
        (None, "type", "body"),
        ("data", "type", "body"),
        (3, "type", "body"),
        ({"data": None}, "type", "/data"),
        ({"data": GOOD}, "type", "/data"),
        ({"data": "x"}, "type", "/data"),
        ({"data": ["x"]}, "type", "/data/0"),
        ({"data": [None]}, "type", "/data/0"),
        ({"data": [[GOOD]]}, "type", "/data/0"),
    ],
)
def test_the_frame_of_the_body(judge: Send, body: Any, rule: str, at: str) -> None:
    """The body is an object with `data`, an array of objects."""
    reply = judge(b"null" if body is None else body)

    assert refused(reply, rule, at)


@pytest.mark.parametrize("extra", [None, True, 0, -1.5, "", "x" * 1000, [], [[]], {}, {"a": {"b": None}}])
def test_undeclared_properties_are_accepted_at_every_level(judge: Send, extra: Any) -> None:
    """The schema says `additionalProperties: true` for records, and nothing for the body."""
    assert judge({"data": [{**GOOD, "extra": extra, "": extra}], "extra": extra}).status == 200


def test_every_violation_has_its_place_in_the_contract(judge: Send) -> None:
    """It has both values and the pointer of the rule; the header has the number of further violations."""
    reply = judge({"data": [{"firstName": "x" * 256, "email": 3}, {}]})

    assert why(reply).startswith("maxLength /data/0/firstName: ")
    assert why(reply).endswith("(+3 more)")
    schema = Schemas({"type": "object", "properties": {"a": {"maxLength": 2}}}).at()
    assert violations(schema, {"a": "abc"}) == [Violation("maxLength", "body", "/a", "3 characters", "at most 2")]
    assert violations(schema, {"a": "abc"})[0].source == ("properties", "a", "maxLength")


@pytest.mark.parametrize("schema", [{"type": 7}, {"$ref": "#/nowhere"}])
def test_an_invalid_schema_is_refused(schema: Any) -> None:
    """The message has the reason."""
    with pytest.raises(ValueError, match=r"\S"):
        Schemas(schema).at()


def test_a_large_body_names_only_the_first_difference(unlimited: AltaMock) -> None:
    """Up to `MANY` members all are named, beyond only one, to bound the time. Commas in a text are not members."""
    records = [{"email": 1, "phone": ",," * MANY}, {"email": 2, "phone": "1"}, {}]  # with `data`, nine members
    for more, reported in ((0, 3), (1, 1)):
        extra = [0] * (MANY - 10 + more)
        outcome = unlimited.handle(request_of({"data": records, "extra": extra}))
        assert len(outcome.violations) == reported
        assert {one.place for one in outcome.violations} == {"body"}


@pytest.mark.parametrize(
    ("schema", "value", "text"),
    [
        ({"type": ["string", "null"]}, 1, "type body: got the number 1; wanted string or null"),
        ({"type": "array"}, True, "type body: got true; wanted array"),
        ({"type": "string"}, ["secret"], "type body: got an array of 1 item; wanted string"),
        ({"x-alta-rule": "r", "minProperties": 1}, {}, "r body: got an object of 0 members; wanted r"),
        ({"x-alta-rule": "r", "minItems": 2}, ["secret"], "r body: got an array of 1 item; wanted r"),
        (
            {"x-alta-rule": "r", "maxProperties": 0},
            {"a" * 30: 1, "b" * 29: 1},
            f"r body: got only {'a' * 30}, and others; wanted r",
        ),
        ({"maximum": 3}, 10**59, f"maximum body: got the number 1{'0' * 59}; wanted maximum 3"),
        ({"minLength": 2}, "x", "minLength body: got 1 character; wanted at least 2"),
        ({"enum": ["a", "b"]}, "secret", 'enum body: got a string of 6 characters; wanted one of "a", "b"'),
        (
            {"enum": [1, "delay"]},
            "dely",
            'enum body: got a string of 4 characters; wanted one of 1, "delay" (did you mean delay?)',
        ),
        ({"enum": ["abc"] * 30}, 1, "enum body: got the number 1; wanted one of " + ", ".join(['"abc"'] * 30)),
        (
            {"properties": {"status": {}, "retryAfter": {}}, "additionalProperties": False},
            {"staus": 1, "x": 2},
            "additionalProperties body: got staus (did you mean status?), x; wanted only status, retryAfter",
        ),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"secret" * 11: 1},
            "additionalProperties body: got an unknown name; wanted only a",
        ),
        (
            {"oneOf": [{"title": "a status", "required": ["a"]}, {"title": "a fault", "required": ["b"]}]},
            {"c": 1},
            "oneOf body: got c; wanted a status; or a fault",
        ),
        ({"format": "uuid"}, "x", 'format body: got a string of 1 character; wanted format "uuid"'),
        ({"required": ["a"]}, {}, "required body: got no a; wanted a"),
        ({"maximum": 3}, 10**4000, f"maximum body: got the number 1{'0' * 56}...; wanted maximum 3"),
        (False, {}, "falseSchema body: got an object of 0 members; wanted nothing"),
    ],
)
def test_a_violation_reads_as_a_sentence(schema: Any, value: Any, text: str) -> None:
    """Texts are described, never repeated."""
    assert [str(one) for one in violations(Schemas(schema).at(), value)] == [text]


@pytest.mark.parametrize(
    ("record", "got"),
    [
        ({"email": ""}, "email (empty)"),
        ({"email": " \t"}, "email (white space)"),
        ({"firstName": "A", "email": ""}, "email (empty), firstName"),
        ({"company": "", "firstName": "A", "lastName": "B"}, "company (empty), firstName, lastName"),
        ({"emial": "a"}, "emial (did you mean email?)"),
        ({"linkedin": "a"}, "linkedin (did you mean linkedinUrl?)"),
        ({"phoneNumber": "1"}, "phoneNumber (did you mean phone?)"),
        ({"jobTitle": "x"}, "jobTitle"),
        ({"phone": None}, "phone (null)"),
    ],
)
def test_why_a_record_has_no_contact(unlimited: AltaMock, record: Any, got: str) -> None:
    """The reason shows which name counts for nothing, and the documented name that is most like it."""
    why = [one.got for one in unlimited.handle(request_of({"data": [record]})).violations if one.pointer == "/data/0"]

    assert why == [f"only {got}"]
