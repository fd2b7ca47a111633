"""`alta-mock verify`: which providers break which rules, which keep them, and which targets cannot be verified."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import shlex
import socket
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import click
import pytest
from werkzeug.serving import make_server

from alta_terminal import paint
from contract_tests.fake import seeded
from contract_tests.provider import session
from contract_tests.provider.command import verify
from contract_tests.provider.derived import TAG
from contract_tests.provider.options import TARGET_OPTIONS
from contract_tests.provider.page_rules import PAGING
from contract_tests.provider.plan import probes_of
from contract_tests.provider.presentation import curl, lines
from contract_tests.provider.probes import OK
from contract_tests.provider.rules import PROCEDURES, RULES
from contract_tests.provider.session import Options, Step
from contract_tests.provider.target import Target
from contract_tests.provider.verification import planned_records, verify_provider, verify_target
from contract_tests.provider.wire import InProcess, Request, Response, Unusable, Wire
from contract_tests.reporting import rules_page
from mock_server import AltaMock, Clock
from mock_server.cli.main import main
from mock_server.contract.limits import Limit
from mock_server.messages import extras
from mock_server.pipeline.hooks import Hooks
from tests.conftest import CAMPAIGN, ROOT, UNKNOWN_CAMPAIGN, request_of
from tests.store.kinds import SHARED, url_of
from tests.verify.naive_server import TOKEN, naive_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract_tests.provider.results import Report
    from contract_tests.provider.rule import Rule
    from mock_server.messages.http import ApiRequest
    from mock_server.messages.outcome import Outcome
    from mock_server.pipeline.hooks import Handle


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve a WSGI application on a free port, and yield its base URL."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


ADDING = frozenset({"addProspectsToCampaign"})


def verified(mock: AltaMock, **options: Any) -> Report:
    """Verify a fake in this process."""
    return verify_provider(seeded(mock.base_url), InProcess(mock), Options(patient=False, **options))


@pytest.fixture
def fake(clock: Clock) -> AltaMock:
    """A fake whose clock stands still, until it is moved instead of waiting."""
    return AltaMock(clock=clock)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; returns exit code, output and error output."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["verify", *map(str, words)])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


def words_for(url: str, token: str = "test-token", campaign: str = CAMPAIGN) -> list[str]:
    """Return the words of the command that every run needs."""
    return ["--url", url, "--token", token, "--campaign-id", campaign]


# --- Verdicts ---------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_the_fake_keeps_every_rule(fake: AltaMock, seed: int) -> None:
    """It does so with any seed; a rule that is not exercised says why."""
    report = verified(fake, seed=seed)

    assert [result.breaches for result in report.broken] == []
    assert (report.exit_code, report.unproven) == (0, [])
    assert {result.missing for result in report.results.values()} - {""} == {
        "needs a socket",
    }


@pytest.mark.slow
@pytest.mark.parametrize("kind", SHARED)
def test_a_fake_over_a_database_keeps_every_rule(tmp_path: Path, clock: Clock, kind: str) -> None:
    """Requests that Schemathesis generates included."""
    with AltaMock(clock=clock, store=url_of(kind, tmp_path)) as mock:
        report = verified(mock)

    assert [result.breaches for result in report.broken] == []
    assert (report.exit_code, report.unproven) == (0, [])


def test_a_server_written_in_an_hour_breaks_rules(run: Callable[..., tuple[int, str, str]]) -> None:
    """The report names what is wrong, with a shell command for each breach, and nothing that is right."""
    with serving(naive_server(most=10**6)) as url:
        code, out, _ = run(*words_for(url, TOKEN), *OFF)
    verdicts = dict(re.findall(r"^([a-z0-9-]+) +(kept|broken|not exercised)", out, re.MULTILINE))
    broken = {rule for rule, verdict in verdicts.items() if verdict == "broken"}

    assert code == 1
    assert broken >= {
        *("accepts-each-contact", "contact-or-identity", "counts-characters", "body", "served", "json-content-type"),
        *("scheme-is-bearer", "token-must-be-known"),
        *("documented-status", "error-body", "id-in-either-case", "schemathesis"),
    }
    assert not broken & {"limit-is-kept"}
    assert "  addProspectsToCampaign: only phone: got 422 " in out
    assert "  addProspectsToCampaign: the token without Bearer: got 200 " in out
    assert out.count("    curl -i -X POST") + out.count("| curl -i -X POST") >= len(broken)


def test_a_breach_shows_request_response_and_what_was_wanted(clock: Clock) -> None:
    """The shell command sends the same request."""
    target = seeded("http://127.0.0.1:8080/v1")

    def failing(handle: Handle) -> Handle:
        def failed(request: ApiRequest, transport: str) -> Outcome:
            outcome = handle(request, transport)
            return replace(outcome, reply=replace(outcome.reply, status=501, body=b"{}"))

        return failed

    failing_mock = AltaMock(clock=clock, hooks=Hooks(around=failing))
    report = verify_provider(
        target, InProcess(failing_mock), Options(ADDING, only=frozenset({"no-server-error"}), patient=False)
    )
    (breach,) = report.results["no-server-error"].breaches

    assert breach.got.startswith("501 ")
    assert breach.wanted == "no 5xx"
    words = shlex.split(curl(breach.request, target))
    assert words[:4] == ["curl", "-i", "-X", "POST"]
    assert "Authorization: Bearer $ALTA_API_TOKEN" in words
    assert json.loads(words[words.index("--data-raw") + 1])["data"]


def test_commands_contain_no_token_and_no_part_of_one() -> None:
    """Neither a token nor what a probe makes of it is in a shell command."""
    token = "Tok3n-of-Acme"
    target = replace(seeded("http://127.0.0.1:8080/v1"), token=token)
    for rule in RULES.values():
        for probe in probes_of(rule, target):
            shown = curl(probe.request, target).lower()
            assert token.lower() not in shown, probe.what
            assert token[:6].lower() not in shown, probe.what
            assert token[1:].lower() not in shown, probe.what


def test_commands_send_the_same_request(tmp_path: Path) -> None:
    """A shell passes control characters, NUL and quotes on unchanged."""
    target = seeded("http://127.0.0.1:1/v1")
    body = b'{"a": "it\'s\xff\n\x00$HOME %d \\\\ "}'
    line = curl(Request("POST", "/v1/x'y", (("X-Odd", "a'b\"$c"),), body), target)
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\ncat > body\n')
    fake.chmod(0o755)
    bash = ["/bin/bash", "-c", line]
    subprocess.run(bash, check=True, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/nope"})

    assert (tmp_path / "body").read_bytes() == body
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:6] == ["-i", "-X", "POST", "http://127.0.0.1:1/v1/x'y", "-H", "X-Odd: a'b\"$c"]


# --- Requests ---------------------------------------------------------------------------------------------------------


def test_forty_requests_decide_most_rules(fake: AltaMock) -> None:
    """Among them are the limits, tokens, campaigns and the most important rules about the body."""
    report = verified(fake, max_requests=40, operations=ADDING)
    kept = {name for name, result in report.results.items() if result.verdict == "kept"}

    assert report.requests == 40
    assert report.stopped == "--max-requests 40"
    assert len(kept) * 3 >= len(report.results.keys() - PROCEDURES.keys() - {*PAGING}) * 2
    assert kept >= {"limit-is-kept", "token-is-required", "unknown-id", "body", "contact-or-identity"}


def test_the_stored_prospects_may_be_many(fake: AltaMock) -> None:
    """The response that has them is read whole, however long it is."""
    long = {"email": "a@example.com", "note": "x" * 100_000}
    with fake.serve() as server:
        for _ in range(20):
            fake.answer(request_of({"data": [long]}))
            fake.clock.advance(60)
        options = Options(only=frozenset({"stores-what-was-sent"}))
        report = verify_target(seeded(server.url), options)

    assert (report.exit_code, report.stopped, report.results["stores-what-was-sent"].verdict) == (0, "", "kept")


def test_an_error_of_our_own_is_reported(fake: AltaMock) -> None:
    """What was found before is kept; without a breach the exit code is 2."""

    class Failing(InProcess):
        def stored(self, campaign: str) -> list[Any]:
            raise KeyError(campaign)

    report = verify_provider(seeded(fake.base_url), Failing(fake), Options(patient=False))

    assert report.exit_code == 2
    assert report.stopped.startswith("unexpected KeyError in test_verify.py:")
    assert report.results["contact-or-identity"].verdict == "kept"
    assert report.results["limit-under-a-burst"].missing == report.stopped


def test_only_and_skip(fake: AltaMock) -> None:
    """Only the chosen rules are verified; documented statuses that they do not reach are not missed."""
    report = verified(fake, only=frozenset({"every-record-counts"}), operations=ADDING)
    assert (list(report.results), report.requests, report.exit_code) == (["every-record-counts"], 10, 0)

    report = verified(fake, skip=frozenset({"body"}))
    assert "body" not in report.results


def test_reject_only_adds_nothing(fake: AltaMock) -> None:
    """Rules that only refuse are still verified."""
    target = replace(seeded(fake.base_url), reject_only=True)
    report = verify_provider(target, InProcess(fake), Options(patient=False))

    assert (report.accepted, report.exit_code, fake.prospects(CAMPAIGN)) == (0, 0, [])
    assert report.results["contact-or-identity"].verdict == "kept"
    assert report.results["limit-is-kept"].missing.startswith("needs --write")


@pytest.mark.parametrize("skip", [frozenset(), frozenset({"every-record-counts"})])
def test_reject_only_stops_when_a_request_is_accepted(clock: Clock, skip: frozenset[str]) -> None:
    """The report says which request was accepted and how many prospects it may have added; the exit code is 1."""

    def lenient(handle: Handle) -> Handle:
        def accepting(request: ApiRequest, transport: str) -> Outcome:
            outcome = handle(request, transport)
            bad = outcome.reply.status == 400 and b"@" in (request.body or b"")
            return replace(outcome, reply=replace(outcome.reply, status=202)) if bad else outcome

        return accepting

    fake = AltaMock(clock=clock, hooks=Hooks(around=lenient))
    target = replace(seeded(fake.base_url), reject_only=True)
    report = verify_provider(target, InProcess(fake), Options(patient=False, skip=skip))
    doing = "malformed-json-is-refused" if skip else "every-record-counts"

    assert report.exit_code == 1
    assert report.stopped.startswith(f"{doing}: ")
    assert re.search(r"was accepted with 202, and may have added \d+ prospects?; --reject-only", report.stopped)
    assert report.statuses[202] == 1


def test_reject_only_stops_at_its_very_first_request(run: Callable[..., tuple[int, str, str]]) -> None:
    """Even if the rule that forbids to accept it is not to be verified."""
    with serving(answering(b"{}")) as url:
        code, out, _ = run(*words_for(url), *OFF, "--reject-only", "--skip", "body")

    assert code == 1
    assert re.search(r"^1 requests in \d s \(1 x 200\)", out, re.MULTILINE)
    assert (
        "stopped: can it be used: a request without prospects was accepted with 200, and may have added 0 prospects"
        in out
    )


def test_added_prospects_have_the_tag(fake: AltaMock) -> None:
    """The only exceptions on another machine are records where only a phone may be given."""
    target = replace(seeded(fake.base_url), local=False)
    verify_provider(target, InProcess(fake), Options(patient=False, skip=frozenset({"stores-what-was-sent"})))
    added = fake.prospects(CAMPAIGN)

    untagged = [record for record in added if TAG not in json.dumps(record, default=str)]
    assert {frozenset(record) for record in untagged} <= {frozenset({"phone"})}
    assert len(added) <= planned_records(target)


def test_waits_are_announced_and_no_longer_than_a_window(clock: Clock) -> None:
    """A provider whose clock cannot be advanced takes real time."""
    steps: list[Step] = []
    fake = AltaMock(clock=clock, rate_limit="10/4s", account_rate_limit="100/4s")
    target = replace(seeded(fake.base_url), rate_limit=Limit(10, 4), account_rate_limit=Limit(100, 4))
    options = Options(patient=True, progress=steps.append)
    report = verify_provider(target, InProcess(fake), options)

    waits = [step.wait for before, step in pairwise(steps) if step.wait and step.wait > before.wait]
    assert report.exit_code == 0
    assert max(waits) <= 4.2
    assert sum(waits) <= 300
    assert sum(waits) == pytest.approx(fake.clock.advanced, abs=0.1)
    seconds = [
        (one.wait - two.wait) for one, two in pairwise(steps) if two.doing == one.doing and 0 < two.wait < one.wait
    ]
    assert seconds == pytest.approx([1.0] * len(seconds))
    assert seconds


def test_the_time_is_announced_and_bounded(clock: Clock) -> None:
    """The estimate follows the first request, which shows a usable target; a wait beyond the bound ends it."""
    said: list[tuple[int, float, int]] = []
    fake = AltaMock(clock=clock)
    target = replace(seeded(fake.base_url), rate_limit=Limit(10, 60))
    options = Options(patient=True, max_seconds=30, announce=lambda *sent: said.append((*sent, len(fake.requests))))
    report = verify_provider(target, InProcess(fake), options)

    assert report.stopped == "--max-seconds 30"
    assert fake.clock.advanced < 30
    ((requests_planned, seconds, sent),) = said
    assert (requests_planned > 100, sent) == (True, 1)
    another = AltaMock(clock=Clock(lambda: 0))
    whole = verify_provider(target, InProcess(another), replace(options, max_seconds=None))
    assert whole.exit_code == 0
    assert seconds == pytest.approx(another.clock.advanced, rel=0.15)


def test_a_slow_provider_without_limits_takes_three_minutes_at_most(
    fake: AltaMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By default, if no limit is judged; with limits, whose waits are announced, there is no bound."""
    seconds = itertools.count(step=5.0)
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    target = seeded(fake.base_url, rate_limit=None, account_rate_limit=None)
    about = Options(operations=frozenset({"getRep"}))

    assert verify_provider(target, InProcess(fake), about).stopped == "--max-seconds 180"
    assert verify_provider(seeded(fake.base_url), InProcess(fake), about).stopped == ""


