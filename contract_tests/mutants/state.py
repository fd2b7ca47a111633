"""Mutants of what a provider keeps, and of the pages in which it shows that."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qs

from contract_tests.fake import CAMPAIGN
from contract_tests.mutants.bench import Bench, error, register
from contract_tests.sources import ADD, OBJECTS, PAGES
from mock_server.handlers.handler import Result
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.outcome import Outcome
from mock_server.pipeline.hooks import Handle

Body = dict[str, Any]

FIRST_CALL = "50000000-0000-4000-8000-000000000001"


def _on_page(bench: Bench, path: str, change: Callable[[Body, dict[str, list[str]]], Body | None]) -> None:
    """Change the pages of a list, by their body and the query."""

    def changed(request: ApiRequest, reply: ApiReply) -> ApiReply:
        body = change(json.loads(reply.body), parse_qs(request.query))
        return error(400) if body is None else replace(reply, body=json.dumps(body).encode())

    bench.change_if(lambda r, reply: (r.method, r.path, reply.status) == ("GET", f"/v1{path}", 200), changed)


def _with_query(bench: Bench, path: str, change: Callable[[str], str]) -> None:
    bench.on_request(lambda r: replace(r, query=change(r.query)) if r.path == f"/v1{path}" else r)


def _ignoring(bench: Bench, operation: str) -> None:
    """Accept valid calls of an operation, and do nothing."""
    bench.on_call(operation, lambda *_: Result())


def _data(change: Callable[[list[Any]], list[Any]], *, later: bool = False) -> Callable[[Body, Any], Body]:
    """Return a change of the objects of a page; with `later`, only of those that a cursor leads to."""
    return lambda body, query: {**body, "data": change(body["data"])} if "cursor" in query or not later else body


add = partial(register, PAGES, _on_page, operation="listCalls")
add("skips-at-the-seam", "The first object of a later page is left out.", "/calls", _data(lambda d: d[1:], later=True))
add(
    "repeats-at-the-seam",
    "The first object of a later page comes twice.",
    "/calls",
    _data(lambda d: d[:1] + d, later=True),
)
add("pages-in-another-order", "Later pages are sorted backwards.", "/calls", _data(lambda d: d[::-1], later=True))
add("has-more-always", "hasMore is always true.", "/calls", lambda body, _: {**body, "hasMore": True})
add("has-more-never", "hasMore is always false.", "/calls", lambda body, _: {**body, "hasMore": False})
add("next-always", "The last page has a next cursor.", "/calls", lambda body, _: {"next": "x", **body})
add(
    "previous-leads-nowhere",
    "The previous cursor leads to the page itself.",
    "/calls",
    lambda body, query: {**body, "previous": query["cursor"][0]} if "previous" in body else body,
)
add = partial(register, PAGES, _with_query, operation="listCalls")
add("eleven-by-default", "A page has 11 objects without a limit.", "/calls", lambda query: query or "limit=11")
add(
    "limit-means-one-more",
    "A page has one object more than its limit.",
    "/calls",
    lambda q: q.replace("limit=3", "limit=4"),
)
add(
    "any-cursor-is-the-beginning",
    "An unknown cursor leads to the first page.",
    "/calls",
    lambda q: "" if q == "cursor=x" else q,
)
add(
    "a-cursor-may-be-cut-short",
    "A long cursor leads to the first page.",
    "/calls",
    lambda q: "" if len(q) > 9000 else q,
)
add = partial(register, PAGES, _with_query, operation="listCommunicationOptOuts")
add(
    "type-is-ignored",
    "The filter identifierType is ignored.",
    "/dnc/communication-opt-outs",
    lambda query: query.replace("identifierType=linkedin", "").replace("identifierType=phone", ""),
)
register(
    PAGES,
    _with_query,
    "owner-is-ignored",
    "The filter ownedById is ignored.",
    "/reps",
    lambda query: "limit=2" if query.startswith("ownedById=b") else query,
    operation="listReps",
)
register(
    PAGES,
    _on_page,
    "pages-of-one-repeat",
    "Pages of one object are all the same.",
    "/calls",
    _data(lambda data: [{**one, "id": FIRST_CALL} for one in data] if len(data) == 1 else data, later=True),
    operation="listCalls",
)


def _foreign_cursors(bench: Bench) -> None:
    """Let the token of another account use a cursor."""

    def changed(request: ApiRequest) -> ApiRequest:
        if "cursor=" not in request.query or request.all("authorization") != ["Bearer other-token"]:
            return request
        return replace(request, headers=(("authorization", "Bearer test-token"),))

    bench.on_request(changed)


register(PAGES, _foreign_cursors, "cursors-of-anybody", "Another account may use a cursor.", operation="listCalls")


def _failing_cursors(bench: Bench) -> None:
    bench.fail_if(lambda request: request.query == "cursor=x")


register(PAGES, _failing_cursors, "500-on-cursors", "A malformed cursor is a server error.", operation="listCalls")

for _operation, _name, _statement in (
    ("pauseCampaign", "pause-does-nothing", "Pausing a campaign changes nothing."),
    ("resumeCampaign", "resume-does-nothing", "Resuming a campaign changes nothing."),
    ("addCommunicationOptOuts", "opting-out-does-nothing", "An opt-out is not kept."),
    ("deleteCommunicationOptOut", "deleting-does-nothing", "A deleted opt-out stays."),
    ("assignTags", "tags-are-not-kept", "Assigning a tag changes nothing."),
    ("unassignTags", "tags-stay", "Removing a tag changes nothing."),
):
    register(OBJECTS, _ignoring, _name, _statement, _operation, operation=_operation)

add = partial(register, OBJECTS, _on_page)
add(
    "new-campaigns-are-not-listed",
    "A campaign that was created is not in the list.",
    "/campaigns",
    _data(lambda data: [one for one in data if "verify" not in one["name"]]),
    operation="createCampaign",
)
add(
    "listed-names-are-cut",
    "The list cuts the names of campaigns.",
    "/campaigns",
    _data(lambda data: [{**one, "name": one["name"][:30]} for one in data]),
    operation="createCampaign",
)
add(
    "opt-outs-are-listed-twice",
    "An opt-out is listed twice.",
    "/dnc/communication-opt-outs",
    _data(lambda data: data + [one for one in data if "verify" in one["identifier"]]),
    operation="addCommunicationOptOuts",
)


def _second_deletion(bench: Bench) -> None:
    bench.change_if(
        lambda request, reply: request.method == "DELETE" and reply.status == 404,
        lambda _, reply: replace(reply, status=200, body=b"{}"),
    )


register(
    OBJECTS,
    _second_deletion,
    "deleting-twice-works",
    "What is not listed is deleted with a 200.",
    operation="deleteCommunicationOptOut",
)


def _accounts_mixed(bench: Bench) -> None:
    """Show the calls of the first account to all."""

    def changed(request: ApiRequest) -> ApiRequest:
        if (
            request.path != "/v1/calls"
            or request.all("authorization") != ["Bearer other-token"]
            or "cursor" in request.query
        ):
            return request
        return replace(request, headers=(("authorization", "Bearer test-token"),))

    bench.on_request(changed)


register(OBJECTS, _accounts_mixed, "lists-of-all-accounts", "Another account sees our calls.", operation="listCalls")


def _on_person(bench: Bench, member: str, value: Callable[[Any], Any]) -> None:
    bench.change_if(
        lambda request, reply: request.method == "GET" and "/persons/" in request.path and reply.status == 200,
        lambda _, reply: replace(
            reply, body=json.dumps({**(body := json.loads(reply.body)), member: value(body[member])}).encode()
        ),
    )


add = partial(register, ADD, _on_person)
add("titles-are-lost", "A person has no title.", "title", lambda _: None)
add("names-in-capitals", "The first name of a person is in capitals.", "firstName", lambda name: name and name.upper())
add("linkedin-is-cut", "The LinkedIn URL of a person is cut.", "linkedinUrl", lambda url: url and url[:40])
add = partial(register, ADD, _on_page)
add(
    "the-last-prospect-is-not-listed",
    "The newest prospect is not listed.",
    "/prospects",
    lambda body, _: body if body["hasMore"] else {**body, "data": body["data"][:-1]},
)
add(
    "the-newest-two-change-places",
    "The newest prospect is listed before the one that was added before it.",
    "/prospects",
    lambda body, _: body if body["hasMore"] else {**body, "data": body["data"][:-2] + body["data"][:-3:-1]},
)


def _one_buffer(bench: Bench) -> None:
    """Keep the body of the latest request in one place, where that of a simultaneous one is found."""
    meeting, latest = threading.Barrier(2), [b""]

    def changed(request: ApiRequest) -> ApiRequest:
        alone = threading.current_thread() is threading.main_thread()
        if alone or request.method != "POST" or request.body is None:
            return request
        latest[0] = request.body
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(1.0)
        return replace(request, body=latest[0])

    bench.on_request(changed)


register(ADD, _one_buffer, "one-buffer-for-all", "Two batches that arrive at the same time are both the later one.")


def _first_waits(bench: Bench) -> None:
    """Handle the first of two simultaneous requests after the second."""
    arrived, done = threading.Semaphore(1), threading.Event()

    def handled(handle: Handle, request: ApiRequest, transport: str) -> Outcome:
        if threading.current_thread() is not threading.main_thread() and arrived.acquire(blocking=False):
            done.wait(1.0)
            return handle(request, transport)
        outcome = handle(request, transport)
        if threading.current_thread() is not threading.main_thread():
            done.set()
        return outcome

    bench.around(handled)


register(
    "open: which of two simultaneous requests is the first",
    _first_waits,
    "the-later-one-first",
    "Of two batches that arrive at the same time the later one is stored first.",
    equivalent=True,
)


def _paused_are_gone(bench: Bench) -> None:
    paused: set[str] = set()

    def noted(request: ApiRequest) -> ApiRequest:
        *_, kind, identifier, action = ["", "", "", *request.path.split("/")]
        if kind == "prospects" and action in {"pause", "resume"}:
            (paused.add if action == "pause" else paused.discard)(identifier)
        return request

    bench.on_request(noted)
    _on_page(bench, "/prospects", _data(lambda data: [one for one in data if one["id"] not in paused]))


def _resumed_elsewhere(bench: Bench) -> None:
    """Show a prospect in another campaign from the time at which it is resumed."""
    resumed: set[str] = set()

    def noted(request: ApiRequest) -> ApiRequest:
        if request.path.endswith("/resume"):
            resumed.add(request.path.split("/")[-2])
        return request

    bench.on_request(noted)
    bench.change_if(
        lambda r, reply: (r.method, reply.status) == ("GET", 200) and r.path.split("/")[-1] in resumed,
        lambda _, reply: replace(reply, body=json.dumps({**json.loads(reply.body), "campaignId": CAMPAIGN}).encode()),
    )


add = partial(register, OBJECTS)
add(_paused_are_gone, "paused-prospects-are-gone", "A paused prospect is not listed.", operation="pauseProspect")
add(_resumed_elsewhere, "resumed-elsewhere", "A resumed prospect changes its campaign.", operation="resumeProspect")


def _other_by_id(bench: Bench, path: str, member: str, value: object) -> None:
    bench.change_if(
        lambda r, reply: (r.method, reply.status) == ("GET", 200) and r.path.startswith(f"/v1{path}/"),
        lambda _, reply: replace(reply, body=json.dumps({**json.loads(reply.body), member: value}).encode()),
    )


add = partial(register, OBJECTS, _other_by_id)
add("reads-another-name", "A person is read with another name.", "/persons", "firstName", "Eve", operation="getPerson")
add(
    "reads-another-time",
    "A rep is read with another time.",
    "/reps",
    "createdAt",
    "2020-01-01T00:00:00Z",
    operation="getRep",
)
register(
    "open: which optional members a list shows",
    _on_page,
    "lists-show-less",
    "A list of persons leaves optional members out.",
    "/persons",
    _data(lambda data: [{name: one[name] for name in one if name not in {"title", "city"}} for one in data]),
    equivalent=True,
)


def _shifted(bench: Bench, path: str, change: Callable[[Any, list[Any]], list[Any]]) -> None:
    """Change the next page of a list if an object was added since the page before, as offsets into a list do."""
    last: list[Any] = [None, False]  # the last object of the page before, and whether one was added since

    def noted(request: ApiRequest, reply: ApiReply) -> ApiReply:
        if request.path != f"/v1{path}" or reply.status != 200:
            return reply
        if request.method == "POST":
            last[1] = True
            return reply
        body = json.loads(reply.body)
        if "cursor=" in request.query and all(last):
            body["data"] = change(last[0], body["data"])
        last[:] = [*body["data"][-1:], None][0], False
        return replace(reply, body=json.dumps(body).encode())

    bench.on_reply(noted)


for _list, _path in (("listCampaigns", "/campaigns"), ("listCommunicationOptOuts", "/dnc/communication-opt-outs")):
    add = partial(register, PAGES, _shifted, operation=_list)
    add(f"{_list}-repeats", "A new object moves one to the next page.", _path, lambda before, data: [before, *data])
    add(f"{_list}-loses", "A new object moves one to the page before.", _path, lambda _, data: data[1:])
