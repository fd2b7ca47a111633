"""`AltaClient`: sends batches one after the other, at the pace that the server sets."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from alta_client._errors import AltaError, InvalidInput, InvalidProspect, RateLimited, error_of
from alta_client._exchange import Exchange, own_session, refuse_repeating
from alta_client._pacing import Values, backoff, retry_after, until_reset
from alta_client._records import encode, problems

if TYPE_CHECKING:
    import requests

MOST_PROSPECTS = 20
"""Maximum number of prospects in a batch."""

LONGEST = 10**7
"""Seconds; `timeout` and `max_wait` must be smaller."""

MOST_REFUSALS = 10
"""429s in a row after which a batch is given up, however short the waits."""

_UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_UUID_EXAMPLE = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
_LIKE = "write it like https://api.altahq.com/v1"
_HEADER_TEXT = re.compile("[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Progress:
    """A step of `add_prospects`: `sending` before a batch is sent; `added` afterwards; `waiting` before a wait.

    `added` prospects have certainly been added so far; the step is about `batch`. `wait` is in seconds, and no request
    is in flight meanwhile.
    """

    event: Literal["sending", "added", "waiting"]
    added: int
    batch: Sequence[Mapping[str, object]]
    wait: float = 0.0


class AltaClient:
    """Adds prospects to campaigns. One client for one thread.

    Args:
        base_url: Ends in the version: `https://api.altahq.com/v1`.
        token: The API token, without the word Bearer.
        account_id: The account, for users with several.
        session: Provides proxies, certificates and hooks; must not repeat a POST by itself.
        timeout: Seconds to connect, and between two bytes of a response.
        max_wait: Seconds to wait in total for one batch that is refused with a 429, not counting pauses.
        sleep: Waits a number of seconds.
        clock: Returns seconds since the epoch.

    Raises:
        InvalidInput: An argument cannot be used; the message does not contain the token.
    """

    def __init__(  # noqa: PLR0913 - all but two have defaults
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
                raise InvalidInput(f"{name}={value!r} is not valid; give seconds, more than 0 and less than {LONGEST}")
        headers = {} if account_id is None else {"x-account-id": _header_text("account id", account_id)}
        self._exchange = Exchange(session, _header_text("token", token), headers, timeout, clock)
        self._max_wait, self._sleep, self._clock = max_wait, sleep, clock
        self._reset_at = self._pause = 0.0

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the connections."""
        self.close()

    def __repr__(self) -> str:
        """Show the address, but not the token."""
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
        """Add prospects to a campaign, in order, in batches of 20, and return their number.

        The documented limits allow 200 prospects a minute.

        Args:
            campaign_id: A UUID.
            prospects: A sequence is checked as a whole before anything is sent, any other iterable batch by batch.
            validate: Whether records are checked before they are sent.
            on_progress: Called before and after each batch, and before each wait.

        Raises:
            InvalidInput: The campaign id is not a UUID, there are no prospects, or a prospect cannot be sent.
            RequestError: A batch was not added, or it is unknown whether it was; `added` says how many were.
        """
        url = f"{self.base_url}/campaigns/{_uuid(campaign_id)}/prospects"
        if isinstance(prospects, Mapping | str | bytes) or not isinstance(prospects, Iterable):
            raise InvalidInput(f"got {type(prospects).__name__}; expected a list of dictionaries, or the like")
        if isinstance(prospects, Sequence):
            deque(_encoded(prospects, 0, validate=validate), maxlen=0)
        added, source = 0, iter(prospects)
        report = on_progress or (lambda _: None)
        while batch := list(islice(source, MOST_PROSPECTS)):
            try:
                body = b'{"data": [' + b", ".join(_encoded(batch, added, validate=validate)) + b"]}"
                self._add(url, body, lambda event, wait=0.0: report(Progress(event, added, batch, wait)))  # noqa: B023 - called at once
            except AltaError as error:
                error.added, error.batch = added, batch
                raise
            added += len(batch)
            report(Progress("added", added, batch))
        if not added:
            raise InvalidInput("there is nothing to add; give at least one prospect")
        return added

    def _add(self, url: str, body: bytes, report: Callable[..., object]) -> None:
        """Add one batch, waiting for quota as necessary."""
        pause = min(self._pause, self._pause - (self._clock() - self._reset_at))
        if 0 < pause <= self._max_wait:
            report("waiting", pause)
            self._wait(pause)
        refusals, waited = 0, 0.0
        while True:
            report("sending")
            response = self._exchange.post(url, body)
            values = _values(response)
            self._reset_at, self._pause = self._clock(), until_reset(values)
            if 200 <= response.status_code < 300:  # noqa: PLR2004 - the successes
                return
            error = error_of(response)
            if not isinstance(error, RateLimited):
                raise error
            refusals += 1
            error.retry_after = retry_after(values, self._reset_at)
            wait = backoff(refusals) if error.retry_after is None else error.retry_after
            if refusals >= MOST_REFUSALS or waited + wait > self._max_wait:
                raise error
            report("waiting", wait)
            self._wait(wait)
            waited += wait

    def _wait(self, seconds: float) -> None:
        """Wait, and reconnect afterwards: the server may close an idle connection just as the next request is sent."""
        self._sleep(seconds)
        self._exchange.close()
        self._pause = 0.0


def _values(response: requests.Response) -> Values:
    """Return a function that returns all values of a header."""
    values: Values | None = getattr(getattr(response.raw, "headers", None), "getlist", None)
    return values or (lambda name: [response.headers[name]] if name in response.headers else [])


def _encoded(batch: Iterable[Mapping[str, object]], first: int, *, validate: bool) -> Iterator[bytes]:
    """Yield records as JSON; raise InvalidProspect for the first that is not valid."""
    for index, record in enumerate(batch, first):
        if validate and (wrong := problems(record)):
            raise InvalidProspect(index, wrong)
        try:
            yield encode(record)
        except ValueError as error:
            raise InvalidProspect(index, [str(error)]) from error


def _base_url(value: object) -> str:
    text = value if isinstance(value, str) else ""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise InvalidInput(f"the base URL is malformed; {_LIKE}") from None
    if parts.username is not None:
        raise InvalidInput("the base URL contains a user name; leave it out, the token suffices")
    if not usable or not text.isprintable() or any(one in text for one in "?# "):
        raise InvalidInput(f"the base URL {text!r:.80} is malformed; {_LIKE}")
    url = text.rstrip("/")
    if not parts.path.rstrip("/").endswith("/v1"):
        raise InvalidInput(f"the base URL {text!r:.80} lacks the version; did you mean {url}/v1?")
    return url


def _header_text(name: str, text: object) -> str:
    if not isinstance(text, str) or not _HEADER_TEXT.fullmatch(text):
        raise InvalidInput(f"the {name} is {'malformed' if text else 'empty'}; give printable ASCII without spaces")
    return text


def _uuid(value: str | UUID) -> str:
    text = str(value)
    if not _UUID.fullmatch(text):
        raise InvalidInput(f"the campaign id {text!r:.80} is not a valid UUID; write it like {_UUID_EXAMPLE}")
    return text
