"""Read back: which records of a file are not in the campaign."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

from alta_client._client import AltaClient
from alta_client.add.opt_outs import OptOuts, plain
from alta_client.add.output import show
from alta_client.add.table import Table

MOST_LINES = 20
"""Maximum number of missing records that are listed."""

IDENTITIES = (("email",), ("linkedinUrl",), ("firstName", "lastName"))
"""What a person and a record have in common, any of which identifies them; a person shows no phone."""


def verify(client: AltaClient, campaign: str, table: Table, opt_outs: OptOuts) -> tuple[int, str]:
    """Read the persons of a campaign, list the records that are not among them; return their number, and a text."""
    persons = {one["personId"] for one in client.list_prospects(campaign_id=campaign)}
    present = {key for person in client.list_persons() if person["id"] in persons for key in _keys(person)}
    missing = unknown = 0
    for row in table.rows():
        keys = set(_keys(row.record))
        if row.record in opt_outs or keys & present:
            continue
        if not keys:
            unknown += 1
            continue
        missing += 1
        if missing <= MOST_LINES:
            show("", f"  {table.file}:{row.line}: {' '.join(map(str, islice(row.record.values(), 3)))[:100]}")
    text = f"{missing:,} are not in the campaign" if missing else "all were read back"
    return missing, text + (f", except {unknown:,} with only a phone, which persons do not show" if unknown else "")


def _keys(value: Mapping[str, object]) -> Iterator[tuple[str, ...]]:
    """Yield what identifies a person or a record."""
    for names in IDENTITIES:
        texts = [plain(value.get(name)) for name in names]
        if all(texts):
            yield (*names, *texts)
