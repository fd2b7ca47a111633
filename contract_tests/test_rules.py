"""The rules for providers, each a test: of the fake over a socket, or of the provider at `--alta-url`."""

from __future__ import annotations

import pytest

from contract_tests.provider.presentation import lines
from contract_tests.provider.results import Report
from contract_tests.provider.rules import RULES


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str, provider_report: Report, alta_url: str | None) -> None:
    """The rule is kept; with `--alta-url` a rule that lacks something is skipped with the reason."""
    result = provider_report.results[rule]
    text = "\n".join(lines(provider_report))

    assert result.verdict != "broken", text
    if alta_url is None:
        assert result.missing == ""
    elif result.verdict == "not exercised":
        pytest.skip(result.missing)


@pytest.mark.timeout(1800)
def test_something_is_proven(provider_report: Report) -> None:
    """The provider could be verified, accepted valid requests, and sent every documented status."""
    assert (provider_report.unusable, provider_report.failed) == ("", False), provider_report.stopped
    assert provider_report.unproven == []
    assert provider_report.accepted > 0
