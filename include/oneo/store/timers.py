"""Moments that triggers wait for. When one has come, it is an event of its own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.events import METRIC, TIMER
from oneo.store import inbox
from oneo.store.events import RECORD
from oneo.store.models import InboxEvent, Metric, Record, RecordEvent, Timer
from oneo.store.records import view, view_image


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
    series: str | None = None,
    *,
    latest: bool = False,
    execution_id: UUID | None = None,
) -> bool:
    """Ask the trigger again at `due`; replaces an earlier moment of the same key (system session).

    Args:
        session: A system session.
        tenant_id: The tenant.
        workflow_id: The workflow.
        node_id: Its trigger.
        key: What the moment is called.
        due: The moment.
        record_id: The record that it is about.
        series: The series of metrics that it is about.
        latest: Of two moments the later one stays.
        execution_id: The execution that brings the moment's event about.

    Returns:
        Whether it is waited for; not where this very moment has come before: then what was waited for stays.
    """
    before = select(InboxEvent.id).where(
        InboxEvent.tenant_id == tenant_id,
        InboxEvent.kind == TIMER,
        InboxEvent.topic == address(workflow_id, node_id),
        InboxEvent.key == _name(key, due),
    )
    if session.scalar(before) is not None:
        return False
    new = insert(Timer).values(
        tenant_id=tenant_id,
        workflow_id=workflow_id,
        node_id=node_id,
        key=key,
        record_id=record_id,
        series=series,
        due_at=due,
        execution_id=execution_id,
    )
    given = new.excluded
    session.execute(
        new.on_conflict_do_update(
            index_elements=["tenant_id", "workflow_id", "node_id", "key"],
            set_={
                "due_at": func.greatest(Timer.due_at, given.due_at) if latest else given.due_at,
                "record_id": given.record_id,
                "series": given.series,
                "execution_id": given.execution_id,
            },
        )
    )
    return True


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

    Each is made once: its key in the inbox says which moment of which timer it is. The record, or the series of
    metrics, goes with it as it is now; a record that was deleted meanwhile is left out. A moment waits for what
    happened to its record before it and nobody has handled yet: that may put it off. `now` is for a clock of one's own.
    """
    moment = func.clock_timestamp() if now is None else now
    query = select(Timer).where(Timer.due_at <= moment, ~_unhandled()).order_by(Timer.due_at).limit(limit)
    due = list(session.scalars(query.with_for_update(skip_locked=True)))
    for row in due:
        data: dict[str, Any] = {"key": row.key, "due_at": row.due_at.astimezone(UTC).isoformat()}
        record = session.get(Record, (row.tenant_id, row.record_id)) if row.record_id else None
        if record is not None and record.deleted_at is None:
            data[RECORD] = view(record)
        elif record is None and row.record_id is not None:
            data |= _as_captured(session, row.tenant_id, row.record_id)
        if row.series is not None:
            metric = session.get(Metric, (row.tenant_id, row.series))
            data |= {"series": row.series, "after": metric.data if metric is not None else {}}
        inbox.put(
            session,
            row.tenant_id,
            TIMER,
            address(row.workflow_id, row.node_id),
            data,
            key=_name(row.key, row.due_at),
            record_id=row.record_id,
            execution_id=row.execution_id,
        )
        session.delete(row)
    session.flush()
    return len(due)


def _as_captured(session: Session, tenant_id: str, record_id: UUID) -> dict[str, Any]:
    """A record of a table of the tenant's own as its last event left it; nothing where that was its deletion."""
    query = select(RecordEvent).where(RecordEvent.tenant_id == tenant_id, RecordEvent.record_id == record_id)
    last = session.scalar(query.order_by(RecordEvent.id.desc()).limit(1))
    is_there = last is not None and last.kind != "deleted"
    return {RECORD: view_image(last.after or {})} if last is not None and is_there else {}


def _name(key: str, due: datetime) -> str:
    """What a moment is called in the inbox."""
    return f"{key}@{due.astimezone(UTC).isoformat()}"


def _unhandled() -> ColumnElement[bool]:
    """Whether something happened before the timer's moment to what it is about, and nobody has handled it."""
    change = exists().where(
        RecordEvent.tenant_id == Timer.tenant_id,
        RecordEvent.record_id == Timer.record_id,
        RecordEvent.handled_at.is_(None),
        RecordEvent.created_at <= Timer.due_at,
    )
    pushed = and_(
        Timer.series.is_not(None),
        exists().where(
            InboxEvent.tenant_id == Timer.tenant_id,
            InboxEvent.kind == METRIC,
            InboxEvent.topic == Timer.series,
            InboxEvent.handled_at.is_(None),
            InboxEvent.created_at <= Timer.due_at,
        ),
    )
    return or_(change, pushed)
