"""Checks files of recorded traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from alta_terminal import StatusLine
from contract_tests.provider.documented import documented
from contract_tests.traffic import observers as _observers  # noqa: F401 - it registers them
from contract_tests.traffic.captured import Captured, captured
from contract_tests.traffic.check import Check, Limits
from contract_tests.traffic.evidence import Observers
from contract_tests.traffic.files import records
from contract_tests.traffic.order import merged
from contract_tests.traffic.results import Result
from contract_tests.traffic.scope import Scope
from mock_server.contract.assumptions import switches
from mock_server.contract.limits import Limit
from mock_server.messages.errors import MockError


def check(  # noqa: PLR0913 - the options of the command
    files: Sequence[str],
    base_urls: Sequence[str] = (),
    rate_limit: str = "10/60s",
    account_rate_limit: str = "100/60s",
    *,
    observing: bool = True,
    line: StatusLine | None = None,
) -> Result:
    """Check files; with `observing`, also what they say about the open questions.

    Raises:
        MockError: A file cannot be read, or no file has a request to the API.
    """
    result = Result(files)

    def read(name: str) -> Iterator[Captured]:
        for number, record in enumerate(records(name), 1):
            if line:
                line.show(f"{name}: {number:,} entries, {result.requests:,} to the API")
            yield captured(name, number, record)

    limits = Limits(Limit.parse(rate_limit), Limit.parse(account_rate_limit))
    observers = Observers(switches().values()) if observing else None
    checking = Check(Scope(documented(), base_urls), limits, result, observers)
    try:
        checking.run(merged(read(name) for name in files))
    except KeyboardInterrupt:
        result.interrupted = True
        checking.end()
    if not result.requests and not result.interrupted:
        raise MockError(_nothing(result))
    return result


def _nothing(result: Result) -> str:
    names = ", ".join(result.files)
    if not result.origins:
        count = result.notes.total()
        records = f"{count:,} record{'s' * (count != 1)}, and no request to judge" if count else "no requests"
        return f"{names}: {records} in it; record again, or export all requests"
    hosts = ", ".join(f"{origin} ({count:,})" for origin, count in result.origins.most_common(5))
    return f"{names}: no request to the API; it has requests to {hosts}; name the API with --base-url https://HOST/v1"
