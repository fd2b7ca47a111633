"""Tests of the integration with a fake: in process, over a socket, and in every scenario."""

import crm_sync
import pytest

CAMPAIGN, ANOTHER = "3c90c3cc-0d44-4b50-8888-8dd25736052a", "5b1c7d0e-93a4-4f62-8a57-2f6f0c9d1e24"
PEOPLE = [{"firstName": "Ada", "email": f"person.{number}@example.com"} for number in range(45)]


def statuses(mock):
    return [entry.status for entry in mock.requests]


def test_an_export_is_added(alta_responses, tmp_path):
    (tmp_path / "export.csv").write_text("Given name,Family name,Organisation,E-mail\nAda,,Engines,ada@example.com\n")

    people = crm_sync.read(tmp_path / "export.csv")
    crm_sync.add(people, alta_responses.base_url, "test-token", CAMPAIGN)

    assert alta_responses.prospects(CAMPAIGN) == [
        {"firstName": "Ada", "company": "Engines", "email": "ada@example.com"}
    ]


@pytest.mark.alta(rate_limit="2/60s")
def test_it_waits_out_the_limit(alta_mock, alta_server):
    crm_sync.add(PEOPLE, alta_server.url, "test-token", CAMPAIGN, sleep=alta_mock.clock.sleep)

    assert statuses(alta_mock) == [200, 200, 429, 200]
    assert alta_mock.prospects(CAMPAIGN) == PEOPLE
    assert alta_mock.findings() == []  # it neither retried early nor sent half-empty batches


@pytest.mark.alta(rate_limit="3/60s")
def test_the_quota_may_be_exhausted_at_the_start(alta_mock, alta_client):
    alta_client.add_prospects(ANOTHER, PEOPLE)  # another user of the same account

    crm_sync.add(PEOPLE, alta_mock.base_url, "test-token", CAMPAIGN, sleep=alta_mock.clock.sleep)

    assert statuses(alta_mock) == [200, 200, 200, 429, 200, 200, 200]


def test_an_error_shows_the_vendors_message(alta_responses):
    with pytest.raises(RuntimeError, match=r"404: .*Resource not found"):
        crm_sync.add(PEOPLE, alta_responses.base_url, "test-token", CAMPAIGN.replace("3c", "4c"))

    assert statuses(alta_responses) == [404]


def test_it_behaves_in_every_scenario(alta_check_consumer):
    def consumer(at):
        crm_sync.add(PEOPLE, at.base_url, at.token, at.campaign_id, sleep=at.sleep)

    alta_check_consumer(consumer, expect=PEOPLE)
