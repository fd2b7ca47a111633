"""A fake over a database, behind the edge and as several processes: Schemathesis and the rules of a provider."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from contract_tests.fake import open_fake, send_valid_requests
from tests.conftest import CAMPAIGN
from tests.store.kinds import SHARED, url_of
from tests.workers import serve

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.mark.parametrize("kind", SHARED)
def test_every_operation_keeps_the_contract(tmp_path: Path, kind: str) -> None:
    """Valid requests are accepted, and their responses have the declared status and form."""
    with open_fake("in-process", "pinned", store=url_of(kind, tmp_path)) as fake:
        assert len(send_valid_requests(fake)) > 25


@pytest.mark.parametrize("kind", SHARED)
def test_four_workers_keep_the_rules(tmp_path: Path, kind: str) -> None:
    """Of adding, reading back and paging, with both limits: one worker knows what another has done."""
    operations = ("addProspectsToCampaign", "listProspects")
    words = [f"--operation={one}" for one in operations]
    with serve(url_of(kind, tmp_path), workers=4) as served:
        words += ["--url", served.url, "--token", "test-token", "--campaign-id", CAMPAIGN]
        verify = [sys.executable, "-m", "mock_server", "verify", *words]
        done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=150)

    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout
