"""No output of a command shows a token of a private seed; only the banner does, as docs/security.md says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from alta_client.add.cli import main as add
from mock_server import AltaMock
from mock_server.cli.main import main
from mock_server.journal.har import har
from tests.test_cli import serving

if TYPE_CHECKING:
    from pathlib import Path

SEED = """
accounts:
  - {id: mine, name: Mine, campaigns: [{id: 6f1c1f2e-0000-4000-8000-000000000001, name: First, status: active}]}
  - {id: other, name: Other, campaigns: [{id: 6f1c1f2e-0000-4000-8000-000000000002, name: Second, status: active}]}
tokens:
  - {token: private-nobody, accounts: [mine]}
  - {token: private-ada, accounts: [mine], user: Ada}
  - {token: private-other, accounts: [other]}
"""
CAMPAIGN, FOREIGN = (f"6f1c1f2e-0000-4000-8000-00000000000{number}" for number in (1, 2))
TOKEN, CONTROL = "private-nobody", "private-control"

SEND = """
import json, os, sys, requests
url = f"{os.environ['ALTA_BASE_URL']}/campaigns/{os.environ['ALTA_CAMPAIGN_ID']}/prospects"
for token in ("private-nobody", "private-ada", "private-other"):
    for body in ({"data": [{"email": token}]}, {token: token}, {"data": [{"email": 1, token: token}]}):
        for address in (url, f"{url}?key={token}", f"{url}/{token}"):
            headers = {"Authorization": f"Bearer {token}", "X-Note": token}
            requests.post(address, json=body, headers=headers, timeout=9, allow_redirects=False)
sys.exit(f"cannot use {os.environ['ALTA_API_TOKEN']}")
"""


@pytest.fixture
def seed(tmp_path: Path) -> Path:
    """A file of a seed with private tokens."""
    file = tmp_path / "seed.yaml"
    file.write_text(SEED, encoding="utf-8")
    return file


def leaks(*texts: str, secret: str = "private-") -> list[str]:
    """Return the lines that contain a private token."""
    return [line for text in texts for line in text.splitlines() if secret in line]


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["--strict", "--fail-on", "hint", "--har", "report.har"], ["--consumer"]], ids=str)
def test_exec_shows_no_token(
    seed: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flags: list[str]
) -> None:
    """What the command itself prints is its own affair."""
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "send.py"
    script.write_text(SEND)
    words = ["exec", *flags, "--data", str(seed), "--json", "report.json", "--junit", "report.xml"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--", sys.executable, str(script), "private-nobody"])
    out, err = capfd.readouterr()
    err = err.replace("cannot use private-nobody\n", "") if "--strict" in flags else err

    assert ended.value.code == 1
    reports = [file.read_text() for file in tmp_path.glob("report.*")]
    assert "***" in "".join(reports)
    assert leaks(out, err, *reports) == []


def test_verify_shows_no_token(
    seed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the provider is wrong, and repeats what it was sent."""
    monkeypatch.chdir(tmp_path)
    words = ["--campaign-id", CAMPAIGN, "--foreign-campaign-id", FOREIGN, "--second-token", "private-ada"]
    words += ["--other-account-token", "private-other", "--json", "report.json", "--junit", "report.xml"]
    with AltaMock(data=seed, rate_limit="9/60s").serve() as server, pytest.raises(SystemExit) as ended:
        main(["verify", "--url", server.url, "--token", "private-nobody", *words, "--skip", "schemathesis"])
    reports = [file.read_text() for file in tmp_path.glob("report.*")]

    assert (ended.value.code, len(reports)) == (1, 2)
    assert leaks(*capsys.readouterr(), *reports) == []


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "json"])
def test_serve_shows_tokens_of_the_seed_in_its_banner_only(seed: Path, form: str) -> None:
    """The log shows none, and nothing shows the control token."""
    import requests  # noqa: PLC0415 - used here only

    flags = ["--data", str(seed), "--log", form]
    with serving(*flags, ALTA_MOCK_CONTROL_TOKEN=CONTROL) as server:
        origin = server.url.removesuffix("/v1")
        for token in ("private-nobody", "private-ada", CONTROL):
            headers = {"Authorization": f"Bearer {token}", "X-Note": token}
            for address in (f"{server.url}/{token}?a={token}", f"{origin}/_mock/{token}", f"{origin}/{token}"):
                requests.post(address, json={token: token}, headers=headers, timeout=9)
        texts = [requests.get(origin + path, timeout=9).text for path in ("/", "/docs", "/_mock/requests")]
        code, out, err = server.stop()

    assert code == 0
    assert CONTROL not in server.banner
    assert leaks(*out, err) == []
    assert [line for line in leaks(*texts) if CONTROL in line or "private-nobody" in line] == []


def test_other_commands_and_errors_show_no_token(seed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`spec` and `assumptions` know none; the error about a seed does not quote it."""
    seed.write_text(SEED.replace("accounts: [other]}", "accounts: [nobody]}").replace("user: Ada", "user: 1"))
    for words in (
        ["spec"],
        ["assumptions"],
        ["serve", "--data", str(seed)],
        ["exec", "--data", str(seed), "--", "true"],
    ):
        with pytest.raises(SystemExit):
            main(words)

    assert leaks(*capsys.readouterr()) == []


def test_score_shows_no_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even of mutants that put it where it does not belong; all tokens of the seed begin alike."""
    monkeypatch.chdir(tmp_path)
    mutants = "token-in-the-query,raw-token,client: sends-the-token-twice,client: repeats-the-token-in-the-query"
    with pytest.raises(SystemExit) as ended:
        main(["score", "--jobs", "1", "--only", mutants, "--json", "report.json", "--junit", "report.xml"])
    reports = [file.read_text() for file in tmp_path.glob("report.*")]

    assert (ended.value.code, len(reports)) == (0, 2)
    assert leaks(*capsys.readouterr(), *reports, secret="test-token") == []


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
def test_alta_add_shows_no_token(
    seed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Also if the server repeats it in an error; the file of the progress has none either."""
    people = tmp_path / "people.csv"
    people.write_text("email\na@example.com\n")
    mock = AltaMock(data=seed)
    mock.next(status, times=99, retry_after=0, body={"error": TOKEN, "message": f"{TOKEN} is not good"})
    monkeypatch.setenv("ALTA_API_TOKEN", TOKEN)
    with mock.serve() as server, pytest.raises(SystemExit) as ended:
        add(["--base-url", server.url, "--campaign", CAMPAIGN, str(people)])

    assert (ended.value.code == 0) == (status == 200)
    assert leaks(*capsys.readouterr(), *(file.read_text() for file in tmp_path.glob("people.csv.*"))) == []


def test_a_control_token_of_one_server_is_hidden(seed: Path) -> None:
    """Wherever a request to the API has it."""
    import requests  # noqa: PLC0415 - used here only

    mock = AltaMock(data=seed)
    with mock.serve(control_token=CONTROL) as server:
        headers = {"Authorization": f"Bearer {TOKEN}", "X-Note": CONTROL}
        for address in (f"{server.url}/{CONTROL}", f"{server.url}/campaigns?limit={CONTROL}"):
            requests.post(address, json={"data": [{CONTROL: CONTROL}]}, headers=headers, timeout=9)
        shown = requests.get(f"{server.origin}/_mock/requests", timeout=9).text

    assert "***" in shown
    assert leaks(shown, repr(mock.requests), repr(mock.findings()), har(mock.requests, server.origin)) == []
