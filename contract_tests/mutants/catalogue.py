"""All mutants of this package: importing it registers those of each module."""

from contract_tests.mutants import (
    bodies,
    connections,
    credentials,
    derived,
    equivalent,
    json_text,
    limits,
    operations,
    paths,
    responses,
    state,
    storage,
)
from contract_tests.mutants.bench import MUTANTS

__all__ = ["MODULES", "MUTANTS"]

MODULES = (
    bodies,
    connections,
    credentials,
    derived,
    equivalent,
    json_text,
    limits,
    operations,
    paths,
    responses,
    state,
    storage,
)
