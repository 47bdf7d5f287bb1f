"""How long handled events are kept."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import any_, delete, func, literal, select
from sqlalchemy.orm import Session

from oneo.store.events import TABLES
from oneo.store.executions import FINAL
from oneo.store.models import Execution, Gathering


def remove_handled(session: Session, tenant_id: str, older_than: timedelta, limit: int) -> int:
    """Remove some of a tenant's events that were handled long enough ago (removal session).

    Those that an open gathering or an execution that has not ended refers to stay, and so do those that were set
    aside: somebody has yet to look at them.

    Returns:
        How many were removed; `limit` or more: there may be others.
    """
    removed = 0
    for table in TABLES:
        gathered = select(literal(1)).where(
            Gathering.tenant_id == table.tenant_id, table.id == any_(Gathering.event_ids)
        )
        needed = select(literal(1)).where(
            Execution.tenant_id == table.tenant_id,
            Execution.event_id == table.id,
            Execution.status.not_in(FINAL),
        )
        old = (
            select(table.id)
            .where(
                table.tenant_id == tenant_id,
                table.handled_at < func.now() - older_than,
                table.problem.is_(None),
                ~gathered.exists(),
                ~needed.exists(),
            )
            .order_by(table.handled_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        ids = list(session.scalars(old))
        session.execute(delete(table).where(table.tenant_id == tenant_id, table.id.in_(ids)))
        removed += len(ids)
    return removed
