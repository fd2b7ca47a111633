"""All mutants of this package: importing it registers those of each module."""

from contract_tests.mutants import (
    accounts,
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
    accounts,
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
