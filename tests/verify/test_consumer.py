"""`alta-mock exec --consumer` and `check_consumer`: which consumers break which rules."""

from __future__ import annotations

import contextlib
import json
import re
import sys
import textwrap
import threading
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from alta_client import OutcomeUnknown, RateLimited
from contract_tests import check_consumer
from contract_tests.consumer.check import ConsumerBroken, check, options_of
from contract_tests.consumer.report import lines
from contract_tests.consumer.scenarios import PEOPLE, SCENARIOS
from contract_tests.mutants.clients import batches, client, right_client
from contract_tests.mutants.score import WRONG
from mock_server import AltaMock
from mock_server.cli.main import main
from mock_server.journal.rules import RULES
from mock_server.messages.errors import MockError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.consumer.runs import Environment

Run = Any


def ours(at: Environment) -> None:
    """Add everybody by our client."""
    right_client(at, PEOPLE)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; returns exit code, output and error output."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["exec", "--consumer", *map(str, words)])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file of the prospects that are to be added."""
    file = tmp_path / "people.json"
    file.write_text(json.dumps(PEOPLE))
    return file


# --- In process -------------------------------------------------------------------------------------------------------


NOT_MET = {
    *("small-pages", "cursors-as-given", "pages-read-once", "polls-within-the-limit", "reads-leave-room-for-writes"),
    *("half-empty-batches", "reads-to-the-end", "no-error-is-an-empty-list", "takes-any-object"),
    "waits-with-every-operation",
}

ADDING = [name for name, one in SCENARIOS.items() if not one.reads]
"""Rules about reading, and about reaching the limit: our client does neither."""


def test_our_client_behaves(alta_mock: AltaMock) -> None:
    """Every rule about adding is put to the test, in every scenario that it is about, and kept."""
    report = check_consumer(alta_mock, ours, expect=PEOPLE)

    assert {judged.verdict for judged in report.judged.values()} == {"pass", "not exercised"}
    assert {name for name, judged in report.judged.items() if judged.verdict == "not exercised"} == NOT_MET
    assert list(report.runs) == ADDING
    assert report.judged["sends-nothing-twice"].scenarios.count("response-lost") == 1


@pytest.mark.slow
def test_it_behaves_over_a_socket_too(alta_mock: AltaMock) -> None:
    """For consumers that use no `requests`; what is slow takes its time there."""
    report = check_consumer(
        alta_mock, ours, expect=PEOPLE, transport="socket", only=["waits-for-retry-after", "gives-up"]
    )

    assert {judged.verdict for judged in report.judged.values()} == {"pass"}


def test_every_rule_has_a_wrong_client() -> None:
    """Hints left out, which nobody is failed for."""
    caught_by = {wrong.caught_by for wrong in WRONG.values()}
    assert caught_by == {one.id for one in RULES.values() if one.severity != "hint"}
    assert {wrong.scenario for wrong in WRONG.values()} <= set(SCENARIOS)


def test_a_broken_rule_fails_the_test_with_the_report(alta_mock: AltaMock) -> None:
    """In words that say what to change, with the requests that decided."""

    def retries(at: Environment) -> None:
        one = client(at)
        for batch in batches(PEOPLE):
            try:
                one.add_prospects(at.campaign_id, batch)
            except OutcomeUnknown:
                one.add_prospects(at.campaign_id, batch)

    with pytest.raises(AssertionError) as caught:
        check_consumer(alta_mock, retries, expect=PEOPLE)
    text = str(caught.value)

    assert isinstance(caught.value, ConsumerBroken)
    assert re.search(r"^sends-nothing-twice +fail +response-lost", text, re.MULTILINE)
    assert "its response was lost, so look before you send it again" in text
    assert re.search(r"request 2 after 0\.0 s: POST /v1/campaigns/\S+ -> 200 \(drop_after_commit\)", text)


