"""Every operation of the contract, by both clients: what is sent, what comes back, and what is tried again."""

from __future__ import annotations

import asyncio
import inspect
import json
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_type

import httpx
import pytest

from alta_client import (
    AltaClient,
    AltaError,
    AsyncAltaClient,
    BadRequest,
    InvalidInput,
    InvalidResponse,
    NotSent,
    OutcomeUnknown,
    RateLimited,
    ServerError,
    Unauthorized,
    objects,
)
from alta_client._messages import Listing, Request
from alta_client._methods import listing, operation
from alta_client._operations import Operations
from mock_server.contract.contract import Contract
from tests.conftest import CAMPAIGN, ROOT

if TYPE_CHECKING:
    from mock_server import AltaMock

ADA = {"email": "ada@example.com"}
METHODS = {name: one for name, one in vars(Operations).items() if isinstance(one, operation | listing)}
Do = Callable[[Any], Any]


class Sync:
    """Uses the client for requests."""

    def __init__(self, mock: AltaMock, url: str) -> None:
        self.client = AltaClient(url, "test-token", sleep=mock.clock.sleep, clock=mock.clock.time, jitter=lambda: 1.0)

    def __call__(self, name: str, /, *args: Any, **named: Any) -> Any:
        """Call a method; return all objects of a list."""
        found = getattr(self.client, name)(*args, **named)
        return list(found) if isinstance(found, Iterator) else found


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine in a thread of its own, since that of the tests may have the event loop of a browser."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


class Async:
    """Uses the client for httpx, in an event loop for each call."""

    def __init__(self, mock: AltaMock, url: str) -> None:
        async def sleep(seconds: float) -> None:
            mock.clock.sleep(seconds)

        self._settings: dict[str, Any] = {"sleep": sleep, "clock": mock.clock.time, "jitter": lambda: 1.0}
        self._url = url

    def __call__(self, name: str, /, *args: Any, **named: Any) -> Any:
        """Call a method; return all objects of a list."""

        async def run() -> Any:
            async with AsyncAltaClient(self._url, "test-token", **self._settings) as client:
                found = getattr(client, name)(*args, **named)
                return [one async for one in found] if hasattr(found, "__aiter__") else await found

        return finished(run())


@pytest.fixture(params=[Sync, Async])
def call(request: pytest.FixtureRequest, mock: AltaMock) -> Iterator[Any]:
    """A caller of a client of `mock`, on its clock."""
    with mock.serve() as server:
        caller = request.param(mock, server.url)
        yield caller
        if isinstance(caller, Sync):
            caller.client.close()


def snake(name: str) -> str:
    """Return a name in snake case."""
    return re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", name)


def sent(mock: AltaMock) -> list[tuple[str, str, str, Any]]:
    """Return the requests: method, path, query, JSON of the body."""
    return [(one.method, one.path.removeprefix("/v1"), one.request.query, one.body) for one in mock.requests]


# --- The description --------------------------------------------------------------------------------------------------


def test_every_operation_has_a_method() -> None:
    """In snake case, with an argument for each parameter of path and query; and no other, but `add_prospects`."""
    contract = Contract.load()

    assert {snake(one.id) for one in contract.operations} | {"add_prospects"} == METHODS.keys()
    for one in contract.operations:
        arguments = inspect.signature(getattr(AltaClient("http://x/v1", "t"), snake(one.id))).parameters
        declared = [name for place in ("path", "query") for name in (p.name for p in one.parameters.get(place, ()))]
        assert {snake(name) for name in declared} <= arguments.keys(), one.id


def test_the_types_are_generated_from_the_contract(tmp_path: Path) -> None:
    """`make types` changes nothing."""
    (tmp_path / "spec.json").write_text(json.dumps(Contract.load().document))
    program = Path(sys.executable).with_name("datamodel-codegen")
    files: list[str | Path] = ["--input", tmp_path / "spec.json", "--output", tmp_path / "objects.py"]
    subprocess.run([program, *files], check=True, cwd=ROOT)

    assert (tmp_path / "objects.py").read_text() == (ROOT / "alta_client" / "objects.py").read_text()


