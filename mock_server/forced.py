"""Answers that somebody asked for, whatever the request says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_server.errors import api_errors
from mock_server.messages import Violation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_server.auth import Caller

ERRORS = {error.status: error for error in api_errors()}
"""The refusals that can be asked for, by status."""


def bound_answer(caller: Caller | None, path: Mapping[str, str], bound: Mapping[tuple[str, str], int]) -> None:
    """Refuse a request to a resource that the seed binds to an answer.

    Raises:
        ApiError: The one of the status it is bound to.
    """
    for value in path.values():
        status = bound.get((caller.account, value.lower())) if caller else None
        if status:
            raise ERRORS[status](
                Violation("forced", "path", "", "a campaign bound to an answer", f"nothing: always {status}")
            )
