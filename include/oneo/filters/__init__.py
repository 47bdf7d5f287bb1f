"""The filter language of triggers, `find_records` and the API: parse once, match in memory or compile to SQL."""

from oneo.filters.clauses import Clause, Condition, Group, clauses_in
from oneo.filters.match import matches
from oneo.filters.parse import GROUPS, OPERATORS, parse

__all__ = ["GROUPS", "OPERATORS", "Clause", "Condition", "Group", "clauses_in", "matches", "parse"]