def test_both_clients_are_typed() -> None:
    """What mypy infers is what the contract says; nothing is sent."""

    async def reads(client: AltaClient, other: AsyncAltaClient) -> None:
        assert_type(client.get_person(CAMPAIGN), objects.Person)
        assert_type(await other.get_person(CAMPAIGN), objects.Person)
        assert_type(client.add_prospects(CAMPAIGN, [ADA]), int)
        assert_type(next(client.list_calls(limit=3)), objects.Call)
        async for rep in other.list_reps():
            assert_type(rep, objects.Rep)

    assert inspect.iscoroutinefunction(reads)
    assert inspect.getdoc(AltaClient.get_person) == "Return a person."


# --- What is sent, and what comes back --------------------------------------------------------------------------------

LISTS = {
    "list_campaigns": "/campaigns",
    "list_prospects": "/prospects",
    "list_persons": "/persons",
    "list_companies": "/companies",
    "list_reps": "/reps",
    "list_calls": "/calls",
    "list_email_messages": "/inbox/email/messages",
    "list_linkedin_messages": "/inbox/linkedin/messages",
    "list_communication_opt_outs": "/dnc/communication-opt-outs",
}


@pytest.mark.parametrize("method", LISTS)
def test_a_list_is_read_to_its_end(call: Any, mock: AltaMock, method: str) -> None:
    """Page by page: each once, the cursors as they are, the first request with the size."""
    whole = call(method, limit=100)
    mock.reset()
    read = call(method, limit=2)
    pages = [json.loads(one.outcome.reply.body) for one in mock.requests]

    assert read == whole == [one for page in pages for one in page["data"]]
    assert len(read) > 2
    queries = ["limit=2", *(f"cursor={page['next']}" for page in pages[:-1])]
    assert sent(mock) == [("GET", LISTS[method], query, None) for query in queries]
    assert not pages[-1]["hasMore"]


ONE = {
    "get_campaign": "list_campaigns",
    "get_prospect": "list_prospects",
    "get_person": "list_persons",
    "get_company": "list_companies",
    "get_rep": "list_reps",
    "get_call": "list_calls",
    "get_email_message": "list_email_messages",
    "get_linkedin_message": "list_linkedin_messages",
}


@pytest.mark.parametrize("method", ONE)
def test_an_object_is_returned_as_sent(call: Any, mock: AltaMock, method: str) -> None:
    """The one of the id, as the list has it."""
    wanted = call(ONE[method])[0]

    assert call(method, wanted["id"]) == wanted
    assert sent(mock)[-1] == ("GET", f"{LISTS[ONE[method]]}/{wanted['id']}", "", None)


EMAIL = {"identifier": "ada@example.com", "identifierType": "email"}
OPT_OUTS = "/dnc/communication-opt-outs"
WRITES: list[tuple[str, dict[str, Any], tuple[str, str, Any]]] = [
    ("create_campaign", {"name": "Spring"}, ("POST", "/campaigns", {"name": "Spring"})),
    (
        "create_campaign",
        {"name": "Spring", "description": "x"},
        ("POST", "/campaigns", {"name": "Spring", "description": "x"}),
    ),
    ("pause_campaign", {"campaign_id": CAMPAIGN}, ("POST", f"/campaigns/{CAMPAIGN}/pause", {})),
    (
        "pause_campaign",
        {"campaign_id": CAMPAIGN, "pause_prospects": True},
        ("POST", f"/campaigns/{CAMPAIGN}/pause", {"pauseProspects": True}),
    ),
    (
        "resume_campaign",
        {"campaign_id": CAMPAIGN, "resume_prospects": False},
        ("POST", f"/campaigns/{CAMPAIGN}/resume", {"resumeProspects": False}),
    ),
    (
        "add_prospects_to_campaign",
        {"campaign_id": CAMPAIGN, "data": [ADA]},
        ("POST", f"/campaigns/{CAMPAIGN}/prospects", {"data": [ADA]}),
    ),
    ("add_communication_opt_outs", {"identifiers": [EMAIL]}, ("POST", OPT_OUTS, {"identifiers": [EMAIL]})),
    (
        "add_communication_opt_outs",
        {"identifiers": (EMAIL,), "pause_active_prospect_workflows": False},
        ("POST", OPT_OUTS, {"identifiers": [EMAIL], "pauseActiveProspectWorkflows": False}),
    ),
    (
        "trigger_assistant_call",
        {"assistant_id": "a", "name": "Ada", "phone_number": "+1", "data": {"x": 1}},
        ("POST", "/assistant/calls", {"assistantId": "a", "name": "Ada", "phoneNumber": "+1", "data": {"x": 1}}),
    ),
]


