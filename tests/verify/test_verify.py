"""`alta-mock verify`: whom it accuses and of what, whom it does not, and what it does with targets that are none."""

from __future__ import annotations

import contextlib
import json
import random
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
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug.serving import make_server

from contract_tests.fake import seeded
from contract_tests.provider.rules import RULES, TAG, Asking, Given, Probe
from contract_tests.provider.verify import Options, Step, examine, planned_records
from contract_tests.provider.wire import Got, InProcess, Sent, Unusable, Wire
from contract_tests.reporting import rules_page as page
from contract_tests.reporting.provider_report import curl
from mock_server import AltaMock, Clock
from mock_server.cli.main import main
from tests.conftest import CAMPAIGN, ROOT, UNKNOWN_CAMPAIGN
from tests.verify.naive_server import TOKEN, naive_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from contract_tests.provider.results import Report


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


def examined(mock: AltaMock, **options: Any) -> Report:
    """Examine a fake in this process."""
    return examine(seeded(mock.base_url), InProcess(mock), Options(patient=False, **options))


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


def target(url: str, token: str = "test-token", campaign: str = CAMPAIGN) -> list[str]:
    """Return the words of the command that every run needs."""
    return ["--url", url, "--token", token, "--campaign-id", campaign]


# --- Whom it accuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_fake_keeps_every_rule(fake: AltaMock, seed: int) -> None:
    """With any seed; what is not exercised says why."""
    report = examined(fake, seed=seed)

    assert [result.breaches for result in report.broken] == []
    assert (report.exit_code, report.unproven) == (0, [])
    assert {result.missing for result in report.results.values()} - {""} == {
        "needs a socket",
        "needs --allow-get, which sends GET /campaigns",
    }


def test_a_server_that_somebody_wrote_in_an_hour(run: Callable[..., tuple[int, str, str]]) -> None:
    """It is told what it gets wrong, line by line, each with a line for a shell; and not what it gets right."""
    with serving(naive_server(most=10**6)) as url:
        code, out, _ = run(*target(url, TOKEN), *OFF)
    verdicts = dict(re.findall(r"^([a-z0-9-]+) +(kept|broken|not exercised)", out, re.MULTILINE))
    broken = {rule for rule, verdict in verdicts.items() if verdict == "broken"}

    assert code == 1
    assert broken >= {
        *("accepts-each-contact", "contact-or-identity", "counts-characters", "texts-are-texts", "at-least-1"),
        *("data-is-a-list", "records-are-objects", "json-content-type", "scheme-is-bearer", "token-must-be-known"),
        *("documented-status", "error-body", "id-in-either-case", "schemathesis"),
    }
    assert not broken & {"at-most-20", "unknown-campaign", "token-is-required", "limit-is-kept"}
    assert "  only phone: got 422 " in out
    assert "  the token without Bearer: got 200 " in out
    assert out.count("    curl -i -X POST") + out.count("| curl -i -X POST") >= len(broken)


def test_a_breach_is_told_with_what_was_sent_wanted_and_got(fake: AltaMock) -> None:
    """The line for the shell sends the same request."""
    given = seeded("http://127.0.0.1:8080/v1")
    fake.parts = replace(fake.parts, handlers={}, recorded=dict.fromkeys(fake.parts.recorded, b"{}"))
    report = examine(given, InProcess(fake), Options(only=frozenset({"no-server-error"}), patient=False))
    (breach,) = report.results["no-server-error"].breaches

    assert breach.got.startswith("501 ")
    assert breach.wanted == "no 5xx"
    words = shlex.split(curl(breach.sent, given))
    assert words[:4] == ["curl", "-i", "-X", "POST"]
    assert "Authorization: Bearer ${ALTA_API_TOKEN}" in words
    assert json.loads(words[words.index("--data-binary") + 1])["data"]


def test_no_token_is_shown_not_even_a_part() -> None:
    """Not in lines for a shell, and not in what was got."""
    token = "Tok3n-of-Acme"
    given = replace(seeded("http://127.0.0.1:8080/v1"), token=token)
    ask = Asking(given, random.Random(0))
    for rule in RULES.values():
        for probe in rule.probes(ask) if rule.probes else ():
            shown = curl(probe.sent, given).lower()
            assert token.lower() not in shown, probe.what
            assert token[:6].lower() not in shown, probe.what
            assert token[1:].lower() not in shown, probe.what


