"""The page of all rules, made of the rules themselves."""

from __future__ import annotations

import re

import contract_tests.provider.limits
import contract_tests.provider.verify  # noqa: F401 - both declare rules
from contract_tests.consumer import rules as consumer
from contract_tests.provider import rules as provider

HEAD = """# Rules

Made by `python -m contract_tests.reporting > docs/rules.md`; a test keeps it in step.

## Of a provider

What [`alta-mock verify`](verify.md) holds a server against. What the vendor documents must be kept; what its pages
leave open passes either way. Each rule also has legal near misses, which must pass.

| rule | a provider must | source |
| --- | --- | --- |
"""

MIDDLE = """
## Of a consumer

What the [client](client.md) is held against. A warning is about what is unwise but works.

| rule | a consumer must | basis | severity |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return docs/rules.md."""
    provider_rows = [f"| `{one.id}` | {one.statement} | {_linked(one.source)} |" for one in provider.RULES.values()]
    consumer_rows = [
        f"| `{one.id}` | {one.statement} | {_linked(one.source) if one.basis == consumer.DOCUMENTED else one.source} |"
        f" {one.severity} |"
        for one in consumer.RULES.values()
    ]
    return HEAD + "\n".join(provider_rows) + "\n" + MIDDLE + "\n".join(consumer_rows) + "\n"


def _linked(source: str) -> str:
    """Make links of the addresses in a source."""
    return re.sub(r"https?://[^ ;,]+", lambda found: f"<{found[0]}>", source)
