"""`AltaMock`: one engine behind every transport, wired here and nowhere else."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from mock_server.config import Config
from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract, to_json
from mock_server.contract.documents import Document
from mock_server.contract.schemas import violations
from mock_server.handlers import HANDLERS
from mock_server.journal.entries import Entry, Journal, Known
from mock_server.journal.rules import Finding, Watch
from mock_server.messages.errors import MockError
from mock_server.messages.redaction import Redactor
from mock_server.pipeline.clock import Clock
from mock_server.pipeline.injection import ERRORS, Queue, injected_fault, injected_response
from mock_server.pipeline.pipeline import Outcome, Parts, answer
from mock_server.pipeline.ratelimit import Limit, RateLimiter
from mock_server.store import MemoryStore
from mock_server.store.seed import Seed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from flask import Flask

    from contract_tests.consumer.check import ConsumerReport
    from contract_tests.consumer.runs import Environment
    from mock_server.messages.http import ApiReply, ApiRequest
    from mock_server.store import Batch
    from mock_server.transports.live_server import LiveServer


class AltaMock:
    """The Alta API, in this process.

    ```python
    with AltaMock(rate_limit="10/60s") as mock, mock.serve() as server:
        requests.post(f"{server.url}/campaigns/{campaign}/prospects", ...)
        mock.clock.advance(60)
    ```

    Nothing is shared between two mocks, and every method may be called from any thread.

    Args:
        clock: The time; real time that can be advanced, unless given.
        settings: The fields of `Config`.

    Attributes:
        parts: What the road is made of; a copy with one part replaced makes a fake with one deviation.

    Raises:
        MockError: A setting, or a file that one names, cannot be used.
    """

    def __init__(self, *, clock: Clock | None = None, **settings: Any) -> None:
        self.config = _config(settings)
        self.clock = clock or Clock()
        self.contract = Contract.load(_path(self.config.openapi), _path(self.config.overlay))
        self.seed = Seed.load(_path(self.config.data))
        self.redact = Redactor(self.seed.tokens)
        self.parts = Parts(
            contract=self.contract,
            tokens=self.seed.tokens,
            limiter=RateLimiter(),
            limits=_limits(self.contract, self.config),
            bound=_bound(self.seed),
            queue=Queue(),
            store=MemoryStore(),
            handlers=HANDLERS,
            recorded=_recorded(self.contract, _path(self.config.data)),
            redact=self.redact,
            why=self.config.why,
        )
        campaigns = {one.id: [campaign.id for campaign in one.campaigns] for one in self.seed.accounts}
        files = {name: getattr(self.config, name) for name in ("data", "openapi", "overlay")}
        named = {name: os.fspath(file) for name, file in files.items() if file is not None}
        self.journal = Journal(Known(self.contract, self.redact, campaigns, named))
        self._watch = Watch(self.journal)
        self.reset()

    def __enter__(self) -> Self:
        """Return the mock itself: it holds nothing that must be released."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Do nothing; a server that was started ends with its own `with`."""

    @property
    def documented(self) -> list[int]:
        """The statuses that the contract documents, for any operation."""
        return sorted({status for operation in self.contract.operations for status in operation.responses})

    @property
    def base_url(self) -> str:
        """The vendor's own base URL, which `responses` answers at."""
        return self.contract.server

    def answer(self, request: ApiRequest) -> ApiReply:
        """Answer one request, as every transport does."""
        return self.handle(request).reply

    def handle(self, request: ApiRequest, transport: str = "python") -> Outcome:
        """Answer one request, and tell how the answer came about; `transport` is what the journal calls its way in."""
        outcome = answer(request, self.parts, self.clock.time_ns())
        self.journal.add(transport, request, outcome)
        return outcome

    def next(  # noqa: PLR0913 - the first says what, the others how
        self,
        status: int,
        *,
        times: int = 1,
        retry_after: float | str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        allow_undocumented: bool = False,
    ) -> None:
        """Answer the next requests with a status: `next(429, times=2)` is 429 twice, then normal.

        It is taken by requests with a valid token within the quota, of whatever account, and nothing of them is
        carried out.

        Args:
            status: A status that the contract documents.
            times: How many requests.
            retry_after: Seconds or an HTTP date, in place of what the window has left.
            body: A JSON value in place of the contract's example.
            headers: Headers of the answer, in place of its own of the same names; an empty text is for none. With a
                Content-Type that is not JSON a body that is a text is sent as it is.
            allow_undocumented: Whether any other status from 200 to 599 will do.

        Raises:
            MockError: The status is not documented, or a number is out of bounds.
        """
        self.parts.queue.put(
            injected_response(
                status,
                self.documented,
                times=times,
                retry_after=retry_after,
                body=body,
                headers=headers,
                allow_undocumented=allow_undocumented,
            )
        )

    def fault(self, name: str, *, times: int = 1, seconds: float = 1.0) -> None:
        """Make the next requests suffer a fault below HTTP.

        Args:
            name: `delay`, `reset`, `truncate`, `malformed_json`, `html_502` or `drop_after_commit`.
            times: How many requests.
            seconds: How late a delayed answer comes.

        Raises:
            MockError: There is no such fault, or a number is out of bounds.
        """
        self.parts.queue.put(injected_fault(name, times=times, seconds=seconds))

    @property
    def requests(self) -> list[Entry]:
        """What was asked and answered, oldest first; `repr` shows what each request broke."""
        return self.journal.entries()

    def findings(self) -> list[Finding]:
        """Return what the traffic says about the consumer, beyond the contract."""
        return self._watch.findings()

    def check_consumer(  # noqa: PLR0913 - the first is who, the others say how
        self,
        consumer: Callable[[Environment], object],
        *,
        expect: Sequence[Mapping[str, Any]] | None = None,
        require: Sequence[str] = (),
        only: Sequence[str] = (),
        skip: Sequence[str] = (),
        transport: str = "responses",
    ) -> ConsumerReport:
        """Let a consumer meet every scenario, each on a fake of its own like this one, and judge how it behaves.

        Args:
            consumer: Is given its environment (`base_url`, `token`, `campaign_id`, `sleep`, `clock`), adds its
                prospects, and raises or returns False if that fails.
            expect: The prospects that it is to add, in order.
            require: Rules that must have been put to the test.
            only: Rules to judge by; empty for all.
            skip: Rules to leave out.
            transport: `responses`, for consumers that use `requests`, or `socket`, for all others.

        Raises:
            AssertionError: It breaks a rule, or nothing is proven; the text is the whole report.
            MockError: There is no such rule, or the extra `verify` is not installed.
        """
        try:
            from contract_tests.consumer import check as consumers  # noqa: PLC0415 - only those who check need the libraries
        except ImportError as error:
            raise MockError(f"check_consumer needs {error.name}: pip install 'alta-mock[verify]'") from error
        options = consumers.options_of(expect, require, only, skip)
        files = {name: getattr(self.config, name) for name in ("data", "openapi", "overlay", "why")}
        report = consumers.check(consumer, options, transport=transport, **files)
        if report.exit_code:
            raise consumers.ConsumerBroken("\n" + "\n".join(report.lines()))
        return report

    def responses(self) -> AbstractContextManager[Any]:
        """Return a context in which `requests` is answered here, at `base_url`, without a socket.

        Raises:
            MockError: The library `responses` is not installed.
        """
        from mock_server.transports.responses import patched  # noqa: PLC0415 - only those who use it need the library

        return patched(self)

    def serve(self, host: str = "127.0.0.1", port: int = 0, control_token: str | None = None) -> LiveServer:
        """Return a server on a real socket, in a thread, to be used as a context manager.

        Args:
            host: An address of this machine; another than a loopback address needs a control token.
            port: 0 is any free one.
            control_token: What other machines must send to use the control API.

        Raises:
            MockError: When it is entered: the address cannot be used.
        """
        from mock_server.transports.live_server import LiveServer  # noqa: PLC0415 - only those who serve pay for the import

        return LiveServer(self, host, port, control_token)

    @cached_property
    def app(self) -> Flask:
        """The fake as a WSGI application, for any client that can call one."""
        from mock_server.transports.wsgi import create_app  # noqa: PLC0415 - Flask is imported for those who ask for it

        return create_app(self)

    def prospects(self, campaign_id: str, last: int | None = None) -> list[dict[str, Any]]:
        """Return the prospects of a campaign, as sent, in the order they came; with `last` only so many, the newest.

        Raises:
            MockError: No account has such a campaign.
        """
        for account in self.seed.accounts:
            if any(campaign.id == campaign_id.lower() for campaign in account.campaigns):
                batches = self.parts.store.batches(account.id, "prospect", campaign_id.lower())
                return _newest(batches, last)
        known = ", ".join(campaign.id for account in self.seed.accounts for campaign in account.campaigns)
        raise MockError(f"there is no campaign {campaign_id!r}; there are {known}")

    def campaigns(self) -> list[dict[str, Any]]:
        """Return the campaigns of all accounts, in the order of the seed, with the number of their prospects."""
        return [
            {
                "account": account.id,
                "id": campaign.id,
                "name": campaign.name,
                "status": campaign.status,
                "isArchived": campaign.is_archived,
                "answer": campaign.answer,
                "prospects": sum(one.size for one in self.parts.store.batches(account.id, "prospect", campaign.id)),
            }
            for account in self.seed.accounts
            for campaign in account.campaigns
        ]

    def quotas(self) -> list[dict[str, Any]]:
        """Return what is left of every limit of every account, and the seconds until its window ends."""
        at = self.clock.time_ns()
        limits = {pair for pairs in self.parts.limits.values() for pair in pairs}
        ordered = sorted(limits, key=lambda pair: (pair[0] != "account", pair[0]))
        found = []
        for account in self.seed.accounts:
            for name, limit in ordered:
                remaining, reset = self.parts.limiter.look(account.id, name, limit, at)
                quota = {"account": account.id, "name": name, "limit": str(limit)}
                found.append({**quota, "remaining": remaining, "reset": reset})
        return found

    def reset(self) -> None:
        """Go back to the seed: no prospects, whole quotas, nothing injected, an empty journal. The clock goes on."""
        self.journal.clear()
        self.parts.store.reset(
            {(one.id, "campaign", campaign.id): campaign for one in self.seed.accounts for campaign in one.campaigns}
        )
        self.parts.limiter.clear()
        self.parts.queue.clear()


