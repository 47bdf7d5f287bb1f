"""What happened to a record: every change, written by the database, kept beyond the record itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from oneo.store.models import Record, RecordHistory


def of_record(session: Session, record_id: str | UUID) -> list[RecordHistory]:
    """A record's changes and those of what was merged into it, oldest first; none where the id is not a UUID."""
    try:
        key = record_id if isinstance(record_id, UUID) else UUID(str(record_id))
    except ValueError:
        return []
    merged = session.scalars(select(Record.id).where(Record.merged_into == key)).all()
    query = select(RecordHistory).where(RecordHistory.record_id.in_([key, *merged]))
    return list(session.scalars(query.order_by(RecordHistory.id)))


def view(entry: RecordHistory) -> dict[str, Any]:
    """A change as commands show it."""
    return {
        "record": str(entry.record_id),
        "version": entry.version,
        "kind": entry.kind,
        "changes": entry.changes,
        "image": entry.image,
        "actor": entry.actor,
        "execution": str(entry.execution_id) if entry.execution_id else None,
        "created_at": entry.created_at,
    }
