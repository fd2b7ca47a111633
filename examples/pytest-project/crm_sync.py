"""Add the people of a CRM's export to a campaign: python crm_sync.py export.csv."""

import csv
import os
import sys
import time
from pathlib import Path

import requests

BATCH = 20
MOST_TRIES = 10
COLUMNS = {"Given name": "firstName", "Family name": "lastName", "Organisation": "company", "E-mail": "email"}


def read(file):
    """Return the prospects of an export; empty cells are left out."""
    with Path(file).open(encoding="utf-8", newline="") as lines:
        return [{COLUMNS[name]: cell for name, cell in row.items() if cell} for row in csv.DictReader(lines)]


def add(people, base_url, token, campaign, sleep=time.sleep):
    """Add people in order, batch by batch; an error stops it, and the batch is not resent."""
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {token}"
        for start in range(0, len(people), BATCH):
            batch = people[start : start + BATCH]
            add_batch(session, f"{base_url}/campaigns/{campaign}/prospects", batch, sleep)


def add_batch(session, url, batch, sleep, tries=MOST_TRIES):
    """Add a batch; after a 429, retry after the time in Retry-After."""
    reply = session.post(url, json={"data": batch}, timeout=30, allow_redirects=False)
    if reply.status_code == 429 and tries > 1:
        wait = reply.headers.get("Retry-After", "")
        sleep(int(wait) if wait.isdecimal() else 60)
        add_batch(session, url, batch, sleep, tries - 1)
    elif reply.status_code // 100 != 2:
        raise RuntimeError(f"the response was {reply.status_code}: {reply.text[:200]}")


if __name__ == "__main__":
    add(read(sys.argv[1]), *(os.environ[f"ALTA_{name}"] for name in ("BASE_URL", "API_TOKEN", "CAMPAIGN_ID")))
