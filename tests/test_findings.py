"""Rules about traffic: each has a case that breaks it and a near miss that does not; findings of a growing journal."""

from __future__ import annotations

import json
import re
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from mock_server import AltaMock, Clock
from mock_server.handlers.handler import Handler, Result
from mock_server.journal import findings, rules_sent
from mock_server.journal.rules import RULES, Run
from mock_server.messages.http import ApiRequest
from mock_server.pipeline.hooks import Hooks
from mock_server.store import memory
from tests.api.conftest import REP, REQUESTS, Sent
from tests.conftest import CAMPAIGN, ONE, ROOT, SECOND_CAMPAIGN, prospects_path, request_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mock_server.messages.outcome import Outcome
    from mock_server.pipeline.hooks import Handle

    Story = Callable[[AltaMock], None]


JSON = ("content-type", "application/json")


def add(mock: AltaMock, *records: Any, transport: str = "python", **options: Any) -> None:
    """Send one batch."""
    body = {"data": list(records)} if records else ONE
    mock.handle(request_of(options.pop("body", body), **options), transport)


def limited(seconds: float, transport: str = "socket") -> Story:
    """Use the quota up by full batches, then come again after so many seconds."""

    def story(mock: AltaMock) -> None:
        for batch in range(11):
            add(mock, *({"email": f"{batch}-{n}"} for n in range(20)), transport=transport)
        mock.clock.advance(seconds)
        add(mock, {"email": "last"}, transport=transport)

    return story


def injected_wait(retry_after: str, seconds: float) -> Story:
    """A 429 with a Retry-After, then the next request after so many seconds."""

    def story(mock: AltaMock) -> None:
        mock.next(429, retry_after=retry_after)
        add(mock, {"email": "a"})
        mock.clock.advance(seconds)
        add(mock, {"email": "a"})

    return story


def sends(*batches: Any, **options: Any) -> Story:
    """Send batches, one after another."""

    def story(mock: AltaMock) -> None:
        for records in batches:
            add(mock, *records, **options)

    return story


def one_by_one(count: int, pause: float = 0) -> Story:
    """Batches of one record, with a pause after each."""

    def story(mock: AltaMock) -> None:
        for number in range(count):
            add(mock, {"email": f"one-{number}"})
            mock.clock.advance(pause)

    return story


def both(*stories: Story) -> Story:
    """Several stories."""

    def story(mock: AltaMock) -> None:
        for one in stories:
            one(mock)

    return story


def raw(query: str = "", **options: Any) -> Story:
    """Send one request with a query."""

    def story(mock: AltaMock) -> None:
        request = request_of(**options)
        mock.handle(ApiRequest(request.method, request.path, query, request.headers, request.body))

    return story


def mended_account(mock: AltaMock) -> None:
    """The same body, refused without an account and accepted with one."""
    add(mock, token="multi-token")
    add(mock, token="multi-token", headers=(JSON, ("x-account-id", "acme")))


def lost_response(mock: AltaMock) -> None:
    """A batch is stored, its response is lost, and the batch is sent again."""
    mock.fault("drop_after_commit")
    add(mock, {"email": "a@x"}, {"email": "b@x"})
    add(mock, {"email": "a@x"}, {"email": "b@x"})


def injected_refusal(mock: AltaMock) -> None:
    """The same batch after an injected 500."""
    mock.next(500)
    add(mock)
    add(mock)


SLIP = "3c90c3cc-0d44-4b50-8888-8dd25736052b"


def injects(status: int, times: int, pause: float, transport: str = "python") -> Story:
    """The same batch once more than a status is injected, with a pause after each."""

    def story(mock: AltaMock) -> None:
        mock.next(status, times=times)
        for _ in range(times + 1):
            add(mock, {"email": "a"}, transport=transport)
            mock.clock.advance(pause)

    return story


def after(status: int, *batches: Any) -> Story:
    """An injected status for the first of several batches, with a pause after each."""

    def story(mock: AltaMock) -> None:
        mock.next(status)
        for records in batches:
            add(mock, *records)
            mock.clock.advance(10)

    return story


def redirected(host: str, path: str = prospects_path(SECOND_CAMPAIGN), token: str | None = "test-token") -> Story:
    """A redirect to the second campaign at another host, then a request."""

    def story(mock: AltaMock) -> None:
        location = {"Location": f"//b{prospects_path(SECOND_CAMPAIGN)}"}
        mock.next(307, headers=location, allow_undocumented=True)
        for name, one, bearer in (("a", prospects_path(), "test-token"), (host, path, token)):
            headers = (("host", name), ("content-type", "application/json"))
            add(mock, {"email": "a"}, path=one, token=bearer, headers=headers)

    return story


def crowd(mock: AltaMock) -> None:
    """200 prospects, added within the quota, which is full again."""
    for batch in range(10):
        add(mock, *({"email": f"{batch}-{n}"} for n in range(20)))
    mock.clock.advance(60)


def get(mock: AltaMock, target: str, **options: Any) -> Any:
    """Return what is at a target below the base path; also if that is an error."""
    path, _, query = target.partition("?")
    request = request_of(None, method="GET", path=f"/v1{path}", headers=(), **options)
    return json.loads(mock.handle(replace(request, query=query, body=b"")).reply.body)


def pages(target: str, times: int = 1, most: int = 1000) -> Story:
    """Read a list from its beginning, page by page, a number of times; at most so many pages."""

    def story(mock: AltaMock) -> None:
        for _ in range(times):
            page = get(mock, target)
            for _ in range(most - 1):
                if not page.get("hasMore"):
                    break
                page = get(mock, f"{target.partition('?')[0]}?cursor={page['next']}")

    return story


def reads(*targets: str, times: int = 1, pause: float = 0) -> Story:
    """Read what is at some targets, one after another, a number of times, with a pause after each time."""

    def story(mock: AltaMock) -> None:
        for _ in range(times):
            for target in targets:
                get(mock, target)
            mock.clock.advance(pause)

    return story


def cursor(target: str, first: str = "/calls?limit=5", change: Callable[[str], str] = str, **options: Any) -> Story:
    """Read a page, then a target in which `{}` stands for its next, maybe changed."""

    def story(mock: AltaMock) -> None:
        get(mock, target.format(change(get(mock, first).get("next", ""))), **options)

    return story


def again(*between: Story, last: bool = False) -> Story:
    """Read the second page of a list, or the last one, and again after some stories."""

    def story(mock: AltaMock) -> None:
        following = get(mock, f"/calls?limit={20 if last else 5}").get("next")
        get(mock, f"/calls?cursor={following}")
        both(*between)(mock)
        get(mock, f"/calls?cursor={following}")

    return story


def faulty(name: str) -> Story:
    """A fault, and a read that meets it."""

    def story(mock: AltaMock) -> None:
        mock.fault(name)
        mock.handle(request_of(b"", method="GET", path="/v1/reps", headers=()))

    return story


def opts_out(identifier: str, kind: str, *, back: bool = False, **options: Any) -> Story:
    """Opt an identifier out, and maybe in again."""
    one = {"identifier": identifier, "identifierType": kind}

    def story(mock: AltaMock) -> None:
        mock.handle(request_of({"identifiers": [one]}, path=OPT_OUTS, **options))
        if back:
            mock.handle(request_of(one, path=OPT_OUTS, method="DELETE", **options))

    return story


def deletes(identifier: str, kind: str = "email") -> Story:
    """Take an identifier off the list of opt-outs."""
    body = {"identifier": identifier, "identifierType": kind}

    def story(mock: AltaMock) -> None:
        mock.handle(request_of(body, path=OPT_OUTS, method="DELETE"))

    return story


OPT_OUTS = "/v1/dnc/communication-opt-outs"
A, B = {"email": "a"}, {"email": "b"}
FULL = [{"email": f"{number}"} for number in range(20)]
AUTHORIZED = ("authorization", "Bearer test-token")

