"""Errors by whose fault they are: `ApiError` is the vendor's to a client, `MockError` ours to a user of the mock.

Each `ApiError` has a status and the identifier of the body's `error`; the body itself is the contract's example for
that status (see `Contract.error_body`). A test compares `docs/errors.md` with these classes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from mock_server.messages.http import Headers
from mock_server.messages.violations import Violation


class ApiError(Exception):
    """An error response of the API.

    Attributes:
        code: The `error` of the body.
        message: The `message` of the body where the contract gives no example for the status.
        violations: Why, for the log, the journal and `X-Alta-Mock-Why`; never in the body.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    message: ClassVar[str]

    def __init__(self, *violations: Violation, headers: Headers = ()) -> None:
        super().__init__(*map(str, violations))
        self.violations: Sequence[Violation] = violations
        self.headers = headers


class BadRequest(ApiError):
    """The request breaks the contract: a parameter, the body, or its content type."""

    status, code, message = 400, "ValidationError", "Invalid request body"


class Unauthorized(ApiError):
    """No token, an unknown or expired token, another scheme, or no usable account."""

    status, code, message = 401, "Unauthorized", "Invalid API token"


class Forbidden(ApiError):
    """The token is valid, but its user lacks the permission."""

    status, code, message = 403, "Forbidden", "You do not have permission to access this resource"


class NotFound(ApiError):
    """No such path, or no such object in the account of the token."""

    status, code, message = 404, "NotFound", "Resource not found"


class MethodNotAllowed(ApiError):
    """The path exists, the method does not; our assumption `wrong-method`."""

    status, code, message = 405, "MethodNotAllowed", "Method not allowed"


class PayloadTooLarge(ApiError):
    """The body is over `http.MAX_BODY`; our assumption `body-size`."""

    status, code, message = 413, "PayloadTooLarge", "Request body too large"


class UnsupportedMediaType(ApiError):
    """The body has another content type or a content encoding; only by a choice of the assumption `content-type`."""

    status, code, message = 415, "UnsupportedMediaType", "Unsupported media type"


class RateLimited(ApiError):
    """The quota of the account is exhausted."""

    status, code, message = 429, "TooManyRequests", "Rate limit exceeded. Please retry after 60 seconds."


class InternalServerError(ApiError):
    """An injected error; a bug of the fake is never reported as this."""

    status, code, message = 500, "InternalServerError", "Internal server error"


class NotImplementedByMock(ApiError):
    """The contract has the operation, the fake does not."""

    status, code, message = 501, "NotImplemented", "alta-mock does not implement this operation"


def api_errors() -> Iterator[type[ApiError]]:
    """Return every error of the API, by status."""
    return iter(sorted(ApiError.__subclasses__(), key=lambda error: error.status))


class MockError(Exception):
    """Misuse of the mock: one line that names what was given, what is wrong, and what to do."""


class UnknownObject(MockError):
    """The mock has no such kind of object, account or object."""


class StoreUnavailable(MockError):
    """The database of the store cannot be used at the moment."""


class OtherVersion(MockError):
    """The store was made by a newer alta-mock."""


class Bug(Exception):
    """The fake was about to break its own contract."""
