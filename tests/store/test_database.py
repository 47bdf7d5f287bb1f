"""Connections: what happens when they break, and what their error messages give away."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from oneo.database import Database, migrate, plain_json, to_json
from oneo.errors import InfrastructureError
from oneo.store import executions, records

SECRET = "s3cret-of-anna"


def test_a_transaction_works_after_the_server_cut_its_connection(database_url: str, tenant: str, as_owner):
    mine = Database(database_url)
    with mine.tenant(tenant) as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    as_owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

    with mine.tenant(tenant) as session:
        assert session.scalar(text("SELECT id FROM tenants")) == tenant
    mine.dispose()


def test_a_database_that_is_down_is_named_without_its_password():
    down = Database("postgresql://anna:pa55word@127.0.0.1:1/oneo")

    with pytest.raises(InfrastructureError, match="does not answer") as raised, down.system():
        pass
    assert "127.0.0.1" in str(raised.value)
    assert "pa55word" not in str(raised.value)


def test_migrating_a_database_that_is_down_says_so():
    with pytest.raises(InfrastructureError, match="does not answer"):
        migrate("postgresql://anna:pa55word@127.0.0.1:1/oneo")


def test_a_failing_statement_keeps_its_data_to_itself(database: Database, tenant: str, leads: str):
    with pytest.raises(DBAPIError) as raised, database.tenant(tenant) as session:
        session.execute(text("SELECT 1 / 0 FROM tenants WHERE id <> :secret"), {"secret": SECRET})

    assert SECRET not in str(raised.value)


def test_a_broken_unique_constraint_keeps_the_values_to_itself(database: Database, tenant: str, leads: str):
    data = {"external_id": SECRET, "iban": SECRET}
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, data)
    with pytest.raises(DBAPIError) as raised, database.tenant(tenant) as session:
        records.create(session, tenant, leads, data)

    assert "records_external_id" in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_value_json_does_not_know_keeps_its_neighbours_to_itself(database: Database, tenant: str, publish):
    publish()
    with pytest.raises(ValueError, match="JSON") as raised, database.tenant(tenant) as session:
        executions.enqueue(
            session,
            tenant,
            "welcome",
            version=1,
            trigger_node=None,
            trigger_type="trigger_manual",
            data={"a": float("nan"), "b": SECRET},
            dag_id="x",
        )

    assert SECRET not in str(raised.value)


def test_a_statement_that_breaks_leaves_no_trace_of_the_transaction(
    database: Database, tenant: str, leads: str
):
    def write_and_break() -> None:
        with database.tenant(tenant) as session:
            records.create(session, tenant, leads, {"name": "Anna"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_break()
    with database.tenant(tenant) as session:
        assert records.count(session, leads, {}) == 0


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (datetime(2026, 1, 31, 9, tzinfo=UTC), "2026-01-31T09:00:00+00:00"),
        (date(2026, 1, 31), "2026-01-31"),
        (timedelta(days=1, hours=12), "P1DT12H"),
        (Decimal("1.50"), 1.5),
        (Decimal("2.00"), 2),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        ((1, 2), [1, 2]),
        ("größe \u2603", "größe \u2603"),
    ],
)
def test_values_beside_json_have_one_spelling(value, plain):
    assert plain_json(value) == plain
    assert type(plain_json(value)) is type(plain)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("Infinity"), Decimal("NaN")])
def test_numbers_that_are_not_finite_are_refused(value):
    with pytest.raises(ValueError, match="JSON compliant"):
        to_json(value)


def test_other_objects_are_refused_by_their_type():
    with pytest.raises(TypeError, match="object is not a JSON value"):
        to_json({"a": object()})


def test_a_listener_hears_what_a_transaction_commits_and_nothing_before(
    database: Database, tenant: str, leads: str
):
    with database.listen("oneo_work") as connection:
        with database.tenant(tenant) as session:
            records.create(session, tenant, leads, {"name": "Anna"})
            before = list(connection.notifies(timeout=0))
        after = list(connection.notifies(timeout=5, stop_after=1))

    assert before == []
    assert [one.payload for one in after] == ["record_event"]
    assert isinstance(connection, psycopg.Connection)
