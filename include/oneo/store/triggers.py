"""The triggers of active workflows, for the dispatcher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import any_, func, literal, select, tuple_
from sqlalchemy.orm import Session

from oneo.store.models import ActiveTrigger, Record


def active(session: Session, of_workflows: Sequence[tuple[str, str]] | None = None) -> list[ActiveTrigger]:
    """The triggers that events start, detached; in a stable order (system session).

    Only those of the given (tenant, workflow), where some are given.
    """
    query = select(ActiveTrigger).where(func.cardinality(ActiveTrigger.event_kinds) > 0)
    if of_workflows is not None:
        query = query.where(tuple_(ActiveTrigger.tenant_id, ActiveTrigger.workflow_id).in_(of_workflows))
    rows = session.scalars(
        query.order_by(ActiveTrigger.tenant_id, ActiveTrigger.workflow_id, ActiveTrigger.node_id)
    )
    found = list(rows)
    for row in found:
        session.expunge(row)
    return found


def of_kind(session: Session, kind: str) -> list[ActiveTrigger]:
    """The tenant's triggers that look at events of a kind, by workflow and node."""
    query = select(ActiveTrigger).where(literal(kind) == any_(ActiveTrigger.event_kinds))
    return list(session.scalars(query.order_by(ActiveTrigger.workflow_id, ActiveTrigger.node_id)))


def policy_of(session: Session, tenant_id: str, workflow_id: str) -> Mapping[str, Any]:
    """What a workflow's `settings.start` says; empty where it says nothing or is not active (system session)."""
    query = select(ActiveTrigger.policy).where(
        ActiveTrigger.tenant_id == tenant_id, ActiveTrigger.workflow_id == workflow_id
    )
    return session.scalar(query.limit(1)) or {}


def claim_unseen(session: Session) -> ActiveTrigger | None:
    """Lock a trigger that has not been shown all the records that were there before it (system session)."""
    query = select(ActiveTrigger).where(ActiveTrigger.all_seen.is_(False))
    return session.scalars(query.limit(1).with_for_update(skip_locked=True)).first()


def next_unseen(session: Session, trigger: ActiveTrigger, limit: int) -> list[Record]:
    """The next records that a trigger is to be shown, and note that it has been (system session).

    Once there are no more, the trigger has seen all.
    """
    query = select(Record).where(Record.tenant_id == trigger.tenant_id, Record.deleted_at.is_(None))
    if "*" not in trigger.topics:
        query = query.where(Record.pipeline_id.in_(trigger.topics))
    if trigger.seen_until is not None:
        query = query.where(Record.id > trigger.seen_until)
    found = list(session.scalars(query.order_by(Record.id).limit(limit)))
    if found:
        trigger.seen_until = found[-1].id
    trigger.all_seen = len(found) < limit
    session.flush()
    return found
