"""Show that a retry after a lost response adds a batch twice: the bug to look for in your code."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry


def test_an_unconditional_retry_adds_everybody_twice(alta_mock, alta_server):
    campaign = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=Retry(total=3, allowed_methods=None)))  # also retries POST

    alta_mock.fault("drop_after_commit")  # the batch is stored, the response is lost
    session.post(
        f"{alta_server.url}/campaigns/{campaign}/prospects",
        json={"data": [{"email": "ada@example.com"}]},
        headers={"Authorization": "Bearer test-token"},
        timeout=10,
    )

    assert alta_mock.prospects(campaign) == [{"email": "ada@example.com"}] * 2
    assert [finding.name for finding in alta_mock.findings()] == ["duplicate-prospect"]
