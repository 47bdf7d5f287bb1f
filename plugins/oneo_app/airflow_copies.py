"""What Airflow's database holds of the data of executions: outputs of tasks, and what runs were started with."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import JSON, Select, column, create_engine, delete, inspect, select, table, tuple_, update
from sqlalchemy.engine import make_url

from dag_factory.variables import CONFIRMED
from oneo_operators.airflow_run import EXECUTION_KEY

_XCOM = table("xcom", column("dag_id"), column("run_id"))
_DAG_RUN = table("dag_run", column("dag_id"), column("run_id"), column("conf", JSON))
# Without these, a task that is cleared would take its run for another execution.
_KEPT = (EXECUTION_KEY, CONFIRMED)


def remove_copies(url: str, runs: Sequence[tuple[str, str]], *, dry_run: bool = False) -> dict[str, int]:
    """Remove the copies of runs from Airflow's database; does nothing where Airflow has no tables yet.

    Args:
        url: SQLAlchemy URL of Airflow's database.
        runs: (DAG id, run id) of each.
        dry_run: Only count.

    Returns:
        How many rows, by what became of them.
    """
    counts = {"xcoms": 0, "dag_runs_emptied": 0}
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), hide_parameters=True)
    try:
        with engine.connect() as connection:
            if runs and {"xcom", "dag_run"} <= set(inspect(connection).get_table_names()):
                of_runs = tuple_(_XCOM.c.dag_id, _XCOM.c.run_id).in_(runs)
                counts["xcoms"] = connection.execute(delete(_XCOM).where(of_runs)).rowcount
                for dag_id, run_id, conf in connection.execute(_with_conf(runs)).all():
                    kept = {name: conf[name] for name in _KEPT if name in conf}
                    if kept != conf:
                        this = (_DAG_RUN.c.dag_id == dag_id) & (_DAG_RUN.c.run_id == run_id)
                        connection.execute(update(_DAG_RUN).where(this).values(conf=kept))
                        counts["dag_runs_emptied"] += 1
            if dry_run:
                connection.rollback()
            else:
                connection.commit()
    finally:
        engine.dispose()
    return counts


def _with_conf(runs: Sequence[tuple[str, str]]) -> Select[str, str, dict[str, object]]:
    query = select(_DAG_RUN.c.dag_id, _DAG_RUN.c.run_id, _DAG_RUN.c.conf)
    of_runs = tuple_(_DAG_RUN.c.dag_id, _DAG_RUN.c.run_id).in_(runs)
    return query.where(of_runs, _DAG_RUN.c.conf.is_not(None)).with_for_update()
