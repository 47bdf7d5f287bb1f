"""Fields of a table for filters, as those of our own records are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Numeric,
    Text,
    Uuid,
    and_,
    cast,
    false,
    func,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH

from oneo.filters.clauses import Clause
from oneo.filters.compile import as_text
from oneo.filters.values import moment
from oneo.sql_table import kinds
from oneo.sql_table.layout import Layout

_BOUNDS = {"$gt": ">=", "$gte": ">=", "$lt": "<=", "$lte": "<="}


class TableFields:
    """Where the fields of a table's records stand.

    Args:
        layout: The table.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def json(self, path: tuple[str, ...]) -> Any:
        """A field as JSONB, null where it is missing."""
        found = self._layout.json(path[0])
        return found if len(path) == 1 else found.op("#>")(cast(list(path[1:]), ARRAY(Text)))

    def time(self, path: tuple[str, ...]) -> Any:
        """A field of times as a moment, null where it holds none."""
        column = self._column(path[0])
        return cast(null(), DateTime(timezone=True)) if column is None else self._layout.time(column)

    def written(self) -> tuple[Any, Any]:
        """What somebody wrote into the record: as JSONB, and all of it as one text."""
        layout = self._layout
        parts = [part for name in layout.columns for part in (literal(name), layout.json(name))]
        texts = (cast(layout.table.c[column], Text) for column in layout.columns.values())
        return func.jsonb_build_object(*parts, type_=JSONB), func.concat_ws(" ", *texts)

    def holds(self, value: Any, pattern: str) -> ColumnElement[bool]:
        """Whether some text in a JSONB value, however deep, fits a pattern."""
        one = func.jsonb_path_query(value, cast("$.**", JSONPATH), type_=JSONB).column_valued("one")
        fits = as_text(one).collate("C").op("~", is_comparison=True)(pattern)
        return select(literal(1)).where(func.jsonb_typeof(one) == "string", fits).exists()

    def narrowed(self, clause: Clause) -> ColumnElement[bool] | None:
        """The clause as a plain comparison of the column, which an index of the table can serve."""
        if len(clause.field) != 1:
            return None
        if clause.operator in _BOUNDS:
            return self._bound(clause)
        values = clause.value if clause.operator == "$in" else [clause.value]
        if clause.operator not in ("$eq", "$in") or clause.is_time or None in values:
            return None
        if clause.field == ("id",):
            keys = [self._layout.key_value(one) for one in values if isinstance(one, str)]
            found = [key for key in keys if key is not None]
            return self._layout.key.in_(found) if found else false()
        column = self._layout.source.fields.get(clause.field[0])
        kind = self._layout.kind(column) if column is not None else ""
        if column is None or not _is_plain(kind):
            return None
        same = [one for one in (_literal(kind, value) for value in values) if one is not None]
        return self._layout.table.c[column].in_(same) if same else false()

    def _bound(self, clause: Clause) -> ColumnElement[bool] | None:
        column = self._column(clause.field[0])
        kind = self._layout.kind(column) if column is not None else ""
        if column is None or (clause.is_time and kind != "timestamptz"):
            return None
        value: ColumnElement[Any] | None = None
        if clause.is_time:
            value = literal(moment(clause.value), DateTime(timezone=True))
        elif clause.field[0] in self._layout.source.fields and kind in (*kinds.INTEGERS, "numeric"):
            value = _literal(kind, clause.value)
        compare = self._layout.table.c[column].op(_BOUNDS[clause.operator], is_comparison=True)
        return None if value is None else and_(compare(value))

    def _column(self, name: str) -> str | None:
        layout = self._layout
        found = layout.columns.get(name)
        return (
            getattr(layout.source, name) if found is None and name in ("created_at", "updated_at") else found
        )


def _is_plain(kind: str) -> bool:
    """Whether equality of JSON values of a column follows from that of the column itself."""
    return kind in (*kinds.INTEGERS, "numeric", "text", "varchar", "uuid")


def _literal(kind: str, value: Any) -> ColumnElement[Any] | None:
    """A value to compare a column with; None where no value of the column equals it."""
    if kind in kinds.INTEGERS:
        number = None if isinstance(value, str) else kinds.whole("int8", value)
        return None if number is None else literal(number, BigInteger)
    if kind == "numeric":
        exact = kinds.number_of(value)
        return None if exact is None else literal(exact, Numeric)
    if kind == "uuid":
        found = kinds.uuid_of(value)
        return None if found is None else literal(found, Uuid)
    return literal(value, Text) if isinstance(value, str) else None
