"""Rules derived from the contract, for every operation: it is served, and keeps its parameters and its body."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from contract_tests.provider import derived
from contract_tests.provider.documented import documented
from contract_tests.provider.probes import ANY_BUT_5XX, BAD_REQUEST, CLIENT_ERROR, Probe, ProbeFactory
from contract_tests.provider.rule import every_operation, has_body, has_query, rule
from contract_tests.sources import ERRORS
from mock_server.contract.contract import Contract
from mock_server.contract.operation import Parameter
from mock_server.messages.pointers import at

CURSOR = "cursor"
"""The parameter whose values only a provider can make."""


@rule("openapi.yaml#/paths", every_operation)
def served(make: ProbeFactory) -> Iterator[Probe]:
    """Every operation is served: a valid request has its documented success."""
    yield make.valid("a valid request")


@rule(f"openapi.yaml#/components/parameters; {ERRORS}", has_query)
def parameters(make: ProbeFactory) -> Iterator[Probe]:
    """Each parameter of the query is accepted within its type, bounds, enumeration and format, and refused beyond."""
    for parameter in make.operation.parameters["query"]:
        for what, value in () if parameter.name == CURSOR else _values(parameter):
            text = value if isinstance(value, str) else str(value)
            path = f"{make.path()}?{parameter.name}={quote(text)}"
            if parameter.schema.allows(value):
                yield make.valid(f"{parameter.name} {what}", path=path)
            else:
                yield Probe(f"{parameter.name} {what}", make.request(path=path), BAD_REQUEST)
    odd = make.request(path=f"{make.path()}?undeclared=%00%FF&%F0%9F%98%80=&&=&limit")
    yield Probe("a query of odd names", odd, ANY_BUT_5XX)


@rule("openapi.yaml#/paths; JSON Schema 2020-12", has_body)
def body(make: ProbeFactory) -> Iterator[Probe]:
    """Each member of a body is accepted within its type, bounds, enumeration and format, and refused beyond."""
    ours = {one.id: one for one in Contract.load().operations}[make.operation.id].body
    judged = make.operation.body
    document, schema = documented().document, make.schema
    full = derived.sample(document, schema, full=True)
    yield make.valid("only the required members", make.body())
    yield make.valid("every declared member", full)
    for what, value in derived.neighbours(document, schema, full):
        sent = b"null" if value is None else value
        allowed = judged is not None and judged.allows(value)
        if ours is None or ours.allows(value) != allowed:
            continue  # the documentation leaves it open
        if allowed:
            yield make.valid(what, sent)
        else:
            yield make.refused_body(what, sent, BAD_REQUEST if isinstance(value, dict) else CLIENT_ERROR)


def _values(parameter: Parameter) -> Iterator[derived.Value]:
    """Yield values of a parameter, right and wrong."""
    node = derived.resolved(documented().document, at(documented().document, (*parameter.source, "schema")))
    yield from derived.scalars(node, derived.sample(documented().document, node))
    if parameter.types & {"integer", "number"}:
        yield from (("is a word", "ten"), ("is null", "null"), ("has a unit", "10px"), ("is 1.5", "1.5"))
    elif not {"enum", "format"} & node.keys():
        yield "is a text", derived.TAG
        yield "is an emoji", "\U0001f600"
