"""The queue of record events and the triggers they are matched against."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Tuple, func, select, tuple_, update
from sqlalchemy.orm import Session

from oneo.store.models import ActiveTrigger, RecordEvent

_PIECE = 500
_WAITING = RecordEvent.handled_at.is_(None) & RecordEvent.held_at.is_(None)


def claim_waiting(session: Session, limit: int) -> list[RecordEvent]:
    """Lock record events nobody has handled yet, in order (system session).

    Events that another dispatcher holds are passed over; the locks go with the transaction.
    """
    query = (
        select(RecordEvent)
        .where(_WAITING)
        .order_by(RecordEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def mark_handled(session: Session, events: Iterable[RecordEvent]) -> None:
    """Take events off the queue (system session)."""
    keys = [(event.tenant_id, event.id) for event in events]
    # Thousands of pairs in one statement are nested too deeply for the database.
    for start in range(0, len(keys), _PIECE):
        these = _key().in_(keys[start : start + _PIECE])
        session.execute(update(RecordEvent).where(these).values(handled_at=func.clock_timestamp()))


def set_next_aside(session: Session, reason: str) -> int | None:
    """Take the next event off the queue unhandled, its data unread, and keep why (system session).

    Returns:
        Its id, or None where none is waiting.
    """
    waiting = select(RecordEvent.tenant_id, RecordEvent.id).where(_WAITING)
    waiting = waiting.order_by(RecordEvent.id).limit(1).with_for_update(skip_locked=True)
    statement = (
        update(RecordEvent)
        .where(_key().in_(waiting))
        .values(handled_at=func.clock_timestamp(), problem=reason)
        .returning(RecordEvent.id)
    )
    return session.execute(statement).scalar()


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


def count_held(session: Session, pipeline_id: str) -> int:
    """How many events of a pipeline are held (a tenant's session)."""
    query = select(func.count()).select_from(RecordEvent)
    held = query.where(RecordEvent.pipeline_id == pipeline_id, RecordEvent.held_at.is_not(None))
    return session.scalar(held) or 0


def triggers_for(session: Session, events: Iterable[RecordEvent]) -> list[ActiveTrigger]:
    """Active triggers that watch any of the given events' kinds and tenants (system session)."""
    events = list(events)
    query = select(ActiveTrigger).where(
        ActiveTrigger.tenant_id.in_({event.tenant_id for event in events}),
        ActiveTrigger.event_kind.in_({event.kind for event in events}),
    )
    return list(session.scalars(query.order_by(ActiveTrigger.tenant_id, ActiveTrigger.workflow_id)))


def watches(trigger: ActiveTrigger, event: RecordEvent) -> bool:
    """Whether the event is of the trigger's tenant, kind and pipelines; filters come after."""
    return (
        trigger.tenant_id == event.tenant_id
        and trigger.event_kind == event.kind
        and ("*" in trigger.pipeline_ids or event.pipeline_id in trigger.pipeline_ids)
    )


def _key() -> Tuple:
    """Ids of events are unique within a tenant."""
    return tuple_(RecordEvent.tenant_id, RecordEvent.id)
