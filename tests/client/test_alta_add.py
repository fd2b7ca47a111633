"""`alta-add`: what it reads, what it refuses, how it goes on, and what it never does twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from alta_client.add import cli
from alta_client.add import run as _run
from alta_client.add.run import Waits
from contract_tests.consumer.runs import Script
from mock_server import AltaMock
from mock_server.messages.injected import Injected
from mock_server.pipeline.hooks import Hooks
from tests.conftest import CAMPAIGN, ROOT, SECOND_CAMPAIGN, UNKNOWN_CAMPAIGN, Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mock_server import Clock
    from mock_server.messages.http import ApiRequest
    from mock_server.messages.outcome import Outcome
    from mock_server.pipeline.hooks import Handle
    from mock_server.transports.live_server import LiveServer

Add = Any


class Ended:
    """How a run of the command ended."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def script() -> Script:
    """What the fake injects."""
    return Script()


class Around:
    """What happens around each request; `handle` is the fake's own, `replacement` may call it."""

    handle: Handle
    replacement: Handle | None = None

    def __call__(self, handle: Handle) -> Handle:
        """Keep the fake's own, and return what looks for a replacement at each request."""
        self.handle = handle

        def replaceable(request: ApiRequest, transport: str) -> Outcome:
            return (self.replacement or handle)(request, transport)

        return replaceable


@pytest.fixture
def around() -> Around:
    """What happens around each request."""
    return Around()


@pytest.fixture
def unlimited(clock: Clock, script: Script, around: Around) -> AltaMock:
    """A fake without limits that follows the script."""
    hooks = Hooks(inject=script, around=around)
    return AltaMock(clock=clock, rate_limit="off", account_rate_limit="off", hooks=hooks)


@pytest.fixture
def server(unlimited: AltaMock) -> Iterator[LiveServer]:
    """A fake without limits, on a socket."""
    with unlimited.serve() as served:
        yield served


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file of fifty people."""
    file = tmp_path / "people.csv"
    file.write_text("First Name,email\n" + "".join(f"Ada,p{number}@example.com\n" for number in range(50)))
    return file


@pytest.fixture
def add(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Run the command in this process, against the fake."""
    monkeypatch.setenv("ALTA_BASE_URL", server.url)
    monkeypatch.setenv("ALTA_API_TOKEN", "test-token")
    monkeypatch.setenv("ALTA_CAMPAIGN_ID", CAMPAIGN)

    def run(*words: object) -> Ended:
        with pytest.raises(SystemExit) as ended:
            cli.main([str(word) for word in words])
        return Ended(int(ended.value.code or 0), *capsys.readouterr())

    return run


def emails(mock: AltaMock, campaign: str = CAMPAIGN) -> list[str]:
    """Return the addresses in a campaign."""
    return [one["email"] for one in mock.prospects(campaign)]


FIFTY = [f"p{number}@example.com" for number in range(50)]

# --- What it reads ----------------------------------------------------------------------------------------------------

ADA = [{"firstName": "Ada", "email": "ada@example.com"}]
FILES: dict[str, tuple[bytes, list[Any]]] = {
    "plain": (b"firstName,email\nAda,ada@example.com\n", ADA),
    "other spellings": (b"First_Name,E-mail\nAda,ada@example.com\n", ADA),
    "Excel: mark and semicolons": (b"\xef\xbb\xbffirst name;EMAIL\r\nAda;ada@example.com\r\n", ADA),
    "Excel: Unicode text": ("First Name\temail\r\nAda\tada@example.com\r\n".encode("utf-16"), ADA),
    "no line end, blank lines": (b"firstName,email\n\n,\nAda,ada@example.com", ADA),
    "empty cells are left out": (b"firstName,email,phone\nAda,ada@example.com, \n", ADA),
    "quoted": (
        b'firstName,email\n"Ada, ""the""\nCountess",a@b\n',
        [{"firstName": 'Ada, "the"\nCountess', "email": "a@b"}],
    ),
    "trailing commas": (b"firstName,email,,\nAda,ada@example.com,,\n", ADA),
    "UTF-16, big end first": ("\ufefffirstName,email\nAda,ada@example.com\n".encode("utf-16-be"), ADA),
    "a comma in a header": (b'firstName;email\n"Ada";ada@example.com\n', ADA),
    "JSON lines": (b'{"firstName": "Ada", "email": "ada@example.com"}\n\n', ADA),
    "JSON lines, other fields": (b'{"phone": "1", "tags": [1.50, null]}', [{"phone": "1", "tags": [1.5, None]}]),
}


