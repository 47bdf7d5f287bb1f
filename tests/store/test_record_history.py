"""The history of a record: every change with who made it, whoever writes, and whatever becomes of the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from psycopg.errors import InsufficientPrivilege

from oneo.database import Database
from oneo.errors import UserError
from oneo.store import deletion, executions, history, records, relations
from oneo.store.models import RecordHistory
from oneo.store.records import Changes


@pytest.fixture
def anna(database: Database, tenant: str, leads: str) -> UUID:
    with database.tenant(tenant) as session:
        return records.create(session, tenant, leads, {"name": "Anna", "stage": "new"}).id


@pytest.fixture
def past(database: Database, tenant: str, anna: UUID) -> Callable[[], list[RecordHistory]]:
    def read() -> list[RecordHistory]:
        with database.tenant(tenant) as session:
            return history.of_record(session, anna)

    return read


def test_each_change_keeps_what_was_and_what_is(database: Database, tenant: str, anna: UUID, past):
    with database.tenant(tenant) as session:
        records.update(session, records.get(session, anna, lock=True), Changes({"stage": "won", "score": 5}))
    created, updated = past()

    assert (created.version, created.kind, created.pipeline_id) == (1, "created", "leads")
    assert created.changes["name"] == {"before": None, "after": "Anna"}
    assert (updated.version, updated.kind) == (2, "updated")
    assert updated.changes == {
        "stage": {"before": "new", "after": "won"},
        "score": {"before": None, "after": 5},
    }


def test_plain_sql_is_part_of_it_and_may_say_who_it_is(plain_sql, anna: UUID, past):
    plain_sql.execute("UPDATE records SET data = data")
    plain_sql.execute("UPDATE records SET owner = 'bo'")
    with plain_sql.transaction():
        plain_sql.execute("SELECT set_config('oneo.actor', 'eva', true)")
        plain_sql.execute("DELETE FROM records")

    assert [(one.version, one.kind, one.actor) for one in past()] == [
        (1, "created", None),
        (2, "updated", None),
        (3, "removed", "eva"),
    ]


def test_it_knows_the_execution_and_who_started_it(
    database: Database, tenant: str, anna: UUID, past, publish, enqueue: Callable[..., Any]
):
    publish()
    execution_id = enqueue()
    with database.tenant(tenant) as session:
        executions.get(session, execution_id).started_by = "eva"
    with database.tenant(tenant, execution_id=execution_id) as session:
        records.update(session, records.get(session, anna, lock=True), Changes({"n": 1}))
    with database.tenant(tenant, execution_id=execution_id, actor="bo") as session:
        records.update(session, records.get(session, anna, lock=True), Changes({"n": 2}))

    assert [(one.execution_id, one.actor) for one in past()[1:]] == [
        (execution_id, "eva"),
        (execution_id, "bo"),
    ]


def test_a_rollback_takes_the_change_along(database: Database, tenant: str, anna: UUID, past):
    def write_and_break() -> None:
        with database.tenant(tenant) as session:
            records.update(session, records.get(session, anna, lock=True), Changes({"n": 1}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_break()
    assert len(past()) == 1


def test_deleted_changed_and_brought_back_is_all_there(
    database: Database, tenant: str, anna, past, plain_sql
):
    with database.tenant(tenant) as session:
        deletion.delete(session, deletion.locate(session, anna))
    plain_sql.execute("UPDATE records SET data = '{}'")
    with database.tenant(tenant) as session:
        deletion.restore(session, deletion.locate(session, anna))

    assert [one.kind for one in past()] == ["created", "deleted", "updated", "restored"]


@pytest.mark.parametrize(
    "statement", ["DELETE FROM record_history", "UPDATE record_history SET actor = 'nobody', version = 9"]
)
def test_who_did_what_cannot_be_rewritten(plain_sql, anna: UUID, statement: str):
    with pytest.raises(InsufficientPrivilege):
        plain_sql.execute(statement)


def test_a_record_belongs_to_another_only_once_and_never_to_itself(
    database: Database, tenant: str, leads: str, anna: UUID
):
    with database.tenant(tenant) as session:
        parent, child = records.get(session, anna), records.create(session, tenant, leads, {})
        relations.relate(session, parent, child, "part")
        assert relations.descendants(session, anna) == {child.id}
        relations.relate(session, parent, child, "part", cascades=False)
        assert relations.descendants(session, anna) == set()
        with pytest.raises(UserError, match="cannot belong to itself"):
            relations.relate(session, parent, parent, "part")


def test_a_removed_record_leaves_its_relations(database: Database, tenant: str, leads: str, anna: UUID):
    with database.tenant(tenant) as session:
        parent, child = records.get(session, anna), records.create(session, tenant, leads, {})
        relations.relate(session, parent, child, "part")
        deletion.remove(session, parent)
    with database.tenant(tenant) as session:
        assert relations.descendants(session, anna) == set()
        assert records.find_one(session, child.id) is not None


def test_many_records_of_one_statement_have_an_entry_each(plain_sql, tenant: str, leads: str, anna: UUID):
    plain_sql.execute("SELECT set_config('oneo.events', 'silent', false)")
    plain_sql.execute(
        "INSERT INTO records (tenant_id, id, pipeline_id, data)"
        " SELECT %s, gen_random_uuid(), %s, jsonb_build_object('n', n) FROM generate_series(1, 500) AS n",
        [tenant, leads],
    )
    plain_sql.execute(
        "UPDATE records SET owner = data ->> 'n', archived_at = CASE WHEN id = %s THEN now() END", [anna]
    )
    kept = plain_sql.execute(
        "SELECT kind, changes -> 'owner' ->> 'after', changes -> 'n' ->> 'after', image ->> 'id'"
        " FROM record_history WHERE record_id <> %s",
        [anna],
    ).fetchall()
    plain_sql.execute("DELETE FROM records")
    left = plain_sql.execute(
        "SELECT kind, version, changes, image ->> 'id' FROM record_history WHERE kind <> 'created'"
    ).fetchall()

    assert sorted(int(row[2]) for row in kept if row[0] == "created") == list(range(1, 501))
    assert sorted(int(row[1]) for row in kept if row[0] == "updated") == list(range(1, 501))
    assert sorted(left, key=str) == sorted(
        [("archived", 2, {}, str(anna)), ("removed", 3, {}, None)]
        + [("updated", 2, {}, None), ("removed", 3, {}, None)] * 500,
        key=str,
    )
