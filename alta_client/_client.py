"""`AltaClient`: batches, one after the other, at the pace that the server sets."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit

from alta_client._errors import AltaError, InvalidInput, InvalidProspect, RateLimited, error_of
from alta_client._exchange import Exchange, own_session, refuse_repeating
from alta_client._pacing import backoff, retry_after, until_reset
from alta_client._records import encode, problems

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    import requests

    from alta_client._pacing import Values

MOST_PROSPECTS = 20
"""Prospects of a batch at most."""

LONGEST = 10**7
"""Seconds of a wait at most."""

MOST_REFUSALS = 10
"""429s in a row after which nobody hopes any more, however short the waits."""

_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_HEADER_TEXT = re.compile("[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a call of `add_prospects` stands.

    Attributes:
        event: `sending` right before a batch is sent; `added` once it is; `waiting` before a wait, during which
            nothing is under way: the batch was refused, or not sent yet.
        added: Prospects that have been added for certain so far.
        batch: The records that it is about.
        wait: Seconds of the wait; 0 for the others.
    """

    event: Literal["sending", "added", "waiting"]
    added: int
    batch: Sequence[Mapping[str, object]]
    wait: float = 0.0


class AltaClient:
    """Adds prospects to campaigns. One client for one thread.

    Args:
        base_url: It ends in the version: `https://api.altahq.com/v1`.
        token: The API token, without the word Bearer.
        account_id: The account, for users of several.
        session: Its proxies, certificates and hooks are used; it must not repeat a POST by itself.
        timeout: Seconds to connect, and between two bytes of an answer.
        max_wait: Seconds to wait in all for one batch that is refused with a 429; pauses that keep within the limit
            are not counted.
        sleep: Waits a number of seconds.
        clock: Returns seconds since the epoch.

    Raises:
        InvalidInput: One of them cannot be used; a token is not repeated.
    """

    def __init__(  # noqa: PLR0913 - two say where and who, the others how
        self,
        base_url: str,
        token: str,
        *,
        account_id: str | None = None,
        session: requests.Session | None = None,
        timeout: float = 30.0,
        max_wait: float = 300.0,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.base_url = _base_url(base_url)
        session = own_session() if session is None else session
        refuse_repeating(session, self.base_url)
        for name, value in (("timeout", timeout), ("max_wait", max_wait)):
            if type(value) not in {int, float} or not 0 < value < LONGEST:
                raise InvalidInput(
                    f"{name}={value!r} is not possible; give seconds, more than 0 and fewer than {LONGEST}"
                )
        headers = {} if account_id is None else {"x-account-id": _header_text("account id", account_id)}
        self._exchange = Exchange(session, _header_text("token", token), headers, timeout, clock)
        self._max_wait, self._sleep, self._clock = max_wait, sleep, clock
        self._told_at = self._pause = 0.0

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close its connections."""
        self.close()

    def __repr__(self) -> str:
        """Show the address, and no token."""
        return f"AltaClient({self.base_url!r})"

    def close(self) -> None:
        """Close the connections; the client can be used again."""
        self._exchange.close()

    def add_prospects(
        self,
        campaign_id: str | UUID,
        prospects: Iterable[Mapping[str, object]],
        *,
        validate: bool = True,
        on_progress: Callable[[Progress], object] | None = None,
    ) -> int:
        """Add prospects to a campaign, in order, in batches of 20, and return how many there were.

        It takes as long as the limits ask for: 200 prospects a minute.

        Args:
            campaign_id: A UUID.
            prospects: A sequence is checked whole before anything is sent; of any other iterable, which is never held
                whole, each batch before it is sent.
            validate: Whether records are checked here; False leaves that to the server.
            on_progress: Called before and after each batch, and before each wait.

        Raises:
            InvalidInput: The campaign id is no UUID, there is no prospect, or one of them cannot be sent.
            RequestError: A batch was not added, or nobody knows whether it was; see the classes, and `added`.
        """
        url = f"{self.base_url}/campaigns/{_uuid(campaign_id)}/prospects"
        if isinstance(prospects, Mapping | str | bytes) or not isinstance(prospects, Iterable):
            raise InvalidInput(f"got {type(prospects).__name__}; wanted prospects, for example a list of dictionaries")
        if isinstance(prospects, Sequence):
            for _ in _encoded(prospects, 0, validate=validate):
                pass
        added, source = 0, iter(prospects)
        tell = on_progress or _nobody
        while batch := list(islice(source, MOST_PROSPECTS)):
            try:
                self._add(url, batch, added, validate, tell)
            except AltaError as error:
                error.added, error.batch = added, batch
                raise
            added += len(batch)
            tell(Progress("added", added, batch))
        if not added:
            raise InvalidInput("there is nothing to add: no prospect was given")
        return added

    def _add(
        self,
        url: str,
        batch: Sequence[Mapping[str, object]],
        added: int,
        validate: bool,  # noqa: FBT001 - passed on
        tell: Callable[[Progress], object],
    ) -> None:
        """Add one batch, and wait for the quota it needs."""
        body = b'{"data": [' + b", ".join(_encoded(batch, added, validate=validate)) + b"]}"
        pause = min(self._pause, self._pause - (self._clock() - self._told_at))
        if 0 < pause <= self._max_wait:
            tell(Progress("waiting", added, batch, pause))
            self._wait(pause)
        refusals, waited = 0, 0.0
        while True:
            tell(Progress("sending", added, batch))
            response = self._exchange.post(url, body)
            values = _values(response)
            self._told_at, self._pause = self._clock(), until_reset(values)
            if 200 <= response.status_code < 300:  # noqa: PLR2004 - the successes
                return
            error = error_of(response)
            if not isinstance(error, RateLimited):
                raise error
            refusals += 1
            error.retry_after = retry_after(values, self._told_at)
            wait = backoff(refusals) if error.retry_after is None else error.retry_after
            if refusals >= MOST_REFUSALS or waited + wait > self._max_wait:
                raise error
            tell(Progress("waiting", added, batch, wait))
            self._wait(wait)
            waited += wait

    def _wait(self, seconds: float) -> None:
        """Wait, and connect anew afterwards: a server closes idle connections, perhaps while we send."""
        self._sleep(seconds)
        self._exchange.close()
        self._pause = 0.0


def _values(response: requests.Response) -> Values:
    """Return a function for the values of a header."""
    raw = getattr(response.raw, "headers", None)
    if raw is not None and hasattr(raw, "getlist"):
        values: Values = raw.getlist
        return values
    return lambda name: [response.headers[name]] if name in response.headers else []


def _nobody(_progress: Progress) -> None:
    """Hear of progress and do nothing."""


def _encoded(batch: Iterable[Mapping[str, object]], first: int, *, validate: bool) -> Iterator[bytes]:
    """Yield records as JSON, if there is nothing wrong with them."""
    for index, record in enumerate(batch, first):
        wrong = problems(record) if validate else []
        if wrong:
            raise InvalidProspect(index, wrong)
        try:
            yield encode(record)
        except ValueError as error:
            raise InvalidProspect(index, [str(error)]) from error


def _base_url(given: object) -> str:
    text = given if isinstance(given, str) else ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise InvalidInput("the base URL is malformed; wanted one like https://api.altahq.com/v1") from None
    if parts.username is not None:
        raise InvalidInput("the base URL names a user; the token is all that is needed")
    if not usable or not text.isprintable() or any(one in text for one in "?# "):
        raise InvalidInput(f"the base URL {_short(text)} is malformed; wanted one like https://api.altahq.com/v1")
    url = text.rstrip("/")
    if not parts.path.rstrip("/").endswith("/v1"):
        raise InvalidInput(f"the base URL {_short(text)} lacks the version; did you mean {url}/v1")
    return url


def _header_text(name: str, text: object) -> str:
    if not isinstance(text, str) or not _HEADER_TEXT.fullmatch(text):
        raise InvalidInput(f"the {name} is {'empty' if not text else 'malformed'}; wanted printable ASCII, no spaces")
    return text


def _uuid(value: str | UUID) -> str:
    text = str(value)
    if not _UUID.fullmatch(text):
        raise InvalidInput(f"the campaign id {_short(text)} is no UUID, like 3c90c3cc-0d44-4b50-8888-8dd25736052a")
    return text


def _short(text: object) -> str:
    return repr(text)[:80]
