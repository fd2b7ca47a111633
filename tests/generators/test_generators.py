"""What other tools make of the contract.

A client that is generated from it adds a prospect by email alone, and reads a 400; a linter finds nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mock_server import AltaMock
from mock_server.contract.contract import Contract
from tests.conftest import CAMPAIGN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mock_server.transports.live_server import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]  # compilers, on a busy machine

PACKAGES = Path(__file__).parent / "node_modules"
MISSING = "the packages are missing: make test, or npm ci in tests/generators"

REDOCLY = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}
"""Keeps Redocly from the network."""

PYTHON = """
import sys
from uuid import UUID
from alta_api_client import AuthenticatedClient
from alta_api_client.api.campaigns import add_prospects_to_campaign
from alta_api_client.models import AddProspectsToCampaignRequest, ProspectRecord

for record in (ProspectRecord(email="ada@example.com"), ProspectRecord(first_name="Ada")):
    reply = add_prospects_to_campaign.sync_detailed(
        UUID(sys.argv[2]),
        client=AuthenticatedClient(sys.argv[1], "test-token"),
        body=AddProspectsToCampaignRequest(data=[record]),
    )
    print(reply.status_code.value, getattr(reply.parsed, "message", reply.parsed))
"""

TYPESCRIPT = """
import { addProspectsToCampaign, type ProspectRecord } from './client';
import { client } from './client/client.gen';

declare const process: { argv: string[] };
const [baseUrl, campaignId] = process.argv.slice(2) as [string, string];
client.setConfig({ baseUrl, auth: 'test-token' });

async function add(...data: ProspectRecord[]) {
  const { data: added, error, response } = await addProspectsToCampaign({ path: { campaignId }, body: { data } });
  console.log(response?.status, error ? error.message : JSON.stringify(added));
}

void add({ email: 'ada@example.com' }).then(() => add({ firstName: 'Ada' }));
"""


def run(folder: Path, *words: str | Path) -> str:
    """Run a command in a folder, and return its output."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the effective contract."""
    (tmp_path / "alta.json").write_text(json.dumps(Contract.load().document), encoding="utf-8")
    return tmp_path


@pytest.fixture
def server() -> Iterator[LiveServer]:
    """A fake on a socket."""
    with AltaMock().serve() as server:
        yield server


def test_openapi_python_client(folder: Path, server: LiveServer) -> None:
    """A record has all its fields, none is required."""
    words = ["--path", "alta.json", "--meta", "none", "--output-path", "alta_api_client"]
    run(folder, sys.executable, "-m", "openapi_python_client", "generate", *words)

    said = run(folder, sys.executable, "-c", PYTHON, server.url, CAMPAIGN)
    assert said.splitlines() == ["200 {}", "400 Invalid request body"]


def test_hey_api(folder: Path, server: LiveServer) -> None:
    """The generated types compile, and none of the fields is required."""
    assert PACKAGES.is_dir(), MISSING
    (folder / "main.ts").write_text(TYPESCRIPT, encoding="utf-8")
    run(folder, PACKAGES / ".bin/openapi-ts", "--input", "alta.json", "--output", "client")
    options = ["--strict", "--skipLibCheck", "--module", "commonjs", "--target", "es2022"]
    run(folder, PACKAGES / ".bin/tsc", *options, "--outDir", "build", "main.ts")

    assert run(folder, "node", "build/main.js", server.url, CAMPAIGN).splitlines() == [
        "200 {}",
        "400 Invalid request body",
    ]


@pytest.mark.parametrize("document", ["alta.json", "published"])
def test_redocly(folder: Path, monkeypatch: pytest.MonkeyPatch, document: str) -> None:
    """Neither the effective contract nor the published document breaks a rule that `redocly.yaml` leaves on."""
    assert PACKAGES.is_dir(), MISSING
    for name, value in REDOCLY.items():
        monkeypatch.setenv(name, value)

    words = ["lint", document, f"--config={PACKAGES.parent / 'redocly.yaml'}", "--format=json"]
    assert json.loads(run(folder, PACKAGES / ".bin/redocly", *words))["problems"] == []


def test_the_example_of_a_path_parameter_is_in_the_seed() -> None:
    """Tools that send examples get a 200."""
    operations = [one for path in Contract.load().document["paths"].values() for one in path.values()]
    parameters = [parameter for one in operations for parameter in one.get("parameters", ()) if "in" in parameter]
    examples = {parameter["example"] for parameter in parameters if parameter["in"] == "path"}

    assert len(examples) == 8
    assert examples <= {value["id"] for _, _, value in AltaMock().seed.objects()}
