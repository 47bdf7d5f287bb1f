"""Moments that triggers wait for. When one has come, it is an event of its own."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.events import TIMER
from oneo.store import inbox
from oneo.store.events import RECORD
from oneo.store.models import Record, Timer
from oneo.store.records import view


def address(workflow_id: str, node_id: str) -> str:
    """The topic of the events that a trigger's timers bring about."""
    return f"{workflow_id}/{node_id}"


def arm(
    session: Session,
    tenant_id: str,
    workflow_id: str,
    node_id: str,
    key: str,
    due: datetime,
    record_id: UUID | None = None,
) -> None:
    """Ask the trigger again at `due`; replaces an earlier moment of the same key (system session)."""
    new = insert(Timer).values(
        tenant_id=tenant_id,
        workflow_id=workflow_id,
        node_id=node_id,
        key=key,
        record_id=record_id,
        due_at=due,
    )
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "workflow_id", "node_id", "key"],
            set_={"due_at": new.excluded.due_at, "record_id": new.excluded.record_id},
        )
    )


def disarm(session: Session, tenant_id: str, workflow_id: str, node_id: str, key: str) -> bool:
    """Forget a moment; returns whether there was one (system session)."""
    gone = delete(Timer).where(
        Timer.tenant_id == tenant_id,
        Timer.workflow_id == workflow_id,
        Timer.node_id == node_id,
        Timer.key == key,
    )
    return session.execute(gone.returning(Timer.key)).scalar() is not None


def fire_due(session: Session, limit: int, now: datetime | None = None) -> int:
    """Make events of the moments that have come (system session); returns how many.

    Each is made once: its key in the inbox says which moment of which timer it is. The record goes with it as it is
    now; a record that was deleted meanwhile is left out. `now` is for a clock of one's own.
    """
    moment = func.clock_timestamp() if now is None else now
    query = select(Timer).where(Timer.due_at <= moment).order_by(Timer.due_at).limit(limit)
    due = list(session.scalars(query.with_for_update(skip_locked=True)))
    for row in due:
        data: dict[str, Any] = {"key": row.key, "due_at": row.due_at.isoformat()}
        record = session.get(Record, (row.tenant_id, row.record_id)) if row.record_id else None
        if record is not None and record.deleted_at is None:
            data[RECORD] = view(record)
        inbox.put(
            session,
            row.tenant_id,
            TIMER,
            address(row.workflow_id, row.node_id),
            data,
            key=f"{row.key}@{row.due_at.isoformat()}",
            record_id=row.record_id,
        )
        session.delete(row)
    session.flush()
    return len(due)
