"""The ids that a provider knows, read from its lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contract_tests.provider.documented import operations, path_names
from contract_tests.provider.rule import has_id
from contract_tests.provider.session import Session
from contract_tests.provider.wire import ACCEPTED
from mock_server.contract.operation import Operation

Ids = Mapping[str, str]
"""An id for each parameter of paths, by its name."""


def lists() -> Iterator[Operation]:
    """Yield the operations that return pages of objects."""
    return (one for one in operations().values() if any(it.name == "cursor" for it in one.parameters.get("query", ())))


def singles() -> Mapping[str, Operation]:
    """Return the operations that read one object, by id, each with the list of such objects."""
    below = {
        one.path.rpartition("/")[0]: one.id for one in operations().values() if one.method == "GET" and has_id(one)
    }
    return {below[one.path]: one for one in lists() if one.path in below}


def discovered(session: Session) -> tuple[Ids, Ids]:
    """Return ids of the account, and of another one if the target names its token."""
    session.doing = "which ids there are"
    return _ids(session, session.target.token), _ids(session, session.target.other_account_token)


def _ids(session: Session, token: str | None) -> Ids:
    """Return an id for each parameter: of an object in its list, else one that another object names."""
    own: dict[str, str] = {}
    named: dict[str, str] = {}
    for operation in lists() if token else ():
        response = session.send_patiently(session.make.of(operation).request(token=token))
        found = response.json.get("data") if response.status == ACCEPTED and isinstance(response.json, dict) else None
        for one in reversed(found) if isinstance(found, list) else ():
            ids = (
                {name: value for name, value in one.items() if isinstance(value, str)} if isinstance(one, dict) else {}
            )
            for name, below in path_names().items():
                if below.path.startswith(f"{operation.path}/{{{name}}}") and "id" in ids:
                    own[name] = ids["id"]
                elif name in ids:
                    named[name] = ids[name]
    return {**named, **own}