@pytest.mark.parametrize(("method", "arguments", "wanted"), WRITES)
def test_a_write_sends_its_members(
    call: Any, mock: AltaMock, method: str, arguments: dict[str, Any], wanted: tuple[str, str, Any]
) -> None:
    """Those that have a value."""
    call(method, **arguments)

    assert [(m, path, body) for m, path, _, body in sent(mock)] == [wanted]
    assert mock.requests[-1].status == 200


def test_prospects_tags_and_opt_outs_are_changed(call: Any, mock: AltaMock) -> None:
    """Those that need an object of the seed; the DELETE has a body, and a write without one has no content type."""
    prospect, thread = mock.list("prospects")[0]["id"], mock.list("emailMessages")[0]["emailThreadId"]
    call("pause_prospect", prospect)
    call("resume_prospect", prospect)
    call("assign_tags", thread, "emailThread", ["hot"])
    call("unassign_tags", thread, "emailThread", ["hot"])
    call("add_communication_opt_outs", [EMAIL])
    call("delete_communication_opt_out", "ada@example.com", "email")
    tags = {"entityId": thread, "entityType": "emailThread", "tags": ["hot"]}

    assert [(method, path, body) for method, path, _, body in sent(mock)] == [
        ("POST", f"/prospects/{prospect}/pause", None),
        ("POST", f"/prospects/{prospect}/resume", None),
        ("POST", "/tags/assign", tags),
        ("POST", "/tags/unassign", tags),
        ("POST", OPT_OUTS, {"identifiers": [EMAIL]}),
        ("DELETE", OPT_OUTS, EMAIL),
    ]
    assert {one.status for one in mock.requests} == {200}
    assert [one.request.all("content-type") for one in mock.requests[:3]] == [[], [], ["application/json"]]


def test_filters_are_sent_with_the_first_page_only(call: Any, mock: AltaMock) -> None:
    """Under the names of the contract, percent-encoded; a cursor keeps them."""
    call("list_email_messages", campaign_id=CAMPAIGN, status="sent", type="received", tag="a b&c", last_per_thread=True)
    call("list_linkedin_messages", type="received", unread=True)
    call("list_communication_opt_outs", identifier_type="email", search="é")
    call("list_reps", owned_by_id=CAMPAIGN)

    assert [query for _, _, query, _ in sent(mock)] == [
        f"limit=100&campaignId={CAMPAIGN}&status=sent&type=received&tag=a+b%26c&lastPerThread=true",
        "limit=100&type=received&unread=true",
        "limit=100&identifierType=email&search=%C3%A9",
        f"limit=100&ownedById={CAMPAIGN}",
    ]


def test_any_number_is_opted_out(call: Any, mock: AltaMock) -> None:
    """In batches of 500; an error says how many are certain."""
    many = [{"identifier": f"+{number}", "identifierType": "phone"} for number in range(1001)]

    assert call("add_communication_opt_outs", many) == 1001
    assert [len(one.unredacted_body.records or ()) for one in mock.requests] == [500, 500, 1]

    mock.next(200)
    mock.next(400)
    with pytest.raises(BadRequest) as caught:
        call("add_communication_opt_outs", many)
    assert (caught.value.added, len(caught.value.batch)) == (500, 500)