def test_progress_is_reported(fake: AltaMock) -> None:
    """The planned number of requests differs by at most a tenth, without those of Schemathesis."""
    steps: list[Step] = []
    report = verified(fake, skip=frozenset({"schemathesis"}), progress=steps.append)

    assert "body" in {step.doing for step in steps}
    assert any(step.doing.startswith("limit-is-kept: waiting ") for step in steps)
    assert [step.requests for step in steps] == sorted(step.requests for step in steps)
    assert steps[-1].planned == pytest.approx(report.requests, rel=0.1)
    few: list[Step] = []
    verified(fake, max_requests=7, progress=few.append)
    assert {step.planned for step in few} == {7}


# --- Unusable targets -------------------------------------------------------------------------------------------------


def answering(body: bytes, status: str = "200 OK", **headers: str) -> Any:
    """Return a WSGI application that sends the same response to every request."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [(name.replace("_", "-"), value) for name, value in headers.items()])
        return [body]

    return app


OFF = ("--rate-limit", "off", "--account-rate-limit", "off")

UNUSABLE: dict[str, tuple[Any, str]] = {
    "redirect": (answering(b"", "301 Moved", Location="https://x/v1"), "redirects to https://x/v1"),
    "401": (answering(b"{}", "401 No"), "the token was refused with 401"),
    "403": (answering(b"{}", "403 No"), "may not add prospects"),
    "404": (answering(b"<h1>", "404 No"), "the campaign was not found (404)"),
    "429": (answering(b"{}", "429 No"), "every request is refused with 429"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_unusable_targets(name: str, run: Callable[..., tuple[int, str, str]]) -> None:
    """A single line says why, with exit code 2."""
    app, says = UNUSABLE[name]
    with serving(app) as url:
        code, out, err = run(*words_for(url), *OFF)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (b"HTTP/1.1 301 x\r\nLocation: http://x/\x1b[2J\x9b31m\xe2\x80\xae\r\n", r"http://x/\x1b[2J\x9b31mâ\x80®; use"),
        (b"HTTP/1.1 abc\x1b[2J\x9b31m\r\n", r"invalid HTTP: BadStatusLine HTTP/1.1 abc\x1b[2J\x9b31m"),
    ],
)
def test_bytes_of_a_response_do_not_reach_the_terminal(
    head: bytes, says: str, run: Callable[..., tuple[int, str, str]]
) -> None:
    """What a terminal would obey is escaped, also in the one line about an unusable target."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    with listening.accept()[0] as connection:
                        connection.recv(65536)
                        connection.sendall(head + b"Content-Length: 0\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        code, out, err = run(*words_for(f"http://127.0.0.1:{listening.getsockname()[1]}/v1"))
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)

    assert (code, out) == (2, "")
    assert says in err
    assert err.rstrip("\n").isprintable()


