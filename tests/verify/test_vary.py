"""`exec --vary` and `check_consumer(vary=...)`: which choice of the vendor's a consumer depends on."""

from __future__ import annotations

import json
import re
import sys
from runpy import run_path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from contract_tests.choices import named, pairs, single
from contract_tests.consumer.check import ConsumerBroken, check_consumer, check_varied
from contract_tests.consumer.vary_report import exit_code
from contract_tests.mutants.clients import client
from contract_tests.mutants.leaning import LEANING, PERSON, Api
from contract_tests.mutants.score import CONSUMER, examined
from mock_server.cli.main import main
from mock_server.contract.assumptions import switches
from mock_server.messages.errors import MockError
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from contract_tests.consumer.runs import Environment
    from mock_server import AltaMock

PEOPLE = [{"email": f"person.{number}@example.com"} for number in range(45)]

SEND = (
    "import os, urllib.request as u; u.urlopen(u.Request(os.environ['ALTA_BASE_URL'] + '/campaigns',"
    " headers={'Authorization': 'Bearer ' + os.environ['ALTA_API_TOKEN']})).read()"
)

Run = "Callable[..., tuple[int, str, str]]"


def ours(at: Environment) -> None:
    """Add prospects with our client."""
    client(at).add_prospects(at.campaign_id, PEOPLE)


# --- In process -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEANING)
def test_each_is_caught_by_the_choice_that_it_depends_on(name: str) -> None:
    """By no other one; the one that depends on none passes under all of them and in combinations."""
    scored = examined(CONSUMER + name)

    assert scored.right, (scored.caught, scored.trouble)
    assert {choice.partition("=")[0] for choice in scored.caught} == set(filter(None, [LEANING[name].assumption]))


def test_at_least_twenty_assumptions_have_such_a_consumer() -> None:
    """Those that it takes a consumer to notice."""
    assert len({one.assumption for one in LEANING.values()} - {""}) >= 20


def test_our_client_depends_on_nothing(alta_mock: AltaMock) -> None:
    """Under each choice and each two of them; those about limits are tried where it reaches them."""
    varied = check_consumer(alta_mock, ours, expect=PEOPLE, vary="pairs")
    tried = {name for trial in varied.trials for name in trial.reading}

    assert exit_code(varied) == 0
    assert varied.notes == []
    assert {"success-body", "window", "counted-requests", "nested-limits"} <= tried
    assert len(varied.trials) > len(single(tried))
    assert "list-order" in varied.untested


@pytest.mark.slow
def test_the_whole_integration_depends_on_nothing(alta_mock: AltaMock) -> None:
    """It finds, adds, reads back, opts out, and reads a reply that is in the seed."""
    example = SimpleNamespace(**run_path(str(ROOT / "examples" / "whole_integration.py")))

    def whole(at: Environment) -> None:
        example.main(client(at), "Q4 outreach", 1, lambda _: None)

    varied = check_consumer(alta_mock, whole, vary=True)
    assert {"list-order", "cursor-form", "page-size", "visibility"} <= {
        name for trial in varied.trials for name in trial.reading
    }


def test_what_breaks_says_what_to_change(alta_mock: AltaMock) -> None:
    """The text has the difference, the question, why it is legal, and the advice."""

    def first(at: Environment) -> None:
        api = Api(at)
        api.post(f"/campaigns/{api.get('/campaigns')['data'][0]['id']}/prospects", {"data": PEOPLE[:2]})

    with pytest.raises(ConsumerBroken) as caught:
        check_consumer(alta_mock, first, vary=True)
    text = str(caught.value)

    assert re.search(r"^list-order=newest-first +fail", text, re.MULTILINE)
    assert re.search(r"^charset=present +pass", text, re.MULTILINE)
    assert "it did not send 2 of addProspectsToCampaign, for example" in text
    assert "In which order is a list? Under list-order=newest-first: In the opposite order." in text
    assert "It is legal: No order is documented" in text
    assert "To do: Find objects by their members" in text


def test_who_looks_for_an_object_may_stop_where_it_is(alta_mock: AltaMock) -> None:
    """It reads fewer pages under another order or page size, and is right."""

    def finds(at: Environment) -> None:
        api = Api(at)
        names = [one["name"] for one in api.all("/campaigns")]
        assert next(one for one in api.all("/campaigns") if one["name"] == names[-1])
        assert next(one for one in api.all("/campaigns") if one["name"] == names[0])

    assert exit_code(check_consumer(alta_mock, finds, vary=True)) == 0


def test_a_combination_is_reported_with_as_few_choices_as_break_it() -> None:
    """A consumer that needs one of two members fails only without both."""

    def needs_one(at: Environment) -> None:
        reply = Api(at).send("GET", "/campaigns")
        if "charset" in reply.headers["Content-Type"] and "date" in dict(reply.headers.items()):
            raise ValueError("both")

    alone = check_varied(needs_one, None, assume={}, why=False)
    together = check_varied(needs_one, None, assume={}, why=False, combined=True)

    assert alone.breaking == []
    assert {named(dict(sorted(trial.reading.items()))) for trial in together.breaking} == {
        "charset=present, header-case=lower"
    }


