"""The table of a pipeline as statements know it: which column holds what, and a row as a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    Table,
    Text,
    Uuid,
    cast,
    false,
    func,
    literal,
    null,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import DateTime, NullType

from oneo.sql_table import kinds
from oneo.store.pipelines import PipelineSpec
from oneo.store.record_data import SYSTEM_FIELDS
from oneo.store.table_source import TableSource

_OWN_TIMES = ("created_at", "updated_at")


@dataclass
class TableRecord:
    """A row of the table as a record, as it is after what was last done to it.

    Attributes:
        id: Its key, as text.
        values: Its fields that have a value.
        version: Where the table counts its changes.
        deleted_at: When it was marked as deleted; None where it is not.
    """

    id: str
    pipeline_id: str
    values: Mapping[str, Any]
    view: dict[str, Any]
    version: int | None
    deleted_at: str | None

    @property
    def deleted(self) -> bool:
        """Whether it is marked as deleted."""
        return self.deleted_at is not None


@dataclass(frozen=True)
class Layout:
    """Where the records of a pipeline stand.

    Attributes:
        spec: The pipeline; it has a source, whose types are known.
    """

    spec: PipelineSpec

    @property
    def source(self) -> TableSource:
        """Its source."""
        assert self.spec.source is not None  # noqa: S101 - there is no layout without
        return self.spec.source

    @cached_property
    def table(self) -> Table:
        """The table: its names are quoted, its columns have no types, so that each reads what it is given itself."""
        schema, name = self.source.schema_and_table
        columns = {column for _, column in self.source.columns()}
        return Table(name, MetaData(), *(Column(one, NullType()) for one in sorted(columns)), schema=schema)

    @cached_property
    def columns(self) -> dict[str, str]:
        """Field to column, stage, owner and external id among them where they are mapped."""
        beside = {name: getattr(self.source, name) for name in SYSTEM_FIELDS}
        return {**self.source.fields, **{name: column for name, column in beside.items() if column}}

    @cached_property
    def known(self) -> frozenset[str]:
        """Names that filters and sorts may use."""
        own = [name for name in ("version", *_OWN_TIMES) if getattr(self.source, name)]
        return frozenset([*self.columns, "id", "pipeline_id", *own])

    @cached_property
    def types(self) -> dict[str, str]:
        """Declared fields with their types."""
        return {one.id: one.type for one in self.spec.fields}

    @property
    def key(self) -> ColumnElement[Any]:
        """The column that tells rows."""
        return self.table.c[self.source.key]

    def kind(self, column: str) -> str:
        """The kind of a column."""
        return self.source.types[column]

    def key_value(self, record_id: str) -> ColumnElement[Any] | None:
        """A record's id as its key; None where no row can have it."""
        kind = self.kind(self.source.key)
        if kind in kinds.INTEGERS:
            number = kinds.whole(kind, record_id)
            # Another spelling of the same number would be another id.
            return literal(number, BigInteger) if number is not None and str(number) == record_id else None
        if kind == "uuid":
            found = kinds.uuid_of(record_id)
            return None if found is None else literal(found, Uuid)
        return None if "\x00" in record_id else literal(record_id, Text)

    def is_row(self, record_id: str) -> ColumnElement[bool]:
        """That a row is the record of an id."""
        value = self.key_value(record_id)
        return false() if value is None else self.key == value

    @property
    def is_there(self) -> ColumnElement[bool]:
        """That a row is not marked as deleted."""
        deleted = self.source.deleted_at
        return self.table.c[deleted].is_(None) if deleted else true()

    def time(self, column: str) -> ColumnElement[Any]:
        """A column of times as moments; what has no zone is in UTC."""
        kind, found = self.kind(column), self.table.c[column]
        if kind == "timestamptz":
            return cast(found, DateTime(timezone=True))
        zoned: ColumnElement[Any] = func.timezone("UTC", cast(found, DateTime), type_=DateTime(timezone=True))
        return zoned

    def value(self, column: str, *, as_text: bool = False) -> ColumnElement[Any]:
        """A column as JSONB, as records show it."""
        found: ColumnElement[Any] = self.table.c[column]
        if self.kind(column) == "timestamp":
            found = self.time(column)
        return func.to_jsonb(cast(found, Text) if as_text else found, type_=JSONB)

    def json(self, name: str) -> ColumnElement[Any]:
        """A field by its name as JSONB, null where there is none."""
        source = self.source
        if name == "id":
            return self.value(source.key, as_text=True)
        if name == "pipeline_id":
            return cast(literal(self.spec.id, JSONB), JSONB)
        column = self.columns.get(name)
        if column is None and name in ("version", *_OWN_TIMES, "deleted_at"):
            column = getattr(source, name)
        if column is None:
            return cast(null(), JSONB)
        return self.value(column, as_text=name in SYSTEM_FIELDS)

    @cached_property
    def shown(self) -> tuple[str, ...]:
        """Names of what is read of a row, in the order of `selected`."""
        return ("id", *self.columns, "version", *_OWN_TIMES, "deleted_at")

    @cached_property
    def selected(self) -> list[ColumnElement[Any]]:
        """What is read of a row."""
        return [self.json(name).label(f"f{number}") for number, name in enumerate(self.shown)]

    def record(self, row: Any) -> TableRecord:
        """What was selected of a row, as a record."""
        held = dict(zip(self.shown, row, strict=False))
        fields = {name: held[name] for name in self.source.fields}
        beside = {name: held.get(name) for name in SYSTEM_FIELDS}
        return TableRecord(
            id=held["id"],
            pipeline_id=self.spec.id,
            values={name: value for name, value in {**fields, **beside}.items() if value is not None},
            view={
                **fields,
                "id": held["id"],
                "pipeline_id": self.spec.id,
                **beside,
                "version": held["version"],
                "created_at": held["created_at"],
                "updated_at": held["updated_at"],
            },
            version=held["version"],
            deleted_at=held["deleted_at"],
        )
