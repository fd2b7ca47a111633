"""Rules about campaign ids, paths and methods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from contract_tests.provider.probes import BAD_REQUEST, NOT_FOUND, OK, Probe, ProbeFactory
from contract_tests.provider.rule import rule
from contract_tests.sources import ERRORS, HTTP

DIGITS = "0123456789abcdef"


@rule(ERRORS)
def unknown_campaign(make: ProbeFactory) -> Iterator[Probe]:
    """An unknown campaign is answered 404."""
    known = make.target.campaign_id
    last, first = (DIGITS[(int(known[index], 16) + 7) % 16] for index in (-1, 0))
    for what, campaign in {
        "an unknown id": make.uuid(),
        "an id with another last digit": known[:-1] + last,
        "an id with another first digit": first + known[1:],
    }.items():
        yield Probe(what, make.request(path=make.path(campaign)), NOT_FOUND)
    nil = make.path("00000000-0000-0000-0000-000000000000")
    yield Probe("the id of zeros", make.request(path=nil), NOT_FOUND | BAD_REQUEST)


@rule(ERRORS)
def foreign_campaign(make: ProbeFactory) -> Iterator[Probe]:
    """A campaign of another account is answered 404, like an unknown campaign."""
    foreign = make.path(make.need("foreign_campaign_id"))
    yield Probe("a campaign of another account", make.request(path=foreign), NOT_FOUND)
    token = make.need("other_account_token")
    yield Probe("the token of another account", make.request(token=token), NOT_FOUND)


@rule("RFC 9562, 4: the hexadecimal digits of a UUID have any case")
def id_in_either_case(make: ProbeFactory) -> Iterator[Probe]:
    """The id of a campaign may be written in capitals."""
    yield Probe("the id in capitals", make.request(path=make.path(make.target.campaign_id.upper())), OK)


@rule(f"{ERRORS}; both 400 and 404 fit")
def malformed_id(make: ProbeFactory) -> Iterator[Probe]:
    """An id that is not a valid UUID is refused with 400 or 404."""
    known = make.target.campaign_id
    for what, campaign in {
        "a word": "campaign",
        "a number": "1",
        "too short": known[:-1],
        "too long": known + "0",
        "not hexadecimal": known[:-1] + "g",
        "followed by a quotation mark": known + "'",
        "percent-encoded": "%00%F0%9F%98%80",
    }.items():
        yield Probe(f"an id that is {what}", make.request(path=make.path(campaign)), BAD_REQUEST | NOT_FOUND)


@rule(f"{HTTP}; the document has no such path")
def no_other_paths(make: ProbeFactory) -> Iterator[Probe]:
    """A path that is not in the API is refused."""
    refused = frozenset({400, 401, 404, 405})
    path = make.path()
    for what, other in {
        "a segment after the path": path + "/x",
        "a letter after the path": path + "x",
        "no id": path.replace(f"/{make.target.campaign_id}", ""),
        "another version": make.path(version="/v0"),
        "another case": path.replace("/prospects", "/Prospects"),
    }.items():
        yield Probe(what, make.request(path=other), refused)


@rule(f"{HTTP}, 15.5.6; 404 is allowed as well")
def other_methods(make: ProbeFactory) -> Iterator[Probe]:
    """Any method except POST is answered 405 or 404."""
    for method in ("GET", "PUT", "PATCH", "DELETE") if make.target.local else ("GET",):
        request = make.request(method=method)
        request = replace(request, body=None) if method in {"GET", "DELETE"} else request
        yield Probe(method, request, frozenset({404, 405}))
