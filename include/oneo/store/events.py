"""The queue of record events and the triggers they are matched against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Tuple, func, select, text, tuple_, update
from sqlalchemy.orm import Session

from oneo.store.models import ActiveTrigger, RecordEvent


@contextmanager
def silenced(session: Session) -> Iterator[None]:
    """What is changed in here starts no workflow; the history knows it as ever."""
    setting = text("SELECT set_config('oneo.events', :value, true)")
    session.execute(setting, {"value": "silent"})
    yield
    session.execute(setting, {"value": ""})


def claim_waiting(session: Session, limit: int) -> list[RecordEvent]:
    """Lock record events nobody has handled yet, in order (system session).

    Events that another dispatcher holds are passed over; the locks go with the transaction.
    """
    query = (
        select(RecordEvent)
        .where(RecordEvent.handled_at.is_(None))
        .order_by(RecordEvent.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.scalars(query))


def mark_handled(session: Session, events: Iterable[RecordEvent]) -> None:
    """Take events off the queue (system session)."""
    keys = [(event.tenant_id, event.id) for event in events]
    session.execute(update(RecordEvent).where(_key().in_(keys)).values(handled_at=func.clock_timestamp()))


def set_next_aside(session: Session, reason: str) -> int | None:
    """Take the next event off the queue unhandled, its data unread, and keep why (system session).

    Returns:
        Its id, or None where none is waiting.
    """
    waiting = select(RecordEvent.tenant_id, RecordEvent.id).where(RecordEvent.handled_at.is_(None))
    waiting = waiting.order_by(RecordEvent.id).limit(1).with_for_update(skip_locked=True)
    statement = (
        update(RecordEvent)
        .where(_key().in_(waiting))
        .values(handled_at=func.clock_timestamp(), problem=reason)
        .returning(RecordEvent.id)
    )
    return session.execute(statement).scalar()


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
