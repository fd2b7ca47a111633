"""Whose fault it is, as types: `ApiError` is what the vendor says to a client, `MockError` what we say to our user.

Each `ApiError` has a status and the identifier of the body's `error`; the text of the body is the contract's
example for that status (see `Contract.error_body`). `docs/errors.md` is compared with these classes by a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mock_server.messages.http import Headers, Violation


class ApiError(Exception):
    """A refusal that the client sees.

    Attributes:
        status: The HTTP status.
        code: The `error` of the body.
        message: The `message` of the body where the contract gives no example for the status.
        headers: What the refusal adds to the answer, for example `Allow`.
        violations: Why, for the log, the journal and `X-Alta-Mock-Why`; the body never says it.
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
    """No token, a wrong or expired one, another scheme, or no usable account."""

    status, code, message = 401, "Unauthorized", "Invalid API token"


class Forbidden(ApiError):
    """The token is valid, its user may not do this."""

    status, code, message = 403, "Forbidden", "You do not have permission to access this resource"


class NotFound(ApiError):
    """No such path, or no such object in the account of the token."""

    status, code, message = 404, "NotFound", "Resource not found"


class MethodNotAllowed(ApiError):
    """The path exists, the method does not; our assumption `wrong-method`."""

    status, code, message = 405, "MethodNotAllowed", "Method not allowed"


class PayloadTooLarge(ApiError):
    """The body is over `messages.MAX_BODY`; our assumption `body-size`."""

    status, code, message = 413, "PayloadTooLarge", "Request body too large"


class RateLimited(ApiError):
    """The quota of the account is used up."""

    status, code, message = 429, "TooManyRequests", "Rate limit exceeded. Please retry after 60 seconds."


class InternalServerError(ApiError):
    """Asked for by the caller of the fake; a fault of our own is never dressed up as this one."""

    status, code, message = 500, "InternalServerError", "Internal server error"


class NotImplementedByMock(ApiError):
    """The contract has the operation, the fake does not."""

    status, code, message = 501, "NotImplemented", "alta-mock does not implement this operation"


def api_errors() -> Iterator[type[ApiError]]:
    """Return every refusal there is, by status."""
    return iter(sorted(ApiError.__subclasses__(), key=lambda error: error.status))


class MockError(Exception):
    """Misuse of the mock: one line that names what was given, what is wrong with it and what to do."""


class Bug(Exception):
    """The fake was about to break its own contract."""
