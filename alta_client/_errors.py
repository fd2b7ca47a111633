"""The errors of the client.

```
AltaError
├── InvalidInput              also a ValueError: an argument cannot be used, and was not sent
│   └── InvalidProspect       one record
└── RequestError              has `request`, and `response` if there was one
    ├── NotSent               no connection: nothing was done
    ├── Refused               a response that says so: nothing was done
    │   ├── BadRequest        400
    │   ├── Unauthorized      401
    │   ├── Forbidden         403
    │   ├── NotFound          404
    │   └── RateLimited       429, after all waits that are allowed
    └── OutcomeUnknown        a write may or may not have been carried out; a read has failed after all tries
        ├── ServerError       5xx: the batch may have been stored before the error
        └── InvalidResponse   a success whose body is not what is documented
```
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx
    import requests

LONGEST_TEXT = 200
"""Maximum number of characters that are quoted from a response."""


class AltaError(Exception):
    """A reason why a request failed.

    `added` records of the call had certainly been added before; those concerned, if any, are `batch`, which follow.
    """

    added: int = 0
    batch: Sequence[Mapping[str, object]] = ()

    def __reduce__(self) -> tuple[Any, ...]:
        """Support copying and pickling, also of subclasses with other arguments."""
        return type(self).__new__, (type(self), *self.args), self.__dict__


class InvalidInput(AltaError, ValueError):
    """An argument that cannot be used."""


class InvalidProspect(InvalidInput):
    """A record that the API would refuse: its `index` in the call, from 0, and all its `problems`."""

    def __init__(self, index: int, problems: Sequence[str]) -> None:
        super().__init__(index, problems)
        self.index, self.problems = index, problems

    def __str__(self) -> str:
        """Return the index and the first problem."""
        return f"prospect {self.index}: {self.problems[0]}"


class RequestError(AltaError):
    """A request that did not succeed: the `request`, without the token, and the `response`, if there was one.

    They are those of requests, or of httpx if the client is asynchronous.
    """

    def __init__(
        self,
        request: requests.PreparedRequest | httpx.Request,
        response: requests.Response | httpx.Response | None,
        what: str,
    ) -> None:
        super().__init__(what)
        self.request, self.response = request, response


class NotSent(RequestError):
    """There was no connection, so nothing was sent."""


class Refused(RequestError):
    """The response says that nothing was done; undocumented statuses raise this class itself.

    `error` and `message` are those of the body; either may be empty.
    """

    def __init__(self, response: requests.Response | httpx.Response) -> None:
        self.status = response.status_code
        self.error, self.message = _explanation(response)
        text = f" {': '.join(filter(None, (self.error, self.message))) or 'without an explanation'}"
        if self.status in ELSEWHERE:
            text = ": redirects are not followed; correct the base URL"
        super().__init__(response.request, response, f"{self.status}{text}")


class BadRequest(Refused):
    """400: the request is malformed, or a record breaks a rule."""


class Unauthorized(Refused):
    """401: the token is not valid, or the account must be named."""


class Forbidden(Refused):
    """403: the user of the token may not do this."""


class NotFound(Refused):
    """404: the account has no such object."""


class RateLimited(Refused):
    """429 too often in a row, or with a longer wait than is allowed.

    `retry_after` is the seconds to wait according to the last response; None if it does not say.
    """

    retry_after: float | None = None


class OutcomeUnknown(RequestError):
    """A request was sent, and there is no response that says what became of it: look before you send a write again.

    `added` records are certain, those of `batch` are not, and the following ones were not sent: an iterator of
    records continues after `batch`.
    """

    def __str__(self) -> str:
        """Return what is certain and what is not."""
        if not self.batch:
            return str(self.args[0])
        return f"{self.args[0]}; {self.added} prospects were added, the next {len(self.batch)} may or may not have been"


class ServerError(OutcomeUnknown):
    """5xx: the server or a proxy failed, perhaps after the batch was stored."""

    def __init__(self, response: requests.Response | httpx.Response) -> None:
        self.status = response.status_code
        text = ": ".join(filter(None, _explanation(response)))
        super().__init__(response.request, response, f"the response was {self.status} {text}".rstrip())


class InvalidResponse(OutcomeUnknown):
    """A success whose body is not what is documented, for example cut off, or the page of a proxy."""

    def __init__(self, response: Any, problem: str) -> None:
        super().__init__(response.request, response, f"the body of the {response.status_code} {problem}")


ELSEWHERE = {301, 307, 308}
"""Redirects of a request that was not carried out; after other redirects it may have been (RFC 9110)."""


def error_of(response: requests.Response | httpx.Response) -> Refused | OutcomeUnknown:
    """Return the error for a response other than 2xx."""
    status = response.status_code
    if status >= 500:  # noqa: PLR2004 - the errors of servers
        return ServerError(response)
    if status < 400 and status not in ELSEWHERE:  # noqa: PLR2004 - neither a success nor a refusal
        what = f"the response was {status}, which does not say what became of the request"
        return OutcomeUnknown(response.request, response, what)
    kinds = {400: BadRequest, 401: Unauthorized, 403: Forbidden, 404: NotFound, 429: RateLimited}
    return kinds.get(status, Refused)(response)


def _explanation(response: requests.Response | httpx.Response) -> tuple[str, str]:
    """Return `error` and `message` of a body, which may be anything; empty without them."""
    try:
        body: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    values = [body.get(name) if isinstance(body, dict) else None for name in ("error", "message")]
    error, message = (" ".join(value.split())[:LONGEST_TEXT] if isinstance(value, str) else "" for value in values)
    return error, message
