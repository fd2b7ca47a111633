"""Puts the parts of a fake together from its settings; the only place that does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mock_server.config import Config
from mock_server.contract import assumptions
from mock_server.contract.assumptions import Choices
from mock_server.contract.contract import Contract
from mock_server.contract.documents import Document
from mock_server.contract.limits import SECOND, Limit, parse_seconds
from mock_server.contract.schemas import violations
from mock_server.handlers import HANDLERS
from mock_server.messages.errors import MockError
from mock_server.messages.json_text import to_json
from mock_server.messages.redaction import Redactor
from mock_server.pipeline.hooks import Hooks
from mock_server.pipeline.injection import ERRORS
from mock_server.pipeline.pipeline import Engine
from mock_server.pipeline.ratelimit import Limits
from mock_server.store import open_store, password
from mock_server.store.seed import Seed


def wire(config: Config, hooks: Hooks) -> Engine:
    """Load the files that the settings name, and return the parts.

    Raises:
        MockError: A setting, or a file that one names, cannot be used.
    """
    choices = assumptions.checked(config.assume)
    seed = Seed.load(_path(config.data), Contract.load(_path(config.openapi), _path(config.overlay)))
    contract = contract_under(choices, config, hooks)
    for (_, object_id), status in seed.bound.items():
        if status not in ERRORS:
            known = ", ".join(map(str, ERRORS))
            raise MockError(f"{object_id} cannot be bound to the answer {status}; choose one of {known}")
    return Engine(
        contract=contract,
        seed=seed,
        store=open_store(config.store),
        handlers=hooks.handlers(HANDLERS),
        limits=_limits(contract, config),
        recorded=_recorded(contract, _path(config.data)),
        redact=Redactor(seed.tokens, *filter(None, [config.control_token, password(config.store)])),
        why=config.why,
        hooks=hooks,
        choices=Choices(choices),
        visible_after=parse_seconds(config.visible_after) * SECOND,
    )


def contract_under(choices: Mapping[str, str], config: Config, hooks: Hooks) -> Contract:
    """Return the contract under choices, some of which change it."""
    return hooks.contract(Contract.load(_path(config.openapi), _path(config.overlay), assumptions.overlay_of(choices)))


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


def _recorded(contract: Contract, data: Path | None) -> Mapping[str, bytes]:
    """Read the responses beside the seed file, else the examples of the contract; `{}` where there is none."""
    recorded = {}
    for operation in contract.operations:
        recorded[operation.id] = operation.examples.get(operation.success, b"{}")
        file = data.parent / "responses" / f"{operation.id}.json" if data else None
        if file and file.exists():
            value, schema = _json_of(file), operation.responses.get(operation.success)
            if schema and (wrong := violations(schema, value)):
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
