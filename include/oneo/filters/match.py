"""Filters against one record in memory: the dispatcher's side of the language."""

from __future__ import annotations

import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

from oneo.filters.clauses import Clause, Condition
from oneo.filters.pattern import pattern
from oneo.filters.values import exact, held_moment, is_number, moment
from oneo.filters.words import texts_in, words

_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
_INDEX = re.compile(r"\s*[+-]?[0-9]{1,9}")
# What a record has beside its data and nobody wrote.
_UNSEARCHED = ("id", "pipeline_id", "version", "created_at", "updated_at")


def matches(conditions: Sequence[Condition], record: Mapping[str, Any]) -> Condition | None:
    """The first condition that does not hold for `record`, or None where all hold.

    The deciding condition, not just a yes or no: it is what explains why a workflow did not start.
    """
    for condition in conditions:
        if not _holds(condition, record):
            return condition
    return None


def _holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    if isinstance(condition, Clause):
        if not condition.field:
            return _has_words(
                {name: record[name] for name in record if name not in _UNSEARCHED}, condition.value
            )
        value = value_at(record, condition.field)
        return _time_holds(condition, value) if condition.is_time else _clause_holds(condition, value)
    found = (matches(member, record) is None for member in condition.members)
    if condition.operator == "$not":
        return not next(found)
    return any(found) if condition.operator == "$or" else all(found)


def value_at(record: Any, path: tuple[str, ...]) -> Any:
    """What stands at a path of a record; None where nothing does."""
    for name in path:
        if isinstance(record, Mapping):
            record = record.get(name)
        elif isinstance(record, list) and _INDEX.fullmatch(name):
            index = int(name)
            record = record[index] if -len(record) <= index < len(record) else None
        else:
            return None
    return record


def _time_holds(clause: Clause, held: Any) -> bool:
    wanted = clause.value
    if clause.operator == "$exists":
        return (held is not None) is wanted
    # Text in an event's image, a time in a row: the moment is the same.
    actual = moment(held) if clause.is_column_time else held_moment(held)
    if clause.operator in _ORDER:
        bound = moment(wanted)
        return actual is not None and bound is not None and bool(_ORDER[clause.operator](actual, bound))
    values = wanted if isinstance(wanted, list) else [wanted]
    same = any(
        held is None if one is None else actual is not None and actual == moment(one) for one in values
    )
    return same is (clause.operator in ("$eq", "$in"))


def _clause_holds(clause: Clause, actual: Any) -> bool:
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
        case "$regex":
            return isinstance(actual, str) and pattern(wanted).found_in(actual)
        case "$search":
            return _has_words(actual, wanted)
        case ordered:
            return _kind(actual) == _kind(wanted) != "other" and _ORDER[ordered](
                _comparable(actual), _comparable(wanted)
            )


def _has_words(value: Any, wanted: str) -> bool:
    texts = list(texts_in(value))
    return all(any(word.whole.found_in(text) for text in texts) for word in words(wanted))


def _kind(value: Any) -> str:
    """Numbers compare with numbers and texts with texts; a bool is neither."""
    if isinstance(value, bool | list | Mapping) or value is None:
        return "other"
    return "number" if is_number(value) else type(value).__name__


def _equal(left: Any, right: Any) -> bool:
    return isinstance(left, bool) == isinstance(right, bool) and _comparable(left) == _comparable(right)


def _comparable(value: Any) -> Any:
    return exact(value) if is_number(value) else value
