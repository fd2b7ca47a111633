"""All mutants of this package: importing it registers those of each module."""

from contract_tests.mutants import (
    bodies,
    connections,
    credentials,
    equivalent,
    json_text,
    limits,
    paths,
    responses,
    storage,
)
from contract_tests.mutants.bench import MUTANTS

__all__ = ["MODULES", "MUTANTS"]

MODULES = (bodies, connections, credentials, equivalent, json_text, limits, paths, responses, storage)
