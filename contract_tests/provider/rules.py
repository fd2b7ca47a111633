"""All rules for providers, in the order of reports."""

from __future__ import annotations

from contract_tests.provider import (
    body_rules,
    credential_rules,
    limit_rules,
    path_rules,
    response_rules,
    robustness_rules,
    storage_rule,
)
from contract_tests.provider.rule import Rule

SCHEMATHESIS = Rule(
    "schemathesis",
    "Every request that Schemathesis generates from the document gets a documented response.",
    "openapi.yaml, and the documented prose that the overlay adds",
)

_MODULES = (body_rules, credential_rules, path_rules, robustness_rules, response_rules)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        *(value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)),
        *limit_rules.RULES,
        storage_rule.RULE,
        SCHEMATHESIS,
    )
}
"""By id."""
