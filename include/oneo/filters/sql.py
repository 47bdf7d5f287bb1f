"""Filters as parametrised SQL over the record table: never a built string."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, any_, cast, false, func, literal, not_, null, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import DateTime, Text

from oneo.filters.clauses import Clause, Condition
from oneo.filters.index import narrowed
from oneo.filters.opened import Open
from oneo.filters.pattern import pattern
from oneo.filters.values import moment
from oneo.filters.words import words
from oneo.store.models import RECORDS

# Fields that are columns of their own, beside the record's data.
COLUMNS = {
    "id": RECORDS.id,
    "pipeline_id": RECORDS.pipeline_id,
    "stage": RECORDS.stage,
    "owner": RECORDS.owner,
    "external_id": RECORDS.external_id,
    "version": RECORDS.version,
}
TIMES = {"created_at": RECORDS.created_at, "updated_at": RECORDS.updated_at}
_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


def where(conditions: Sequence[Condition], indexed: Mapping[str, str] | None = None) -> ColumnElement[bool]:
    """The SQL condition that all conditions hold, agreeing with `oneo.filters.match` on every record.

    Args:
        conditions: The conditions.
        indexed: The fields of the pipeline that are indexed, with their types. The index is asked first, and the
            record decides.
    """
    return and_(true(), *(_condition(one, indexed or {}) for one in conditions))


def _condition(condition: Condition, indexed: Mapping[str, str]) -> ColumnElement[bool]:
    if isinstance(condition, Clause):
        exact = _time_clause(condition) if condition.is_time else _clause(condition)
        first = narrowed(condition, indexed)
        # As one value of which the planner knows nothing: its guess about JSON would lead it past the index.
        return exact if first is None else and_(first, func.coalesce(exact, false()))
    members = [where(member, indexed) for member in condition.members]
    if condition.operator == "$not":
        return not_(members[0])
    return or_(*members) if condition.operator == "$or" else and_(*members)


def json_value(field: tuple[str, ...]) -> Any:
    """A field as JSONB: a path into the data, or a column turned into JSON."""
    column = (COLUMNS | TIMES).get(field[0])
    if column is None:
        return RECORDS.data.op("#>")(cast(list(field), ARRAY(Text)))
    # A column hides data of its name, and nothing lies below it.
    return func.to_jsonb(column) if len(field) == 1 else cast(null(), JSONB)


def text_value(field: tuple[str, ...]) -> Any:
    """A field as text, null where it is missing."""
    return _text(json_value(field))


def _text(value: Any) -> Any:
    return value.op("#>>")(cast([], ARRAY(Text))).cast(Text)


def _clause(clause: Clause) -> ColumnElement[bool]:
    wanted = clause.value
    if not clause.field:
        return _written_words(wanted)
    value = json_value(clause.field)
    kind = func.coalesce(func.jsonb_typeof(value), "null")
    text = _text(value)
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
            return _has_words(value, cast(value, Text), wanted)
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


def _written_words(wanted: str) -> ColumnElement[bool]:
    """Whether what somebody wrote into the record, its data and the columns beside it, has the words."""
    names = ("id", "pipeline_id", "version", "created_at", "updated_at")
    columns = (RECORDS.stage, RECORDS.owner, RECORDS.external_id)
    beside = [part for column in columns for part in (literal(column.key), column)]
    value = RECORDS.data.op("-")(cast(list(names), ARRAY(Text))).op("||")(func.jsonb_build_object(*beside))
    return _has_words(value, func.concat_ws(" ", cast(RECORDS.data, Text), *columns), wanted)


def _has_words(value: ColumnElement[Any], text: ColumnElement[Any], wanted: str) -> ColumnElement[bool]:
    """Whether texts in a value have the words.

    Args:
        value: The value.
        text: All of it as one text, in which words that cannot be there are quickly missed.
        wanted: The words.
    """
    found = words(wanted)
    could = [text.collate("C").op("~", is_comparison=True)(word.inside.sql) for word in found]
    return func.coalesce(and_(*could, *(func.holds_text(value, word.whole.sql) for word in found)), false())


def _json(value: Any) -> ColumnElement[Any]:
    return value.json if isinstance(value, Open) else literal(value, JSONB)


def _time_clause(clause: Clause) -> ColumnElement[bool]:
    wanted = clause.value
    name = clause.field[0]
    column = (
        TIMES[name]
        if clause.is_column_time
        else func.moment_of(text_value(clause.field), type_=DateTime(True))
    )
    if clause.operator == "$exists":
        return column.is_not(None) if wanted else column.is_(None)
    if clause.operator in _ORDER:
        return func.coalesce(_ORDER[clause.operator](column, _moment(wanted)), false())
    values = wanted if isinstance(wanted, list) else [wanted]
    moments = cast([_moment(one) for one in values if one is not None], ARRAY(DateTime(True)))
    same: ColumnElement[bool] = func.coalesce(column == any_(moments), false())
    if None in values and not clause.is_column_time:
        same = or_(same, _equal(json_value(clause.field), None))
    return not_(same) if clause.operator in ("$ne", "$nin") else same


def _moment(value: Any) -> datetime:
    found = moment(value)
    if found is None:
        raise ValueError(value)
    return found
