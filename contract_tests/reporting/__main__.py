"""Print a generated page: `python -m contract_tests.reporting rules > docs/rules.md`, the same for `assumptions`."""

import sys

from contract_tests.reporting import assumptions_page, rules_page

PAGES = {"rules": rules_page.page, "assumptions": assumptions_page.page}

if sys.argv[1:2] not in [[name] for name in PAGES]:
    sys.exit(f"name one page: {', '.join(PAGES)}")
print(PAGES[sys.argv[1]](), end="")  # noqa: T201 - that is what it is for
