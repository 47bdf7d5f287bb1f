"""DAG runs of Airflow, as our executions know them: which run carries which, and how it ended."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, not_, select, update
from sqlalchemy.orm import Session

from oneo.store import executions
from oneo.store.families import INLINE, LOCAL, has_dag_run
from oneo.store.models import Execution

# State of a run that was stopped because it took too long; its execution has failed.
TIMED_OUT = "timed_out"


def await_start(session: Session, execution_id: UUID) -> None:
    """Wait until whoever starts the execution's DAG run has noted all that it carries."""
    session.execute(select(Execution.id).where(Execution.id == execution_id).with_for_update(read=True))


def left_to_run(session: Session, dag_id: str, run_id: str) -> list[UUID] | None:
    """The executions of a DAG run that have not ended, oldest first; where all have, those that did not succeed.

    A task that was killed goes on with the former, one that somebody clears takes up the latter once more. None where
    nothing is known of the run yet.
    """
    query = select(Execution).where(_of_run(dag_id, run_id))
    rows = list(session.scalars(query.order_by(Execution.created_at, Execution.id)))
    failed = [row.id for row in rows if "success" not in (row.status, row.run_state)]
    left = [row.id for row in rows if row.status not in executions.FINAL and row.run_state is None]
    return (left or failed) if rows else None


def states_in(session: Session, dag_id: str, run_id: str) -> dict[UUID, str]:
    """How each execution of a DAG run stands, oldest first: as its task has noted, else as its row says."""
    query = select(Execution).where(_of_run(dag_id, run_id)).order_by(Execution.created_at, Execution.id)
    return {row.id: row.run_state or row.status for row in session.scalars(query)}


def note_run_state(session: Session, dag_id: str, run_id: str, state: str) -> int:
    """Record how a DAG run ended; the dispatcher finishes its executions (system session).

    Returns:
        How many executions the run carries that were still open.
    """
    result = session.execute(
        update(Execution)
        # Of one among others, its task has said how it ended: the run as a whole may have ended otherwise.
        .where(
            _of_run(dag_id, run_id), Execution.status.not_in(executions.FINAL), Execution.run_state.is_(None)
        )
        .values(run_state=state)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def note_end(session: Session, tenant_id: str, execution_id: UUID, state: str) -> None:
    """Record how one of the executions of a DAG run ended, while the run goes on with others."""
    session.execute(
        update(Execution)
        .where(Execution.tenant_id == tenant_id, Execution.id == execution_id)
        .values(run_state=state)
    )


def claim_ended(session: Session, limit: int) -> list[Execution]:
    """Lock executions whose DAG run has ended but which are not finished yet (system session)."""
    query = (
        select(Execution)
        .where(Execution.status.in_(("pending", "running", "waiting")), Execution.run_state.is_not(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def open_runs(session: Session, older_than_seconds: float) -> list[tuple[str, str]]:
    """(DAG id, run id) of executions that have been running for a while by our books (system session)."""
    started = func.coalesce(Execution.started_at, Execution.run_after)
    query = select(Execution.dag_id, Execution.run_id).distinct()
    query = query.where(
        Execution.status.in_(("running", "waiting")),
        Execution.run_state.is_(None),
        *(not_(Execution.run_id.startswith(prefix, autoescape=True)) for prefix in (LOCAL, INLINE)),
        started < func.now() - timedelta(seconds=older_than_seconds),
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def waits_in_run(row: Execution) -> bool:
    """Whether the execution goes along with another one's DAG run, which has not come to it yet."""
    # An execution that Airflow started itself exists since its first task.
    return has_dag_run(row) and row.started_at is None and row.run_id != executions.run_id_for(row.id)


def requeue(session: Session, row: Execution) -> None:
    """Give an execution that its DAG run has not begun back to the queue, for a run of its own (system session)."""
    row.status, row.run_state, row.run_id = "pending", None, executions.run_id_for(row.id)
    session.flush()


def _of_run(dag_id: str, run_id: str) -> ColumnElement[bool]:
    return (Execution.dag_id == dag_id) & (Execution.run_id == run_id)
