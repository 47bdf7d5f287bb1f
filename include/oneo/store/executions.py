"""Executions: from a matched event or a start by hand to their end."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4, uuid5

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from oneo import objects
from oneo.errors import NotFoundError
from oneo.store import endings, starts
from oneo.store.families import NOBODY, Origin
from oneo.store.models import Execution, ExecutionLog, Workflow

FINAL = ("success", "failed", "cancelled")
# Names executions that Airflow started itself (its UI, REST API or timetable) after their DAG run.
_RUN_NAMESPACE = UUID("6f1f2a52-5b0e-4c53-8f0c-3b8f4d7c9a10")
_EVENT_NAMESPACE = UUID("0a0c9f0e-5f0f-4b8e-9d5b-2f6f5a1f7c11")
_ERROR_NAMESPACE = UUID("b6f3f2c4-6f5d-4f0a-9a0e-5f2c0f7d3e21")


class Started(NamedTuple):
    """An execution as its process finds it.

    Attributes:
        first: Whether this is its first start.
        is_open: Whether it goes on: it was broken off, or has waited.
    """

    row: Execution
    first: bool
    is_open: bool


def id_for_run(dag_id: str, run_id: str) -> UUID:
    """The execution id of a DAG run that Airflow started: the same at every try of its tasks."""
    return uuid5(_RUN_NAMESPACE, f"{dag_id}/{run_id}")


def id_for_event(tenant_id: str, workflow_id: str, event_id: int) -> UUID:
    """The id of the execution that an event starts: one, however often the event is looked at."""
    return uuid5(_EVENT_NAMESPACE, f"{tenant_id}/{workflow_id}/{event_id}")


def id_for_error(failed: UUID) -> UUID:
    """The id of the error workflow's execution that a failed execution brings about."""
    return uuid5(_ERROR_NAMESPACE, str(failed))


def is_local(row: Execution) -> bool:
    """Whether the execution ran in the process of a command, without Airflow."""
    return row.run_id.startswith("local__")


def run_id_for(execution_id: UUID) -> str:
    """The DAG run id of an execution that the dispatcher starts."""
    return f"oneo__{execution_id}"


def enqueue(
    session: Session,
    tenant_id: str,
    workflow_id: str,
    *,
    version: int,
    trigger_node: str | None,
    trigger_type: str,
    data: Mapping[str, Any],
    dag_id: str,
    event_id: int | None = None,
    record_id: UUID | None = None,
    record_ids: Collection[UUID] = (),
    run_after: datetime | None = None,
    execution_id: UUID | None = None,
    origin: Origin = NOBODY,
) -> UUID | None:
    """Queue an execution for the dispatcher; `record_ids` are those of all events that it was gathered from.

    Returns:
        Its id; None where it is there already: this event, or whoever gave the id, has started this workflow before.
    """
    if execution_id is None:
        execution_id = uuid4() if event_id is None else id_for_event(tenant_id, workflow_id, event_id)
    statement = insert(Execution).values(
        tenant_id=tenant_id,
        id=execution_id,
        workflow_id=workflow_id,
        version=version,
        status="pending",
        trigger_node=trigger_node,
        trigger_type=trigger_type,
        event_id=event_id,
        record_id=record_id,
        record_ids=sorted(record_ids) or None,
        data=dict(data),
        dag_id=dag_id,
        run_id=run_id_for(execution_id),
        run_after=run_after if run_after is not None else func.now(),
        **asdict(origin),
    )
    inserted = session.execute(statement.on_conflict_do_nothing().returning(Execution.id)).scalar()
    return execution_id if inserted is not None else None


