"""Events that are no changes of records: accepted once, in the transaction that they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo.store.models import InboxEvent


def put(
    session: Session,
    tenant_id: str,
    kind: str,
    topic: str,
    data: Mapping[str, Any],
    *,
    key: str | None = None,
    record_id: UUID | None = None,
    execution_id: UUID | None = None,
    problem: str | None = None,
) -> int | None:
    """Accept an event; the dispatcher handles it once the transaction has committed.

    Args:
        session: The tenant's, or a system session.
        tenant_id: The tenant.
        data: What came in.
        kind: What it is, e.g. `webhook`; see `oneo.events.Event`.
        topic: Which of that kind, e.g. the hook's path.
        key: What its sender calls it; the same one again is the same event.
        record_id: The record it is about.
        execution_id: The execution that brought it about.
        problem: Why it cannot start anything; it is kept, and set aside.

    Returns:
        Its id; None where it came before.
    """
    statement = insert(InboxEvent).values(
        tenant_id=tenant_id,
        kind=kind,
        topic=topic,
        key=key,
        data=dict(data),
        record_id=record_id,
        execution_id=execution_id,
        problem=problem,
        handled_at=None if problem is None else func.clock_timestamp(),
    )
    return session.execute(statement.on_conflict_do_nothing().returning(InboxEvent.id)).scalar()


def find(session: Session, tenant_id: str, kind: str, topic: str, key: str) -> int | None:
    """The id of the event that its sender calls `key`; None where there is none."""
    same = (InboxEvent.tenant_id == tenant_id) & (InboxEvent.kind == kind) & (InboxEvent.topic == topic)
    return session.scalar(select(InboxEvent.id).where(same, InboxEvent.key == key))


def recent(session: Session, kind: str, topic: str, limit: int = 50) -> list[InboxEvent]:
    """The tenant's last events of a topic, the newest first."""
    query = select(InboxEvent).where(InboxEvent.kind == kind, InboxEvent.topic == topic)
    return list(session.scalars(query.order_by(InboxEvent.id.desc()).limit(limit)))
