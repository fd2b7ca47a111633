"""Every deviation comes out as it must: defects are caught, and what is right passes."""

from __future__ import annotations

import pytest

from contract_tests.defects import DEVIATIONS
from contract_tests.score import CLIENT, CORRECT, examined
from contract_tests.wrong_clients import WRONG_CLIENTS


@pytest.mark.parametrize("name", [CORRECT, *DEVIATIONS, *(CLIENT + name for name in (CORRECT, *WRONG_CLIENTS))])
def test_it_comes_out_as_it_must(name: str, exploring_seed: int | None) -> None:
    """With `--seed` also by other random choices."""
    scored = examined(name, seed=exploring_seed or 0)

    assert scored.right, f"{scored.statement} {scored.caught or scored.trouble or 'It is not caught.'}"