CASES: list[tuple[str, str, Story, bool]] = [
    ("valid-body", "no contact", sends([{}]), True),
    ("valid-body", "invalid JSON", raw(body=b"{'data': []}"), True),
    ("valid-body", "not a number of JSON", raw(body=b'{"data":[{"email":"a","size":NaN}]}'), True),
    ("valid-body", "half of a surrogate pair", raw(body=b'{"data":[{"email":"\\ud800"}]}'), True),
    ("valid-body", "an undeclared field", sends([{"email": "a", "shoeSize": 43.5}]), False),
    ("valid-body", "too many are another rule's", sends([A] * 21), False),
    ("keeps-the-batch-size", "21 records", sends([A] * 21), True),
    ("keeps-the-batch-size", "none", raw(body=b'{"data":[]}'), True),
    ("keeps-the-batch-size", "20 records", sends(FULL), False),
    ("sends-json", "as text", sends([A], headers=(("content-type", "text/plain"),)), True),
    ("sends-json", "not UTF-8", raw(body=b'{"data":[{"email":"\xff"}]}'), True),
    ("sends-json", "with a charset", sends([A], headers=(("content-type", "Application/JSON; charset=utf-8"),)), False),
    ("bearer-header", "without Bearer", sends([A], token=None, headers=(JSON, ("authorization", "test-token"))), True),
    ("bearer-header", "an unknown token", sends([A], token="nobody"), True),
    ("bearer-header", "twice", sends([A], headers=(JSON, AUTHORIZED)), True),
    (
        "bearer-header",
        "in lower case",
        sends([A], token=None, headers=(JSON, ("authorization", "bearer test-token"))),
        False,
    ),
    ("token-nowhere-else", "a known token in the query", raw("key=test-token"), True),
    ("token-nowhere-else", "a parameter named like one", raw("access_token=abc"), True),
    ("token-nowhere-else", "in the path", raw(path="/v1/test%2Dtoken"), True),
    ("token-nowhere-else", "in a record", sends([{"email": "a", "note": "test-token"}]), True),
    ("token-nowhere-else", "in another header", sends([A], headers=(JSON, ("x-key", "other-token"))), True),
    ("token-nowhere-else", "another parameter", raw("page=1&tok=abc"), False),
    ("token-nowhere-else", "a word", sends([{"email": "a", "note": "bearer of test tokens"}]), False),
    ("clean-path", "a slash at the end", sends([A], path=prospects_path() + "/"), True),
    ("clean-path", "a query", raw("source=crm"), True),
    ("clean-path", "upper case of the id", sends([A], path=prospects_path(CAMPAIGN.upper())), False),
    ("misspelt-field", "snake case", sends([{"email": "a", "linkedin_url": "x"}]), True),
    ("misspelt-field", "case", sends([{"email": "a", "FirstName": "x"}]), True),
    ("misspelt-field", "a letter lost", sends([{"email": "a", "linkedinUr": "x"}]), True),
    ("misspelt-field", "another field", sends([{"email": "a", "companySize": 3, "title": "x", "address": "y"}]), False),
    ("duplicate-key", "in a record", raw(body=b'{"data":[{"email":"a","email":"b"}]}'), True),
    ("duplicate-key", "in two records", raw(body=b'{"data":[{"email":"a"},{"email":"b"}]}'), False),
    ("id-off-by-one", "one character", sends([A], path=prospects_path(SLIP)), True),
    ("id-off-by-one", "two characters", sends([A], path=prospects_path(SLIP.replace("3c", "4c"))), False),
    ("id-off-by-one", "right", sends([A], path=prospects_path(CAMPAIGN.upper())), False),
    ("base-path-missing", "without /v1", sends([A], path=prospects_path().removeprefix("/v1")), True),
    ("base-path-missing", "another path", sends([A], path="/v2" + prospects_path()), False),
    ("waits-for-retry-after", "a second too early", limited(59), True),
    ("waits-for-retry-after", "a tenth of a second too early", limited(59.9), True),
    ("waits-for-retry-after", "as inexact as timers are", limited(59.96), False),
    ("waits-for-retry-after", "as long as asked", limited(60), False),
    ("waits-for-retry-after", "behind responses no time passes", limited(0, transport="responses"), False),
    ("waits-for-retry-after", "after an injected wait, too early", injected_wait("5", 4), True),
    ("waits-for-retry-after", "after an injected wait", injected_wait("5", 5), False),
    ("waits-for-retry-after", "before an HTTP date", injected_wait("Thu, 01 Jan 2026 00:00:05 GMT", 4), True),
    ("waits-for-retry-after", "at an HTTP date", injected_wait("Thu, 01 Jan 2026 00:00:05 GMT", 5), False),
    ("waits-for-retry-after", "after a wait that nobody can read", injected_wait("soon", 0), False),
    ("waits-with-every-operation", "another one at once", both(reads("/reps", times=101), reads("/calls")), True),
    ("waits-with-every-operation", "a write at once", both(reads("/reps", times=101), sends([A])), True),
    (
        "waits-with-every-operation",
        "another one too early",
        both(reads("/reps", times=100), reads("/reps", pause=59), reads("/calls")),
        True,
    ),
    (
        "waits-with-every-operation",
        "another one in time",
        both(reads("/reps", times=100), reads("/reps", pause=60), reads("/calls")),
        False,
    ),
    ("waits-with-every-operation", "the same one", reads("/reps", times=103), False),
    ("waits-with-every-operation", "after the limit of adding", both(one_by_one(11), reads("/calls")), False),
    ("pauses-untold", "at once", injected_wait("soon", 0.5), True),
    ("pauses-untold", "after a second", injected_wait("soon", 1), False),
    ("pauses-untold", "with a time", injected_wait("0", 0), False),
    ("waits-no-longer-than-sensible", "an hour too long", injected_wait("5", 3605), True),
    ("waits-no-longer-than-sensible", "a minute and a half too long", injected_wait("5", 95), False),
    ("gives-up", "21 refusals in a row", injects(429, 21, 10), True),
    ("gives-up", "20 refusals in a row", injects(429, 20, 10), False),
    ("gives-up", "interrupted", both(injects(429, 15, 10), injects(429, 15, 10)), False),
    ("resumes-with-the-refused-batch", "goes on", after(429, [A], [B]), True),
    ("resumes-with-the-refused-batch", "the refused batch first", after(429, [A], [A], [B]), False),
    ("half-empty-batches", "one by one", sends(*([{"email": str(n)}] for n in range(11))), True),
    (
        "half-empty-batches",
        "more than half full",
        sends(*([{"email": f"{n}-{m}"} for m in range(11)] for n in range(11))),
        False,
    ),
    ("half-empty-batches", "within the limit", sends(*([{"email": str(n)}] for n in range(10))), False),
    ("half-empty-batches", "an injected 429", after(429, [A], [A], [B]), False),
    ("does-not-repeat-what-was-refused", "after a 400", sends([{}], [{}]), True),
    ("does-not-repeat-what-was-refused", "after a 404", sends([A], [A], path=prospects_path(SLIP)), True),
    ("does-not-repeat-what-was-refused", "after a 401", sends([A], [A], token="wrong-token"), True),
    ("does-not-repeat-what-was-refused", "although it succeeds", after(400, [A], [A]), True),
    ("does-not-repeat-what-was-refused", "something else was mended", sends([{}], [A]), False),
    ("does-not-repeat-what-was-refused", "after a 500", injected_refusal, False),
    ("does-not-repeat-what-was-refused", "the account was mended", mended_account, False),
    ("does-not-repeat-what-was-refused", "other token", both(sends([A], token="wrong-token"), sends([A])), False),
    ("stops-when-nothing-can-succeed", "after a 404", after(404, [A], [B]), True),
    ("stops-when-nothing-can-succeed", "after a 400", after(400, [A], [B]), False),
    (
        "stops-when-nothing-can-succeed",
        "another campaign",
        both(after(404, [A]), sends([B], path=prospects_path(SECOND_CAMPAIGN))),
        False,
    ),
    ("careful-with-5xx", "at once", injects(500, 1, 0.5), True),
    ("careful-with-5xx", "four times", injects(500, 4, 2), True),
    ("careful-with-5xx", "three times, with pauses", injects(500, 3, 2), False),
    ("careful-with-5xx", "another batch at once", both(after(500, [A]), sends([B])), False),
    ("careful-with-5xx", "behind responses no time passes", injects(500, 1, 0, transport="responses"), False),
    ("takes-no-token-elsewhere", "to its target", redirected("b"), True),
    ("takes-no-token-elsewhere", "to its target without the token", redirected("b", token=None), False),
    ("takes-no-token-elsewhere", "to another path there", redirected("b", prospects_path()), False),
    ("takes-no-token-elsewhere", "to that path at its own host", redirected("a"), False),
    ("followed-redirect", "without the token", redirected("b", token=None), True),
    ("followed-redirect", "with the token, which is worse", redirected("b"), False),
    ("duplicate-prospect", "a batch sent twice after its response was lost", lost_response, True),
    ("duplicate-prospect", "in one batch, by case", sends([{"email": "A@x"}, {"email": "a@x "}]), True),
    ("duplicate-prospect", "by identity", sends(*[[{"firstName": "A", "lastName": "B", "company": "C"}]] * 2), True),
    ("duplicate-prospect", "by phone", sends([{"phone": "1", "email": "a"}], [{"phone": "1", "email": "b"}]), True),
    (
        "duplicate-prospect",
        "the same name, another address",
        sends([{"email": "a", "firstName": "A"}], [{"email": "b", "firstName": "A"}]),
        False,
    ),
    (
        "duplicate-prospect",
        "in two campaigns",
        both(sends([A]), sends([A], path=prospects_path(SECOND_CAMPAIGN))),
        False,
    ),
    ("duplicate-prospect", "the first was refused", sends([A, {}], [A]), False),
    ("duplicate-prospect", "the first was not carried out", injected_refusal, False),
    ("half-empty-batches", "where reads reached the limit", both(reads("/reps", times=97), one_by_one(4)), False),
    ("half-empty-batches", "over hours", both(one_by_one(9, pause=600), sends(*[FULL] * 11)), False),
    ("polls-within-the-limit", "the same page", reads("/campaigns", times=101), True),
    ("polls-within-the-limit", "the same page at every other request", reads("/reps", f"/reps/{REP}", times=51), True),
    ("polls-within-the-limit", "as fast as the quota allows", reads("/campaigns", times=200, pause=0.6), False),
    ("polls-within-the-limit", "other objects", reads(*(f"/reps?limit={n}" for n in range(1, 101)), "/reps"), False),
    ("polls-within-the-limit", "a write is refused", both(reads("/reps", times=100), sends([A])), False),
    ("reads-leave-room-for-writes", "no room", both(reads(f"/reps/{REP}", times=100), sends([A])), True),
    ("reads-leave-room-for-writes", "room", both(reads("/reps", times=60), one_by_one(10)), False),
    ("reads-leave-room-for-writes", "the limit of writes", both(reads("/reps", times=60), one_by_one(11)), False),
    ("reads-leave-room-for-writes", "a read is refused", reads("/reps", times=101), False),
    ("small-pages", "ten objects in each", both(crowd, pages("/prospects")), True),
    ("small-pages", "ten by choice", both(crowd, pages("/prospects?limit=10")), True),
    ("small-pages", "more than by default", both(crowd, pages("/prospects?limit=11")), False),
    ("small-pages", "of a short list", pages("/calls"), False),
    ("small-pages", "the first page only", reads("/prospects", times=50), False),
    (
        "cursors-as-given",
        "with another filter",
        cursor(f"/prospects?campaignId={CAMPAIGN}&cursor={{}}", "/prospects?limit=5"),
        True,
    ),
    ("cursors-as-given", "of another list", cursor("/reps?cursor={}"), True),
    ("cursors-as-given", "in another account", cursor("/calls?cursor={}", token="other-token"), True),
    ("cursors-as-given", "cut off", cursor("/calls?cursor={}", change=lambda text: text[:-4]), True),
    ("cursors-as-given", "in lower case", cursor("/calls?cursor={}", change=str.lower), True),
    ("cursors-as-given", "with another limit", cursor("/calls?limit=7&cursor={}"), False),
    (
        "cursors-as-given",
        "with the same filter",
        cursor("/inbox/linkedin/messages?type=campaign&cursor={}", "/inbox/linkedin/messages?type=campaign&limit=2"),
        False,
    ),
    ("cursors-as-given", "although the limit is wrong", cursor("/calls?limit=0&cursor={}"), False),
    ("pages-read-once", "at once", again(), True),
    ("pages-read-once", "after another page", again(reads("/calls?limit=1")), True),
    ("pages-read-once", "the last page, for what is new", again(last=True), False),
    ("pages-read-once", "after an error", again(reads("/reps?limit=0")), False),
    ("pages-read-once", "after a lost response", again(faulty("truncate")), False),
    ("pages-read-once", "after the page before", again(reads("/calls?limit=5")), False),
    ("pages-read-once", "the whole list", pages("/calls?limit=7", times=2), False),
    (
        "opted-out-prospect",
        "by email in another case",
        both(opts_out("a@X", "email"), sends([B, {"email": "A@x"}])),
        True,
    ),
    (
        "opted-out-prospect",
        "by profile",
        both(opts_out("in/a", "linkedin"), sends([{"email": "a", "linkedinUrl": "in/a"}])),
        True,
    ),
    ("opted-out-prospect", "by phone, from messages", both(opts_out("+1", "whatsapp"), sends([{"phone": "+1"}])), True),
    ("opted-out-prospect", "in the seed", sends([{"email": "imani@okoro.example"}]), True),
    ("opted-out-prospect", "by another member", both(opts_out("a", "phone"), sends([A])), False),
    ("opted-out-prospect", "in again", both(opts_out("a", "email", back=True), sends([A])), False),
    (
        "opted-out-prospect",
        "in again, from the seed",
        both(deletes("imani@okoro.example"), sends([{"email": "imani@okoro.example"}])),
        False,
    ),
    ("opted-out-prospect", "in another account", both(opts_out("a", "email", token="other-token"), sends([A])), False),
    ("opted-out-prospect", "added before", both(sends([A]), opts_out("a", "email")), False),
    ("opted-out-prospect", "refused", both(opts_out("a", "email"), sends([A, {}])), False),
]


