"""What a provider must do, as rules: each a function that yields single-fault requests and what they must be answered.

Design: what the vendor documents is held against every provider; what its pages leave open passes either way. A rule
also has legal near misses, requests that are almost wrong and must be accepted, so that severity is caught too.

Rules about every answer are in `ANSWERS`, those about time, which ask more than one question, in `limits.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from contract_tests.provider.wire import NO_ANSWER, Got, Sent
from contract_tests.sources import ADD, AUTH, DOCUMENT, ERRORS, HTTP, JSON_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

FIELDS = ("firstName", "lastName", "company", "jobTitle", "email", "linkedinUrl")
CONTACTS = ("email", "linkedinUrl", "phone")
IDENTITY = ("firstName", "lastName", "company")
LONGEST = 255

TAG = "alta-mock-verify"
"""In every record that is meant to be accepted, so that whoever finds it knows where it is from."""

OK = frozenset({200})
BAD_REQUEST = frozenset({400})
UNAUTHORIZED = frozenset({401})
NOT_FOUND = frozenset({404})
CLIENT_ERROR = frozenset(range(400, 500)) - {429}
ANY_BUT_5XX = frozenset(range(200, 500)) | {NO_ANSWER}
"""Also a connection that is closed: an answer to what is no HTTP."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is known of the provider: where it is, who may use it, and which limits it is to have.

    Attributes:
        url: The base URL; it ends in the version.
        second_token: Of another user of the same account.
        second_campaign_id: Of the same account.
        other_account_token: Of another account.
        foreign_campaign_id: Of that other account.
        rate_limit: Requests and seconds of the limit on adding prospects; None if it is not to be judged.
        account_rate_limit: The same of all operations.
        allow_get: Whether `GET /campaigns` may be sent, to measure the latter.
        writes: Whether requests may be sent that are to be accepted.
        local: Whether it is on this machine, where a wrong method can do no harm.
    """

    url: str
    token: str
    campaign_id: str
    second_token: str | None = None
    second_campaign_id: str | None = None
    other_account_token: str | None = None
    foreign_campaign_id: str | None = None
    rate_limit: tuple[int, int] | None = (10, 60)
    account_rate_limit: tuple[int, int] | None = (100, 60)
    allow_get: bool = False
    writes: bool = True
    local: bool = True

    @property
    def tokens(self) -> list[str]:
        """All tokens, which nothing that is shown may repeat."""
        return [one for one in (self.token, self.second_token, self.other_account_token) if one]


@dataclass(frozen=True, slots=True)
class Probe:
    """One request, and the statuses it may be answered with.

    Attributes:
        what: What is special about it, in a few words.
        records: Prospects that may be sent together with those of other probes; then `sent` is one of them alone.
        after: A request to send before on the same connection.
        fresh: Whether it needs a connection of its own.
        echo: A text of the request that the answer must not repeat.
    """

    what: str
    sent: Sent
    wanted: frozenset[int]
    records: tuple[Any, ...] = ()
    after: Sent | None = None
    fresh: bool = False
    echo: str = ""


class NotExercised(Exception):
    """A rule cannot be judged here; its text says what is missing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        id: Its name on the command line and in reports.
        statement: What a provider must do, in one sentence.
        source: The page, the pointer or the standard that says so.
        probes: Yields what to ask; None for the rules that other things decide.
        raw: Whether it needs a socket.
    """

    id: str
    statement: str
    source: str
    probes: Callable[[Asking], Iterator[Probe]] | None = None
    raw: bool = False


RULES: dict[str, Rule] = {}
"""All rules of a provider, the most telling first."""


def rule(source: str, *, raw: bool = False) -> Callable[[Any], Any]:
    """Make a rule of a function; its name becomes the id, the first line of its docstring the statement."""

    def register(probes: Callable[[Asking], Iterator[Probe]]) -> Callable[[Asking], Iterator[Probe]]:
        name = probes.__name__.replace("_", "-")
        RULES[name] = Rule(name, (probes.__doc__ or "").splitlines()[0], source, probes, raw)
        return probes

    return register


class Asking:
    """Makes probes for one provider: the right request, but for what is said.

    Args:
        given: What is known of it.
        random: Makes ids that nobody has.
    """

    def __init__(self, given: Given, random: Any) -> None:
        self.given = given
        self._random = random

    def path(self, campaign: str | None = None, version: str | None = None) -> str:
        """Return the raw path of the operation."""
        base = "/" + self.given.url.split("://", 1)[1].partition("/")[2].strip("/")
        base = base if version is None else base.rpartition("/")[0] + version
        return f"{base}/campaigns/{self.given.campaign_id if campaign is None else campaign}/prospects"

    def sent(  # noqa: PLR0913 - each is a part of the request that can be another
        self,
        body: Any = None,
        *,
        method: str = "POST",
        path: str | None = None,
        token: str | None = "",
        headers: Iterable[tuple[str, str]] = (),
        content_type: str | None = "application/json",
        framing: str = "length",
    ) -> Sent:
        """Make a request; a body of bytes is sent as it is, None is a right one. A token of None sends none."""
        bearer = self.given.token if token == "" else token
        raw = body if isinstance(body, bytes) else encoded({"data": [good()]} if body is None else body)
        sent = [] if bearer is None else [("Authorization", f"Bearer {bearer}")]
        sent += [("Content-Type", content_type)] if content_type is not None else []
        return Sent(method, path or self.path(), (*sent, *headers), raw, framing)

    def accepted(self, what: str, *records: Any) -> Probe:
        """Yield prospects that must be accepted."""
        return Probe(what, self.sent({"data": list(records)}), OK, records)

    def refused(self, what: str, *records: Any) -> Probe:
        """Yield prospects that must be refused."""
        return self.bad(what, {"data": list(records)})

    def bad(self, what: str, body: Any, wanted: frozenset[int] = BAD_REQUEST) -> Probe:
        """Yield a body that must be refused."""
        return Probe(what, self.sent(body), wanted)

    def uuid(self) -> str:
        """Return an id that nothing has."""
        digits = f"{self._random.getrandbits(128):032x}"
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"

    def need(self, name: str) -> str:
        """Return something that may not have been given.

        Raises:
            NotExercised: It was not.
        """
        value = getattr(self.given, name)
        if value is None:
            raise NotExercised(f"needs --{name.replace('_', '-')}")
        return str(value)


def encoded(value: Any) -> bytes:
    """Return a value as JSON in UTF-8."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def good(**fields: Any) -> dict[str, Any]:
    """Return a prospect that is right, with other fields besides."""
    return {"email": f"{TAG}@example.com", **fields}


