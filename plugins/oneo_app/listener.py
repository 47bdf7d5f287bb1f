"""Airflow tells how a DAG run ended. Runs inside the scheduler's loop: one short write of our own, never an error."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from airflow.listeners import hookimpl

from oneo.database import database
from oneo.store import executions

if TYPE_CHECKING:
    from airflow.models import DagRun

logger = logging.getLogger(__name__)


@hookimpl
def on_dag_run_success(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001 - Airflow's signature
    """The run ended well."""
    _note(dag_run, "success")


@hookimpl
def on_dag_run_failed(dag_run: DagRun, msg: str) -> None:  # noqa: ARG001 - Airflow's signature
    """The run failed."""
    _note(dag_run, "failed")


def _note(dag_run: DagRun, state: str) -> None:
    if "--" not in dag_run.dag_id:
        return
    try:
        with database().system() as session:
            executions.note_run_state(session, dag_run.dag_id, dag_run.run_id, state)
    except Exception:
        # The dispatcher's sweep finds what is missed here.
        logger.exception("could not note that run %s of %s ended", dag_run.run_id, dag_run.dag_id)