def fails_at_once(at: Environment) -> None:
    """Fail on the first 429."""
    for batch in batches(PEOPLE):
        url = f"{at.base_url}/campaigns/{at.campaign_id}/prospects"
        headers = {"Authorization": f"Bearer {at.token}"}
        reply = requests.post(url, json={"data": batch}, headers=headers, timeout=9, allow_redirects=False)
        reply.raise_for_status()
        if reply.status_code != 200:
            raise ValueError(reply.status_code)


def waits_a_minute(at: Environment) -> None:
    """Wait a minute after every 429, ten times at most."""
    for batch in batches(PEOPLE):
        for _ in range(10):
            try:
                client(at, max_wait=0.5).add_prospects(at.campaign_id, batch)
                break
            except RateLimited:
                at.sleep(60)
        else:
            raise ValueError("refused ten times")


def resumes(at: Environment) -> None:
    """Begin again where it is certain, three times at most, and never with what may have been added."""
    position, tries = 0, 0
    while position < len(PEOPLE):
        try:
            position += int(client(at).add_prospects(at.campaign_id, PEOPLE[position:]))
        except RateLimited as error:
            position, tries = position + error.added, tries + 1
            if tries > 1:
                raise
            at.sleep(60)


def splits_what_was_refused(at: Environment) -> None:
    """Send the halves of a batch that was refused, to find the prospect that is bad."""
    waiting = batches(PEOPLE)
    failed = False
    while waiting:
        batch = waiting.pop(0)
        try:
            client(at).add_prospects(at.campaign_id, batch)
        except ValueError:
            raise
        except Exception as error:
            if getattr(error, "status", 0) != 400 or len(batch) == 1:
                raise
            failed, half = True, len(batch) // 2
            waiting[:0] = [batch[:half], batch[half:]]
    if failed:
        raise ValueError("a batch was refused")


def reads_seconds_only(at: Environment) -> None:
    """Wait after a 429, if Retry-After is a number."""
    for batch in batches(PEOPLE):
        url, headers = f"{at.base_url}/campaigns/{at.campaign_id}/prospects", {"Authorization": f"Bearer {at.token}"}
        for _ in range(10):
            reply = requests.post(url, json={"data": batch}, headers=headers, timeout=9, allow_redirects=False)
            if reply.status_code == 200:
                break
            if reply.status_code != 429:
                raise ValueError(reply.status_code)
            at.sleep(int(reply.headers["Retry-After"]))
        else:
            raise ValueError("refused ten times")


def test_a_crash_is_no_giving_up() -> None:
    """A consumer that gets over a 429 with seconds must get over one with a date, which is reported with its error."""
    report = check(reads_seconds_only, options_of(PEOPLE))
    crash = report.judged["survives-any-429"]
    shown = "\n".join(lines(report))

    assert (crash.verdict, list(crash.breaches)) == ("fail", ["429-date", "429-untold"])
    assert "ended at a 429 without Retry-After" in shown
    assert re.search(r"ended at a 429 with the Retry-After '\w+, .* GMT'; read seconds and dates", shown)
    assert "it said: ValueError: invalid literal for int()" in shown
    assert report.exit_code == 1
    assert not {"429-date", "429-untold"} & set(report.judged["gives-up"].scenarios)
    assert "429-forever" in report.judged["gives-up"].scenarios


@pytest.mark.parametrize(
    "consumer", [fails_at_once, waits_a_minute, resumes, splits_what_was_refused], ids=lambda one: one.__name__
)
def test_other_strategies_pass_too(consumer: Callable[[Environment], None]) -> None:
    """No rule is broken; what is unwise is a warning."""
    report = check(consumer, options_of(PEOPLE))

    assert [(one.rule.id, one.breaches) for one in report.broken] == []
    assert report.exit_code == 0


def test_without_knowing_what_is_expected(alta_mock: AltaMock) -> None:
    """What arrives normally is what counts."""

    def swallows(at: Environment) -> None:
        with contextlib.suppress(Exception):
            ours(at)

    report = check(ours, options_of(None))
    assert (report.exit_code, report.judged["records-untouched"].verdict) == (0, "not exercised")
    with pytest.raises(AssertionError, match=r"reports-the-truth +fail"):
        check_consumer(alta_mock, swallows)


