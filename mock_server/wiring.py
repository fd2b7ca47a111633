"""Puts the parts of a fake together from its settings; the only place that does."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mock_server.config import Config
from mock_server.contract import bundled_files
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.limits import Limit
from mock_server.contract.schemas import violations
from mock_server.handlers import HANDLERS
from mock_server.messages.errors import MockError
from mock_server.messages.json_text import to_json
from mock_server.messages.redaction import Redactor
from mock_server.pipeline.injection import ERRORS
from mock_server.pipeline.pipeline import Engine
from mock_server.store import open_store
from mock_server.store.seed import Seed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mock_server.pipeline.hooks import Hooks
    from mock_server.pipeline.ratelimit import Limits


@dataclass(frozen=True, slots=True)
class Wired:
    """A fake, put together.

    Attributes:
        contract: As loaded; that of the engine may be replaced by a hook.
    """

    contract: Contract
    seed: Seed
    engine: Engine


def wire(config: Config, hooks: Hooks) -> Wired:
    """Load the files that the settings name, and return the parts.

    Raises:
        MockError: A setting, or a file that one names, cannot be used.
    """
    contract = Contract.load(_path(config.openapi), _path(config.overlay))
    seed = Seed.load(_path(config.data))
    enforced = hooks.contract(contract)
    engine = Engine(
        contract=enforced,
        tokens=seed.tokens,
        store=open_store(config.store),
        handlers=hooks.handlers(HANDLERS),
        limits=_limits(enforced, config),
        bound=_bound(seed),
        recorded=_recorded(enforced, _path(config.data)),
        redact=Redactor(seed.tokens),
        why=config.why,
        hooks=hooks,
    )
    return Wired(contract, seed, engine)


def config_of(settings: Mapping[str, Any]) -> Config:
    """Return settings that were given as keywords.

    Raises:
        MockError: A setting is unknown, or its value has another type.
    """
    known = [field.name for field in fields(Config)]
    for name, value in settings.items():
        if name not in known:
            raise MockError(f"unknown setting {name!r}; choose one of clock, hooks, {', '.join(known)}")
        wanted = bool if name == "why" else (str, os.PathLike, type(None))
        if not isinstance(value, wanted):
            raise MockError(f"{name}={value!r} is not valid; use {'True or False' if name == 'why' else 'a text'}")
    return Config(**settings)


def _path(name: Any) -> Path | None:
    return None if name is None else Path(name)


def _limits(contract: Contract, config: Config) -> Mapping[str, Limits]:
    account = contract.limit if config.account_rate_limit is None else Limit.parse(config.account_rate_limit)
    override = None if config.rate_limit is None else Limit.parse(config.rate_limit)
    limits = {}
    for operation in contract.operations:
        own = operation.limit if config.rate_limit is None or operation.limit is None else override
        pairs = (("account", account), (operation.id, own))
        limits[operation.id] = [(name, limit) for name, limit in pairs if limit]
    return limits


def _bound(seed: Seed) -> Mapping[tuple[str, str], int]:
    for (_, object_id), status in seed.bound.items():
        if status not in ERRORS:
            known = ", ".join(map(str, ERRORS))
            raise MockError(f"{object_id} cannot be bound to the answer {status}; choose one of {known}")
    return seed.bound


def _recorded(contract: Contract, data: Path | None) -> Mapping[str, bytes]:
    """Read the responses beside the seed file, else the bundled ones; `{}` where there is none."""
    beside = data.parent / "responses" if data else None
    folder = beside if beside and beside.is_dir() else bundled_files.data("fixtures/responses")
    recorded = {}
    for operation in contract.operations:
        file = folder / f"{operation.id}.json"
        value = _json_of(file) if file.exists() else {}
        schema = operation.responses.get(operation.success)
        wrong = violations(schema, value) if schema else []
        if wrong and file.exists():
            raise MockError(f"{file}: this response breaks the contract: {wrong[0]}")
        recorded[operation.id] = to_json(value)
    return recorded


def _json_of(file: Path) -> Any:
    value = Document.read(file).value
    try:
        json.dumps(value, allow_nan=False)
    except ValueError as error:
        raise MockError(f"{file}: this response is invalid JSON: {error}") from error
    return value