def test_bytes_of_a_response_are_escaped_in_the_report(fake: AltaMock) -> None:
    """In each line, whatever part of the response it shows."""
    odd = "\x1b[31m\x9b2J\u202e\n"

    class Odd(InProcess):
        def send(self, request: Request, *, seconds: float, fresh: bool = False) -> Response:
            response = super().send(request, seconds=seconds, fresh=fresh)
            if response.status != 400:
                return response
            body = json.dumps({"error": odd, "message": odd}, ensure_ascii=False).encode()
            return replace(response, body=body, headers=(("content-type", odd), ("ratelimit-policy", odd)))

    report = verify_provider(seeded(fake.base_url), Odd(fake), Options(patient=False, max_requests=60))
    text = [click.unstyle(line) for line in lines(report)]

    assert {"error-identifier", "error-content-type"} <= {result.rule.id for result in report.broken}
    assert [line for line in text if not line.isprintable()] == []
    assert r"with the error \x1b[31m\x9b2J\u202e\n" in "".join(text).replace('"', "")


@pytest.mark.parametrize(
    ("body", "kind", "broken"),
    [
        (b"<h1>Hello</h1>", "text/html", {"contact-or-identity", "token-is-required", "unknown-id"}),
        (b'{"error": "ValidationError", "message": "x"}', "application/json", {"success-is-no-error"}),
    ],
)
def test_a_target_that_accepts_everything_breaks_most_rules(body: bytes, kind: str, broken: set[str]) -> None:
    """Whatever the body is."""
    with serving(answering(body, Content_Type=kind)) as url:
        target = Target(url, "t", CAMPAIGN, rate_limit=None, account_rate_limit=None)
        report = verify_provider(target, Wire(url), Options(patient=False, skip=frozenset({"schemathesis"})))

    assert report.exit_code == 1
    assert {result.rule.id for result in report.broken} >= broken
    assert len(report.broken) >= 20


