"""Searches: pages of the records of a pipeline that fit a filter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    false,
    func,
    not_,
    select,
    true,
)
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.filters import Clause, Condition
from oneo.filters.index import entries, span
from oneo.filters.opened import opened
from oneo.filters.sql import where
from oneo.store.models import RECORDS, Record
from oneo.store.ordering import Column, after, check_sort, columns, read_cursor, write_cursor, wrong_cursor
from oneo.store.searched import Place, Searched, searched

MAX_LIMIT = 10_000


# Rows are quicker than objects, and a page of them is only read.
_ROW = tuple(RECORDS)
# Parameter of a query: how many records.
_MOST = "most"


@dataclass(frozen=True)
class Page:
    """Records in order, and where the next page starts.

    Attributes:
        rows: With the attributes of a `Record`.
        cursor: None where there is no further record.
    """

    rows: list[Row[Any]]
    cursor: str | None


def condition(session: Session, pipeline_id: str, filters: Mapping[str, Any]) -> ColumnElement[bool]:
    """That a record is in the pipeline and fits `filters`.

    Raises:
        UserError: A filter that cannot be read.
    """
    pipeline = searched(session, pipeline_id)
    return and_(pipeline.place.rows, where(pipeline.conditions(filters), pipeline.place.indexed))


def page(
    session: Session,
    pipeline_id: str,
    filters: Mapping[str, Any],
    *,
    sort: Mapping[str, int] | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Page:
    """Records of a pipeline that fit `filters`.

    Texts come by code points, before numbers, and these before true and false; what has no value comes last. Ties go by
    age, newest first where the last field descends. Without a sort, the oldest come first.

    Args:
        session: A tenant's session.
        pipeline_id: The pipeline.
        filters: In the filter language.
        sort: Field to 1 (ascending) or -1 (descending), in order of weight.
        limit: At most that many, 1 to 10,000.
        cursor: Where to go on: that of the page before. What is created meanwhile moves no record to another page.

    Raises:
        UserError: A filter, sort, limit or cursor that cannot be read.
    """
    _check_limit(limit)
    sort = sort or {}
    values = None if cursor is None else read_cursor(pipeline_id, sort, cursor)
    found: list[Row[Any]] = []
    ends: list[int] = []
    parts, given = _prepared(searched(session, pipeline_id), filters, sort, values, _ROW)
    for query, order in parts:
        rows = session.execute(query, {**given, _MOST: limit + 1 - len(found)}).all()
        found += rows
        ends += [len(order)] * len(rows)
        if len(found) > limit:
            return Page(found[:limit], write_cursor(pipeline_id, sort, found[limit - 1][-ends[limit - 1] :]))
    return Page(found, None)


def objects(
    session: Session,
    pipeline_id: str,
    filters: Mapping[str, Any],
    *,
    sort: Mapping[str, int] | None = None,
    limit: int = 100,
    lock: bool = False,
) -> list[Record]:
    """The first page as objects, to be changed.

    Args:
        session: A tenant's session.
        pipeline_id: The pipeline.
        filters: In the filter language.
        sort: Field to 1 or -1.
        limit: At most that many, 1 to 10,000.
        lock: Whether to hold the rows until the transaction ends.

    Raises:
        UserError: A filter, sort or limit that cannot be read.
    """
    _check_limit(limit)
    found: list[Record] = []
    parts, given = _prepared(searched(session, pipeline_id), filters, sort or {}, None, (Record,))
    for query, _order in parts:
        part = query.with_for_update(of=Record).execution_options(populate_existing=True) if lock else query
        found += session.scalars(part, {**given, _MOST: limit - len(found)})
        if len(found) == limit:
            break
    return found


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise UserError(f"limit is {limit}", hint=f"1 to {MAX_LIMIT:,}")


_Part = tuple[Select[Any], list[Column]]


def _prepared(
    pipeline: Searched,
    filters: Mapping[str, Any],
    sort: Mapping[str, int],
    values: list[Any] | None,
    what: tuple[Any, ...],
) -> tuple[Iterable[_Part], Mapping[str, Any]]:
    """The queries that find the records in order, from a cursor's values on, and their parameters but for the limit.

    Raises:
        UserError: A filter, sort or cursor that cannot be read.
    """
    conditions = pipeline.conditions(filters)
    pipeline.check_fields("sort", check_sort(sort))
    open_ones = opened(conditions) if values is None else None
    if open_ones is None:
        return _parts(pipeline.place, conditions, sort, values, what), {}
    shape, given = open_ones
    return _kept(pipeline.place, shape, tuple(sort.items()), what), given


# Making a statement takes longer than running it. What is kept holds no value of a filter.
@lru_cache(maxsize=256)
def _kept(
    place: Place, conditions: tuple[Condition, ...], sort: tuple[tuple[str, int], ...], what: tuple[Any, ...]
) -> tuple[_Part, ...]:
    return tuple(_parts(place, conditions, dict(sort), None, what))


def _parts(
    place: Place,
    conditions: Sequence[Condition],
    sort: Mapping[str, int],
    values: list[Any] | None,
    what: tuple[Any, ...],
) -> Iterator[_Part]:
    """The queries that find the records in order, one after the other, from a cursor's values on."""
    first = next(iter(sort), None)
    if first is None or first not in place.indexed:
        order = columns(sort, place.types)
        yield _continued(_all(place, where(conditions, place.indexed), order, what), order, values)
        return
    entry = entries()
    order = columns(sort, place.types, entry=entry)
    spans, rest = _split(conditions, place, first, entry)
    # A cursor with fewer values is from among the records that have no value to sort by, which come last.
    is_last = values is not None and len(values) < len(order)
    if not is_last:
        query = _all(place, rest, order, what).join(entry, _entry_of(place, entry, first)).where(*spans)
        yield _continued(query, order, values)
    if not spans:
        others = {name: direction for name, direction in sort.items() if name != first}
        order = columns(others, place.types, descends=sort[first] == -1)
        query = _all(place, rest, order, what).where(not_(exists().where(_entry_of(place, entry, first))))
        yield _continued(query, order, values if is_last else None)


