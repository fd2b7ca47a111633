"""No output of a command shows a token of a private seed; only the banner does, as docs/security.md says."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from mock_server import AltaMock
from mock_server.cli.main import main
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
CONTROL = "private-control"

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


def leaks(*texts: str) -> list[str]:
    """Return the lines that contain a private token."""
    return [line for text in texts for line in text.splitlines() if "private-" in line]


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