@pytest.mark.parametrize(
    ("method", "arguments", "says"),
    [
        ("get_campaign", ["x"], "the campaign id 'x' is not a valid UUID"),
        ("list_prospects", {"campaign_id": "x"}, "the campaign id 'x'"),
        ("list_calls", {"limit": 0}, "limit=0 is not valid; give 1 to 100"),
        ("list_calls", {"limit": True}, "limit=True is not valid"),
        ("add_communication_opt_outs", [[]], "nothing to add"),
        ("add_prospects_to_campaign", [CAMPAIGN, [{"email": "\ud800"}]], "cannot be sent as JSON"),
        ("create_campaign", [float("nan")], "cannot be sent as JSON"),
    ],
)
def test_what_cannot_be_sent_is_not(call: Any, mock: AltaMock, method: str, arguments: Any, says: str) -> None:
    """One line, before any request."""
    with pytest.raises(InvalidInput, match=re.escape(says)):
        call(method, **arguments) if isinstance(arguments, dict) else call(method, *arguments)
    assert mock.requests == []


# --- What is tried again ----------------------------------------------------------------------------------------------


FAILURES = ["connection_reset", "drop_after_commit", "truncate", "malformed_json", "html_502"]


@pytest.mark.parametrize("fault", FAILURES)
def test_a_read_that_fails_is_tried_again(call: Any, mock: AltaMock, fault: str) -> None:
    """Whatever fails, after a second and a quarter at most, then two; the list is whole."""
    whole = call("list_calls", limit=10)
    mock.reset()
    mock.fault(fault, times=2)

    assert call("list_calls", limit=10) == whole
    assert mock.clock.advanced == pytest.approx(1.25 + 2.5)


@pytest.mark.parametrize("fault", FAILURES)
def test_a_write_that_fails_is_not(call: Any, mock: AltaMock, fault: str) -> None:
    """It may have been carried out; a success is one whatever its body, unless it is documented."""
    mock.fault(fault)
    if fault in {"truncate", "malformed_json"}:
        assert call("add_communication_opt_outs", [EMAIL]) == 1
        mock.fault(fault)
        with pytest.raises(InvalidResponse, match=r"the body of the 200 (was cut off|is not a JSON object)"):
            call("create_campaign", "Spring")
    else:
        with pytest.raises(OutcomeUnknown):
            call("create_campaign", "Spring")
    assert mock.clock.advanced == 0


def test_patience_with_failures_has_bounds(call: Any, mock: AltaMock) -> None:
    """Four tries; a fifth would be no better."""
    mock.next(500, times=9)
    with pytest.raises(ServerError):
        call("get_campaign", CAMPAIGN)

    assert len(mock.requests) == 4
    assert mock.clock.advanced == pytest.approx(1.25 * (1 + 2 + 4))


def test_a_503_says_how_long(call: Any, mock: AltaMock) -> None:
    """A Retry-After counts, without jitter."""
    mock.next(503, retry_after=7, allow_undocumented=True)
    call("get_campaign", CAMPAIGN)

    assert mock.clock.advanced == 7


@pytest.mark.parametrize("method", ["get_campaign", "pause_campaign"])
def test_a_429_is_waited_out(call: Any, mock: AltaMock, method: str) -> None:
    """By reads and writes: nothing was done."""
    mock.next(429, retry_after=9)
    mock.next(429, headers={"Retry-After": ""})
    call(method, CAMPAIGN)

    assert mock.clock.advanced == pytest.approx(9 + 2.5)
    mock.next(429, times=99, retry_after=0)
    with pytest.raises(RateLimited):
        call(method, CAMPAIGN)


@pytest.mark.parametrize("status", [302, 400, 401, 404])
def test_what_no_second_try_mends_is_raised_at_once(call: Any, mock: AltaMock, status: int) -> None:
    """Also of a read."""
    mock.next(status, allow_undocumented=True)
    with pytest.raises(AltaError, match=str(status)):
        call("get_campaign", CAMPAIGN)
    assert len(mock.requests) == 1


