"""Legal readings of the vendor's documentation: what a fake assumes in place of what is in force."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from types import MappingProxyType

from allpairspy import AllPairs  # type: ignore[import-untyped]  # it has no types

from mock_server.contract.assumptions import Assumption, switches

Reading = Mapping[str, str]
"""Choices by the ids of their assumptions, in place of those that are in force."""

DEFAULTS: Reading = MappingProxyType({})
"""What is in force without any choice: the default of every assumption."""


def single(among: Collection[str] | None = None, assumed: Reading = DEFAULTS) -> list[Reading]:
    """Return a reading for each choice that is not in force, of all assumptions or of those that are named."""
    return [
        {one.id: choice.id}
        for one in switches().values()
        if among is None or one.id in among
        for choice in one.choices
        if choice.id != in_force(one, assumed)
    ]


def pairs(
    seed: int,
    without: Collection[Reading] = (),
    among: Collection[str] | None = None,
    assumed: Reading = DEFAULTS,
) -> list[Reading]:
    """Return a few readings of many choices: together they combine each two choices, also those that are in force.

    Args:
        seed: Decides how the choices are spread over the readings.
        without: Readings of one choice each, which is left out.
        among: The assumptions that are combined; by default all.
        assumed: What is in force in place of the defaults.
    """
    left_out = {(name, choice) for reading in without for name, choice in reading.items()}
    choices = [
        (one, [choice.id for choice in one.choices if (name, choice.id) not in left_out])
        for name, one in switches().items()
        if among is None or name in among
    ]
    varied = [(one, ids) for one, ids in choices if len(ids) > 1]
    if len(varied) < 2:  # noqa: PLR2004 - a pair
        return []
    shuffled = random.Random(seed).sample(varied, len(varied))  # noqa: S311 - not a secret
    rows = AllPairs([ids for _, ids in shuffled])
    readings = [
        {one.id: choice for (one, _), choice in zip(shuffled, row, strict=True) if choice != in_force(one, assumed)}
        for row in rows
    ]
    return [reading for reading in readings if len(reading) > 1]


def in_force(one: Assumption, assumed: Reading) -> str:
    """Return the choice of an assumption that is in force."""
    return assumed.get(one.id, one.ours.id)


def named(reading: Reading) -> str:
    """Return a reading as options write it: `list-order=newest-first, window=sliding`."""
    return ", ".join(f"{name}={choice}" for name, choice in reading.items())
