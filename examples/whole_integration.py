"""Run a campaign from its name to the first reply: python whole_integration.py "Q3 outreach".

It uses nothing but the vendor's documentation: https://docs.altahq.com
"""

import os
import sys
import time
from email.utils import parsedate_to_datetime

import requests

BATCH = 20
PEOPLE = [{"email": f"person.{number}@example.com", "firstName": "Ada"} for number in range(250)]


def seconds_to_wait(headers):
    """Return what Retry-After says: seconds, or a date; a minute without it."""
    wait = headers.get("Retry-After", "60")
    if wait.isdigit():
        return int(wait)
    return max(0, (parsedate_to_datetime(wait) - parsedate_to_datetime(headers["Date"])).total_seconds())


class Alta:
    """The API; each request is repeated after a 429 when `Retry-After` has passed."""

    def __init__(self, base_url, token, sleep=time.sleep):
        self.base_url, self.sleep = base_url, sleep
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def send(self, method, path, **options):
        """Send a request, and return the JSON that it reads."""
        while True:
            reply = self.session.request(method, self.base_url + path, timeout=30, allow_redirects=False, **options)
            if reply.status_code != 429:
                break
            self.sleep(seconds_to_wait(reply.headers))
        if not reply.ok:
            raise RuntimeError(f"the response to {method} {path} was {reply.status_code}: {reply.text[:200]}")
        return reply.json() if method == "GET" else None  # nobody documents the body of a write's 200

    def pages(self, path, **filters):
        """Yield the objects of a list, page by page; a cursor alone continues."""
        query = {"limit": 100, **filters}
        while query:
            page = self.send("GET", path, params=query)
            yield from page["data"]
            query = {"cursor": page["next"]} if page["hasMore"] else None


def add(alta, name, people):
    """Add people to the campaign of a name, and return its id."""
    campaign = next(one["id"] for one in alta.pages("/campaigns", limit=5) if one["name"] == name)
    for start in range(0, len(people), BATCH):
        alta.send("POST", f"/campaigns/{campaign}/prospects", json={"data": people[start : start + BATCH]})
    return campaign


def opt_out(alta, people):
    """List the addresses of people as opted out; Alta pauses their prospects."""
    identifiers = [{"identifier": person["email"], "identifierType": "email"} for person in people]
    alta.send("POST", "/dnc/communication-opt-outs", json={"identifiers": identifiers})


def first_reply(alta, campaign):
    """Wait for the first reply in the inbox; return it, and the person who sent it."""
    while True:
        for message in alta.pages("/inbox/email/messages", campaignId=campaign):
            if message["type"] == "received":
                prospect = alta.send("GET", f"/prospects/{message['prospectId']}")
                return message, alta.send("GET", f"/persons/{prospect['personId']}")
        alta.sleep(30)


def main(alta, name, show=print):
    """Add everybody, read them back, opt two of them out, and wait for a reply."""
    campaign = add(alta, name, PEOPLE)
    prospects = list(alta.pages("/prospects", campaignId=campaign))
    show(f"{len(prospects)} prospects in {campaign}")
    opt_out(alta, PEOPLE[:2])
    listed = {one["identifier"] for one in alta.pages("/dnc/communication-opt-outs", identifierType="email")}
    show(f"{len(listed & {person['email'] for person in PEOPLE})} opted out; waiting for a reply")
    message, person = first_reply(alta, campaign)
    show(f"{person['email']}: {message['body']}")


if __name__ == "__main__":
    main(Alta(os.environ["ALTA_BASE_URL"], os.environ["ALTA_API_TOKEN"]), sys.argv[1])
