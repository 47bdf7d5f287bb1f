"""The filter language of triggers, `find_records` and the API: parse once, match in memory or compile to SQL."""

from oneo.filters.clauses import Clause, Condition, Group, clauses_in, demanded
from oneo.filters.match import matches, value_at
from oneo.filters.parse import GROUPS, OPERATORS, parse

__all__ = [
    "GROUPS",
    "OPERATORS",
    "Clause",
    "Condition",
    "Group",
    "clauses_in",
    "demanded",
    "matches",
    "parse",
    "value_at",
]
