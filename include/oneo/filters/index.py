"""What the index of record values can say about a clause: never too little, sometimes too much.

Its columns are narrower than JSON (see the migration that made it), so each answer is a first choice: the clause
itself still decides on the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, SmallInteger, and_, false, literal, or_, select

from oneo.filters.clauses import Clause
from oneo.filters.opened import Open
from oneo.filters.values import TEXT_LENGTH, entry_value, moment
from oneo.store.models import RECORDS, RecordIndex

TEXT, NUMBER, BOOLEAN, TIME = 1, 2, 3, 4
_LAST_CHARACTER = 0x10FFFF


def entries() -> FromClause:
    """The entries of the index, apart from any other use of them in the same query."""
    return RecordIndex.__table__.alias()


def narrowed(clause: Clause, indexed: Mapping[str, str]) -> ColumnElement[bool] | None:
    """That the record is among those the index finds for the clause; None where the index cannot help."""
    row = entries()
    found = span(clause, indexed, row)
    if found is None:
        return _by_column(clause)
    mine = select(row.c.record_id).where(
        row.c.tenant_id == RECORDS.tenant_id,
        row.c.pipeline_id == RECORDS.pipeline_id,
        row.c.field == clause.field[0],
        found,
    )
    return RECORDS.id.in_(mine)


def span(clause: Clause, indexed: Mapping[str, str], row: FromClause) -> ColumnElement[bool] | None:
    """Which entries of an indexed field the clause may hold for; None where that cannot be said.

    Args:
        clause: The clause.
        indexed: Indexed fields with their types.
        row: The entry of the clause's field.
    """
    if len(clause.field) != 1 or clause.field[0] not in indexed or clause.is_column_time:
        return None
    is_time_field = indexed[clause.field[0]] in ("date", "datetime")
    if is_time_field and not clause.as_time:
        return None
    match clause.operator:
        case "$eq" | "$in":
            values = clause.value if clause.operator == "$in" else [clause.value]
            return None if None in values else _any_of(values, row, is_time_field)
        case "$gt" | "$gte":
            kind, column, value = _entry(clause.value, row, is_time_field)
            return and_(_is(row, kind), column >= value)
        case "$lt" | "$lte":
            kind, column, value = _entry(clause.value, row, is_time_field)
            return and_(_is(row, kind), column <= value)
        case "$starts_with":
            start = clause.value[:TEXT_LENGTH]
            after = _after(start)
            ends = [row.c.text < after] if after else []
            return and_(_is(row, TEXT), row.c.text >= start, *ends)
    return None


def _by_column(clause: Clause) -> ColumnElement[bool] | None:
    """The same for the columns that have an index of their own."""
    values = clause.value if clause.operator == "$in" else [clause.value]
    if clause.operator not in ("$eq", "$in") or not all(isinstance(one, str) for one in values):
        return None
    if clause.field == ("external_id",):
        return RECORDS.external_id.in_(values)
    return RECORDS.id.in_([one for one in map(_uuid, values) if one]) if clause.field == ("id",) else None


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None


def _any_of(values: list[Any], row: FromClause, is_time: bool) -> ColumnElement[bool]:
    """Entries of one of the values, by kind."""
    found: dict[int, tuple[Any, list[Any]]] = {}
    for one in values:
        kind, column, value = _entry(one, row, is_time)
        found.setdefault(kind, (column, []))[1].append(value)
    parts = []
    for kind, (column, wanted) in found.items():
        same = column == wanted[0] if len(wanted) == 1 else column.in_(wanted)
        parts.append(and_(_is(row, kind), same))
    return or_(false(), *parts)


def _is(row: FromClause, kind: int) -> ColumnElement[bool]:
    same = row.c.kind == literal(kind, SmallInteger)
    return and_(same, row.c.number == 0) if kind == TEXT else same


def _entry(value: Any, row: FromClause, is_time: bool) -> tuple[int, Any, Any]:
    """Kind, column and value of the entry that a value has."""
    if is_time:
        found = moment(value)
        return TIME, row.c.number, found.timestamp() if found else 0.0
    kind = value.kind if isinstance(value, Open) else type(value)
    entry = value.entry if isinstance(value, Open) else entry_value(value)
    if kind is bool:
        return BOOLEAN, row.c.number, entry
    return (TEXT, row.c.text, entry) if kind is str else (NUMBER, row.c.number, entry)


def _after(start: str) -> str | None:
    """The first text behind all that start with `start`; None where there is none."""
    kept = start.rstrip(chr(_LAST_CHARACTER))
    if not kept:
        return None
    following = ord(kept[-1]) + 1
    # Half a character is none.
    return kept[:-1] + chr(0xE000 if following == 0xD800 else following)