def _all(place: Place, fits: ColumnElement[bool], order: list[Column], what: tuple[Any, ...]) -> Select[Any]:
    """The records that fit, with the values they are ordered by."""
    query = select(*what, *(one.expression for one in order)).select_from(Record.__table__)
    for source in dict.fromkeys(one.source for one in order if one.source is not None):
        query = query.join(source, true())
    query = query.where(place.rows, fits).order_by(*(one.order for one in order))
    return query.limit(bindparam(_MOST, type_=Integer))


def _continued(query: Select[Any], order: list[Column], values: list[Any] | None) -> _Part:
    """The query from a cursor's values on, and what it is ordered by.

    Raises:
        UserError: They are not those of its order.
    """
    if values is None:
        return query, order
    try:
        read = [one.read(value) for one, value in zip(order, values, strict=True)]
    except (ValueError, TypeError, AttributeError):
        raise wrong_cursor() from None
    return query.where(after(order, read)), order


def _entry_of(place: Place, entry: FromClause, name: str) -> ColumnElement[bool]:
    return and_(
        entry.c.tenant_id == RECORDS.tenant_id,
        entry.c.record_id == RECORDS.id,
        entry.c.pipeline_id == place.pipeline_id,
        entry.c.field == name,
    )


def _split(
    conditions: Sequence[Condition], place: Place, name: str, entry: FromClause
) -> tuple[list[ColumnElement[bool]], ColumnElement[bool]]:
    """What the entry of the field that is sorted by must be, and the condition on the record.

    The conditions on that field need no look at the index of their own: the entry is at hand.
    """
    mine = [one for one in conditions if isinstance(one, Clause) and one.field == (name,)]
    others = [one for one in conditions if one not in mine]
    found = [span(one, place.indexed, entry) for one in mine]
    spans = [one for one in found if one is not None]
    return spans, and_(func.coalesce(where(mine), false()), where(others, place.indexed))
