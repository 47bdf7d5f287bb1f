"""The order of a search, and how a page goes on where the one before ended."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zlib import crc32

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Double,
    FromClause,
    SmallInteger,
    Text,
    Uuid,
    and_,
    false,
    func,
    literal,
    or_,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from oneo.errors import UserError
from oneo.filters.parse import field_path
from oneo.filters.sql import TIMES, json_value
from oneo.filters.values import moment, unusable
from oneo.store.models import RECORDS

_KEY: tuple[TypeEngine[Any], ...] = (SmallInteger(), Double(), Text(collation="C"))
_TIES: tuple[TypeEngine[Any], ...] = (DateTime(timezone=True), Uuid())


@dataclass(frozen=True)
class Column:
    """A column that a search is ordered by.

    Attributes:
        expression: What it is in SQL.
        type: Its type.
        descends: Whether the largest comes first.
        source: The function it is read from, where it is none of a table's; it can be missing then, and what is missing
            comes last.
    """

    expression: Any
    type: TypeEngine[Any]
    descends: bool
    source: FromClause | None = None

    @property
    def nullable(self) -> bool:
        """Whether it can be missing."""
        return self.source is not None

    @property
    def order(self) -> ColumnElement[Any]:
        """For ORDER BY."""
        ordered: ColumnElement[Any] = self.expression.desc() if self.descends else self.expression.asc()
        return ordered.nulls_last() if self.nullable else ordered

    def value(self, value: Any) -> ColumnElement[Any]:
        """A value to compare it with."""
        return literal(value, self.type)

    def read(self, value: Any) -> Any:
        """The value of a cursor.

        Raises:
            ValueError: The column cannot have it.
        """
        if value is None and self.nullable:
            return None
        if isinstance(self.type, Uuid):
            return UUID(value)
        if isinstance(self.type, DateTime):
            found: Any = moment(value)
        elif isinstance(self.type, Text):
            found = value if isinstance(value, str) and not unusable(value) else None
        else:
            found = (
                value
                if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= 1.7e308
                else None
            )
            if isinstance(self.type, SmallInteger) and found is not None:
                found = int(found) if 0 <= found < 100 else None
        if found is None:
            raise ValueError(value)
        return found


def check_sort(sort: Mapping[str, int]) -> list[str]:
    """The top-level names of the fields that are sorted by.

    Raises:
        UserError: A sort that cannot be read.
    """
    for name, direction in sort.items():
        if direction not in (1, -1) or isinstance(direction, bool):
            raise UserError(f"sort on {name!r} is {direction!r}", hint="1 is ascending, -1 is descending")
    return [field_path(name, "sort field")[0] for name in sort]


def columns(
    sort: Mapping[str, int],
    types: Mapping[str, str],
    *,
    entry: FromClause | None = None,
    descends: bool = False,
) -> list[Column]:
    """The columns that records are ordered by, in order of weight: what they are sorted by, their age and their id.

    Args:
        sort: Field to 1 or -1.
        types: Types of the pipeline's fields.
        entry: The index entry of the first field, where it is read from the index.
        descends: Whether ties do, where there is no sort.
    """
    found: list[Column] = []
    for number, (name, direction) in enumerate(sort.items()):
        descends = direction == -1
        path = field_path(name)
        if len(path) == 1 and path[0] in TIMES:
            found.append(Column(TIMES[path[0]], _TIES[0], descends))
        elif number == 0 and entry is not None:
            parts: tuple[Any, ...] = (entry.c.kind, entry.c.number, entry.c.text)
            found += [Column(part, kind, descends) for part, kind in zip(parts, _KEY, strict=True)]
        else:
            of_type = types.get(path[0], "") if len(path) == 1 else ""
            key = func.sort_key(json_value(path), of_type).table_valued("kind", "number", "text")
            source = key.lateral(f"key_{number}")
            parts = (source.c.kind, source.c.number, source.c.text)
            found += [Column(part, kind, descends, source) for part, kind in zip(parts, _KEY, strict=True)]
    ties: tuple[Any, ...] = (
        (RECORDS.created_at, RECORDS.id) if entry is None else (entry.c.created_at, entry.c.record_id)
    )
    return [*found, *(Column(part, kind, descends) for part, kind in zip(ties, _TIES, strict=True))]


def after(order: Sequence[Column], values: Sequence[Any]) -> ColumnElement[bool]:
    """That a record comes after the one with these values."""
    descends = order[0].descends
    if all(one.descends == descends and not one.nullable for one in order):
        # As one comparison, which an index can start at.
        here = tuple_(*(one.expression for one in order))
        there = tuple_(*(one.value(value) for one, value in zip(order, values, strict=True)))
        return here < there if descends else here > there
    found: ColumnElement[bool] = false()
    for one, value in zip(reversed(order), reversed(values), strict=True):
        if value is None:
            found = and_(one.expression.is_(None), found)
            continue
        bound = one.value(value)
        beyond = one.expression < bound if one.descends else one.expression > bound
        if one.nullable:
            beyond = or_(beyond, one.expression.is_(None))
        found = or_(beyond, and_(one.expression == bound, found))
    return found


def _mark(pipeline_id: str, sort: Mapping[str, int]) -> int:
    return crc32(json.dumps([pipeline_id, list(sort.items())]).encode())


def write_cursor(pipeline_id: str, sort: Mapping[str, int], values: Iterable[Any]) -> str:
    """Where a page ended, as a text for its reader to hand back."""
    plain = [str(one) if isinstance(one, UUID | datetime) else one for one in values]
    made = json.dumps([_mark(pipeline_id, sort), plain], ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(made).decode().rstrip("=")


def read_cursor(pipeline_id: str, sort: Mapping[str, int], cursor: str) -> list[Any]:
    """What `write_cursor` was given.

    Raises:
        UserError: It is no cursor, or that of a search in another order.
    """
    try:
        mark, values = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
        if isinstance(values, list) and mark == _mark(pipeline_id, sort):
            return values
    except (ValueError, TypeError, RecursionError):
        pass
    raise wrong_cursor()


def wrong_cursor() -> UserError:
    """The error about what is no cursor of this search."""
    return UserError(
        "the cursor does not belong to this search",
        hint="hand back next_cursor of the page before, with the same pipeline and sort",
    )