def test_nothing_sent_proves_nothing(alta_mock: AltaMock) -> None:
    """Nor does a rule that was required and not put to the test."""
    with pytest.raises(AssertionError, match="nothing is proven"):
        check_consumer(alta_mock, lambda _: None)
    with pytest.raises(AssertionError, match="required, and not exercised: waits-for-retry-after"):
        check_consumer(alta_mock, fails_at_once, require=["waits-for-retry-after"])


def test_settings_of_the_fake_are_those_of_the_mock(tmp_path: Path) -> None:
    """A seed of one's own, for example."""
    seed = (ROOT / "fixtures" / "seed.yaml").read_text().replace("token: test-token,", "token: my-token,")
    (tmp_path / "seed.yaml").write_text(seed)
    seen: set[str] = set()

    def consumer(at: Environment) -> None:
        seen.add(at.token)
        ours(at)

    check_consumer(AltaMock(data=tmp_path / "seed.yaml"), consumer, expect=PEOPLE, only=["valid-body"])
    assert seen == {"my-token"}


def test_rules_that_do_not_exist(alta_mock: AltaMock) -> None:
    """The nearest is suggested."""
    with pytest.raises(MockError, match="unknown rule 'waits-for'; did you mean waits-for-retry-after"):
        check_consumer(alta_mock, ours, only=["waits-for"])
    with pytest.raises(MockError, match="the rule gives-up is required, and left out"):
        check_consumer(alta_mock, ours, skip=["gives-up"], require=["gives-up"])


@pytest.mark.slow
def test_long_lists_are_no_fault(alta_mock: AltaMock) -> None:
    """However often the limit makes them wait."""
    many = [{"phone": str(number)} for number in range(1500)]

    report = check_consumer(alta_mock, lambda at: right_client(at, many), expect=many)
    assert report.runs["limit"].ended


@pytest.mark.slow
def test_one_that_asks_on_and_on_over_a_socket_is_left_alone(alta_mock: AltaMock) -> None:
    """The test ends, and names the rule."""
    over = threading.Event()

    def forever(at: Environment) -> None:
        while not over.is_set():
            with contextlib.suppress(Exception):
                client(at).add_prospects(at.campaign_id, PEOPLE[:1])

    with pytest.raises(AssertionError, match=r"ends-by-itself +fail"):
        check_consumer(alta_mock, forever, only=["ends-by-itself"], transport="socket")
    over.set()


