"""What the executions that a workflow has already mean for the next one: overlaps, re-enrolment, limits of an hour."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from oneo.store.models import Execution

OPEN = ("pending", "running", "waiting")
_HOUR = timedelta(hours=1)


def open_one(
    session: Session, tenant_id: str, workflow_id: str, record_id: UUID | None = None
) -> UUID | None:
    """The oldest execution of a workflow that has not ended; where a record is given, one about it."""
    query = _of(tenant_id, workflow_id).where(Execution.status.in_(OPEN))
    if record_id is not None:
        return _about(session, query, record_id)
    return session.scalar(query.order_by(Execution.created_at).limit(1))


def enrolled(session: Session, tenant_id: str, workflow_id: str, record_id: UUID) -> UUID | None:
    """An execution that a record has had; one that was cancelled before it began is none."""
    began = or_(Execution.status != "cancelled", Execution.started_at.is_not(None))
    return _about(session, _of(tenant_id, workflow_id).where(began), record_id)


def full_seconds(session: Session, tenant_id: str, workflow_id: str, most: int) -> float | None:
    """How long until a workflow may have another execution, where `most` came within an hour; None where at once."""
    since = func.clock_timestamp() - _HOUR
    recent = select(Execution.created_at).where(
        Execution.tenant_id == tenant_id,
        Execution.workflow_id == workflow_id,
        Execution.created_at > since,
        Execution.status != "cancelled",
    )
    # The last that must be an hour ago for one fewer than allowed to be left.
    last = recent.order_by(Execution.created_at.desc()).offset(most - 1).limit(1).scalar_subquery()
    seconds = session.scalar(select(func.extract("epoch", last - since)))
    return None if seconds is None else max(float(seconds), 0)


def before(session: Session, row: Execution, *, same_record: bool) -> UUID | None:
    """The execution that one has to wait for: at work, or waiting longer (system session)."""
    earlier = tuple_(Execution.created_at, Execution.id) < tuple_(row.created_at, row.id)
    waits = (Execution.status == "pending") & Execution.held & earlier
    query = _of(row.tenant_id, row.workflow_id).where(
        Execution.id != row.id,
        or_(Execution.status.in_(("running", "waiting")), waits),
        _key(row, same_record),
    )
    return session.scalar(query.order_by(Execution.created_at).limit(1))


def previous(session: Session, row: Execution, *, same_record: bool) -> list[Execution]:
    """The executions before one that have not ended, oldest first, locked (system session)."""
    earlier = tuple_(Execution.created_at, Execution.id) < tuple_(row.created_at, row.id)
    query = select(Execution).where(
        Execution.tenant_id == row.tenant_id,
        Execution.workflow_id == row.workflow_id,
        Execution.status.in_(OPEN),
        earlier,
        _key(row, same_record),
    )
    query = query.order_by(Execution.created_at, Execution.id)
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def wake(session: Session, row: Execution) -> None:
    """Let the next executions that wait for the end of one be looked at."""
    held = _of(row.tenant_id, row.workflow_id).where(Execution.status == "pending", Execution.held)
    held = held.order_by(Execution.created_at).limit(1)
    same = held.where(Execution.record_id == row.record_id)
    session.execute(
        update(Execution)
        .where(
            Execution.tenant_id == row.tenant_id,
            or_(Execution.id == held.scalar_subquery(), Execution.id == same.scalar_subquery()),
        )
        # Before those that came after it.
        .values(run_after=Execution.created_at),
        execution_options={"synchronize_session": False},
    )


def _of(tenant_id: str, workflow_id: str) -> Select[UUID]:
    return select(Execution.id).where(Execution.tenant_id == tenant_id, Execution.workflow_id == workflow_id)


def _about(session: Session, query: Select[UUID], record_id: UUID) -> UUID | None:
    """The oldest of some executions that is about a record alone, else the oldest that is about it among others."""
    oldest = query.order_by(Execution.created_at).limit(1)
    found = session.scalar(oldest.where(Execution.record_id == record_id))
    if found is not None:
        return found
    # OFFSET 0 has these looked for by themselves: they are few, and a workflow's executions may be many.
    shared = select(Execution.tenant_id, Execution.id).where(Execution.record_ids.contains([record_id]))
    among = shared.offset(0).subquery()
    same = (among.c.tenant_id == Execution.tenant_id) & (among.c.id == Execution.id)
    return session.scalar(oldest.join(among, same))


def _key(row: Execution, same_record: bool) -> ColumnElement[bool]:
    """Executions of the same key; without a record, of the workflow's others without one."""
    return (
        Execution.record_id.is_not_distinct_from(row.record_id) if same_record else Execution.id.is_not(None)
    )
