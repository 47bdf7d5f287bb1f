"""Airflow's own database in a file of this run, with DAGs of three tasks, without any of its processes."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime

import pytest
from airflow.models import DagModel, DagRun, TaskInstance
from airflow.models.dagbundle import DagBundleModel
from airflow.models.serialized_dag import SerializedDagModel
from airflow.sdk import DAG, BaseOperator
from airflow.serialization.serialized_objects import LazyDeserializedDAG
from airflow.utils.db import initdb
from airflow.utils.session import create_session
from sqlalchemy import select

BUNDLE = "tests"


class AirflowDb:
    """What Airflow knows of DAGs and their runs."""

    def know(self, dag_id: str) -> None:
        """Take up a DAG of the tasks a, b and c, one after the other."""
        with DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC)) as dag:
            BaseOperator(task_id="a") >> BaseOperator(task_id="b") >> BaseOperator(task_id="c")
        with create_session() as session:
            session.merge(DagBundleModel(name=BUNDLE))
            session.flush()
            session.add(DagModel(dag_id=dag_id, bundle_name=BUNDLE, is_stale=False))
            session.flush()
            SerializedDagModel.write_dag(
                LazyDeserializedDAG.from_dag(dag), bundle_name=BUNDLE, session=session
            )

    def set_tasks(self, run_id: str, **states: str) -> None:
        """Let tasks of a run be in the given states."""
        with create_session() as session:
            for one in session.scalars(select(TaskInstance).where(TaskInstance.run_id == run_id)):
                one.state = states.get(one.task_id)

    def run(self, run_id: str) -> tuple[str, dict[str, str]]:
        """The states of a run and of its tasks."""
        with create_session() as session:
            tasks = session.scalars(select(TaskInstance).where(TaskInstance.run_id == run_id))
            states = {one.task_id: str(one.state) for one in tasks}
            return str(session.scalars(select(DagRun.state).where(DagRun.run_id == run_id)).one()), states


@pytest.fixture(scope="session")
def airflow_db() -> AirflowDb:
    """The database, without DAGs."""
    with warnings.catch_warnings():
        # Migrations of providers that are installed beside it are not ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        initdb()
    return AirflowDb()
