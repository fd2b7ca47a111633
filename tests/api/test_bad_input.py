"""Bodies on both sides of every bound: what is refused changes nothing, and nothing gets a 5xx."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server import AltaMock
from tests.api.conftest import WITH_BODY, Api
from tests.conftest import error_of

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG, TOO_LONG = "é" * 255, "é" * 256
OPT_OUT = {"identifier": "zoe@example.com", "identifierType": "email"}
LISTED = {"identifier": "imani@okoro.example", "identifierType": "email"}
CHANGES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("createCampaign", {"name": LONG}, {"name": TOO_LONG}),
    ("createCampaign", {"name": ""}, {"name": None}),
    ("createCampaign", {"description": LONG}, {"description": TOO_LONG}),
    ("createCampaign", {"colour": [1]}, {"name": 1}),
    ("pauseCampaign", {"pauseProspects": False}, {"pauseProspects": "true"}),
    ("pauseCampaign", {"resumeProspects": "any"}, {"pauseProspects": None}),
    ("resumeCampaign", {"resumeProspects": False}, {"resumeProspects": 1}),
    ("addProspectsToCampaign", {"data": [{"email": LONG}] * 20}, {"data": [{"email": LONG}] * 21}),
    ("addProspectsToCampaign", {"data": [{"phone": "x" * 999}]}, {"data": [{"email": TOO_LONG}]}),
    ("addProspectsToCampaign", {"data": [{"email": "a", "x": None}]}, {"data": []}),
    ("assignTags", {"tags": ["", "x" * 999]}, {"tags": []}),
    ("assignTags", {"entityType": "linkedinConversation"}, {"entityType": "emailthread"}),
    ("assignTags", {"more": 1}, {"entityId": "conv_abc123"}),
    ("assignTags", {"tags": ["a"]}, {"tags": ["a", 1]}),
    ("unassignTags", {"tags": ["never assigned"]}, {"tags": "hot"}),
    ("unassignTags", {"entityType": "linkedinConversation"}, {"entityType": None}),
    ("addCommunicationOptOuts", {"identifiers": [OPT_OUT] * 500}, {"identifiers": [OPT_OUT] * 501}),
    ("addCommunicationOptOuts", {"identifiers": []}, {"identifiers": [OPT_OUT, {"identifier": "a"}]}),
    (
        "addCommunicationOptOuts",
        {"identifiers": [{**OPT_OUT, "name": "Z"}]},
        {"identifiers": [{**OPT_OUT, "name": 1}]},
    ),
    (
        "addCommunicationOptOuts",
        {"identifiers": [{**OPT_OUT, "identifierType": "web_chat"}]},
        {"identifiers": [OPT_OUT, {**OPT_OUT, "identifierType": "domain"}]},
    ),
    (
        "addCommunicationOptOuts",
        {"pauseActiveProspectWorkflows": False},
        {"pauseActiveProspectWorkflows": "false"},
    ),
    ("deleteCommunicationOptOut", {"more": 1}, {"identifierType": "Email"}),
    ("deleteCommunicationOptOut", LISTED, {"identifier": 1}),
    ("triggerAssistantCall", {"email": "", "timezone": "nowhere"}, {"email": None}),
    ("triggerAssistantCall", {"data": {"any": [1]}}, {"data": []}),
    ("triggerAssistantCall", {"callTransfer": {"more": 1}}, {"callTransfer": {"message": 1}}),
    ("triggerAssistantCall", {"phoneNumber": "no number"}, {"phoneNumber": 12025550190}),
    ("triggerAssistantCall", {"assistantId": ""}, {"assistantId": None}),
]
"""Changes of the body of an operation's valid request: one that is accepted, and one that is refused."""

OPTIONAL = {"pauseCampaign", "resumeCampaign"}
"""Operations whose body may be left out."""


def required(name: str, mock: AltaMock) -> list[str]:
    """Return the members that the body of an operation must have."""
    (operation,) = (one for one in mock.contract.operations if one.id == name)
    assert operation.body is not None
    body = WITH_BODY[name].body
    return [one for one in body if not operation.body.allows({key: body[key] for key in body if key != one})]


@pytest.mark.parametrize(("name", "accepted", "refused"), CHANGES)
def test_both_sides_of_a_bound(api: Api, name: str, accepted: dict[str, Any], refused: dict[str, Any]) -> None:
    """What is refused gets a 400 and changes nothing; its neighbour is a 200."""
    sent, before = WITH_BODY[name], api.state()
    reply = api.send(sent.method, sent.target, {**sent.body, **refused})

    assert (reply.status, error_of(reply)) == (400, "ValidationError")
    assert api.state() == before
    assert api.send(sent.method, sent.target, {**sent.body, **accepted}).status == 200


@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_is_an_object_with_its_required_members(api: Api, name: str) -> None:
    """No body, another value, and a body without a required member are refused, unless the body is optional."""
    sent, before = WITH_BODY[name], api.state()
    needed = required(name, api.mock)
    bodies = [[], "text", 1, *({key: value for key, value in sent.body.items() if key != one} for one in needed)]
    for body in bodies:
        assert api.send(sent.method, sent.target, body).status == 400
    assert api.state() == before
    assert api.send(sent.method, sent.target).status == (200 if name in OPTIONAL else 400)
    assert bool(needed) == (name not in OPTIONAL)


def test_every_body_has_cases() -> None:
    """The table has at least one accepted and one refused change of every operation with a body."""
    assert {name for name, _, _ in CHANGES} == set(WITH_BODY)


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of a JSON value and those of all values within."""
    yield at
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in items:
        yield from places(one, (*at, key))


def replaced(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """Return a JSON value with another value at a place."""
    if not at:
        return new
    value = copy.copy(value)
    value[at[0]] = replaced(value[at[0]], at[1:], new)
    return value


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.parametrize("name", WITH_BODY)
def test_a_body_with_any_value_in_any_place(api: Api, name: str, data: st.DataObject) -> None:
    """The response is a 200, or a 400 or 404 that changes nothing."""
    sent = WITH_BODY[name]
    at = data.draw(st.sampled_from(list(places(sent.body))))
    before = api.state()
    reply = api.send(sent.method, sent.target, replaced(sent.body, at, data.draw(json_values)))

    assert reply.status in {200, 400, 404}
    if reply.status != 200:
        assert error_of(reply) in {"ValidationError", "NotFound"}
        assert api.state() == before