def test_lines_for_a_shell_send_what_was_sent(tmp_path: Path) -> None:
    """Control characters, NUL and quotes too, read by a shell."""
    given = seeded("http://127.0.0.1:1/v1")
    body = b'{"a": "it\'s\xff\n\x00$HOME %d \\\\ "}'
    line = curl(Sent("POST", "/v1/x'y", (("X-Odd", "a'b\"$c"),), body), given)
    fake = tmp_path / "curl"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\ncat > body\n')
    fake.chmod(0o755)
    bash = ["/bin/bash", "-c", line]
    subprocess.run(bash, check=True, cwd=tmp_path, env={"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/nope"})

    assert (tmp_path / "body").read_bytes() == body
    words = (tmp_path / "words").read_text().splitlines()
    assert words[:6] == ["-i", "-X", "POST", "http://127.0.0.1:1/v1/x'y", "-H", "X-Odd: a'b\"$c"]


# --- Which requests it sends ------------------------------------------------------------------------------------------


def test_forty_requests_decide_the_most(fake: AltaMock) -> None:
    """Two thirds of the rules, among them limits, tokens, campaigns and the rules of the body."""
    report = examined(fake, max_requests=40)
    kept = {name for name, result in report.results.items() if result.verdict == "kept"}

    assert report.requests == 40
    assert report.stopped == "--max-requests 40"
    assert len(kept) * 3 >= len(report.results) * 2
    assert kept >= {"limit-is-kept", "token-is-required", "unknown-campaign", "at-most-20", "contact-or-identity"}


def test_only_and_skip(fake: AltaMock) -> None:
    """Nothing else is examined; and a part proves only itself."""
    report = examined(fake, only=frozenset({"at-most-20"}))
    assert (list(report.results), report.requests, report.exit_code) == (["at-most-20"], 4, 0)

    report = examined(fake, skip=frozenset({"at-most-20"}))
    assert "at-most-20" not in report.results


def test_reject_only_sends_nothing_that_is_accepted(fake: AltaMock) -> None:
    """And judges what can be judged that way."""
    given = replace(seeded(fake.base_url), writes=False)
    report = examine(given, InProcess(fake), Options(patient=False))

    assert (report.accepted, report.exit_code, fake.prospects(CAMPAIGN)) == (0, 0, [])
    assert report.results["contact-or-identity"].verdict == "kept"
    assert report.results["limit-is-kept"].missing.startswith("needs --write")


def test_what_is_accepted_carries_the_tag(fake: AltaMock) -> None:
    """Where Schemathesis does not make it: on another machine it only sends what must be refused."""
    given = replace(seeded(fake.base_url), local=False)
    examine(given, InProcess(fake), Options(patient=False, skip=frozenset({"stores-what-was-sent"})))
    added = fake.prospects(CAMPAIGN)

    untagged = [record for record in added if TAG not in json.dumps(record, default=str)]
    assert {frozenset(record) for record in untagged} <= {frozenset({"phone"})}
    assert len(added) <= planned_records(given)


def test_waits_are_announced_and_no_longer_than_a_window(clock: Clock) -> None:
    """A provider that is not alta-mock is waited for."""
    told: list[Step] = []
    fake = AltaMock(clock=clock, rate_limit="10/4s", account_rate_limit="100/4s")
    given = replace(seeded(fake.base_url), rate_limit=(10, 4), account_rate_limit=(100, 4))
    options = Options(patient=True, tell=told.append)
    report = examine(given, InProcess(fake), options)

    waits = [step.wait for before, step in pairwise(told) if step.wait and step.wait > before.wait]
    assert report.exit_code == 0
    assert max(waits) <= 4.2
    assert sum(waits) <= 145
    assert sum(waits) == pytest.approx(fake.clock.advanced, abs=0.1)
    seconds = [
        (one.wait - two.wait) for one, two in pairwise(told) if two.doing == one.doing and 0 < two.wait < one.wait
    ]
    assert seconds == pytest.approx([1.0] * len(seconds))
    assert seconds


