"""Searches of a table, with the filters, orders and totals of our own records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Numeric,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import DateTime, TypeEngine

from oneo.errors import UserError
from oneo.filters import Clause, clauses_in, parse
from oneo.filters.compile import as_text, fitting
from oneo.filters.parse import field_path
from oneo.sql_table import kinds
from oneo.sql_table.fields import TableFields
from oneo.sql_table.layout import Layout, TableRecord
from oneo.store.ordering import Column, after, check_sort, read_cursor, write_cursor, wrong_cursor
from oneo.store.record_store import RecordPage
from oneo.store.search import MAX_LIMIT
from oneo.store.totals import Function, wants
from oneo.suggest import did_you_mean

_TIME_TYPES = ("date", "datetime")
_LARGEST, _SMALLEST = 1.7e308, 1e-300
# How much of a text an order looks at, as with our own records.
_LENGTH = 200


class TableSearch:
    """Searches a table.

    Args:
        session: A session of the table's database.
        layout: The table.
    """

    def __init__(self, session: Session, layout: Layout) -> None:
        self._session = session
        self._layout = layout
        self._fields = TableFields(layout)

    def one(self, record_id: str, *, lock: bool = False) -> TableRecord | None:
        """The record of an id, be it deleted or not."""
        if self._layout.key_value(record_id) is None:
            return None
        rows = self._read(self._rows().where(self._layout.is_row(record_id)), lock=lock)
        return rows[0] if rows else None

    def find(self, filters: Mapping[str, Any], *, limit: int) -> list[TableRecord]:
        """The oldest records that fit, locked."""
        _check_limit(limit)
        order = [one.order for one in self._order({})]
        return self._read(self._rows().where(self.fits(filters)).order_by(*order).limit(limit), lock=True)

    def equal(self, name: str, value: Any) -> list[TableRecord]:
        """The records whose field equals a value, oldest first; not locked."""
        clause = fitting([Clause((name,), "$eq", value)], self._fields)
        query = self._rows().where(self._layout.is_there, clause)
        return self._read(query.order_by(*(one.order for one in self._order({}))).limit(MAX_LIMIT))

    def page(
        self, filters: Mapping[str, Any], *, sort: Mapping[str, int], limit: int, cursor: str | None
    ) -> RecordPage:
        """Records that fit, in the order of our own records."""
        _check_limit(limit)
        self._check("sort", check_sort(sort))
        order = self._order(sort)
        names = self._layout.shown
        query = self._rows().add_columns(*(one.expression for one in order)).where(self.fits(filters))
        if cursor is not None:
            query = query.where(after(order, self._cursor(sort, cursor, order)))
        rows = self._session.execute(query.order_by(*(one.order for one in order)).limit(limit + 1)).all()
        views = [self._layout.record(row).view for row in rows[:limit]]
        if len(rows) <= limit:
            return RecordPage(views, None)
        ends = [_plain(value) for value in tuple(rows[limit - 1])[len(names) :]]
        return RecordPage(views, write_cursor(self._layout.spec.id, sort, ends))

    def count(self, filters: Mapping[str, Any]) -> int:
        """How many records fit."""
        query = select(func.count()).select_from(self._layout.table)
        return self._session.scalar(query.where(self.fits(filters))) or 0

    def totals(
        self,
        filters: Mapping[str, Any],
        fields: Sequence[str],
        *,
        functions: Sequence[Function],
        group_by: Sequence[str],
        limit: int,
    ) -> list[dict[str, Any]]:
        """Totals over the records that fit."""
        wanted = wants(fields, functions, group_by, limit)
        fits = self.fits(filters)
        self._check("aggregate", wanted.names)
        return wanted.over(self._session, self._fields, self._layout.types, fits, self._layout.table)

    def fits(self, filters: Mapping[str, Any]) -> ColumnElement[bool]:
        """That a row is a record, and fits a filter."""
        found = parse(filters, self._layout.types)
        self._check("filter", (clause.field[0] for clause in clauses_in(found) if clause.field))
        return and_(self._layout.is_there, fitting(found, self._fields))

    def _check(self, use: str, names: Iterable[str]) -> None:
        known = self._layout.known
        unknown = [name for name in dict.fromkeys(names) if name not in known]
        if unknown:
            pipeline = self._layout.spec.id
            found = [f"{use}: pipeline {pipeline!r} has no field {name!r}" for name in unknown]
            hints = dict.fromkeys(did_you_mean(name, known) for name in unknown)
            raise UserError(
                "; ".join(found), hint="; ".join(hints) + "; map its column in source.fields first"
            )

    def _rows(self) -> Select[Any]:
        return select(*self._layout.selected).select_from(self._layout.table)

    def _read(self, query: Select[Any], *, lock: bool = False) -> list[TableRecord]:
        rows = self._session.execute(query.with_for_update(of=self._layout.table) if lock else query)
        return [self._layout.record(row) for row in rows]

    def _cursor(self, sort: Mapping[str, int], cursor: str, order: Sequence[Column]) -> list[Any]:
        values = read_cursor(self._layout.spec.id, sort, cursor)
        try:
            return [one.read(value) for one, value in zip(order, values, strict=True)]
        except (ValueError, TypeError, AttributeError):
            raise wrong_cursor() from None

    def _order(self, sort: Mapping[str, int]) -> list[Column]:
        """What is sorted by, then age and key; what has no value comes last."""
        found: list[Column] = []
        descends = False
        for name, direction in sort.items():
            descends = direction == -1
            found += [Column(*part, descends) for part in self._key(field_path(name), descends=descends)]
        layout = self._layout
        if layout.source.created_at is not None:
            age = func.coalesce(layout.time(layout.source.created_at), func.to_timestamp(0))
            found.append(Column(age, DateTime(timezone=True), descends))
        kind, key = layout.kind(layout.source.key), layout.key
        if kind in kinds.INTEGERS:
            found.append(Column(cast(key, Numeric), Numeric(), descends))
        elif kind == "uuid":
            found.append(Column(cast(key, Uuid), Uuid(), descends))
        else:
            found.append(Column(cast(key, Text).collate("C"), Text(), descends))
        return found

    def _key(self, path: tuple[str, ...], *, descends: bool) -> list[tuple[Any, TypeEngine[Any]]]:
        """Kind, number and text of a value: texts, numbers, true and false, times, as in our own store."""
        is_time = path[0] in ("created_at", "updated_at") or self._layout.types.get(path[0]) in _TIME_TYPES
        missing = literal(0 if descends else 99, SmallInteger)
        if is_time and len(path) == 1:
            moment = self._fields.time(path)
            kind = case((moment.is_(None), missing), else_=literal(4, SmallInteger))
            seconds = func.coalesce(cast(func.extract("epoch", moment), Double), 0)
            return [(kind, SmallInteger()), (seconds, Double())]
        value = self._fields.json(path)
        of = func.jsonb_typeof(value)
        ranks = {"string": 1, "number": 2, "boolean": 3}
        kind = case(
            *((of == name, literal(rank, SmallInteger)) for name, rank in ranks.items()), else_=missing
        )
        held = cast(value, Numeric)
        bounded = case(
            (func.abs(held) < _SMALLEST, 0), else_=func.least(func.greatest(held, -_LARGEST), _LARGEST)
        )
        number = case((of == "number", cast(bounded, Double)), (value == literal(True, JSONB), 1), else_=0)
        text = case((of == "string", func.left(as_text(value), _LENGTH)), else_="")
        parts: list[tuple[Any, TypeEngine[Any]]] = [(kind, SmallInteger())]
        return [*parts, (cast(number, Double), Double()), (cast(text, Text).collate("C"), Text())]


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise UserError(f"limit is {limit}", hint=f"1 to {MAX_LIMIT:,}")


def _plain(value: Any) -> Any:
    # A number of the database as one of JSON.
    return int(value) if isinstance(value, Decimal) else value