@pytest.mark.parametrize("name", FILES)
def test_files_it_reads(add: Add, unlimited: AltaMock, tmp_path: Path, name: str) -> None:
    """As spreadsheets and programs write them."""
    raw, wanted = FILES[name]
    (tmp_path / "in").write_bytes(raw)

    done = add(tmp_path / "in")
    assert (done.code, done.out) == (0, "1 of 1 prospects added\n")
    assert unlimited.prospects(CAMPAIGN) == wanted


def test_the_example_is_added(add: Add, unlimited: AltaMock, tmp_path: Path) -> None:
    """The file of the README, whole and in order."""
    file = tmp_path / "people.csv"
    file.write_bytes((ROOT / "examples" / "people.csv").read_bytes())

    assert add(file).out == "250 of 250 prospects added\n"
    assert emails(unlimited) == [f"person.{number}@example.com" for number in range(1, 251)]


def test_columns_are_mapped(add: Add, unlimited: AltaMock, tmp_path: Path) -> None:
    """To a field, to one the API does not declare, or to none."""
    file = tmp_path / "in.csv"
    file.write_text("Work Email,Score=x,Secret\nada@example.com,7,hush\n")

    done = add(file, "--map", "Work Email=email", "--map", "Score=x=score", "--map", "Secret=")
    assert done.code == 0
    assert unlimited.prospects(CAMPAIGN) == [{"email": "ada@example.com", "score": "7"}]