def value_of(name: str) -> str:
    """Return a right value of a field."""
    values = {"email": f"{TAG}@example.com", "linkedinUrl": f"https://www.linkedin.com/in/{TAG}"}
    return {**values, "phone": "+44 1632 960001"}.get(name, TAG)


def some(*names: str) -> dict[str, Any]:
    """Return a prospect of just these fields."""
    return {name: value_of(name) for name in names}


def filled(name: str, text: str, length: int) -> dict[str, Any]:
    """Return a prospect, right but for a field that repeats a text up to a length in code points."""
    value = (text * length)[:length]
    return {**(some("phone", "jobTitle") if name in CONTACTS else good()), name: value}


# --- The body, in the order of what tells most -----------------------------------------------------------------------


@rule(ADD)
def accepts_each_contact(ask: Asking) -> Iterator[Probe]:
    """A prospect with any one of email, linkedinUrl and phone, or with a full identity, is accepted."""
    for name in CONTACTS:
        yield ask.accepted(f"only {name}", some(name))
    yield ask.accepted("only firstName, lastName, company", some(*IDENTITY))
    yield ask.accepted("every field", some(*FIELDS, "phone"))


@rule(ADD)
def contact_or_identity(ask: Asking) -> Iterator[Probe]:
    """A prospect without a contact method and without a full identity is refused."""
    yield ask.refused("an empty record", {})
    yield ask.refused("only firstName and lastName", some("firstName", "lastName"))
    yield ask.refused("only lastName and company", some("lastName", "company"))
    yield ask.refused("only firstName and company", some("firstName", "company"))
    yield ask.refused("only jobTitle", some("jobTitle"))
    yield ask.refused("only a field that is not declared", {"e-mail": value_of("email")})
    yield ask.accepted("a part of an identity beside a contact", some("firstName", "email"))


