"""The index of record values follows the records and their pipeline, whoever writes them."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import event, select, text

from oneo.database import Database
from oneo.store import pipelines, records, search
from oneo.store.models import RecordIndex
from oneo.store.pipelines import PipelineField, PipelineSpec


def declare(database: Database, tenant: str, *indexed: str, kind: str = "json") -> None:
    fields = [PipelineField(id=name, type=kind, indexed=name in indexed) for name in ("a", "b")]
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec(id="leads", fields=fields))


def held(database: Database, tenant: str) -> list[tuple[str, int, float, str]]:
    with database.tenant(tenant) as session:
        found = session.scalars(select(RecordIndex)).all()
        return sorted((one.field, one.kind, one.number, one.text) for one in found)


def test_values_of_indexed_fields_are_kept(database: Database, tenant: str):
    declare(database, tenant, "a")
    with database.tenant(tenant) as session:
        for value in ["x", 1.5, True, None, [1], {"b": 1}]:
            records.create(session, tenant, "leads", {"a": value, "b": 1})
    assert held(database, tenant) == [("a", 1, 0, "x"), ("a", 2, 1.5, ""), ("a", 3, 1, "")]


def test_changes_and_deletions_are_followed(database: Database, tenant: str):
    declare(database, tenant, "a")
    with database.tenant(tenant) as session:
        row = records.create(session, tenant, "leads", {"a": "x"})
        records.update(session, row, records.Changes(set={"a": "y"}))
    assert held(database, tenant) == [("a", 1, 0, "y")]
    with database.tenant(tenant) as session:
        records.delete(session, records.get(session, row.id, lock=True))
    assert held(database, tenant) == []


def test_plain_sql_is_followed_statement_by_statement(
    database: Database, tenant: str, plain_sql: psycopg.Connection
):
    declare(database, tenant, "a", "b")
    plain_sql.execute(
        "INSERT INTO records (tenant_id, id, pipeline_id, data) SELECT %s, gen_random_uuid(), 'leads',"
        " jsonb_build_object('a', n) FROM generate_series(1, 3) n",
        [tenant],
    )
    plain_sql.execute("UPDATE records SET data = data || '{\"b\": \"new\"}' WHERE data ->> 'a' = '2'")
    plain_sql.execute("DELETE FROM records WHERE data ->> 'a' = '3'")
    assert held(database, tenant) == [("a", 2, 1, ""), ("a", 2, 2, ""), ("b", 1, 0, "new")]


def test_what_is_indexed_can_change(database: Database, tenant: str):
    declare(database, tenant, "a")
    with database.tenant(tenant) as session:
        records.create(session, tenant, "leads", {"a": "2026-01-31", "b": 2})
    declare(database, tenant, "b")
    assert held(database, tenant) == [("b", 2, 2, "")]
    declare(database, tenant, "a", "b", kind="date")
    assert held(database, tenant) == [("a", 4, 1769817600, ""), ("b", 2, 2, "")]
    declare(database, tenant)
    assert held(database, tenant) == []
    with database.tenant(tenant) as session:
        assert len(records.find(session, "leads", {"b": 2})) == 1


def test_another_tenant_sees_none_of_it(database: Database, tenant: str, other_tenant: str):
    for name in (tenant, other_tenant):
        declare(database, name, "a")
        with database.tenant(name) as session:
            records.create(session, name, "leads", {"a": name})
    with database.tenant(tenant) as session:
        assert records.find(session, "leads", {"a": other_tenant}) == []
        assert [row.data["a"] for row in search.page(session, "leads", {}, sort={"a": 1}).rows] == [tenant]


@pytest.fixture
def many(database: Database, tenant: str) -> str:
    """20,000 records, few of them alike."""
    declare(database, tenant, "a")
    with database.tenant(tenant) as session:
        session.execute(
            text(
                "INSERT INTO records (tenant_id, id, pipeline_id, data) SELECT :tenant, gen_random_uuid(), 'leads',"
                " jsonb_build_object('a', n, 'b', n) FROM generate_series(1, 20000) n"
            ),
            {"tenant": tenant},
        )
    url = database.url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ANALYZE records, record_index")
    return "leads"


@pytest.mark.parametrize(
    ("filters", "sort"),
    [
        ({"a": 77}, {}), ({"a": {"$in": [1, 2, 3]}}, {}), ({"a": {"$gte": 19_990}}, {}), ({}, {"a": 1}),
        ({}, {"a": -1}), ({"a": {"$gte": 50}}, {"a": -1}), ({"$or": [{"a": 1}, {"a": 2}]}, {}),
        ({"a": 5, "b": 5}, {"b": 1}),
    ],
)  # fmt: skip
def test_searches_by_indexed_fields_start_at_the_index(
    database: Database, tenant: str, many: str, filters: dict, sort: dict
):
    plans: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:
        if "FROM records" in statement:
            with connection.connection.cursor() as other:
                other.execute("EXPLAIN " + statement, parameters)
                plans.append("\n".join(row[0] for row in other.fetchall()))

    engine = database.engine("oneo_app")
    event.listen(engine, "before_cursor_execute", explain)
    try:
        with database.tenant(tenant) as session:
            assert search.page(session, many, filters, sort=sort).rows != []
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    assert "record_index_order" in plans[0]
    assert "Seq Scan on records" not in plans[0]
