"""Differences between the requests and responses of an operation in two documents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.diff.comparison import Comparison
from contract_tests.diff.differences import Difference, Whom, of_finding
from contract_tests.diff.documents import Api
from contract_tests.diff.schema import Spec, kinds
from contract_tests.diff.wording import changed
from mock_server.messages.http import JSON
from mock_server.messages.pointers import Place

STATUSES = ("200", "201", "400", "404", "500", "418", "599")
"""Statuses of which the first that neither document lists stands for all others."""

REQUIRED = "is now required: a request without it is now refused"
OPTIONAL = "is now optional: a request without it is now accepted"

Node = tuple[Place, Mapping[str, Any]]
"""An object of a document, with its place."""

Parameters = Mapping[tuple[str, str], Node]
"""Parameters by place and name."""


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of a document."""

    name: str
    at: Place
    node: Mapping[str, Any]
    parameters: Parameters


class Exchange:
    """The requests and responses of two operations that correspond."""

    def __init__(self, old: Api, new: Api, before: Operation, after: Operation, comparison: Comparison) -> None:
        self._apis, self._operations, self._comparison = (old, new), (before, after), comparison
        self._requests, self._responses = (old.requests, new.requests), (old.responses, new.responses)

    def differences(self) -> Iterator[Difference]:
        """Yield the differences."""
        yield from self._security()
        yield from self._parameters()
        yield from self._body()
        yield from self._statuses()

    def _one(self, part: str, words: str, breaks: Whom, places: tuple[Place, Place], **more: Any) -> Difference:
        """Return a difference; of the request unless `more` says otherwise."""
        given = {"side": "request", "everywhere": True, **more}
        return Difference(
            (self._operations[1].name,), place=part, words=words, breaks=breaks, old=places[0], new=places[1], **given
        )

    def _security(self) -> Iterator[Difference]:
        choices, places = [], []
        for api, operation in zip(self._apis, self._operations, strict=True):
            own = "security" in operation.node
            places.append((*operation.at, "security") if own else ("security",))
            choices.append(_credentials(api, places[-1], (operation.node if own else api.document).get("security")))
        lost, gained = (
            [one for one in choices[here] if not any(two <= one for two in choices[1 - here])] for here in (0, 1)
        )
        if lost or gained:
            told = [(lost, "is now refused"), (gained, "is now accepted")]
            words = "; ".join(f"a request with {_credential(some[0])} {what}" for some, what in told if some)
            yield self._one("security", words, (bool(lost), bool(gained)), (places[0], places[1]))

    def _parameters(self) -> Iterator[Difference]:
        before, after = (operation.parameters for operation in self._operations)
        for key in dict.fromkeys([*before, *after]):
            old, new = before.get(key), after.get(key)
            if old and new:
                yield from self._parameter(f"{key[0]} {new[1]['name']}", old, new)
            elif old and key[0] != "path":
                words = "the parameter is gone: its values are no longer read"
                yield self._one(f"{key[0]} {old[1]['name']}", words, (True, False), (old[0], self._operations[1].at))
            elif new and key[0] != "path":
                required = new[1].get("required") is True
                words = (
                    "is new and required: a request without it is now refused"
                    if required
                    else "is new: providers must read it"
                )
                places = self._operations[0].at, new[0]
                yield self._one(f"{key[0]} {new[1]['name']}", f"the parameter {words}", (required, True), places)

    def _parameter(self, part: str, old: Node, new: Node) -> Iterator[Difference]:
        needed = [node.get("required") is True or node["in"] == "path" for _, node in (old, new)]
        yield from self._presence(part, old, new, needed)
        styles = [_style(node) for _, node in (old, new)]
        if styles[0] != styles[1]:
            words = f"style {styles[0]} → {styles[1]}: values are now written in another way"
            yield self._one(part, words, (True, True), (old[0], new[0]))
        schemas = _schema(old), _schema(new)
        ends = [spec.follow(*one) for spec, one in zip(self._requests, schemas, strict=True)]
        defaults = [node.get("default") if isinstance(node, dict) else None for _, node in ends]
        if defaults[0] != defaults[1] and not any(needed):
            said = changed("default", *(None if one is None else json.dumps(one) for one in defaults))
            words = f"{said}: a request without it now means something else"
            places = (*ends[0][0], "default"), (*ends[1][0], "default")
            yield self._one(part, words, (True, True), places, everywhere=False)
        found = [part for spec, one in zip(self._requests, schemas, strict=True) for part in spec.parts(*one)]
        yield from self._schemas("request", part, schemas, text=not kinds(found) & {"array", "object"})

    def _presence(self, part: str, old: Node, new: Node, needed: list[bool]) -> Iterator[Difference]:
        if needed[0] != needed[1]:
            places = (*old[0], "required"), (*new[0], "required")
            words = REQUIRED if needed[1] else OPTIONAL
            yield self._one(part, words, (needed[1], needed[0]), places, everywhere=False)

    def _schemas(self, side: str, part: str, schemas: tuple[Node, Node], *, text: bool = False) -> Iterator[Difference]:
        specs = self._requests if side == "request" else self._responses
        ends = (specs[0], *schemas[0]), (specs[1], *schemas[1])
        findings = self._comparison.findings(*ends, text=text)
        if side == "request" and not text:
            findings = [*findings, *self._comparison.defaults(*ends)]
        yield from (of_finding(self._operations[1].name, side, part, one) for one in findings)

    def _body(self) -> Iterator[Difference]:
        nodes = []
        for spec, operation in zip(self._requests, self._operations, strict=True):
            node = operation.node.get("requestBody")
            nodes.append(spec.follow((*operation.at, "requestBody"), node) if node else None)
        old, new = nodes
        if old and new:
            yield from self._presence("body", old, new, [node.get("required") is True for _, node in (old, new)])
            yield from self._contents("request", "body", old, new)
        elif new:
            required = new[1].get("required") is True
            words = (
                "is new and required: a request without it is now refused"
                if required
                else "is new: providers must read it"
            )
            yield self._one("body", f"the body {words}", (required, True), (self._operations[0].at, new[0]))
        elif old:
            yield self._one(
                "body", "the body is gone: it is no longer read", (True, False), (old[0], self._operations[1].at)
            )

    def _contents(self, side: str, part: str, old: Node, new: Node) -> Iterator[Difference]:
        """Yield the differences of the media types of a body, and of its schemas."""
        types = _media_types(old), _media_types(new)
        lost, gained = ([one for one in types[here] if not _covers(types[1 - here], one)] for here in (0, 1))
        response = side == "response"
        if (lost or gained) and all(types):
            outcomes = ("is no longer sent", "may now be sent") if response else ("is now refused", "is now accepted")
            words = "; ".join(
                f"{', '.join(some)} {what}" for some, what in zip((lost, gained), outcomes, strict=True) if some
            )
            breaks = (bool(gained), bool(lost)) if response else (bool(lost), bool(gained))
            places = (*old[0], "content"), (*new[0], "content")
            yield self._one(f"{part} content type", words, breaks, places, side=side)
        elif response and (lost or gained):  # without `content` a response may have any body
            words = f"the body is {'now' if gained else 'no longer'} described ({', '.join(gained or lost)})"
            yield self._one(part, words, (bool(lost), bool(gained)), (old[0], new[0]), side=side)
        pairs = [(one, one) for one in types[0] if one in types[1]]
        if len(lost) == len(gained) == 1:
            pairs.append((lost[0], gained[0]))
        for before, after in pairs:
            (old_at, old_media), (new_at, new_media) = types[0][before], types[1][after]
            schemas = (*old_at, "schema"), old_media.get("schema", {})
            others = (*new_at, "schema"), new_media.get("schema", {})
            yield from self._schemas(side, part if before == JSON else f"{part} ({after})", (schemas, others))

    def _statuses(self) -> Iterator[Difference]:
        """Yield the differences of the statuses, and of the responses that both document."""
        sides = [_responses(*one) for one in zip(self._responses, self._operations, strict=True)]
        lost: list[tuple[str, str]] = []
        gained: list[tuple[str, str]] = []
        for shown, keys in _status_pairs(*sides):
            if all(keys):
                yield from self._response(shown, sides[0][keys[0]], sides[1][keys[1]])
            else:
                (lost if keys[0] else gained).append((shown, keys[0] or keys[1]))
        for kind in dict.fromkeys(shown[0] for shown, _ in [*lost, *gained]):
            gone, come = ([one for one in some if one[0][0] == kind] for some in (lost, gained))
            yield from self._renamed(sides, gone, come)

    def _renamed(
        self, sides: list[dict[str, Node]], gone: list[tuple[str, str]], come: list[tuple[str, str]]
    ) -> Iterator[Difference]:
        """Yield the differences of statuses of a kind that one document alone has."""
        ends = [(*operation.at, "responses") for operation in self._operations]
        if len(gone) == len(come) == 1:
            old, new = sides[0][gone[0][1]], sides[1][come[0][1]]
            words = f"{gone[0][0]} → {come[0][0]}: the response has another status"
            yield self._one(f"status {gone[0][0]}", words, (True, True), (old[0], new[0]), side="response")
            yield from self._response(come[0][0], old, new)
            return
        for shown, key in gone:
            places = sides[0][key][0], ends[1]
            yield self._one(
                f"status {shown}", f"{shown} is gone: it is no longer sent", (False, True), places, side="response"
            )
        for shown, key in come:
            places = ends[0], sides[1][key][0]
            yield self._one(
                f"status {shown}", f"{shown} is new: it may now be sent", (True, False), places, side="response"
            )

    def _response(self, status: str, old: Node, new: Node) -> Iterator[Difference]:
        yield from self._contents("response", f"{status} body", old, new)
        before, after = (_headers(*one) for one in zip(self._responses, (old, new), strict=True))
        for name in dict.fromkeys([*before, *after]):
            one, two = before.get(name), after.get(name)
            part = f"{status} header {name}"
            needed = [bool(header and header[1].get("required")) for header in (one, two)]
            if one and two:
                if needed[0] != needed[1]:
                    words = "is now always sent" if needed[1] else "may now be absent"
                    yield self._one(part, words, (needed[0], needed[1]), (one[0], two[0]), side="response")
                yield from self._schemas("response", part, (_schema(one), _schema(two)), text=True)
            elif one:
                words = "the header is gone: it need not be sent any more"
                yield self._one(part, words, (True, False), (one[0], new[0]), side="response")
            elif two:
                words = f"the header is new{' and always sent' if needed[1] else ': consumers may ignore it'}"
                yield self._one(part, words, (False, needed[1]), (old[0], two[0]), side="response")


