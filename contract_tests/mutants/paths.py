"""Mutants of ids, paths and methods."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from contract_tests.fake import CAMPAIGN, FOREIGN_CAMPAIGN, TOKEN
from contract_tests.mutants.bench import JSON, ROBUST, Bench, bearer, error, register
from contract_tests.mutants.credentials import authorized
from contract_tests.sources import ERRORS, HTTP
from mock_server.messages.http import ApiReply, ApiRequest

UUID = "[0-9a-fA-F-]{36}"


def _known_as(bench: Bench, matches: Callable[[str], bool]) -> None:
    """Treat ids that match as that of the known campaign."""

    def changed(request: ApiRequest) -> ApiRequest:
        found = re.fullmatch(r"(/v1/campaigns/)([^/]*)(/prospects)", request.path)
        if found and bearer(request) == TOKEN and matches(found[2]):
            return replace(request, path=found[1] + CAMPAIGN + found[3])
        return request

    bench.on_request(changed)


add = partial(register, ERRORS, _known_as)
add(
    "unknown-campaigns-accepted",
    "Unknown campaigns are accepted.",
    lambda text: re.fullmatch(UUID, text) and text != FOREIGN_CAMPAIGN and text[:8] != "5b1c7d0e",
)
add("last-digit-passed-over", "The last digit of an id is ignored.", lambda t: t[:-1] == CAMPAIGN[:-1] and len(t) == 36)
add("first-digit-passed-over", "The first digit of an id is ignored.", lambda text: text[1:] == CAMPAIGN[1:])
add("malformed-ids-accepted", "Malformed ids are accepted.", lambda text: not re.fullmatch(UUID, text))
add("id-by-its-beginning", "The beginning of an id is enough.", lambda t: CAMPAIGN.startswith(t) and len(t) > 9)
add("what-begins-with-an-id", "A text that begins with an id is accepted.", lambda text: text.startswith(CAMPAIGN))
add("foreign-campaigns-accepted", "Campaigns of other accounts are accepted.", lambda text: text == FOREIGN_CAMPAIGN)
add = partial(register, ERRORS, Bench.on_request)
add(
    "anybody-may-use-our-campaign",
    "A token of another account may add to a campaign.",
    lambda r: authorized(r) if bearer(r) == "other-token" and CAMPAIGN in r.path else r,
)


def _unknown(bench: Bench, campaign: str) -> None:
    bench.replace_if(error(404), lambda request, reply: campaign in request.path and reply.status == 200)


add = partial(register, ERRORS, Bench.replace_if)
add(
    "foreign-campaigns-are-forbidden",
    "A campaign of another account is answered 403, which discloses that it exists.",
    error(403),
    lambda r, reply: FOREIGN_CAMPAIGN in r.path and bearer(r) == TOKEN and reply.status == 404,
)
add = partial(register, ERRORS, _unknown)
add("known-campaigns-are-unknown", "The campaign is answered 404.", CAMPAIGN)
add = partial(register, "RFC 9562, 4", _unknown)
add("ids-in-capitals-refused", "An id in capitals is answered 404.", CAMPAIGN.upper())
add = partial(register, ROBUST, Bench.fail_if)
add("500-on-malformed-ids", "A malformed id is a server error.", lambda r: "/campaigns/campaign/" in r.path)
add("500-on-quotation-marks-in-ids", "A quotation mark in an id is a server error.", lambda r: "'" in r.path)
add("500-on-escapes-in-ids", "%00 in an id is a server error.", lambda r: "%00" in r.path)


def on_path(bench: Bench, pattern: str, replacement: str) -> None:
    """Rewrite the path of every request by a regular expression."""
    bench.on_request(lambda request: replace(request, path=re.sub(pattern, replacement, request.path)))


add = partial(register, "openapi.yaml#/paths", on_path)
add("what-is-behind-the-path-is-passed-over", "Text behind the path is ignored.", "/prospects.+", "/prospects")
add("paths-in-any-case", "The path may contain capitals.", "/Prospects", "/prospects")
add("the-id-may-be-repeated", "The id may be there twice.", f"{CAMPAIGN}/{CAMPAIGN}", CAMPAIGN)
add = partial(register, "openapi.yaml#/servers", on_path)
add("any-version", "Every version is read as the first.", "^/v[0-9]", "/v1")
add = partial(register, f"{HTTP}, 15.5.6", Bench.replace_if)
DONE = ApiReply(200, (("Content-Type", JSON),), b"{}")


def _answered(name: str) -> None:
    statement = f"{name} is answered 200."
    add(f"{name.lower()}-is-answered-200", statement, DONE, lambda r, reply: r.method == name and reply.status == 405)


for _name in ("GET", "PUT", "PATCH", "DELETE"):
    _answered(_name)
add(
    "put-with-a-body-is-answered-200",
    "PUT with a body is answered 200.",
    DONE,
    lambda r, reply: r.method == "PUT" and r.body and reply.status == 405,
)
add = partial(register, f"{HTTP}, 15.5.6", Bench.set_header)
add("405-without-allow", "A 405 has no Allow.", 405, "Allow", None)
add("allow-without-post", "The Allow of a 405 does not name POST.", 405, "Allow", "GET, HEAD")
add = partial(register, ROBUST, Bench.refuse_if)
add("500-on-get", "GET is a server error.", 500, lambda r: r.method == "GET")
