"""`alta-mock score`: every rule is needed for some mutant, and no rule accuses an equivalent mutant."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from contract_tests.mutants.bench import Bench, register
from contract_tests.mutants.catalogue import MUTANTS
from contract_tests.mutants.score import CLIENT, CORRECT, examined
from contract_tests.provider.rules import RULES
from mock_server.cli.main import main
from mock_server.contract import assumptions
from mock_server.journal import rules as consumer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLIPS = {
    "pages-are-whole": "pages-of-one-repeat",
    "page-size": "limit-means-one-more",
    "has-more": "next-always",
    "previous-returns": "previous-leads-nowhere",
    "filters-hold": "owner-is-ignored",
    "cursors-are-checked": "any-cursor-is-the-beginning",
    "prospects-are-stored": "the-newest-two-change-places",
    "batches-stay-apart": "one-buffer-for-all",
    "prospects-agree": "paused-prospects-are-gone",
    "objects-agree": "reads-another-name",
    "pages-are-stable": "listCampaigns-loses",
    "no-foreign-writes": "anybody-opts-in",
    "defaults-count": "listLinkedinMessages/status/default-changed",
    "campaigns-agree": "listed-names-are-cut",
    "opt-outs-agree": "opt-outs-are-listed-twice",
    "tags-agree": "tags-stay",
    "accounts-are-separate": "lists-of-all-accounts",
    "parameters": "listCampaigns/limit/maximum-removed",
    "body": "addCommunicationOptOuts/identifiers/items/name/type-removed",
    "exact-names": "prospects-is-as-good",
    "account-header": "first-account-by-default",
    "odd-methods": "trace-repeats-the-token",
    "method-overrides": "method-headers-are-refused",
    "success-schema": "getCall/createdAt/missing",
    "accepts-each-contact": "only-a-reserved-phone-is-refused",
    "contact-or-identity": "e-mail-is-a-contact",
    "counts-characters": "graphemes",
    "empty-is-no-contact": "three-empty-names-are-an-identity",
    "null-is-refused": "a-null-company-is-passed-over",
    "every-record-counts": "all-but-the-eleventh",
    "undeclared-is-accepted": "long-undeclared-is-refused",
    "unicode-is-accepted": "arabic-is-refused",
    "large-body-is-accepted": "bodies-of-100-kb",
    "malformed-json-is-refused": "nan-accepted",
    "json-content-type": "any-content-type",
    "token-is-required": "token-in-the-query",
    "token-must-be-known": "asterisk-is-a-token",
    "scheme-is-bearer": "raw-token",
    "token-comes-first": "validates-before-it-authenticates",
    "token-is-needed-each-time": "sticky-on-a-connection",
    "odd-tokens-are-refused": "500-on-odd-tokens",
    "unknown-id": "unknown-campaigns-accepted",
    "foreign-id": "foreign-campaigns-accepted",
    "id-in-either-case": "ids-in-capitals-refused",
    "malformed-id": "malformed-ids-accepted",
    "no-other-paths": "what-is-behind-the-path-is-passed-over",
    "other-methods": "get-is-answered-200",
    "robust-against-odd-json": "500-on-deep-json",
    "robust-against-size": "500-on-large-bodies",
    "framing": "chunked-is-refused",
    "usable-after-an-error": "rest-of-a-body-is-a-request",
    "no-server-error": "500-on-bodies-of-8-kb",
    "documented-status": "418-for-nan",
    "error-body": "404-without-message",
    "error-identifier": "400-with-another-identifier",
    "error-content-type": "404-as-text",
    "allow-names-the-methods": "405-without-allow",
    "success-is-no-error": "an-error-in-a-success",
    "answers-in-time": "hangs-on-large-bodies",
    "limit-is-kept": "nine-and-ten-told",
    "limit-has-retry-after": "retry-after-0",
    "limit-headers": "retry-after-is-always-60",
    "limit-ends-at-retry-after": "window-of-30-s",
    "limit-of-the-account": "limit-of-a-token",
    "limit-of-all-campaigns": "limit-of-a-campaign",
    "limit-leaves-other-accounts": "limit-of-everybody",
    "limit-under-a-burst": "not-atomic",
    "limit-of-all-operations": "no-limit-over-all",
    "stores-what-was-sent": "loses-the-last",
    "schemathesis": "500-on-empty-names",
    "valid-body": "client: calls-them-prospects",
    "keeps-the-batch-size": "client: sends-21",
    "sends-json": "client: sends-text",
    "bearer-header": "client: lets-netrc-win",
    "token-nowhere-else": "client: sends-the-token-twice",
    "clean-path": "client: doubles-a-slash",
    "waits-for-retry-after": "client: waits-half",
    "waits-with-every-operation": CLIENT + "asks-elsewhere-meanwhile",
    "pauses-untold": "client: hammers",
    "waits-no-longer-than-sensible": "client: waits-an-hour",
    "gives-up": "client: never-gives-up",
    "cursors-as-given": "client: lowers-the-cursor",
    "pages-read-once": "client: reads-each-page-twice",
    "reads-to-the-end": "client: stops-at-a-short-page",
    "no-error-is-an-empty-list": "client: takes-a-bad-filter-for-nothing",
    "takes-any-object": "client: needs-a-name",
    "opted-out-prospect": "client: forgets-opt-outs",
    "ends-by-itself": "client: guesses-its-account",
    "resumes-with-the-refused-batch": "client: puts-the-refused-batch-last",
    "does-not-repeat-what-was-refused": "client: repeats-a-bad-request",
    "stops-when-nothing-can-succeed": "client: goes-on-after-not-found",
    "sends-nothing-twice": "client: retries-blindly",
    "careful-with-5xx": "client: retries-a-500-at-once",
    "takes-no-token-elsewhere": "client: takes-the-token-along",
    "records-untouched": "client: sends-backwards",
    "survives-any-429": "client: reads-no-other-form",
    "takes-any-success": "client: wants-json",
    "reports-the-truth": "client: swallows-errors",
}
"""For each rule a mutant that no other rule of ours catches; Schemathesis may.

