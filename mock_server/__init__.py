"""alta-mock: the Alta API on your own machine. `AltaMock` is all that most users need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server.messages.errors import MockError
    from mock_server.mock import AltaMock
    from mock_server.pipeline.clock import Clock
    from mock_server.transports.wsgi import create_app

__all__ = ["AltaMock", "Clock", "MockError", "create_app"]

_HOMES = {
    "AltaMock": "mock_server.mock",
    "Clock": "mock_server.pipeline.clock",
    "MockError": "mock_server.messages.errors",
    "create_app": "mock_server.transports.wsgi",
}


if not TYPE_CHECKING:  # or a type checker would take any name for one of the package

    def __getattr__(name: str) -> Any:
        """Import a name when it is first used, so that importing the package costs nothing."""
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - see above

        return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the names that can be imported."""
    return __all__