def test_an_unreachable_target(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """A single line says so, and the report files are written."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, out, err = run(*words_for(f"http://127.0.0.1:{port}/v1"), "--json", tmp_path / "r.json")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot reach" in err
    assert json.loads((tmp_path / "r.json").read_text())["exitCode"] == 2


def test_a_target_without_tls(run: Callable[..., tuple[int, str, str]]) -> None:
    """The message is about TLS."""
    with serving(answering(b"")) as url:
        code, _, err = run(*words_for(url.replace("http", "https")))

    assert (code, err.count("\n")) == (2, 1)
    assert "TLS fails" in err


def test_a_server_that_closes_every_connection(run: Callable[..., tuple[int, str, str]]) -> None:
    """The message says that it does not respond."""
    listening = socket.create_server(("127.0.0.1", 0))

    def close_all() -> None:
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    thread = threading.Thread(target=close_all, daemon=True)
    thread.start()
    code, _, err = run(*words_for(f"http://127.0.0.1:{listening.getsockname()[1]}/v1"))
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)

    assert (code, err.count("\n")) == (2, 1)
    assert "does not respond: the connection was closed" in err


def test_a_server_that_hangs_gets_no_more_requests() -> None:
    """The limit is three requests without a response; what was found before is reported."""
    answered = 0
    gone = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        nonlocal answered
        answered += 1
        if answered > 6:
            gone.wait(20)
        return answering(b"{}", Content_Type="application/json")(environ, start_response)  # type: ignore[no-any-return]  # as WSGI has it

    with serving(app) as url:
        target = Target(url, "some-token", CAMPAIGN, rate_limit=None)
        report = verify_provider(target, Wire(url), Options(patient=False, seconds=0.3))
        gone.set()

    assert report.stopped.startswith("3 requests in a row had no response")
    assert report.results["answers-in-time"].verdict == "broken"


def test_a_limit_that_never_ends() -> None:
    """The rule of the limit is broken, and rules without a response are not exercised."""
    fake = AltaMock(clock=Clock(lambda: 0), rate_limit="10/100000s")
    report = verified(fake, operations=ADDING)

    assert report.results["limit-has-retry-after"].verdict == "broken"
    assert report.results["unknown-id"].missing == "refused by a limit"


def test_a_server_that_dies_keeps_what_was_found(fake: AltaMock) -> None:
    """The report has the breaches until then."""
    answered = 0

    class Dying(InProcess):
        def send(self, request: Request, *, seconds: float, fresh: bool = False) -> Response:
            nonlocal answered
            answered += 1
            if answered > 40:
                raise Unusable("cannot reach it")
            response = super().send(request, seconds=seconds, fresh=fresh)
            return replace(response, status=200) if response.status == 400 else response

    report = verify_provider(seeded(fake.base_url), Dying(fake), Options(patient=False))

    assert report.exit_code == 1
    assert report.stopped.startswith("3 requests in a row had no response: connection lost")
    assert report.results["contact-or-identity"].verdict == "broken"


def test_a_response_that_drips_is_cut_off() -> None:
    """The time is for the whole response, even if bytes keep arriving."""
    listening = socket.create_server(("127.0.0.1", 0))
    gone = threading.Event()

    def drip() -> None:
        while not gone.is_set():
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
                while not gone.wait(0.01):
                    connection.sendall(b" ")

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
    target = Target(url, "some-token", CAMPAIGN, rate_limit=None)
    report = verify_provider(target, Wire(url), Options(patient=False, seconds=0.1))
    gone.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)

    assert "does not respond: no response within 0.1 s" in report.unusable


@pytest.mark.slow
def test_a_base_url_below_another_path(fake: AltaMock) -> None:
    """All requests go there, those of Schemathesis as well."""
    app = fake.app
    asked: set[str] = set()

    def below(environ: Any, start_response: Any) -> Any:
        asked.add(environ["REQUEST_URI"].partition("/campaigns")[0])
        environ["REQUEST_URI"] = environ["REQUEST_URI"].removeprefix("/api/x")
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/api/x")
        return app(environ, start_response)

    with serving(below) as url:
        target = seeded(url.replace("/v1", "/api/x/v1"), rate_limit=None)
        report = verify_provider(
            target, Wire(target.url), Options(ADDING, patient=False, only=frozenset({"schemathesis"}))
        )

    assert asked == {"/api/x/v1"}
    assert (report.exit_code, report.statuses[404]) == (0, 0)


def test_a_chosen_rule_that_is_not_exercised_proves_nothing(fake: AltaMock) -> None:
    """The exit code says so, and the report says what the rule lacks."""
    target = replace(seeded(fake.base_url), foreign_campaign_id=None)
    report = verify_provider(target, InProcess(fake), Options(ADDING, patient=False, only=frozenset({"foreign-id"})))

    assert (report.exit_code, report.broken) == (3, [])
    assert report.unproven == ["foreign-id was not exercised: needs --foreign-campaign-id"]


def test_the_burst_respects_the_maximum(fake: AltaMock) -> None:
    """It is left out if it would exceed the maximum."""
    only = frozenset({"limit-under-a-burst"})
    report = verified(fake, only=only, max_requests=3)

    assert report.requests <= 3
    assert report.stopped == "--max-requests 3"


def test_tokens_in_responses_are_redacted(fake: AltaMock) -> None:
    """So are the wrong tokens that probes make of them, before the text is shortened."""
    padding = "x" * 140

    class Repeating(InProcess):
        def send(self, request: Request, *, seconds: float, fresh: bool = False) -> Response:
            header = dict(request.headers).get("Authorization", "")
            body = json.dumps({"error": "Oops", "message": f"{padding} unknown: {header}"}).encode()
            response = super().send(request, seconds=seconds, fresh=fresh)
            return response if response.status == 200 else replace(response, body=body)

    report = verify_provider(
        seeded(fake.base_url), Repeating(fake), Options(patient=False, skip=frozenset({"schemathesis"}))
    )
    shown = "\n".join(breach.got for result in report.broken for breach in result.breaches)

    assert "Oops" in shown
    assert not re.search("test-t|TEST-T|est-token", shown)


# --- The command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--campaign-id", "x"], "--campaign-id: 'x' is not a valid UUID"),
        (["--second-campaign-id", "x"], "--second-campaign-id: 'x' is not a valid UUID"),
        (["--url", "127.0.0.1:8080"], "is not a valid base URL; write it like"),
        (["--url", "http://[::1"], "is not a valid base URL"),
        (["--url", "http://127.0.0.1:1/v\u00e9"], "is not a valid base URL"),
        (["--url", "http://ada:secret@127.0.0.1:1/v1"], "contains a user name"),
        (["--token", ""], "--token is empty"),
        (["--token", "Bearer x"], "--token is empty or malformed"),
        (["--only", "bodies"], "unknown rule 'bodies'; did you mean body"),
        (["--skip", "zzz"], "unknown rule 'zzz'; choose one of "),
        (["--rate-limit", "ten"], "--rate-limit: 'ten' is not a valid limit"),
        (["--max-requests", "0"], "max-requests"),
        (["--url", "https://api.altahq.com/v1"], "is not this machine: use --reject-only"),
        (["--reject-only", "--write"], "exclude each other"),
        (["--json", "/nope/report.json"], "cannot write /nope/report.json"),
        (["--campaign-id", UNKNOWN_CAMPAIGN], "the campaign was not found (404)"),
        (["--token", "nobody"], "the token was refused with 401"),
    ],
)
def test_mistakes_on_the_command_line(
    fake: AltaMock, run: Callable[..., tuple[int, str, str]], words: list[str], says: str
) -> None:
    """A single line says what is wrong, with exit code 2."""
    with fake.serve() as server:
        code, out, err = run(*words_for(server.url), *words)

    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert says in err
    assert "nobody" not in err


def test_without_settings(run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first missing option is named, with its variable."""
    for name in ("ALTA_BASE_URL", "ALTA_API_TOKEN", "ALTA_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = run()

    assert code == 2
    assert "ALTA_BASE_URL" in err


@pytest.mark.parametrize("option", TARGET_OPTIONS, ids=lambda option: option.name)
def test_pytest_has_the_options_of_the_command(option: click.Option, pytestconfig: pytest.Config) -> None:
    """Each with the prefix `--alta-`, and with the same default."""
    assert option in verify.params
    assert pytestconfig.getoption(f"alta_{option.name}") == (
        False if option.is_flag else option.default if option.show_default else None
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--alta-token", "t"], "--alta-url needs --alta-campaign-id"),
        (["--alta-token", "t", "--alta-campaign-id", "x"], "--campaign-id: 'x' is not a valid UUID"),
        (["--alta-token", "nobody", "--alta-campaign-id", CAMPAIGN], "the token was refused with 401"),
        (["-n", "2"], "leave out -n"),
    ],
)
def test_mistakes_in_the_options_of_pytest(fake: AltaMock, words: list[str], says: str) -> None:
    """The message says what is wrong, and no test passes."""
    rules = ["--pyargs", "contract_tests", "-p", "contract_tests.plugin", "-p", "no:cacheprovider", "-k", "proven"]
    with fake.serve() as server:
        command = [sys.executable, "-m", "pytest", "-q", *rules, "--alta-url", server.url, *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)

    assert done.returncode != 0
    assert says in done.stdout + done.stderr
    assert " passed" not in done.stdout


def test_the_contract_is_kept_if_every_rule_is(fake: AltaMock, run: Callable[..., tuple[int, str, str]]) -> None:
    """Otherwise the last line says how many rules are."""
    with fake.serve() as server:
        code, out, _ = run(*words_for(server.url), "--only", "body")
    assert (code, out.splitlines()[-1]) == (0, f"1 of {len(RULES)} rules kept")

    report = verified(fake)
    for result in report.results.values():
        result.requests = 1
    assert list(lines(report))[-1] == paint("the contract is kept", 0)


@pytest.mark.slow
def test_the_whole_command(fake: AltaMock, run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Table, summary and report files for the fake with its bundled seed."""
    target = seeded("")
    words = ["--second-token", target.second_token, "--second-campaign-id", target.second_campaign_id]
    words += ["--other-account-token", target.other_account_token, "--foreign-campaign-id", target.foreign_campaign_id]
    words += ["--multi-account-token", target.multi_account_token, "--account-id", target.account_id]
    files = ["--json", tmp_path / "r.json", "--junit", tmp_path / "r.xml"]
    with fake.serve() as server:
        code, out, err = run(*words_for(server.url), *words, *files)
    report = json.loads((tmp_path / "r.json").read_text())

    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == "the contract is kept"
    assert re.search(r"^limit-of-the-account +kept", out, re.MULTILINE)
    assert [rule["id"] for rule in report["rules"]] == list(RULES)
    assert report["statuses"].keys() >= {"200", "400", "401", "404", "429"}
    cases = ET.fromstring((tmp_path / "r.xml").read_text()).iter("testcase")  # noqa: S314 - our own report
    assert [case.get("name") for case in cases] == [*RULES, "something is proven"]
    assert "test-token" not in out + (tmp_path / "r.json").read_text() + (tmp_path / "r.xml").read_text()


def test_interrupted(fake: AltaMock) -> None:
    """The report has what was found until then."""
    sent = 0

    def interrupt(_: Step) -> None:
        nonlocal sent
        sent += 1
        if sent == 30:
            raise KeyboardInterrupt

    report = verified(fake, progress=interrupt)

    assert (report.exit_code, report.interrupted) == (130, True)
    assert 20 <= report.requests <= 30


def test_nothing_is_proven_where_nothing_is_accepted(fake: AltaMock) -> None:
    """No rule is broken, but the exit code is 3."""
    target = replace(seeded(fake.base_url), reject_only=True)
    report = verify_provider(target, InProcess(fake), Options(patient=False, max_requests=3))

    assert (report.broken, report.exit_code) == ([], 3)
    assert "the documented status 404 was never seen" in report.unproven


# --- The rules --------------------------------------------------------------------------------------------------------


def test_the_page_of_the_rules_is_up_to_date() -> None:
    """docs/rules.md is generated from the rules."""
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == rules_page.page()


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_is_complete(rule: Rule) -> None:
    """It has a sentence and a source, and its probes have different names."""
    names = [(probe.operation, probe.what) for probe in probes_of(rule, seeded("http://127.0.0.1:1/v1"))]

    assert rule.statement.endswith(".")
    assert rule.source
    assert len(set(names)) == len(names)
    assert bool(names) == (rule.probes is not None)


@pytest.mark.parametrize(
    ("rule", "requests"),
    [
        ("every-record-counts", "9 refused"),
        ("token-comes-first", "59 refused"),
        ("robust-against-size", "1 either"),
        ("error-body", "every response"),
        ("limit-is-kept", "a measurement"),
    ],
)
def test_the_page_says_how_a_rule_is_exercised(rule: str, requests: str) -> None:
    """A reader sees whether a rule has near misses."""
    assert rules_page.requests(RULES[rule]) == requests


NO_NEAR_MISS = {
    "body": {"every-record-counts"},
    "credentials and paths": {
        *("token-is-required", "token-must-be-known", "token-comes-first", "token-is-needed-each-time"),
        *("unknown-id", "foreign-id", "malformed-id", "no-other-paths", "other-methods"),
    },
}
"""Rules whose probes are only refused: the valid request of every other rule is their near miss."""


def test_rules_that_refuse_have_near_misses() -> None:
    """The exceptions are known by name."""
    target = seeded("http://127.0.0.1:1/v1")
    without = set()
    for rule in RULES.values():
        wanted = [probe.wanted for probe in probes_of(rule, target)]
        if wanted and not any(statuses & OK for statuses in wanted):
            without.add(rule.id)

    assert without == set().union(*NO_NEAR_MISS.values())


def test_a_missing_library_is_named(run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first request, together with the extra that has it."""
    monkeypatch.delitem(sys.modules, "contract_tests.provider.schemathesis_rule", raising=False)
    monkeypatch.setitem(sys.modules, "schemathesis", None)
    code, out, err = run(*words_for("http://127.0.0.1:1/v1"))

    assert (code, out) == (2, "")
    assert err == f"alta-mock: this command needs schemathesis; install it: {extras.command('verify')}\n"
