"""What Airflow keeps of the data of executions: outputs of tasks, what runs were started with, logs, other texts."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import (
    JSON,
    Connection,
    Select,
    column,
    create_engine,
    delete,
    inspect,
    select,
    table,
    text,
    tuple_,
    update,
)
from sqlalchemy.engine import make_url

from dag_factory.variables import CONFIRMED
from oneo.store.address import ERASED, Address
from oneo.store.workflows import dag_id as dag_id_of
from oneo_app.stack.layout import layout
from oneo_operators.airflow_run import EXECUTION_KEY

_XCOM = table("xcom", column("dag_id"), column("run_id"))
_DAG_RUN = table("dag_run", column("dag_id"), column("run_id"), column("conf", JSON))
# Without these, a task that is cleared would take its run for another execution.
_KEPT = (EXECUTION_KEY, CONFIRMED)
# Texts of Airflow's tables that no key refers to, and how a row of theirs leads to its DAG.
_TEXTS = text("""
    SELECT c.table_name, c.column_name, c.udt_name,
        (SELECT min(o.column_name) FROM information_schema.columns o WHERE o.table_schema = c.table_schema
         AND o.table_name = c.table_name AND o.column_name IN ('dag_id', 'dag_run_id', 'ti_id')) AS leads
    FROM information_schema.columns c
    JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
    AND c.udt_name IN ('text', 'varchar', 'json', 'jsonb')
    AND c.column_name NOT IN ('dag_id', 'run_id', 'task_id')
    AND NOT EXISTS (
        SELECT FROM information_schema.key_column_usage k WHERE k.table_schema = c.table_schema
        AND k.table_name = c.table_name AND k.column_name = c.column_name
    )
    ORDER BY c.table_name, c.column_name
""")
_WAYS = {
    "dag_id": "starts_with(dag_id, :dags)",
    "dag_run_id": "dag_run_id IN (SELECT id FROM dag_run WHERE starts_with(dag_id, :dags))",
    "ti_id": "ti_id IN (SELECT id FROM task_instance WHERE starts_with(dag_id, :dags))",
}


def remove_copies(
    url: str, tenant_id: str, runs: Sequence[tuple[str, str]], address: Address, *, dry_run: bool = False
) -> dict[str, int]:
    """Remove the copies of runs from Airflow's database, and the address from whatever else it says of the tenant.

    Does nothing where Airflow has no tables yet.

    Args:
        url: SQLAlchemy URL of Airflow's database.
        tenant_id: Whose runs these are.
        runs: (DAG id, run id) of each.
        address: The person's.
        dry_run: Only count.

    Returns:
        How many rows, by what became of them.
    """
    counts = {"xcoms": 0, "dag_runs_emptied": 0, "airflow_texts": 0}
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), hide_parameters=True)
    try:
        with engine.connect() as connection:
            if {"xcom", "dag_run"} <= set(inspect(connection).get_table_names()):
                if runs:
                    _remove_outputs(connection, runs, counts)
                counts["airflow_texts"] = _take_out(connection, tenant_id, address)
            if dry_run:
                connection.rollback()
            else:
                connection.commit()
    finally:
        engine.dispose()
    return counts


def _remove_outputs(connection: Connection, runs: Sequence[tuple[str, str]], counts: dict[str, int]) -> None:
    of_runs = tuple_(_XCOM.c.dag_id, _XCOM.c.run_id).in_(runs)
    counts["xcoms"] = connection.execute(delete(_XCOM).where(of_runs)).rowcount
    for dag_id, run_id, conf in connection.execute(_with_conf(runs)).all():
        kept = {name: conf[name] for name in _KEPT if name in conf}
        if kept != conf:
            this = (_DAG_RUN.c.dag_id == dag_id) & (_DAG_RUN.c.run_id == run_id)
            connection.execute(update(_DAG_RUN).where(this).values(conf=kept))
            counts["dag_runs_emptied"] += 1


def _with_conf(runs: Sequence[tuple[str, str]]) -> Select[str, str, dict[str, object]]:
    query = select(_DAG_RUN.c.dag_id, _DAG_RUN.c.run_id, _DAG_RUN.c.conf)
    of_runs = tuple_(_DAG_RUN.c.dag_id, _DAG_RUN.c.run_id).in_(runs)
    return query.where(of_runs, _DAG_RUN.c.conf.is_not(None)).with_for_update()


def _take_out(connection: Connection, tenant_id: str, address: Address) -> int:
    """Take the address out of every text about the tenant's DAGs: audit log, earlier versions, notes and more."""
    quote = connection.dialect.identifier_preparer.quote
    values = {
        "dags": dag_id_of(tenant_id, ""),
        "email": address.email,
        "pattern": address.pattern,
        "erased": ERASED,
    }
    count = 0
    for name, held, kind, leads in connection.execute(_TEXTS).all():
        if leads not in _WAYS:
            continue
        changed = connection.execute(
            text(
                f"UPDATE {quote(name)} SET {quote(held)} = "  # noqa: S608 - names of the database's own
                f"regexp_replace({quote(held)}::text, :pattern, :erased, 'gi')::{kind} "
                f"WHERE {_WAYS[leads]} AND strpos(lower({quote(held)}::text), :email) > 0 "
                f"AND {quote(held)}::text ~* :pattern"
            ),
            values,
        )
        count += changed.rowcount
    return count


def remove_logs(runs: Sequence[tuple[str, str]], *, dry_run: bool = False) -> int:
    """Remove the log files of the tasks of runs, as far as they are on this machine.

    Args:
        runs: (DAG id, run id) of each.
        dry_run: Only count.

    Returns:
        How many files.
    """
    given = os.environ.get("AIRFLOW__LOGGING__BASE_LOG_FOLDER")
    logs = (Path(given) if given else layout().airflow_home / "logs").resolve()
    count = 0
    for dag_id, run_id in runs:
        of_dag = logs / f"dag_id={dag_id}"
        folder = (of_dag / f"run_id={run_id}").resolve()
        # Whoever starts a run may choose its id.
        if folder.parent != of_dag or not folder.is_dir():
            continue
        count += sum(one.is_file() for one in folder.rglob("*"))
        if not dry_run:
            shutil.rmtree(folder)
    return count
