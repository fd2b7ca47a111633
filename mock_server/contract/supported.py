"""What of OpenAPI 3.1 is supported; a document that uses more is refused, since ignoring a keyword would hide it.

Each kind of object has its keywords, and what they hold: `None` for a value that is checked elsewhere or read by
people only, a kind, `{kind}` for a map of names to that kind, `[kind]` for a list. `x-` keywords are always allowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mock_server.messages.http import METHODS
from mock_server.messages.pointers import Place

Problem = tuple[Place, str]
"""A place in the document, and what is wrong and what to do, in one sentence."""

OPERATIONS = tuple(method.lower() for method in METHODS)
"""The keywords of a path item that hold an operation."""

_TEXT = dict.fromkeys(("summary", "description", "externalDocs", "deprecated", "title"))
_EXAMPLES = dict.fromkeys(("example", "examples"))
_REF = {"$ref": None}

KINDS: dict[str, dict[str, str | None]] = {
    "document": {
        **dict.fromkeys(("openapi", "info", "security", "tags", "externalDocs")),
        "servers": "[server]",
        "paths": "{path item}",
        "components": "components",
    },
    "server": {"url": None, **_TEXT},
    "path item": {**_TEXT, "parameters": "[parameter]", **dict.fromkeys(OPERATIONS, "operation")},
    "operation": {
        **dict.fromkeys(("tags", "operationId", "security")),
        **_TEXT,
        "parameters": "[parameter]",
        "requestBody": "request body",
        "responses": "{response}",
    },
    "parameter": {**_REF, **_TEXT, **_EXAMPLES, "name": None, "in": None, "required": None, "schema": "schema"},
    "request body": {**_REF, **_TEXT, "required": None, "content": "{media type}"},
    "response": {**_REF, **_TEXT, "headers": "{header}", "content": "{media type}", "links": None},
    "header": {**_REF, **_TEXT, **_EXAMPLES, "required": None, "schema": "schema"},
    "media type": {**_EXAMPLES, "schema": "schema"},
    "components": {
        "schemas": "{schema}",
        "responses": "{response}",
        "parameters": "{parameter}",
        "headers": "{header}",
        "requestBodies": "{request body}",
        "securitySchemes": "{security scheme}",
        "examples": None,
        "links": None,
    },
    "security scheme": {**_TEXT, "type": None, "scheme": None, "bearerFormat": None},
    "schema": {
        **_REF,
        **_TEXT,
        **_EXAMPLES,
        **dict.fromkeys(("$comment", "default", "readOnly", "writeOnly", "xml", "discriminator")),
        **dict.fromkeys(("type", "enum", "const", "format", "required", "dependentRequired")),
        **dict.fromkeys(("minLength", "maxLength", "pattern", "minimum", "maximum", "multipleOf")),
        **dict.fromkeys(("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems", "uniqueItems")),
        **dict.fromkeys(("minContains", "maxContains", "minProperties", "maxProperties")),
        **dict.fromkeys(("allOf", "anyOf", "oneOf", "prefixItems"), "[schema]"),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs"), "{schema}"),
        **dict.fromkeys(("not", "if", "then", "else", "items", "contains", "propertyNames"), "schema"),
        **dict.fromkeys(("additionalProperties", "unevaluatedProperties", "unevaluatedItems"), "schema"),
    },
}

_REMEDY = {
    "nullable": "write the type as a list with 'null', as OpenAPI 3.1 does",
    "callbacks": "the mock calls nobody: remove it",
    "webhooks": "the mock calls nobody: remove it",
    "content": "describe the parameter with a schema",
    "style": "only the default style is read: remove it",
    "explode": "only the default style is read: remove it",
}

_FORMATS = {
    *("date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname"),
    *("ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uri-template", "uuid"),
    *("json-pointer", "relative-json-pointer", "regex"),
}


def problems(node: Any, kind: str = "document", at: Place = ()) -> Iterator[Problem]:
    """Find what is not supported in a document, outermost first."""
    if kind == "schema" and isinstance(node, bool):
        return
    if not isinstance(node, dict):
        yield at, f"a {kind} must be an object"
        return
    yield from _special(node, kind, at)
    for key, value in node.items():
        if key.startswith("x-"):
            continue
        if key not in KINDS[kind]:
            remedy = _REMEDY.get(key, "remove it, by an overlay if the document is not yours")
            yield (*at, key), f"the keyword {key!r} of a {kind} is not supported; {remedy}"
            continue
        yield from _below(value, KINDS[kind][key], (*at, key))


def head_problems(node: Any) -> Iterator[Problem]:
    """Find whether a value is an OpenAPI 3.1 document at all."""
    if not isinstance(node, dict) or not str(node.get("openapi", "")).startswith("3.1"):
        yield (), "not an OpenAPI 3.1 document; it must begin with 'openapi: 3.1.0'"
    elif not node.get("paths"):
        yield (), "the document has no 'paths'; add at least one"


def _below(value: Any, kind: str | None, at: Place) -> Iterator[Problem]:
    if kind is None:
        return
    if kind.startswith("{"):
        if not isinstance(value, dict):
            yield at, "this must be an object"
            return
        for name, child in value.items():
            if not (kind in {"{path item}", "{response}"} and name.startswith("x-")):
                yield from problems(child, kind[1:-1], (*at, name))
    elif kind.startswith("["):
        if not isinstance(value, list):
            yield at, "this must be a list"
            return
        for index, child in enumerate(value):
            yield from problems(child, kind[1:-1], (*at, index))
    else:
        yield from problems(value, kind, at)


def _special(node: dict[str, Any], kind: str, at: Place) -> Iterator[Problem]:
    """Find what a table of keywords cannot express."""
    if "$ref" in node and not str(node["$ref"]).startswith("#/"):
        yield (*at, "$ref"), "only references within the document (#/...) are supported; bundle it into one file"
    if kind == "document":
        yield from head_problems(node)
    elif kind == "security scheme" and (node.get("type"), str(node.get("scheme")).lower()) != ("http", "bearer"):
        yield at, "only the security scheme 'type: http, scheme: bearer' is supported"
    elif kind == "operation" and not node.get("responses"):
        yield at, "an operation needs 'responses'"
    elif kind == "parameter" and "$ref" not in node and node.get("in") not in {"path", "query", "header"}:
        yield (*at, "in"), "a parameter must be in path, query or header"
    elif kind == "parameter" and "$ref" not in node and not ("name" in node and "schema" in node):
        yield at, "a parameter needs 'name' and 'schema'"
    elif kind == "schema" and "format" in node and node["format"] not in _FORMATS:
        yield (*at, "format"), f"the format {node['format']!r} is not checked; remove it, or use a pattern"
