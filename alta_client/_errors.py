"""What can go wrong, as a tree.

```
AltaError
├── InvalidInput              also a ValueError: nothing was sent of what it names
│   └── InvalidProspect       one record
└── RequestError              has `request`, and `response` if there was one
    ├── NotSent               no connection: nothing of the batch was added
    ├── Refused               an answer that says so: nothing of the batch was added
    │   ├── BadRequest        400
    │   ├── Unauthorized      401
    │   ├── Forbidden         403
    │   ├── NotFound          404
    │   └── RateLimited       429, and no patience left
    └── OutcomeUnknown        the batch may have been added, or not
        └── ServerError       5xx: nobody promises that nothing was stored
```
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

LONGEST_TEXT = 200
"""Characters of a server's text that are repeated."""


class AltaError(Exception):
    """Anything that kept prospects from being added.

    Attributes:
        added: How many prospects of the call had been added for certain before.
        batch: The records that it is about, which follow those; empty if it is about none.
    """

    added: int = 0
    batch: Sequence[Mapping[str, object]] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Let an error be copied and go from process to process."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[AltaError], args: tuple[Any, ...], values: dict[str, Any]) -> AltaError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(values)
    return error


class InvalidInput(AltaError, ValueError):
    """An argument that cannot be used."""


class InvalidProspect(InvalidInput):
    """A record that the API would refuse.

    Attributes:
        index: Its place among those of the call, from 0.
        problems: All that is wrong with it.
    """

    def __init__(self, index: int, problems: Sequence[str]) -> None:
        super().__init__(index, problems)
        self.index = index
        self.problems = problems

    def __str__(self) -> str:
        """Name the record, and the first thing that is wrong."""
        return f"prospect {self.index}: {self.problems[0]}"


class RequestError(AltaError):
    """A request that did not succeed.

    Attributes:
        request: What was sent, without the token.
        response: The answer; None if there was none.
    """

    def __init__(self, request: requests.PreparedRequest, response: requests.Response | None, what: str) -> None:
        super().__init__(what)
        self.request = request
        self.response = response


class NotSent(RequestError):
    """There was no connection, so nothing was sent."""


class Refused(RequestError):
    """An answer that says that nothing was added; the class itself stands for statuses that are not documented.

    Attributes:
        status: The status of the answer.
        error: The identifier in its body, empty if there is none.
        message: The text in its body, empty if there is none.
    """

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        self.error, self.message = _told(response)
        super().__init__(response.request, response, self._text())

    def _text(self) -> str:
        if self.status in ELSEWHERE:
            return f"{self.status}: a redirect, which is not followed; correct the base URL"
        told = ": ".join(filter(None, (self.error, self.message)))
        return f"{self.status} {told or 'without an explanation'}"


class BadRequest(Refused):
    """400: the request is malformed, or a record breaks a rule."""


class Unauthorized(Refused):
    """401: the token is not valid, or the account must be named."""


class Forbidden(Refused):
    """403: the user of the token may not do this."""


class NotFound(Refused):
    """404: the account has no such campaign."""


class RateLimited(Refused):
    """429, again and again, or with a longer wait than was allowed.

    Attributes:
        retry_after: Seconds that the last answer told to wait; None if it told nothing usable.
    """

    retry_after: float | None = None


class OutcomeUnknown(RequestError):
    """The batch was sent, and whether it was added cannot be known: look before you send it again.

    `added` prospects are certain, those of `batch` are not, and what follows them was not sent. An iterator that was
    given stands behind `batch`.
    """

    def __str__(self) -> str:
        """Say what is certain, and what is not."""
        size = len(self.batch)
        unknown = f"the {size} prospects behind them" if size != 1 else "the one prospect behind them"
        return f"{self.args[0]}; {self.added} prospects were added for certain, whether {unknown} were is unknown"


class ServerError(OutcomeUnknown):
    """5xx: an error on the server, or of something on the way to it, perhaps after the batch was stored.

    Attributes:
        status: The status of the answer.
    """

    def __init__(self, response: requests.Response) -> None:
        self.status = response.status_code
        told = ": ".join(filter(None, _told(response)))
        super().__init__(response.request, response, f"the answer was {self.status} {told}".rstrip())


ELSEWHERE = {301, 307, 308}
"""Redirects that say that a request belongs elsewhere; others may follow upon one that was carried out (RFC 9110)."""


def error_of(response: requests.Response) -> Refused | OutcomeUnknown:
    """Return the error that an answer stands for which is no success."""
    status = response.status_code
    if status >= 500:  # noqa: PLR2004 - the errors of servers
        return ServerError(response)
    if status < 400 and status not in ELSEWHERE:  # noqa: PLR2004 - neither a success nor a refusal
        return OutcomeUnknown(response.request, response, f"the answer was {status}, which says nothing of the batch")
    kinds = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 429: RateLimited}
    return kinds.get(response.status_code, Refused)(response)


def _told(response: requests.Response) -> tuple[str, str]:
    """Return `error` and `message` of a body, as far as it has them; it may be anything."""
    try:
        body: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        return "", ""
    told = [body.get(name) if isinstance(body, dict) else None for name in ("error", "message")]
    error, message = (" ".join(one.split())[:LONGEST_TEXT] if isinstance(one, str) else "" for one in told)
    return error, message
