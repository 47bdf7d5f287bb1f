"""Totals over the records that fit a filter: how many, and sums of their fields, all together or by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, FromClause, Numeric, and_, case, cast, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from oneo.errors import UserError
from oneo.filters.compile import Fields
from oneo.filters.parse import field_path
from oneo.filters.sql import TIMES, RecordFields, where
from oneo.store.models import Record
from oneo.store.search import MAX_LIMIT
from oneo.store.searched import searched

Function = Literal["count", "sum", "avg", "min", "max"]
FUNCTIONS: tuple[Function, ...] = ("sum", "avg", "min", "max")
MAX_GROUP_FIELDS = 5
_TIME_TYPES = ("date", "datetime")


def totals(
    session: Session,
    pipeline_id: str,
    filters: Mapping[str, Any],
    fields: Sequence[str],
    *,
    functions: Sequence[Function] = FUNCTIONS,
    group_by: Sequence[str] = (),
    limit: int = 100,
) -> list[dict[str, Any]]:
    """For each group of records that fit: its `group`, the `count`, and what the functions make of each field.

    A field counts where it is a number; `min` and `max` also take times. Without group_by there is one group, of all.

    Args:
        session: A tenant's session.
        pipeline_id: The pipeline.
        filters: In the filter language.
        fields: Which fields to sum.
        functions: What to make of each; `count` is how many records have a value there.
        group_by: Fields whose values make the groups; records without a value are a group, too.
        limit: At most that many groups, the largest first.

    Raises:
        UserError: A filter or a field that cannot be read.
    """
    wanted = wants(fields, functions, group_by, limit)
    pipeline = searched(session, pipeline_id)
    place = pipeline.place
    fits = and_(place.rows, where(pipeline.conditions(filters), place.indexed))
    pipeline.check_fields("aggregate", wanted.names)
    return wanted.over(session, RecordFields(place.indexed), place.types, fits, Record.__table__)


@dataclass(frozen=True)
class Wanted:
    """Which totals are wanted.

    Attributes:
        paths: Fields to sum, by name.
        keys: Fields to group by, by name.
    """

    paths: Mapping[str, tuple[str, ...]]
    functions: Sequence[Function]
    keys: Mapping[str, tuple[str, ...]]
    limit: int

    @property
    def names(self) -> list[str]:
        """Top-level names of all fields."""
        return [path[0] for path in (*self.paths.values(), *self.keys.values())]

    def over(
        self,
        session: Session,
        fields: Fields,
        types: Mapping[str, str],
        fits: ColumnElement[bool],
        table: FromClause,
    ) -> list[dict[str, Any]]:
        """The totals of the rows of a table that fit."""
        nothing = cast("null", Text).cast(JSONB)
        groups = [func.nullif(fields.json(path), nothing) for path in self.keys.values()]
        found = {name: _values(path, fields, types, self.functions) for name, path in self.paths.items()}
        columns = [func.count(), *groups, *(one for made in found.values() for one in made.values())]
        query = select(*columns).select_from(table).where(fits)
        if groups:
            query = query.group_by(*groups).order_by(func.count().desc(), *groups).limit(self.limit)
        return [_total(tuple(row), list(self.keys), found) for row in session.execute(query)]


def wants(
    fields: Sequence[str], functions: Sequence[Function], group_by: Sequence[str], limit: int
) -> Wanted:
    """What is asked for.

    Raises:
        UserError: It cannot be.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise UserError(f"limit is {limit}", hint=f"1 to {MAX_LIMIT:,}")
    if len(group_by) > MAX_GROUP_FIELDS:
        raise UserError(f"group_by has {len(group_by)} fields", hint=f"at most {MAX_GROUP_FIELDS}")
    taken = [name for name in fields if name in ("count", "group")]
    if taken:
        raise UserError(
            f"a field called {taken[0]!r} cannot be summed", hint="its name is taken in the result"
        )
    paths = {name: field_path(name, "field to sum") for name in fields}
    return Wanted(paths, functions, {name: field_path(name, "field to group by") for name in group_by}, limit)


def _values(
    path: tuple[str, ...], fields: Fields, types: Mapping[str, str], functions: Sequence[Function]
) -> dict[Function, ColumnElement[Any]]:
    """What each function makes of a field."""
    if len(path) == 1 and (path[0] in TIMES or types.get(path[0]) in _TIME_TYPES):
        value: Any = fields.time(path)
        nothing = cast(None, Numeric)
        known: dict[Function, ColumnElement[Any]] = {"sum": nothing, "avg": nothing}
    else:
        json = fields.json(path)
        value = case((func.jsonb_typeof(json) == "number", cast(json, Numeric)), else_=None)
        known = {"sum": func.sum(value), "avg": func.avg(value)}
    known |= {"count": func.count(value), "min": func.min(value), "max": func.max(value)}
    return {name: known[name] for name in functions}


def _total(
    row: tuple[Any, ...], keys: Sequence[str], found: Mapping[str, Mapping[Function, ColumnElement[Any]]]
) -> dict[str, Any]:
    values = iter(row)
    total: dict[str, Any] = {"count": next(values)}
    if keys:
        total["group"] = {name: next(values) for name in keys}
    return total | {name: {function: next(values) for function in made} for name, made in found.items()}
