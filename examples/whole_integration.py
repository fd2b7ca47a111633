"""Run a campaign from its name to the first reply: python whole_integration.py "Q3 outreach" 120.

The number is how often it looks for a reply, every 30 seconds.
"""

import os
import sys
import time

from alta_client import AltaClient

PEOPLE = [{"email": f"person.{number}@example.com", "firstName": "Ada"} for number in range(250)]


def first_reply(client, campaign, looks, sleep):
    """Wait for the first reply in the inbox; return its sender and text, or None if there is none."""
    for look in range(looks):
        if look:
            sleep(30)
        for message in client.list_email_messages(campaign_id=campaign, type="received"):
            prospect = client.get_prospect(message["prospectId"])
            person = client.get_person(prospect["personId"])
            return f"{person.get('email')}: {message['body']}"
    return None


def main(client, name, looks, show=print, sleep=time.sleep):
    """Add everybody, read them back, opt two of them out, and wait for a reply."""
    campaign = next(one["id"] for one in client.list_campaigns() if one["name"] == name)
    client.add_prospects(campaign, PEOPLE)
    show(f"{len(list(client.list_prospects(campaign_id=campaign)))} prospects in {campaign}")
    addresses = [person["email"] for person in PEOPLE[:2]]
    client.add_communication_opt_outs([{"identifier": one, "identifierType": "email"} for one in addresses])
    listed = {one["identifier"] for one in client.list_communication_opt_outs(identifier_type="email")}
    show(f"{len(listed.intersection(addresses))} opted out; waiting for a reply")
    show(first_reply(client, campaign, looks, sleep) or "no reply yet")


if __name__ == "__main__":
    main(AltaClient(os.environ["ALTA_BASE_URL"], os.environ["ALTA_API_TOKEN"]), sys.argv[1], int(sys.argv[2]))