def ensure_started(
    session: Session,
    tenant_id: str,
    execution_id: UUID,
    *,
    workflow_id: str,
    version: int,
    trigger_node: str | None,
    trigger_type: str,
    data: Mapping[str, Any],
    dag_id: str,
    run_id: str,
    queued: bool = False,
    origin: Origin = NOBODY,
) -> Started:
    """The execution's row, created where Airflow started the run itself, and marked running.

    The version is the one that runs, which may be newer than the one an event was matched against.
    `queued` says that the run claims to carry an execution from the queue; then none is created.

    Raises:
        NotFoundError: No execution was queued for this run.
    """
    values = {
        "tenant_id": tenant_id,
        "id": execution_id,
        "workflow_id": workflow_id,
        "version": version,
        "status": "running",
        "trigger_node": trigger_node,
        "trigger_type": trigger_type,
        "data": dict(data),
        "dag_id": dag_id,
        "run_id": run_id,
        "started_at": func.clock_timestamp(),
        **asdict(origin),
    }
    row = session.get(Execution, (tenant_id, execution_id))
    if queued and (row is None or (row.dag_id, row.run_id) != (dag_id, run_id)):
        # Whoever starts a run chooses its conf, but not which execution it is.
        raise NotFoundError(f"no execution {execution_id} was queued for run {run_id!r}")
    if row is None:
        inserted = session.execute(
            insert(Execution).values(values).on_conflict_do_nothing().returning(Execution.id)
        )
        first = inserted.scalar() is not None
        return Started(session.get_one(Execution, (tenant_id, execution_id)), first, is_open=not first)
    first = row.started_at is None
    is_open = not first and row.status in ("running", "waiting")
    if is_open and row.version == version:
        row.status = "running"
    else:
        session.execute(
            update(Execution)
            .where(Execution.tenant_id == tenant_id, Execution.id == execution_id)
            .values(
                status="running",
                version=version,
                started_at=func.coalesce(Execution.started_at, func.clock_timestamp()),
                ended_at=None,
                run_state=None,
                error=None,
            )
        )
        session.refresh(row)
    return Started(row, first, is_open)


def note_rest(session: Session, tenant_id: str, execution_id: UUID) -> None:
    """Note that an execution waits, where nodes of it do and none is at work."""
    log = select(ExecutionLog.node_id).where(
        ExecutionLog.tenant_id == tenant_id, ExecutionLog.execution_id == execution_id
    )
    session.execute(
        update(Execution)
        .where(
            Execution.tenant_id == tenant_id,
            Execution.id == execution_id,
            Execution.status == "running",
            log.where(ExecutionLog.status == "waiting").exists(),
            ~log.where(ExecutionLog.status == "running").exists(),
        )
        .values(status="waiting")
    )


def get(session: Session, execution_id: UUID) -> Execution:
    """The execution.

    Raises:
        NotFoundError: No such execution for this tenant.
    """
    row = session.scalar(select(Execution).where(Execution.id == execution_id))
    if row is None:
        raise NotFoundError(f"there is no execution {execution_id}", hint="`oneo runs list` shows the latest")
    return row


def get_for_update(session: Session, tenant_id: str, execution_id: UUID) -> Execution:
    """The execution, locked (system session)."""
    query = select(Execution).where(Execution.tenant_id == tenant_id, Execution.id == execution_id)
    # What the session read before the lock may be out of date: it is read again with it.
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def recent(
    session: Session, *, workflow_id: str | None = None, status: str | None = None, limit: int = 50
) -> list[Execution]:
    """The newest executions first."""
    query = select(Execution).order_by(Execution.created_at.desc(), Execution.id).limit(limit)
    if workflow_id is not None:
        query = query.where(Execution.workflow_id == workflow_id)
    if status is not None:
        query = query.where(Execution.status == status)
    return list(session.scalars(query))


def postpone(session: Session, row: Execution, seconds: float, reason: str) -> None:
    """Look at a pending execution again later, and keep why."""
    row.postponed = reason
    row.run_after = (
        session.scalar(select(func.clock_timestamp() + timedelta(seconds=seconds))) or row.run_after
    )


def workflow_is_active(session: Session, row: Execution) -> bool:
    """Whether the execution's workflow is still in service (system session)."""
    query = select(Workflow.active).where(Workflow.tenant_id == row.tenant_id, Workflow.id == row.workflow_id)
    return bool(session.scalar(query))


def has_lasted(session: Session, row: Execution, duration: timedelta) -> bool:
    """Whether the execution began at least that long ago."""
    if row.started_at is None:
        return False
    return bool(session.scalar(select(func.clock_timestamp() - row.started_at >= duration)))


def finish(
    session: Session,
    row: Execution,
    status: str,
    *,
    output: Any = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """End the execution; workflows that wait for its end get to know."""
    row.status = status
    row.output_object = objects.keep(row.tenant_id, row.id, "output", output)
    row.output = objects.preview(output) if row.output_object else output
    row.error = dict(error) if error else None
    row.ended_at = session.scalar(select(func.clock_timestamp()))
    session.flush()
    endings.announce(session, row)
    starts.wake(session, row)
