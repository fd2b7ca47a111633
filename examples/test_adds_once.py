"""Test that the thin client adds everybody once, despite a 429 or a lost response."""

import pytest

from alta_client import OutcomeUnknown

CAMPAIGN = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
PEOPLE = [{"email": f"person.{number}@example.com"} for number in range(45)]


def test_it_adds_everybody_once(alta_mock, alta_client):
    alta_mock.next(429, retry_after=30)

    assert alta_client.add_prospects(CAMPAIGN, PEOPLE) == 45
    assert alta_mock.prospects(CAMPAIGN) == PEOPLE


def test_it_raises_if_the_outcome_is_unknown(alta_mock, alta_client):
    alta_mock.fault("drop_after_commit")

    with pytest.raises(OutcomeUnknown) as caught:
        alta_client.add_prospects(CAMPAIGN, PEOPLE)

    assert (caught.value.added, len(caught.value.batch)) == (0, 20)
    assert len(alta_mock.requests) == 1  # the batch is not resent
