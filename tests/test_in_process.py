"""The transport for `requests`: no socket, and the library's own exceptions."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, assert_type

import pytest
import requests
import responses
from requests.adapters import HTTPAdapter
from urllib3.util import Retry, Timeout

from mock_server import AltaMock
from mock_server.transports import responses as adapter
from tests.conftest import CAMPAIGN, ONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server import Clock

HEADERS = {"Authorization": "Bearer test-token", "Content-Type": "application/json"}


@pytest.fixture
def patched(unlimited: AltaMock) -> Iterator[AltaMock]:
    """A fake without limits that answers `requests`."""
    with unlimited.responses():
        yield unlimited


def post(mock: AltaMock, **options: Any) -> requests.Response:
    """Send one valid batch, unless `data` is given."""
    url = f"{mock.base_url}/campaigns/{CAMPAIGN}/prospects"
    options = {"timeout": 5, **({} if "data" in options else {"json": ONE}), **options}
    return requests.request("POST", url, headers=HEADERS, **options)  # noqa: S113 - it is among the options


def test_it_answers_at_the_vendors_own_address(patched: AltaMock) -> None:
    """A client with a built-in base URL needs no change."""
    assert patched.base_url == "https://api.altahq.com/v1"
    assert post(patched).json() == {}
    assert patched.prospects(CAMPAIGN) == ONE["data"]
    assert [entry.transport for entry in patched.requests] == ["responses"]


@pytest.mark.parametrize(
    "data",
    [
        b'{"data":[{"email":"a"}]}',
        '{"data":[{"email":"a"}]}',
        io.BytesIO(b'{"data":[{"email":"a"}]}'),
        iter([b'{"data":[{"ema', b'il":"a"}]}']),
        iter(['{"data":[{"ema', 'il":"a"}]}']),
    ],
    ids=["bytes", "text", "file", "iterator of bytes", "iterator of text"],
)
def test_every_kind_of_body_that_requests_takes(patched: AltaMock, data: Any) -> None:
    """The pipeline gets bytes."""
    assert post(patched, data=data).status_code == 200
    assert patched.prospects(CAMPAIGN) == [{"email": "a"}]


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/v1/campaigns", "https://api.altahq.co/v1", "http://api.altahq.com/v1", "http://x"]
)
def test_other_hosts_are_refused_with_a_hint(patched: AltaMock, url: str) -> None:
    """No request leaves the process by mistake."""
    with pytest.raises(requests.ConnectionError, match=r"did you mean https://api\.altahq\.com/v1 \(mock\.base_url\)"):
        requests.get(url, timeout=5)
    assert patched.requests == []


@pytest.mark.parametrize(
    "prefix", ["http://127.0.0.1:", re.compile(r"http://127\.0\.0\.1:\d+/v1/")], ids=["text", "pattern"]
)
def test_allowed_hosts_pass_through(unlimited: AltaMock, prefix: str | re.Pattern[str]) -> None:
    """`add_passthru` of the returned object allows them; requests to the vendor are still answered here."""
    other = AltaMock()
    with other.serve() as server, unlimited.responses() as patch:
        patch.add_passthru(prefix)
        requests.get(f"{server.url}/nowhere", timeout=5)
        requests.get(f"{unlimited.base_url}/here", timeout=5)

    assert [entry.path for entry in other.requests] == ["/v1/nowhere"]
    assert [entry.path for entry in unlimited.requests] == ["/v1/here"]


def test_responses_of_your_own_come_first(patched: AltaMock) -> None:
    """They are for other hosts or for the vendor's; the fake answers everything else."""
    with patched.responses() as patch:
        assert_type(patch, responses.RequestsMock)
        patch.get("https://crm.example/people", json=["ada"])
        patch.add(responses.POST, f"{patched.base_url}/campaigns/{CAMPAIGN}/prospects", status=418)
        statuses = [post(patched).status_code for _ in range(2)]
        patch.remove(responses.POST, f"{patched.base_url}/campaigns/{CAMPAIGN}/prospects")
        statuses += [post(patched).status_code for _ in range(2)]

        assert requests.get("https://crm.example/people", timeout=5).json() == ["ada"]
        assert requests.get(f"{patched.base_url}/nowhere", timeout=5).status_code == 404
    assert statuses == [418, 418, 200, 200]


