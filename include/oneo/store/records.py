"""Records: create, read, change, find. The database writes the record event of each change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from oneo.errors import NotFoundError
from oneo.filters import Clause
from oneo.filters.sql import where
from oneo.store import quotas, search, storage, unique
from oneo.store.changes import Changes, changed_values
from oneo.store.models import Record
from oneo.store.record_data import RESERVED_FIELDS, SYSTEM_FIELDS, checked, same
from oneo.store.search import MAX_LIMIT

__all__ = ["MAX_LIMIT", "RESERVED_FIELDS", "SYSTEM_FIELDS", "Changes"]


def view(row: Record | Row[Any]) -> dict[str, Any]:
    """A record as nodes and expressions see it: its data, flat, with the columns beside it."""
    return {
        **row.data,
        "id": str(row.id),
        "pipeline_id": row.pipeline_id,
        "stage": row.stage,
        "owner": row.owner,
        "external_id": row.external_id,
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def values_of(row: Record) -> dict[str, Any]:
    """What a pipeline's fields may ask for: the data, and of the columns beside it those that are set."""
    columns = {name: getattr(row, name) for name in SYSTEM_FIELDS}
    return {**row.data, **{name: value for name, value in columns.items() if value is not None}}


def view_image(image: Mapping[str, Any]) -> dict[str, Any]:
    """The same view of a before or after image kept with a record event."""
    columns = ("id", "pipeline_id", *SYSTEM_FIELDS, "version", "created_at", "updated_at")
    return {**(image.get("data") or {}), **{name: image.get(name) for name in columns}}


def create(
    session: Session,
    tenant_id: str,
    pipeline_id: str,
    data: Mapping[str, Any],
    *,
    record_id: UUID | None = None,
) -> Record:
    """Insert a record; `stage`, `owner` and `external_id` in `data` become columns.

    Raises:
        InvalidRecordError: Data that no record can hold.
        DuplicateError: Another record has the value of a unique field.
        QuotaError: The tenant has as many records as it may, or no room for more.
    """
    data = checked(data)
    quotas.check_records(session, tenant_id, data)
    columns = {name: data.pop(name, None) for name in SYSTEM_FIELDS}
    row = Record(tenant_id=tenant_id, id=record_id or uuid4(), pipeline_id=pipeline_id, data=data, **columns)
    with unique.refusing(session, pipeline_id):
        session.add(row)
        session.flush()
    storage.note_records(session, tenant_id, [data])
    return row


def get(session: Session, record_id: str | UUID, *, lock: bool = False) -> Record:
    """The record.

    Raises:
        NotFoundError: No such record, or it was deleted.
    """
    row = find_one(session, record_id, lock=lock)
    if row is None:
        raise NotFoundError(f"there is no record {record_id!s}", hint="give the id of an existing record")
    return row


def find_one(
    session: Session,
    record_id: str | UUID,
    *,
    lock: bool = False,
    tenant_id: str | None = None,
    deleted: bool = False,
) -> Record | None:
    """The record, or None where there is none or its id is not a UUID.

    For one that was merged into another, that other one, unless it may be deleted.

    Args:
        session: A session.
        record_id: Its id.
        lock: Whether to hold the row until the transaction ends.
        tenant_id: Whose record, in a session that sees those of all tenants.
        deleted: Whether it may be one that was deleted.
    """
    try:
        key = record_id if isinstance(record_id, UUID) else UUID(str(record_id))
    except ValueError:
        return None
    query = select(Record).where(Record.id == key)
    if not deleted:
        query = query.where(Record.deleted_at.is_(None))
    if tenant_id is not None:
        query = query.where(Record.tenant_id == tenant_id)
    row = session.scalar(_locked(query) if lock else query)
    if row is not None or deleted:
        return row
    merged = select(Record.merged_into).where(Record.id == key, Record.merged_into.is_not(None))
    if tenant_id is not None:
        merged = merged.where(Record.tenant_id == tenant_id)
    kept = session.scalar(merged)
    return None if kept is None else find_one(session, kept, lock=lock, tenant_id=tenant_id)


def by_external_id(session: Session, pipeline_id: str, external_id: str) -> Record | None:
    """The record that carries another system's id, locked; None where there is none."""
    query = select(Record).where(_in_pipeline(pipeline_id), Record.external_id == external_id)
    return session.scalar(_locked(query))


def _locked(query: Select[Record]) -> Select[Record]:
    # What the session read before the lock may be out of date: it is read again with it.
    return query.with_for_update().execution_options(populate_existing=True)


def update(session: Session, row: Record, changes: Changes) -> list[str]:
    """Apply `changes` to a locked record; returns the names of the fields that really changed.

    Raises:
        InvalidRecordError: Data that no record can hold.
        DuplicateError: Another record has the value of a unique field.
        UserError: Incrementing what is not a number, appending to what is not a list, a field inside of a text.
    """
    before = {**row.data, **{name: getattr(row, name) for name in SYSTEM_FIELDS}}
    after = changed_values(before, changes)
    gone = before.keys() - after.keys()
    # A field that was missing and is null now has not changed.
    changed = [name for name in after if not same(after[name], before.get(name))]
    if changed or gone:
        values = checked({name: after[name] for name in changed})
        columns = {name: values.pop(name) for name in SYSTEM_FIELDS if name in values}
        with unique.refusing(session, row.pipeline_id):
            for name, value in columns.items():
                setattr(row, name, value)
            row.data = {name: value for name, value in (row.data | values).items() if name not in gone}
            flag_modified(row, "data")  # SQLAlchemy holds true and 1 for the same
            row.version += 1
            row.updated_at = datetime.now(UTC)
            session.flush()
    return [*changed, *sorted(gone)]


def delete(session: Session, row: Record, last: Mapping[str, Any] | None = None) -> None:
    """Mark a locked record deleted: it is found no more, its history stays.

    Args:
        session: A tenant's session.
        row: The record.
        last: Fields to set at the same time, such as where it went.
    """
    row.data = {**row.data, **checked(last or {})}
    row.version += 1
    row.deleted_at = row.updated_at = datetime.now(UTC)
    session.flush()


def find(
    session: Session,
    pipeline_id: str,
    filters: Mapping[str, Any],
    *,
    sort: Mapping[str, int] | None = None,
    limit: int = 100,
    lock: bool = False,
) -> list[Record]:
    """The first page of the records of a pipeline that fit `filters` (see `search`)."""
    return search.objects(session, pipeline_id, filters, sort=sort, limit=limit, lock=lock)


def count(session: Session, pipeline_id: str, filters: Mapping[str, Any]) -> int:
    """How many records of a pipeline fit `filters`."""
    query = select(func.count()).select_from(Record)
    return session.scalar(query.where(search.condition(session, pipeline_id, filters))) or 0


def find_equal(session: Session, pipeline_id: str, field_name: str, value: Any) -> list[Record]:
    """Records whose field equals a value, oldest first."""
    clause = where([Clause((field_name,), "$eq", value)])
    query = select(Record).where(_in_pipeline(pipeline_id), clause).order_by(Record.created_at, Record.id)
    return list(session.scalars(query.limit(MAX_LIMIT)))


def _in_pipeline(pipeline_id: str) -> ColumnElement[bool]:
    return (Record.pipeline_id == pipeline_id) & Record.deleted_at.is_(None)
