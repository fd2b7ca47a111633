"""All rules for providers, in the order of reports."""

from __future__ import annotations

from contract_tests.provider import (
    account_rules,
    body_rules,
    limit_rules,
    operation_rules,
    page_rules,
    request_rules,
    response_rules,
    state_rules,
)
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

_MODULES = (operation_rules, body_rules, request_rules, response_rules)

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        *(value for module in _MODULES for value in vars(module).values() if isinstance(value, Rule)),
        *limit_rules.RULES,
        *page_rules.RULES,
        *state_rules.RULES,
        *account_rules.RULES,
        STORAGE,
        SCHEMATHESIS,
    )
}
"""By id."""

PROCEDURES = {**state_rules.PROCEDURES, **account_rules.PROCEDURES}
"""How rules about state are judged, by rule."""

FAMILIES: dict[str, tuple[str, ...]] = {
    "served": ("served",),
    "parameters": ("parameters",),
    "body": (
        "body",
        *(rule.id for rule in vars(body_rules).values() if isinstance(rule, Rule)),
        *("robust-against-odd-json", "robust-against-size", "framing", "usable-after-an-error"),
    ),
    "credentials": (
        *("token-is-required", "token-must-be-known", "scheme-is-bearer", "token-comes-first"),
        *("token-is-needed-each-time", "odd-tokens-are-refused", "account-header"),
    ),
    "ids": ("unknown-id", "foreign-id", "id-in-either-case", "malformed-id"),
    "paths": ("no-other-paths", "other-methods", "odd-methods", "method-overrides"),
    "responses": tuple(rule.id for rule in vars(response_rules).values() if isinstance(rule, Rule)),
    "limits": tuple(rule.id for rule in limit_rules.RULES),
    "pages": page_rules.PAGING,
    "state": (STORAGE.id, *PROCEDURES),
    "generated": (SCHEMATHESIS.id,),
}
"""The rules by what they are about, as the table of operations shows them."""
