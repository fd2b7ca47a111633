"""Consumers that read: the scenarios that they get, what must pass, and how long it takes."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests import check_consumer
from contract_tests.consumer.check import check, options_of
from contract_tests.consumer.report import lines
from contract_tests.consumer.scenarios import PEOPLE, SCENARIOS
from contract_tests.mutants.clients import right_client
from contract_tests.mutants.readers import Reader, ours
from mock_server.cli.main import main
from tests.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from contract_tests.consumer.runs import Environment
    from mock_server import AltaMock

READING = {"cursors-as-given", "pages-read-once", "reads-to-the-end", "no-error-is-an-empty-list", "takes-any-object"}


def reads_with_our_client(at: Environment) -> None:
    """Add people, read every list, opt somebody out and in."""
    ours(at, PEOPLE)


def test_our_client_behaves_when_it_reads(alta_mock: AltaMock) -> None:
    """In every scenario, and every rule about reading is exercised; all take at most three seconds."""
    begun = time.process_time()
    report = check_consumer(alta_mock, reads_with_our_client, expect=PEOPLE, require=sorted(READING))

    assert list(report.runs) == list(SCENARIOS)
    assert {run.succeeded for name, run in report.runs.items() if SCENARIOS[name].reads} == {True, False}
    assert [name for name, run in report.runs.items() if SCENARIOS[name].reads and not run.succeeded] == ["cursor-400"]
    assert time.process_time() - begun < 10  # 3 s on a quiet machine


def test_a_plain_loop_behaves(alta_mock: AltaMock) -> None:
    """Of requests, without our client."""
    check_consumer(alta_mock, lambda at: Reader(limit=10)(at, PEOPLE), expect=PEOPLE, require=sorted(READING))


def test_one_that_reads_nothing_gets_no_scenario_about_it(alta_mock: AltaMock) -> None:
    """What it does when nothing happens decides."""
    report = check_consumer(alta_mock, reads_nothing, expect=PEOPLE)

    assert not any(SCENARIOS[name].reads for name in report.runs)


def reads_nothing(at: Environment) -> None:
    """Add people."""
    right_client(at, PEOPLE)


def test_lists_have_two_full_pages_where_that_matters() -> None:
    """The last page is full, and pages are short in the scenario about that."""
    report = check(lambda at: Reader()(at, PEOPLE), options_of(PEOPLE))
    sizes = {
        name: [
            len(json.loads(entry.outcome.reply.body)["data"])
            for entry in report.runs[name].entries
            if entry.method == "GET" and entry.status == 200
        ]
        for name in ("normal", "pages", "pages-short", "page-added")
    }

    assert sizes == {"normal": [50], "pages": [100, 100], "pages-short": [99, 99, 2], "page-added": [100, 100, 1]}


def test_the_report_has_the_error_of_the_consumer() -> None:
    """The last line that it said, below the breach."""

    def needs_emails(at: Environment) -> None:
        Reader(path="/companies", filters=lambda _: {}, use=lambda one: one["name"].lower())(at, PEOPLE)

    shown = "\n".join(lines(check(needs_emails, options_of(PEOPLE))))

    assert "takes-any-object" in shown.splitlines()[2]
    assert "  in pages: lists have several pages, the last one is full" in shown
    assert "it said: " in shown


NODE = """
import { readFileSync } from "node:fs";
const { ALTA_BASE_URL: base, ALTA_API_TOKEN: token, ALTA_CAMPAIGN_ID: campaign } = process.env;
const wait = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
async function send(method, path, body) {
  for (let tries = 0; tries < 5; tries++) {
    let response;
    try {
      response = await fetch(base + path, {
        method, body: body && JSON.stringify(body), redirect: "manual",
        headers: { Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) },
      });
    } catch (error) {
      if (method !== "GET") throw error;
      await wait(1);
      continue;
    }
    if (response.status === 429) {
      const header = response.headers.get("Retry-After") ?? "";
      const until = Math.ceil((Date.parse(header) - Date.now()) / 1000) || 1;
      await wait(/^\\d+$/.test(header) ? Number(header) : Math.max(1, until));
    } else if (response.status >= 500 && method === "GET") await wait(1);
    else if (response.status === 200) return method === "GET" ? response.json() : null;
    else throw new Error(`the response was ${response.status}`);
  }
  throw new Error("too many tries");
}
const people = JSON.parse(readFileSync(process.argv[2]));
for (let start = 0; start < people.length; start += 20)
  await send("POST", `/campaigns/${campaign}/prospects`, { data: people.slice(start, start + 20) });
let query = `limit=100&campaignId=${campaign}`;
while (query) {
  const page = await send("GET", `/prospects?${query}`);
  query = page.hasMore ? `cursor=${encodeURIComponent(page.next)}` : null;
}
"""


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_reader_in_node_behaves(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Plain fetch, by command."""
    (tmp_path / "read.mjs").write_text(NODE)
    people: Any = ROOT / "examples" / "people.json"
    words = ["exec", "--consumer", "--expect", people, "--", "node", tmp_path / "read.mjs", people]
    begun = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, words)))

    shown = capsys.readouterr().out
    assert ended.value.code == 0, shown
    assert f"{len(SCENARIOS)} scenarios" in shown
    assert time.monotonic() - begun < 100  # 35 s on a quiet machine
