"""DAG runs that have ended to executions that have ended."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from oneo.database import Database
from oneo.store import dag_runs, executions
from oneo.store.models import Execution
from oneo_app.dispatcher import airflow_runs
from oneo_operators.completion import complete
from oneo_operators.error_workflow import follow_up
from oneo_operators.plans import error_workflow_of, plan_of

logger = logging.getLogger(__name__)

BATCH = 50


def finish_ended(database: Database) -> int:
    """End the executions whose DAG run has ended; returns how many there were."""
    with database.system() as session:
        ended = dag_runs.claim_ended(session, BATCH)
        for row in ended:
            if dag_runs.waits_in_run(row):
                dag_runs.requeue(session, row)
                continue
            state = row.run_state if row.run_state in ("success", dag_runs.TIMED_OUT) else "failed"
            try:
                plan = plan_of(session, row)
            except Exception as error:
                logger.exception("the plan of execution %s cannot be read", row.id)
                problem = {"type": type(error).__name__, "message": f"the definition cannot be read: {error}"}
                _finish_unread(session, row, problem)
                continue
            complete(session, row, plan, state)
        return len(ended)


def _finish_unread(session: Session, row: Execution, problem: Mapping[str, Any]) -> None:
    """End an execution whose plan nobody knows any more."""
    if row.run_state == "success":
        executions.finish(session, row, "success")
        return
    executions.finish(session, row, "failed", error=problem)
    follow_up(session, row, error_workflow_of(session, row))


def sweep(database: Database, *, older_than_seconds: float) -> int:
    """Ask Airflow about executions that have been open for a while: its word may have been missed.

    Returns:
        How many had ended without our hearing of it.
    """
    with database.system() as session:
        open_runs = dag_runs.open_runs(session, older_than_seconds)
    ended = airflow_runs.ended_runs(open_runs)
    with database.system() as session:
        return sum(dag_runs.note_run_state(session, *run, state) for run, state in ended.items())