What breaks `served` breaks other rules as well, if that is left out: they probe with valid requests, too.
"""

UNSEEN = {
    "account-header": "it has no other choice",
    "permission-name": "no option names a token without the permission",
    "internal-error-body": "a 5xx breaks a rule whatever its body is",
    "request-examples": "they are not about responses",
    **dict.fromkeys(
        (
            *("create-status", "cursor-refused", "limit-out-of-bounds", "unknown-filter-id", "last-per-thread-name"),
            *("draft-sent-at", "tag-entity-unknown", "unknown-assistant"),
        ),
        "it has no other choice",
    ),
}
"""The assumptions that no equivalent mutant differs in, each with the reason why `verify` cannot see them."""


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command in this process; returns exit code, output and error output."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["score", "--jobs", "1", *map(str, words)])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


def test_equivalent_mutants_differ_in_open_questions() -> None:
    """An equivalent mutant differs in an open question; each assumption has one, or a reason why it has none."""
    sources = [one.source for one in MUTANTS.values() if one.equivalent]
    named = {source.partition("assumptions.yaml, ")[2] for source in sources} - {""}

    assert all(source.startswith("open: ") for source in sources)
    assert not named & UNSEEN.keys()
    assert named | UNSEEN.keys() == {assumption.id for assumption in assumptions.load()}


def test_two_mutants_cannot_have_one_name() -> None:
    """A name that is registered already is refused."""
    with pytest.raises(ValueError, match="21-accepted is used twice"):
        register("x", Bench.limit, "21-accepted", "Something.", 1)


def test_the_rules_of_both_sides_have_names_of_their_own() -> None:
    """So that one of them can be left out."""
    assert not RULES.keys() & consumer.RULES.keys()
    judged = (one.id for one in consumer.RULES.values() if one.severity != "hint")
    assert set(SLIPS) == {*RULES.keys() - {"served"}, *judged}


@pytest.mark.slow
@pytest.mark.parametrize("rule", SLIPS)
def test_without_its_rule_a_mutant_survives(rule: str) -> None:
    """A mutant that only one rule catches survives without that rule."""
    assert list(examined(SLIPS[rule]).caught) == [rule]

    without = examined(SLIPS[rule], without=frozenset({rule, "schemathesis"}))
    assert (without.caught, without.right) == ({}, False)


@pytest.mark.parametrize("rule", ["body", "keeps-the-batch-size"])
def test_a_mutant_that_survives_is_named(rule: str, run: Callable[..., tuple[int, str, str]]) -> None:
    """The table and the summary name a mutant that survived, and the exit code is 1."""
    code, out, _ = run("--only", SLIPS[rule], "--without", f"{rule},schemathesis")

    assert code == 1
    assert f"{SLIPS[rule]}  survived\n" in out
    assert f"{SLIPS[rule]} is not caught: " in out


def test_the_table(run: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """The table has a line for each mutant: the rules that caught it, and the request that decided."""
    names = f"{CORRECT},21-accepted,window=sliding,{CLIENT}correct,{CLIENT}sends-21"
    code, out, err = run("--only", names, "--json", tmp_path / "s.json", "--junit", tmp_path / "s.xml")
    lines = out.splitlines()

    assert (code, err) == (0, "")
    assert lines[0].split() == ["correct", "passes"]
    assert "body  /data has 21 items: got 200 {}, wanted 400" in out
    assert "2 of 2 mutants are caught; 2 of them by one rule only" in out
    assert "3 of 3 equivalent mutants pass" in out
    assert [one["name"] for one in json.loads((tmp_path / "s.json").read_text())["mutants"]] == [
        CORRECT,
        "21-accepted",
        "window=sliding",
        CLIENT + "correct",
        CLIENT + "sends-21",
    ]
    cases = ET.fromstring((tmp_path / "s.xml").read_text()).iter("testcase")  # noqa: S314 - our own report
    assert all(not list(case) for case in cases)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("raise SystemExit(0)", "cannot import .*: SystemExit"),
        (
            "from contract_tests.mutants.bench import mutant\n@mutant('x')\ndef one(bench): pass",
            "one has no docstring",
        ),
        ("1/0", "ZeroDivisionError"),
    ],
)
def test_files_of_mutants_that_cannot_be_used(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, text: str, says: str
) -> None:
    """A file of mutants that cannot be imported ends the command with exit code 2."""
    (tmp_path / "mine.py").write_text(text)
    code, out, err = run("--mutants", tmp_path / "mine.py")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search(says, err)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--only", "22-accepted"], "unknown mutant '22-accepted'; did you mean 21-accepted?"),
        (["--without", "bodies"], "unknown rule 'bodies'; did you mean body?"),
        (["--mutants", "/nope.py"], "cannot import /nope.py: FileNotFoundError"),
        (["--junit", "/nope/x.xml"], "cannot write /nope/x.xml"),
    ],
)
def test_mistakes_on_the_command_line(run: Callable[..., tuple[int, str, str]], words: list[str], says: str) -> None:
    """A mistake is reported in one line, with exit code 2."""
    code, out, err = run(*words)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert says in err


@pytest.mark.slow
@pytest.mark.parametrize("name", [CORRECT, *(one.name for one in MUTANTS.values() if one.equivalent)])
def test_equivalent_mutants_pass(name: str) -> None:
    """No rule but Schemathesis, which is too slow for this test, accuses an equivalent mutant."""
    scored = examined(name, without=frozenset({"schemathesis"}))

    assert scored.right, f"{scored.statement} {scored.caught or scored.trouble}"


def several(*words: object) -> subprocess.CompletedProcess[str]:
    """Run the command with two processes of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mock_server", "score", "--jobs", "2", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
        start_new_session=True,
    )