def test_how_far_it_has_come_is_told(fake: AltaMock) -> None:
    """Beside what is done; what was planned is a tenth off at most, Schemathesis left out, of which nobody knows."""
    told: list[Step] = []
    report = examined(fake, skip=frozenset({"schemathesis"}), tell=told.append)

    assert "at-most-20" in {step.doing for step in told}
    assert any(step.doing.startswith("limit-is-kept: waiting ") for step in told)
    assert [step.requests for step in told] == sorted(step.requests for step in told)
    assert told[-1].planned == pytest.approx(report.requests, rel=0.1)
    few: list[Step] = []
    examined(fake, max_requests=7, tell=few.append)
    assert {step.planned for step in few} == {7}


# --- Targets that are none --------------------------------------------------------------------------------------------


def answering(body: bytes, status: str = "200 OK", **headers: str) -> Any:
    """Make a WSGI application that answers everything the same."""

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
def test_targets_that_cannot_be_examined(name: str, run: Callable[..., tuple[int, str, str]]) -> None:
    """One line, not eighty, and exit code 2."""
    app, says = UNUSABLE[name]
    with serving(app) as url:
        code, out, err = run(*target(url), *OFF)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


@pytest.mark.parametrize(
    ("body", "kind", "broken"),
    [
        (b"<h1>Hello</h1>", "text/html", {"contact-or-identity", "token-is-required", "unknown-campaign"}),
        (b'{"error": "ValidationError", "message": "x"}', "application/json", {"success-is-no-error"}),
    ],
)
def test_targets_that_accept_everything(body: bytes, kind: str, broken: set[str]) -> None:
    """They break most rules."""
    with serving(answering(body, Content_Type=kind)) as url:
        given = Given(url, "t", CAMPAIGN, rate_limit=None, account_rate_limit=None)
        report = examine(given, Wire(url), Options(patient=False, skip=frozenset({"schemathesis"})))

    assert report.exit_code == 1
    assert {result.rule.id for result in report.broken} >= broken
    assert len(report.broken) >= 20


def test_nobody_listens(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """One line; the reports are written all the same."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    code, out, err = run(*target(f"http://127.0.0.1:{port}/v1"), "--json", tmp_path / "r.json")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "cannot reach" in err
    assert json.loads((tmp_path / "r.json").read_text())["exitCode"] == 2


def test_no_tls(run: Callable[..., tuple[int, str, str]]) -> None:
    """The scheme is the thing to check."""
    with serving(answering(b"")) as url:
        code, _, err = run(*target(url.replace("http", "https")))

    assert (code, err.count("\n")) == (2, 1)
    assert "TLS fails" in err


def test_a_server_that_closes_every_connection(run: Callable[..., tuple[int, str, str]]) -> None:
    """It does not answer."""
    listening = socket.create_server(("127.0.0.1", 0))

    def close_all() -> None:
        while True:
            try:
                listening.accept()[0].close()
            except OSError:
                return

    thread = threading.Thread(target=close_all, daemon=True)
    thread.start()
    code, _, err = run(*target(f"http://127.0.0.1:{listening.getsockname()[1]}/v1"))
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)

    assert (code, err.count("\n")) == (2, 1)
    assert "does not answer: the connection was closed" in err


def test_a_server_that_hangs_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """After three requests without an answer; what was found before is reported."""
    monkeypatch.setattr("contract_tests.provider.verify.REQUEST_SECONDS", 0.05)
    answered = 0
    gone = threading.Event()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        nonlocal answered
        answered += 1
        if answered > 6:
            gone.wait(20)
        return answering(b"{}", Content_Type="application/json")(environ, start_response)  # type: ignore[no-any-return]  # as WSGI has it

    with serving(app) as url:
        given = Given(url, "some-token", CAMPAIGN, rate_limit=None)
        report = examine(given, Wire(url), Options(patient=False))
        gone.set()

    assert report.stopped.startswith("3 requests in a row had no answer")
    assert report.results["answers-in-time"].verdict == "broken"


def test_a_provider_that_never_lets_anybody_in_again() -> None:
    """Its limit is told to be broken, and what cannot be asked any more is not exercised."""
    fake = AltaMock(clock=Clock(lambda: 0), rate_limit="10/100000s")
    report = examined(fake)

    assert report.results["limit-tells-when"].verdict == "broken"
    assert report.results["unknown-campaign"].missing == "refused by a limit"


def test_a_server_that_dies_keeps_what_was_found(fake: AltaMock) -> None:
    """It is examined up to there, and told."""
    answered = 0

    class Dying(InProcess):
        def send(self, sent: Sent, *, seconds: float, fresh: bool = False) -> Got:
            nonlocal answered
            answered += 1
            if answered > 40:
                raise Unusable("cannot reach it")
            got = super().send(sent, seconds=seconds, fresh=fresh)
            return replace(got, status=200) if got.status == 400 else got

    report = examine(seeded(fake.base_url), Dying(fake), Options(patient=False))

    assert report.exit_code == 1
    assert report.stopped.startswith("3 requests in a row had no answer: no connection any more")
    assert report.results["contact-or-identity"].verdict == "broken"


def test_a_server_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time, however often a byte comes."""
    monkeypatch.setattr("contract_tests.provider.verify.REQUEST_SECONDS", 0.1)
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
    report = examine(Given(url, "some-token", CAMPAIGN, rate_limit=None), Wire(url), Options(patient=False))
    gone.set()
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)

    assert "does not answer: no answer within 0.1 s" in report.unusable


