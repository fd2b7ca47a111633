"""Print docs/rules.md: `python -m contract_tests.rules > docs/rules.md`."""

from contract_tests.rules.page import page

print(page(), end="")  # noqa: T201 - that is what it is for