@pytest.mark.slow
def test_mutants_of_a_user(tmp_path: Path) -> None:
    """A file declares more mutants; one that no rule catches is named."""
    file = tmp_path / "mine.py"
    file.write_text(
        "from contract_tests.mutants.bench import Bench, mutant\n"
        "@mutant('a user')\n"
        "def job_title_is_required(bench: Bench) -> None:\n"
        '    """A prospect without jobTitle is refused."""\n'
        '    bench.refuse_record(lambda record: "jobTitle" not in record)\n'
        "@mutant('a user')\n"
        "def same_as_ours(bench: Bench) -> None:\n"
        '    """Nothing differs."""\n'
    )
    done = several("--mutants", file, "--only", "job-title-is-required,same-as-ours")

    assert done.returncode == 1
    assert "job-title-is-required  served, body" in done.stdout
    assert "same-as-ours is not caught: Nothing differs. [a user]" in done.stdout


INTERRUPTING = """
import multiprocessing, os, pathlib, signal
if multiprocessing.parent_process():
    if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, []):
        os.write(2, b"this process will print a traceback")
    try:
        pathlib.Path(__file__).with_name("done").touch(exist_ok=False)
    except FileExistsError:
        pass
    else:
        os.killpg(0, signal.SIGINT)
"""


@pytest.mark.slow
def test_ctrl_c_is_quiet(tmp_path: Path) -> None:
    """Ctrl-C, which a terminal sends to every process, ends the command without a traceback."""
    (tmp_path / "more.py").write_text(INTERRUPTING)
    done = several("--mutants", tmp_path / "more.py")

    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


DYING = """
import os
from contract_tests.mutants.bench import Bench, mutant

@mutant("none")
def dies(bench: Bench) -> None:
    'The process ends.'
    os._exit(9)
"""


@pytest.mark.slow
def test_a_process_that_ends_by_itself_is_reported(tmp_path: Path) -> None:
    """The mutants that a dead process may have examined are named."""
    (tmp_path / "more.py").write_text(DYING)
    done = several("--mutants", tmp_path / "more.py", "--only", "correct,21-accepted,window=sliding,dies")

    assert done.returncode == 2
    assert re.search(r"a process ended by itself at one of (\S+, )?dies;", done.stderr), done.stderr