def test_a_base_url_below_another_path(fake: AltaMock) -> None:
    """Everything goes there, what Schemathesis makes too."""
    app = fake.app
    asked: set[str] = set()

    def below(environ: Any, start_response: Any) -> Any:
        asked.add(environ["REQUEST_URI"].partition("/campaigns")[0])
        environ["REQUEST_URI"] = environ["REQUEST_URI"].removeprefix("/api/x")
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/api/x")
        return app(environ, start_response)

    with serving(below) as url:
        given = seeded(url.replace("/v1", "/api/x/v1"), rate_limit=None)
        report = examine(given, Wire(given.url), Options(patient=False, only=frozenset({"schemathesis"})))

    assert asked == {"/api/x/v1"}
    assert (report.exit_code, report.statuses[404]) == (0, 0)


def test_only_what_cannot_be_exercised_proves_nothing(fake: AltaMock) -> None:
    """A named rule that lacks what it needs is no green."""
    given = replace(seeded(fake.base_url), foreign_campaign_id=None)
    report = examine(given, InProcess(fake), Options(patient=False, only=frozenset({"foreign-campaign"})))

    assert (report.exit_code, report.broken) == (3, [])
    assert report.unproven == ["foreign-campaign was not exercised: needs --foreign-campaign-id"]


def test_the_burst_keeps_to_the_maximum(fake: AltaMock) -> None:
    """Rather than send more, it is left out."""
    only = frozenset({"limit-under-a-burst"})
    report = examined(fake, only=only, max_requests=3)

    assert report.requests <= 3
    assert report.stopped == "--max-requests 3"


def test_what_answers_repeat_of_tokens_is_taken_out(fake: AltaMock) -> None:
    """Whole tokens and those that were made of one, cut off or not."""
    told = "x" * 140

    class Telling(InProcess):
        def send(self, sent: Sent, *, seconds: float, fresh: bool = False) -> Got:
            header = dict(sent.headers).get("Authorization", "")
            body = json.dumps({"error": "Oops", "message": f"{told} unknown: {header}"}).encode()
            got = super().send(sent, seconds=seconds, fresh=fresh)
            return got if got.status == 200 else replace(got, body=body)

    report = examine(seeded(fake.base_url), Telling(fake), Options(patient=False, skip=frozenset({"schemathesis"})))
    shown = "\n".join(breach.got for result in report.broken for breach in result.breaches)

    assert "Oops" in shown
    assert not re.search("test-t|TEST-T|est-token", shown)


