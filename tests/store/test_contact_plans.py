"""Contacts are found by their keys, however many a tenant has."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import event, insert, text

from oneo.database import Database
from oneo.store import contacts, pipelines, tenants
from oneo.store.contacts import Wanted
from oneo.store.models import Record
from oneo.store.pipelines import PipelineSpec

ROWS = 5000


@pytest.fixture(scope="module")
def crowd(database: Database) -> Iterator[str]:
    """A tenant with 5,000 contacts."""
    tenant_id = f"crowd-{uuid4().hex[:8]}"
    with database.system() as session:
        tenants.ensure(session, tenant_id)
    with database.tenant(tenant_id) as session:
        pipelines.apply(session, tenant_id, PipelineSpec(id="contacts"))
        common = {"tenant_id": tenant_id, "pipeline_id": "contacts"}
        people = [
            {"name": f"Anna {uuid4().hex}", "email": f"p{n}@x.de", "phone": f"+49171{n:07}"}
            for n in range(ROWS)
        ]
        session.execute(insert(Record), [{**common, "id": uuid4(), "data": one} for one in people])
    url = database.url.set(drivername="postgresql").render_as_string(False)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("ANALYZE records, record_keys")
    yield tenant_id
    with database.removal(tenant_id) as session:
        tenants.remove(session, tenant_id)


@pytest.mark.parametrize("strategy", ["any", "all", "weighted"])
@pytest.mark.parametrize(
    "criteria",
    [
        {"email": "P7@x.de"},
        {"phone": "+49 171 0000007"},
        {"email": "p7@x.de", "phone": "+491710000007"},
        {"email": "p7@x.de", "name": "Anna"},
    ],
    ids="+".join,
)
def test_candidates_come_from_the_index(database: Database, crowd: str, strategy, criteria) -> None:
    plans: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:
        if statement.startswith("SELECT records."):
            with connection.connection.cursor() as other:
                other.execute("EXPLAIN " + statement, parameters)
                plans.append("\n".join(row[0] for row in other.fetchall()))

    engine = database.engine("oneo_app")
    event.listen(engine, "before_cursor_execute", explain)
    try:
        with database.tenant(crowd) as session:
            found = contacts.matches(session, "contacts", Wanted(criteria, strategy, 0.1))
    finally:
        event.remove(engine, "before_cursor_execute", explain)
    assert found[0].record.data["email"] == "p7@x.de"
    [plan] = plans
    assert "record_keys_pkey" in plan
    assert "Seq Scan" not in plan


def test_records_of_plain_sql_are_found_too(database: Database, crowd: str) -> None:
    with database.tenant(crowd) as session:
        session.execute(
            text(
                "INSERT INTO records (tenant_id, id, pipeline_id, data)"
                " VALUES (:t, gen_random_uuid(), 'contacts', '{\"email\": \"Zoe@y.de\"}')"
            ),
            {"t": crowd},
        )
        assert len(contacts.matches(session, "contacts", Wanted({"email": "zoe@y.de"}))) == 1
