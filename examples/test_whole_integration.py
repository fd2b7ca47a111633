"""Test a whole integration in a second: batches, pages, opt-outs and a reply; and in every scenario."""

from whole_integration import PEOPLE, main

from alta_client import AltaClient


def test_from_the_name_of_a_campaign_to_a_reply(alta_mock, alta_server):
    campaign = alta_mock.create("campaign", name="Autumn outreach")["id"]

    def wait_for_reply(seconds):
        alta_mock.clock.advance(seconds)
        prospects = alta_mock.list("prospects", campaign_id=campaign)
        alta_mock.events.email_reply(prospects[7]["id"], body="Tell me more.")

    clock, shown = alta_mock.clock, []
    client = AltaClient(alta_server.url, "test-token", sleep=clock.sleep, clock=clock.time)
    main(client, "Autumn outreach", 2, shown.append, wait_for_reply)

    assert shown == [
        f"250 prospects in {campaign}",
        "2 opted out; waiting for a reply",
        "person.7@example.com: Tell me more.",
    ]
    assert alta_mock.prospects(campaign) == PEOPLE
    assert len(alta_mock.list("prospects", campaign_id=campaign, status="paused")) == 2
    assert {entry.status for entry in alta_mock.requests} == {200}  # the client paces itself
    assert alta_mock.findings() == []


def test_it_behaves_in_every_scenario(alta_check_consumer):
    def integration(at):
        client = AltaClient(at.base_url, at.token, sleep=at.sleep, clock=at.clock)
        name = client.get_campaign(at.campaign_id)["name"]
        main(client, name, 3, lambda _: None, at.sleep)

    alta_check_consumer(integration, expect=PEOPLE, require=["reads-to-the-end", "takes-any-object"])
