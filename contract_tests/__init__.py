"""The kit: checks of servers and consumers, for pytest from a checkout or from the installed package.

pytest --pyargs contract_tests -p contract_tests.plugin
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_tests.consumer.check import check_consumer

__all__ = ["check_consumer"]


if not TYPE_CHECKING:  # or a type checker would take any name for one of the package

    def __getattr__(name: str) -> Any:
        """Import `check_consumer` when it is first used: importing the package costs nothing.

        Raises:
            MockError: The extra `verify` is not installed.
        """
        if name != "check_consumer":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            from contract_tests.consumer.check import check_consumer  # noqa: PLC0415 - see above
        except ImportError as error:
            from mock_server.messages.extras import missing  # noqa: PLC0415 - see above

            raise missing("check_consumer", error) from error
        return check_consumer
