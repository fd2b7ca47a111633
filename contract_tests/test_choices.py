"""Schemathesis against the fake under every choice of the assumptions: the contract allows each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from contract_tests.choices import Reading, named, pairs, single
from contract_tests.fake import FakeUnderTest, open_fake, send_valid_requests

READINGS = [*single(), *pairs(seed=0)]


@pytest.fixture(params=READINGS, ids=[named(one) if len(one) == 1 else f"{len(one)}-at-once" for one in READINGS])
def assuming(request: pytest.FixtureRequest) -> Iterator[FakeUnderTest]:
    """A fake under other choices than the defaults."""
    reading: Reading = request.param
    with open_fake("in-process", "pinned", assume=reading) as opened:
        yield opened


def test_every_operation_keeps_the_contract(assuming: FakeUnderTest) -> None:
    """Valid requests are accepted, and their responses have the declared status and form."""
    assert len(send_valid_requests(assuming)) > 25
