"""What is written into the columns of a row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, func, literal
from sqlalchemy.types import NullType

from oneo.sql_table import kinds
from oneo.sql_table.layout import Layout
from oneo.store.record_data import SYSTEM_FIELDS


def written(layout: Layout, data: Mapping[str, Any]) -> dict[str, Any]:
    """Columns and their values for fields that the table has.

    Raises:
        InvalidRecordError: A column cannot hold its value.
    """
    found: dict[str, Any] = {}
    for name, value in data.items():
        column = layout.columns[name]
        kind, from_text = layout.kind(column), name in SYSTEM_FIELDS
        found[column] = param(kinds.written(name, kind, value, from_text=from_text))
    return found


def param(text: str | None) -> Any:
    """A text that is read by the type of the column it goes to."""
    return bindparam(None, text, type_=NullType(), unique=True)


def now(layout: Layout, column: str) -> Any:
    """The moment, as a column of times has it."""
    moment = func.clock_timestamp()
    return moment if layout.kind(column) == "timestamptz" else func.timezone("UTC", moment)


def beside_new(layout: Layout) -> dict[str, Any]:
    """What a new row has beside its fields: its times, and the count of its changes."""
    source = layout.source
    found = {one: now(layout, one) for one in (source.created_at, source.updated_at) if one is not None}
    return found if source.version is None else {**found, source.version: literal(1)}


def beside_changed(layout: Layout) -> dict[str, Any]:
    """What changes with any change: the time of the last one, and how many there were."""
    source = layout.source
    found = {} if source.updated_at is None else {source.updated_at: now(layout, source.updated_at)}
    if source.version is not None:
        found[source.version] = func.coalesce(layout.table.c[source.version], 0) + 1
    return found
