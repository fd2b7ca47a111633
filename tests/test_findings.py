"""What the traffic says about a consumer: for each finding one case that trips it, and near misses that do not."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import pytest

from mock_server import AltaMock, Clock
from mock_server.journal import entries as journal
from mock_server.journal import rules as findings
from mock_server.messages.http import ApiRequest
from tests.conftest import CAMPAIGN, ONE, ROOT, SECOND_CAMPAIGN, prospects_path, request_of

if TYPE_CHECKING:
    from collections.abc import Callable

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


def forced_wait(retry_after: str, seconds: float) -> Story:
    """A 429 that tells to wait, then the next request after so many seconds."""

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


def lost_answer(mock: AltaMock) -> None:
    """A batch is stored, its answer lost, and the batch sent again."""
    mock.fault("drop_after_commit")
    add(mock, {"email": "a@x"}, {"email": "b@x"})
    add(mock, {"email": "a@x"}, {"email": "b@x"})


def forced_refusal(mock: AltaMock) -> None:
    """The same batch after a injected 500."""
    mock.next(500)
    add(mock)
    add(mock)


SLIP = "3c90c3cc-0d44-4b50-8888-8dd25736052b"

CASES: list[tuple[str, str, Story, bool]] = [
    ("early-retry", "a second too early", limited(59), True),
    ("early-retry", "a hair too early", limited(59.99), True),
    ("early-retry", "as told", limited(60), False),
    ("early-retry", "behind responses nothing sleeps", limited(0, transport="responses"), False),
    ("early-retry", "after a injected wait, too early", forced_wait("5", 4), True),
    ("early-retry", "after a injected wait", forced_wait("5", 5), False),
    ("rejected-again", "after a 400", sends([{}], [{}]), True),
    ("rejected-again", "after a 404", sends([{"email": "a"}], [{"email": "a"}], path=prospects_path(SLIP)), True),
    ("rejected-again", "after a 401", sends([{"email": "a"}], [{"email": "a"}], token="wrong-token"), True),
    ("rejected-again", "something else was mended", sends([{}], [{"email": "a"}]), False),
    ("rejected-again", "after a 500", forced_refusal, False),
    ("rejected-again", "the account was mended", mended_account, False),
    ("early-retry", "before an HTTP date", forced_wait("Thu, 01 Jan 2026 00:00:05 GMT", 4), True),
    ("early-retry", "at an HTTP date", forced_wait("Thu, 01 Jan 2026 00:00:05 GMT", 5), False),
    ("early-retry", "after a wait that nobody can read", forced_wait("soon", 0), False),
    (
        "rejected-again",
        "with another token",
        both(sends([{"email": "a"}], token="wrong-token"), sends([{"email": "a"}])),
        False,
    ),
    ("duplicate-prospect", "a batch sent twice after its answer was lost", lost_answer, True),
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
        both(sends([{"email": "a"}]), sends([{"email": "a"}], path=prospects_path(SECOND_CAMPAIGN))),
        False,
    ),
    ("duplicate-prospect", "the first was refused", sends([{"email": "a"}, {}], [{"email": "a"}]), False),
    ("duplicate-prospect", "the first was not carried out", forced_refusal, False),
    ("misspelt-field", "snake case", sends([{"email": "a", "linkedin_url": "x"}]), True),
    ("misspelt-field", "case", sends([{"email": "a", "FirstName": "x"}]), True),
    ("misspelt-field", "a letter lost", sends([{"email": "a", "linkedinUr": "x"}]), True),
    ("misspelt-field", "another field", sends([{"email": "a", "companySize": 3, "title": "x", "address": "y"}]), False),
    ("id-off-by-one", "one character", sends([{"email": "a"}], path=prospects_path(SLIP)), True),
    ("id-off-by-one", "two characters", sends([{"email": "a"}], path=prospects_path(SLIP.replace("3c", "4c"))), False),
    ("id-off-by-one", "right", sends([{"email": "a"}], path=prospects_path(CAMPAIGN.upper())), False),
    ("base-path-missing", "without /v1", sends([{"email": "a"}], path=prospects_path().removeprefix("/v1")), True),
    ("base-path-missing", "another path", sends([{"email": "a"}], path="/v2" + prospects_path()), False),
    (
        "raw-token",
        "without Bearer",
        sends([{"email": "a"}], token=None, headers=(JSON, ("authorization", "test-token"))),
        True,
    ),
    (
        "raw-token",
        "another scheme",
        sends([{"email": "a"}], token=None, headers=(JSON, ("authorization", "Basic x"))),
        False,
    ),
    ("token-in-query", "a known token", raw("key=test-token"), True),
    ("token-in-query", "a parameter named like one", raw("access_token=abc"), True),
    ("token-in-query", "another parameter", raw("page=1&tok=abc"), False),
    ("half-empty-batches", "one by one", sends(*([{"email": str(n)}] for n in range(11))), True),
    (
        "half-empty-batches",
        "more than half full",
        sends(*([{"email": f"{n}-{m}"} for m in range(11)] for n in range(11))),
        False,
    ),
    ("half-empty-batches", "within the limit", sends(*([{"email": str(n)}] for n in range(10))), False),
    ("duplicate-key", "in a record", raw(body=b'{"data":[{"email":"a","email":"b"}]}'), True),
    ("duplicate-key", "in two records", raw(body=b'{"data":[{"email":"a"},{"email":"b"}]}'), False),
]


@pytest.mark.parametrize(
    ("name", "story", "trips"),
    [(name, story, trips) for name, _, story, trips in CASES],
    ids=[f"{name}: {what}" for name, what, _, _ in CASES],
)
def test_a_finding_and_its_near_misses(mock: AltaMock, name: str, story: Story, *, trips: bool) -> None:
    """Tripped by what it names, and by nothing close to it."""
    story(mock)

    assert (name in {finding.name for finding in mock.findings()}) is trips


def test_looking_often_finds_the_same_as_looking_once(clock: Clock) -> None:
    """Each story on one journal, looked at after each request, and on another, looked at in the end."""
    often, once = AltaMock(clock=clock), AltaMock(clock=clock)
    original = often.handle
    often.handle = lambda *args: (original(*args), often.findings())[0]  # type: ignore[method-assign]  # wrapped on purpose
    for mock in (often, once):
        for _, _, story, _ in CASES:
            story(mock)

    assert often.findings() == once.findings() != []


def test_a_cleared_journal_shows_nothing_and_remembers_nothing(mock: AltaMock) -> None:
    """What was sent before is no duplicate any more, looked at in between or not."""
    for _ in range(2):
        add(mock, {"email": "a"})
        assert mock.findings() == []
        mock.journal.clear()
    add(mock, {"email": "a"})
    mock.journal.clear()
    add(mock, {"email": "a"})

    assert mock.findings() == []


def test_findings_go_with_the_requests_that_show_them(unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forgotten request is no longer spoken of, and what is remembered of it is bounded."""
    for module in (journal, findings):
        monkeypatch.setattr(module, "MOST_ENTRIES", 4)
    add(unlimited, {"email": "a", "linkedin_url": "b"})
    assert [one.requests for one in unlimited.findings()] == [(1,)]
    for number in range(9):
        add(unlimited, {"email": str(number)})
        unlimited.findings()
    assert unlimited.findings() == []
    add(unlimited, {"email": "a", "linkedin_url": "b"})

    assert [one.name for one in unlimited.findings()] == ["misspelt-field"]  # and no duplicate of what is forgotten