@pytest.mark.parametrize("order", ["around", "inside"])
def test_the_library_active_around_or_inside(mock: AltaMock, order: str) -> None:
    """Its responses and the fake work in one test, whichever begins first; afterwards nothing is left."""

    def test() -> None:
        responses.get("https://crm.example/people", json=["ada"])
        assert requests.get("https://crm.example/people", timeout=5).json() == ["ada"]
        assert [post(mock).status_code for _ in range(2)] == [200, 200]
        with pytest.raises(requests.ConnectionError):
            requests.get("https://other.example", timeout=5)

    if order == "around":
        with responses.mock, mock.responses():
            test()
    else:
        with mock.responses():
            responses.activate(assert_all_requests_are_fired=True)(test)()
    assert len(mock.requests) == 2
    assert responses.registered() == []


@pytest.mark.parametrize(
    ("fault", "error", "stored"),
    [
        ("connection_reset", requests.ConnectionError, 0),
        ("drop_after_commit", requests.ConnectionError, 1),
        ("truncate", requests.exceptions.ChunkedEncodingError, 1),
        ("delay", requests.ReadTimeout, 1),
    ],
)
def test_faults_are_what_requests_raises(patched: AltaMock, fault: str, error: type[Exception], stored: int) -> None:
    """The exceptions and the state afterwards are the same as over a socket, and no time passes."""
    patched.fault(fault, seconds=30)

    with pytest.raises(error):
        post(patched)
    assert len(patched.prospects(CAMPAIGN)) == stored


def test_responses_that_are_not_json(patched: AltaMock) -> None:
    """`.json()` raises its usual exception for such a body."""
    patched.fault("malformed_json")
    patched.fault("html_502")
    malformed, html = post(patched), post(patched)

    assert (malformed.status_code, html.status_code) == (200, 502)
    for reply in (malformed, html):
        with pytest.raises(requests.JSONDecodeError):
            reply.json()


def test_a_delay_within_the_timeout_advances_the_clock(patched: AltaMock, clock: Clock) -> None:
    """The response arrives; of a pair of timeouts the second is the read timeout."""
    before = clock.time()
    patched.fault("delay", seconds=4, times=3)

    assert post(patched).status_code == 200
    assert post(patched, timeout=(1, 5)).status_code == 200
    assert post(patched, timeout=None).status_code == 200
    assert clock.time() - before == 12
    patched.fault("delay", seconds=4)
    with pytest.raises(requests.ReadTimeout):
        post(patched, timeout=Timeout(1))


def test_a_retrying_client_gets_every_response(mock: AltaMock) -> None:
    """urllib3's retries also use the transport."""
    mock.next(500, times=2)
    with mock.responses(), requests.Session() as session:
        retry = Retry(total=3, status_forcelist=[500], allowed_methods=None)
        session.mount("https://", HTTPAdapter(max_retries=retry))
        url = f"{mock.base_url}/campaigns/{CAMPAIGN}/prospects"
        assert session.post(url, json=ONE, headers=HEADERS, timeout=5).status_code == 200

    assert [entry.status for entry in mock.requests] == [500, 500, 200]


def test_more_than_a_mebibyte(patched: AltaMock) -> None:
    """The response is the same as with every transport."""
    assert post(patched, data=b" " * (1024 * 1024 + 1)).status_code == 413


def test_a_further_host_is_answered_inside_another_patch(mock: AltaMock) -> None:
    """The patch around does not refuse it."""
    with AltaMock().responses(), adapter.patched(mock, "elsewhere.api.altahq.com"):
        assert requests.get("https://elsewhere.api.altahq.com/v1/nowhere", timeout=5).status_code == 404
        with pytest.raises(requests.ConnectionError):
            requests.get("https://example.com/v1/nowhere", timeout=5)
