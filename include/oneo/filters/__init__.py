"""The filter language of triggers, `find_records` and the API: parse once, match in memory or compile to SQL."""

from oneo.filters.match import matches, value_at
from oneo.filters.parse import OPERATORS, Clause, parse

__all__ = ["OPERATORS", "Clause", "matches", "parse", "value_at"]