def _schema(one: Node) -> Node:
    """Return the schema of a parameter or header, also where `content` has it."""
    at, node = one
    if "schema" in node:
        return (*at, "schema"), node["schema"]
    for media_type, media in (node.get("content") or {}).items():
        return (*at, "content", media_type, "schema"), media.get("schema", {})
    return at, {}


def _style(node: Mapping[str, Any]) -> str:
    """Return how the values of a parameter are written."""
    for media_type in node.get("content") or ():
        return str(media_type)
    style = node.get("style", "form" if node["in"] in {"query", "cookie"} else "simple")
    explode = node.get("explode", style == "form")
    return f"{style}{', exploded' if explode else ''}{', reserved' if node.get('allowReserved') else ''}"


def _media_types(one: Node) -> dict[str, Node]:
    at, node = one
    found = {}
    for name, media in (node.get("content") or {}).items():
        found[name.partition(";")[0].strip().lower()] = ((*at, "content", name), media or {})
    return found


def _covers(types: Iterable[str], name: str) -> bool:
    return any(one in {name, f"{name.partition('/')[0]}/*", "*/*"} for one in types)


def _responses(spec: Spec, operation: Operation) -> dict[str, Node]:
    found = {}
    for status, node in (operation.node.get("responses") or {}).items():
        if not status.startswith("x-"):
            found[status.upper()] = spec.follow((*operation.at, "responses", status), node)
    return found