@rule(ADD)
def at_most_20(ask: Asking) -> Iterator[Probe]:
    """More than 20 prospects are refused, 20 are accepted."""
    yield ask.refused("21 records", *[good()] * 21)
    yield Probe("20 records", ask.sent({"data": [good()] * 20}), OK)
    yield ask.refused("100 records", *[good()] * 100)


@rule(ADD)
def at_least_1(ask: Asking) -> Iterator[Probe]:
    """A request without prospects is refused."""
    yield ask.refused("no records")
    yield ask.bad("no data", {})
    yield Probe("one record", ask.sent(), OK)


@rule(DOCUMENT + "ProspectRecord/properties")
def longest_text(ask: Asking) -> Iterator[Probe]:
    """Each declared text has at most 255 characters."""
    for name in FIELDS:
        yield ask.refused(f"{name} of 256 characters", filled(name, "a", LONGEST + 1))
    for name in FIELDS:
        yield ask.accepted(f"{name} of 255 characters", filled(name, "a", LONGEST))
    yield ask.refused("firstName of 5,000 characters", filled("firstName", "a", 5000))
    yield ask.accepted("firstName of one character", filled("firstName", "a", 1))


@rule(DOCUMENT + "ProspectRecord/properties, which JSON Schema counts in code points")
def counts_characters(ask: Asking) -> Iterator[Probe]:
    """Lengths are counted in characters (code points), not in bytes, UTF-16 units or what looks like one."""
    for name in FIELDS:
        yield ask.accepted(f"{name} of 255 characters of two bytes", filled(name, "\u00e9", LONGEST))
        yield ask.accepted(f"{name} of 255 emoji, two UTF-16 units each", filled(name, "\U0001f600", LONGEST))
    yield ask.refused("firstName of 256 characters of two bytes", filled("firstName", "\u00e9", LONGEST + 1))
    yield ask.refused("company of 256 emoji", filled("company", "\U0001f600", LONGEST + 1))
    yield ask.refused("jobTitle of 256 code points that look like 128", filled("jobTitle", "e\u0301", LONGEST + 1))
    yield ask.refused("lastName of 254 characters and four of white space", good(lastName="a" * 254 + "    "))


@rule(DOCUMENT + "ProspectRecord/properties")
def texts_are_texts(ask: Asking) -> Iterator[Probe]:
    """A declared field that is a number, a boolean, a list or an object is refused."""
    kinds: Mapping[str, Any] = {"a number": 7, "true": True, "a list": ["a"], "an object": {"a": "b"}}
    order = [(name, what) for what in kinds for name in FIELDS]
    order.sort(key=lambda pair: (FIELDS.index(pair[0]) - list(kinds).index(pair[1])) % len(FIELDS))
    for name, what in order:
        yield ask.refused(f"{name} that is {what}", {**some("phone", "jobTitle"), name: kinds[what]})
    yield ask.accepted("a text of digits", good(firstName="7", jobTitle="true"))


@rule(ADD)
def empty_is_no_contact(ask: Asking) -> Iterator[Probe]:
    """An empty text is neither a contact nor a name."""
    for name in CONTACTS:
        yield ask.refused(f"only an empty {name}", {name: ""})
    for name in IDENTITY:
        yield ask.refused(f"an identity with an empty {name}", {**some(*IDENTITY), name: ""})
    yield ask.refused("an identity of three empty names", dict.fromkeys(IDENTITY, ""))
    yield ask.accepted("an empty jobTitle beside a contact", good(jobTitle=""))


@rule(DOCUMENT + "ProspectRecord/properties")
def null_is_refused(ask: Asking) -> Iterator[Probe]:
    """Null is no text, no contact and no name."""
    for name in CONTACTS:
        yield ask.refused(f"only a {name} that is null", {name: None})
    for name in FIELDS:
        yield ask.refused(f"{name} that is null, beside a contact", {**some("phone", "jobTitle"), name: None})
    for name in IDENTITY:
        yield ask.refused(f"an identity whose {name} is null", {**some(*IDENTITY), name: None})