def test_a_misspelling_is_told_again_when_its_first_request_is_forgotten(
    unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at often or once, as long as it goes on."""
    for module in (journal, findings):
        monkeypatch.setattr(module, "MOST_ENTRIES", 4)
    for number in range(9):
        add(unlimited, {"email": str(number), "linkedin_url": "b"})
        assert [one.name for one in unlimited.findings()] == ["misspelt-field"]


def test_a_misspelling_is_told_again_after_a_reset(mock: AltaMock) -> None:
    """What was told before is forgotten as well."""
    for _ in range(2):
        add(mock, {"email": "a", "linkedin_url": "b"})
        assert [one.name for one in mock.findings()] == ["misspelt-field"]
        mock.journal.clear()


def test_findings_stand_by_their_first_request(mock: AltaMock) -> None:
    """Whenever they were found."""
    for record in ({"email": "a"}, {"email": "b", "linkedin_url": "x"}, {"email": "a"}):
        add(mock, record)

    assert [one.requests for one in mock.findings()] == [(1, 3), (2,)]


@pytest.mark.parametrize(("most", "size"), [("MOST_ENTRIES", 4), ("MOST_BYTES", 200)])
def test_what_is_remembered_is_bounded(
    unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch, most: str, size: int
) -> None:
    """Refused requests, which are compared with later ones, do not stay for ever."""
    for module in (journal, findings):
        monkeypatch.setattr(module, most, size)
    for number in range(50):
        add(unlimited, {"email": number})
        unlimited.findings()
    known = unlimited.requests[0].known
    gc.collect()

    assert sum(isinstance(one, journal.Entry) and one.known is known for one in gc.get_objects()) < 25


def test_a_model_consumer_has_no_findings(mock: AltaMock) -> None:
    """Full batches, the wait as told, and on with the batch that was refused."""
    batches = [[{"email": f"{batch}-{n}@example.com"} for n in range(20)] for batch in range(12)]
    for batch in batches[:11]:
        add(mock, *batch)
    mock.clock.advance(60)
    for batch in batches[10:]:
        add(mock, *batch)

    assert mock.findings() == []
    assert len(mock.prospects(CAMPAIGN)) == 240


def test_every_finding_is_tried_both_ways_and_documented() -> None:
    """Here, and in docs/control.md."""
    page = (ROOT / "docs/control.md").read_text(encoding="utf-8")
    names = {look.__name__.replace("_", "-") for look in (*findings.BY_ITSELF, *findings.OVER_TIME)}

    assert {name for name, _, _, trips in CASES if trips} == names
    assert {name for name, _, _, trips in CASES if not trips} == names
    assert all(f"| `{name}` |" in page for name in names)


def test_findings_point_at_the_requests_that_show_them() -> None:
    """By their numbers in the journal."""
    mock = AltaMock(clock=Clock(lambda: 0))
    add(mock, {"email": "a"})
    add(mock, {"email": "b"})
    add(mock, {"email": "c"}, {"email": "a"})
    (finding,) = mock.findings()

    assert (finding.name, finding.requests) == ("duplicate-prospect", (1, 3))
    assert finding.text == "1 of 2 prospects are in the campaign already, the first is /data/1"
