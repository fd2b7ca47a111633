"""All rules, in the order of the documentation."""

from mock_server.journal import rules_sent  # isort: skip  # each module registers its rules when it is imported
from mock_server.journal import rules_limits  # isort: skip
from mock_server.journal import rules_reading  # isort: skip
from mock_server.journal import rules_lists  # isort: skip
from mock_server.journal import rules_refusals  # isort: skip
from mock_server.journal import rules_prospects  # isort: skip
from mock_server.journal import rules_run  # isort: skip
from mock_server.journal.rule import RULES, Breach, Rule, Run, broken

__all__ = [
    "RULES",
    "Breach",
    "Rule",
    "Run",
    "broken",
    "rules_limits",
    "rules_lists",
    "rules_prospects",
    "rules_reading",
    "rules_refusals",
    "rules_run",
    "rules_sent",
]
