"""Test a whole integration in a second: batches, pages, opt-outs and a reply."""

from whole_integration import PEOPLE, Alta, main


def test_from_the_name_of_a_campaign_to_a_reply(alta_mock, alta_server):
    campaign = alta_mock.create("campaign", name="Autumn outreach")["id"]  # on the third page

    def wait(seconds):
        alta_mock.clock.advance(seconds)
        prospects = alta_mock.list("prospects", campaign_id=campaign)
        if len(prospects) == len(PEOPLE):  # it waits for a reply
            alta_mock.events.email_reply(prospects[7]["id"], body="Tell me more.")

    shown = []
    main(Alta(alta_server.url, "test-token", sleep=wait), "Autumn outreach", shown.append)

    assert shown == [
        f"250 prospects in {campaign}",
        "2 opted out; waiting for a reply",
        "person.7@example.com: Tell me more.",
    ]
    assert alta_mock.prospects(campaign) == PEOPLE
    assert len(alta_mock.list("prospects", campaign_id=campaign, status="paused")) == 2
    assert [entry.status for entry in alta_mock.requests].count(429) == 1
    assert alta_mock.findings() == []
