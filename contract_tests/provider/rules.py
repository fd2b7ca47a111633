"""All rules for providers, in the order of reports."""

from __future__ import annotations

from contract_tests.provider import body_rules, limit_rules, request_rules, response_rules
from contract_tests.provider.rule import Rule

STORAGE = Rule(
    "stores-what-was-sent",
    "Accepted prospects are stored completely, in order and to the last digit; of a refused request, nothing is.",
    "the user's own expectation; judged where a provider shows its prospects",
)
SCHEMATHESIS = Rule(
    "schemathesis",
    "Every request that Schemathesis generates from the document gets a documented response.",
    "openapi.yaml, and the documented prose that the overlay adds",
)

_MODULES = (body_rules, request_rules, response_rules)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        *(value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)),
        *limit_rules.RULES,
        STORAGE,
        SCHEMATHESIS,
    )
}
"""By id."""
