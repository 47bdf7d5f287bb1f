"""Executions to DAG runs."""

from __future__ import annotations

import logging

from sqlalchemy.orm import Session

from dag_factory.variables import CONFIRMED
from oneo.database import Database
from oneo.errors import TransientNodeError
from oneo.store import execution_queue, executions, quotas
from oneo.store.models import Execution
from oneo_app.dispatcher import airflow_runs
from oneo_app.dispatcher.turns import has_turn
from oneo_operators.airflow_run import EXECUTION_KEY
from oneo_operators.plans import plan_of

logger = logging.getLogger(__name__)


def start_next(database: Database, after: str = "") -> str | None:
    """Start the oldest execution that is due, of the next tenant in turn after the one given.

    Returns:
        Whose it was; None where none was due.

    One at a time: the row stays locked until the run exists and is noted, and the run's first task waits for it.
    A crash in between repeats the step, and the run's id, which follows from the execution's, makes it once.
    """
    with database.system() as session:
        due = execution_queue.claim_due(session, 1, after)
        if not due:
            return None
        row = due[0]
        if not _still_wanted(session, row):
            return row.tenant_id
        wait = quotas.wait_to_start(session, row.tenant_id)
        if wait is not None:
            quotas.postpone_due(session, row.tenant_id, wait)
            return row.tenant_id
        if not has_turn(session, row):
            return row.tenant_id
        try:
            airflow_runs.start_run(row.dag_id, row.run_id, _conf(session, row))
        except TransientNodeError as error:
            # Live by our books, unknown to Airflow: its database was reset, or the DAG deleted in the UI.
            logger.warning("execution %s waits: %s", row.id, error)
            executions.postpone(session, row, seconds=5, reason=str(error))
            return row.tenant_id
        row.status, row.postponed, row.held = "running", None, False
        return row.tenant_id


def _still_wanted(session: Session, row: Execution) -> bool:
    if executions.workflow_is_active(session, row):
        return True
    error = {"type": "Withdrawn", "message": "the workflow was withdrawn before this execution started"}
    executions.finish(session, row, "cancelled", error=error)
    return False


def _conf(session: Session, row: Execution) -> dict[str, object]:
    """The run's conf: which execution it carries, and the variables that Airflow's params ask for."""
    try:
        names = plan_of(session, row).variables
    except Exception:
        # The run itself says what is wrong with the definition.
        logger.exception("the variables of workflow %s/%s cannot be read", row.tenant_id, row.workflow_id)
        names = {}
    given = {name: row.data[name] for name in names if row.data.get(name) is not None}
    # Whoever queued it was asked then; the DAG's params ask for an answer at every start.
    return {**given, CONFIRMED: True, EXECUTION_KEY: str(row.id)}
