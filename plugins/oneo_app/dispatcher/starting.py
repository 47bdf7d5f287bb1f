"""Executions to DAG runs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from dag_factory.variables import CONFIRMED
from oneo.database import Database
from oneo.errors import TransientNodeError
from oneo.store import execution_queue, executions, quotas, starts
from oneo.store.models import Execution
from oneo.store.quotas import Wait
from oneo_app.dispatcher import airflow_runs
from oneo_app.dispatcher.carrying import room_for
from oneo_app.dispatcher.turns import has_turn
from oneo_operators.airflow_run import EXECUTION_KEY
from oneo_operators.plans import plan_of

logger = logging.getLogger(__name__)

# The end of a run is what wakes those that wait for a place; this is for an end that nobody noticed.
LOOK_AGAIN_SECONDS = 5


def start_next(database: Database, after: str = "") -> str | None:
    """Start the oldest execution that is due, of the next tenant in turn after the one given.

    Returns:
        Whose it was; None where none was due.

    One run at a time: the row stays locked until the run exists and is noted, and the run's first task waits for it.
    A crash in between repeats the step, and the run's id, which follows from the execution's, makes it once.
    """
    with database.system() as session:
        due = execution_queue.claim_due(session, 1, after)
        if not due:
            return None
        row = due[0]
        if not _may_start(session, row):
            return row.tenant_id
        room = room_for(session, row)
        if room == 0:
            _wait_for_place(session, row)
            return row.tenant_id
        try:
            is_new = airflow_runs.start_run(row.dag_id, row.run_id, _conf(session, row))
        except TransientNodeError as error:
            # Live by our books, unknown to Airflow: its database was reset, or the DAG deleted in the UI.
            logger.warning("execution %s waits: %s", row.id, error)
            executions.postpone(session, row, seconds=5, reason=str(error))
            return row.tenant_id
        waited = row.held
        _note_started(session, row, row.run_id)
        # A run that was there already may have begun without those that would go along now.
        if is_new and room > 1:
            _take_along(session, row, room - 1)
        if waited:
            starts.wake(session, row)
        return row.tenant_id


def _may_start(session: Session, row: Execution) -> bool:
    """Whether nothing keeps the execution from starting; if something does, it is put off or cancelled."""
    if not _still_wanted(session, row):
        return False
    wait = quotas.wait_to_start(session, row.tenant_id)
    if wait is not None:
        quotas.postpone_due(session, row.tenant_id, wait)
        return False
    return has_turn(session, row)


def _wait_for_place(session: Session, row: Execution) -> None:
    until = datetime.now(UTC) + timedelta(seconds=LOOK_AGAIN_SECONDS)
    wait = Wait("the workflow has as many runs at work as it may have: it goes along with the next", until)
    quotas.postpone_due(session, row.tenant_id, wait, workflow_id=row.workflow_id, held=True)


def _take_along(session: Session, first: Execution, most: int) -> None:
    """Let the run that was started for one execution carry others of its workflow, too."""
    for row in execution_queue.claim_along(session, first, most):
        if _may_start(session, row):
            _note_started(session, row, first.run_id)
        elif row.status == "pending":
            # What holds up one holds up those behind it.
            break


def _note_started(session: Session, row: Execution, run_id: str) -> None:
    row.status, row.run_id, row.postponed, row.held = "running", run_id, None, False
    session.flush()


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
