"""A thin client of the Alta API: every operation, lists as iterators, and nothing written twice.

```python
client = AltaClient("http://127.0.0.1:8080/v1", "test-token")
client.add_prospects("3c90c3cc-0d44-4b50-8888-8dd25736052a", [{"email": "ada@example.com"}])
for prospect in client.list_prospects(campaign_id="3c90c3cc-0d44-4b50-8888-8dd25736052a"):
    print(client.get_person(prospect["personId"]))
```

Law 1: a write that may have been carried out is never sent again; `OutcomeUnknown` says which one it is.
Law 2: no wait is shorter than the server asked for.
Law 3: what can be checked is checked before anything is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alta_client._async_client import AsyncAltaClient
    from alta_client._batches import Progress
    from alta_client._client import AltaClient
    from alta_client._errors import (
        AltaError,
        BadRequest,
        Forbidden,
        InvalidInput,
        InvalidProspect,
        InvalidResponse,
        NotFound,
        NotSent,
        OutcomeUnknown,
        RateLimited,
        Refused,
        RequestError,
        ServerError,
        Unauthorized,
    )
    from alta_client._records import problems
    from alta_client.objects import ProspectRecord

__all__ = [
    "AltaClient",
    "AltaError",
    "AsyncAltaClient",
    "BadRequest",
    "Forbidden",
    "InvalidInput",
    "InvalidProspect",
    "InvalidResponse",
    "NotFound",
    "NotSent",
    "OutcomeUnknown",
    "Progress",
    "ProspectRecord",
    "RateLimited",
    "Refused",
    "RequestError",
    "ServerError",
    "Unauthorized",
    "problems",
]

_HOMES = {
    "AltaClient": "alta_client._client",
    "AsyncAltaClient": "alta_client._async_client",
    "Progress": "alta_client._batches",
    "ProspectRecord": "alta_client.objects",
    "problems": "alta_client._records",
}


if not TYPE_CHECKING:  # or a type checker would take any name for one of the package

    def __getattr__(name: str) -> Any:
        """Import a name when it is first used: `alta-add --help` does not wait for requests."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - see above

        return getattr(import_module(_HOMES.get(name, "alta_client._errors")), name)


def __dir__() -> list[str]:
    """List the public names, including those not imported yet."""
    return __all__
