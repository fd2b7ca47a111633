"""Test in milliseconds that your code waits after a 429."""

import requests


def add(base_url, campaign, prospects, sleep):
    """Your code: add prospects, and retry after the time in Retry-After."""
    while True:
        reply = requests.post(
            f"{base_url}/campaigns/{campaign}/prospects",
            json={"data": prospects},
            headers={"Authorization": "Bearer test-token"},
            timeout=10,
        )
        if reply.status_code != 429:
            return reply
        sleep(int(reply.headers["Retry-After"]))


def test_it_waits_out_a_429(alta_mock, alta_server):
    campaign = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    alta_mock.next(429, times=2, retry_after=30)

    reply = add(alta_server.url, campaign, [{"email": "ada@example.com"}], sleep=alta_mock.clock.sleep)

    assert reply.status_code == 200
    assert [entry.status for entry in alta_mock.requests] == [429, 429, 200]
    assert "waits-for-retry-after" not in {finding.name for finding in alta_mock.findings()}
