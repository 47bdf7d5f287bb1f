"""Record events: one per change, in the changing transaction, whoever writes."""

from __future__ import annotations

from uuid import uuid4

import pytest
from psycopg.errors import CheckViolation
from sqlalchemy import select

from oneo.database import Database
from oneo.store import records
from oneo.store.models import RecordEvent
from oneo.store.records import Changes

INSERT = "INSERT INTO records (tenant_id, id, pipeline_id, data) VALUES (%s, %s, %s, %s)"


@pytest.fixture
def events(database: Database, tenant: str):
    def read() -> list[RecordEvent]:
        with database.tenant(tenant) as session:
            return list(session.scalars(select(RecordEvent).order_by(RecordEvent.id)))

    return read


@pytest.fixture
def by_sql(plain_sql, tenant: str, leads: str):
    """A record that plain SQL inserted."""
    record_id = uuid4()
    plain_sql.execute(INSERT, [tenant, record_id, leads, '{"name": "Anna", "score": 5}'])
    return record_id


def test_plain_sql_fires_events_like_our_own_code(
    database: Database, tenant: str, leads: str, by_sql, events
):
    with database.tenant(tenant) as session:
        ours = records.create(session, tenant, leads, {"name": "Anna", "score": 5}).id
    first, second = events()

    assert (first.record_id, second.record_id) == (by_sql, ours)
    for event in (first, second):
        assert (event.kind, event.before, event.changed, event.handled_at) == ("created", None, [], None)
        assert event.after["data"] == {"name": "Anna", "score": 5}


def test_an_update_keeps_both_images_and_the_changed_fields(plain_sql, by_sql, events):
    plain_sql.execute("UPDATE records SET data = '{\"score\": 6, \"new\": 1}', stage = 'hot', owner = 'bo'")
    event = events()[-1]

    assert event.kind == "updated"
    assert event.changed == ["name", "new", "score", "stage", "owner"]
    assert event.before["data"] == {"name": "Anna", "score": 5}
    assert (event.after["data"], event.after["stage"]) == ({"score": 6, "new": 1}, "hot")
    assert (event.before["version"], event.after["version"]) == (1, 2)


@pytest.mark.parametrize("column", ["stage", "owner", "external_id", "pipeline_id"])
def test_each_column_of_the_record_counts_as_a_field(
    database, tenant, plain_sql, by_sql, events, column: str
):
    plain_sql.execute("INSERT INTO pipelines (tenant_id, id, name) VALUES (%s, 'x', 'X')", [tenant])
    plain_sql.execute(f"UPDATE records SET {column} = 'x'")

    assert events()[-1].changed == [column]


def test_an_update_that_changes_nothing_is_no_event(plain_sql, by_sql, events):
    plain_sql.execute("UPDATE records SET data = data, stage = stage, updated_at = now()")

    assert [event.kind for event in events()] == ["created"]


def test_a_rollback_takes_the_event_along(database: Database, tenant: str, leads: str, events):
    def write_and_break() -> None:
        with database.tenant(tenant) as session:
            records.create(session, tenant, leads, {})
            assert session.scalar(select(RecordEvent.kind)) == "created"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_break()
    assert events() == []


def test_an_event_knows_the_execution_that_caused_it(database: Database, tenant: str, leads: str, events):
    execution_id = uuid4()
    with database.tenant(tenant, execution_id=execution_id) as session:
        records.create(session, tenant, leads, {})
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {})

    assert [event.execution_id for event in events()] == [execution_id, None]


def test_a_soft_delete_is_a_deletion_and_all_after_it_is_silence(plain_sql, by_sql, events):
    plain_sql.execute("UPDATE records SET deleted_at = now()")
    deleted = events()[-1]
    plain_sql.execute("UPDATE records SET data = '{}'")
    plain_sql.execute("DELETE FROM records")

    assert [event.kind for event in events()] == ["created", "deleted"]
    assert deleted.before["deleted_at"] is None
    assert deleted.after["deleted_at"] is not None


def test_a_hard_delete_keeps_the_last_image(plain_sql, by_sql, events):
    plain_sql.execute("DELETE FROM records")
    event = events()[-1]

    assert (event.kind, event.after) == ("deleted", None)
    assert event.before["data"] == {"name": "Anna", "score": 5}


