"""The queue of executions: whose time has come, tenant by tenant."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_, select
from sqlalchemy.orm import Session, aliased

from oneo.store.families import INLINE, LOCAL
from oneo.store.models import Execution, Workflow


def claim_due(session: Session, limit: int, after: str = "") -> list[Execution]:
    """Lock pending executions that are due and whose workflow is live (system session).

    The tenants take turns, the one after `after` first; of each its oldest. Rows that another dispatcher holds are
    passed over; the locks go with the transaction.
    """
    found: list[Execution] = []
    for tenant_id in _tenants_due(session, after):
        query = (
            _due(select(Execution), Execution)
            .where(Execution.tenant_id == tenant_id)
            .order_by(Execution.run_after, Execution.created_at)
            .limit(limit - len(found))
            .with_for_update(skip_locked=True, of=Execution)
            .execution_options(populate_existing=True)
        )
        found += session.scalars(query)
        if len(found) >= limit:
            break
    return found


def _tenants_due(session: Session, after: str) -> list[str]:
    """The tenants that have executions to start, in turn."""
    first = select(func.min(Execution.tenant_id).label("id")).where(Execution.status == "pending")
    known = first.cte("known", recursive=True)
    # From one tenant to the next through the index, however many executions each has.
    following = (
        select(func.min(Execution.tenant_id))
        .where(Execution.status == "pending", Execution.tenant_id > known.c.id)
        .scalar_subquery()
    )
    known = known.union_all(select(following).where(known.c.id.is_not(None)))
    due = aliased(Execution)
    waits = _due(select(due.id), due).where(due.tenant_id == known.c.id).correlate(known).exists()
    query = select(known.c.id).where(known.c.id.is_not(None), waits)
    return list(session.scalars(query.order_by(known.c.id <= after, known.c.id)))


def runs_at_work(session: Session, row: Execution) -> int:
    """How many DAG runs are at work for an execution's workflow (system session)."""
    query = select(func.count(Execution.run_id.distinct()))
    return session.scalar(query.where(*_of_workflow(row), Execution.status == "running", _HAS_RUN)) or 0


def count_waiting(session: Session, row: Execution) -> int:
    """How many executions of the workflow wait for a DAG run, the given one included (system session)."""
    query = _live(select(func.count(Execution.id)), Execution)
    return session.scalar(query.where(*_of_workflow(row), _due_or_held(Execution))) or 0


def claim_along(session: Session, row: Execution, limit: int) -> list[Execution]:
    """Lock the executions of the same workflow that wait behind one, oldest first (system session)."""
    query = _live(select(Execution), Execution).where(*_of_workflow(row), Execution.id != row.id)
    query = query.where(_due_or_held(Execution)).order_by(Execution.created_at, Execution.id).limit(limit)
    query = query.with_for_update(skip_locked=True, of=Execution)
    return list(session.scalars(query.execution_options(populate_existing=True)))


_HAS_RUN = and_(*(not_(Execution.run_id.startswith(one, autoescape=True)) for one in (LOCAL, INLINE)))


def _of_workflow(row: Execution) -> tuple[ColumnElement[bool], ...]:
    return (Execution.tenant_id == row.tenant_id, Execution.workflow_id == row.workflow_id)


def _due(query: Any, execution: Any) -> Any:
    """Of a query for executions: those that are due, and whose workflow Airflow runs."""
    return _live(query, execution).where(execution.run_after <= func.clock_timestamp())


def _due_or_held(execution: Any) -> ColumnElement[bool]:
    return or_(execution.run_after <= func.clock_timestamp(), execution.held)


def _live(query: Any, execution: Any) -> Any:
    """Of a query for executions: those that are pending, and whose workflow Airflow runs."""
    return (
        query.join(
            Workflow, (Workflow.tenant_id == execution.tenant_id) & (Workflow.id == execution.workflow_id)
        )
        .where(execution.status == "pending")
        # A version that cannot be rendered is stood in for by the last good one; a withdrawn one is cancelled.
        .where(
            or_(
                Workflow.live_version >= execution.version,
                Workflow.render_error.is_not(None),
                Workflow.active.is_(False),
            )
        )
    )
