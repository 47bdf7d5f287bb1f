"""What Airflow's database keeps of the data of executions: outputs of tasks, what runs were started with, texts."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Connection,
    Select,
    TableClause,
    column,
    create_engine,
    delete,
    inspect,
    or_,
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
from oneo_operators.airflow_run import EXECUTION_KEY

_XCOM = table("xcom", column("dag_id"), column("run_id"))
_DAG_RUN = table("dag_run", column("id"), column("dag_id"), column("run_id"), column("conf", JSON))
_TASK = table("task_instance", column("id"), column("dag_id"), column("run_id"))
_RUN_NOTE = table("dag_run_note", column("dag_run_id"))
_TASK_NOTE = table("task_instance_note", column("ti_id"))
_AUDIT = table("log", column("id"), column("dag_id"), column("run_id"), column("extra"))
Run = tuple[str, str]
"""DAG id and run id."""
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
    url: str, tenant_id: str, runs: Sequence[Run], address: Address, *, dry_run: bool = False
) -> dict[str, int]:
    """Remove the copies of runs from Airflow's database, and the address from whatever else it says of the tenant.

    Does nothing where Airflow has no tables yet.

    Args:
        url: SQLAlchemy URL of Airflow's database.
        tenant_id: Whose runs these are.
        runs: Each of them.
        address: The person's.
        dry_run: Only count.

    Returns:
        How many rows, by what became of them.
    """
    counts = dict.fromkeys(
        ("xcoms", "dag_runs_emptied", "airflow_notes", "audit_emptied", "airflow_texts"), 0
    )
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


def _remove_outputs(connection: Connection, runs: Sequence[Run], counts: dict[str, int]) -> None:
    counts["xcoms"] = connection.execute(delete(_XCOM).where(_of(_XCOM, runs))).rowcount
    started_with = []
    for dag_id, run_id, conf in connection.execute(_with_conf(runs)).all():
        kept = {name: conf[name] for name in _KEPT if name in conf}
        if kept != conf:
            started_with.append((dag_id, conf))
            this = (_DAG_RUN.c.dag_id == dag_id) & (_DAG_RUN.c.run_id == run_id)
            connection.execute(update(_DAG_RUN).where(this).values(conf=kept))
    counts["dag_runs_emptied"] = len(started_with)
    for note, about, owner in (
        (_RUN_NOTE, _RUN_NOTE.c.dag_run_id, _DAG_RUN),
        (_TASK_NOTE, _TASK_NOTE.c.ti_id, _TASK),
    ):
        noted = delete(note).where(about.in_(select(owner.c.id).where(_of(owner, runs))))
        counts["airflow_notes"] += connection.execute(noted).rowcount
    counts["audit_emptied"] = _empty_audit(connection, runs, started_with)


def _empty_audit(
    connection: Connection, runs: Sequence[Run], started_with: Collection[tuple[str, Any]]
) -> int:
    """Leave of what people did with the runs who did it and when.

    Who starts a run is written down before it has an id: it is known by what it was started with.
    """
    dag_ids = {dag_id for dag_id, _ in runs}
    started = _AUDIT.c.dag_id.in_(dag_ids) & _AUDIT.c.run_id.is_(None)
    query = select(_AUDIT).where(_AUDIT.c.extra.is_not(None), or_(_of(_AUDIT, runs), started))
    own = [
        row.id
        for row in connection.execute(query)
        if row.run_id is not None or (row.dag_id, _conf_in(row.extra)) in started_with
    ]
    connection.execute(update(_AUDIT).where(_AUDIT.c.id.in_(own)).values(extra=None))
    return len(own)


def _conf_in(extra: str) -> Any:
    try:
        said = json.loads(extra)
    except ValueError:
        return None
    return said.get("conf") if isinstance(said, dict) else None


def _of(owner: TableClause, runs: Sequence[Run]) -> Any:
    return tuple_(owner.c.dag_id, owner.c.run_id).in_(runs)


def _with_conf(runs: Sequence[Run]) -> Select[str, str, dict[str, object]]:
    query = select(_DAG_RUN.c.dag_id, _DAG_RUN.c.run_id, _DAG_RUN.c.conf)
    return query.where(_of(_DAG_RUN, runs), _DAG_RUN.c.conf.is_not(None)).with_for_update()


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