# --- The command line -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--campaign-id", "x"], "--campaign-id 'x' is no UUID"),
        (["--second-campaign-id", "x"], "--second-campaign-id 'x' is no UUID"),
        (["--url", "127.0.0.1:8080"], "is no address; give the base URL"),
        (["--url", "http://[::1"], "is no address"),
        (["--url", "http://127.0.0.1:1/v\u00e9"], "is no address"),
        (["--url", "http://ada:secret@127.0.0.1:1/v1"], "names a user"),
        (["--token", ""], "--token is empty"),
        (["--token", "Bearer x"], "--token is empty or malformed"),
        (["--only", "at-most-30"], "there is no rule 'at-most-30'; did you mean at-most-20"),
        (["--skip", "zzz"], "there is no rule 'zzz'; there are "),
        (["--rate-limit", "ten"], "ten"),
        (["--max-requests", "0"], "max-requests"),
        (["--url", "https://api.altahq.com/v1"], "is not this machine: say --reject-only"),
        (["--reject-only", "--write"], "exclude each other"),
        (["--json", "/nope/report.json"], "cannot write /nope/report.json"),
        (["--campaign-id", UNKNOWN_CAMPAIGN], "the campaign was not found (404)"),
        (["--token", "nobody"], "the token was refused with 401"),
    ],
)
def test_mistakes_on_the_command_line(
    fake: AltaMock, run: Callable[..., tuple[int, str, str]], words: list[str], says: str
) -> None:
    """One line each, exit code 2."""
    with fake.serve() as server:
        code, out, err = run(*target(server.url), *words)

    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert says in err
    assert "nobody" not in err


def test_without_settings(run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one that is missing is named, with its variable."""
    for name in ("ALTA_BASE_URL", "ALTA_API_TOKEN", "ALTA_CAMPAIGN_ID"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = run()

    assert code == 2
    assert "ALTA_BASE_URL" in err


def test_the_whole_command(fake: AltaMock, run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """Table, summary and reports, for a fake as it is out of the box."""
    given = seeded("")
    words = ["--second-token", given.second_token, "--second-campaign-id", given.second_campaign_id]
    words += ["--other-account-token", given.other_account_token, "--foreign-campaign-id", given.foreign_campaign_id]
    files = ["--json", tmp_path / "r.json", "--junit", tmp_path / "r.xml"]
    with fake.serve() as server:
        code, out, err = run(*target(server.url), *words, *files)
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
    """The report has what was found so far."""
    sent = 0

    def tell(*_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 30:
            raise KeyboardInterrupt

    report = examined(fake, tell=tell)

    assert (report.exit_code, report.interrupted) == (130, True)
    assert 20 <= report.requests <= 30


def test_nothing_is_proven_where_nothing_is_accepted(fake: AltaMock) -> None:
    """None of the rules that were examined is broken, and yet it is not green."""
    given = replace(seeded(fake.base_url), writes=False)
    report = examine(given, InProcess(fake), Options(patient=False, max_requests=3))

    assert (report.broken, report.exit_code) == ([], 3)
    assert "the documented status 404 was never seen" in report.unproven


# --- The documentation ------------------------------------------------------------------------------------------------


def test_the_page_of_the_rules_is_in_step() -> None:
    """docs/rules.md is what the rules say."""
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == page.page()


def test_every_rule_has_a_statement_and_a_source() -> None:
    """One sentence each, and at least one near miss among the probes of those that refuse."""
    ask = Asking(seeded("http://127.0.0.1:1/v1"), random.Random(0))
    for rule in RULES.values():
        assert rule.statement.endswith(".")
        assert rule.source
        probes: list[Probe] = list(rule.probes(ask)) if rule.probes else []
        assert len({probe.what for probe in probes}) == len(probes)


def test_a_missing_library_is_one_line(
    run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "contract_tests.provider.command", None)
    code, _, err = run(*target("http://127.0.0.1:1/v1"))

    assert (code, err) == (
        2,
        "alta-mock: this command needs contract_tests.provider.command: pip install 'alta-mock[verify]'\n",
    )
