"""Airflow tells how a DAG run ended. Runs inside the scheduler's loop: one short write of our own, never an error."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl

from oneo.database import database
from oneo.store import dag_runs
from oneo_app.warm import warm_up

if TYPE_CHECKING:
    from airflow.models import DagRun

logger = logging.getLogger(__name__)


@hookimpl
def on_starting(component: Any) -> None:
    """A component of Airflow starts: the scheduler is about to fork the processes that tasks come from."""
    # The job does not know its type yet, and tasks call this hook as well.
    if type(component).__name__ != "Job" or "scheduler" not in sys.argv:
        return
    try:
        warm_up(database())
    except Exception:
        logger.exception("could not warm up; tasks start slower")


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001 - Airflow's signature
    """The run ended well."""
    _note(dag_run, "success")


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:
    """The run failed; the scheduler's message tells where it took too long."""
    _note(dag_run, dag_runs.TIMED_OUT if msg == "timed_out" else "failed")


def _note(dag_run: DagRun, state: str) -> None:
    if "--" not in dag_run.dag_id:
        return
    try:
        with database().system() as session:
            dag_runs.note_run_state(session, dag_run.dag_id, dag_run.run_id, state)
    except Exception:
        # The dispatcher's sweep finds what is missed here.
        logger.exception("could not note that run %s of %s ended", dag_run.run_id, dag_run.dag_id)
