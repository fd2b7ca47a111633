"""The operations of a contract as values, everything compiled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_server.contract.limits import Limit
from mock_server.contract.schemas import Schema
from mock_server.messages.pointers import Place


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation.

    Attributes:
        place: `path`, `query` or `header`.
        types: The JSON types that its schema allows, to parse the text by.
        default: The value where none is sent; None without a default.
        maximum: The largest number; None without a bound.
        source: Where the contract declares it.
    """

    name: str
    place: str
    required: bool
    schema: Schema
    types: frozenset[str]
    default: Any
    maximum: float | None
    source: Place


@dataclass(frozen=True, slots=True)
class BatchSchema:
    """The array of records that a body carries.

    Attributes:
        member: The member of the body.
        minimum: Number of records that one request must carry.
        maximum: Number of records that one request may carry; None without a bound.
        properties: The declared properties of a record.
        identities: Groups of properties that identify a record: the alternatives of its named rule.
    """

    member: str
    minimum: int
    maximum: int | None
    properties: tuple[str, ...]
    identities: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of the contract.

    Attributes:
        segments: The path below the base path; None stands for a parameter.
        path_names: The names of the parameters among the segments, by their position.
        parameters: By place: `path`, `query`, `header`; only places with parameters.
        body: The schema of a JSON body; None if the operation takes none.
        batch: The array of records in the body; None without one.
        responses: The schema of the JSON body of each documented status; None where it has none.
        success: The first documented status below 300; 200 without one.
        examples: The bytes of the example of each status that has one.
        limit: The operation's own limit; None without one.
        secured: False if the operation may be called without a token.
        source: JSON Pointer of the operation.
    """

    id: str
    method: str
    path: str
    segments: tuple[str | None, ...]
    path_names: Mapping[int, str]
    parameters: Mapping[str, Sequence[Parameter]]
    body: Schema | None
    body_required: bool
    batch: BatchSchema | None
    responses: Mapping[int, Schema | None]
    success: int
    examples: Mapping[int, bytes]
    limit: Limit | None
    secured: bool
    source: str


@dataclass(frozen=True, slots=True)
class Roles:
    """The operations that are known by what they do, by `operationId`.

    Attributes:
        adds: It adds prospects.
        opts_out: It lists the identifiers of people who must not be contacted.
        opts_in: It removes one.
        contacts: The member of a prospect that an identifier of a type is compared with.
    """

    adds: str
    opts_out: str
    opts_in: str
    contacts: Mapping[str, str]