def shown(mock: AltaMock, name: str) -> bool:
    """Return whether a rule is broken: as the findings show it, or as it judges a run."""
    if RULES[name].finding:
        return name in {finding.name for finding in mock.findings()}
    return bool(RULES[name].judge(Run(mock.requests, [], None, None)))


@pytest.mark.parametrize(
    ("name", "story", "trips"),
    [(name, story, trips) for name, _, story, trips in CASES],
    ids=[f"{name}: {what}" for name, what, _, _ in CASES],
)
def test_a_rule_and_its_near_misses(mock: AltaMock, name: str, story: Story, *, trips: bool) -> None:
    """It is broken by what it names, and by nothing close to it."""
    story(mock)

    assert shown(mock, name) is trips


def keep(monkeypatch: pytest.MonkeyPatch, entries: int = 10**9, size: int = 10**9) -> None:
    """Let a journal keep so many entries and bytes of bodies."""
    for module in (memory, findings, rules_sent):
        monkeypatch.setattr(module, "JOURNAL_ENTRIES", entries)
    for module in (memory, findings):
        monkeypatch.setattr(module, "JOURNAL_BYTES", size)


@pytest.mark.slow
def test_looking_often_finds_the_same_as_looking_once(clock: Clock) -> None:
    """Each story on one journal, looked at after each request, and on another, looked at in the end."""
    counts: list[int] = []

    def looking(handle: Handle) -> Handle:
        def handled(request: ApiRequest, transport: str) -> Outcome:
            outcome = handle(request, transport)
            counts.append(len(often.findings()))
            return outcome

        return handled

    often, once = AltaMock(clock=clock, hooks=Hooks(around=looking)), AltaMock(clock=clock)
    for mock in (often, once):
        for _, _, story, _ in CASES:
            story(mock)
            mock.clock.advance(60)

    assert often.findings() == once.findings()
    assert len(set(counts)) > len(RULES)


