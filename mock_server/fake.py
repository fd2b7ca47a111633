"""The fake behind every transport: its parts, and what a test, the control API and the pages ask of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mock_server.config import FILES, Config
from mock_server.contract import assumptions
from mock_server.contract.assumptions import Choices
from mock_server.contract.contract import Contract
from mock_server.handlers import HANDLERS, ROLES, SAMPLE, campaigns, dnc
from mock_server.handlers.events import Events
from mock_server.journal.entries import Entry, Journal, Known
from mock_server.messages.errors import MockError, UnknownObject
from mock_server.messages.http import ApiReply, ApiRequest
from mock_server.messages.injected import Injected
from mock_server.messages.outcome import Outcome
from mock_server.pipeline import ratelimit
from mock_server.pipeline.clock import Clock
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import injected_fault, injected_response
from mock_server.pipeline.pipeline import Engine, answer
from mock_server.pipeline.ratelimit import Limits
from mock_server.state import Objects, Search, camel
from mock_server.wiring import contract_under, wire

if TYPE_CHECKING:
    from mock_server.journal.findings import Finding, Watch

MOST_INJECTED = 16 * 1024 * 1024
"""Bytes of injected responses that wait for a request."""


class Fake:
    """The Alta API in this process, without the transports of `AltaMock`.

    Fakes share nothing, and every method may be called from any thread.

    Args:
        clock: The time; by default real time that can be advanced.
        hooks: What replaces parts of the pipeline, for a fake that deviates.
        settings: The fields of `Config`.

    Attributes:
        events: What the vendor does by itself, or other people do: `mock.events.email_reply(prospect_id)`.
        objects: The objects of every account, by the vendor's names of their members.
        store: Where its state is kept; change it in transactions.

    Raises:
        MockError: A setting, or a file that one names, cannot be used.
    """

    def __init__(self, *, clock: Clock | None = None, hooks: Hooks | None = None, **settings: Any) -> None:
        hooks = hooks or Hooks()
        self.config = Config.of(settings)
        self._wired = wire(self.config, hooks)
        self._chosen: Mapping[str, str] = {}
        self.seed, self.redact, self.store = self._wired.seed, self._wired.redact, self._wired.store
        self.store.seed(self.seed.objects())
        self.clock = clock or Clock()
        self.clock.keep_offset_in(self.store)
        self._handle = hooks.around(self._process)
        files = {name: getattr(self.config, name) for name in FILES}
        named = {name: os.fspath(file) for name, file in files.items() if file is not None}
        ids = {account.id: [value["id"] for _, value in account.objects] for account in self.seed.accounts}
        opted_out = {one.id: dnc.identifiers(one.objects) for one in self.seed.accounts}
        self.journal = Journal(self.store, Known(self.contract, self.redact, ids, named, ROLES, opted_out))
        self.objects = Objects(lambda: self._engine, self.clock)
        self.events = Events(self.objects.trigger)

    @property
    def _engine(self) -> Engine:
        """The parts of the pipeline under the choices of this moment."""
        chosen = self.store.choices()
        if chosen != self._chosen:
            self._wired, self._chosen = self._under(chosen), chosen
        return self._wired

    def _under(self, chosen: Mapping[str, str]) -> Engine:
        """Return the parts of the pipeline under choices in place of the settings."""
        choices = assumptions.checked({**self.config.assume, **chosen})
        contract = contract_under(choices, self.config, self._wired.hooks)
        return replace(self._wired, contract=contract, choices=Choices(choices))

    @property
    def contract(self) -> Contract:
        """The effective contract under the choices of this moment."""
        return self._engine.contract

    @property
    def choices(self) -> Choices:
        """What is assumed where the vendor's documentation leaves a question open, and which questions came up."""
        return self._engine.choices

    def assume(self, choices: Mapping[str, str]) -> None:
        """Assume other choices from now on, until the next reset: `mock.assume({"list-order": "newest-first"})`.

        Raises:
            MockError: An assumption or a choice is unknown, or the documents do not allow it.
        """
        if not isinstance(choices, Mapping):
            raise MockError(f'{choices!r} is not a mapping of choices; write {{"list-order": "newest-first"}}')
        chosen = {**self.store.choices(), **assumptions.checked(choices, keep_defaults=True)}
        self._under(chosen)  # what the documents do not allow is refused here, not by the next request
        self.store.choose(chosen)

    @property
    def documented(self) -> list[int]:
        """The statuses that the contract documents, for any operation."""
        return sorted({status for operation in self.contract.operations for status in operation.responses})

    @property
    def limits(self) -> Mapping[str, Limits]:
        """The limits of each operation, by `operationId`: pairs of a name and a limit, widest first."""
        return self._engine.limits

    @property
    def base_url(self) -> str:
        """The vendor's base URL, which `responses` answers."""
        return self.contract.server

    def answer(self, request: ApiRequest) -> ApiReply:
        """Return the response to one request."""
        return self.handle(request).reply

    def handle(self, request: ApiRequest, transport: str = "python") -> Outcome:
        """Answer one request, and return how the response came about; the journal names the transport."""
        return self._handle(request, transport)

    def next(  # noqa: PLR0913 - the first says what, the others how
        self,
        status: int,
        *,
        times: int = 1,
        operation: str | None = None,
        retry_after: float | timedelta | str | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        allow_undocumented: bool = False,
    ) -> None:
        """Inject a status into the next requests: `next(429, times=2)` is 429 twice, then normal.

        It is taken by requests with a valid token within the quota, of any account, which are not carried out.

        Args:
            status: A status that the contract documents.
            times: For how many requests.
            operation: The `operationId` of the requests that it is for; by default any.
            retry_after: Seconds or an HTTP date, in place of the time left in the window.
            body: A JSON value in place of the contract's example.
            headers: Headers of the response, in place of those with the same names; an empty value removes one. With
                a Content-Type other than JSON, a text body is sent as it is.
            allow_undocumented: Whether any other status from 200 to 599 is allowed.

        Raises:
            MockError: The status is not documented, or a value is out of bounds.
        """
        injected = injected_response(
            status,
            self.documented,
            times=times,
            retry_after=retry_after,
            body=body,
            headers=headers,
            allow_undocumented=allow_undocumented,
        )
        self._inject(injected, operation)

    def fault(
        self, name: str, *, times: int = 1, operation: str | None = None, seconds: float | timedelta = 1.0
    ) -> None:
        """Inject a fault below HTTP into the next requests.

        Args:
            name: `delay`, `connection_reset`, `truncate`, `malformed_json`, `html_502` or `drop_after_commit`.
            times: For how many requests.
            operation: The `operationId` of the requests that it is for; by default any.
            seconds: Delay of the response.

        Raises:
            MockError: The fault is unknown, or a value is out of bounds.
        """
        self._inject(injected_fault(name, times=times, seconds=seconds), operation)

    def injected(self) -> Sequence[Injected]:
        """Return the responses and faults that no request has taken yet, first to come first."""
        with self.store.transaction() as transaction:
            return transaction.injected()

    def clear_injected(self) -> None:
        """Remove the responses and faults that no request has taken yet."""
        with self.store.transaction() as transaction:
            transaction.clear_injected()

    @property
    def requests(self) -> list[Entry]:
        """The recorded requests, oldest first; `repr` shows what each request broke."""
        return self.journal.entries()

    def findings(self) -> list[Finding]:
        """Return what the traffic shows about the consumer, beyond the contract."""
        return self._watch.findings()

    @cached_property
    def _watch(self) -> Watch:
        from mock_server.journal.findings import Watch  # noqa: PLC0415 - the rules are imported when they are used

        return Watch(self.journal)

    def default_credentials(self) -> tuple[str, str] | None:
        """Return a token and the id of an object for a consumer that sends the sample request; None without them.

        The first of each that fit together: a valid token with the permission, of a user of one account, and an object
        of that account that is not bound to a status.
        """
        permission = HANDLERS[SAMPLE.operation].permission
        for token in self.seed.tokens.values():
            if token.expired or len(token.accounts) != 1 or permission not in token.permissions:
                continue
            for account, kind, value in self.seed.objects():
                if (
                    (account,) == token.accounts
                    and kind == SAMPLE.kind
                    and (account, value["id"]) not in self.seed.bound
                ):
                    return token.token, value["id"]
        return None

    def required_credentials(self) -> tuple[str, str]:
        """Return the default credentials.

        Raises:
            MockError: There are none.
        """
        credentials = self.default_credentials()
        if credentials is None:
            raise MockError(
                f"the seed has no token that may send {SAMPLE.operation}, or no {SAMPLE.kind} for it; add them"
            )
        return credentials

    def prospects(self, campaign_id: str, last: int | None = None) -> list[dict[str, Any]]:
        """Return the prospects of a campaign, as sent, in order; with `last`, only that many of the newest.

        Raises:
            UnknownObject: No account has the campaign.
        """
        known = []
        for account in self.seed.accounts:
            with self.store.transaction(account.id) as transaction:
                if transaction.get(campaigns.KIND, campaign_id.lower()):
                    return campaigns.prospects(transaction, campaign_id.lower(), last)
                known += [campaign["id"] for campaign in transaction.objects(campaigns.KIND)]
        raise UnknownObject(f"unknown campaign {campaign_id!r}; choose one of {', '.join(known)}")

    def create(self, kind: str, account: str | None = None, **members: Any) -> dict[str, Any]:
        """Make an object, and return it: `mock.create("call", prospect_id=..., call_type="inbound")`.

        Args:
            kind: As of `list`.
            account: Id of the account; by default that of the first object that the new one refers to, else the first.
            members: Its members, in snake case (`from_` for `from`); required ones are filled in.

        Raises:
            MockError: The kind, the account or an object that it refers to is unknown, the id is taken, or the object
                would break the contract.
        """
        return self.objects.create(kind, {camel(name): value for name, value in members.items()}, account)

    def campaigns(self) -> list[dict[str, Any]]:
        """Return the campaigns of all accounts, in order, each with its account and the number of its prospects."""
        found = []
        for account in self.seed.accounts:
            with self.objects.context(account.id) as context:
                for campaign in campaigns.summaries(context.transaction):
                    bound = self.seed.bound.get((account.id, campaign["id"]))
                    found.append({"account": account.id, **campaign, "answer": bound})
        return found

    def quotas(self) -> list[dict[str, Any]]:
        """Return what is left of every limit of every account, and the seconds until its window ends."""
        now, windows = self.clock.time_ns(), self.choices[ratelimit.WINDOW]
        limits = {pair for pairs in self.limits.values() for pair in pairs}
        found = []
        for account in self.seed.accounts:
            with self.store.transaction(account.id) as transaction:
                for name, limit in sorted(limits, key=lambda pair: (pair[0] != "account", pair[0])):
                    remaining, reset = ratelimit.look(transaction, name, limit, now, windows)
                    quota = {"account": account.id, "name": name, "limit": str(limit)}
                    found.append({**quota, "remaining": remaining, "reset": reset})
        return found

    def reset(self) -> None:
        """Return to the seed: no prospects, full quotas, nothing injected, an empty journal, the clock at real time."""
        self.store.reset(self.seed.objects())

    def list(self, kind: str, **where: str) -> list[dict[str, Any]]:
        """Return the objects of a kind, of all accounts: `mock.list("prospects", campaign_id=...)`.

        They are in order of creation, with the members that the API does not show, such as a prospect's `status`.

        Args:
            kind: `campaigns`, `prospects`, `persons`, `companies`, `reps`, `calls`, `email_messages`,
                `linkedin_messages` or `opt_outs`; or an `objectType`.
            where: Texts that members of the same names, in snake case, must equal.

        Raises:
            MockError: The kind is unknown.
        """
        return self.objects.list(kind, Search({camel(name): value for name, value in where.items()}))

    def _process(self, request: ApiRequest, transport: str) -> Outcome:
        return answer(request, lambda: self._engine, self.clock, transport)

    def _inject(self, injected: Injected, operation: str | None) -> None:
        known = [one.id for one in self.contract.operations]
        if operation not in {None, *known}:
            raise MockError(f"unknown operation {operation!r}; choose one of {', '.join(known)}")
        injected = replace(injected, operation=operation)
        with self.store.transaction() as transaction:
            if sum(one.size for one in transaction.injected()) + injected.size > MOST_INJECTED:
                text = f"the injected responses that wait would occupy more than {MOST_INJECTED} bytes"
                raise MockError(f"{text}; let requests take some of them, or clear them")
            transaction.inject(injected)
