"""Print docs/rules.md: `python -m contract_tests.reporting > docs/rules.md`."""

from contract_tests.reporting.rules_page import page

print(page(), end="")  # noqa: T201 - that is what it is for
