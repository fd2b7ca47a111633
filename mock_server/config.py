"""Every setting of the mock, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from mock_server.contract import assumptions
from mock_server.contract.limits import Limit, parse_seconds
from mock_server.messages.errors import MockError

FILES = ("data", "openapi", "overlay")
"""Settings that name a file."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a mock: the keywords of `AltaMock`, the options of `alta-mock serve`.

    Attributes:
        data: A seed file in place of the bundled one; a folder `responses` beside it replaces recorded responses.
        openapi: A published document in place of the bundled one.
        overlay: An overlay in place of the bundled one.
        rate_limit: In place of every limit that an operation has in the contract: `10/60s`, or `off`.
        account_rate_limit: In place of the contract's limit across all operations: `100/60s`, or `off`.
        visible_after: Time until an added prospect is in lists: `90s`.
        assume: Choices in place of the defaults, by the ids of their assumptions: `{"list-order": "newest-first"}`.
        assume_file: A file of such choices, as `alta-mock check --write-assume` writes it; `assume` comes first.
        why: Whether refusals say why in the header `X-Alta-Mock-Why`.
        store: URL of where the state is kept: `memory`, `sqlite:///FILE` or `postgresql://USER@HOST/DATABASE`.
        control_token: What other machines must send to use the control API; without it they are refused.
    """

    data: str | os.PathLike[str] | None = None
    openapi: str | os.PathLike[str] | None = None
    overlay: str | os.PathLike[str] | None = None
    rate_limit: str | None = None
    account_rate_limit: str | None = None
    visible_after: str = "0s"
    assume: Mapping[str, str] = field(default_factory=dict)
    assume_file: str | os.PathLike[str] | None = None
    why: bool = True
    store: str = "memory"
    control_token: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Return settings that are given as keywords.

        Raises:
            MockError: A setting is unknown, or its value has another type or form.
        """
        defaults = {one.name: one.default for one in fields(cls)}
        for name, value in settings.items():
            if name not in defaults:
                raise MockError(f"unknown setting {name!r}; choose one of clock, hooks, {', '.join(defaults)}")
            if value is None and defaults[name] is None:
                continue
            kind, wanted = _KINDS.get(name, (str, "a text"))
            if not isinstance(value, kind):
                raise MockError(f"{name}={value!r} is not valid; use {wanted}")
            try:
                _FORMS.get(name, bool)(value)
            except MockError as error:
                raise MockError(f"{name}: {error}") from error
        return cls(**_with_file(settings))

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Self:
        """Read the environment variables of `alta-mock serve`; an empty one counts as unset.

        Raises:
            MockError: A value cannot be used.
        """
        settings: dict[str, Any] = {}
        for name, read in _READERS.items():
            variable = f"ALTA_MOCK_{name.upper()}"
            if value := environ.get(variable):
                try:
                    settings[name] = read(value)
                except MockError as error:
                    raise MockError(f"{variable}: {error}") from error
        no_why = settings.pop("no_why", False)
        return cls(**_with_file(settings), why=not no_why)


def _with_file(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the choices of `assume_file` among those of `assume`, which come first."""
    file = settings.get("assume_file")
    in_file = {} if file is None else assumptions.read_file(Path(file))
    return {**settings, "assume": {**in_file, **settings.get("assume", {})}}


def _file(value: str) -> str:
    if not Path(value).is_file():
        raise MockError(f"{value!r} is not a file; give the path of one, or unset the variable")
    return value


def _limit(value: str) -> str:
    Limit.parse(value)
    return value


def _seconds(value: str) -> str:
    parse_seconds(value)
    return value


def _flag(value: str) -> bool:
    flags = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if value.lower() not in flags:
        raise MockError(f"{value!r} is not a valid flag; write 1 or 0, or unset the variable")
    return flags[value.lower()]


_KINDS: Mapping[str, tuple[Any, str]] = {
    **dict.fromkeys(FILES, (str | os.PathLike, "a text")),
    "assume_file": (str | os.PathLike, "a text"),
    "assume": (Mapping, 'a mapping, for example {"list-order": "newest-first"}'),
    "why": (bool, "True or False"),
}
"""The types of settings that are not texts, and how a message names them."""

_FORMS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("rate_limit", "account_rate_limit"), _limit),
    "visible_after": _seconds,
    "assume": assumptions.checked,
}
"""What refuses a text that has another form, by the name of the setting."""

_READERS: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys((*FILES, "assume_file"), _file),
    **dict.fromkeys(("store", "control_token"), str),
    **_FORMS,
    "assume": lambda value: assumptions.parse(value.split()),
    "no_why": _flag,
}
"""How to read each variable, by its name without `ALTA_MOCK_`."""
