"""Unique fields: one record has a value, whoever writes it and however many write at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
from alembic import command
from psycopg.types.json import Jsonb
from sqlalchemy import create_engine, text

from oneo.database import Database, migrate
from oneo.errors import DuplicateError, UserError
from oneo.importing import ImportOptions, import_file
from oneo.store import deletion, erasure, pipelines, records
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec
from oneo.store.records import Changes
from tests.store.test_migrations import config

INSERT = "INSERT INTO records (tenant_id, id, pipeline_id, data) VALUES (%s, %s, 'people', %s)"


@pytest.fixture
def people(database: Database, tenant: str) -> str:
    """A pipeline of people with an address and a number of their own."""
    fields = [
        {"id": "email", "type": "email", "unique": True},
        {"id": "phone", "type": "phone", "unique": True},
        {"id": "number", "type": "json", "unique": True},
    ]
    apply(database, tenant, fields)
    return "people"


def apply(database: Database, tenant: str, fields: list[dict]) -> None:
    with database.tenant(tenant) as session:
        pipelines.apply(session, tenant, PipelineSpec.model_validate({"id": "people", "fields": fields}))


def create(database: Database, tenant: str, **data: object) -> Record:
    with database.tenant(tenant) as session:
        return records.create(session, tenant, "people", data)


def test_the_message_names_field_value_and_record(database: Database, tenant: str, people: str):
    ada = create(database, tenant, email="ada@x.de")

    with pytest.raises(DuplicateError) as raised:
        create(database, tenant, email="ada@x.de")

    assert raised.value.message == f"field 'email' is unique, and record {ada.id} has \"ada@x.de\" already"
    assert raised.value.record_id == str(ada.id)


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({"email": "Ada@X.de "}, {"email": "ada@x.de"}),
        ({"phone": "+49 (171) 123-45"}, {"phone": "+4917112345"}),
        ({"number": 1}, {"number": 1.0}),
        ({"number": " A  1"}, {"number": "A 1"}),
        ({"number": [1, {"a": 2}]}, {"number": [1, {"a": 2}]}),
        ({"number": True}, {"number": True}),
        ({"number": "x" * 100_000}, {"number": "x" * 100_000}),
    ],
)
def test_the_same_in_another_spelling_is_the_same(
    database: Database, tenant: str, people: str, one: dict, same: dict
):
    create(database, tenant, **one)
    with pytest.raises(DuplicateError):
        create(database, tenant, **same)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"number": 1}, {"number": "1"}),
        ({"number": 1}, {"number": True}),
        ({"number": "a"}, {"number": "A"}),
        *(
            ({name: empty}, {name: empty})
            for name in ("email", "phone", "number")
            for empty in ("", None, " ")
        ),
        ({"phone": "n/a"}, {"phone": "none"}),
        ({"number": []}, {"number": []}),
        ({}, {}),
    ],
)
def test_what_differs_and_what_is_empty_may_be_there_twice(
    database: Database, tenant: str, people: str, one: dict, other: dict
):
    create(database, tenant, **one)
    create(database, tenant, **other)


def test_a_refused_write_leaves_the_rest_of_the_transaction(database: Database, tenant: str, people: str):
    ada, bo = create(database, tenant, email="ada@x.de"), create(database, tenant, email="bo@x.de")
    with database.tenant(tenant) as session:
        with pytest.raises(DuplicateError):
            records.create(session, tenant, people, {"email": "ada@x.de"})
        row = records.get(session, bo.id, lock=True)
        with pytest.raises(DuplicateError, match=str(ada.id)):
            records.update(session, row, Changes(set={"email": "ADA@x.de", "name": "Bo"}))
        records.update(session, row, Changes(set={"city": "Bonn"}))
    with database.tenant(tenant) as session:
        assert records.get(session, bo.id).data == {"email": "bo@x.de", "city": "Bonn"}
        assert records.count(session, people, {}) == 2


def test_a_value_given_up_is_free(database: Database, tenant: str, people: str):
    ada = create(database, tenant, email="ada@x.de")
    with database.tenant(tenant) as session:
        row = records.get(session, ada.id, lock=True)
        records.update(session, row, Changes(set={"email": "ada@y.de"}))
    create(database, tenant, email="ada@x.de")


@pytest.mark.parametrize("go", [deletion.delete, deletion.remove])
def test_a_deleted_record_gives_up_its_values(database: Database, tenant: str, people: str, go):
    ada = create(database, tenant, email="ada@x.de")
    with database.tenant(tenant) as session:
        go(session, deletion.locate(session, ada.id))
    create(database, tenant, email="ada@x.de")


def test_a_record_comes_back_only_where_its_values_are_free(database: Database, tenant: str, people: str):
    ada = create(database, tenant, email="ada@x.de")
    with database.tenant(tenant) as session:
        deletion.delete(session, deletion.locate(session, ada.id))
    other = create(database, tenant, email="ada@x.de")
    with database.tenant(tenant) as session:
        with pytest.raises(DuplicateError, match=str(other.id)):
            deletion.restore(session, deletion.locate(session, ada.id))
        deletion.delete(session, deletion.locate(session, other.id))
        deletion.restore(session, deletion.locate(session, ada.id))
    with pytest.raises(DuplicateError, match=str(ada.id)):
        create(database, tenant, email="ada@x.de")


def test_of_writers_at_once_one_wins(database_url: str, tenant: str, people: str):
    shared = Database(database_url, pool_size=20)
    together = Barrier(20)

    def one(_: int) -> str:
        together.wait()
        try:
            return str(create(shared, tenant, email="ada@x.de").id)
        except DuplicateError as error:
            return error.record_id

    with ThreadPoolExecutor(20) as pool:
        winners = set(pool.map(one, range(20)))
    with shared.tenant(tenant) as session:
        found = records.find(session, people, {})
    shared.dispose()

    assert winners == {str(row.id) for row in found}
    assert len(found) == 1


def test_plain_sql_is_bound_by_it_and_told_the_same(database: Database, tenant: str, people: str, plain_sql):
    ada = create(database, tenant, email="ada@x.de")
    with pytest.raises(psycopg.errors.UniqueViolation, match=f"field 'email' is unique, and record {ada.id}"):
        plain_sql.execute(INSERT, [tenant, uuid4(), Jsonb({"email": "ADA@x.de"})])
    plain_sql.execute(INSERT, [tenant, uuid4(), Jsonb({"email": "bo@x.de"})])
    with pytest.raises(psycopg.errors.UniqueViolation):
        plain_sql.execute('UPDATE records SET data = data || \'{"email": "same@x.de"}\'')


def test_many_at_once_are_bound_by_it_and_may_exchange_their_values(
    database: Database, tenant: str, people: str, plain_sql
):
    many = INSERT.replace("VALUES (%s, %s, 'people', %s)", "SELECT %s, gen_random_uuid(), 'people', value")
    many += " FROM jsonb_array_elements(%s)"
    with pytest.raises(psycopg.errors.UniqueViolation, match=r"record .* has .* already"):
        plain_sql.execute(
            many, [tenant, Jsonb([{"email": "ada@x.de"}, {"email": "bo@x.de"}, {"email": "ADA@x.de"}])]
        )
    plain_sql.execute(many, [tenant, Jsonb([{"email": "ada@x.de"}, {"email": "bo@x.de"}, {"name": "Cy"}])])
    plain_sql.execute(
        "UPDATE records SET data = jsonb_build_object('was', data -> 'email', 'email',"
        " CASE data ->> 'email' WHEN 'ada@x.de' THEN 'bo@x.de' ELSE 'ada@x.de' END) WHERE data ? 'email'"
    )

    with database.tenant(tenant) as session:
        [bo] = records.find(session, people, {"email": "bo@x.de"})
        assert bo.data["was"] == "ada@x.de"
        with pytest.raises(DuplicateError, match=str(bo.id)):
            records.create(session, tenant, people, {"email": "BO@x.de"})


def test_other_pipelines_and_tenants_have_values_of_their_own(
    database: Database, tenant: str, other_tenant: str, people: str, leads: str
):
    create(database, tenant, email="ada@x.de")
    apply(database, other_tenant, [{"id": "email", "unique": True}])
    create(database, other_tenant, email="ada@x.de")
    with database.tenant(tenant) as session:
        for _ in range(2):
            records.create(session, tenant, leads, {"email": "ada@x.de"})


def test_a_field_with_doubles_does_not_become_unique(database: Database, tenant: str):
    apply(database, tenant, [{"id": "vat"}])
    first, second = create(database, tenant, vat="1"), create(database, tenant, vat="1 ")
    create(database, tenant, vat="2")

    with pytest.raises(UserError) as raised:
        apply(database, tenant, [{"id": "vat", "unique": True}])

    assert f"field 'vat': records {first.id} and {second.id}" in str(raised.value)
    with database.tenant(tenant) as session:
        assert pipelines.get(session, "people").fields[0].unique is False
        records.update(session, records.get(session, second.id, lock=True), Changes(set={"vat": "3"}))
    apply(database, tenant, [{"id": "vat", "unique": True}])
    with pytest.raises(DuplicateError):
        create(database, tenant, vat="1")
    apply(database, tenant, [{"id": "vat"}])
    create(database, tenant, vat="1")


def test_a_field_becomes_unique_while_others_write(database_url: str, tenant: str):
    shared = Database(database_url, pool_size=10)
    apply(shared, tenant, [{"id": "n", "type": "integer"}])

    def one(number: int) -> int | None:
        if number == 30:
            apply(shared, tenant, [{"id": "n", "type": "integer", "unique": True}])
            return None
        create(shared, tenant, n=number)
        return number

    with ThreadPoolExecutor(8) as pool:
        written = [number for number in pool.map(one, range(60)) if number is not None]
    for number in written:
        with pytest.raises(DuplicateError):
            create(shared, tenant, n=number)
    shared.dispose()


@pytest.mark.parametrize(
    ("duplicates", "counts"), [("create", (2, 0, 2)), ("update", (2, 2, 0)), ("error", (2, 0, 2))]
)
def test_an_import_sets_doubles_aside_and_goes_on(
    database: Database, tenant: str, people: str, csv_file, tmp_path, duplicates, counts
):
    ada = create(database, tenant, email="ada@x.de")
    path = csv_file("name,email\nBo,bo@x.de\nAda,ADA@x.de\nCy,cy@x.de\nBo again,Bo@x.de\n")
    options = ImportOptions(tmp_path / "rejects.csv", duplicates=duplicates)
    result = import_file(database, tenant, people, path, options)

    assert (result.created, result.updated, result.rejected) == counts
    if duplicates == "create":
        assert f"field 'email' is unique, and record {ada.id} has" in (tmp_path / "rejects.csv").read_text()


def test_an_erased_person_leaves_nothing_in_it(database: Database, tenant: str, people: str):
    create(database, tenant, email="ada@x.de", phone="0171 1234")
    create(database, tenant, email="bo@x.de", number="sent by ada@x.de")
    create(database, tenant, email="cy@x.de", number="sent by ADA@x.de")
    with database.removal(tenant) as session:
        erasure.erase(session, "ada@x.de")
    with database.tenant(tenant) as session:
        assert session.scalar(text("SELECT count(*) FROM record_unique_values")) == 2
    create(database, tenant, email="ada@x.de", phone="0171 1234")


def test_doubles_from_before_the_update_can_still_be_changed(owner_url: str):
    migrate(owner_url)
    command.downgrade(config(owner_url), "0006")
    engine = create_engine(owner_url)
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL ROLE oneo_system"))
        connection.execute(text("INSERT INTO tenants (id, name) VALUES ('t', 'T')"))
        connection.execute(text("SET LOCAL ROLE oneo_app"))
        connection.execute(text("SET LOCAL oneo.tenant = 't'"))
        connection.execute(
            text(
                "INSERT INTO pipelines (tenant_id, id, name, fields) VALUES ('t', 'people', 'P',"
                " jsonb_build_array(jsonb_build_object('id', 'email', 'type', 'text', 'unique', true)))"
            )
        )
        connection.execute(
            text(
                "INSERT INTO records (tenant_id, id, pipeline_id, data)"
                " SELECT 't', gen_random_uuid(), 'people', '{\"email\": \"ada@x.de\"}' FROM generate_series(1, 2)"
            )
        )
    engine.dispose()
    migrate(owner_url)
    store = Database(owner_url)
    with store.tenant("t") as session:
        for row in records.find(session, "people", {}, lock=True):
            records.update(session, row, Changes(set={"seen": True}))
    with pytest.raises(DuplicateError):
        create(store, "t", email="ada@x.de")
    store.dispose()
