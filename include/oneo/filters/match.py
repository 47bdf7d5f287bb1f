"""Filters against one record in memory: the dispatcher's side of the language."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

from oneo.filters.parse import Clause
from oneo.filters.values import exact, is_number, moment

_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
_INDEX = re.compile(r"\s*[+-]?[0-9]{1,9}")


def matches(clauses: Sequence[Clause], record: Mapping[str, Any]) -> Clause | None:
    """The first clause that does not hold for `record`, or None where all hold.

    The deciding clause, not just a yes or no: it is what explains why a workflow did not start.
    """
    for clause in clauses:
        if not _holds(clause, value_at(record, clause.field)):
            return clause
    return None


def value_at(record: Any, path: tuple[str, ...]) -> Any:
    """What stands in a field of a record; None where nothing does."""
    for name in path:
        if isinstance(record, Mapping):
            record = record.get(name)
        elif isinstance(record, list) and _INDEX.fullmatch(name):
            index = int(name)
            record = record[index] if -len(record) <= index < len(record) else None
        else:
            return None
    return record


def _holds(clause: Clause, actual: Any) -> bool:
    wanted = clause.value
    if clause.is_time:
        # Text in an event's image, a time in a row: the moment is the same.
        actual = moment(actual)
        wanted = [moment(one) for one in wanted] if isinstance(wanted, list) else _moment(wanted)
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
            return _kind(actual) == _kind(wanted) != "other" and _ORDER[ordered](
                _comparable(actual), _comparable(wanted)
            )


def _moment(wanted: Any) -> Any:
    return wanted if isinstance(wanted, bool) else moment(wanted)


def _kind(value: Any) -> str:
    """Numbers compare with numbers and texts with texts; a bool is neither."""
    if isinstance(value, bool | list | Mapping) or value is None:
        return "other"
    return "number" if is_number(value) else type(value).__name__


def _equal(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and _comparable(left) == _comparable(right)


def _comparable(value: Any) -> Any:
    return exact(value) if is_number(value) else value
