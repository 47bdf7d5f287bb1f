"""DAG runs that have ended to executions that have ended."""

from __future__ import annotations

import logging

from oneo.database import Database
from oneo.store import executions
from oneo_app.dispatcher import airflow_runs
from oneo_operators.completion import complete
from oneo_operators.plans import plan_of

logger = logging.getLogger(__name__)

BATCH = 50


def finish_ended(database: Database) -> int:
    """End the executions whose DAG run has ended; returns how many there were."""
    with database.system() as session:
        ended = executions.claim_ended(session, BATCH)
        for row in ended:
            state = "success" if row.run_state == "success" else "failed"
            try:
                plan = plan_of(session, row)
            except Exception as error:
                logger.exception("the plan of execution %s cannot be read", row.id)
                problem = {"type": type(error).__name__, "message": f"the definition cannot be read: {error}"}
                executions.finish(session, row, state, error=None if state == "success" else problem)
                continue
            complete(session, row, plan, state)
        return len(ended)


def sweep(database: Database, *, older_than_seconds: float) -> int:
    """Ask Airflow about executions that have been open for a while: its word may have been missed.

    Returns:
        How many had ended without our hearing of it.
    """
    with database.system() as session:
        open_runs = executions.open_runs(session, older_than_seconds)
    ended = airflow_runs.ended_runs(open_runs)
    with database.system() as session:
        return sum(executions.note_run_state(session, *run, state) for run, state in ended.items())
