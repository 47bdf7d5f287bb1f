"""How many executions one DAG run carries: at busy times, a run of a fused workflow takes several, one after the other.

A DAG run costs some tenths of a second however little it does. While there is room, each execution has a run of its
own; beyond that, further runs would only wait in Airflow, so the executions wait with us and go along with the next.
"""

from __future__ import annotations

from math import ceil

from sqlalchemy.orm import Session

from dag_factory.definition import StartPolicy
from dag_factory.plan import Plan
from oneo.settings import settings
from oneo.store import execution_queue, tenants, triggers, workflows
from oneo.store.models import Execution
from oneo_operators.plans import plan_of

# A run that is killed takes its executions up again; that should not take for ever.
MOST = 100


def room_for(session: Session, row: Execution) -> int:
    """How many executions a run that is started now for one may carry; 0 where it has to wait (system session)."""
    plan = _running_plan(session, row)
    if plan is None or not _may_share(session, row, plan):
        return 1
    slots = tenants.settings_of(session, row.tenant_id).pool_slots or settings().tenant_pool_slots
    places = min(plan.max_active_runs, slots)
    free = places - execution_queue.runs_at_work(session, row)
    if free <= 0:
        return 0
    waiting = execution_queue.count_waiting(session, row)
    return 1 if waiting <= free else min(MOST, ceil(waiting / places))


def _running_plan(session: Session, row: Execution) -> Plan | None:
    """The plan of the version that Airflow runs; None where that cannot be told."""
    version = workflows.running_version(session, row.tenant_id, row.workflow_id)
    try:
        return plan_of(session, version) if version is not None else None
    except Exception:
        # A definition that cannot be read any more: its run says what is wrong with it.
        return None


def _may_share(session: Session, row: Execution, plan: Plan) -> bool:
    """Whether executions of the workflow may go one after the other in one run.

    A run is timed and cancelled as a whole: workflows that ask for either have one execution in each.
    """
    if plan.granularity != "fused" or plan.timeout_minutes is not None:
        return False
    policy = StartPolicy.model_validate(triggers.policy_of(session, row.tenant_id, row.workflow_id))
    return policy.overlap == "parallel"