def _newest(batches: Sequence[Batch], last: int | None) -> list[dict[str, Any]]:
    """Return the records of batches, or the last of them, without reading the others."""
    found: list[list[Any]] = []
    left = sum(batch.size for batch in batches) if last is None else last
    for batch in reversed(batches):
        if left <= 0:
            break
        found.append(batch.records()[-left:])
        left -= batch.size
    return [record for records in reversed(found) for record in records]


def _config(settings: dict[str, Any]) -> Config:
    known = ", ".join(one.name for one in fields(Config))
    for name, value in settings.items():
        if name not in {one.name for one in fields(Config)}:
            raise MockError(f"there is no setting {name!r}; there are clock, {known}")
        wanted = bool if name == "why" else (str, os.PathLike, type(None))
        if not isinstance(value, wanted):
            raise MockError(f"{name}={value!r} is not possible; give {'True or False' if name == 'why' else 'a text'}")
    return Config(**settings)


def _path(name: Any) -> Path | None:
    return None if name is None else Path(name)


def _limits(contract: Contract, config: Config) -> Mapping[str, Sequence[tuple[str, Limit]]]:
    whole = contract.limit if config.account_rate_limit is None else Limit.parse(config.account_rate_limit)
    given = None if config.rate_limit is None else Limit.parse(config.rate_limit)
    limits = {}
    for operation in contract.operations:
        own = operation.limit if config.rate_limit is None or operation.limit is None else given
        pairs = (("account", whole), (operation.id, own))
        limits[operation.id] = [(name, limit) for name, limit in pairs if limit]
    return limits


