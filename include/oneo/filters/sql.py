"""Filters as parametrised SQL over the record table: never a built string."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, false, func, literal, not_, null, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from oneo.filters.parse import Clause, not_a_time
from oneo.filters.values import moment
from oneo.store.models import Record

# Fields that are columns of their own, beside the record's data.
COLUMNS = {
    "id": Record.id,
    "pipeline_id": Record.pipeline_id,
    "stage": Record.stage,
    "owner": Record.owner,
    "external_id": Record.external_id,
    "version": Record.version,
}
TIMES = {"created_at": Record.created_at, "updated_at": Record.updated_at}
_ORDER = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}


def where(clauses: Sequence[Clause]) -> ColumnElement[bool]:
    """The SQL condition that all clauses hold, agreeing with `oneo.filters.match` on every record."""
    return and_(true(), *(_clause(clause) for clause in clauses))


def json_value(field: tuple[str, ...]) -> Any:
    """A field as JSONB: a path into the data, or a column turned into JSON."""
    column = (COLUMNS | TIMES).get(field[0])
    if column is None:
        return Record.data.op("#>")(cast(list(field), ARRAY(Text)))
    # A column hides data of its name, and nothing lies below it.
    return func.to_jsonb(column) if len(field) == 1 else cast(null(), JSONB)


def sort_value(field: tuple[str, ...]) -> Any:
    """What records are sorted by; a null counts as missing."""
    if len(field) == 1 and field[0] in TIMES:
        return TIMES[field[0]]
    return func.nullif(json_value(field), cast("null", Text).cast(JSONB))


def text_value(field: tuple[str, ...]) -> Any:
    """A field as text, null where it is missing."""
    return _text(json_value(field))


def _text(value: Any) -> Any:
    return value.op("#>>")(cast([], ARRAY(Text))).cast(Text)


def _clause(clause: Clause) -> ColumnElement[bool]:
    if clause.is_time:
        return _time_clause(clause)
    value = json_value(clause.field)
    kind = func.coalesce(func.jsonb_typeof(value), "null")
    text = _text(value)
    wanted = clause.value
    match clause.operator:
        case "$eq":
            return _equal(value, wanted)
        case "$ne":
            return not_(_equal(value, wanted))
        case "$in":
            return or_(false(), *(_equal(value, one) for one in wanted))
        case "$nin":
            return not_(or_(false(), *(_equal(value, one) for one in wanted)))
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
        case ordered:
            compare = _ORDER[ordered]
            if isinstance(wanted, str):
                return and_(kind == "string", compare(text.collate("C"), wanted))
            return and_(kind == "number", compare(value, _json(wanted)))


def _equal(value: ColumnElement[Any], wanted: Any) -> ColumnElement[bool]:
    if wanted is None:
        return func.coalesce(func.jsonb_typeof(value), "null") == "null"
    return func.coalesce(value.op("=", is_comparison=True)(_json(wanted)), false())


def _json(value: Any) -> ColumnElement[Any]:
    return literal(value, JSONB)


def _time_clause(clause: Clause) -> ColumnElement[bool]:
    column = TIMES[clause.field[0]]
    wanted = clause.value
    if clause.operator == "$exists":
        return column.is_not(None) if wanted else column.is_(None)
    if clause.operator in _ORDER:
        in_order: ColumnElement[bool] = _ORDER[clause.operator](column, _moment(clause, wanted))
        return in_order
    values = wanted if isinstance(wanted, list) else [wanted]
    same = or_(false(), *(column == _moment(clause, one) for one in values if one is not None))
    return not_(same) if clause.operator in ("$ne", "$nin") else same


def _moment(clause: Clause, value: Any) -> datetime:
    found = moment(value)
    if found is None:
        raise not_a_time(clause.field[0], value)
    return found