def test_pairs_cover_each_two_choices_and_follow_the_seed() -> None:
    """Defaults are choices, too; the same seed gives the same readings."""
    names = ["list-order", "page-size", "window", "charset"]
    choices = {name: [choice.id for choice in switches()[name].choices] for name in names}
    wanted = {
        ((one, first), (other, second))
        for one in names
        for other in names
        if one < other
        for first in choices[one]
        for second in choices[other]
    }
    readings = [{**{name: ids[0] for name, ids in choices.items()}, **one} for one in pairs(3, among=names)]
    covered = {(one, other) for reading in readings for one in reading.items() for other in reading.items()}

    assert pairs(3) == pairs(3) != pairs(4)
    missing = {pair for pair in wanted - covered if any(choices[name][0] != choice for name, choice in pair)}
    # a reading with a single choice is left out, since each choice is tried alone
    assert all(sum(choices[name][0] != choice for name, choice in pair) == 1 for pair in missing)


def test_a_consumer_that_fails_already_proves_nothing(alta_mock: AltaMock) -> None:
    """The report says why."""

    def fails(at: Environment) -> None:
        Api(at).get("/campaigns")
        raise ValueError("I am broken")

    with pytest.raises(ConsumerBroken, match="fails with the choices in force already: ValueError: I am broken"):
        check_consumer(alta_mock, fails, vary=True)
    with pytest.raises(ConsumerBroken, match="sent nothing"):
        check_consumer(alta_mock, lambda _: None, vary=True)


def test_a_consumer_that_does_not_get_over_a_429_gets_a_note(alta_mock: AltaMock) -> None:
    """Choices about limits are not tried, and it is no failure."""

    def impatient(at: Environment) -> None:
        for _ in range(3):
            reply = Api(at).session.post(
                f"{at.base_url}/campaigns/{at.campaign_id}/prospects",
                json={"data": PEOPLE[:1]},
                headers={"Authorization": f"Bearer {at.token}"},
                timeout=9,
            )
            reply.raise_for_status()

    varied = check_consumer(alta_mock, impatient, vary=True)
    assert len(varied.notes) == 1
    assert "it does not get over a 429: HTTPError: 429" in varied.notes[0]
    assert {"retry-after", "limit-text"} <= set(varied.untested)


def test_a_choice_that_no_response_shows_is_not_exercised(alta_mock: AltaMock) -> None:
    """A list of one page does not show how large a page is."""

    def one_page(at: Environment) -> None:
        more: dict[str, Any] | None = {"limit": 100}
        while more:
            page = Api(at).get("/campaigns", **more)
            more = {"cursor": page["next"]} if len(page["data"]) == 100 else None

    varied = check_consumer(alta_mock, one_page, vary=True)
    verdicts = {named(trial.reading): trial.verdict for trial in varied.trials}

    assert verdicts["page-size=short"] == "not exercised"
    assert verdicts["list-order=newest-first"] == "pass"
    assert "page-size" in varied.untested


def test_what_differs_from_run_to_run_is_not_compared(alta_mock: AltaMock) -> None:
    """Ids and times of the consumer's own; the report says so."""

    def stamps(at: Environment) -> None:
        api = Api(at)
        api.post("/campaigns", {"name": f"Import {uuid4()}"})
        api.add(*({"email": f"{uuid4()}@example.com"} for _ in range(3)))

    varied = check_consumer(alta_mock, stamps, vary=True)
    assert varied.notes == ["it writes something else in every run, so only the number of its writes is compared"]
    assert varied.breaking == []


def test_what_is_expected_must_arrive(alta_mock: AltaMock) -> None:
    """Otherwise nothing is proven."""
    with pytest.raises(ConsumerBroken, match="1 of the expected prospects do not arrive with the choices in force"):
        check_consumer(alta_mock, ours, expect=[*PEOPLE, {"email": "nobody@example.com"}], vary=True)


@pytest.mark.alta(assume={"list-order": "newest-first", "charset": "present"}, rate_limit="2/3s")
def test_the_settings_of_the_fake_apply(alta_mock: AltaMock) -> None:
    """Every choice that is not in force is tried, the default too; limits that somebody chose are those of all runs."""

    def newest(at: Environment) -> None:
        api = Api(at)
        api.add(*PEOPLE[:2])
        assert "charset" in api.send("GET", "/campaigns").headers["Content-Type"]

    with pytest.raises(ConsumerBroken) as caught:
        check_consumer(alta_mock, newest, vary=True)
    varied = check_consumer(alta_mock, lambda at: [Api(at).add(PERSON) for _ in range(3)], vary=True)

    assert re.search(r"^charset=absent +fail", str(caught.value), re.MULTILINE)
    assert "charset=present" not in str(caught.value)
    assert "retry-after" not in varied.untested


