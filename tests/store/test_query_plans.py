"""What dispatchers ask all the time stays quick however long the history is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from sqlalchemy import event, text

from oneo.database import Database
from oneo.store import dag_runs, events, execution_queue, families, starts

ROWS = 10_000


@pytest.fixture(scope="module")
def history(database: Database) -> Iterator[str]:
    """A tenant with 10,000 events and executions, nearly all of them done."""
    from oneo.store import tenants

    tenant_id = "history"
    with database.system() as session:
        tenants.ensure(session, tenant_id)
    with database.tenant(tenant_id) as session:
        session.execute(
            text("INSERT INTO workflows (tenant_id, id, name, version) VALUES ('history', 'w', 'W', 1)")
        )
        session.execute(
            text(
                "INSERT INTO executions (tenant_id, id, workflow_id, version, status, trigger_type, dag_id, run_id,"
                " run_state, record_ids) SELECT 'history', gen_random_uuid(), 'w', 1,"
                " CASE WHEN n % 1000 = 0 THEN 'pending' ELSE 'success' END, 'x', 'd', 'r' || n,"
                " CASE WHEN n % 1000 = 0 THEN NULL ELSE 'success' END,"
                " CASE WHEN n % 2 = 0 THEN ARRAY[gen_random_uuid(), gen_random_uuid()] END"
                " FROM generate_series(1, :rows) n"
            ),
            {"rows": ROWS},
        )
        session.execute(
            text(
                "INSERT INTO record_events (tenant_id, pipeline_id, record_id, kind, handled_at)"
                " SELECT 'history', 'p', gen_random_uuid(), 'created', CASE WHEN n % 1000 > 0 THEN now() END"
                " FROM generate_series(1, :rows) n"
            ),
            {"rows": ROWS},
        )
    url = database.url.set(drivername="postgresql").render_as_string(False)
    import psycopg

    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ANALYZE executions, record_events, workflows")
        yield tenant_id
        # The queues of later tests start empty.
        owner.execute("SET ROLE oneo_app")
        owner.execute("SET oneo.tenant = 'history'")
        owner.execute("DELETE FROM executions")
    with database.system() as session:
        events.mark_handled(session, events.claim_waiting(session, ROWS), {})


@contextmanager
def plans(database: Database) -> Iterator[list[str]]:
    """The plans of the SELECT statements that run meanwhile."""
    found: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:
        if statement.startswith(("SELECT", "WITH")):
            with connection.connection.cursor() as other:
                other.execute("EXPLAIN " + statement, parameters)
                found.append("\n".join(row[0] for row in other.fetchall()))

    engine = database.engine("oneo_system")
    event.listen(engine, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", explain)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda session: events.claim_waiting(session, 100), "record_events_waiting"),
        (lambda session: execution_queue.claim_due(session, 1), "executions_due"),
        (lambda session: dag_runs.claim_ended(session, 100), "executions_ended"),
        (lambda session: dag_runs.open_runs(session, 60), "executions_open"),
        (lambda session: families.open_inside(session, "history", uuid4()), "executions_parent"),
        (lambda session: families.children(session, uuid4()), "executions_parent"),
    ],
)
def test_the_queues_are_read_from_their_indexes(database: Database, history: str, ask, index: str):
    with database.system() as session, plans(database) as found:
        ask(session)

    assert index in found[0]
    assert "Seq Scan on executions" not in found[0]
    assert "Seq Scan on record_events" not in found[0]


def test_what_a_record_has_had_is_read_from_indexes(database: Database, history: str):
    with database.system() as session, plans(database) as found:
        starts.enrolled(session, "history", "w", uuid4())

    alone, among_others = found
    assert "executions_about" in alone
    assert "executions_about_many" in among_others
    assert "executions_lately" not in "".join(found)
    assert "Seq Scan" not in "".join(found)