def _bound(seed: Seed) -> Mapping[tuple[str, str], int]:
    bound = {
        (account.id, campaign.id): campaign.answer
        for account in seed.accounts
        for campaign in account.campaigns
        if campaign.answer is not None
    }
    for (_, campaign_id), status in bound.items():
        if status not in ERRORS:
            known = ", ".join(map(str, ERRORS))
            raise MockError(f"campaign {campaign_id} cannot be bound to the answer {status}; there are {known}")
    return bound


def _recorded(contract: Contract, data: Path | None) -> Mapping[str, bytes]:
    """Read the answers beside the seed file, else the bundled ones; `{}` where there is none."""
    beside = data.parent / "responses" if data else None
    folder = beside if beside and beside.is_dir() else bundled_files.data("fixtures/responses")
    recorded = {}
    for operation in contract.operations:
        file = folder / f"{operation.id}.json"
        value = _json_of(file) if file.exists() else {}
        schema = operation.responses.get(200)
        wrong = violations(schema, value) if schema else []
        if wrong and file.exists():
            raise MockError(f"{file}: this answer breaks the contract: {wrong[0]}")
        recorded[operation.id] = to_json(value)
    return recorded


def _json_of(file: Path) -> Any:
    value = Document.read(file).value
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise MockError(f"{file}: this answer is no JSON: {error}") from error
    return value
