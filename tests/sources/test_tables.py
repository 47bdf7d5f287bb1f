"""What is particular to tables: keys and types of every kind, and what cannot be done there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from oneo.errors import UserError
from oneo.sql_table.layout import Layout
from oneo.sql_table.search import TableSearch
from oneo.store import pipelines
from tests.nodes.bench import Bench
from tests.sources.companies import TableCompanies

Make = Callable[..., "Things"]


class Things:
    """A table made for one test, and its pipeline."""

    def __init__(self, companies: TableCompanies, columns: str, **source: Any) -> None:
        self.companies = companies
        self.bench = companies.bench
        self.crm = companies.crm
        self.name = f"things_{uuid4().hex[:6]}"
        self.crm.execute(f"CREATE TABLE {self.name} ({columns})")
        document = {"id": "things", "source": {"connection_id": "crm", "table": self.name, **source}}
        self.spec = companies.apply(spec=pipelines.parse_spec(document, "things.json"))

    def node(self, kind: str, **config: Any) -> Any:
        return self.bench.node(kind, {"pipeline_id": "things", **config})

    def rows(self) -> list[Any]:
        return self.crm.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(self.name))).fetchall()


@pytest.fixture
def things(table: TableCompanies) -> Make:
    return lambda columns, **source: Things(table, columns, **source)


@pytest.mark.parametrize(
    ("columns", "source", "data", "key"),
    [
        ("id bigserial PRIMARY KEY, name text", {"fields": {"name": "name"}}, {}, "1"),
        ("id uuid PRIMARY KEY, name text", {"fields": {"name": "name"}}, {}, None),
        (
            "code text PRIMARY KEY, name text",
            {"key": "code", "fields": {"code": "code", "name": "name"}}, {"code": "a/'b"}, "a/'b",
        ),
        ("id smallint PRIMARY KEY, name text", {"fields": {"number": "id", "name": "name"}}, {"number": 7}, "7"),
    ],
    ids=["bigserial", "uuid", "text", "smallint"],
)  # fmt: skip
def test_keys(
    things: Make, columns: str, source: dict[str, Any], data: dict[str, Any], key: str | None
) -> None:
    made = things(columns, **source)
    record_id = made.node("create_record", record_data={"name": "Anna", **data}).output["record_id"]
    assert key is None or record_id == key
    changed = made.node("update_record", record_id=record_id, update_fields={"name": "Bert"}).output
    assert (changed["changed"], changed["record"]["id"]) == (["name"], record_id)
    found = made.node("find_records", filters={"id": record_id}, sort={"id": -1}).output
    assert [one["name"] for one in found["records"]] == ["Bert"]
    for _ in range(3):
        made.crm.execute(
            f"INSERT INTO {made.name} SELECT (t).* FROM (SELECT t FROM {made.name} AS t LIMIT 0) AS x"
        )
    gone = made.node("delete_record", record_id=record_id, soft_delete=False).output
    assert (gone["deleted"], made.rows()) == ([record_id], [])


@pytest.mark.parametrize(
    "record_id", ["07", " 7", "7.0", "1e3", "99999999999999999999", "x", "7; DROP TABLE t", ""]
)
def test_what_is_no_key_is_no_record(things: Make, record_id: str) -> None:
    made = things("id smallint PRIMARY KEY, name text", fields={"number": "id", "name": "name"})
    made.node("create_record", record_data={"number": 7, "name": "Anna"})
    assert made.node("find_records", filters={"id": record_id}).output["records"] == []
    error = made.node("update_record", record_id=record_id, update_fields={"name": "x"}).error
    assert error["type"] == "ConfigError"
    assert made.rows() == [(7, "Anna")]


VALUES: list[tuple[str, Any, str]] = [
    ("integer", 7, "7"),
    ("numeric(12,2)", 1234.5, "1234.50"),
    ("double precision", 0.1, "0.1"),
    ("text", "a\\\"'%s", "a\\\"'%s"),
    ("varchar(10)", "ü", "ü"),
    ("boolean", False, "false"),
    ("date", "2026-01-31", "2026-01-31"),
    ("timestamptz", "2026-01-31T09:00:00+01:00", "2026-01-31 08:00:00+00"),
    ("timestamp", "2026-01-31T09:00:00+01:00", "2026-01-31 08:00:00"),
    ("jsonb", {"a": [1, None, "x"]}, '{"a": [1, null, "x"]}'),
    ("json", ["a", 1], '["a", 1]'),
    ("text[]", ["a", 'b"\\,{}', "NULL"], '{a,"b\\"\\\\,{}","NULL"}'),
    ("integer[]", [1, 2], "{1,2}"),
    ("uuid", "6f2b7c1e-1b0a-4c5e-9c0e-0d6a3c7e4a11", "6f2b7c1e-1b0a-4c5e-9c0e-0d6a3c7e4a11"),
    ("mood", "happy", "happy"),
    ("sku", "A-1", "A-1"),
]


@pytest.fixture
def moods(crm: psycopg.Connection) -> None:
    """A type that lists its values, and one that checks them."""
    crm.execute("SET TimeZone = 'UTC'")
    for statement in (
        "CREATE TYPE mood AS ENUM ('happy', 'sad')",
        "CREATE DOMAIN sku AS text CHECK (VALUE ~ '^A')",
    ):
        with suppress(psycopg.errors.DuplicateObject):
            crm.execute(statement)


@pytest.mark.parametrize(("kind", "value", "text"), VALUES, ids=[one[0] for one in VALUES])
def test_values_of_each_type(things: Make, moods: None, kind: str, value: Any, text: str) -> None:
    made = things(f"id serial PRIMARY KEY, held {kind}", fields={"held": "held"})
    output = made.node("create_record", record_data={"held": value}).output
    assert made.crm.execute(f"SELECT held::text FROM {made.name}").fetchone() == (text,)
    cleared = made.node("update_record", record_id=output["record_id"], unset_fields=["held"]).output
    assert (cleared["changed"], cleared["record"]["held"]) == (["held"], None)
    again = made.node("update_record", record_id=output["record_id"], update_fields={"held": value}).output
    assert again["record"]["held"] == output["record"]["held"]
    found = made.node("find_records", filters={"held": {"$exists": True}}, sort={"held": 1}).output
    assert found["count"] == 1
    if not isinstance(value, list | dict):
        assert made.node("find_records", filters={"held": value}).output["count"] == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [("smallint", 40000), ("integer", 2**31), ("integer", 1.5), ("integer", "7"), ("integer", True), ("boolean", 1),
     ("date", "soon"), ("uuid", "x"), ("text", 7), ("integer[]", ["a"]), ("integer[]", "a"), ("numeric", "1")],
)  # fmt: skip
def test_what_a_column_cannot_hold(things: Make, kind: str, value: Any) -> None:
    made = things(f"id serial PRIMARY KEY, held {kind}", fields={"held": "held"})
    ran = made.node("create_record", record_data={"held": value}, skip_validation=True)
    assert (ran.error["type"], "field 'held'" in ran.message) == ("ConfigError", True)
    assert made.rows() == []


def test_what_the_table_refuses_is_no_stack_trace(things: Make) -> None:
    made = things(
        "id serial PRIMARY KEY, held integer CHECK (held < 10), name varchar(3)",
        fields={"held": "held", "name": "name"},
    )
    for data, said in (({"held": 11}, "violates check constraint"), ({"name": "long"}, "value too long")):
        error = made.node("create_record", record_data=data).error
        assert (error["type"], said in error["message"]) == ("PermanentNodeError", True)


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("delete_record", {"record_id": "1"}, "soft_delete: "),
    ("delete_record", {"record_id": "1", "soft_delete": False, "archive_before_delete": True}, "archive_before_"),
    ("delete_record", {"record_id": "1", "soft_delete": False, "cascade_delete": True}, "cascade_delete: "),
    ("delete_record", {"record_id": "1", "restore": True}, "restore: "),
    ("create_record", {"record_data": {"name": "x"}, "parent_id": "1"}, "parent_id: "),
    ("update_record", {"record_id": "1", "update_fields": {"name": "x"}, "expected_version": 1}, "expected_version: "),
    ("update_record", {"record_id": "1", "update_fields": {"nmae": "x"}}, "did you mean 'name'?"),
    ("update_record", {"record_id": "1", "update_fields": {"stage": "x"}}, "has no field 'stage'"),
    ("create_record", {"record_data": {'a"; DROP TABLE t; --': 1}}, "has no field"),
    (
        "create_record",
        {"record_data": {"name": "x"}, "check_duplicates": True, "duplicate_fields": ["mail"]}, "has no field 'mail'",
    ),
    ("find_records", {"filters": {"stage": "x"}}, "has no field 'stage'"),
    ("find_records", {"sort": {"created_at": 1}}, "has no field 'created_at'"),
    ("find_records", {"aggregate": True, "group_by": ["owner"]}, "has no field 'owner'"),
    ("resolve_contact", {"match_criteria": {"email": "a@b.de"}}, "this works on records of our own store only"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "config", "said"), REFUSED, ids=[f"{one[0]} {one[2]}" for one in REFUSED])
def test_what_cannot_be_done_there(things: Make, kind: str, config: dict[str, Any], said: str) -> None:
    made = things("id serial PRIMARY KEY, name text", fields={"name": "name"})
    made.node("create_record", record_data={"name": "Anna"})
    ran = made.node(kind, **config)
    assert (ran.error["type"], said in ran.message) == ("ConfigError", True), ran.message
    assert made.rows() == [(1, "Anna")]


def test_tasks_and_imports_are_for_records_of_our_own(things: Make, tmp_path: Any) -> None:
    made = things("id serial PRIMARY KEY, name text", fields={"name": "name"})
    about = {"record_id": "1", "pipeline_id": "things"}
    made.node("create_record", record_data={"name": "Anna"})
    ran = made.bench.node("create_follow_up_task", {"title": "Call"}, about)
    assert "this works on records of our own store only" in ran.message
    with (
        pytest.raises(UserError, match="records of our own store only"),
        made.bench.database.tenant(made.bench.tenant) as session,
    ):
        pipelines.own(session, "things")


def test_another_program_may_fill_what_is_not_mapped(things: Make) -> None:
    columns = (
        "id serial PRIMARY KEY, name text, salt text NOT NULL DEFAULT 'x',"
        " big text GENERATED ALWAYS AS (upper(name)) STORED"
    )
    made = things(columns, fields={"name": "name"})
    made.node("create_record", record_data={"name": "Anna"})
    made.node("update_record", record_id="1", update_fields={"name": "Bert"})
    assert made.rows() == [(1, "Bert", "x", "BERT")]


@pytest.mark.parametrize(
    "filters",
    [
        {"mail": "p7@x.de"},
        {"id": "7"},
        {"mail": {"$in": ["a", "b"]}},
        {"visits": 7},
        {"made": {"$gt": "2150-01-01"}},
    ],
    ids=str,
)
def test_an_index_of_the_table_serves_filters(things: Make, crm_url: URL, filters: dict[str, Any]) -> None:
    columns = "id serial PRIMARY KEY, mail text UNIQUE, visits integer, made timestamptz"
    made = things(columns, fields={name: name for name in ("mail", "visits", "made")})
    made.crm.execute(
        f"INSERT INTO {made.name} (mail, visits, made)"
        " SELECT 'p' || n || '@x.de', n, '2000-01-01'::timestamptz + n * interval '1 day'"
        " FROM generate_series(1, 20000) AS n"
    )
    made.crm.execute(f"CREATE INDEX ON {made.name} (visits); CREATE INDEX ON {made.name} (made)")
    made.crm.execute(f"ANALYZE {made.name}")
    engine = create_engine(crm_url)
    event.listen(engine, "before_cursor_execute", _explained, retval=True)
    layout = Layout(made.spec)
    with Session(engine) as session:
        fits = TableSearch(session, layout).fits(filters)
        plan = "\n".join(session.scalars(select(layout.key).where(fits)))
    engine.dispose()
    assert "Index" in plan
    assert "Seq Scan" not in plan


def _explained(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
    return f"EXPLAIN {statement}", parameters


def test_two_tenants_reach_their_own_connection_and_pipeline_only(
    table: TableCompanies, other: Callable[[], Bench], crm: psycopg.Connection
) -> None:
    table.apply()
    key = table.add(name="Anna")
    stranger = other()
    stranger.vault.databases.clear()
    config = {"pipeline_id": "companies", "record_id": key, "update_fields": {"name": "x"}}
    # Neither the pipeline nor the connection is theirs.
    assert "there is no record" in stranger.node("update_record", config).message
    assert (
        "there is no pipeline 'companies'"
        in stranger.node("find_records", {"pipeline_id": "companies"}).message
    )
    with stranger.database.tenant(stranger.tenant) as session:
        spec = table.spec()
        pipelines.apply(session, stranger.tenant, spec)
    ran = stranger.node("find_records", {"pipeline_id": "companies"})
    assert f"create the Airflow connection 'oneo__{stranger.tenant}__crm'" in ran.message
    assert (table.get(key) or {})["name"] == "Anna"


def test_a_database_that_does_not_answer_is_tried_again(table: TableCompanies) -> None:
    table.apply()
    url = table.bench.vault.databases[f"oneo__{table.bench.tenant}__crm"]
    down = url.set(host="127.0.0.1", port=1, password="hunter2-canary", query={})
    table.bench.vault.connect_database("crm", down)
    ran = table.bench.node("find_records", {"pipeline_id": "companies"})
    assert ran.error["type"] == "TransientNodeError"
    assert "does not answer" in ran.message
    assert "hunter2-canary" not in str(ran.report)