# --- By command -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_correct_client_in_node(run: Run, people: Path, tmp_path: Path) -> None:
    """Plain fetch, no dependency; the example of the documentation."""
    files = ["--json", tmp_path / "c.json", "--junit", tmp_path / "c.xml"]
    code, out, err = run("--expect", people, *files, "--", "node", ROOT / "examples" / "add.mjs", people)

    assert (code, err) == (0, ""), out
    assert out.splitlines()[-1] == "the consumer behaves"
    assert f"{len(RULES)} rules: 0 fail, 0 warning, 0 hint, {len(RULES) - 9} pass, 9 not exercised" in out
    report = json.loads((tmp_path / "c.json").read_text())
    assert [one["id"] for one in report["rules"]] == list(RULES)
    assert list(report["scenarios"]) == ADDING
    cases = list(ET.fromstring((tmp_path / "c.xml").read_text()).iter("testcase"))  # noqa: S314 - our own report
    assert [case.get("name") for case in cases] == [*RULES, "something is proven"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_script_that_somebody_wrote(run: Run, people: Path, tmp_path: Path) -> None:
    """It learns what it does wrong, and in which scenario."""
    script = tmp_path / "sync.py"
    script.write_text(
        textwrap.dedent("""
        import json, os, sys, time, requests
        people = json.load(open(sys.argv[1]))
        url = os.environ["ALTA_BASE_URL"] + "/campaigns/" + os.environ["ALTA_CAMPAIGN_ID"] + "/prospects"
        headers = {"Authorization": "Bearer " + os.environ["ALTA_API_TOKEN"]}
        for start in range(0, len(people), 20):
            for attempt in range(3):
                try:
                    reply = requests.post(url, json={"data": people[start:start + 20]}, headers=headers, timeout=9)
                    if reply.status_code == 200:
                        break
                except requests.RequestException:
                    pass
                time.sleep(0.3)
        print("done")
        """)
    )
    code, out, _ = run("--expect", people, "--", sys.executable, script, people)
    broken = set(re.findall(r"^([a-z0-9-]+) +fail", out, re.MULTILINE))

    assert code == 1
    assert broken == {
        *("waits-for-retry-after", "does-not-repeat-what-was-refused", "stops-when-nothing-can-succeed"),
        *("sends-nothing-twice", "reports-the-truth", "resumes-with-the-refused-batch"),
    } | (broken & {"records-untouched"})
    assert re.search("^sends-nothing-twice: sent records of request [0-9]+ again", out, re.MULTILINE)


@pytest.mark.slow
def test_a_command_that_never_ends_is_stopped(run: Run) -> None:
    """After its time, in each scenario."""
    code, out, _ = run("--timeout", "1", "--", sys.executable, "-c", "import time; time.sleep(60)")

    assert code == 1
    assert re.search(r"^ends-by-itself +fail", out, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_command_that_is_refused_without_end_is_stopped(run: Run) -> None:
    """After twenty requests."""
    code = textwrap.dedent("""
        import os, urllib.request
        url = os.environ["ALTA_BASE_URL"] + "/campaigns/" + os.environ["ALTA_CAMPAIGN_ID"] + "/prospects"
        headers = {"Authorization": "Bearer " + os.environ["ALTA_API_TOKEN"], "Content-Type": "application/json"}
        while True:
            try:
                urllib.request.urlopen(urllib.request.Request(url, b'{"data":[{"phone":"1"}]}', headers))
                break
            except Exception:
                pass
    """)
    ended, out, _ = run("--only", "gives-up", "--timeout", "30", "--", sys.executable, "-c", code)

    assert ended == 1
    assert re.search(r"^gives-up +fail +429-forever", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--", "no-such-command"], "cannot run no-such-command"),
        (["--expect", "/nope.json", "--", "true"], "cannot read /nope.json"),
        (["--only", "waits-for", "--", "true"], "unknown rule 'waits-for'; did you mean waits-for-retry-after"),
        (["--require", "200", "--", "true"], "unknown rule '200'; choose one of"),
        (["--junit", "/nope/x.xml", "--", "true"], "cannot write /nope/x.xml"),
        (["--strict", "--", "true"], "--strict cannot be combined with --consumer"),
        (["--timeout", "0", "--", "true"], "timeout"),
        ([], "missing argument"),
    ],
)
def test_mistakes_on_the_command_line(run: Run, words: list[str], says: str) -> None:
    """One line each, exit code 2."""
    code, out, err = run(*words)

    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert says.lower() in err.lower()


@pytest.mark.parametrize(
    ("text", "says"), [("{}", "is not a list of prospects"), ("[1]", "is not a list"), ("[", "is not valid JSON")]
)
def test_expectations_that_cannot_be_read(run: Run, tmp_path: Path, text: str, says: str) -> None:
    """Before anything is run."""
    (tmp_path / "e.json").write_text(text)
    code, _, err = run("--expect", tmp_path / "e.json", "--", "true")

    assert code == 2
    assert says in err


def test_a_command_leaves_nothing_behind(run: Run, tmp_path: Path) -> None:
    """The processes that it started are stopped, and a signal is reported as such."""
    script = f"sleep 300 & echo $! >> {tmp_path}/pids; kill -9 $$"
    code, _, _ = run("--only", "ends-by-itself", "--", "sh", "-c", script)
    pids = (tmp_path / "pids").read_text().split()

    assert code == 3
    assert len(pids) == len(ADDING)
    for pid in pids:
        with contextlib.suppress(FileNotFoundError):
            assert Path("/proc", pid, "stat").read_text().split()[2] == "Z"


def test_a_command_that_sends_nothing_proves_nothing(run: Run) -> None:
    """Exit code 3."""
    code, out, _ = run("--", "true")

    assert code == 3
    assert out.splitlines()[-1] == "nothing is proven"


FAILING = """
import os, sys
print("0 " * 100_000, file=sys.stderr)
print("\\x1b[31mstarting\\x1b[0m", os.environ["ALTA_MOCK_SCENARIO"], file=sys.stderr)
print("bell\\x07", "-" * 300, file=sys.stderr)
print("    at frame (of a stack)", file=sys.stderr)
raise RuntimeError("cannot use " + os.environ["ALTA_API_TOKEN"])
"""


def test_what_a_command_said_that_failed_before_it_sent_anything(run: Run, tmp_path: Path) -> None:
    """The end of it, once, without a token, a colour or the frames of a stack; nobody was held up by the rest."""
    (tmp_path / "fails.py").write_text(FAILING)
    code, out, _ = run("--json", tmp_path / "r.json", "--", sys.executable, tmp_path / "fails.py")

    assert code == 3
    assert (
        "\n17 scenarios: the consumer sent nothing to the base URL (ALTA_BASE_URL); does it read it?\n    it said"
        in out
    )
    assert [line.removeprefix("    it said: ") for line in out.splitlines() if "it said" in line] == [
        "starting normal",
        rf"bell\x07 {'-' * 300}"[:200],
        "Traceback (most recent call last):",
        "RuntimeError: cannot use ***",
    ]
    scenarios = json.loads((tmp_path / "r.json").read_text())["scenarios"]
    assert "starting slow" in scenarios["slow"]["said"]
    assert "test-token" not in (tmp_path / "r.json").read_text()


ONLY_ONCE = """
import os, sys
from alta_client.__main__ import main
if os.environ["ALTA_MOCK_SCENARIO"] != "normal":
    sys.exit("was here before")
main()
"""


def test_a_command_that_works_only_the_first_time_proves_nothing_more(run: Run, tmp_path: Path) -> None:
    """As one that keeps a ledger; without a word of what it is to add, too."""
    (tmp_path / "once.py").write_text(ONLY_ONCE)
    (tmp_path / "people.csv").write_text("email\nada@example.com\n")
    code, out, _ = run("--", sys.executable, tmp_path / "once.py", tmp_path / "people.csv")

    assert code == 3
    assert re.search(r"\n16 scenarios: the consumer sent nothing .*\n    it said: was here before\n", out)
    assert out.splitlines()[-1] == "not everything is proven"


@pytest.mark.slow
def test_what_a_command_wrote_is_shown_below_its_breach(run: Run, people: Path, tmp_path: Path) -> None:
    """Five lines at most, with the first example of the scenario."""
    script = tmp_path / "says.py"
    script.write_text(
        "import os, sys, requests\n"
        "for number in range(9): print('line', number, os.environ['ALTA_MOCK_SCENARIO'], file=sys.stderr)\n"
        "requests.post(os.environ['ALTA_BASE_URL'] + '/prospects')\n"
    )
    code, out, _ = run("--expect", people, "--", sys.executable, script)

    assert code == 1
    _, rule, scenario, *_ = out.split("clean-path: ")[1].splitlines()
    assert rule.startswith("  rule: Requests are for operations of the API")
    assert scenario.startswith("  in normal: ")
    assert out.count("line 4 normal") == out.count("line 8 normal") == 1
    assert "line 3" not in out


def test_every_scenario_is_documented() -> None:
    """With what happens."""
    page = (ROOT / "docs" / "consumer.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `([a-z0-9-]+)` \| (.+) \|$", page, re.MULTILINE) == [
        (one.name, one.statement) for one in SCENARIOS.values()
    ]
