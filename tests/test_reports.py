"""The report files of all commands: JSON that keeps its schema, JUnit XML that a CI can show, and errors in both."""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from contract_tests.consumer import processes
from contract_tests.mutants import score
from contract_tests.provider import verification
from mock_server import AltaMock
from mock_server.cli.main import main
from tests.conftest import CAMPAIGN, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SEND = """
import os, sys, urllib.request
url = f"{os.environ['ALTA_BASE_URL']}/campaigns/{os.environ['ALTA_CAMPAIGN_ID']}/prospects"
headers = {"Authorization": "Bearer " + os.environ["ALTA_API_TOKEN"], "Content-Type": "application/json"}
urllib.request.urlopen(urllib.request.Request(url, sys.argv[1].encode(), headers))
"""
GOOD, BAD = '{"data": [{"email": "a", "first_name": "A"}]}', '{"data": []}'
EXEC = ["exec", "--strict"]
CONSUMER = ["exec", "--consumer", "--timeout", "20"]
VARY = ["exec", "--vary", "--timeout", "20"]

Reports = tuple[int, dict[str, Any], ET.Element]


@pytest.fixture
def reports(tmp_path: Path) -> Callable[..., Reports]:
    """Run a command; returns its exit code, its JSON report and its JUnit suite."""

    def reports(*words: object) -> Reports:
        files = tmp_path / "report.json", tmp_path / "report.xml"
        position = words.index("--") if "--" in words else len(words)
        flags = ["--json", files[0], "--junit", files[1]]
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in (*words[:position], *flags, *words[position:])])
        (suite,) = ET.fromstring(files[1].read_text(encoding="utf-8"))  # noqa: S314 - our own report
        return int(ended.value.code or 0), json.loads(files[0].read_text(encoding="utf-8")), suite

    return reports


def sending(body: str) -> list[str]:
    """Return a command that sends a body."""
    return ["--", sys.executable, "-c", SEND, body]


def checked(value: object) -> None:
    """Raise unless a JSON report keeps the documented schema."""
    schema = json.loads((ROOT / "docs" / "reports.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(value)


def verify(url: str, *words: str) -> list[str]:
    """Return the words of a verification of a few rules."""
    rules = "body,served,limit-of-the-account"
    return ["verify", "--url", url, "--token", "test-token", "--campaign-id", CAMPAIGN, "--only", rules, *words]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "code", "tool"),
    [
        ([*EXEC, "--require", "200", *sending(GOOD)], 0, "alta-mock exec"),
        ([*EXEC, *sending(BAD)], 1, "alta-mock exec"),
        ([*EXEC, *sending("{")], 1, "alta-mock exec"),
        ([*EXEC, "--", "true"], 3, "alta-mock exec"),
        ([*CONSUMER, *sending(BAD)], 1, "alta-mock exec --consumer"),
        ([*CONSUMER, "--", "true"], 3, "alta-mock exec --consumer"),
        ([*VARY, *sending(GOOD)], 0, "alta-mock exec --vary"),
        ([*VARY, *sending(BAD)], 3, "alta-mock exec --vary"),
        (["score", "--jobs", "1", "--only", "21-accepted,client: wants-json"], 0, "alta-mock score"),
        (
            ["score", "--jobs", "1", "--only", "21-accepted", "--without", "body,schemathesis"],
            1,
            "alta-mock score",
        ),
        (verify("http://127.0.0.1:1/v1"), 2, "alta-mock verify"),
        (["check", ROOT / "tests/traffic/docs-page.har", "--assumptions"], 0, "alta-mock check"),
        (["check", ROOT / "tests/traffic/docs-page.har", "--rate-limit", "9/60s"], 1, "alta-mock check"),
        (["exec", "--data", "/nope", "--", "true"], 2, "alta-mock exec"),
    ],
)
def test_json_keeps_its_schema(reports: Callable[..., Reports], words: list[str], code: int, tool: str) -> None:
    """Each is an object that names the command, its exit code and its seconds."""
    got, value, suite = reports(*words)

    checked(value)
    assert (got, value["exitCode"], value["tool"], suite.get("name")) == (code, code, tool, tool)
    assert float(suite.get("time", "")) == value["seconds"] >= 0
    assert {case.get("classname") for case in suite} == {tool.replace(" --", ".").replace(" ", ".")}
    assert any(case.find("failure") is not None or case.find("error") is not None for case in suite) is (code != 0)


def test_reports_of_verify(reports: Callable[..., Reports]) -> None:
    """A failure has a short message and its details as text; each rule has its own time."""
    with AltaMock(rate_limit="9/60s").serve() as server:
        code, value, suite = reports(*verify(server.url, "--only", "limit-headers"))
    checked(value)

    assert code == 1
    cases = {case.get("name", ""): case for case in suite}
    (failure,) = cases["limit-headers"].findall("failure")
    assert len(failure.get("message", "")) <= 120 < len(failure.text or "")
    assert "curl -i" in (failure.text or "")
    assert "curl -i" not in failure.get("message", "")
    assert 0 < float(cases["body"].get("time", "")) < value["seconds"]


@pytest.mark.parametrize("words", [EXEC, CONSUMER, ["score"], verify("http://127.0.0.1:1/v1")], ids=" ".join)
@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_is_one_line(
    words: list[str],
    reports: Callable[..., Reports],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    debug: bool,
) -> None:
    """It is exit code 2, and the reports say so; with ALTA_MOCK_DEBUG it is a traceback."""

    def breaks(*_: object, **__: object) -> None:
        raise KeyError("private-token")

    for name in ("cli.exec.run", "mock.AltaMock"):
        monkeypatch.setattr(f"mock_server.{name}", breaks)
    for module, name in ((processes, "play_all"), (score, "score"), (verification, "verify_target")):
        monkeypatch.setattr(module, name, breaks)
    words = [*words, *(["--", "true"] if words[0] == "exec" else [])]
    if debug:
        monkeypatch.setenv("ALTA_MOCK_DEBUG", "1")
        with pytest.raises(KeyError):
            main(words)
        return
    code, value, suite = reports(*words)
    err = capsys.readouterr().err

    assert code == value["exitCode"] == 2
    assert err.startswith("alta-mock: unexpected KeyError in test_reports.py:")
    assert "ALTA_MOCK_DEBUG=1" in err
    assert err == f"alta-mock: {value['error']}\n"
    assert "private-token" not in err
    assert suite.get("errors") == "1"
    checked(value)