BAD_FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty; write a line of column names"),
    "white space": (b" \n\n", "is empty"),
    "header only": (b"email\n", "has no prospects"),
    "Latin-1": (b"email,firstName\na@b,Ren\xe9\n", "is not UTF-8 near line"),
    "half UTF-16": (b"\xff\xfea", "is not UTF-16"),
    "unknown column": (b"Work Email\na@b\n", "the column 'Work Email' is not a field of a prospect; use --map"),
    "doubled column": (b"email,email\na,b\n", "the column 'email' occurs twice"),
    "two columns of a field": (b"email,E-Mail\na,b\n", "two columns are email"),
    "open quotation mark": (b'email\n"a@b\n', "invalid CSV"),
    "JSON array": (b'[{"email": "a"}]', "write one object on each line"),
    "ragged": (b"email,phone\na@b\n", "in:2: got 1 cells; expected 2"),
    "bad rows": (b"email,firstName\n,Ada\na@b,x\n,Bob\n", "in:2: expected one of email"),
    "too long": (b"email\n" + b"x" * 256, "in:2: email: got 256 characters"),
    "no JSON": (b'{"email": "a"}\n{"email": \n', "in:2: invalid JSON object"),
    "NaN": (b'{"email": "a", "n": NaN}', "in:1: invalid JSON object"),
    "no mapping": (b'{"email": "a"}\n7\n', "in:2: got int; expected a mapping"),
    "a cell below no name": (b"email,\na@b,x\n", "in:2: a cell is in a column without a name"),
    "a key twice": (b'{"email": "a", "email": "b"}', "'email' occurs twice"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_it_refuses(add: Add, unlimited: AltaMock, tmp_path: Path, name: str) -> None:
    """With the line, before anything is sent, and without a traceback."""
    raw, says = BAD_FILES[name]
    (tmp_path / "in").write_bytes(raw)
    done = add(tmp_path / "in")

    assert (done.code, unlimited.requests) == (2, [])
    assert says in done.err
    assert "Traceback" not in done.err


def test_a_bug_is_one_line(add: Add, monkeypatch: pytest.MonkeyPatch, people: Path) -> None:
    """Its text, which may contain the token, is shown only with ALTA_MOCK_DEBUG."""

    def breaks(*_: object, **__: object) -> None:
        raise KeyError("test-token")

    monkeypatch.setattr("alta_client.add.run.add", breaks)
    ended = add(people)

    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith("alta-add: unexpected KeyError in test_alta_add.py:")
    assert "test-token" not in ended.err
    monkeypatch.setenv("ALTA_MOCK_DEBUG", "1")
    with pytest.raises(KeyError):
        cli.main([str(people)])


def test_every_bad_row_is_listed(add: Add, tmp_path: Path) -> None:
    """Up to twenty, and how many there are in all."""
    (tmp_path / "in").write_text("email,firstName\n" + ",Ada\n" * 30 + "a@b,Ada\n")
    done = add(tmp_path / "in")

    lines = done.err.splitlines()
    assert [line.split(":")[1] for line in lines[:20]] == [str(number) for number in range(2, 22)]
    assert lines[20].endswith(
        "30 of 31 rows of " + str(tmp_path / "in") + " are bad, 10 of them not shown; nothing was sent"
    )
    assert len(lines) == 21


def test_settings_it_refuses(
    add: Add, people: Path, unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch, server: LiveServer
) -> None:
    """One line each, and nothing is sent."""
    origin = server.origin
    cases: list[tuple[tuple[object, ...], str]] = [
        ((people, "--base-url", origin), f"did you mean {origin}/v1"),
        ((people, "--campaign", "x"), "the campaign id 'x' is not a valid UUID"),
        ((people, "--map", "email"), "write it like 'Work Email=email'"),
        ((people, "--map", "nope=email"), "unknown column 'nope'; choose one of First Name, email"),
        ((people, "--map", "email=phone", "--map", "email=x"), "is mapped twice"),
        ((people, "--map", "First Name=E-mail"), "two columns are email"),
        ((people, "--skip"), "there is no batch of unknown outcome; leave out --skip"),
        ((people, "--resend", "--skip"), "exclude each other"),
        ((people, "--campaign", CAMPAIGN, "--campaign-name", "x"), "exclude each other"),
        ((people, "--settle", "3"), "add --verify"),
        ((people, "--nope"), "no such option"),
        ((people.with_name("nope.csv"),), "no such file"),
        ((people.parent,), "it is not a regular file"),
        ((), "missing argument"),
    ]
    for words, says in cases:
        done = add(*words)
        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1), done.err
        assert says.lower() in done.err.lower()
    for name in ("ALTA_BASE_URL", "ALTA_API_TOKEN", "ALTA_CAMPAIGN_ID"):
        with monkeypatch.context() as patch:
            patch.delenv(name)
            done = add(people)
            assert (done.code, done.err.count("\n")) == (2, 1)
            assert "is missing; " in done.err
            assert name in done.err
    assert unlimited.requests == []


