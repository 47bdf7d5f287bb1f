"""Pipelines, their records, and what the database keeps beside each record."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Double, Identity, SmallInteger, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from oneo.store.models.base import Base


class Pipeline(Base):
    """A kind of record: its fields and the stages its records pass."""

    __tablename__ = "pipelines"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    fields: Mapped[list[dict[str, Any]]]
    stages: Mapped[list[dict[str, Any]]]
    record_schema: Mapped[dict[str, Any] | None]
    source: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())


class Record(Base):
    """A CRM record. `version` counts its changes, for optimistic locking.

    `deleted_with` is the record whose deletion took this one along, `merged_into` the one that took its place.
    """

    __tablename__ = "records"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str]
    data: Mapped[dict[str, Any]]
    stage: Mapped[str | None]
    owner: Mapped[str | None]
    external_id: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    deleted_with: Mapped[UUID | None]
    merged_into: Mapped[UUID | None]


# Columns of the table, quicker to build a search of than the attributes of the class.
RECORDS = Record.__table__.c


class RecordKey(Base):
    """What a record that is not deleted may be found by as a contact; written by the database with the record.

    `key` is a field's name, a colon and what may be equal in its values: an address, the end of a number, the
    beginning of a word of a name.
    """

    __tablename__ = "record_keys"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)


class RecordUniqueValue(Base):
    """That a record has a value in a unique field of its pipeline; written by the database."""

    __tablename__ = "record_unique_values"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    value_hash: Mapped[bytes] = mapped_column(primary_key=True)
    record_id: Mapped[UUID]


class RecordIndex(Base):
    """A value of a record's indexed field, as it is searched and sorted; written by the database with the record.

    `kind` is 1 for a text (its first 200 characters), 2 for a number, 3 for true and false, 4 for a time.
    """

    __tablename__ = "record_index"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    pipeline_id: Mapped[str]
    kind: Mapped[int] = mapped_column(SmallInteger)
    number: Mapped[float] = mapped_column(Double)
    text: Mapped[str] = mapped_column(Text(collation="C"))
    created_at: Mapped[datetime]


class RecordRelation(Base):
    """A record that belongs to another; where it `cascades`, it can be deleted with it."""

    __tablename__ = "record_relations"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    parent_id: Mapped[UUID] = mapped_column(primary_key=True)
    child_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    cascades: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class RecordHistory(Base):
    """One change of a record, written by the database in the changing transaction.

    `changes` is field to its value before and after, `image` the whole record where it was archived, `actor` who
    made the change or stands behind its execution.
    """

    __tablename__ = "record_history"
    tenant_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    record_id: Mapped[UUID]
    pipeline_id: Mapped[str]
    version: Mapped[int]
    kind: Mapped[str]
    changes: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    image: Mapped[dict[str, Any] | None]
    actor: Mapped[str | None]
    execution_id: Mapped[UUID | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
