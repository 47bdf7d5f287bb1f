"""Rows of a table as record events keep records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oneo.sql_table.layout import Layout, TableRecord
from oneo.store.record_data import SYSTEM_FIELDS


def image_of_row(layout: Layout, row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The image of a row that PostgreSQL made JSON of, its zone being UTC."""
    if row is None:
        return None
    source = layout.source

    def beside(column: str | None, *, as_text: bool = False) -> Any:
        value = None if column is None else _value(layout, row, column)
        return str(value) if as_text and value is not None else value

    return {
        "id": str(row[source.key]),
        "pipeline_id": layout.spec.id,
        "data": {name: _value(layout, row, column) for name, column in source.fields.items()},
        **{name: beside(getattr(source, name), as_text=True) for name in SYSTEM_FIELDS},
        **{
            name: beside(getattr(source, name))
            for name in ("version", "created_at", "updated_at", "deleted_at")
        },
    }


def image_of_record(layout: Layout, record: TableRecord) -> dict[str, Any]:
    """The image of a record that was read."""
    view = record.view
    return {
        "id": record.id,
        "pipeline_id": layout.spec.id,
        "data": {name: view[name] for name in layout.source.fields},
        **{name: view[name] for name in (*SYSTEM_FIELDS, "version", "created_at", "updated_at")},
        "deleted_at": record.deleted_at,
    }


def _value(layout: Layout, row: Mapping[str, Any], column: str) -> Any:
    value = row.get(column)
    is_local = isinstance(value, str) and layout.kind(column) == "timestamp"
    return f"{value}+00:00" if is_local else value
