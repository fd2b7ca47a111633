"""What single edits of small documents mean; the edits are those of oasdiff's examples, docs/decisions/0005-diff.md."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import yaml

from contract_tests.diff.differences import Difference
from contract_tests.diff.documents import Api
from contract_tests.diff.operations import Result, compare
from mock_server.contract.documents import Document

BODY = "requestBody: {content: {application/json: {schema: %s}}}"
RESPONSE = "responses: {'200': {content: {application/json: {schema: %s}}}}"
QUERY = "parameters: [{name: a, in: query, schema: %s}]"


def result(old: str, new: str, version: str = "3.1.0", more: Sequence[str] = ("", "")) -> Result:
    """Compare an operation of two documents, which may have more at their ends."""
    apis = []
    for name, text, rest in zip(("old", "new"), (old, new), more, strict=True):
        document = f"openapi: {version}\npaths: {{/a: {{post: {{{text}}}}}}}\n{rest}"
        apis.append(Api.of(Document.parse(document, f"{name}.yaml")))
    return compare(*apis)


def found(old: str, new: str, version: str = "3.1.0", more: Sequence[str] = ("", "")) -> list[str]:
    """Return the differences of two operations, a line each."""
    return [line(one) for one in result(old, new, version, more).differences]


def line(one: Difference) -> str:
    """Return a difference as whom it breaks, the place, and the words."""
    whom = {(True, True): "both", (True, False): "consumers", (False, True): "providers", (False, False): "nobody"}
    return f"{whom[one.breaks]}: {one.place}: {one.words}"


SCHEMAS = [
    # of a request, a number of edits; then what that means there, and in a response
    ("{type: string}", "{type: string, pattern: '^a+$'}", "consumers", "pattern ^a+$ is new"),
    ("{type: string, pattern: '^a+$'}", "{type: string, pattern: '^b+$'}", "both", "pattern ^a+$ → ^b+$"),
    ("{type: string}", "{type: string, enum: [a]}", "consumers", 'enum "a" is new'),
    ("{type: string, enum: [a, b]}", "{type: string, enum: [a]}", "consumers", 'enum loses "b"'),
    ("{type: string, enum: [a]}", "{type: string, enum: [a, b]}", "providers", 'enum gains "b"'),
    ("{type: string}", "{type: [string, 'null']}", "providers", "type string → string or null"),
    ("{type: number}", "{type: integer}", "consumers", "type number → integer"),
    ("{type: number}", "{type: string}", "both", "type number → string"),
    ("{type: string}", "{type: string, maxLength: 9}", "consumers", "maxLength 9 is new"),
    ("{type: string, minLength: 3}", "{type: string, minLength: 2}", "providers", "minLength 3 → 2"),
    ("{type: array, minItems: 1}", "{type: array, minItems: 2}", "consumers", "minItems 1 → 2"),
    ("{type: integer, maximum: 9}", "{type: integer, maximum: 8}", "consumers", "maximum 9 → 8"),
    ("{type: number, minimum: 1}", "{type: number, exclusiveMinimum: 1}", "consumers", "minimum 1 → 1 (exclusive)"),
    ("{type: integer, format: int64}", "{type: integer, format: int32}", "consumers", None),
    ("{type: array, items: {type: string}}", "{type: array, items: {type: integer}}", "both", "type string → integer"),
    ("{type: array}", "{type: array, uniqueItems: true}", "consumers", "uniqueItems true is new"),
    ("{type: array}", "{type: array, contains: {const: 1}}", "consumers", "contains is new"),
    ("{type: array, prefixItems: [{type: string}]}", "{type: array, prefixItems: [{type: integer}]}", "both", "type"),
    ("{type: object}", "{type: object, minProperties: 1}", "consumers", "minProperties 1 is new"),
    ("{type: object}", "{type: object, propertyNames: {maxLength: 3}}", "consumers", "propertyNames is new"),
    (
        "{type: object}",
        "{type: object, patternProperties: {^x: {type: string}}}",
        "consumers",
        "patternProperties is new",
    ),
    ("{type: object}", "{type: object, dependentRequired: {a: [b]}}", "consumers", "dependentRequired is new"),
    ("{type: object}", "{type: object, additionalProperties: {type: string}}", "consumers", "type string is new"),
    (
        "{type: object}",
        "{type: object, additionalProperties: false}",
        "consumers",
        "undeclared members are now refused",
    ),
    ("{type: object}", "{type: object, if: {required: [a]}, then: {required: [b]}}", "consumers", "the condition"),
    ("{type: object}", "{not: {required: [a]}, type: object}", "consumers", "not is new"),
    ("{oneOf: [{type: string}, {type: integer}]}", "{oneOf: [{type: string}]}", "consumers", "the alternatives"),
    ("{anyOf: [{type: string}]}", "{anyOf: [{type: string}, {type: integer}]}", "providers", "the alternatives"),
    (
        "{oneOf: [{type: string, maxLength: 9}, {type: 'null'}]}",
        "{oneOf: [{type: string, maxLength: 8}, {type: 'null'}]}",
        "consumers",
        "maxLength 9 → 8",
    ),
    (
        "{type: object, properties: {a: {type: string}}}",
        "{oneOf: [{type: object, properties: {a: {type: string}}}, {type: 'null'}]}",
        "providers",
        None,
    ),
    ("{type: string}", "{allOf: [{type: string}, {maxLength: 9}]}", "consumers", "maxLength 9 is new"),
    ("{}", "{type: object, required: [a]}", "consumers", None),
    ("{type: string, format: uuid}", "{type: string, format: date}", "both", "format uuid → date"),
]


@pytest.mark.parametrize(("old", "new", "whom", "words"), SCHEMAS)
def test_a_schema_changes(old: str, new: str, whom: str, words: str | None) -> None:
    """It is one difference, which breaks one side in a request, and the other in a response."""
    opposite = {"consumers": "providers", "providers": "consumers", "both": "both"}
    (request,) = found(BODY % old, BODY % new)
    (response,) = found(RESPONSE % old, RESPONSE % new)

    assert request.startswith(f"{whom}: body")
    assert response.startswith(f"{opposite[whom]}: 200 body")
    assert (words or "") in request


A = "{type: object, properties: {a: {type: string, maxLength: 9}}%s}"
NONE = "{type: object, properties: {}%s}"
CLOSED = ", additionalProperties: false"

MEMBERS = [
    (BODY % (NONE % ""), BODY % (A % ""), "providers: body /a: a is new: providers must read it"),
    (
        BODY % (NONE % ""),
        BODY % (A % ", required: [a]"),
        "both: body /a: a is new and required: a request without it is now refused",
    ),
    (BODY % (A % ""), BODY % (NONE % ""), "consumers: body /a: a is gone: it is no longer read"),
    (BODY % (A % CLOSED), BODY % (NONE % CLOSED), "consumers: body /a: a is gone: it is now refused"),
    (
        BODY % (A % ""),
        BODY % (A % ", required: [a]"),
        "consumers: body /a: a is now required: a request without it is now refused",
    ),
    (RESPONSE % (NONE % ""), RESPONSE % (A % ""), "nobody: 200 body /a: a is new: consumers may ignore it"),
    (
        RESPONSE % (NONE % CLOSED),
        RESPONSE % (A % CLOSED),
        "consumers: 200 body /a: a is new, where undeclared members were excluded",
    ),
    (RESPONSE % (NONE % ""), RESPONSE % (A % ", required: [a]"), "providers: 200 body /a: a is new and always sent"),
    (RESPONSE % (A % ""), RESPONSE % (NONE % ""), "consumers: 200 body /a: a is gone: it need not be sent any more"),
    (
        RESPONSE % (A % ", required: [a]"),
        RESPONSE % (A % ""),
        "consumers: 200 body /a: a is now optional: a response without it may now be sent",
    ),
]


@pytest.mark.parametrize(("old", "new", "wanted"), MEMBERS)
def test_a_member_changes(old: str, new: str, wanted: str) -> None:
    """A new member asks something of providers, one that is gone takes something from consumers."""
    assert found(old, new) == [wanted]


P = "parameters: [{name: a, in: %s}]"

PARTS = [
    ("", P % "query, schema: {}", "providers: query a: the parameter is new: providers must read it"),
    (
        "",
        P % "header, required: true, schema: {default: 1}",
        "both: header a: the parameter is new and required: a request without it is now refused",
    ),
    (P % "query, schema: {}", "", "consumers: query a: the parameter is gone: its values are no longer read"),
    (
        P % "query, schema: {}",
        P % "query, required: true, schema: {}",
        "consumers: query a: is now required: a request without it is now refused",
    ),
    (
        QUERY % "{type: number}",
        QUERY % "{type: string}",
        'providers: query a: type number → string: "a" is now accepted',
    ),
    (
        QUERY % "{type: string}",
        QUERY % "{type: number}",
        'consumers: query a: type string → number: "a" is now refused',
    ),
    (
        QUERY % "{}",
        QUERY % "{default: 1}",
        "both: query a: default 1 is new: a request without it now means something else",
    ),
    (
        QUERY % "{default: 1}",
        QUERY % "{default: 2}",
        "both: query a: default 1 → 2: a request without it now means something else",
    ),
    (
        P % "query, schema: {type: array}",
        P % "query, explode: false, schema: {type: array}",
        "both: query a: style form, exploded → form: values are now written in another way",
    ),
    (
        "responses: {'200': {}, '404': {}}",
        "responses: {'200': {}}",
        "providers: status 404: 404 is gone: it is no longer sent",
    ),
    (
        "responses: {'200': {}}",
        "responses: {'200': {}, '404': {}}",
        "consumers: status 404: 404 is new: it may now be sent",
    ),
    (
        "responses: {'200': {}}",
        "responses: {'201': {}}",
        "both: status 200: 200 → 201: the response has another status",
    ),
    (
        "responses: {'200': {}}",
        "responses: {'200': {}, default: {}}",
        "consumers: status any other: any other is new: it may now be sent",
    ),
    ("responses: {'400': {}}", "responses: {4XX: {}}", "consumers: status 4XX: 4XX is new: it may now be sent"),
    (
        "responses: {'200': {headers: {A: {required: true, schema: {}}}}}",
        "responses: {'200': {headers: {A: {schema: {}}}}}",
        "consumers: 200 header a: may now be absent",
    ),
    (
        "responses: {'200': {headers: {A: {schema: {}}}}}",
        "responses: {'200': {}}",
        "consumers: 200 header a: the header is gone: it need not be sent any more",
    ),
    (
        "requestBody: {content: {a/b: {}, c/d: {}}}",
        "requestBody: {content: {a/b: {}}}",
        "consumers: body content type: c/d is now refused",
    ),
    (
        "responses: {'200': {content: {a/b: {}}}}",
        "responses: {'200': {content: {a/*: {}}}}",
        "consumers: 200 body content type: a/* may now be sent",
    ),
    (
        "responses: {'200': {content: {application/json: {}}}}",
        "responses: {'200': {content: {application/json; charset=utf-8: {}}}}",
        None,
    ),
]


@pytest.mark.parametrize(("old", "new", "wanted"), PARTS)
def test_a_part_changes(old: str, new: str, wanted: str | None) -> None:
    """Parameters, statuses, headers and media types are declared or not, required or not."""
    assert found(old, new) == ([wanted] if wanted else [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("{type: string, nullable: true}", "{type: [string, 'null']}"),
        ("{type: string, minLength: 1, pattern: '[a-z]'}", "{type: string, pattern: '[a-z]'}"),
        (
            "{allOf: [{type: object, required: [a]}, {properties: {a: {type: string}}}]}",
            "{type: object, required: [a], properties: {a: {type: string}}}",
        ),
        ("{oneOf: [{type: string}, {type: 'null'}]}", "{type: [string, 'null']}"),
        ("{anyOf: [{type: string}, {type: integer}]}", "{anyOf: [{type: integer}, {type: string}]}"),
        ("{type: integer, exclusiveMinimum: 0}", "{type: integer, minimum: 1}"),
        ("{type: string, enum: [a]}", "{const: a}"),
        ("{enum: [a, b]}", "{type: string, enum: [b, a]}"),
        ("{type: object, additionalProperties: true}", "{type: object}"),
        ("{type: object, properties: {a: {type: string, readOnly: true}}, required: [a]}", "{type: object}"),
        ("{$ref: '#/components/schemas/A'}", "{type: array, items: {$ref: '#/components/schemas/A'}}"),
    ],
)
def test_other_forms_of_the_same_are_no_difference(old: str, new: str) -> None:
    """No value shows them, also where a keyword changed; a schema that contains itself is read."""
    more = "components: {schemas: {A: {type: array, items: {$ref: '#/components/schemas/A'}}}}"

    assert found(BODY % old, BODY % new, more=(more, more)) == []


def test_openapi_3_0_is_the_same_as_3_1() -> None:
    """`nullable`, exclusive bounds as truth values, and what stands beside a reference."""
    old = BODY % "{type: number, nullable: true, minimum: 1, exclusiveMinimum: true}"
    more = "components: {schemas: {A: {type: object, nullable: true, required: [b]}}}"

    assert found(old, BODY % "{type: number, nullable: true, exclusiveMinimum: true, minimum: 1}", "3.0.3") == []
    assert found(old, BODY % "{type: number, minimum: 1, exclusiveMinimum: true}", "3.0.3") == [
        "consumers: body: type number or null → number: null is now refused"
    ]
    assert (
        found(
            BODY % "{$ref: '#/components/schemas/A'}",
            BODY % "{$ref: '#/components/schemas/A', maxProperties: 1}",
            "3.0.3",
            (more, more),
        )
        == []
    )


def test_a_schema_that_contains_itself_changes_once() -> None:
    """At its first place."""
    more = "{type: array, items: {$ref: '#/components/schemas/A'}}"
    tree = f"components: {{schemas: {{A: {{type: object, properties: {{name: {{maxLength: %d}}, more: {more}}}}}}}}}"
    body = BODY % "{$ref: '#/components/schemas/A'}"

    assert found(body, body, more=(tree % 9, tree % 8)) == [
        'consumers: body /name: maxLength 9 → 8: "aaaaaaaaa" is now refused'
    ]


def test_alternatives_that_contain_themselves_are_compared() -> None:
    """In a time that does not grow with the number of ways through them, and each change once."""
    members = ", ".join(
        f"m{index}: {{oneOf: [{{$ref: '#/components/schemas/A'}}, {{type: 'null'}}]}}" for index in range(8)
    )
    tree = f"components: {{schemas: {{A: {{type: object, properties: {{{members}, z: {{maxLength: %d}}}}}}}}}}"
    body = BODY % "{$ref: '#/components/schemas/A'}"

    (difference,) = found(body, body, more=(tree % 9, tree % 8))
    assert "maxLength 9 → 8" in difference


def test_the_place_is_the_shortest() -> None:
    """It belongs to the first operation that is named."""
    documents = []
    for name, most in (("old", 9), ("new", 8)):
        schema = "{$ref: '#/components/schemas/A'}"
        inner = f"{{type: object, properties: {{in: {schema}}}}}"
        paths = f"/b: {{post: {{{BODY % inner}}}}}, /a: {{post: {{{BODY % schema}}}}}"
        rest = f"components: {{schemas: {{A: {{type: string, maxLength: {most}}}}}}}"
        documents.append(Api.of(Document.parse(f"openapi: 3.1.0\npaths: {{{paths}}}\n{rest}", name)))
    (one,) = compare(*documents).differences

    assert (one.operations, one.place) == (("POST /a", "POST /b"), "body")


def test_security_is_decided_by_credentials() -> None:
    """A further scheme that may be used is accepted; the name of a scheme does not matter."""
    kinds = "{k: {type: apiKey, in: header, name: K}, b: {type: http, scheme: bearer}, c: {type: http, scheme: Bearer}}"
    schemes = f"components: {{securitySchemes: {kinds}}}"

    def changed(old: str, new: str) -> list[str]:
        return found(f"security: {old}", f"security: {new}", more=(schemes, schemes))

    assert changed("[{b: []}]", "[{c: []}]") == []
    assert changed("[{b: []}]", "[{b: []}, {k: []}]") == [
        "providers: security: a request with apikey header k is now accepted"
    ]
    assert changed("[{b: []}]", "[{b: [], k: []}]") == [
        "consumers: security: a request with http bearer is now refused"
    ]
    assert changed("[{}, {b: []}]", "[{b: []}]") == [
        "consumers: security: a request with no credentials is now refused"
    ]


def test_operations_correspond_by_method_and_path() -> None:
    """Names of path parameters and the place of the base path do not matter."""
    old = yaml.safe_load("{openapi: 3.0.0, servers: [{url: /v1}], paths: {'/a/{b}': {get: {operationId: x}}}}")
    new = yaml.safe_load("{openapi: 3.0.0, servers: [{url: /}], paths: {'/v1/a/{c}': {get: {operationId: y}}}}")

    assert compare(*(Api.of(Document("x", value, "{}")) for value in (old, new))).differences == []


def test_what_was_not_tried_is_named() -> None:
    """An unknown format is not judged."""
    outcome = result(BODY % "{type: string}", BODY % "{type: string, format: phone, maxLength: 3}")

    assert outcome.untried == ["the format phone"]
    assert [line(one) for one in outcome.differences] == ['consumers: body: maxLength 3 is new: "aaaa" is now refused']
