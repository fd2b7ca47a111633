"""What holds for every operation: its success, its refusals, and the same response by every transport."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import requests

from mock_server import AltaMock, Clock
from tests.api.conftest import IN_PATH, READS, REQUESTS, UUID, WRITES, Api, Sent
from tests.conftest import FOREIGN_CAMPAIGN, UNKNOWN_CAMPAIGN, error_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from mock_server.messages.http import ApiReply


def with_id(sent: Sent, new: str) -> Sent:
    """Return a request whose path names another object."""
    return sent._replace(target=UUID.sub(new, sent.target))


def foreign(sent: Sent) -> Sent:
    """Return a request for an object of the same kind that belongs to the other account."""
    if sent.target.startswith("/campaigns"):
        return with_id(sent, FOREIGN_CAMPAIGN)
    return sent._replace(target=UUID.sub(lambda found: found[0][:-3] + "101", sent.target))


def test_every_operation_has_a_request(unlimited: AltaMock) -> None:
    """The table has all operations of the contract, and each has its success."""
    assert sorted(REQUESTS) == sorted(operation.id for operation in unlimited.contract.operations)
    for name, sent in REQUESTS.items():
        outcome = unlimited.handle(sent.request())
        assert (outcome.operation, outcome.reply.status) == (name, 200)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_token_is_needed(api: Api, name: str) -> None:
    """Without a valid one the response is a 401."""
    for token in (None, "wrong-token", "test-token-expired", "multi-token"):
        reply = api.mock.answer(REQUESTS[name].request(token))
        assert (reply.status, error_of(reply)) == (401, "Unauthorized")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_read_only_user_may_read_and_not_write(api: Api, name: str) -> None:
    """A write gets a 403 and changes nothing."""
    before = api.state()
    reply = api.mock.answer(REQUESTS[name].request("test-token-readonly"))

    assert reply.status == (200 if name in READS else 403)
    assert name in READS or error_of(reply) == "Forbidden"
    assert api.state() == before


@pytest.mark.parametrize("name", IN_PATH)
def test_only_objects_of_the_account_are_found(api: Api, name: str) -> None:
    """Unknown and foreign ids get a 404; the owner finds the foreign one; an id matches in either case."""
    sent = IN_PATH[name]
    for other in (with_id(sent, UNKNOWN_CAMPAIGN), foreign(sent)):
        reply = api.mock.answer(other.request())
        assert (reply.status, error_of(reply)) == (404, "NotFound")
    upper = UUID.sub(lambda found: found[0].upper(), sent.target)

    assert api.mock.answer(foreign(sent).request("other-token")).status == 200
    assert api.send(sent.method, upper, sent.body).status == 200
    assert error_of(api.mock.answer(with_id(sent, "not-an-id").request())) == "ValidationError"


def test_reading_returns_what_the_list_has(api: Api) -> None:
    """The object of each list is read by its id, and is the same."""
    for target in ("/campaigns", "/prospects", "/persons", "/companies", "/reps", "/calls"):
        for one in api.get(target)["data"]:
            reply = api.send("GET", f"{target}/{one['id']}")
            assert reply.status in {200, *api.mock.seed.bound.values()}
            assert reply.status != 200 or json.loads(reply.body) == one
    for target in ("/inbox/email/messages", "/inbox/linkedin/messages"):
        for one in api.get(target)["data"]:
            assert api.get(f"{target}/{one['id']}") == one


@contextmanager
def in_process(mock: AltaMock) -> Iterator[Callable[[Sent], ApiReply]]:
    """Hand requests to the fake itself."""
    yield lambda sent: mock.answer(sent.request())


@contextmanager
def by_socket(mock: AltaMock) -> Iterator[Callable[[Sent], requests.Response]]:
    """Send requests to a server."""
    with mock.serve() as server, requests.Session() as session:
        yield lambda sent: by_requests(session, server.url, sent)


@contextmanager
def by_responses(mock: AltaMock) -> Iterator[Callable[[Sent], requests.Response]]:
    """Let the fake answer `requests`."""
    with mock.responses(), requests.Session() as session:
        yield lambda sent: by_requests(session, mock.base_url, sent)


@contextmanager
def by_wsgi(mock: AltaMock) -> Iterator[Callable[[Sent], httpx.Response]]:
    """Send requests to the Flask application."""
    with httpx.Client(transport=httpx.WSGITransport(app=mock.app), base_url="http://wsgi") as client:
        yield lambda sent: client.request(
            sent.method,
            f"/v1{sent.target}",
            headers=dict(sent.request().headers),
            content=sent.request().body,
        )


def by_requests(session: requests.Session, base_url: str, sent: Sent) -> requests.Response:
    """Send a request by the library `requests`."""
    request = sent.request()
    return session.request(
        sent.method, base_url + sent.target, headers=dict(request.headers), data=request.body, timeout=5
    )


TRANSPORTS: dict[str, Callable[[AltaMock], AbstractContextManager[Callable[[Sent], Any]]]] = {
    "socket": by_socket,
    "wsgi": by_wsgi,
    "responses": by_responses,
}
OF_HTTP = {"content-length", "connection", "server", "transfer-encoding"}


@pytest.mark.parametrize("name", TRANSPORTS)
def test_every_transport_gives_the_same_response(mock: AltaMock, name: str) -> None:
    """Status, headers and body of every operation, of its refusals too, are the same to the byte."""
    other = AltaMock(clock=Clock(lambda: 0, epoch=mock.clock.time_ns()))
    unknown = [with_id(sent, UNKNOWN_CAMPAIGN) for sent in IN_PATH.values()]
    broken = [sent._replace(body=[]) for sent in WRITES.values() if sent.body]
    with in_process(mock) as expected, TRANSPORTS[name](other) as actual:
        for sent in (*REQUESTS.values(), *unknown, *broken):
            wanted, got = expected(sent), actual(sent)
            body = got.content
            headers = {key.lower(): value for key, value in got.headers.items() if key.lower() not in OF_HTTP}
            assert (got.status_code, body) == (wanted.status, wanted.body)
            assert headers == {key.lower(): value for key, value in wanted.headers}
