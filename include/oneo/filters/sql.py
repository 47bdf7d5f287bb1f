"""Filters as parametrised SQL over the record table: never a built string."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, cast, false, func, literal, not_, or_, true
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from oneo.errors import UserError
from oneo.filters.parse import Clause
from oneo.store.models import Record

# Fields that are columns of their own, beside the record's data.
COLUMNS = {
    "id": Record.id,
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
    if len(field) == 1 and field[0] in COLUMNS:
        return func.to_jsonb(COLUMNS[field[0]])
    if len(field) == 1 and field[0] in TIMES:
        return func.to_jsonb(TIMES[field[0]])
    return Record.data.op("#>")(cast(list(field), ARRAY(Text)))


def text_value(field: tuple[str, ...]) -> Any:
    """A field as text, null where it is missing."""
    return _text(json_value(field))


def _text(value: Any) -> Any:
    return value.op("#>>")(cast([], ARRAY(Text))).cast(Text)


def _clause(clause: Clause) -> ColumnElement[bool]:
    if len(clause.field) == 1 and clause.field[0] in TIMES and clause.operator in _ORDER:
        in_order: ColumnElement[bool] = _ORDER[clause.operator](TIMES[clause.field[0]], _moment(clause))
        return in_order
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


def _moment(clause: Clause) -> datetime:
    try:
        moment = datetime.fromisoformat(clause.value)
    except (TypeError, ValueError):
        raise UserError(
            f"filter on {clause.field[0]!r}: {clause.value!r} is not a date and time",
            hint="write ISO 8601, e.g. 2026-01-31T09:00:00+00:00, or an expression such as {{last_week}}",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