def test_requests_without_a_batch_are_not_half_empty_batches(tmp_path: Path, clock: Clock) -> None:
    """A hundred requests of another operation, and then one batch too many."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    document["paths"]["/ping"] = {"get": {"operationId": "ping", "responses": {"200": {"description": "It is there."}}}}
    (tmp_path / "openapi.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    hooks = Hooks(handlers=lambda handlers: {**handlers, "ping": Handler(lambda *_: Result(body={}))})
    mock = AltaMock(clock=clock, openapi=tmp_path / "openapi.yaml", hooks=hooks, account_rate_limit="101/60s")
    for _ in range(100):
        mock.handle(request_of(b"", method="GET", path="/v1/ping", headers=()))
    add(mock, *FULL)
    add(mock, *FULL)
    mock.handle(request_of(b"", method="GET", path="/v1/ping", headers=()))

    assert [entry.status for entry in mock.requests] == [200] * 101 + [429] * 2
    assert "half-empty-batches" not in {finding.name for finding in mock.findings()}


def test_a_cleared_journal_shows_nothing_and_remembers_nothing(mock: AltaMock) -> None:
    """What was sent before is not a duplicate any more, whether the findings were read in between or not."""
    for clear in (mock.journal.clear, mock.reset):
        add(mock, {"email": "a"})
        assert mock.findings() == []
        clear()
        add(mock, {"email": "a"})
        clear()
        add(mock, {"email": "a"})

        assert mock.findings() == []
        clear()


def test_findings_go_with_the_requests_that_show_them(unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten request has no findings, and is not compared with later ones."""
    keep(monkeypatch, entries=4)
    add(unlimited, {"email": "a", "linkedin_url": "b"})
    assert [one.requests for one in unlimited.findings()] == [(1,)]
    for number in range(9):
        add(unlimited, {"email": str(number)})
        unlimited.findings()
    assert unlimited.findings() == []
    add(unlimited, {"email": "a", "linkedin_url": "b"})

    assert [one.name for one in unlimited.findings()] == ["misspelt-field"]  # and no duplicate of what is forgotten