def test_a_record_that_is_brought_back_is_neither_new_nor_changed(plain_sql, by_sql, events):
    plain_sql.execute("UPDATE records SET deleted_at = now()")
    plain_sql.execute("UPDATE records SET deleted_at = NULL")

    assert [event.kind for event in events()] == ["created", "deleted", "restored"]


def test_a_record_imported_as_deleted_is_no_event(plain_sql, tenant: str, leads: str, events):
    plain_sql.execute(
        "INSERT INTO records (tenant_id, id, pipeline_id, deleted_at) VALUES (%s, %s, %s, now())",
        [tenant, uuid4(), leads],
    )

    assert events() == []


def test_our_changed_fields_are_those_of_the_event(database: Database, tenant: str, by_sql, events):
    with database.tenant(tenant) as session:
        row = records.get(session, by_sql, lock=True)
        changed = records.update(session, row, Changes(set={"score": 7, "empty": None, "name": "Anna"}))

    assert changed == events()[-1].changed == ["score"]


def test_a_table_of_the_same_name_cannot_catch_the_event(plain_sql, tenant: str, leads: str, events):
    plain_sql.execute("CREATE TEMP TABLE record_events (LIKE public.record_events)")
    plain_sql.execute(INSERT.replace("records", "public.records"), [tenant, uuid4(), leads, "{}"])

    assert len(events()) == 1


def test_an_image_reads_like_the_record(database: Database, tenant: str, by_sql, events):
    with database.tenant(tenant) as session:
        view = records.view(records.get(session, by_sql))
    image = records.view_image(events()[0].after)
    times = ("created_at", "updated_at")

    assert {name: value for name, value in image.items() if name not in times} == {
        name: value for name, value in view.items() if name not in times
    }


def test_many_records_of_one_statement_have_an_event_each(plain_sql, tenant: str, leads: str, events):
    # One by itself first: what the database then knows of the statement must not hold for many.
    plain_sql.execute(INSERT, [tenant, uuid4(), leads, '{"n": 0}'])
    plain_sql.execute("UPDATE records SET stage = 'new'")
    plain_sql.execute(
        "INSERT INTO records (tenant_id, id, pipeline_id, data)"
        " SELECT %s, gen_random_uuid(), %s, jsonb_build_object('n', n) FROM generate_series(1, 199) AS n",
        [tenant, leads],
    )
    plain_sql.execute("UPDATE records SET owner = data ->> 'n' WHERE (data ->> 'n')::integer % 2 = 0")
    plain_sql.execute(
        "UPDATE records SET deleted_at = CASE WHEN owner IS NULL THEN now() END,"
        " data = CASE WHEN owner = '8' THEN '{}' ELSE data END"
    )
    found = events()[2:]

    created, updated, last = found[:199], found[199:299], found[299:]
    assert sorted(event.after["data"]["n"] for event in created) == list(range(1, 200))
    assert {event.kind for event in updated} == {"updated"}
    assert all(event.changed == ["owner"] and event.before["owner"] is None for event in updated)
    assert sorted(int(event.after["owner"]) for event in updated) == list(range(0, 200, 2))
    assert all(str(event.record_id) == event.before["id"] == event.after["id"] for event in updated + last)
    assert sum(event.kind == "deleted" for event in last) == 100
    assert [(e.kind, e.changed) for e in last if e.kind != "deleted"] == [("updated", ["n"])]


def test_a_record_keeps_its_id(plain_sql, by_sql):
    with pytest.raises(CheckViolation, match="keeps its id"):
        plain_sql.execute("UPDATE records SET id = gen_random_uuid()")


def test_a_transaction_may_hold_its_events_back_or_write_none(plain_sql, by_sql, events):
    for how in ("held", "silent", "now"):
        with plain_sql.transaction():
            plain_sql.execute("SELECT set_config('oneo.events', %s, true)", [how])
            plain_sql.execute("UPDATE records SET stage = %s", [how])
    found = events()[1:]

    assert [(event.after["stage"], event.held_at is not None) for event in found] == [
        ("held", True), ("now", False),
    ]  # fmt: skip
