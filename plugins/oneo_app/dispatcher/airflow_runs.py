"""The dispatcher's side of Airflow: start a DAG run, ask how runs are doing, ask which version is live.

In process, on Airflow's own database: no token to keep, no server that must be up, and `trigger_dag` is what the
REST endpoint calls as well (docs/adr/0003).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from airflow.api.common.mark_tasks import set_dag_run_state_to_failed
from airflow.api.common.trigger_dag import trigger_dag
from airflow.exceptions import DagNotFound, DagRunAlreadyExists
from airflow.models import DagModel, DagRun, DagTag
from airflow.models.dagbag import DBDagBag
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunTriggeredByType, DagRunType
from sqlalchemy import select, tuple_

from dag_factory.render import version_tag
from oneo.errors import TransientNodeError

logger = logging.getLogger(__name__)


def start_run(dag_id: str, run_id: str, conf: Mapping[str, Any]) -> bool:
    """Create the DAG run, unless it exists: an earlier try that did not live to note it has made it then.

    Returns:
        Whether it was created now.

    Raises:
        TransientNodeError: Airflow does not know the DAG (yet).
    """
    try:
        trigger_dag(
            dag_id=dag_id,
            run_id=run_id,
            run_type=DagRunType.MANUAL,
            triggered_by=DagRunTriggeredByType.OPERATOR,
            triggering_user_name="oneo-dispatcher",
            conf=dict(conf),
            run_after=datetime.now(UTC),
        )
    except DagRunAlreadyExists:
        return False
    except DagNotFound as error:
        raise TransientNodeError(f"Airflow does not know DAG {dag_id!r}", str(error)) from error
    return True


def cancel_run(dag_id: str, run_id: str) -> bool:
    """End a DAG run as failed, with its tasks, those at work and those that wait; returns whether it was under way."""
    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        if run is None or str(getattr(run.state, "value", run.state)) in _ENDED:
            return False
        dag = DBDagBag().get_dag_for_run(run, session=session)
        if dag is None:
            # What it would run is no longer known; nothing of it can be at work.
            run.set_state(DagRunState.FAILED)
        else:
            set_dag_run_state_to_failed(dag=dag, run_id=run_id, commit=True, session=session)
    return True


def ended_runs(runs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Of the given (dag id, run id), those that have ended, with `success` or `failed`; `missing` where deleted."""
    wanted = set(runs)
    if not wanted:
        return {}
    query = select(DagRun.dag_id, DagRun.run_id, DagRun.state)
    with create_session() as session:
        rows = session.execute(query.where(tuple_(DagRun.dag_id, DagRun.run_id).in_(wanted))).all()
    states = {(dag_id, run_id): str(getattr(state, "value", state)) for dag_id, run_id, state in rows}
    return {run: states.get(run, "missing") for run in wanted if states.get(run, "missing") in _ENDED}


_ENDED = ("success", "failed", "missing")


def live_versions(wanted: Mapping[str, int]) -> set[str]:
    """Of DAG id to version, the ids that Airflow has taken up at that version."""
    if not wanted:
        return set()
    tags = [(dag_id, version_tag(version)) for dag_id, version in wanted.items()]
    query = select(DagTag.dag_id).join(DagModel, DagModel.dag_id == DagTag.dag_id)
    query = query.where(tuple_(DagTag.dag_id, DagTag.name).in_(tags), DagModel.is_stale.is_(False))
    with create_session() as session:
        return set(session.scalars(query))