def test_a_misspelling_is_found_again_when_its_first_request_is_forgotten(
    unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at often or once, as long as it goes on."""
    keep(monkeypatch, entries=4)
    for number in range(9):
        add(unlimited, {"email": str(number), "linkedin_url": "b"})
        assert [one.name for one in unlimited.findings()] == ["misspelt-field"]


def test_a_misspelling_is_found_again_after_a_reset(mock: AltaMock) -> None:
    """What was found before is forgotten, too."""
    for _ in range(2):
        add(mock, {"email": "a", "linkedin_url": "b"})
        assert [one.name for one in mock.findings()] == ["misspelt-field"]
        mock.reset()


def test_samples_of_the_page_are_not_a_consumers(unlimited: AltaMock) -> None:
    """They are in the journal with their id, and neither break a rule nor add to the breach of another request."""
    for _ in range(2):
        unlimited.answer(request_of(headers=(("content-type", "application/json"), ("x-alta-mock-sample", "7"))))
    unlimited.answer(request_of())

    assert unlimited.findings() == []
    assert [entry.summary()["sample"] for entry in unlimited.requests] == ["7", "7", None]
    unlimited.answer(request_of())
    assert [(one.name, one.requests) for one in unlimited.findings()] == [("duplicate-prospect", (3, 4))]


def test_findings_are_sorted_by_their_first_request(mock: AltaMock) -> None:
    """Whenever they were found."""
    for record in ({"email": "a"}, {"email": "b", "linkedin_url": "x"}, {"email": "a"}):
        add(mock, record)

    assert [one.requests for one in mock.findings()] == [(1, 3), (2,)]


@pytest.mark.parametrize(("entries", "size"), [(4, 10**9), (10**9, 20_000)])
def test_what_is_remembered_is_bounded(
    unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch, entries: int, size: int
) -> None:
    """Refused requests, which are compared with later ones, are dropped in the end."""
    keep(monkeypatch, entries=entries, size=size)

    def refuse(count: int) -> int:
        for _ in range(count):
            add(unlimited, {"email": 1, "note": str(len(unlimited.requests)) * 5000})
            unlimited.findings()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before, later = refuse(20), refuse(200)
    finally:
        tracemalloc.stop()
    assert later - before < 20 * 5000


def test_a_model_consumer_has_no_findings(mock: AltaMock) -> None:
    """Full batches, a wait as long as Retry-After says, and then the batch that was refused."""
    batches = [[{"email": f"{batch}-{n}@example.com"} for n in range(20)] for batch in range(12)]
    for batch in batches[:11]:
        add(mock, *batch)
    mock.clock.advance(60)
    for batch in batches[10:]:
        add(mock, *batch)

    assert mock.findings() == []
    assert len(mock.prospects(CAMPAIGN)) == 240


@pytest.mark.parametrize("refused", [None, 403, 404, 429, 500])
def test_a_model_consumer_of_the_whole_api_breaks_no_rule(mock: AltaMock, refused: int | None) -> None:
    """It adds, pages, opts out, reads the inbox, and calls every operation; a refused read ends it at most."""
    people = [{"email": f"{number}@example.com"} for number in range(230)]
    for start in range(0, 200, 20):
        add(mock, *people[start : start + 20])
    mock.clock.advance(60)
    add(mock, *people[200:220])
    pages("/prospects?limit=100", times=2)(mock)
    for number in range(20):
        opts_out(f"{number}@other.example", "email", back=True)(mock)
    both(deletes("no@x"), deletes("none@x"), opts_out("no@x", "email"), deletes("no@x"))(mock)
    for name, sent in REQUESTS.items():
        mock.handle(
            (sent._replace(body={"data": people[220:]}) if name == "addProspectsToCampaign" else sent).request()
        )
    mock.handle(Sent("POST", f"/campaigns/{CAMPAIGN}/pause").request())
    mock.handle(Sent("POST", "/tags/assign", {**REQUESTS["assignTags"].body, "entityId": CAMPAIGN}).request())
    mock.handle(Sent("POST", "/tags/assign", {**REQUESTS["assignTags"].body, "entityId": SECOND_CAMPAIGN}).request())
    if refused:
        mock.next(refused)
        get(mock, "/calls")

    assert {entry.operation for entry in mock.requests} == set(REQUESTS)
    assert mock.findings() == []
    run = Run(mock.requests, mock.prospects(CAMPAIGN), people, succeeded=refused is None, usual=len(people))
    assert {name: one.judge(run) for name, one in RULES.items() if one.judge(run)} == {}


def test_every_rule_about_entries_has_a_breach_and_a_near_miss() -> None:
    """Each of those that are shown one entry after the other; those about a finished run are tried in test_rules.py."""
    incremental = {one.id for one in RULES.values() if one.start}

    assert {name for name, _, _, trips in CASES if trips} == incremental
    assert {name for name, _, _, trips in CASES if not trips} == incremental


def test_every_finding_is_documented() -> None:
    """In docs/control.md, and no other."""
    page = (ROOT / "docs/control.md").read_text(encoding="utf-8")
    section = page.split("## Findings")[1].split("\n## ")[0]

    assert re.findall(r"^\| `([a-z0-9-]+)` \|", section, re.MULTILINE) == [
        one.id for one in RULES.values() if one.finding
    ]


def test_a_remedy_names_the_bounds_of_the_contract(tmp_path: Path, clock: Clock) -> None:
    """Whatever they are, in rules and in what a violation asks for."""
    text = (ROOT / "openapi.yaml").read_text(encoding="utf-8")
    for ours, other in {"maxItems: 20": "maxItems: 7", "minItems: 1": "minItems: 0", "com/v1": "com/a/v2"}.items():
        assert ours in text
        text = text.replace(ours, other)
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    mock = AltaMock(clock=clock, openapi=tmp_path / "openapi.yaml")
    there = prospects_path().replace("/v1", "/a/v2")
    for records, path in (([A] * 8, there), ([], there), ([A], prospects_path())):
        mock.answer(request_of({"data": records}, path=path))
    (breach,) = RULES["keeps-the-batch-size"].judge(Run(mock.requests, [], None, None)) or []

    assert [violation["fix"] for entry in mock.requests for violation in entry.as_dict()["violations"]] == [
        "send at most 7 items",
        "compare the path, and the base URL, which ends in /a/v2",
    ]
    assert breach.text == "sent 8 records in one request; send 0 to 7"
