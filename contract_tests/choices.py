"""Legal readings of the vendor's documentation: what a fake assumes in place of its defaults."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping

from allpairspy import AllPairs  # type: ignore[import-untyped]  # it has no types

from mock_server.contract.assumptions import checked, switches

Reading = Mapping[str, str]
"""Choices by the ids of their assumptions, without the defaults."""


def single(among: Collection[str] | None = None) -> list[Reading]:
    """Return a reading for each choice that is not a default, of all assumptions or of those that are named."""
    known = switches()
    return [
        {one.id: choice.id} for one in known.values() if among is None or one.id in among for choice in one.choices[1:]
    ]


def pairs(seed: int, without: Collection[Reading] = (), among: Collection[str] | None = None) -> list[Reading]:
    """Return a few readings of many choices at once: together they combine each two choices, defaults included.

    Args:
        seed: Decides how the choices are spread over the readings.
        without: Readings of one choice each, which is left out.
        among: The assumptions that are combined; by default all.
    """
    left_out = {(name, choice) for reading in without for name, choice in reading.items()}
    known = {name: one for name, one in switches().items() if among is None or name in among}
    choices = [
        (one, [choice.id for choice in one.choices if (name, choice.id) not in left_out]) for name, one in known.items()
    ]
    varied = [(one, ids) for one, ids in choices if len(ids) > 1]
    if len(varied) < 2:  # noqa: PLR2004 - a pair
        return []
    shuffled = random.Random(seed).sample(varied, len(varied))  # noqa: S311 - not a secret
    names = [one.id for one, _ in shuffled]
    rows = (dict(zip(names, row, strict=True)) for row in AllPairs([ids for _, ids in shuffled]))
    readings = [checked(row) for row in rows]
    return [reading for reading in readings if len(reading) > 1]


def named(reading: Reading) -> str:
    """Return a reading as options write it: `list-order=newest-first, window=sliding`."""
    return ", ".join(f"{name}={choice}" for name, choice in reading.items())