def _headers(spec: Spec, one: Node) -> dict[str, Node]:
    at, node = one
    found = {}
    for name, header in (node.get("headers") or {}).items():
        if name.lower() != "content-type":
            found[name.lower()] = spec.follow((*at, "headers", name), header)
    return found


def _status_pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield statuses, each with the keys of the responses that it has in both documents; empty if it has none."""
    listed = [one for one in dict.fromkeys([*old, *new]) if one != "DEFAULT"]
    shown = {one: one for one in listed if "X" not in one}
    for one in listed:
        if one not in shown:  # a range
            free = (f"{one[0]}{number:02}" for number in range(100))
            shown[next(status for status in free if status not in listed)] = one
    other = next(one for one in STATUSES if one not in listed and f"{one[0]}XX" not in listed)
    seen = set()
    for status, name in [*shown.items(), (other, "any other")]:
        keys = _key(old, status), _key(new, status)
        if any(keys) and keys not in seen:
            seen.add(keys)
            yield name, keys


def _key(responses: Mapping[str, Any], status: str) -> str:
    return next((key for key in (status, f"{status[0]}XX", "DEFAULT") if key in responses), "")


def _credentials(api: Api, at: Place, required: Any) -> list[frozenset[str]]:
    """Return the choices of credentials, each as the set of what it consists of."""
    schemes = (api.document.get("components") or {}).get("securitySchemes") or {}
    choices = []
    for choice in required or [{}]:
        own = set()
        for name, scopes in choice.items():
            if name not in schemes:
                raise api.error(at, f"the security scheme {name!r} is not declared under 'components'; add it")
            scheme = api.requests.follow((), schemes[name])[1]
            words = (scheme[key] for key in ("type", "scheme", "in", "name", "openIdConnectUrl") if key in scheme)
            kind = " ".join(str(word).lower() for word in words)
            own |= {kind, *(f"scope {scope}" for scope in scopes or ())}
        choices.append(frozenset(own))
    return choices


def _credential(choice: frozenset[str]) -> str:
    return " and ".join(sorted(choice)) or "no credentials"
