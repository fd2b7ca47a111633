"""alta-mock: the Alta API on your own machine. `AltaMock` is all that most users need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mock_server.messages.errors import MockError
    from mock_server.mock import AltaMock
    from mock_server.pipeline.clock import Clock

__all__ = ["AltaMock", "Clock", "MockError"]

_HOMES = {
    "AltaMock": "mock_server.mock",
    "Clock": "mock_server.pipeline.clock",
    "MockError": "mock_server.messages.errors",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List what is there to be imported, also what was not asked for yet."""
    return __all__
