"""Records: what is written comes back, changes are counted, and nothing gets lost between writers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from oneo.database import Database
from oneo.errors import InvalidRecordError, NotFoundError, UserError
from oneo.store import records
from oneo.store.records import Changes


@pytest.fixture
def anna(database: Database, tenant: str, leads: str) -> str:
    with database.tenant(tenant) as session:
        data = {"name": "Anna", "score": 5, "tags": ["a"], "active": True, "stage": "new"}
        return str(records.create(session, tenant, leads, data).id)


@pytest.fixture
def change(database: Database, tenant: str, anna: str):
    def one(**changes: object) -> tuple[list[str], dict[str, object]]:
        with database.tenant(tenant) as session:
            row = records.get(session, anna, lock=True)
            changed = records.update(session, row, Changes(**changes))
        with database.tenant(tenant) as session:
            return changed, records.view(records.get(session, anna))

    return one


def test_a_record_comes_back_flat_with_its_columns_beside_its_data(
    database: Database, tenant: str, leads: str
):
    data = {"name": "Anna", "address": {"city": "Köln"}, "stage": "new", "owner": "bo", "external_id": "7"}
    with database.tenant(tenant) as session:
        record_id = records.create(session, tenant, leads, data).id
    with database.tenant(tenant) as session:
        row = records.get(session, record_id)
        view = records.view(row)

    assert view == {
        **data,
        "id": str(record_id),
        "pipeline_id": leads,
        "version": 1,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }
    assert row.data == {"name": "Anna", "address": {"city": "Köln"}}
    assert view["created_at"].tzinfo is not None


def test_a_number_as_external_id_is_text(database: Database, tenant: str, leads: str):
    with database.tenant(tenant) as session:
        records.create(session, tenant, leads, {"external_id": 660737})
    with database.tenant(tenant) as session:
        assert records.by_external_id(session, leads, "660737") is not None


@pytest.mark.parametrize(
    "data",
    [
        {"score": float("nan")},
        {"score": float("-inf")},
        {"deep": [{"score": float("nan")}]},
        {"name": "a\x00b"},
        {"a\x00": 1},
        {"name": "\ud800"},
        {"stage": {"id": "new"}},
        {"owner": True},
        {"when": object()},
        {"id": "1"},
        {"version": 2},
    ],
)
def test_data_no_record_can_hold_is_refused_by_field_not_by_value(
    database: Database, tenant: str, leads: str, data: dict
):
    with pytest.raises(InvalidRecordError, match="field") as raised, database.tenant(tenant) as session:
        records.create(session, tenant, leads, {**data, "iban": "DE-secret"})
    assert "DE-secret" not in str(raised.value)


def test_dates_and_decimals_are_kept_as_json(database: Database, tenant: str, leads: str):
    data = {"day": date(2026, 1, 31), "at": datetime(2026, 1, 31, tzinfo=UTC), "price": Decimal("9.90")}
    with database.tenant(tenant) as session:
        record_id = records.create(session, tenant, leads, data).id
    with database.tenant(tenant) as session:
        kept = records.get(session, record_id).data

    assert kept == {"day": "2026-01-31", "at": "2026-01-31T00:00:00+00:00", "price": 9.9}


def test_a_change_names_what_really_changed_and_counts_once(change):
    changed, view = change(set={"name": "Anna", "score": 6, "stage": "hot"})

    assert set(changed) == {"score", "stage"}
    assert (view["score"], view["stage"], view["version"]) == (6, "hot", 2)


@pytest.mark.parametrize("values", [{"name": "Anna"}, {"missing": None}, {"score": 5.0}, {"tags": ["a"]}, {}])
def test_a_change_to_the_same_counts_not_at_all(change, values: dict):
    changed, view = change(set=values)

    assert changed == []
    assert view["version"] == 1


def test_true_and_one_are_different(change):
    changed, view = change(set={"active": 1})

    assert changed == ["active"]
    assert view["active"] == 1
    assert view["active"] is not True


def test_increment_starts_missing_fields_at_zero_and_may_go_down(change):
    changed, view = change(increment={"score": -2, "visits": 1})

    assert set(changed) == {"score", "visits"}
    assert (view["score"], view["visits"]) == (3, 1)


def test_append_starts_missing_lists_empty(change):
    _, view = change(append={"tags": ["b", {"c": 1}], "notes": ["first"]})

    assert (view["tags"], view["notes"]) == (["a", "b", {"c": 1}], ["first"])


@pytest.mark.parametrize(
    "changes",
    [
        {"increment": {"name": 1}},
        {"increment": {"active": 1}},
        {"increment": {"tags": 1}},
        {"increment": {"score": float("inf")}},
        {"increment": {"stage": 1}},
        {"append": {"name": ["x"]}},
        {"append": {"score": [1]}},
        {"set": {"score": float("nan")}},
        {"set": {"id": "other"}},
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(
    database: Database, tenant: str, anna: str, change, changes
):
    with pytest.raises(UserError, match="field"):
        change(**{"set": {"name": "Bo"}, **changes})
    with database.tenant(tenant) as session:
        assert records.get(session, anna).data["name"] == "Anna"


def test_fifty_writers_at_once_lose_no_increment(database_url: str, tenant: str, anna: str):
    shared = Database(database_url, pool_size=10)

    def add(number: int) -> None:
        with shared.tenant(tenant) as session:
            row = records.get(session, anna, lock=True)
            records.update(session, row, Changes(increment={"score": 1}, append={"tags": [number]}))

    with ThreadPoolExecutor(50) as pool:
        list(pool.map(add, range(50)))
    with shared.tenant(tenant) as session:
        row = records.get(session, anna)
    shared.dispose()

    assert (row.data["score"], row.version) == (55, 51)
    assert sorted(row.data["tags"][1:]) == list(range(50))


def test_a_lock_sees_what_others_wrote_since_the_record_was_first_read(
    database: Database, tenant: str, leads: str, anna: str
):
    with database.tenant(tenant) as session:
        (seen,) = records.find(session, leads, {})
        with database.tenant(tenant) as other:
            records.update(other, records.get(other, anna, lock=True), Changes(increment={"score": 1}))
        locked = records.get(session, anna, lock=True)
        records.update(session, locked, Changes(increment={"score": 1}))
    with database.tenant(tenant) as session:
        assert locked is seen
        assert records.get(session, anna).data["score"] == 7


def test_plain_sql_counts_versions_too(database: Database, tenant: str, anna: str, plain_sql):
    with database.tenant(tenant) as session:
        before = records.get(session, anna).updated_at
    plain_sql.execute("UPDATE records SET data = data || '{\"score\": 9}'")
    plain_sql.execute("UPDATE records SET data = data")
    with database.tenant(tenant) as session:
        row = records.get(session, anna)

    assert row.version == 2
    assert row.updated_at > before


def test_plain_sql_cannot_write_data_that_is_no_object(anna: str, plain_sql):
    import psycopg

    with pytest.raises(psycopg.errors.CheckViolation):
        plain_sql.execute("UPDATE records SET data = '[1]'")


def test_a_deleted_record_is_found_nowhere_and_kept(database: Database, tenant: str, leads: str, plain_sql):
    with database.tenant(tenant) as session:
        row = records.create(session, tenant, leads, {"name": "Anna", "external_id": "7"})
        records.delete(session, row, {"why": "asked to"})
    with database.tenant(tenant) as session:
        found = [
            records.find_one(session, row.id),
            records.by_external_id(session, leads, "7"),
            *records.find(session, leads, {}),
            *records.find_equal(session, leads, "name", "Anna"),
        ]
        again = records.create(session, tenant, leads, {"external_id": "7"})
    kept = plain_sql.execute("SELECT data, version FROM records WHERE id = %s", [row.id]).fetchone()

    assert found == [None, None]
    assert again.id != row.id
    assert kept == ({"name": "Anna", "why": "asked to"}, 2)


@pytest.mark.parametrize("record_id", [str(UUID(int=7)), "7", "", "x' OR '1'='1"])
def test_a_record_that_is_not_there_is_named(database: Database, tenant: str, leads: str, record_id: str):
    with database.tenant(tenant) as session, pytest.raises(NotFoundError, match="there is no record"):
        records.get(session, record_id)


def test_another_tenants_record_is_not_there(database: Database, other_tenant: str, anna: str):
    with database.tenant(other_tenant) as session, pytest.raises(NotFoundError):
        records.get(session, anna)