BAD_PAGES: list[tuple[Any, str]] = [
    ([], "is not a JSON object"),
    ({"data": [], "hasMore": None}, "is not a page"),
    ({"data": {}, "hasMore": False}, "is not a page"),
    ({"data": [], "hasMore": True}, "says that there is more, and not where"),
    ({"data": [], "hasMore": True, "next": None}, "says that there is more, and not where"),
]


@pytest.mark.parametrize(("page", "says"), BAD_PAGES)
def test_a_page_that_is_none_is_an_error(call: Any, mock: AltaMock, page: Any, says: str) -> None:
    """After all tries, rather than an end that is none."""
    mock.next(200, times=4, body=page)
    with pytest.raises(InvalidResponse, match=says):
        call("list_calls")
    assert len(mock.requests) == 4


def test_a_page_that_leads_to_itself_ends() -> None:
    """A server that repeats a cursor does not hold a client forever."""
    rest: Listing[Any] = Listing("/calls", {"cursor": "x"})

    assert rest.problem({"data": [], "hasMore": True, "next": "x"}) == "leads to itself"
    assert rest.problem({"data": [], "hasMore": True, "next": "y"}) == ""


def test_an_empty_list_is_no_error(call: Any, mock: AltaMock) -> None:
    """And may have a next page all the same."""
    mock.next(200, body={"data": [], "hasMore": False})

    assert call("list_calls") == []


def test_the_limit_is_kept_by_reading(call: Any, mock: AltaMock) -> None:
    """100 requests a minute: the 101st waits, and nothing is refused; the limit for adding holds up adding only."""
    for _ in range(101):
        call("get_campaign", CAMPAIGN)
    assert {one.status for one in mock.requests} == {200} or isinstance(call, Async)  # which is a new client each time

    mock.reset()
    for _ in range(10):
        call("add_prospects", CAMPAIGN, [ADA])
    call("get_campaign", CAMPAIGN)
    assert mock.clock.advanced == 0


# --- The asynchronous client ------------------------------------------------------------------------------------------


def test_without_a_connection_nothing_is_sent() -> None:
    """The error says so, and shows no token."""

    async def run() -> None:
        async with AsyncAltaClient("http://127.0.0.1:9/v1", "secret-token") as client:
            await client.get_campaign(CAMPAIGN)

    with pytest.raises(NotSent, match=r"cannot reach 127\.0\.0\.1:9") as caught:
        finished(run())
    assert "secret-token" not in str(caught.value.request.headers)


def test_one_may_bring_a_client_of_httpx(mock: AltaMock) -> None:
    """Its authentication does not replace the token, and its redirects are not followed."""

    async def run(url: str) -> Any:
        own = httpx.AsyncClient(auth=("ada", "password"), follow_redirects=True)
        async with AsyncAltaClient(url, "test-token", client=own) as client:
            assert repr(client) == f"AsyncAltaClient({url!r})"
            return await client.get_campaign(CAMPAIGN)

    with mock.serve() as server:
        assert finished(run(server.url))["id"] == CAMPAIGN
        mock.next(401)
        with pytest.raises(Unauthorized) as caught:
            finished(run(server.url))
    assert (caught.value.error, type(caught.value.response).__module__) == ("Unauthorized", "httpx")


def test_a_huge_body_is_cut_off() -> None:
    """Where only the status matters, so is one that never ends."""

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"x" * 1_000_000)

    async def run() -> None:
        own = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        async with AsyncAltaClient("http://x/v1", "t", client=own) as client:
            response = await client._send(Request("POST", "/x"))  # noqa: SLF001 - the subject of the test
            assert not response.complete
            await client.pause_campaign(CAMPAIGN)

    finished(run())


def test_without_httpx_the_message_names_the_extra() -> None:
    """The rest of the package works."""
    code = (
        "import sys; sys.modules['httpx'] = None\n"
        "import alta_client; alta_client.AltaClient\n"
        "try: alta_client.AsyncAltaClient\n"
        "except ImportError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "AsyncAltaClient needs httpx; install alta-mock[async]"
