"""Mutants that concern every operation, written by hand."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from contract_tests.mutants.bench import Bench, bearer, error, register, with_header
from contract_tests.sources import AUTH, HTTP
from mock_server.messages.http import ApiReply, ApiRequest


def _overridden(request: ApiRequest) -> ApiRequest:
    named = request.all("x-http-method-override")
    return replace(request, method=named[0]) if named else request


def _refusing(request: ApiRequest) -> ApiRequest | ApiReply:
    return error(400) if request.all("x-http-method") else request


add = partial(register, HTTP, Bench.on_request)
add("a-header-overrides-the-method", "A header names the method of the request.", _overridden)
add("method-headers-are-refused", "A header that names another method is refused.", _refusing)
add = partial(register, HTTP, Bench.change_if)
add(
    "trace-repeats-the-token",
    "The response to TRACE repeats the headers of the request.",
    lambda request, _: request.method == "TRACE",
    lambda request, reply: with_header(reply, "X-Authorization", bearer(request)),
)
add(
    "500-on-unknown-methods",
    "A method that HTTP does not define is a server error.",
    lambda request, _: request.method == "PROPFIND",
    lambda _, reply: _failed(reply),
)


def _without_account(request: ApiRequest) -> ApiRequest:
    known = bearer(request) != "multi-token" or request.all("x-account-id")
    return request if known else with_header(request, "x-account-id", "acme")


register(
    AUTH,
    Bench.on_request,
    "first-account-by-default",
    "Without x-account-id the first account counts.",
    _without_account,
)


def _failed(reply: ApiReply) -> ApiReply:
    return replace(reply, status=500)