@rule(ADD)
def every_record_counts(ask: Asking) -> Iterator[Probe]:
    """One bad record refuses the call, wherever it stands."""
    faults: Mapping[str, Any] = {
        "no contact": {"jobTitle": TAG},
        "a long text": filled("firstName", "a", LONGEST + 1),
        "a number for a text": good(company=7),
    }
    for place, where in ((19, "last"), (10, "middle"), (0, "first")):
        for what, bad in faults.items():
            records = [good()] * 20
            records[place] = bad
            yield ask.refused(f"{what} in the {where} of 20 records", *records)


@rule(DOCUMENT + "AddProspectsToCampaignRequest")
def data_is_a_list(ask: Asking) -> Iterator[Probe]:
    """`data` is required, is spelt so, and is a list."""
    yield ask.bad("prospects in place of data", {"prospects": [good()]})
    yield ask.bad("data that is null", {"data": None})
    yield ask.bad("data that is one record", {"data": good()})
    yield ask.bad("data that is a text", {"data": "a"})
    yield ask.bad("data that is a number", {"data": 1})
    yield ask.bad("Data in place of data", {"Data": [good()]})


@rule(DOCUMENT + "ProspectRecord")
def records_are_objects(ask: Asking) -> Iterator[Probe]:
    """Each prospect is an object."""
    others: Mapping[str, Any] = {"null": None, "a text": "a@example.com", "a number": 1, "a list": [], "true": True}
    for what, record in others.items():
        yield ask.refused(f"a record that is {what}", record)
    yield ask.refused("a record that is null behind a good one", good(), None)


@rule(DOCUMENT + "AddProspectsToCampaignRequest")
def body_is_an_object(ask: Asking) -> Iterator[Probe]:
    """The body is a JSON object."""
    bodies: Mapping[str, Any] = {"a list": [good()], "null": b"null", "a text": "a", "a number": b"7", "true": b"true"}
    for what, body in bodies.items():
        yield ask.bad(f"a body that is {what}", body, CLIENT_ERROR)


@rule(DOCUMENT + "ProspectRecord/additionalProperties")
def undeclared_is_accepted(ask: Asking) -> Iterator[Probe]:
    """Properties that are not declared are accepted, in a record and beside data, of any type."""
    nested = {"a": [1, 2.5, None, {"b": True}], "long": "x" * 300}
    yield ask.accepted("an undeclared text", good(note=TAG))
    yield ask.accepted("undeclared values of every type", good(n=1, f=1.5, t=True, z=None, o=nested, a=[]))
    yield Probe("an undeclared property beside data", ask.sent({"data": [good()], "source": nested}), OK)


@rule(ADD)
def unicode_is_accepted(ask: Asking) -> Iterator[Probe]:
    """Any text is accepted: scripts, emoji, right to left, escapes, line ends."""
    for text in ("Zo\u00eb", "\u5c71\u7530", "\u0645\u0631\u0645", "\U0001f469\u200d\U0001f4bb", 'O\'Brien\n"x"\t\\'):
        yield ask.accepted(f"the name {json.dumps(text)}", good(firstName=text))
    escaped = b'{"data": [{"email": "\\u0061lta-mock-verify@example.com", "firstName": "\\ud83d\\ude00"}]}'
    yield Probe("escapes, and a surrogate pair", ask.sent(escaped), OK)


@rule(ADD)
def large_body_is_accepted(ask: Asking) -> Iterator[Probe]:
    """Twenty full prospects, 120 kB of them, are accepted."""
    record = {name: (value_of(name) + "\U0001f600" * LONGEST)[:LONGEST] for name in FIELDS}
    yield Probe("20 records of 120 kB", ask.sent({"data": [record] * 20}), OK)


