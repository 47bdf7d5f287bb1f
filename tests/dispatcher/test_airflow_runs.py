"""DAG runs that are ended before they are done, in a database of Airflow's own."""

from __future__ import annotations

from oneo_app.dispatcher import airflow_runs
from tests.dispatcher.airflow_db import AirflowDb, airflow_db

__all__ = ["airflow_db"]


def test_a_run_is_ended_with_what_is_at_work_and_what_waits(airflow_db: AirflowDb) -> None:
    airflow_db.know("acme--three")
    assert airflow_runs.start_run("acme--three", "oneo__1", {})
    airflow_db.set_tasks("oneo__1", a="success", b="deferred")
    assert airflow_runs.cancel_run("acme--three", "oneo__1")
    assert airflow_db.run("oneo__1") == ("failed", {"a": "success", "b": "failed", "c": "skipped"})


def test_a_run_that_is_no_longer_there_is_none_to_end(airflow_db: AirflowDb) -> None:
    airflow_db.know("acme--ended")
    airflow_runs.start_run("acme--ended", "oneo__2", {})
    assert airflow_runs.cancel_run("acme--ended", "oneo__2")
    assert not airflow_runs.cancel_run("acme--ended", "oneo__2")
    assert not airflow_runs.cancel_run("acme--ended", "oneo__unknown")
