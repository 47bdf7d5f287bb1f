"""Filters as parametrised SQL over whatever holds the records: never a built string."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, and_, any_, cast, false, func, literal, not_, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import DateTime, Text

from oneo.filters.clauses import Clause, Condition
from oneo.filters.opened import Open
from oneo.filters.pattern import pattern
from oneo.filters.values import moment
from oneo.filters.words import words

_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


class Fields(Protocol):
    """Where the fields of records stand in SQL."""

    def json(self, path: tuple[str, ...]) -> Any:
        """A field as JSONB, null where it is missing."""

    def time(self, path: tuple[str, ...]) -> Any:
        """A field of times as a moment, null where it holds none."""

    def written(self) -> tuple[Any, Any]:
        """What somebody wrote into the record: as JSONB, and all of it as one text."""

    def holds(self, value: Any, pattern: str) -> ColumnElement[bool]:
        """Whether some text in a JSONB value, however deep, fits a pattern."""

    def narrowed(self, clause: Clause) -> ColumnElement[bool] | None:
        """What an index can say about a clause: never too little, sometimes too much; None where it cannot help."""


def fitting(conditions: Sequence[Condition], fields: Fields) -> ColumnElement[bool]:
    """The SQL condition that all conditions hold, agreeing with `oneo.filters.match` on every record."""
    return and_(true(), *(_condition(one, fields) for one in conditions))


def _condition(condition: Condition, fields: Fields) -> ColumnElement[bool]:
    if isinstance(condition, Clause):
        exact = _time_clause(condition, fields) if condition.is_time else _clause(condition, fields)
        first = fields.narrowed(condition)
        # As one value of which the planner knows nothing: its guess about JSON would lead it past the index.
        return exact if first is None else and_(first, func.coalesce(exact, false()))
    members = [fitting(member, fields) for member in condition.members]
    if condition.operator == "$not":
        return not_(members[0])
    return or_(*members) if condition.operator == "$or" else and_(*members)


def as_text(value: Any) -> Any:
    """A JSONB value as text, null where it is missing."""
    return value.op("#>>")(cast([], ARRAY(Text))).cast(Text)


def _clause(clause: Clause, fields: Fields) -> ColumnElement[bool]:
    wanted = clause.value
    if not clause.field:
        return _has_words(*fields.written(), wanted, fields)
    value = fields.json(clause.field)
    kind = func.coalesce(func.jsonb_typeof(value), "null")
    text = as_text(value)
    match clause.operator:
        case "$eq":
            return _equal(value, wanted)
        case "$ne":
            return not_(_equal(value, wanted))
        case "$in":
            return _one_of(value, wanted)
        case "$nin":
            return not_(_one_of(value, wanted))
        case "$exists":
            return kind != "null" if wanted else kind == "null"
        case "$contains":
            in_list = and_(kind == "array", func.coalesce(value.op("@>")(_json([wanted])), false()))
            if isinstance(wanted, str):
                return or_(in_list, and_(kind == "string", func.strpos(text, wanted) > 0))
            return in_list
        case "$starts_with":
            return and_(kind == "string", func.starts_with(text, wanted))
        case "$ends_with":
            return and_(kind == "string", func.right(text, func.length(literal(wanted))) == wanted)
        case "$regex":
            return and_(kind == "string", text.collate("C").op("~", is_comparison=True)(pattern(wanted).sql))
        case "$search":
            return _has_words(value, cast(value, Text), wanted, fields)
        case ordered:
            compare = _ORDER[ordered]
            if isinstance(wanted, Open) and wanted.kind is str:
                return and_(kind == "string", compare(text.collate("C"), wanted.text))
            if isinstance(wanted, str):
                return and_(kind == "string", compare(text.collate("C"), wanted))
            return and_(kind == "number", compare(value, _json(wanted)))


def _equal(value: ColumnElement[Any], wanted: Any) -> ColumnElement[bool]:
    if wanted is None:
        return func.coalesce(func.jsonb_typeof(value), "null") == "null"
    return func.coalesce(value.op("=", is_comparison=True)(_json(wanted)), false())


def _one_of(value: ColumnElement[Any], wanted: list[Any]) -> ColumnElement[bool]:
    given = [one for one in wanted if one is not None]
    is_given = func.coalesce(value == any_(cast(given, ARRAY(JSONB))), false()) if given else false()
    return or_(is_given, _equal(value, None)) if len(given) < len(wanted) else is_given


def _has_words(
    value: ColumnElement[Any], text: ColumnElement[Any], wanted: str, fields: Fields
) -> ColumnElement[bool]:
    """Whether texts in a value have the words.

    Args:
        value: The value.
        text: All of it as one text, in which words that cannot be there are quickly missed.
        wanted: The words.
        fields: Where fields stand.
    """
    found = words(wanted)
    could = [text.collate("C").op("~", is_comparison=True)(word.inside.sql) for word in found]
    return func.coalesce(and_(*could, *(fields.holds(value, word.whole.sql) for word in found)), false())


def _json(value: Any) -> Any:
    return value.json if isinstance(value, Open) else literal(value, JSONB)


def _time_clause(clause: Clause, fields: Fields) -> ColumnElement[bool]:
    wanted = clause.value
    column: ColumnElement[Any] = fields.time(clause.field)
    if clause.operator == "$exists":
        return column.is_not(None) if wanted else column.is_(None)
    if clause.operator in _ORDER:
        return func.coalesce(_ORDER[clause.operator](column, _moment(wanted)), false())
    values = wanted if isinstance(wanted, list) else [wanted]
    moments = cast([_moment(one) for one in values if one is not None], ARRAY(DateTime(True)))
    same: ColumnElement[bool] = func.coalesce(column == any_(moments), false())
    if None in values and not clause.is_column_time:
        same = or_(same, _equal(fields.json(clause.field), None))
    return not_(same) if clause.operator in ("$ne", "$nin") else same


def _moment(value: Any) -> datetime:
    found = moment(value)
    if found is None:
        raise ValueError(value)
    return found