@rule(f"{ERRORS}, {JSON_TEXT}")
def malformed_json_is_refused(ask: Asking) -> Iterator[Probe]:
    """A body that is no JSON is refused, never accepted and never a server error."""
    right = encoded({"data": [good()]})
    texts = {
        "a body that breaks off": right[:-2],
        "an empty body": b"",
        "bytes behind the JSON": right + b"x",
        "two JSON texts": right + right,
        "a comma too many": right.replace(b"]}", b",]}"),
        "NaN": right.replace(b'{"email"', b'{"n": NaN, "email"'),
        "Infinity": right.replace(b'{"email"', b'{"n": -Infinity, "email"'),
        "single quotes": right.replace(b'"', b"'"),
        "a line end within a text": right.replace(b"@", b"\n@"),
        "no JSON at all": b"hello",
        "bytes that are no UTF-8": right.replace(b"@", b"\xff\xfe@"),
    }
    for what, body in texts.items():
        yield ask.bad(what, body, CLIENT_ERROR)
    yield Probe("white space around the JSON", ask.sent(b" \r\n\t" + right + b"\n "), OK)


@rule(ADD)
def json_content_type(ask: Asking) -> Iterator[Probe]:
    """A body of another content type is refused, application/json with parameters or in capitals is not."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/form-data"):
        yield Probe(f"Content-Type: {kind}", ask.sent(content_type=kind), CLIENT_ERROR)
    for kind in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
        yield Probe(f"Content-Type: {kind}", ask.sent(content_type=kind), OK)


# --- Who is calling ---------------------------------------------------------------------------------------------------


@rule(AUTH)
def token_is_required(ask: Asking) -> Iterator[Probe]:
    """A request without a token is answered 401."""
    yield Probe("no Authorization", ask.sent(token=None), UNAUTHORIZED)
    yield Probe("the token in the query only", _in_query(ask, "access_token"), UNAUTHORIZED)
    yield Probe("the token in the query, as token", _in_query(ask, "token"), UNAUTHORIZED)
    headers = [("X-API-Key", ask.given.token), ("X-Api-Token", ask.given.token)]
    yield Probe("the token in other headers", ask.sent(token=None, headers=headers), UNAUTHORIZED)
    cookie = [("Cookie", f"token={ask.given.token}; access_token={ask.given.token}")]
    yield Probe("the token in a cookie", ask.sent(token=None, headers=cookie), UNAUTHORIZED)


def _in_query(ask: Asking, name: str) -> Sent:
    return ask.sent(token=None, path=f"{ask.path()}?{name}={ask.given.token}")


@rule(AUTH)
def token_must_be_known(ask: Asking) -> Iterator[Probe]:
    """A token that is not exactly a known one is answered 401."""
    token = ask.given.token
    others = {
        "an unknown token": "alta-mock-verify-nobody",
        "the first half of the token": token[: len(token) // 2],
        "the token without its last character": token[:-1],
        "the token and one character more": token + "x",
        "the token without its first character": token[1:],
        "the token twice": token + token,
        "an asterisk": "*",
        "the word null": "null",
    }
    if token.swapcase() != token:
        others["the token in the other case"] = token.swapcase()
    for what, other in others.items():
        echo = other if what == "an unknown token" else ""
        yield Probe(what, ask.sent(token=other), UNAUTHORIZED, echo=echo)


@rule(AUTH)
def scheme_is_bearer(ask: Asking) -> Iterator[Probe]:
    """Any other authorization than Bearer is answered 401; the word may be in either case (RFC 9110)."""
    token = ask.given.token
    for what, value in {
        "the token without Bearer": token,
        "Basic": f"Basic {token}",
        "Token": f"Token {token}",
        "Bearer without a token": "Bearer",
        "Bearer and a space": "Bearer ",
        "an empty header": "",
        "Bearer, a colon": f"Bearer: {token}",
        "Bearer and the token without a space": f"Bearer{token}",
    }.items():
        yield Probe(what, ask.sent(token=None, headers=[("Authorization", value)]), UNAUTHORIZED)
    for word in ("bearer", "BEARER"):
        yield Probe(f"{word} {{token}}", ask.sent(token=None, headers=[("Authorization", f"{word} {token}")]), OK)


@rule(f"{AUTH}; every other answer would tell strangers what exists")
def token_comes_first(ask: Asking) -> Iterator[Probe]:
    """Without a valid token the answer is 401, whatever else is wrong."""
    yield Probe("a bad body without a token", ask.sent({"data": []}, token=None), UNAUTHORIZED)
    unknown = ask.path(ask.uuid())
    yield Probe("an unknown campaign without a token", ask.sent(path=unknown, token=None), UNAUTHORIZED)
    yield Probe("no JSON with an unknown token", ask.sent(b"{", token="nobody"), UNAUTHORIZED)  # noqa: S106 - no secret


@rule(AUTH, raw=True)
def token_is_needed_each_time(ask: Asking) -> Iterator[Probe]:
    """A token holds for its request, not for those behind it on the same connection."""
    yield Probe("no token behind a request with one", ask.sent(token=None), UNAUTHORIZED, after=ask.sent({"data": []}))


@rule(AUTH)
def odd_tokens_are_refused(ask: Asking) -> Iterator[Probe]:
    """Whatever stands in Authorization, the answer is a refusal, never a server error."""
    long = "x" * 6000
    for what, value in {
        "a token of other letters": "Bearer t\u00f6ken\u00ff",
        "a token of 6,000 characters": f"Bearer {long}",
        "a token with quotation marks": "Bearer \"' or '1'='1",
    }.items():
        yield Probe(what, ask.sent(token=None, headers=[("Authorization", value)]), CLIENT_ERROR)
    twice = [("Authorization", f"Bearer {ask.given.token}"), ("Authorization", "Bearer nobody")]
    yield Probe("a right and a wrong header", ask.sent(token=None, headers=twice), ANY_BUT_5XX, fresh=True)


# --- What there is ----------------------------------------------------------------------------------------------------


@rule(ERRORS)
def unknown_campaign(ask: Asking) -> Iterator[Probe]:
    """A campaign that does not exist is answered 404."""
    known = ask.given.campaign_id
    yield Probe("an id that nobody has", ask.sent(path=ask.path(ask.uuid())), NOT_FOUND)
    last = "0123456789abcdef"[(int(known[-1], 16) + 7) % 16]
    yield Probe("an id with another last digit", ask.sent(path=ask.path(known[:-1] + last)), NOT_FOUND)
    first = "0123456789abcdef"[(int(known[0], 16) + 7) % 16]
    yield Probe("an id with another first digit", ask.sent(path=ask.path(first + known[1:])), NOT_FOUND)
    nil = "00000000-0000-0000-0000-000000000000"
    yield Probe("the id of zeros", ask.sent(path=ask.path(nil)), NOT_FOUND | BAD_REQUEST)


@rule(ERRORS)
def foreign_campaign(ask: Asking) -> Iterator[Probe]:
    """A campaign of another account is answered 404, as if it did not exist."""
    yield Probe("a campaign of another account", ask.sent(path=ask.path(ask.need("foreign_campaign_id"))), NOT_FOUND)
    token = ask.need("other_account_token")
    yield Probe("the other account, our campaign", ask.sent(token=token), NOT_FOUND)


@rule("RFC 9562, 4: the hexadecimal digits of a UUID are of either case")
def id_in_either_case(ask: Asking) -> Iterator[Probe]:
    """The id of a campaign may be written in capitals."""
    yield Probe("the id in capitals", ask.sent(path=ask.path(ask.given.campaign_id.upper())), OK)


@rule(f"{ERRORS}; 400 and 404 both fit")
def malformed_id(ask: Asking) -> Iterator[Probe]:
    """An id that is no UUID is refused with 400 or 404."""
    known = ask.given.campaign_id
    ids = {"a word": "campaign", "a number": "1", "too short": known[:-1], "too long": known + "0"}
    ids |= {
        "a letter that is no digit": known[:-1] + "g",
        "a quotation mark": known + "'",
        "escapes": "%00%F0%9F%98%80",
    }
    for what, one in ids.items():
        yield Probe(f"an id that is {what}", ask.sent(path=ask.path(one)), BAD_REQUEST | NOT_FOUND)


@rule(f"{HTTP}; the document has no such path")
def no_other_paths(ask: Asking) -> Iterator[Probe]:
    """What is no path of the API is not answered as if it were one."""
    refused = frozenset({400, 401, 404, 405})
    path = ask.path()
    for what, other in {
        "something behind the path": path + "/x",
        "the path and a letter": path + "x",
        "no id": path.replace(f"/{ask.given.campaign_id}", ""),
        "another version": ask.path(version="/v0"),
        "another case": path.replace("/prospects", "/Prospects"),
    }.items():
        yield Probe(what, ask.sent(path=other), refused)


@rule(f"{HTTP}, 15.5.6; 404 is as good")
def other_methods(ask: Asking) -> Iterator[Probe]:
    """Another method than POST is answered 405 or 404, and a 405 names the methods that there are."""
    wanted = frozenset({404, 405})
    for method in ("GET", "PUT", "PATCH", "DELETE") if ask.given.local else ("GET",):
        sent = ask.sent(method=method)
        yield Probe(method, replace(sent, body=None) if method in {"GET", "DELETE"} else sent, wanted)


# --- Trouble ----------------------------------------------------------------------------------------------------------


@rule("no input may bring a server down")
def robust_against_odd_json(ask: Asking) -> Iterator[Probe]:
    """Deep, huge or oddly encoded JSON is never a server error."""
    right = encoded({"data": [good()]})
    for what, body in {
        "JSON 100,000 levels deep": b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "a record 5,000 levels deep": right[:-3] + b', "d":' + b"[" * 5000 + b"]" * 5000 + b"}]}",
        "UTF-16": right.decode().encode("utf-16"),
        "a byte order mark": b"\xef\xbb\xbf" + right,
        "half a surrogate pair": right[:-3] + b', "firstName": "\\ud800"}]}',
        "a number of 10,000 digits": right[:-3] + b', "n": ' + b"9" * 10_000 + b"}]}",
        "the number 1e999999": right[:-3] + b', "n": 1e999999}]}',
        "a key twice": right[:-3] + b', "email": "2-' + TAG.encode() + b'@example.com"}]}',
        "10,000 keys": encoded({"data": [good(**{f"k{number}": 1 for number in range(10_000)})]}),
        "the character U+0000": right[:-3] + b', "firstName": "\\u0000"}]}',
        "the key __proto__": right[:-3] + b', "__proto__": {"a": 1}, "constructor": 1}]}',
    }.items():
        yield Probe(what, ask.sent(body), ANY_BUT_5XX, fresh=True)


@rule("no input may bring a server down", raw=True)
def robust_against_size(ask: Asking) -> Iterator[Probe]:
    """A body of 5 MB is answered, by whatever refusal, or the connection is closed."""
    yield Probe("a body of 5 MB", ask.sent({"data": [good(note="x" * 5_000_000)]}), ANY_BUT_5XX, fresh=True)


@rule("RFC 9112, 6 and 7", raw=True)
def framing(ask: Asking) -> Iterator[Probe]:
    """A chunked body is read; a length that is a lie holds nobody up."""
    yield Probe("a chunked body", ask.sent(framing="chunked"), OK | {411}, fresh=True)
    yield Probe("a chunked bad body", ask.sent({"data": [{}]}, framing="chunked"), BAD_REQUEST | {411}, fresh=True)
    refused = CLIENT_ERROR | {NO_ANSWER}
    yield Probe("a body shorter than its length", ask.sent(framing="short"), refused, fresh=True)
    yield Probe("a body longer than its length", ask.sent(framing="long"), refused, fresh=True)


@rule("RFC 9112, 9.3", raw=True)
def usable_after_an_error(ask: Asking) -> Iterator[Probe]:
    """After a refusal the connection still works, or is closed."""
    yield Probe("a good request behind a bad one", ask.sent(), OK, after=ask.sent({"data": []}))
    yield Probe("a good request behind one without a token", ask.sent(), OK, after=ask.sent(token=None))
    yield Probe("a good request behind broken JSON", ask.sent(), OK, after=ask.sent(b'{"data": ['))


# --- Every answer -----------------------------------------------------------------------------------------------------

IDENTIFIERS = {
    400: "ValidationError",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
}
DOCUMENTED = {200, *IDENTIFIERS, 500}
TOLERATED = {405, 406, 408, 411, 413, 414, 415, 417, 431}
"""Refusals by HTTP itself that nobody documents, and that a server may give before the API sees a request."""

ANSWERS: dict[str, tuple[Rule, Callable[[Sent, Got], str]]] = {}
"""Rules about every answer: what is wrong with it, empty if nothing is."""


def answer_rule(source: str) -> Callable[[Any], Any]:
    """Make a rule about every answer of a function."""

    def register(judge: Callable[[Sent, Got], str]) -> Callable[[Sent, Got], str]:
        name = judge.__name__.replace("_", "-")
        one = Rule(name, (judge.__doc__ or "").splitlines()[0], source)
        RULES[name] = one
        ANSWERS[name] = (one, judge)
        return judge

    return register


@answer_rule(ERRORS)
def no_server_error(sent: Sent, got: Got) -> str:  # noqa: ARG001 - every judge is given both
    """No request is answered with a 5xx; one that puts another rule to the test breaks that one."""
    return f"{got}; wanted no 5xx" if got.status >= 500 else ""  # noqa: PLR2004 - the errors of servers


@answer_rule(ERRORS)
def documented_status(sent: Sent, got: Got) -> str:  # noqa: ARG001 - see above
    """Every status is one that the API documents, or a refusal that is HTTP's own."""
    fine = got.status in DOCUMENTED | TOLERATED | {NO_ANSWER} or got.status >= 500  # noqa: PLR2004 - judged by another
    return "" if fine else f"{got}; wanted one of {', '.join(map(str, sorted(DOCUMENTED)))}"


