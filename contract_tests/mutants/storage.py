"""Mutants of what is stored."""

from __future__ import annotations

import json
from functools import partial

from contract_tests.fake import CAMPAIGN
from contract_tests.mutants.bench import SERVERS, Bench, mutant, register
from contract_tests.provider.probes import FIELDS
from contract_tests.sources import ADD
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.store.base import Batch

add = partial(register, SERVERS, Bench.on_stored)
add("loses-the-last", "Nineteen of twenty prospects are stored.", lambda records: records[:19])
add("stores-twice", "Everything is stored twice.", lambda records: records * 2)
add("reverses", "Prospects are stored in reverse order.", lambda records: records[::-1])
add(
    "rounds-numbers",
    "Long numbers are rounded.",
    lambda records: [{**r, "n": float(r["n"])} if isinstance(r.get("n"), int) else r for r in records],
)
add(
    "drops-undeclared",
    "Undeclared fields are not stored.",
    lambda records: [{name: v for name, v in record.items() if name in FIELDS} for record in records],
)
add(
    "trims-names",
    "Names are changed before they are stored.",
    lambda records: [{**record, "firstName": str(record.get("firstName")).upper()} for record in records],
)


@mutant(ADD)
def stores_what_it_refuses(bench: Bench) -> None:
    """The valid records of a refused batch are stored."""

    def storing(request: ApiRequest, reply: ApiReply) -> ApiReply:
        if reply.status == 400 and (request.body or b"").count(b"@") > 10:
            records = [record for record in json.loads(request.body or b"")["data"] if record.get("email")]
            batch = Batch(json.dumps({"data": records}).encode(), "data", len(records))
            with bench.mock.store.transaction("acme") as transaction:
                transaction.submit(CAMPAIGN, batch)
        return reply

    bench.on_reply(storing)
