"""Record events that an import holds back until they are released."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from oneo.store.models import RecordEvent


def release(session: Session, pipeline_id: str, limit: int | None = None) -> int:
    """Hand on held events of a pipeline, oldest first; returns how many (a tenant's session).

    Args:
        session: A tenant's session.
        pipeline_id: The pipeline.
        limit: At most that many; without, all.
    """
    # A CTE is run once: as a subquery it may be run again, and then locks others.
    held = (
        select(RecordEvent.id)
        .where(RecordEvent.pipeline_id == pipeline_id, RecordEvent.held_at.is_not(None))
        .order_by(RecordEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .cte("held")
    )
    statement = update(RecordEvent).where(RecordEvent.id == held.c.id).values(held_at=None)
    released = session.execute(statement.returning(RecordEvent.id)).all()
    session.execute(select(func.pg_notify("oneo_work", "record_event")))
    return len(released)


def count(session: Session, pipeline_id: str) -> int:
    """How many events of a pipeline are held (a tenant's session)."""
    query = select(func.count()).select_from(RecordEvent)
    held = query.where(RecordEvent.pipeline_id == pipeline_id, RecordEvent.held_at.is_not(None))
    return session.scalar(held) or 0
