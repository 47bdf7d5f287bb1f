"""Filters against one record in memory: the dispatcher's side of the language."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from oneo.filters.parse import Clause

_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


def matches(clauses: Sequence[Clause], record: Mapping[str, Any]) -> Clause | None:
    """The first clause that does not hold for `record`, or None where all hold.

    The deciding clause, not just a yes or no: it is what explains why a workflow did not start.
    """
    for clause in clauses:
        if not _holds(clause, _value(record, clause.field)):
            return clause
    return None


def _value(record: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(record, Mapping):
            return None
        record = record.get(name)
    return record


def _holds(clause: Clause, actual: Any) -> bool:
    wanted = clause.value
    match clause.operator:
        case "$eq":
            return _equal(actual, wanted)
        case "$ne":
            return not _equal(actual, wanted)
        case "$in":
            return any(_equal(actual, one) for one in wanted)
        case "$nin":
            return not any(_equal(actual, one) for one in wanted)
        case "$exists":
            return (actual is not None) is wanted
        case "$contains":
            if isinstance(actual, str):
                return isinstance(wanted, str) and wanted in actual
            return isinstance(actual, list) and any(_equal(one, wanted) for one in actual)
        case "$starts_with":
            return isinstance(actual, str) and actual.startswith(wanted)
        case "$ends_with":
            return isinstance(actual, str) and actual.endswith(wanted)
        case ordered:
            return _kind(actual) == _kind(wanted) and _ORDER[ordered](actual, wanted)


def _kind(value: Any) -> str:
    """Numbers compare with numbers and texts with texts; a bool is neither."""
    if isinstance(value, bool) or value is None:
        return "other"
    return "number" if isinstance(value, int | float) else type(value).__name__


def _equal(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and left == right