@answer_rule("openapi.yaml#/components/schemas/Error")
def error_body(sent: Sent, got: Got) -> str:  # noqa: ARG001 - see above
    """Every refusal has a JSON object with the texts `error` and `message`."""
    if got.status not in IDENTIFIERS:
        return ""
    texts = [got.json.get(name) for name in ("error", "message")] if isinstance(got.json, dict) else []
    if len(texts) == 2 and all(isinstance(text, str) for text in texts):  # noqa: PLR2004 - the two of them
        return ""
    return f"{got}; wanted an object with the texts error and message"


@answer_rule("https://docs.altahq.com/api-reference/objects/error")
def error_identifier(sent: Sent, got: Got) -> str:  # noqa: ARG001 - see above
    """The `error` of a refusal is the identifier of its status."""
    wanted = IDENTIFIERS.get(got.status)
    told = got.json.get("error") if isinstance(got.json, dict) else None
    if wanted is None or not isinstance(told, str) or told == wanted:
        return ""
    return f'{got.status} with the error "{told}"; wanted "{wanted}"'


@answer_rule("openapi.yaml#/components/responses")
def error_content_type(sent: Sent, got: Got) -> str:  # noqa: ARG001 - see above
    """Refusals are sent as application/json, in UTF-8."""
    if got.status not in IDENTIFIERS:
        return ""
    kind = (got.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json":
        return f"{got.status} as {kind or 'nothing'}; wanted application/json"
    try:
        got.body.decode()
    except UnicodeDecodeError:
        return f"{got.status} in another encoding; wanted UTF-8"
    return ""


@answer_rule(f"{HTTP}, 15.5.6")
def allow_names_the_methods(sent: Sent, got: Got) -> str:  # noqa: ARG001 - see above
    """A 405 has the header Allow, which names POST."""
    if got.status != 405:  # noqa: PLR2004 - method not allowed
        return ""
    allowed = {word.strip().upper() for word in (got.header("allow") or "").split(",")}
    return "" if "POST" in allowed else f"405 with Allow: {got.header('allow') or '(none)'}; wanted POST in it"


@answer_rule("openapi.yaml#/paths")
def success_is_no_error(sent: Sent, got: Got) -> str:  # noqa: ARG001 - see above
    """A 200 does not hold the body of an error."""
    told = got.json.get("error") if got.status == 200 and isinstance(got.json, dict) else None  # noqa: PLR2004 - a status of HTTP
    return f'200 with the error "{told}"' if told in IDENTIFIERS.values() else ""


@answer_rule("a server that does not answer holds its clients up")
def answers_in_time(sent: Sent, got: Got) -> str:
    """Every request is answered within ten seconds."""
    hung = got.trouble.startswith("no answer") and sent.framing != "short"
    return f"{got.trouble}; wanted an answer" if hung else ""