def test_dry_run_sends_nothing_and_needs_no_settings(
    people: Path, unlimited: AltaMock, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says how long the real run would take."""
    monkeypatch.delenv("ALTA_API_TOKEN")
    done = add(people, "--dry-run")

    assert (done.code, done.out) == (0, f"{people}: 50 prospects, 3 batches, at once; nothing was sent\n")
    assert (unlimited.requests, list(people.parent.iterdir())) == ([], [people])


# --- What comes back --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "token", "code", "says"),
    [
        (
            (),
            "nope",
            2,
            "401 Unauthorized: Invalid API token, for lines 2 to 21; 0 of 50 prospects added; check ALTA_API",
        ),
        ((), "test-token-readonly", 2, "may not change this campaign"),
        (("--campaign", UNKNOWN_CAMPAIGN), "test-token", 2, "404 NotFound: Resource not found, for lines 2 to 21"),
        (("--base-url", "http://127.0.0.1:1/v1"), "test-token", 2, "cannot reach 127.0.0.1:1"),
    ],
)
def test_targets_that_cannot_be_used(
    add: Add, people: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], token: str, code: int, says: str
) -> None:
    """One line, and the next run with other settings begins anew."""
    monkeypatch.setenv("ALTA_API_TOKEN", token)
    done = add(people, *words)
    assert (done.code, done.err.count("\n")) == (code, 1)
    assert says in done.err

    monkeypatch.setenv("ALTA_API_TOKEN", "test-token")
    assert add(people).code == 0


def test_a_refused_batch_stops_the_run(add: Add, people: Path, unlimited: AltaMock) -> None:
    """What was added before stays added, and the next run goes on with the refused one."""
    unlimited.clear_injected()
    unlimited.next(400)
    done = add(people)
    assert done.code == 1
    assert "400 ValidationError: Invalid request body, for lines 2 to 21; 0 of 50 prospects added" in done.err

    assert add(people).code == 0
    assert emails(unlimited) == FIFTY


def test_an_unknown_batch_is_shown_and_needs_a_word(add: Add, people: Path, unlimited: AltaMock) -> None:
    """Nothing more is sent before somebody has looked."""
    unlimited.fault("drop_after_commit")
    done = add(people)
    assert done.code == 1
    assert "lines 2 to 21 may or may not have been added; 0 of 50 prospects added; look in Alta" in done.err
    assert f"{people}:2: Ada p0@example.com" in done.err

    done = add(people)
    assert (done.code, len(unlimited.requests)) == (2, 1)
    assert "lines 2 to 21 were sent without a response" in done.err

    done = add(people, "--skip")
    assert (done.code, done.out) == (0, "30 of 50 prospects added, 20 skipped\n")
    assert emails(unlimited) == FIFTY


def test_an_unknown_batch_can_be_sent_again(add: Add, people: Path, unlimited: AltaMock) -> None:
    """When somebody has looked, and it was not there."""
    unlimited.fault("connection_reset")
    assert add(people).code == 1
    done = add(people, "--resend")

    assert (done.code, done.out) == (0, "50 of 50 prospects added\n")
    assert emails(unlimited) == FIFTY


def test_keys_of_json_lines_are_mapped(add: Add, unlimited: AltaMock, tmp_path: Path) -> None:
    """To a field or to none; a collision, and a name that no line has, are reported."""
    file = tmp_path / "in.jsonl"
    file.write_text('{"mail": "a@example.com", "secret": 1}\n')
    assert add(file, "--map", "mail=email", "--map", "secret=").code == 0
    assert unlimited.prospects(CAMPAIGN) == [{"email": "a@example.com"}]

    file.write_text('{"mail": "b@example.com", "email": "c@example.com"}\n')
    assert "'email' occurs twice" in add(file, "--map", "mail=email", "--dry-run").err
    assert "no line has the key 'typo' of --map" in add(file, "--map", "typo=email", "--dry-run").err


def test_an_account_can_be_named(add: Add, people: Path, unlimited: AltaMock, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a user of several."""
    monkeypatch.setenv("ALTA_API_TOKEN", "multi-token")

    assert add(people).code == 2
    assert add(people, "--account-id", "acme").code == 0
    assert len(unlimited.prospects(CAMPAIGN)) == 50


def test_some_were_added_before_the_token_was_refused(add: Add, people: Path, script: Script) -> None:
    """Then it is not true that nothing could be done."""
    script.begin([None, Injected(status=401)])
    done = add(people)

    assert done.code == 1
    assert "20 of 50 prospects added" in done.err


def test_a_file_that_changes_meanwhile(add: Add, people: Path, unlimited: AltaMock, around: Around) -> None:
    """Nothing more is sent of it, and the next run goes on."""

    def changing(*arguments: Any) -> Any:
        if len(unlimited.requests) == 1:
            people.write_text(people.read_text() + "Ada,p50@example.com\n")
        return around.handle(*arguments)

    around.replacement = changing
    done = add(people)
    assert done.code == 1
    assert "has changed; run the same command again to continue; 40 of 50 prospects added" in done.err

    assert add(people).code == 0
    assert emails(unlimited) == [*FIFTY, "p50@example.com"]


def test_links_to_the_same_file_share_their_count(add: Add, people: Path, unlimited: AltaMock) -> None:
    """So nobody is added twice by another name."""
    link = people.with_name("link.csv")
    link.symlink_to(people)

    assert add(people).code == add(link).code == 0
    assert emails(unlimited) == FIFTY


def test_nothing_that_a_terminal_obeys_is_shown(add: Add, unlimited: AltaMock, tmp_path: Path) -> None:
    """Neither of a row nor of a header."""
    file = tmp_path / "in.csv"
    file.write_text("email,firstName\na@b,\x1b[2Jx\n")
    unlimited.fault("connection_reset")
    assert "\x1b" not in add(file).err
    file.write_text("\x1b[2Jcolumn\nx\n")
    assert "\x1b" not in add(file).err


def test_a_second_run_adds_nothing_and_a_longer_file_what_is_new(add: Add, people: Path, unlimited: AltaMock) -> None:
    """The count beside the file knows its prospects, not its bytes."""
    assert add(people).code == 0
    done = add(people)
    assert (done.code, done.out) == (0, "50 of 50 prospects added; there is nothing left to do\n")

    people.write_text(people.read_text() + "Ada,p50@example.com\n")
    assert add(people).code == 0
    assert emails(unlimited) == [*FIFTY, "p50@example.com"]


def test_a_count_of_something_else(add: Add, people: Path, unlimited: AltaMock) -> None:
    """Other prospects, another campaign, another server, or no count at all: refused before anything is sent."""
    assert add(people).code == 0
    kept = people.with_name("people.csv.alta-add.json")
    changed = people.read_text().replace("p7@", "p77@")
    state = json.loads(kept.read_text())
    cases: list[tuple[Callable[[], object], tuple[str, ...], str]] = [
        (lambda: None, ("--campaign", SECOND_CAMPAIGN), f"belongs to campaign {CAMPAIGN}"),
        (lambda: None, ("--base-url", "http://127.0.0.1:1/v1"), "belongs to campaign"),
        (lambda: people.write_text(changed), (), "belongs to other prospects"),
        (lambda: kept.write_text("{}"), (), "is not a state of alta-add"),
        (lambda: kept.write_text("[" * 100_000), (), "is not a state of alta-add"),
        (lambda: kept.write_text(json.dumps({**state, "done": -1})), (), "contains impossible counts"),
        (lambda: kept.write_text(json.dumps({**state, "unknown": 1001})), (), "contains impossible counts"),
        (lambda: kept.write_text(json.dumps({**state, "done": 20, "unknown": 20})), (), "belongs to other prospects"),
        (lambda: kept.write_text("\ud800", errors="surrogatepass"), (), "is not a state of alta-add"),
    ]
    for change, words, says in cases:
        change()
        done = add(people, *words)
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert says in done.err
    assert len(unlimited.requests) == 3


def test_two_runs_at_once_are_refused(add: Add, people: Path, unlimited: AltaMock, around: Around) -> None:
    """The second sends nothing."""
    inner: list[Ended] = []

    def meanwhile(*arguments: Any) -> Any:
        words = [sys.executable, "-m", "alta_client", str(people)]
        if not inner:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            inner.append(Ended(done.returncode, done.stdout, done.stderr))
        return around.handle(*arguments)

    around.replacement = meanwhile
    assert add(people).code == 0
    assert inner[0].code == 2
    assert "another alta-add is adding" in inner[0].err
    assert emails(unlimited) == FIFTY


def test_it_cannot_write_beside_the_file(add: Add, people: Path, unlimited: AltaMock) -> None:
    """Then it sends nothing, since it could not keep count."""
    people.with_name("people.csv.alta-add.json.new").mkdir()
    done = add(people)

    assert (done.code, unlimited.requests) == (2, [])
    assert "cannot write" in done.err


# --- Cut short --------------------------------------------------------------------------------------------------------


def started(people: Path) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    words = [sys.executable, "-m", "alta_client", str(people)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_cut_short_during_a_wait(add: Add, people: Path, unlimited: AltaMock, around: Around, number: int) -> None:
    """All that was added is certain; the next run goes on, and nothing is lost or doubled."""
    reached = threading.Event()

    def counting(*arguments: Any) -> Any:
        outcome = around.handle(*arguments)
        if len(unlimited.requests) == 2:
            unlimited.next(429, retry_after=200)
        if outcome.reply.status == 429:
            reached.set()
        return outcome

    around.replacement = counting
    process = started(people)
    assert reached.wait(20)
    assert process.stderr is not None
    assert "waiting 200 s" in process.stderr.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    assert "Traceback" not in err

    around.replacement = None
    done = add(people)
    assert (done.code, done.out) == (0, "50 of 50 prospects added\n")
    assert "continuing after 40 of 50" in done.err
    assert emails(unlimited) == FIFTY


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_cut_short_while_a_batch_is_under_way(
    add: Add, people: Path, unlimited: AltaMock, around: Around, number: int
) -> None:
    """Killed, the batch is unknown; by Ctrl-C its answer is waited for, and everything is certain."""
    process: list[subprocess.Popen[str]] = []
    ready, sent = threading.Event(), threading.Event()

    def killing(*arguments: Any) -> Any:
        ready.wait(20)
        if len(unlimited.requests) == 1:
            process[0].send_signal(number)
            if number == signal.SIGKILL:
                process[0].wait(20)
            sent.set()
        return around.handle(*arguments)

    around.replacement = killing
    process.append(started(people))
    ready.set()
    assert sent.wait(20)
    _, err = process[0].communicate(timeout=20)
    assert process[0].returncode == (130 if number == signal.SIGINT else -number), err

    around.replacement = None
    if number == signal.SIGKILL:
        assert add(people).code == 2
        done = add(people, "--skip")
    else:
        done = add(people)
    assert done.code == 0
    assert emails(unlimited) == FIFTY


def test_the_state_is_whole_at_every_moment(add: Add, people: Path, around: Around) -> None:
    """While a batch is under way, it is written down as unknown."""
    kept = people.with_name("people.csv.alta-add.json")
    seen: list[tuple[int, int]] = []

    def looking(*arguments: Any) -> Any:
        state = json.loads(kept.read_text())
        seen.append((state["done"], state["unknown"]))
        return around.handle(*arguments)

    around.replacement = looking
    assert add(people).code == 0
    assert seen == [(0, 20), (20, 20), (40, 10)]


def test_a_wait_is_told_second_by_second() -> None:
    """And is no shorter for it."""
    slept: list[float] = []
    reported: list[float] = []
    waits = Waits(slept.append)
    waits.sleep(0.25)  # nobody listens yet
    waits.report = reported.append
    waits.sleep(2.5)

    assert slept == [0.25, 1.0, 1.0, 0.5]
    assert reported == [2.5, 1.5, 0.5]


def test_on_a_terminal_a_wait_is_counted_down(
    people: Path, mock: AltaMock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside how far it is, in a line that is gone at the end; the last line is the result."""
    monkeypatch.setenv("TERM", "xterm")
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    monkeypatch.setattr(_run, "Waits", lambda: Waits(mock.clock.sleep))
    mock.next(429, retry_after=3)
    with mock.serve() as server:
        words = [str(people), "--base-url", server.url, "--campaign", CAMPAIGN]
        monkeypatch.setenv("ALTA_API_TOKEN", "test-token")
        with pytest.raises(SystemExit):
            cli.main(words)
        shown = stderr.getvalue().split("\r")

    waiting = [f"0 of 50 added; waiting {left} s for the quota" for left in (3, 2, 1)]
    assert [line for line in shown if "waiting" in line] == waiting
    assert shown[-2:] == [" " * len(shown[-2]), ""]
    assert capsys.readouterr().out == "50 of 50 prospects added\n"