@pytest.mark.parametrize(
    "arguments",
    [{"only": ["bearer-header"]}, {"vary": "bogus"}, {"transport": "pigeon"}, {"random_seed": -1}],
    ids=str,
)
def test_arguments_are_checked(alta_mock: AltaMock, arguments: dict[str, Any]) -> None:
    """Before anything runs."""
    with pytest.raises(MockError, match=r"leave them out|use True|choose responses"):
        check_consumer(alta_mock, ours, **{"vary": True, **arguments})


# --- By command -------------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command; returns exit code, output and error output."""

    def run(*words: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["exec", "--vary", *map(str, words)])
        return (int(ended.value.code or 0), *capsys.readouterr())

    return run


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_example_in_node_depends_on_nothing(run: Any, tmp_path: Path) -> None:
    """Under each choice that it meets, and in combinations."""
    people = ROOT / "examples" / "people.json"
    code, out, _ = run("pairs", "--expect", people, "--", "node", ROOT / "examples" / "add.mjs", people)

    assert code == 0, out
    assert out.splitlines()[-1] == "the consumer depends on none of them"
    assert re.search(r"^\d+ runs under other choices: \d+ pass, 0 fail, \d+ not exercised$", out, re.MULTILINE)
    assert "retry-after=date" in out
    assert tmp_path.exists()


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_alta_add_depends_on_nothing(run: Any) -> None:
    """Each run has a file of its own, since the command keeps its count beside it."""
    script = (
        "import pathlib, shutil, subprocess, sys, tempfile\n"
        "file = pathlib.Path(tempfile.mkdtemp()) / 'people.csv'\n"
        "shutil.copy(sys.argv[1], file)\n"
        "sys.exit(subprocess.run([sys.executable, '-m', 'alta_client', str(file)]).returncode)\n"
    )
    code, out, _ = run("--", sys.executable, "-c", script, ROOT / "examples" / "people.csv")

    assert code == 0, out


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_script_learns_on_what_it_depends(run: Any, tmp_path: Path) -> None:
    """In one command; the JSON report has the requests of the runs that break it."""
    script = tmp_path / "sync.py"
    script.write_text(
        "import os, requests\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['ALTA_API_TOKEN']}\n"
        "page = requests.get(os.environ['ALTA_BASE_URL'] + '/campaigns', headers=headers, timeout=9)\n"
        "assert page.headers['Content-Type'] == 'application/json', page.headers['Content-Type']\n"
    )
    code, out, _ = run("--json", tmp_path / "vary.json", "--", sys.executable, script)
    report = json.loads((tmp_path / "vary.json").read_text())
    broken = [one for one in report["readings"] if one["verdict"] == "fail"]

    assert code == 1
    assert "charset=present: it failed: AssertionError: application/json; charset=utf-8" in out
    assert "To do: Compare the media type in front of the semicolon only, in either case." in out
    assert [one["choices"] for one in broken] == [{"charset": "present"}]
    assert [request["status"] for request in broken[0]["requests"]] == [200]


@pytest.mark.slow
def test_each_run_has_a_name_for_its_files(run: Any, tmp_path: Path) -> None:
    """A program that remembers what it did begins anew in each."""
    script = (
        "import os, pathlib, sys, urllib.request\n"
        "pathlib.Path(sys.argv[1], os.environ['ALTA_MOCK_SCENARIO']).touch(exist_ok=False)\n"
        "headers = {'Authorization': 'Bearer ' + os.environ['ALTA_API_TOKEN']}\n"
        "url = os.environ['ALTA_BASE_URL'] + '/campaigns'\n"
        "urllib.request.urlopen(urllib.request.Request(url, headers=headers)).read()\n"
    )
    code, out, _ = run("--", sys.executable, "-c", script, tmp_path)

    assert code == 0, out


@pytest.mark.slow
def test_how_a_command_ended_is_reported(run: Any) -> None:
    """The signal; a command that does not end is no command that fails."""
    _, killed, _ = run("--", sys.executable, "-c", f"{SEND}; import os; os.kill(os.getpid(), 15)")
    _, endless, _ = run("--timeout", "2", "--", sys.executable, "-c", f"{SEND}; import time; time.sleep(99)")

    assert "already: it was ended by the signal SIGTERM" in killed
    assert "did not end in time, or sent more than 3000 requests, with the choices in force" in endless


@pytest.mark.parametrize("flag", ["--strict", "--consumer", "--only=bearer-header", "--fail-on=hint", "--require=200"])
def test_other_ways_to_judge_are_refused(run: Any, flag: str) -> None:
    """One line names both options."""
    code, _, err = run(flag, "--", "true")

    assert code == 2
    assert f"{flag.partition('=')[0]} cannot be combined with --vary; leave one of them out" in err


def test_a_command_without_dashes_is_no_value(run: Any) -> None:
    """The message names the values."""
    code, _, err = run("node")

    assert code == 2
    assert "'node' is not one of 'choices', 'pairs'" in err
